"""What many messages say together: how often each value of a field stands there, what its numbers come to. Pure."""

import math
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

from tui.sources.logs.fields import DERIVED, fields, getter, number, shape_of
from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.messages import Message

MOST_VALUES: Final = 20_000
"""Different values that are told apart; what comes beyond is counted together."""
_VALUE: Final = 120
_SAMPLE: Final = 50_000
_BUCKETS_S: Final = (1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400)
_MOST_BUCKETS: Final = 600
_NUMERIC_SHARE: Final = 0.8

OF_LINES: Final = ("level", "source", "origin", "message")
"""What every message has; `message` without the numbers in it."""

_OF_LINES: Final[dict[str, Callable[[LogLine], str | None]]] = {
    "level": lambda line: line[1].level.name.lower() if line[1].level else None,
    "source": lambda line: line[1].source,
    "origin": lambda line: line[1].origin,
    "message": lambda line: shape_of(line.text),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What the numbers of a field come to, in the unit that is written."""

    count: int
    mean: float
    p50: float
    p95: float
    greatest: float
    is_sampled: bool
    """Whether the percentiles are of the newest numbers only."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a field, and how often it stands there."""

    text: str
    count: int
    errors: int
    """Messages with it of level error."""


class Tally:
    """Counts the values of one field, message by message: the first line that has it tells the value."""

    def __init__(self, field: str) -> None:
        self.field = field
        self.messages = 0
        """Messages looked at."""
        self.with_field = 0
        self.others = 0
        """Messages whose value came when there were too many to tell apart."""
        self._counts: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._sum = 0.0
        self._numbers = 0
        self._greatest = -math.inf
        self._sample = array("d")
        """The newest numbers, in a ring."""
        found = getter(field)
        self._of = _OF_LINES.get(field) or (lambda line: found(line.raw))

    def add(self, messages: Iterable[Message]) -> None:
        """Count messages."""
        counts, of = self._counts, self._of
        for message in messages:
            self.messages += 1
            text = of(message[0])
            if text is None and len(message) > 1:
                text = next((found for line in message if (found := of(line)) is not None), None)
            if text is None:
                continue
            self.with_field += 1
            if (value := number(text)) is not None and math.isfinite(value):
                self._add_number(value)
            text = text[:_VALUE]
            if text not in counts and len(counts) >= MOST_VALUES:
                self.others += 1
                continue
            counts[text] += 1
            if message[0][1].level is Severity.ERROR:
                self._errors[text] += 1

    def with_more(self, messages: Iterable[Message]) -> "Tally":
        """Return what it would be with messages that may still go on, and are not counted for good."""
        more = Tally(self.field)
        for name, value in vars(self).items():
            setattr(more, name, copy(value))
        more.add(messages)
        return more

    def _add_number(self, value: float) -> None:
        if len(self._sample) < _SAMPLE:
            self._sample.append(value)
        else:
            self._sample[self._numbers % _SAMPLE] = value
        self._numbers += 1
        self._sum += value
        self._greatest = max(self._greatest, value)

    def top(self, most: int) -> list[Value]:
        """Return the values that stand there most often."""
        return [Value(text, count, self._errors[text]) for text, count in self._counts.most_common(most)]

    @property
    def different(self) -> int:
        """How many different values there are, as far as they are told apart."""
        return len(self._counts)

    def figures(self) -> Figures | None:
        """Return what the numbers come to; None where most values are none."""
        if not self._numbers or self._numbers < _NUMERIC_SHARE * self.with_field:
            return None
        ordered = sorted(self._sample)
        p50, p95 = percentile(ordered, 50), percentile(ordered, 95)
        return Figures(self._numbers, self._sum / self._numbers, p50, p95, self._greatest, self._numbers > len(ordered))


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of at least one number in order."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


class Rates:
    """How many messages a second, over the time that they themselves tell."""

    def __init__(self) -> None:
        self.bucket_s = _BUCKETS_S[0]
        self._counts: Counter[int] = Counter()
        self._errors: Counter[int] = Counter()

    def add(self, messages: Iterable[Message]) -> None:
        """Count messages; the buckets widen as the time grows."""
        counts, errors, width = self._counts, self._errors, self.bucket_s
        for message in messages:
            at, kind, _ = message[0]
            bucket = int(at // width)
            counts[bucket] += 1
            if kind.level is Severity.ERROR:
                errors[bucket] += 1
        while counts and max(counts) - min(counts) > _MOST_BUCKETS and self.bucket_s < _BUCKETS_S[-1]:
            self._widen()
            counts = self._counts

    def _widen(self) -> None:
        width = _BUCKETS_S[_BUCKETS_S.index(self.bucket_s) + 1]
        for name in ("_counts", "_errors"):
            wider: Counter[int] = Counter()
            for bucket, count in getattr(self, name).items():
                wider[bucket * self.bucket_s // width] += count
            setattr(self, name, wider)
        self.bucket_s = width

    def points(self, *, errors: bool = False) -> list[tuple[float, float]]:
        """Return (time, messages or errors a second), oldest first, with zeros where there was nothing."""
        if not self._counts:
            return []
        counts, width = self._errors if errors else self._counts, self.bucket_s
        last = max(self._counts)
        first = max(min(self._counts), last - _MOST_BUCKETS)
        return [(bucket * width, counts[bucket] / width) for bucket in range(first, last + 1)]


def fields_of(messages: Iterable[Message]) -> list[tuple[str, int, str]]:
    """Return the fields that messages have: name, in how many, and an example; the most frequent first.

    What a stack trace holds besides the type of its error looks like fields and is none.
    """
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for message in messages:
        raws = [line.raw for line in message]
        for name, value in dict(fields(raws[0])).items():
            counts[name] += 1
            examples[name] = value
        for name, find in DERIVED.items():
            if name not in examples and (found := next(filter(None, map(find, raws)), None)) is not None:
                examples[name] = found
                counts[name] += 1
    return [(name, count, examples[name][:_VALUE]) for name, count in counts.most_common()]


def values_of(line: LogLine) -> Iterator[tuple[str, str]]:
    """Yield what a line can be found by: its fields, what is derived of it, and what every line has."""
    raw = line.raw
    own = {name: value for name, value in fields(raw) if value}
    derived = {name: found for name, find in DERIVED.items() if name not in own and (found := find(raw)) is not None}
    of_line = {name: found for name, of in _OF_LINES.items() if name not in own and (found := of(line)) is not None}
    yield from {**own, **derived, **of_line}.items()


class Window:
    """Counts what happened within the last so many seconds, to a tenth of one, for a rule."""

    def __init__(self, within_s: float) -> None:
        self._within = int(within_s * 10)
        self._tenths: deque[tuple[int, int]] = deque()
        self._count = 0

    def add(self, count: int, now: float) -> None:
        """Count some at a moment of a clock that never goes back."""
        if count:
            self._tenths.append((int(now * 10), count))
            self._count += count

    def take_back(self, at: float) -> None:
        """Count one less of those that were counted at a moment, as far as it is within the window still."""
        tenth = int(at * 10)
        for index in range(len(self._tenths) - 1, -1, -1):
            if self._tenths[index][0] == tenth:
                self._tenths[index] = tenth, self._tenths[index][1] - 1
                self._count -= 1
                return

    def count(self, now: float) -> int:
        """Return how many there were within the window before `now`."""
        while self._tenths and self._tenths[0][0] < int(now * 10) - self._within:
            self._count -= self._tenths.popleft()[1]
        return self._count
