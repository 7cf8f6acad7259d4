"""The profile's thresholds → alerts. Pure: readings in, changes of level out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import ClassVar, Final

from profiles.thresholds import Rule
from tui.sources.reading import Number, Reading, Snapshot

ABSENT_S: Final = 30.0
"""How long a number must be absent before that is told: a reading that lacks it now and then is no news."""
GONE_S: Final = 60.0
"""How long a system must answer without a number before an alert about it ends: it has no such thing any more."""

NO_DATA: Final = "no_data"
"""Stands where a metric would, for a system that does not answer at all: runbooks name it, no rule judges it."""


class Level(IntEnum):
    """How a number is judged; ordered, so the worst is the greatest."""

    OK = 0
    WARN = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Alert:
    """One number of one system beyond its threshold."""

    source: str
    """Name of the source that reported it."""
    metric: str
    object: str
    """What in the system it is about; empty for the system as a whole."""
    level: Level
    value: float
    """The newest value."""
    threshold: float
    """The threshold it crossed to reach `level`."""
    since: float
    """`time.time()` when the threshold was first crossed."""
    seen_at: float | None = None
    """`time.time()` when `value` was read; None in what was not judged here."""
    unit: str = ""
    """What `value` counts, where the metric's name does not tell."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A number that a rule watches and that its system, which answers, cannot tell: neither well nor unwell."""

    source: str
    """Name of the source that should report it."""
    metric: str
    object: str
    since: float
    """`time.time()` when it was first missed."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A system that does not answer, or refuses to."""

    source: str
    """Name of the source that cannot be read."""
    why: str
    """What the newest attempt met."""
    since: float
    """`time.time()` of the first attempt that failed."""
    metric: ClassVar[str] = NO_DATA
    object: ClassVar[str] = ""


Trouble = Alert | Absence | Silent
"""What a runbook may be for."""

_Key = tuple[str, str, str]


class Rules:
    """Judges every number a reading brings and remembers what is wrong."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._crossed: dict[_Key, Alert] = {}
        """Beyond a threshold, but perhaps not yet for long enough."""
        self._raised: dict[_Key, Alert] = {}
        self._absent: dict[_Key, float] = {}
        """Since when a number cannot be told by a system that answers."""
        self._missed: dict[_Key, float] = {}
        """Since when a system answers without the number of an alert that is up."""

    def level(self, source: str, metric: str, object: str = "") -> Level:  # noqa: A002 — the word of Number
        """Return the level of an alert that is up for this number; OK when none is."""
        alert = self._raised.get((source, metric, object))
        return alert.level if alert else Level.OK

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Every alert that is up, worst first, then oldest first."""
        return tuple(sorted(self._raised.values(), key=lambda a: (-a.level, a.since, a.source, a.metric, a.object)))

    def judge(self, reading: Reading[Snapshot], now: float) -> tuple[Alert, ...]:
        """Judge a reading's numbers and return the alerts that came, changed level, or ended (with level OK).

        An alert ends when its number is seen well again, when its object is gone, or when the system has answered
        without it for `GONE_S`. What cannot be seen is neither better nor worse: a reading whose newest attempt failed,
        or a number that is absent, changes nothing, and a wait for a rule's `for` goes on. Only what the refusal
        itself tells is judged: who has no place left for us says so in no other way.
        """
        if reading.error is not None:
            return self._judge_all(reading.source, reading.error.numbers, now, set())
        if reading.snapshot is None:
            return ()
        seen: set[_Key] = set()
        changed = self._judge_all(reading.source, reading.snapshot.numbers(), now, seen)
        return (*changed, *self._forget(reading.source, seen, now))

    def _judge_all(self, source: str, numbers: Iterable[Number], now: float, seen: set[_Key]) -> tuple[Alert, ...]:
        """Judge numbers, and add what they are of to `seen`."""
        kind, _, name = source.partition(":")
        changed: list[Alert] = []
        for number in numbers:
            rule = self._rules.get(f"{kind}.{number.metric}")
            if rule is None or (rule.only and name not in rule.only):
                continue
            key = (source, number.metric, number.object)
            seen.add(key)
            if number.is_absent:
                self._absent.setdefault(key, now)
                continue
            self._absent.pop(key, None)
            changed.extend(self._judge_one(key, number, rule, now))
        return tuple(changed)

    def _forget(self, source: str, seen: set[_Key], now: float) -> Iterable[Alert]:
        """Take that a system answered without what it had before."""
        for known in (self._absent, self._crossed):
            for key in [key for key in known if key[0] == source and key not in seen and key not in self._raised]:
                del known[key]
        for key in [key for key in self._missed if key in seen]:
            del self._missed[key]
        for key in self._of_source(source):
            if key in seen:
                continue
            since = self._missed.setdefault(key, now)
            if key[2] or now - since >= GONE_S:
                yield self._end(key, now)

    def absences(self, now: float) -> tuple[Absence, ...]:
        """Return what has been absent for `ABSENT_S`, oldest first.

        Not of systems with a critical alert, at which somebody looks already, nor of those that do not answer at all:
        their readings say so themselves.
        """
        critical = {key[0] for key, alert in self._raised.items() if alert.level is Level.CRITICAL}
        told = [Absence(*key, since) for key, since in self._absent.items() if now - since >= ABSENT_S]
        return tuple(sorted((one for one in told if one.source not in critical), key=lambda one: one.since))

    def _of_source(self, source: str) -> list[_Key]:
        return [key for key in self._raised if key[0] == source]

    def _judge_one(self, key: _Key, number: Number, rule: Rule, now: float) -> Iterable[Alert]:
        raised = self._raised.get(key)
        level, threshold = judged(number.value, rule)
        if raised and level < raised.level and not _is_clear(number.value, raised.threshold, rule):
            level, threshold = raised.level, raised.threshold
        if level is Level.OK:
            self._crossed.pop(key, None)
            if raised:
                yield self._end(key, now)
            return
        crossed = self._crossed.get(key)
        alert = Alert(*key, level, number.value, threshold, crossed.since if crossed else now, now, number.unit)
        self._crossed[key] = alert
        if raised or now - alert.since >= rule.for_:
            self._raised[key] = alert
            if raised is None or raised.level != level:
                yield alert

    def _end(self, key: _Key, now: float) -> Alert:
        self._crossed.pop(key, None)
        self._missed.pop(key, None)
        self._absent.pop(key, None)
        return replace(self._raised.pop(key), level=Level.OK, since=now)


def number_words(source: str, metric: str, object: str = "") -> str:  # noqa: A002 — the word of Number
    """Return which number is meant, as people read it: `database:orders blocked`; a metric's name only once."""
    told = metric if source != f"metric:{metric}" else ""
    return " ".join(filter(None, (source.rstrip(":"), told, object)))


def named(trouble: Trouble) -> str:
    """Return what a trouble is about, as people read it."""
    if isinstance(trouble, Silent):
        return trouble.source.rstrip(":")
    return number_words(trouble.source, trouble.metric, trouble.object)


def applies(source: str, rule_name: str, rule: Rule) -> bool:
    """Tell whether a rule judges numbers of a source."""
    (kind, _, name), (of_kind, _, metric) = source.partition(":"), rule_name.partition(".")
    return kind == of_kind and (not rule.only or name in rule.only) and (kind != "metric" or name == metric)


def judged(value: float, rule: Rule) -> tuple[Level, float]:
    """Return the level of a number by itself, however long it has been so, and the threshold it crossed; 0 if none."""
    for level, threshold in ((Level.CRITICAL, rule.critical), (Level.WARN, rule.warn)):
        if threshold is not None and (value <= threshold if rule.is_floor else value >= threshold):
            return level, threshold
    return Level.OK, 0.0


def _is_clear(value: float, threshold: float, rule: Rule) -> bool:
    limit = threshold if rule.clear is None else rule.clear
    if rule.clear is None:
        return True
    return value >= limit if rule.is_floor else value <= limit
