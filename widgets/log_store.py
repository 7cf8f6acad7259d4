"""A bounded store of log lines and the index of those that pass a predicate. Knows no screen."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import perf_counter
from typing import Any, Final, NamedTuple, Protocol, Self, SupportsIndex, overload

from widgets.cell import Tone

_CHUNK: Final = 2_000
"""Lines tested between two looks at the clock."""


class LogLine(NamedTuple):
    """One line of a log as it is drawn."""

    text: str
    """Plain text, never markup."""
    tone: Tone = ""
    label: str = ""
    """Stands before the text in a column of its own: where the line comes from, or when."""
    label_tone: Tone = ""


Predicate = Callable[[Any], bool]
"""Tells of a line, as it was given to the store, whether it is shown."""


class Lines(Protocol):
    """What holds the lines of a store, oldest first; whoever has a million of them brings a thrifty one."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Any: ...
    @overload
    def __getitem__(self, index: slice, /) -> Sequence[Any]: ...
    def __delitem__(self, index: slice, /) -> None: ...
    def extend(self, lines: Sequence[Any], /) -> None:
        """Add lines at the end."""
        ...

    def clear(self) -> None:
        """Forget every line."""
        ...

    def copy(self) -> Self:
        """Return the same lines, which then stay as they are."""
        ...

    def surplus(self, max_lines: int) -> int:
        """Return how many of the oldest must go; above `max_lines`, or because they are too big."""
        ...


class PlainLines(list[Any]):
    """A list of lines."""

    def copy(self) -> Self:
        """Return the same lines in another list."""
        return type(self)(self)

    def surplus(self, max_lines: int) -> int:
        """Return how many there are above `max_lines`."""
        return max(0, len(self) - max_lines)


class LogStore:
    """The newest `max_lines` lines, numbered from 0 as they came; the numbers stay when old lines are dropped."""

    def __init__(self, max_lines: int, lines: Lines | None = None) -> None:
        self.max_lines = max_lines
        self.dropped = 0
        """Lines dropped because newer ones came; also the number of the oldest line held."""
        self._lines: Lines = PlainLines() if lines is None else lines
        self._predicate: Predicate | None = None
        self._matches = array("q")
        """Numbers of the lines that pass, in order."""
        self._untested = 0

    @property
    def end(self) -> int:
        """The number the next line will get."""
        return self.dropped + len(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: int) -> Any:
        return self._lines[number - self.dropped]

    @property
    def predicate(self) -> Predicate | None:
        """What a line must pass to be shown; None: everything does."""
        return self._predicate

    @predicate.setter
    def predicate(self, predicate: Predicate | None) -> None:
        self._predicate = predicate
        self._matches = array("q")
        self._untested = 0 if predicate is None else self.end

    @property
    def is_filtering(self) -> bool:
        """Whether older lines still wait to be tested."""
        return self._untested > self.dropped

    def extend(self, lines: Sequence[Any]) -> None:
        """Store lines and test them, once."""
        if self._predicate is not None:
            self._matches.extend(_passing(lines, self.end, self._predicate))
        self._lines.extend(lines)
        # Cutting the front moves every pointer behind it, so it is not done line by line.
        if len(self._lines) > self.max_lines + self.max_lines // 20:
            self.trim()

    def trim(self) -> None:
        """Drop the oldest lines above the bound."""
        excess = self._lines.surplus(self.max_lines)
        if excess > 0:
            del self._lines[:excess]
            self.dropped += excess
            del self._matches[: bisect_left(self._matches, self.dropped)]

    def clear(self) -> None:
        """Forget every line; the numbers go on."""
        self.dropped = self.end
        self._lines.clear()
        self._matches = array("q")
        self._untested = 0

    def filter_older(self, budget_s: float) -> None:
        """Test older lines, the newest of them first, for about `budget_s` seconds."""
        deadline = perf_counter() + budget_s
        passes = self._predicate
        while passes is not None and self.is_filtering:
            start = max(self.dropped, self._untested - _CHUNK)
            chunk = self._lines[start - self.dropped : self._untested - self.dropped]
            self._matches[:0] = array("q", _passing(chunk, start, passes))
            self._untested = start
            if perf_counter() > deadline:
                return

    @property
    def count(self) -> int:
        """How many lines are shown: those that pass, as far as they have been tested."""
        return len(self._lines) if self._predicate is None else len(self._matches)

    def number(self, index: int) -> int:
        """Return the number of the line shown at `index`."""
        return self.dropped + index if self._predicate is None else self._matches[index]

    def index(self, number: int) -> int:
        """Return the index among the lines shown of the first whose number is not smaller."""
        if self._predicate is None:
            return max(0, min(number - self.dropped, len(self._lines)))
        return bisect_left(self._matches, number)

    def shown(self) -> Iterator[Any]:
        """Return the lines that are shown now, oldest first; another thread may go through them while lines come."""
        lines, first = self._lines.copy(), self.dropped
        if self._predicate is None:
            return (lines[index] for index in range(len(lines)))
        numbers = self._matches[:]
        return (lines[number - first] for number in numbers)


def _passing(lines: Iterable[Any], start: int, passes: Predicate) -> list[int]:
    return [number for number, line in enumerate(lines, start) if passes(line)]
