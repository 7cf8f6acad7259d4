"""Which lines of a log are shown, by their numbers, and which of these are folded into one. Knows no screen."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

_NEAR: Final = 200
Joins = Callable[[Any, Any], bool]
"""Tells of a line that is shown, and of one that passes behind it, whether that one is folded into it.

What is folded into a line that is itself folded into another belongs to that other one too.
"""


class LogIndex:
    """Numbers of lines that pass, in order; with `joins` also of those that stand for the folded ones behind them."""

    def __init__(self, line_of: Callable[[int], Any], joins: Joins | None = None) -> None:
        """Begin with nothing; `line_of` returns the line with a number."""
        self.passing = array("q")
        self._heads = array("q")
        self._line_of = line_of
        self._joins = joins

    def __contains__(self, number: int) -> bool:
        return _has(self.passing, number)

    @property
    def count(self) -> int:
        """How many lines are shown: those that pass and are not folded."""
        return len(self.passing if self._joins is None else self._heads)

    def number(self, index: int) -> int:
        """Return the number of the line shown at `index`."""
        return self.passing[index] if self._joins is None else self._heads[index]

    def size(self, number: int) -> int:
        """Return how many lines the shown line with this number stands for, itself included."""
        if self._joins is None or not _has(self._heads, number):
            return 1
        start, end = self._fold(bisect_left(self._heads, number))
        return end - start

    def folded(self, number: int) -> Sequence[int]:
        """Return the numbers of the lines that the shown line with this number stands for, itself first."""
        if self._joins is None or not _has(self._heads, number):
            return [number]
        start, end = self._fold(bisect_left(self._heads, number))
        return self.passing[start:end]

    def _fold(self, at: int) -> tuple[int, int]:
        start = bisect_left(self.passing, self._heads[at])
        is_last = at + 1 == len(self._heads)
        return start, len(self.passing) if is_last else bisect_left(self.passing, self._heads[at + 1], start)

    def index(self, number: int) -> int:
        """Return the index among the lines shown of the first whose number is not smaller, or of the one it is in."""
        if self._joins is not None:
            return max(0, bisect_right(self._heads, number) - 1)
        return bisect_left(self.passing, number)

    def append(self, numbers: Iterable[int]) -> None:
        """Add lines that pass behind all others."""
        before = len(self.passing)
        self.passing.extend(numbers)
        if len(self.passing) > before:
            self._fold_anew(self.passing[before], self.passing[-1])

    def prepend(self, numbers: Sequence[int]) -> None:
        """Add lines that pass before all others."""
        if numbers:
            self.passing[:0] = array("q", numbers)
            self._fold_anew(numbers[0], numbers[-1])

    def put(self, numbers: Iterable[int]) -> None:
        """Add lines that pass now, wherever they stand; none of them was there."""
        for added in _runs(sorted(numbers)):
            start, end = bisect_left(self.passing, added[0]), bisect_left(self.passing, added[-1])
            self.passing[start:end] = array("q", sorted([*self.passing[start:end], *added]))
            self._fold_anew(added[0], added[-1])

    def take(self, numbers: Iterable[int]) -> None:
        """Take out lines that pass no more."""
        for gone in _runs(sorted(numbers)):
            start, end, without = bisect_left(self.passing, gone[0]), bisect_right(self.passing, gone[-1]), set(gone)
            self.passing[start:end] = array("q", (each for each in self.passing[start:end] if each not in without))
            self._fold_anew(gone[0], gone[-1])

    def forget_before(self, number: int) -> None:
        """Forget the lines with smaller numbers; what is left of a fold goes on with its first line that is."""
        del self.passing[: bisect_left(self.passing, number)]
        if self._joins is not None:
            del self._heads[: bisect_left(self._heads, number)]
            if self.passing and (not self._heads or self._heads[0] != self.passing[0]):
                self._heads.insert(0, self.passing[0])

    def _fold_anew(self, first: int, last: int) -> None:
        """Work out the folds from the line with the number `first` on; behind `last` the lines are those of before."""
        if (joins := self._joins) is None:
            return
        heads, begin = self._heads, bisect_left(self._heads, first)
        head = self._line_of(heads[begin - 1]) if begin else None
        found = array("q")
        for number in self._to_look_at(first, last):
            line = self._line_of(number)
            if head is not None and joins(head, line):
                continue
            if number > last and _has(heads, number):
                heads[begin : bisect_left(heads, number)] = found
                return
            found.append(number)
            head = line
        heads[begin:] = found

    def _to_look_at(self, first: int, last: int) -> Iterator[int]:
        """Yield the lines that may be the first of a fold, when lines from `first` to `last` have changed."""
        passing, heads = self.passing, self._heads
        end = bisect_right(passing, last)
        yield from passing[bisect_left(passing, first) : end]
        if end == len(passing):
            return
        after = bisect_left(heads, passing[end])
        if after == len(heads) or heads[after] != passing[end]:
            # What is left of a fold that lines were put into, or taken out of.
            stop = bisect_left(passing, heads[after], end) if after < len(heads) else len(passing)
            yield from passing[end:stop]
        # Folds that nothing changed in are one still; only what they are folded into may be another.
        yield from heads[after:]


def _runs(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield numbers in order, those that lie near each other together: what lies between is not touched."""
    begin = 0
    for end in range(1, len(numbers) + 1):
        if end == len(numbers) or numbers[end] - numbers[end - 1] > _NEAR:
            yield numbers[begin:end]
            begin = end


def _has(numbers: Sequence[int], number: int) -> bool:
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number
