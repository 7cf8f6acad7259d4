"""A bounded store of log lines and the index of those that pass a predicate. Knows no screen."""

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any, Final, NamedTuple, Protocol, Self, SupportsIndex, overload

from rich.style import Style

from widgets.cell import Tone
from widgets.log_index import Joins, LogIndex
from widgets.log_messages import Belonging, Ends, Judge, Messages, Predicate, Stretch

__all__ = ["Belonging", "Joins", "Judge", "Lines", "LogLine", "LogStore", "PlainLines", "Predicate"]

_CHUNK: Final = 4_000
"""Lines tested at once, at most."""
_FEW: Final = 100
"""Lines tested before the first look at the clock."""


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

    def __init__(self, max_lines: int, lines: Lines | None = None, belonging: Belonging | None = None) -> None:
        """Hold nothing yet; with `belonging`, a predicate that is a `Judge` tells of messages, and else of lines."""
        self.max_lines = max_lines
        self.first = 0
        """The number of the oldest line held; below 0 when older lines were put before the first that came."""
        self.dropped = 0
        """Lines dropped because newer ones came."""
        self._lines: Lines = PlainLines() if lines is None else lines
        self._belonging = belonging
        self._predicate: Predicate | None = None
        self._joins: Joins | None = None
        self._messages: Messages | None = None
        """Finds messages, where the predicate tells of them."""
        self._index = LogIndex(self.__getitem__)
        self._ends = Ends()
        """Of the lines that are tested."""
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
        self._index, self._ends = LogIndex(self.__getitem__, self._joins), Ends()
        is_of_messages = self._belonging is not None and isinstance(self._predicate, Judge)
        self._messages = Messages(self._belonging, self._predicate) if is_of_messages else None  # type: ignore[arg-type]
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
        if self._is_indexed and lines:
            found = self._tested(lines, start)
            self._index.append(found.passing)
            self._join(self._ends, found.ends)
        # Cutting the front moves every pointer behind it, so it is not done line by line.
        if len(self._lines) > self.max_lines + self.max_lines // 20:
            self.trim()

    def extend_front(self, lines: Sequence[Any]) -> None:
        """Put older lines before all that are held."""
        is_tested = not self.is_filtering
        self._lines.extend_front(lines)
        self.first -= len(lines)
        if self._is_indexed and is_tested:
            self._test_before(lines, self.first)
        elif not self._is_indexed:
            self._untested = self.first

    def _tested(self, lines: Sequence[Any], start: int) -> Stretch:
        if self._messages is not None:
            return self._messages.stretch(lines, start)
        if (passes := self._predicate) is None:
            return Stretch(range(start, start + len(lines)), Ends())
        return Stretch([number for number, line in enumerate(lines, start) if passes(line)], Ends())

    def _test_before(self, lines: Sequence[Any], start: int) -> None:
        """Test lines that stand before all that were tested."""
        found = self._tested(lines, start)
        self._index.prepend(found.passing)
        self._untested = start
        self._join(found.ends, self._ends)

    def _join(self, older: Ends, newer: Ends) -> None:
        if self._messages is None:
            return
        self._ends, change = self._messages.joined(older, newer, self._held)
        self._index.put(number for number in change.put if number >= self.first)
        self._index.take(number for number in change.taken if number >= self.first)

    def _held(self, number: int) -> tuple[Any, bool] | None:
        return (self[number], number in self._index) if number >= self.first else None

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
        del self._lines[:excess]
        self.first += excess
        self._index.forget_before(self.first)
        self._ends.forget_before(self.first)
        if not self.is_filtering:
            # Nothing that is put in front from now on is what the oldest line goes on with.
            self._ends.first.clear()
            self._ends.is_cut = True

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
        deadline, count = perf_counter() + budget_s, _FEW
        while self.is_filtering:
            start, began = max(self.first, self._untested - count), perf_counter()
            self._test_before(self._lines[start - self.first : self._untested - self.first], start)
            now = perf_counter()
            if now > deadline:
                break
            count = max(_FEW, min(_CHUNK, int(count * (deadline - now) / (now - began + 1e-6))))

    @property
    def count(self) -> int:
        """How many lines are shown: those that pass and are not folded, as far as they have been tested."""
        return self._index.count if self._is_indexed else len(self._lines)

    @property
    def passing(self) -> int:
        """How many lines pass, folded or not, as far as they have been tested."""
        return len(self._index.passing) if self._is_indexed else len(self._lines)

    def number(self, index: int) -> int:
        """Return the number of the line shown at `index`."""
        return self._index.number(index) if self._is_indexed else self.first + index

    def size(self, number: int) -> int:
        """Return how many lines the shown line with this number stands for, itself included."""
        return self._index.size(number)

    def folded(self, number: int) -> Sequence[int]:
        """Return the numbers of the lines that the shown line with this number stands for, itself first."""
        return self._index.folded(number)

    def index(self, number: int) -> int:
        """Return the index among the lines shown of the first whose number is not smaller, or of the one it is in."""
        if not self._is_indexed:
            return max(0, min(number - self.first, len(self._lines)))
        return self._index.index(number)

    def shown(self) -> Iterator[Any]:
        """Return the lines that pass now, oldest first; another thread may go through them while lines come."""
        lines, first = self._lines.copy(), self.first
        if self._predicate is None:
            return (lines[index] for index in range(len(lines)))
        numbers = self._index.passing[:]
        return (lines[number - first] for number in numbers)
