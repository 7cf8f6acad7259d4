"""A million log lines in little memory: a string each, and the rest in two arrays."""

from array import array
from collections.abc import Sequence
from itertools import accumulate
from sys import getsizeof
from typing import Final, Self, SupportsIndex, overload

from tui.sources.logs.line import LineKind, LogLine
from tui.sources.logs.spool import Columns

MAX_LINES: Final = 1_000_000
MAX_BYTES: Final = 256 * 1024 * 1024
"""Memory that the lines' strings may take, whatever their number: one line can have 64 KiB."""


class HeldLines:
    """Log lines, oldest first; each becomes a LogLine again when it is asked for.

    No line is an object that the garbage collector has to look at, so that a million of them stop nothing.
    """

    def __init__(self) -> None:
        self._held: list[str] = []
        self._at = array("d")
        self._kinds = array("I")
        """Numbers of kinds."""
        self._known: list[LineKind] = []
        """Kinds by number."""
        self._numbers: dict[LineKind, int] = {}
        self.size_bytes = 0
        """Memory that the lines' strings take."""

    def __len__(self) -> int:
        return len(self._held)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> LogLine: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[LogLine]: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> LogLine | list[LogLine]:
        if isinstance(index, slice):
            return self.lines_of(Columns(self._at[index], self._kinds[index], self._held[index]))
        return LogLine(self._at[index], self._known[self._kinds[index]], self._held[index])

    def __delitem__(self, index: slice, /) -> None:
        self.size_bytes -= sum(map(getsizeof, self._held[index]))
        del self._held[index], self._at[index], self._kinds[index]

    def extend(self, lines: Sequence[LogLine], /) -> None:
        """Add lines at the end."""
        self._put(len(self._held), lines)

    def extend_front(self, lines: Sequence[LogLine], /) -> None:
        """Add lines before the first."""
        self._put(0, lines)

    def _put(self, index: int, lines: Sequence[LogLine]) -> None:
        if not lines:
            return
        at, kinds, held = zip(*lines, strict=True)
        for kind in set(kinds).difference(self._numbers):
            self._numbers[kind] = len(self._known)
            self._known.append(kind)
        self._held[index:index] = held
        self._at[index:index] = array("d", at)
        self._kinds[index:index] = array("I", map(self._numbers.__getitem__, kinds))
        self.size_bytes += sum(map(getsizeof, held))

    def take_first(self, count: int) -> tuple[Columns, int]:
        """Return the first lines, column by column, and the memory that their strings take; they are not held then."""
        columns = Columns(self._at[:count], self._kinds[:count], self._held[:count])
        before = self.size_bytes
        del self[:count]
        return columns, before - self.size_bytes

    def lines_of(self, columns: Columns) -> list[LogLine]:
        """Return lines that were taken, as they were."""
        kinds = map(self._known.__getitem__, columns.kinds)
        return list(map(LogLine._make, zip(columns.at, kinds, columns.held, strict=True)))

    def clear(self) -> None:
        """Forget every line."""
        del self[:]

    def copy(self) -> Self:
        """Return the same lines, which then stay as they are."""
        copied = type(self)()
        copied._held, copied._at, copied._kinds = self._held[:], self._at[:], self._kinds[:]
        copied._known, copied._numbers = self._known[:], dict(self._numbers)
        copied.size_bytes = self.size_bytes
        return copied

    def surplus(self, max_lines: int) -> int:
        """Return how many of the oldest must go: those above `max_lines`, and as many as take too much memory."""
        excess = max(0, len(self._held) - max_lines)
        if (too_much := self.size_bytes - MAX_BYTES) <= 0:
            return excess
        return max(excess, self.count_of(too_much))

    def count_of(self, size_bytes: int) -> int:
        """Return how many of the oldest lines take so much memory; all of them where they take less."""
        sizes = accumulate(map(getsizeof, self._held))
        return next((count for count, size in enumerate(sizes, 1) if size >= size_bytes), len(self))
