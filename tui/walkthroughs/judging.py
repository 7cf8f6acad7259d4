"""Values against thresholds, and systems that cannot be judged by what they say."""

from dataclasses import dataclass
from typing import Any, Final

from profiles.thresholds import Rule
from tui.rules import Level, judged
from tui.sources.reading import Reading
from tui.units import short_kind
from tui.walkthroughs.format import SUBJECT, Condition
from tui.walkthroughs.run import Mark
from tui.walkthroughs.site import Site, Subject

MARKS: Final = {Level.OK: Mark.PASSED, Level.WARN: Mark.WARNING, Level.CRITICAL: Mark.FAILED}
"""Level of a rule → how a step with it went."""

Value = str | float | bool | None
"""What a system gives when it is asked for one value."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition and what it is asked about."""

    condition: Condition
    subject: Subject
    last_run_at: float | None = None
    """`time.time()` of the last whole run of the same checklist; None when there was none."""


def sources_of(asked: Asked, kind: str, site: Site) -> list[str]:
    """Return the names of the sources a condition is asked on."""
    on = asked.condition.on
    if (names := site.profile.systems.get(kind)) is None:
        return [f"{kind}:"]
    if isinstance(on, list):
        return [f"{kind}:{name}" for name in on]
    if kind == "kubernetes":
        return list(asked.subject.clusters(site.profile))
    if asked.subject.kind == kind:
        return [f"{kind}:{asked.subject.name}"]
    return [] if on == SUBJECT else [f"{kind}:{name}" for name in names]


def silence(reading: Reading[Any] | None, site: Site) -> tuple[Mark, str] | None:
    """Return how to judge a system that cannot be judged by what it says, and why; None for one that can."""
    if reading is None:
        return Mark.UNKNOWN, "the profile names no such system"
    if reading.is_absent:
        return Mark.SKIPPED, "optional, and not there"
    if reading.error is not None:
        return Mark.UNKNOWN, str(reading.error)
    if reading.snapshot is None:
        return Mark.UNKNOWN, "no answer yet"
    return (Mark.UNKNOWN, "what is known of it is old") if reading.is_stale(site.now()) else None


def mark_of(value: Value, bounds: Rule | Condition) -> tuple[Mark, str]:
    """Judge a value, and return what it was held against."""
    if isinstance(bounds, Condition):
        if bounds.is_ is not None:
            return (Mark.PASSED if _is_equal(value, bounds.is_) else Mark.FAILED), f"is {bounds.is_}"
        if bounds.at_least is not None:
            is_enough = isinstance(value, int | float) and value >= bounds.at_least
            if not is_enough or (bounds.warn is None and bounds.critical is None):
                mark = Mark.PASSED if is_enough else Mark.UNKNOWN if value is None else Mark.FAILED
                return mark, f"at least {bounds.at_least:g}"
        bounds = Rule(warn=bounds.warn, critical=bounds.critical)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Mark.UNKNOWN, "a number"
    return MARKS[judged(float(value), bounds)[0]], threshold_words(bounds.warn, bounds.critical)


def _is_equal(value: Value, wanted: Value) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool) or not isinstance(value, int | float):
        return str(value).lower() == str(wanted).lower()
    return isinstance(wanted, int | float) and float(value) == float(wanted)


def threshold_words(warn: float | None, critical: float | None) -> str:
    """Return thresholds as they are written in a profile."""
    given = (("warn", warn), ("critical", critical))
    return ", ".join(f"{word} {value:g}" for word, value in given if value is not None)


def what_of(source: str, metric: str, object: str = "") -> str:  # noqa: A002 — the word of Number
    """Return which number is meant, as evidence calls it; a metric's name only once."""
    told = metric if source != f"metric:{metric}" else ""
    return " ".join(filter(None, (name_of(source), told, object)))


def name_of(source: str) -> str:
    """Return what a source is called in evidence: the profile's name, or the kind where there is only one."""
    kind, _, name = source.partition(":")
    return name or short_kind(kind)
