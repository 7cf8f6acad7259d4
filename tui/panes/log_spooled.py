"""The lines of the Logs tab: the newest in memory, older ones on disk, before them what was read back from files."""

from collections.abc import Iterator, Sequence
from typing import Final, Self, SupportsIndex, overload

from tui.panes.log_memory import MAX_BYTES, MAX_LINES, HeldLines
from tui.sources.logs.line import LogLine
from tui.sources.logs.spool import Blocks, Spool

_MOVED: Final = 16_384
"""Lines that go to disk at once: cutting the front of a long list moves everything behind it."""
_BLOCK: Final = 2_048
_BLOCK_BYTES: Final = 512 * 1024
_IN_FRONT: Final = 0.9
"""Of memory, what may be read back from files; the rest is for what comes."""
_HARD: Final = 1.25
"""Of memory, what is taken while the disk is slow, before lines go."""


class SpooledLines:
    """Log lines, oldest first, in three parts of which only the middle one is on disk."""

    def __init__(self, spool: Spool | None = None, *, max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES) -> None:
        """Hold nothing yet; without a spool, nothing ever goes to disk."""
        self._front = HeldLines()
        self._spool: Blocks = Blocks() if spool is None else spool
        self._writes = spool
        self._recent = HeldLines()
        self._max_lines = max_lines
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._front) + len(self._spool) + len(self._recent)

    @property
    def on_disk(self) -> int:
        """How many lines are on disk."""
        return len(self._spool) - (self._writes.waiting_lines if self._writes is not None else 0)

    @property
    def problem(self) -> str:
        """Why fewer lines are kept than was asked for, in words; empty as long as all is well."""
        return self._writes.problem if self._writes is not None else ""

    @property
    def size_bytes(self) -> int:
        """Memory that the lines' strings take."""
        return (
            self._front.size_bytes
            + self._recent.size_bytes
            + (self._writes.waiting_bytes if self._writes is not None else 0)
        )

    @property
    def room(self) -> int:
        """How many lines may be put in front, as far as their number and what they take so far can tell."""
        if self._takes:
            held, size = len(self._front), self._front.size_bytes
        else:
            held, size = len(self), self.size_bytes
        return max(0, int(_IN_FRONT * self._max_lines) - held) if size < _IN_FRONT * self._max_bytes else 0

    @property
    def _takes(self) -> bool:
        return self._writes is not None and self._writes.takes

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> LogLine: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[LogLine]: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> LogLine | list[LogLine]:
        if not isinstance(index, slice):
            at, of_front = index.__index__(), len(self._front)
            if at < 0:
                at += len(self)
            if (behind := at - of_front - len(self._spool)) >= 0:
                return self._recent[behind]
            return self._front[at] if at < of_front else self._on_disk(at - of_front, at - of_front + 1)[0]
        start, stop, step = index.indices(len(self))
        lines = [line for part in self._parts(start, stop) for line in part]
        return lines[::step] if step != 1 else lines

    def _parts(self, start: int, stop: int) -> Iterator[list[LogLine]]:
        begin = 0
        for part in (self._front, self._spool, self._recent):
            a, b = max(start - begin, 0), min(stop - begin, len(part))
            if a < b:
                yield part[a:b] if isinstance(part, HeldLines) else self._on_disk(a, b)
            begin += len(part)

    def _on_disk(self, start: int, stop: int) -> list[LogLine]:
        return [line for columns in self._spool.parts(start, stop) for line in self._recent.lines_of(columns)]

    def __delitem__(self, index: slice, /) -> None:
        start, count, _ = index.indices(len(self))
        if start:
            raise ValueError("lines go from the front only")
        of_front = min(count, len(self._front))
        of_spool = min(count - of_front, len(self._spool))
        del self._front[:of_front]
        if of_spool:
            self._spool.drop(of_spool)
        del self._recent[: count - of_front - of_spool]

    def extend(self, lines: Sequence[LogLine], /) -> None:
        """Add lines at the end; older ones go to disk for them where memory is full."""
        self._recent.extend(lines)
        self._spill()

    def extend_front(self, lines: Sequence[LogLine], /) -> None:
        """Add lines before the first."""
        self._front.extend_front(lines)
        self._spill()

    def _spill(self) -> None:
        spool = self._writes
        while spool is not None and spool.takes and self._recent:
            moved = min(_MOVED, max(1, len(self._recent) // 16))
            lines, size = len(self._front) + len(self._recent), self._front.size_bytes + self._recent.size_bytes
            if lines < self._max_lines + moved and size <= self._max_bytes:
                return
            columns, size = self._recent.take_first(moved)
            step = max(1, min(_BLOCK, _BLOCK_BYTES * moved // max(1, size)))
            for at in range(0, moved, step):
                part = columns.part(at, at + step)
                spool.put(part, size * len(part.held) // moved)

    def clear(self) -> None:
        """Forget every line."""
        del self[:]

    def close(self) -> None:
        """Forget every line, also on disk, and write no more."""
        self.clear()
        if self._writes is not None:
            self._writes.close()

    def copy(self) -> Self:
        """Return the same lines, which then stay as they are."""
        copied = type(self)()
        copied._front, copied._spool, copied._recent = self._front.copy(), self._spool.copy(), self._recent.copy()
        return copied

    def surplus(self, max_lines: int) -> int:
        """Return how many of the oldest must go: more than the disk may hold, or than memory, `max_lines` of them."""
        hard = _HARD if self._takes else 1.0
        of_disk = self._writes.surplus() if self._writes is not None else 0
        of_memory = len(self) - self.on_disk - int(hard * max_lines)
        if (too_much := self.size_bytes - int(hard * self._max_bytes)) > 0:
            of_memory = max(of_memory, self._count_of(too_much))
        # What is on disk is older than most of what is in memory, and must go before it.
        passed = self.on_disk if of_memory > len(self._front) else 0
        return min(len(self), max(passed + of_memory, len(self._front) + of_disk if of_disk else 0, 0))

    def _count_of(self, size_bytes: int) -> int:
        """Return how many of the oldest lines in memory take so much of it."""
        lines, size = (self._writes.waiting_lines, self._writes.waiting_bytes) if self._writes is not None else (0, 0)
        if (rest := size_bytes - self._front.size_bytes) <= 0:
            return self._front.count_of(size_bytes)
        if rest <= size:
            return len(self._front) + -(-lines * rest // size)
        return len(self._front) + lines + self._recent.count_of(rest - size)
