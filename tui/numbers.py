"""Every number that the systems report, kept for a day: what charts, curves and averages are made of."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tui.sources.history import LONG_S, Past
from tui.sources.reading import Number, Reading

MOST_OBJECTS: Final = 40
"""Objects of one metric of one system that are kept: the first that were seen; a cluster has thousands of pods."""
MOST: Final = 2_000
"""Numbers that are kept in all."""
_GONE_S: Final = 3600.0
_FULL_S: Final = 60.0
"""Where there is no room for another number, it is looked for at most so often."""
_EVERY_S: Final = 0.9
"""Numbers of one system are kept at most so often."""

Key = tuple[str, str, str]
"""Source, metric, object."""


@dataclass(slots=True)
class Kept:
    """One number with its past."""

    source: str
    """Name of the source that reports it."""
    metric: str
    object: str
    """What in the system it belongs to; empty for the system as a whole."""
    unit: str
    """What it counts, where the metric's name does not tell."""
    past: Past

    @property
    def key(self) -> Key:
        """By what it is known."""
        return self.source, self.metric, self.object


class Numbers:
    """Keeps what rules may watch, from every reading that went well."""

    def __init__(self) -> None:
        self._kept: dict[Key, Kept] = {}
        self._objects: dict[tuple[str, str], int] = {}
        self._full: dict[tuple[str, str], float] = {}
        """By source and metric: when room was made last."""
        self._taken: dict[str, float] = {}
        """When a reading of each source was taken last."""

    def take(self, reading: Reading[Any]) -> None:
        """Take a reading; one whose newest attempt failed leaves a gap and nothing else."""
        if reading.snapshot is None or reading.error is not None or reading.taken_at is None:
            return
        # A stream brings ten readings a second, and its numbers are counted over all of a cluster's pods.
        if reading.taken_at - self._taken.get(reading.source, -math.inf) < _EVERY_S:
            return
        self._taken[reading.source] = reading.taken_at
        for number in reading.snapshot.numbers():
            kept = self._kept.get((reading.source, number.metric, number.object)) or self._begin(reading, number)
            if kept is not None and kept.past.last_at < reading.taken_at:
                kept.past.add(reading.taken_at, None if math.isnan(number.value) else number.value)

    def _begin(self, reading: Reading[Any], number: Number) -> Kept | None:
        source, at = reading.source, reading.taken_at or 0.0
        of_metric = source, number.metric
        if self._is_full(of_metric):
            if at - self._full.get(of_metric, -math.inf) < _FULL_S:
                return None
            self._full[of_metric] = at
            self._forget(source, number.metric)
            if self._is_full(of_metric):
                return None
        kept = Kept(source, number.metric, number.object, number.unit, Past())
        self._kept[kept.key] = kept
        self._objects[of_metric] = self._objects.get(of_metric, 0) + 1
        return kept

    def _is_full(self, of_metric: tuple[str, str]) -> bool:
        return self._objects.get(of_metric, 0) >= MOST_OBJECTS or len(self._kept) >= MOST

    def _forget(self, source: str, metric: str) -> None:
        """Make room: what was last seen an hour before the newest of its metric is gone."""
        of_metric = [kept for kept in self._kept.values() if (kept.source, kept.metric) == (source, metric)]
        newest = max((kept.past.last_at for kept in of_metric), default=0.0)
        for kept in of_metric:
            if kept.past.last_at < newest - _GONE_S:
                del self._kept[kept.key]
                self._objects[source, metric] -= 1

    def get(self, source: str, metric: str, object: str = "") -> Kept | None:  # noqa: A002 — the word of Number
        """Return one number; None when it was never reported, or is not kept."""
        return self._kept.get((source, metric, object))

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)


@dataclass(frozen=True, slots=True)
class Summary:
    """A number over a while."""

    least: float
    mean: float
    greatest: float
    p95: float
    """95th percentile by nearest rank of the samples, or of the means of steps where only those are kept."""
    span_s: float
    """From the first to the last sample: less than was asked for where opstui has not watched for so long."""


def summary(past: Past, now: float, span_s: float = LONG_S) -> Summary | None:
    """Return what a number was over a while; None without a sample in it."""
    steps = past.steps(span_s, now)
    if not steps:
        return None
    means = sorted(step.mean for step in steps)
    return Summary(
        min(step.low for step in steps),
        sum(means) / len(means),
        max(step.high for step in steps),
        means[math.ceil(0.95 * len(means)) - 1],
        steps[-1].at - steps[0].at,
    )
