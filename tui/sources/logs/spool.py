"""Log lines on disk, when memory is full of newer ones: private, capped, and gone with the process.

A block of lines is written by a thread, to a file that has lost its name before the first byte of it. Files are many
and small, so that the oldest lines can go: a file whose blocks are all gone is closed, and its space is free.
"""

import logging
import os
import tempfile
import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

_LOG: Final = logging.getLogger(__name__)
_MOST_FILES: Final = 32
_SMALLEST_FILE: Final = 1024 * 1024
_CACHED: Final = 8
"""Blocks that are kept as they were read: who scrolls or filters asks for neighbours."""
_RETRY_S: Final = 0.5
_ROOMY: Final = os.path.join("/var", "tmp")
"""What is not memory by another name, as /tmp often is."""


class Columns(NamedTuple):
    """Lines, column by column."""

    at: "array[float]"
    kinds: "array[int]"
    held: list[str]

    def part(self, start: int, stop: int) -> "Columns":
        """Return the lines from one place to another."""
        return Columns(self.at[start:stop], self.kinds[start:stop], self.held[start:stop])


class SpoolFile:
    """A file without a name, for nobody but this process; closed when nothing refers to it any more."""

    def __init__(self, folder: str | None) -> None:
        """Make it. Raises OSError."""
        self._descriptor = -1
        place = tempfile.mkdtemp(prefix="opstui-spool-", dir=folder or _default_folder())
        path = os.path.join(place, "lines")
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, 0o600)
            os.unlink(path)
        finally:
            os.rmdir(place)
        self.size = 0

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def append(self, content: bytes) -> int:
        """Write at the end; return where. Raises OSError, and what was written of it is overwritten next time."""
        rest, offset = memoryview(content), self.size
        while rest:
            written = os.pwrite(self._descriptor, rest, offset)
            rest, offset = rest[written:], offset + written
        begin, self.size = self.size, offset
        return begin

    def read(self, offset: int, size: int) -> bytes:
        """Return what stands there. Raises OSError."""
        return os.pread(self._descriptor, size, offset)


@dataclass(slots=True, eq=False)
class Block:
    """Some lines: in memory until they are written, then in a file."""

    count: int
    size: int
    """Memory that its strings take while it waits, then bytes on disk."""
    waiting: Columns | None
    file: SpoolFile | None = None
    offset: int = 0

    def read(self) -> Columns:
        """Return its lines. Raises OSError."""
        waiting = self.waiting  # asked once: the thread that writes takes it away when the file has it
        return waiting if waiting is not None else _decoded(self.count, self._content())

    def _content(self) -> bytes:
        if self.file is None or len(content := self.file.read(self.offset, self.size)) != self.size:
            raise OSError(0, "lines on disk cannot be read again")
        return content


class Blocks:
    """Blocks, oldest first, and every line of them by its place. A copy of it is unharmed by what becomes of it."""

    def __init__(self) -> None:
        self.blocks: deque[Block] = deque()
        self._ends: array[int] = array("q")
        """Of every block, the number behind its last line; numbers grow for ever."""
        self._gone = 0
        """The number of the first line that is still held."""
        self._cache: OrderedDict[int, Columns] = OrderedDict()
        """By the number behind the last line."""

    def __len__(self) -> int:
        return (self._ends[-1] if self._ends else self._gone) - self._gone

    def copy(self) -> "Blocks":
        """Return the same lines."""
        copied = Blocks()
        copied.blocks, copied._ends, copied._gone = self.blocks.copy(), self._ends[:], self._gone
        return copied

    def add(self, block: Block) -> None:
        """Put a block behind all others."""
        self.blocks.append(block)
        self._ends.append((self._ends[-1] if self._ends else self._gone) + block.count)

    def drop(self, count: int) -> list[Block]:
        """Forget the first lines; return the blocks of which none is left."""
        self._gone += count
        whole = bisect_right(self._ends, self._gone)
        for end in self._ends[:whole]:
            self._cache.pop(end, None)
        del self._ends[:whole]
        return [self.blocks.popleft() for _ in range(whole)]

    def parts(self, start: int, stop: int) -> Iterator[Columns]:
        """Yield the lines from one place to another, block by block; those that cannot be read say so."""
        first, last = self._gone + start, self._gone + stop
        index = bisect_right(self._ends, first)
        while first < last:
            columns, begin = self._columns(index), self._ends[index] - self.blocks[index].count
            a, b = first - begin, min(last - begin, self.blocks[index].count)
            yield columns.part(a, b)
            first, index = begin + b, index + 1

    def _columns(self, index: int) -> Columns:
        key = self._ends[index]
        if (known := self._cache.get(key)) is not None:
            self._cache.move_to_end(key)
            return known
        block = self.blocks[index]
        try:
            columns = block.read()
        except OSError as error:
            _LOG.warning("the spool of log lines: %s", error)
            lost = f"opstui: this line was on disk and cannot be read again: {error.strerror or error}"
            columns = Columns(
                array("d", bytes(8 * block.count)), array("I", bytes(4 * block.count)), [lost] * block.count
            )
        if block.waiting is None:
            self._cache[key] = columns
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return columns


class Spool(Blocks):
    """Takes blocks, writes them in a thread of its own, and says which must go."""

    def __init__(self, cap_bytes: int, folder: str | None = None) -> None:
        """Prepare; nothing is made before the first block.

        Args:
            cap_bytes: what may be on disk; 0: nothing, ever.
            folder: where the files are made; None: `$TMPDIR`, else /var/tmp.
        """
        super().__init__()
        self._cap = cap_bytes
        self._folder = folder
        self._file_bytes = max(_SMALLEST_FILE, cap_bytes // _MOST_FILES)
        self._queue: deque[Block] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wants_room = False
        self._is_closed = False
        self._is_broken = cap_bytes <= 0
        self.problem = ""
        """Why less is kept on disk than was asked for, in words; empty as long as all is well."""
        self.waiting_lines = 0
        """Lines not written yet, which are in memory still."""
        self.waiting_bytes = 0
        """Memory that their strings take."""
        self.disk_bytes = 0
        """Bytes on disk."""

    @property
    def takes(self) -> bool:
        """Whether more blocks may be put."""
        return not self._is_broken

    def put(self, columns: Columns, size: int) -> None:
        """Take lines, the strings of which take `size` bytes of memory; they are written soon."""
        block = Block(len(columns.held), size, columns)
        self.add(block)
        with self._changed:
            self._queue.append(block)
            self.waiting_lines += block.count
            self.waiting_bytes += size
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="spool of log lines", daemon=True)
            self._thread.start()

    def surplus(self) -> int:
        """Return how many of the oldest lines must go: those of the oldest file, when there is too much on disk."""
        if not (self._wants_room or self.disk_bytes > self._cap) or not self.blocks:
            return 0
        oldest, count = self.blocks[0].file, 0
        for block in self.blocks:
            if block.file is None or block.file is not oldest:
                break
            count += block.count
        return max(0, count - (self._gone - (self._ends[0] - self.blocks[0].count)))

    def drop(self, count: int) -> list[Block]:
        """Forget the first lines, also on disk."""
        gone = super().drop(count)
        with self._changed:
            for block in gone:
                if block.waiting is None:
                    self.disk_bytes -= block.size
                else:
                    self.waiting_lines -= block.count
                    self.waiting_bytes -= block.size
                    self._queue.remove(block)
            if gone:
                self._wants_room = False
                self._changed.notify_all()
        return gone

    def close(self) -> None:
        """Forget every line, and end the thread."""
        self.drop(len(self))
        with self._changed:
            self._is_closed = self._is_broken = True
            self._changed.notify_all()

    def _run(self) -> None:
        file: SpoolFile | None = None
        while (block := self._next()) is not None:
            columns = block.waiting
            if columns is None:
                continue
            content = _encoded(columns)
            try:
                if file is None or file.size >= self._file_bytes:
                    file = SpoolFile(self._folder)
                offset = file.append(content)
            except OSError as error:
                file = None
                self._refused(error)
            else:
                self._written(block, file, offset, len(content))

    def _next(self) -> Block | None:
        """Wait for a block to write; None: it is over."""
        with self._changed:
            while not self._is_broken:
                if self._queue and not self._wants_room:
                    return self._queue[0]
                self._changed.wait(_RETRY_S if self._wants_room else None)
            return None

    def _written(self, block: Block, file: SpoolFile, offset: int, size: int) -> None:
        with self._changed:
            if not self._queue or self._queue[0] is not block:
                return  # forgotten while it was written
            self._queue.popleft()
            self.waiting_lines -= block.count
            self.waiting_bytes -= block.size
            self.disk_bytes += size
            block.file, block.offset, block.size = file, offset, size
            block.waiting = None

    def _refused(self, error: OSError) -> None:
        """Make do with what there is on disk; give up where there is nothing."""
        words = error.strerror or "cannot be written"
        with self._changed:
            if self.disk_bytes:
                self._cap, self._wants_room = min(self._cap, self.disk_bytes), True
                self.problem = f"older lines on disk: {words}; the oldest go earlier"
            else:
                self._is_broken = True
                self.problem = f"older lines are not kept on disk: {words}"
        _LOG.warning("the spool of log lines: %s", words)


def _default_folder() -> str:
    if not os.environ.get("TMPDIR") and os.access(_ROOMY, os.W_OK | os.X_OK):
        return _ROOMY
    return tempfile.gettempdir()


def _encoded(columns: Columns) -> bytes:
    text = "\n".join(columns.held).encode("utf-8", "surrogatepass")  # cleaned lines hold no line end
    return b"".join((columns.at.tobytes(), columns.kinds.tobytes(), text))


def _decoded(count: int, content: bytes) -> Columns:
    at, kinds = array("d"), array("I")
    numbers = count * at.itemsize
    text = numbers + count * kinds.itemsize
    at.frombytes(content[:numbers])
    kinds.frombytes(content[numbers:text])
    held = content[text:].decode("utf-8", "surrogatepass").split("\n")
    if len(held) != count:
        raise OSError(0, "lines on disk are not what was written")
    return Columns(at, kinds, held)
