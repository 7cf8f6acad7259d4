"""A bounded store of log lines and the index of those that pass a predicate. Knows no screen."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import perf_counter
from typing import Any, Final, NamedTuple, Protocol, Self, SupportsIndex, overload

from rich.style import Style

from widgets.cell import Tone

_CHUNK: Final = 2_000
"""Lines taken out of the store at once, to be tested."""
_FEW: Final = 100
"""Lines tested between two looks at the clock."""


class LogLine(NamedTuple):
    """One line of a log as it is drawn."""

    text: str
    """Plain text, never markup."""
    tone: Tone = ""
    label: str = ""
    """Stands before the text in a column of its own: where the line comes from, or when."""
    label_tone: Tone = ""
    spans: Sequence[tuple[int, int, Style]] = ()
    """Stretches of the text that look otherwise: start, end, and what is added to the line's look; in order."""


Predicate = Callable[[Any], bool]
"""Tells of a line, as it was given to the store, whether it is shown."""

Joins = Callable[[Any, Any], bool]
"""Tells of a line that is shown, and of the one that passes next, whether that one is folded into it."""


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

    def extend_front(self, lines: Sequence[Any], /) -> None:
        """Add lines before the first."""
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

    def extend_front(self, lines: Sequence[Any], /) -> None:
        """Add lines before the first."""
        self[:0] = lines

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
        self.first = 0
        """The number of the oldest line held; below 0 when older lines were put before the first that came."""
        self.dropped = 0
        """Lines dropped because newer ones came."""
        self._lines: Lines = PlainLines() if lines is None else lines
        self._predicate: Predicate | None = None
        self._joins: Joins | None = None
        self._matches = array("q")
        """Numbers of the lines that are shown, in order, when not all are."""
        self._sizes = array("q")
        """How many lines each of them stands for, itself included."""
        self._passing = 0
        self._untested = 0

    @property
    def end(self) -> int:
        """The number the next line will get."""
        return self.first + len(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: int) -> Any:
        return self._lines[number - self.first]

    def held(self, number: int, count: int) -> tuple[int, Sequence[Any]]:
        """Return the first `count` lines held from a number on, shown or not, and the number of the first of them."""
        first = max(number, self.first)
        return first, self._lines[first - self.first : first - self.first + count]

    @property
    def predicate(self) -> Predicate | None:
        """What a line must pass to be shown; None: everything does."""
        return self._predicate

    @predicate.setter
    def predicate(self, predicate: Predicate | None) -> None:
        self._predicate = predicate
        self._index_anew()

    @property
    def joins(self) -> Joins | None:
        """What folds lines that pass into the one before; None: every line stands for itself."""
        return self._joins

    @joins.setter
    def joins(self, joins: Joins | None) -> None:
        self._joins = joins
        self._index_anew()

    def _index_anew(self) -> None:
        self._matches, self._sizes, self._passing = array("q"), array("q"), 0
        self._untested = self.end if self._is_indexed else self.first

    @property
    def _is_indexed(self) -> bool:
        return self._predicate is not None or self._joins is not None

    @property
    def is_filtering(self) -> bool:
        """Whether older lines still wait to be tested."""
        return self._untested > self.first

    @property
    def untested(self) -> int:
        """How many older lines still wait to be tested."""
        return max(0, self._untested - self.first)

    def extend(self, lines: Sequence[Any]) -> None:
        """Store lines and test them, once."""
        start = self.end
        self._lines.extend(lines)
        if self._is_indexed:
            self._append(_passing(lines, start, self._predicate), lines, start)
        # Cutting the front moves every pointer behind it, so it is not done line by line.
        if len(self._lines) > self.max_lines + self.max_lines // 20:
            self.trim()

    def _append(self, found: list[int], lines: Sequence[Any], start: int) -> None:
        self._passing += len(found)
        if (joins := self._joins) is None:
            self._matches.extend(found)
            return
        matches, sizes = self._matches, self._sizes
        head = self[matches[-1]] if matches and matches[-1] >= self.first else None
        for number in found:
            line = lines[number - start]
            if head is not None and joins(head, line):
                sizes[-1] += 1
            else:
                matches.append(number)
                sizes.append(1)
                head = line

    def extend_front(self, lines: Sequence[Any]) -> None:
        """Put older lines before all that are held."""
        is_tested = not self.is_filtering
        self._lines.extend_front(lines)
        self.first -= len(lines)
        if self._is_indexed and is_tested:
            self._prepend(_passing(lines, self.first, self._predicate), lines, self.first)
            self._untested = self.first
        elif not self._is_indexed:
            self._untested = self.first

    def trim(self) -> None:
        """Drop the oldest lines above the bound."""
        if (excess := self._lines.surplus(self.max_lines)) > 0:
            self._drop(excess)
            self.dropped += excess

    def forget_before(self, number: int) -> None:
        """Forget the lines with smaller numbers."""
        if number > self.first:
            self._drop(min(number - self.first, len(self._lines)))

    def _drop(self, excess: int) -> None:
        if self._predicate is None:
            self._passing = max(0, self._passing - excess)
        else:
            before = bisect_left(self._matches, self.first + excess)
            self._passing -= sum(self._sizes[:before]) if self._joins is not None else before
        del self._lines[:excess]
        self.first += excess
        gone = bisect_left(self._matches, self.first)
        if gone and self._joins is not None:
            gone = self._keep_what_is_left(gone)
        del self._matches[:gone], self._sizes[:gone]

    def _keep_what_is_left(self, gone: int) -> int:
        """Let the first line that is left of a fold stand for it, whose own first line is gone; return how many go."""
        following = self._matches[gone] if gone < len(self._matches) else self.end
        size = self._sizes[gone - 1] - (self.first - self._matches[gone - 1])
        left = _passing(self._lines[: min(following - self.first, _FEW)], self.first, self._predicate)
        if not left or size < 1:
            return gone
        self._matches[gone - 1], self._sizes[gone - 1] = left[0], size
        self._passing += size if self._predicate is not None else 0
        return gone - 1

    def clear(self) -> None:
        """Forget every line; the numbers go on."""
        self.dropped += len(self._lines)
        self.first = self.end
        self._lines.clear()
        self._index_anew()
        self._untested = self.first

    def filter_older(self, budget_s: float) -> None:
        """Test older lines, the newest of them first, for about `budget_s` seconds."""
        if not self._is_indexed:
            return
        deadline, is_over = perf_counter() + budget_s, False
        while self.is_filtering and not is_over:
            start = max(self.first, self._untested - _CHUNK)
            chunk = self._lines[start - self.first : self._untested - self.first]
            found: list[list[int]] = []
            end = len(chunk)
            while end > 0 and not is_over:
                begin = max(0, end - _FEW)
                found.append(_passing(chunk[begin:end], start + begin, self._predicate))
                end = begin
                is_over = perf_counter() > deadline
            self._prepend([number for few in reversed(found) for number in few], chunk, start)
            self._untested = start + end

    def _prepend(self, found: list[int], chunk: Sequence[Any], start: int) -> None:
        self._passing += len(found)
        if (joins := self._joins) is None or not found:
            self._matches[:0] = array("q", found)
            return
        numbers, sizes, head = array("q"), array("q"), None
        for number in found:
            line = chunk[number - start]
            if head is not None and joins(head, line):
                sizes[-1] += 1
            else:
                numbers.append(number)
                sizes.append(1)
                head = line
        if self._matches and joins(head, self[self._matches[0]]):
            sizes[-1] += self._sizes[0]
            del self._matches[0], self._sizes[0]
        self._matches[:0], self._sizes[:0] = numbers, sizes

    @property
    def count(self) -> int:
        """How many lines are shown: those that pass and are not folded, as far as they have been tested."""
        return len(self._matches) if self._is_indexed else len(self._lines)

    @property
    def passing(self) -> int:
        """How many lines pass, folded or not, as far as they have been tested."""
        return self._passing if self._is_indexed else len(self._lines)

    def number(self, index: int) -> int:
        """Return the number of the line shown at `index`."""
        return self._matches[index] if self._is_indexed else self.first + index

    def size(self, number: int) -> int:
        """Return how many lines the shown line with this number stands for, itself included."""
        if self._joins is None:
            return 1
        index = bisect_left(self._matches, number)
        is_shown = index < len(self._matches) and self._matches[index] == number
        return self._sizes[index] if is_shown else 1

    def index(self, number: int) -> int:
        """Return the index among the lines shown of the first whose number is not smaller, or of the one it is in."""
        if not self._is_indexed:
            return max(0, min(number - self.first, len(self._lines)))
        if self._joins is not None:
            return max(0, bisect_right(self._matches, number) - 1)
        return bisect_left(self._matches, number)

    def shown(self) -> Iterator[Any]:
        """Return the lines that pass now, oldest first; another thread may go through them while lines come."""
        lines, first = self._lines.copy(), self.first
        if (passes := self._predicate) is None:
            return (lines[index] for index in range(len(lines)))
        if self._joins is not None:
            return (line for index in range(len(lines)) if passes(line := lines[index]))
        numbers = self._matches[:]
        return (lines[number - first] for number in numbers)


def _passing(lines: Iterable[Any], start: int, passes: Predicate | None) -> list[int]:
    if passes is None:
        return [number for number, _ in enumerate(lines, start)]
    return [number for number, line in enumerate(lines, start) if passes(line)]
