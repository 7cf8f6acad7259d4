"""What a profile expects of an answer, held against the answer. Pure; long bodies are not for the event loop."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from profiles.probes import Cors, Expect, Probe
from tui.sources.health import State
from tui.sources.http_request import Answer
from tui.sources.probes.facts import Phases, Verdict
from tui.sources.text import clean

_NO_JSON: Final = object()
_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Judged:
    """What all conditions say together."""

    state: State
    reason: str
    """The conditions that do not hold; empty when all do."""
    verdicts: tuple[Verdict, ...]


def judge(probe: Probe, answer: Answer, phases: Phases) -> Judged:
    """Hold an answer against all that a probe expects."""
    verdicts = (*_verdicts(probe.expect, answer, phases), *(_cors(probe.cors, answer) if probe.cors else ()))
    unmet = [verdict for verdict in verdicts if not verdict.is_met]
    state = State.OK if not unmet else State.DEGRADED if all(one.is_soft for one in unmet) else State.DOWN
    told = [f"{one.wanted}: {one.found}" if one.found else f"{one.wanted}: no" for one in unmet]
    return Judged(state, "; ".join(told), verdicts)


def _verdicts(expect: Expect, answer: Answer, phases: Phases) -> Iterator[Verdict]:
    yield _status(expect, answer)
    text = answer.body.decode("utf-8", "replace")
    if expect.text is not None:
        yield Verdict(f"text {clean(expect.text, limit=60)!r}", expect.text in text, "it is not there" + _cut(answer))
    if expect.body:
        document = _document(text)
        for path, wanted in expect.body.items():
            yield _at(path, wanted, document, answer)
    given = {name.lower(): value for name, value in reversed(answer.headers)}
    for name, part in expect.header.items():
        found = given.get(name.lower())
        words = f"header {name} {clean(part, limit=60)}".rstrip()
        yield Verdict(words, found is not None and part in found, "none" if found is None else "another value")
    if expect.latency_ms is not None:
        took = f"{phases.total_ms:.0f} ms"
        yield Verdict(f"within {expect.latency_ms:g} ms", phases.total_ms <= expect.latency_ms, took, is_soft=True)
    if expect.certificate_days is not None:
        days = answer.certificate_days
        told = "no certificate" if days is None else f"{days:.1f} days"
        is_met = days is not None and days >= expect.certificate_days
        yield Verdict(f"certificate for {expect.certificate_days:g} days", is_met, told, is_soft=days is not None)


def _status(expect: Expect, answer: Answer) -> Verdict:
    if expect.status is None:
        return Verdict("status 2xx", 200 <= answer.status_code < 300, f"HTTP {answer.status_code}")
    wanted = "status " + " or ".join(map(str, expect.status))
    return Verdict(wanted, answer.status_code in expect.status, f"HTTP {answer.status_code}")


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NO_JSON


def _at(path: str, wanted: object, document: Any, answer: Answer) -> Verdict:
    import jmespath  # only profiles that look into bodies pay for it

    words = f"{path} is {_plain(wanted)}"
    if document is _NO_JSON:
        return Verdict(words, False, "the body is not valid JSON" + _cut(answer))
    try:
        found = jmespath.search(path, document)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        return Verdict(words, False, clean(str(error).splitlines()[0], limit=_SHOWN))
    return Verdict(words, _is_equal(found, wanted), f"it is {_plain(found)}")


def _is_equal(found: object, wanted: object) -> bool:
    # True == 1 in Python, and not in JSON.
    return isinstance(found, bool) is isinstance(wanted, bool) and found == wanted


def _plain(value: object) -> str:
    try:
        return clean(json.dumps(value, ensure_ascii=False), limit=_SHOWN)
    except (ValueError, RecursionError):
        return "…"


def _cut(answer: Answer) -> str:
    return f", in the first {len(answer.body) // 1024} KiB" if answer.is_cut else ""


def _cors(wanted: Cors, answer: Answer) -> Iterator[Verdict]:
    given = {name.lower(): value.strip() for name, value in reversed(answer.headers)}
    origin = given.get("access-control-allow-origin", "")
    yield Verdict(f"origin {wanted.origin} allowed", origin in ("*", wanted.origin), _allows(origin))
    methods = given.get("access-control-allow-methods", "")
    # Browsers allow these three without being told.
    is_simple = wanted.method in ("GET", "HEAD", "POST")
    is_met = is_simple or methods == "*" or wanted.method in _listed(methods, str.upper)
    yield Verdict(f"method {wanted.method} allowed", is_met, _allows(methods))
    headers = given.get("access-control-allow-headers", "")
    for name in wanted.ask:
        # A star does not cover Authorization: browsers want it by name.
        is_met = name.lower() in _listed(headers, str.lower) or (headers == "*" and name.lower() != "authorization")
        yield Verdict(f"header {name} allowed", is_met, _allows(headers))


def _listed(text: str, fold: Any) -> set[str]:
    return {fold(part.strip()) for part in text.split(",")}


def _allows(given: str) -> str:
    return f"it allows {clean(given, limit=_SHOWN)}" if given else "it allows none"
