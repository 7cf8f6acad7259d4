"""Numbers over time: bounded series for sparklines and charts, and rates between two counters."""

import math
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

FINE_S: Final = 900.0
"""How long every sample is kept as it came."""
LONG_S: Final = 86_400.0
"""How long anything is kept."""
_SLACK_S: Final = 60.0
"""Samples are kept a little longer, so that the last `FINE_S` are whole however far apart they are."""
_PACE_S: Final = 3_600.0
_PACE_LEAST_S: Final = 300.0
_NOISE: Final = 0.0005
"""What a number must have grown in that time, as a part of the level, to be more than noise."""
_STEPS: Final = ((30.0, 7_200.0), (180.0, LONG_S))
"""Length of a step, and how long steps of that length are kept, in seconds."""


class Series:
    """The last `capacity` samples of one number, oldest first."""

    def __init__(self, capacity: int = 300) -> None:
        self._samples: deque[tuple[float, float | None]] = deque(maxlen=capacity)

    def add(self, at: float, value: float | None) -> None:
        """Append a sample taken at `at` (`time.time()`); None is a gap."""
        self._samples.append((at, value))

    def values(self) -> list[float | None]:
        """Return the values alone, gaps included."""
        return [value for _, value in self._samples]

    def points(self) -> list[tuple[float, float]]:
        """Return (time, value) without the gaps."""
        return [(at, value) for at, value in self._samples if value is not None]

    @property
    def last(self) -> float | None:
        """The newest value; None when empty or a gap."""
        return self._samples[-1][1] if self._samples else None

    @property
    def last_at(self) -> float:
        """When the newest sample was taken; minus infinity when empty."""
        return self._samples[-1][0] if self._samples else float("-inf")

    def __iter__(self) -> Iterator[tuple[float, float | None]]:
        return iter(self._samples)

    def __len__(self) -> int:
        return len(self._samples)


class Step(NamedTuple):
    """What a number was for a while."""

    at: float
    """`time.time()` of the sample, or of the middle of the step."""
    mean: float
    low: float
    high: float


class Past:
    """24 hours of one number: 15 minutes as it came, then steps of 30 s for two hours, then of 3 min."""

    def __init__(self) -> None:
        self._at, self._values = array("d"), array("d")
        """Samples of the last `FINE_S`, NaN for a gap."""
        self._tiers = tuple(_Tier(step_s, kept_s) for step_s, kept_s in _STEPS)
        self._since = math.inf
        """When the first sample was taken, kept or not."""

    def add(self, at: float, value: float | None) -> None:
        """Append a sample taken at `at` (`time.time()`), after all others; None is a gap."""
        self._since = min(self._since, at)
        self._at.append(at)
        self._values.append(math.nan if value is None else value)
        old = bisect_left(self._at, at - FINE_S - _SLACK_S)
        if old > len(self._at) // 4:  # a quarter at once: taking one from the front moves all the others
            del self._at[:old], self._values[:old]
        if value is not None:
            for tier in self._tiers:
                tier.add(at, value)

    def fill(self, steps: Iterable[tuple[float, float]]) -> None:
        """Take what somebody else has kept, oldest first: only what is older than everything here counts."""
        own, self._at, self._values = list(self), array("d"), array("d")
        before, self._since = self._since, math.inf
        self._tiers = tuple(_Tier(step_s, kept_s) for step_s, kept_s in _STEPS)
        for at, value in (*((at, value) for at, value in steps if at < before), *own):
            self.add(at, value)

    def __iter__(self) -> Iterator[tuple[float, float | None]]:
        """Yield the samples of the last `FINE_S` as they came, oldest first."""
        return ((at, None if math.isnan(value) else value) for at, value in zip(self._at, self._values, strict=True))

    def coarse(self) -> Iterator[tuple[float, float]]:
        """Yield the means of the steps of 30 s, oldest first: much less to look through than the samples."""
        return ((step.at, step.mean) for step in self._tiers[0].steps())

    @property
    def last(self) -> float | None:
        """The newest value; None when empty or a gap."""
        return self._values[-1] if self._values and not math.isnan(self._values[-1]) else None

    @property
    def last_at(self) -> float:
        """When the newest sample was taken; minus infinity when empty."""
        return self._at[-1] if self._at else -math.inf

    def steps(self, span_s: float, now: float) -> list[Step]:
        """Return the last `span_s` seconds as finely as they are kept as a whole, oldest first, without gaps."""
        first = now - span_s
        wanted = max(first, self._since)
        if self._at and self._at[0] <= wanted:
            return [Step(at, value, value, value) for at, value in self if value is not None and at >= first]
        tier = next((tier for tier in self._tiers if tier.covers(wanted)), self._tiers[-1])
        return [step for step in tier.steps() if step.at >= first]


class _Tier:
    """Means, least and greatest of steps of one length."""

    def __init__(self, step_s: float, kept_s: float) -> None:
        self._step_s, self._most = step_s, int(kept_s / step_s)
        self._columns = (array("d"), array("d"), array("d"), array("d"))
        self._place, self._count, self._sum = 0, 0, 0.0
        self._low, self._high = math.inf, -math.inf
        self._has_dropped = False

    def add(self, at: float, value: float) -> None:
        place = int(at // self._step_s)
        if self._count and place != self._place:
            for column, kept in zip(self._columns, self._open(), strict=True):
                column.append(kept)
                if len(column) > self._most + self._most // 4:
                    del column[: len(column) - self._most]
                    self._has_dropped = True
            self._count, self._sum, self._low, self._high = 0, 0.0, math.inf, -math.inf
        self._place, self._count, self._sum = place, self._count + 1, self._sum + value
        self._low, self._high = min(self._low, value), max(self._high, value)

    def _open(self) -> Step:
        middle = (self._place + 0.5) * self._step_s
        return Step(middle, self._sum / self._count, self._low, self._high)

    def covers(self, at: float) -> bool:
        """Tell whether nothing since `at` was dropped."""
        return not self._has_dropped or self._columns[0][0] <= at + self._step_s

    def steps(self) -> Iterator[Step]:
        """Yield every step, oldest first; the last one is not over yet."""
        yield from map(Step, *self._columns)
        if self._count:
            yield self._open()


def time_to(past: Past, level: float, now: float) -> float | None:
    """Return in how many seconds a number reaches a level if it goes on as in the last hour.

    None when it does not grow towards it, or was watched for less than five minutes. The pace is the line of least
    squares through what was kept.
    """
    steps = past.steps(_PACE_S, now)
    pace = slope([(step.at, step.mean) for step in steps], _PACE_LEAST_S)
    if pace is None or level <= steps[-1].mean:
        return None
    if pace * (steps[-1].at - steps[0].at) <= abs(level) * _NOISE:
        return None
    return (level - steps[-1].mean) / pace


def rate(before: float | None, after: float | None, seconds: float) -> float | None:
    """Return the growth of a counter per second.

    None when either sample is missing, no time passed, or the counter went backwards (its owner restarted).
    """
    if before is None or after is None or seconds <= 0 or after < before:
        return None
    return (after - before) / seconds


def slope(points: list[tuple[float, float]], least_s: float) -> float | None:
    """Return by how much a number grows per second: the line of least squares through (time, value).

    None when the points cover less than `least_s` seconds.
    """
    if len(points) < 3 or points[-1][0] - points[0][0] < least_s:
        return None
    mid_at = sum(at for at, _ in points) / len(points)
    mid = sum(value for _, value in points) / len(points)
    spread = sum((at - mid_at) ** 2 for at, _ in points)
    return sum((at - mid_at) * (value - mid) for at, value in points) / spread if spread else None


def recent(series: Iterable[tuple[float, float | None]], now: float, span_s: float, buckets: int) -> list[float | None]:
    """Return the means of the last `span_s` seconds in `buckets` equal steps, oldest first, for a sparkline.

    The steps lie on multiples of their own length, so that the picture moves once per step and not with each sample.
    A step without a sample repeats the one before it if that is at most 30 s old; else, as for a gap, it is None.
    """
    step = span_s / buckets
    first = int(now // step) - buckets + 1
    sums: dict[int, tuple[float, int]] = {}
    for at, value in series:
        place = int(at // step) - first
        if value is not None and -1 <= place < buckets + 1:
            total, count = sums.get(place, (0.0, 0))
            sums[place] = (total + value, count + 1)
    carried = max(1, int(30 // step))
    found: list[float | None] = []
    last, age = sums.get(-1), 1
    for place in range(buckets):
        if place in sums:
            last, age = sums[place], 0
        elif last is not None and age > carried:
            last = None
        age += 1
        found.append(last[0] / last[1] if last else None)
    return found
