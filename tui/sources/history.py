"""Numbers over time: bounded series for sparklines and charts, and rates between two counters."""

from collections import deque
from collections.abc import Iterator


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


def rate(before: float | None, after: float | None, seconds: float) -> float | None:
    """Return the growth of a counter per second.

    None when either sample is missing, no time passed, or the counter went backwards (its owner restarted).
    """
    if before is None or after is None or seconds <= 0 or after < before:
        return None
    return (after - before) / seconds


def recent(series: Series, now: float, span_s: float, buckets: int) -> list[float | None]:
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
