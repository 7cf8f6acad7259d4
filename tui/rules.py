"""The profile's thresholds → alerts. Pure: readings in, changes of level out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from profiles.schema import Rule
from tui.sources.reading import Number, Reading, Snapshot


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


_Key = tuple[str, str, str]


class Rules:
    """Judges every number a reading brings and remembers what is wrong."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._crossed: dict[_Key, Alert] = {}
        """Beyond a threshold, but perhaps not yet for long enough."""
        self._raised: dict[_Key, Alert] = {}

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

        A reading whose newest attempt failed changes nothing: what cannot be seen is neither better nor worse.
        """
        if reading.snapshot is None or reading.error is not None:
            return ()
        kind, _, name = reading.source.partition(":")
        changed: list[Alert] = []
        seen: set[_Key] = set()
        for number in reading.snapshot.numbers():
            rule = self._rules.get(f"{kind}.{number.metric}")
            if rule is None or (rule.only and name not in rule.only):
                continue
            key = (reading.source, number.metric, number.object)
            seen.add(key)
            changed.extend(self._judge_one(key, number, rule, now))
        changed.extend(self._end(key, now) for key in self._of_source(reading.source) if key not in seen)
        for key in [key for key in self._crossed if key[0] == reading.source and key not in seen]:
            del self._crossed[key]
        return tuple(changed)

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
        alert = Alert(*key, level, number.value, threshold, crossed.since if crossed else now)
        self._crossed[key] = alert
        if raised or now - alert.since >= rule.for_:
            self._raised[key] = alert
            if raised is None or raised.level != level:
                yield alert

    def _end(self, key: _Key, now: float) -> Alert:
        self._crossed.pop(key, None)
        return replace(self._raised.pop(key), level=Level.OK, since=now)


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
