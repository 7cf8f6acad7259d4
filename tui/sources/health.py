"""Health documents in the shapes that services really serve → one state, its reason, and components. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from tui.sources.text import clean

MAX_COMPONENTS: Final = 500
_MAX_DEPTH: Final = 6
_MAX_DETAILS: Final = 40
_UPTIMES: Final = {"uptime": 1.0, "uptimes": 1.0, "uptimeseconds": 1.0, "uptimesec": 1.0, "uptimems": 0.001}
"""Keys of a document's top level, without `_` and `-`, and what their values are worth in seconds."""
_STARTS: Final = ("startedat", "starttime", "startedon", "started", "starttimestamp")
_LONGEST_S: Final = 10 * 365 * 86_400.0
_MILLIS: Final = 1e11
"""Unix times above this are milliseconds."""


class State(IntEnum):
    """How a service or one of its components is; ordered, so the worst is the greatest."""

    OK = 0
    DEGRADED = 1
    DOWN = 2


@dataclass(frozen=True, slots=True)
class Component:
    """One part a service says something about."""

    name: str
    """Path within the document, joined by dots: `db`, `db.replica`."""
    state: State
    status: str
    """The document's own word, e.g. `OUT_OF_SERVICE`; empty when it gave none."""
    details: tuple[tuple[str, str], ...] = ()
    """Everything else the document says about it, nested keys joined by dots."""

    @property
    def message(self) -> str:
        """The detail that explains the state best: an error or a message; empty when there is none."""
        given = dict(self.details)
        for key in ("error", "message", "reason", "output", "description"):
            for name, value in given.items():
                if value and name.rpartition(".")[2].lower() == key:
                    return value
        return ""


@dataclass(frozen=True, slots=True)
class Health:
    """What a status code and a body say together."""

    state: State
    status: str
    """The body's own overall word; empty when it has none."""
    reason: str
    """Why the state is not ok; empty when it is."""
    components: tuple[Component, ...] = ()
    """In the document's order."""
    version: str | None = None
    """The document's `version`; None when it gives none."""
    document: Any = None
    """The parsed JSON, not cleaned; None when the body is not JSON."""


_WORDS: Final[Mapping[str, State]] = {
    **dict.fromkeys(
        ("ok", "up", "healthy", "pass", "passing", "passed", "good", "green", "alive", "running", "ready", "available",
         "operational", "success", "succeeded", "true", "serving", "online", "connected", "active", "pong"),
        State.OK,
    ),
    **dict.fromkeys(
        ("degraded", "warn", "warning", "yellow", "partial", "out_of_service", "unstable", "slow", "maintenance",
         "starting", "draining"),
        State.DEGRADED,
    ),
    **dict.fromkeys(
        ("down", "unhealthy", "fail", "failed", "failing", "failure", "error", "critical", "red", "unavailable",
         "false", "not_serving", "offline", "disconnected", "dead", "bad", "outage"),
        State.DOWN,
    ),
}  # fmt: skip
_NEUTRAL: Final = frozenset({"unknown", "disabled", "skipped", "n/a", "none", "not_applicable", ""})
_STATUS_KEYS: Final = ("status", "state", "health", "healthy", "ok", "alive", "result")
_PART_KEYS: Final = ("components", "checks", "entries", "results", "dependencies", "services", "subsystems", "details")
_KUBERNETES_CHECK: Final = re.compile(r"^\[([+-])\]([\w./:-]+)\s*(.*)$", re.MULTILINE)


def parse(status_code: int, content_type: str, body: str) -> Health:
    """Judge an answer by its status code and its body together; the worse of the two counts."""
    by_code, code_reason = by_status_code(status_code)
    looks_json = "json" in content_type.lower() or bool(re.match(r"\s*(?:\{|\[(?![+-]\]))", body))
    try:
        document = json.loads(body) if looks_json or len(body) < 64 else None
    except (ValueError, RecursionError):
        document = None
        if looks_json and body.strip():
            reason = code_reason or "the body is not valid JSON"
            return Health(max(by_code, State.DEGRADED), "", reason)
    if document is None:
        return _plain(by_code, code_reason, body)
    return _from_document(by_code, code_reason, document)


def uptime_s(document: Any, now: float) -> float | None:
    """Return the seconds since the service's start, by its document; None when that does not say.

    Args:
        document: the parsed JSON.
        now: `time.time()`, for documents that tell when it started.
    """
    if not isinstance(document, dict):
        return None
    folded = {str(key).lower().replace("-", "").replace("_", ""): value for key, value in document.items()}
    for key, value in folded.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        if key in _UPTIMES and isinstance(value, int | float) and 0 <= value < _LONGEST_S * 1000:
            return value * _UPTIMES[key]
        if key in _STARTS:
            try:
                began = datetime.fromisoformat(value).timestamp() if isinstance(value, str) else float(value)
            except (ValueError, OverflowError, OSError):
                continue
            began = began / 1000 if began > _MILLIS else began
            return now - began if 0 <= now - began < _LONGEST_S else None
    return None


def by_status_code(code: int) -> tuple[State, str]:
    """Return what a status code alone says, and why it is not ok."""
    if 200 <= code < 300:
        return State.OK, ""
    if 300 <= code < 400:
        return State.DEGRADED, f"HTTP {code}: redirects, which is not followed"
    if code == 429:
        return State.DEGRADED, "HTTP 429: too many requests"
    if code in (401, 403):
        return State.DOWN, f"HTTP {code}: refuses us; check the headers in the profile"
    return State.DOWN, f"HTTP {code}"


def _plain(by_code: State, code_reason: str, body: str) -> Health:
    checks = tuple(
        Component(clean(name), State.OK if sign == "+" else State.DOWN, clean(rest, limit=200) or sign)
        for sign, name, rest in _KUBERNETES_CHECK.findall(body)[:MAX_COMPONENTS]
    )
    text = body.strip()
    is_word = len(text) <= 40 and "\n" not in text and "<" not in text
    status = clean(text) if is_word else ""
    said = max([check.state for check in checks], default=_state_of(text) if is_word else None)
    return _combined(by_code, code_reason, said, status, checks, None, None)


def _from_document(by_code: State, code_reason: str, document: Any) -> Health:
    if not isinstance(document, dict):
        parts = tuple(_bounded(_components("", document, 0))) if isinstance(document, list) else ()
        status = "" if isinstance(document, list) else clean(_plain_value(document), limit=60)
        return _combined(by_code, code_reason, _state_of(document), status, parts, None, document)
    said, status = _own_status(document)
    parts = tuple(_bounded(_parts_of("", document, 0)))
    if said is None and not status and not parts:  # {"database": "ok", "cache": "down"}
        words = {key: value for key, value in document.items() if _state_of(value) is not None}
        parts = tuple(_bounded(_components("", words, 0)))
    version = document.get("version")
    shown = clean(_plain_value(version), limit=60) if isinstance(version, str | int | float) else None
    return _combined(by_code, code_reason, said, status, parts, shown, document)


def _combined(
    by_code: State,
    code_reason: str,
    said: State | None,
    status: str,
    parts: tuple[Component, ...],
    version: str | None,
    document: Any,
) -> Health:
    bad = sorted((part for part in parts if part.state is not State.OK), key=lambda part: -part.state)
    # A service may live without one of its parts: only its own word, or its status code, calls it down.
    by_parts = State.DEGRADED if bad else State.OK
    state = max(by_code, said or State.OK, by_parts)
    reasons = [code_reason] if code_reason else []
    if said not in (None, State.OK):
        reasons.append(f"says {status}" if status else "a check failed")
    elif said is None and status and status.lower() not in _NEUTRAL and not parts and by_code is State.OK and document:
        reasons.append(f"says {status}, a word opstui does not know")
        state = max(state, State.DEGRADED)
    reasons.extend(f"{part.name} {part.status or part.state.name}" for part in bad[:3])
    if len(bad) > 3:
        reasons.append(f"{len(bad) - 3} more")
    return Health(state, status, ", ".join(reasons) if state else "", parts, version, document)


def _own_status(entry: Mapping[str, Any]) -> tuple[State | None, str]:
    folded = {str(key).lower(): value for key, value in entry.items()}
    for key in _STATUS_KEYS:
        value = folded.get(key)
        if isinstance(value, dict):  # Spring Boot 1: {"status": {"code": "UP"}}
            value = value.get("code") or value.get("status")
        if isinstance(value, str | bool):
            return _state_of(value), clean(_plain_value(value), limit=60)
    return None, ""


def _state_of(value: Any) -> State | None:
    if isinstance(value, bool):
        return State.OK if value else State.DOWN
    if not isinstance(value, str):
        return None
    word = value.strip().strip(".!").lower().replace(" ", "_").replace("-", "_")
    return _WORDS.get(word)


def _parts_of(path: str, entry: Mapping[str, Any], depth: int) -> Iterator[Component]:
    for key, value in entry.items():
        folded = str(key).lower()
        if folded not in _PART_KEYS or not isinstance(value, dict | list):
            continue
        if folded != "details" or _holds_parts(value):
            yield from _components(path, value, depth)


def _holds_parts(value: Any) -> bool:
    entries = value.values() if isinstance(value, dict) else value
    return bool(entries) and all(isinstance(each, dict) and _own_status(each)[1] for each in entries)


def _components(path: str, value: Any, depth: int) -> Iterator[Component]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _component(_join(path, str(key)), entry, depth)
    elif isinstance(value, list):
        for number, entry in enumerate(value, 1):
            named = entry.get("name") or entry.get("component") or entry.get("id") if isinstance(entry, dict) else None
            yield from _component(_join(path, str(named or number)), entry, depth)


def _component(name: str, entry: Any, depth: int) -> Iterator[Component]:
    if isinstance(entry, list):  # application/health+json: {"db:responseTime": [{"status": "pass"}]}
        if len(entry) == 1:
            yield from _component(name, entry[0], depth + 1)
        else:
            yield from _components(name, entry, depth + 1)
        return
    if not isinstance(entry, dict):
        word = clean(_plain_value(entry), limit=60)
        yield Component(name, _component_state(_state_of(entry), word if isinstance(entry, str) else ""), word)
        return
    said, status = _own_status(entry)
    parts = list(_bounded(_parts_of(name, entry, depth + 1)))
    yield Component(name, _component_state(said, status), status, tuple(_details(entry)))
    yield from parts


def _component_state(said: State | None, word: str) -> State:
    if said is not None:
        return said
    return State.OK if word.lower() in _NEUTRAL else State.DEGRADED


def _details(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def walk(prefix: str, value: Any, depth: int) -> None:
        if len(found) >= _MAX_DETAILS:
            return
        if isinstance(value, dict) and depth < 3:
            for key, each in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), each, depth + 1)
        elif value not in (None, "", [], {}):
            found.append((clean(prefix, limit=100), clean(_plain_value(value), limit=500)))

    for key, value in entry.items():
        folded = str(key).lower()
        is_part = (
            folded in _PART_KEYS and isinstance(value, dict | list) and (folded != "details" or _holds_parts(value))
        )
        if folded not in ("status", "name") and not is_part:
            walk("" if folded in ("details", "data") and isinstance(value, dict) else str(key), value, 0)
    return found


def _plain_value(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "…"


def _join(path: str, name: str) -> str:
    name = clean(name, limit=100)
    return f"{path}.{name}" if path else name


def _bounded(parts: Iterable[Component]) -> Iterator[Component]:
    for number, part in enumerate(parts):
        if number >= MAX_COMPONENTS:
            return
        yield part
