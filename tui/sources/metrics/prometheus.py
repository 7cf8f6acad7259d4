"""Answers of Prometheus' HTTP API → series and their values; what it refuses, in its own words. Pure."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.text import clean

_MAX_LABELS: Final = 300

Sampled = Sequence[tuple[float, float]]
"""(`time.time()`, value), oldest first."""


def instant(base: str, query: str) -> str:
    """Return the URL that asks what a query gives now."""
    return f"{base.rstrip('/')}/api/v1/query?{urlencode({'query': query})}"


def over(base: str, query: str, first: float, last: float, step_s: float) -> str:
    """Return the URL that asks what a query gave from one time to another."""
    asked = {"query": query, "start": f"{first:.0f}", "end": f"{last:.0f}", "step": f"{step_s:g}"}
    return f"{base.rstrip('/')}/api/v1/query_range?{urlencode(asked)}"


def values(status_code: int, body: bytes) -> dict[str, float]:
    """Return the value of every series that an instant query gave; NaN where it is not a number.

    Raises:
        SourceError: it was refused, or is no instant query; in Prometheus' own words.
    """
    kind, result = _result(status_code, body)
    try:
        if kind == "scalar":
            return {"": float(result[1])}
        if kind == "vector":
            return {labels(one["metric"]): float(one["value"][1]) for one in result if "value" in one}
    except (KeyError, TypeError, ValueError, IndexError):
        raise Unreadable("Prometheus answered values that are none") from None
    if kind == "matrix":
        raise Unreadable("the query gives ranges, not values", "put rate(), avg_over_time() or the like around it")
    raise Unreadable(f"the query gives a {clean(str(kind), limit=20)}, not numbers")


def ranges(status_code: int, body: bytes) -> dict[str, Sampled]:
    """Return what every series was over time; what is not a finite number is left out.

    Raises:
        SourceError: it was refused; in Prometheus' own words.
    """
    kind, result = _result(status_code, body)
    if kind != "matrix":
        raise Unreadable("Prometheus answered a range query with something else")
    try:
        return {labels(one["metric"]): list(_finite(one.get("values", ()))) for one in result}
    except (KeyError, TypeError, ValueError):
        raise Unreadable("Prometheus answered values that are none") from None


def _finite(samples: Sequence[Any]) -> Iterator[tuple[float, float]]:
    for at, written in samples:
        if math.isfinite(value := float(written)):
            yield float(at), value


def labels(found: Mapping[str, Any]) -> str:
    """Return what tells a series from the others of its query: every label but the name."""
    told = " ".join(f"{name}={value}" for name, value in sorted(found.items()) if name != "__name__")
    return clean(told, limit=_MAX_LABELS)


def _result(status_code: int, body: bytes) -> tuple[str, Any]:
    document = _document(body)
    if document is None or document.get("status") not in ("success", "error"):
        raise _no_prometheus(status_code)
    if document["status"] == "error":
        raise _refusal(clean(str(document.get("error", "")), limit=300), str(document.get("errorType", "")))
    data = document.get("data")
    if not isinstance(data, dict) or "result" not in data:
        raise Unreadable("Prometheus answered without a result")
    return str(data.get("resultType")), data["result"]


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refusal(words: str, kind: str) -> SourceError:
    if kind == "bad_data":
        return Unreadable(f"Prometheus refuses the query: {words}", "correct it in the profile")
    return Unreachable(f"Prometheus: {words or kind}")


def _no_prometheus(status_code: int) -> SourceError:
    if status_code in (401, 403):
        return Denied(f"HTTP {status_code}", "check the server's headers in the profile")
    if status_code >= 500 or status_code == 429:
        return Unreachable(f"HTTP {status_code}")
    remedy = "the url is what stands before /api/v1/query"
    return Unreadable(f"HTTP {status_code}, and what answers is not Prometheus' API", remedy)
