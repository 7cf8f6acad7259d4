"""What log files held before the lines that are shown: the same file, its rotated and packed generations, newest first.

Nothing is read before somebody asks, and then only what passes the filters is kept: so a file of any size can be
searched. A packed file is unpacked into an unnamed private file, which is gone with the process.
"""

import bz2
import gzip
import heapq
import lzma
import os
import stat
import tempfile
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import tzinfo
from typing import IO, Any, Final

from tui.sources.logs.files import Begun, Key
from tui.sources.logs.heads import MOST_BYTES, next_head
from tui.sources.logs.judge import Judge
from tui.sources.logs.line import LogLine
from tui.sources.logs.messages import has_several, messages
from tui.sources.logs.parse import LineParser
from tui.sources.logs.sieve import Sieve
from tui.sources.logs.splitter import MAX_LINE_BYTES, split
from tui.sources.text import clean

BLOCK: Final = 1024 * 1024
MOST_UNPACKED: Final = 4 * 1024 * 1024 * 1024
"""Bytes of one packed file that are unpacked at most."""
_OPENERS: Final[Mapping[str, Callable[[Any], Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_MOST_GENERATIONS: Final = 400
_PIECE: Final = 64 * 1024
_TURN_S: Final = 0.003
_PAUSE_S: Final = 0.0001
"""After every turn: what draws the screen gets its own."""
_MOST_WAITING: Final = 10_000
"""Lines found that wait to be taken."""


class Past:
    """Reads one log backwards, in a thread of its own; another may look at the counts meanwhile."""

    def __init__(
        self,
        source: str,
        begun: Begun,
        shown: Callable[[str], str] | None = None,
        *,
        is_deep: bool = True,
        zone: tzinfo | None = None,
    ) -> None:
        """Prepare to read; `shown` takes what looks like a secret out of a line.

        `is_deep`: also the rotated and packed generations, not only the files that are followed.
        """
        self.is_deep = is_deep
        self._zone = zone
        self._source = source
        self._shown = shown
        self._begun = begun
        self._is_stopped = threading.Event()
        self._rested_at = 0.0
        self.left_bytes = 0
        """Bytes that are still to be looked through, as far as they are known: packed files count packed."""
        self.looked_at = 0
        """Bytes looked through."""
        self.problems: list[str] = []
        """What could not be read, in words."""

    def stop(self) -> None:
        """End at the next block."""
        self._is_stopped.set()

    def lines(self, judge: Judge | None, sieve: Sieve | None = None) -> Iterator[list[LogLine]]:
        """Yield the lines of messages that pass, the newest block first, in each the oldest line first.

        An empty list says only that time has passed. `sieve` leaves out what cannot pass without parsing it.
        """
        found = [each for path in self._begun.paths for each in _generations(path, self._begun.offsets)]
        if not self.is_deep:
            found = [each for each in found if each[0] in self._begun.offsets]
        unique = dict(sorted(found, key=lambda each: -each[1].changed)).values()
        self.left_bytes = sum(each.size for each in unique)
        for each in unique:
            left = self.left_bytes - each.size
            yield from self._of_file(each, judge, sieve)
            if self._is_stopped.is_set():
                return
            self.left_bytes = left

    def _of_file(self, found: "_Generation", judge: Judge | None, sieve: Sieve | None) -> Iterator[list[LogLine]]:
        try:
            with found.open(self._is_stopped) as file:
                end = found.size if not found.is_packed else file.seek(0, os.SEEK_END)
                for size, block in _backwards(file, end):
                    self.looked_at += size
                    if not found.is_packed:
                        self.left_bytes -= size
                    yield self._passing(found, block, judge, sieve)
                    if self._is_stopped.is_set():
                        return
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            self.problems.append(
                f"{clean(found.name, limit=80)}: {clean(getattr(error, 'strerror', '') or str(error))}"
            )

    def _passing(self, found: "_Generation", block: bytes, judge: Judge | None, sieve: Sieve | None) -> list[LogLine]:
        parser = LineParser(self._source, clean(found.origin, limit=80), self._zone)
        parser.is_of_past = True
        passing: list[LogLine] = []
        for piece in _pieces(block):
            texts = split(left.removesuffix(b"\n")) if (left := sieve(piece) if sieve else piece) else []
            lines = parser.parse_all(list(map(self._shown, texts)) if self._shown else texts, found.changed)
            if judge is None:
                passing += lines
            elif has_several(lines):
                passing += (line for message in messages(lines) if judge.of_message(message) for line in message)
            else:
                passing += filter(judge.alone, lines)
            self._rest()
        return passing

    def _rest(self) -> None:
        if time.monotonic() - self._rested_at > _TURN_S:
            time.sleep(_PAUSE_S)
            self._rested_at = time.monotonic()


@dataclass(frozen=True, slots=True)
class _Generation:
    path: str
    origin: str
    size: int
    """Bytes to read of it."""
    changed: float

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def is_packed(self) -> bool:
        return os.path.splitext(self.path)[1] in _OPENERS

    def open(self, is_stopped: threading.Event) -> IO[bytes]:
        file = os.fdopen(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY), "rb")
        if not self.is_packed:
            return file
        with file, ExitStack() as stack:
            unpacked = stack.enter_context(tempfile.TemporaryFile(prefix="opstui-log-"))
            packed, written = _OPENERS[os.path.splitext(self.path)[1]](file), 0
            while (data := packed.read(BLOCK)) and not is_stopped.is_set():
                written += len(data)
                if written > MOST_UNPACKED:
                    raise ValueError("more than 4 GiB when unpacked")
                unpacked.write(data)
            unpacked.flush()
            stack.pop_all()
        return unpacked


def _generations(path: str, offsets: Mapping[Key, int]) -> Iterator[tuple[Key, _Generation]]:
    """Yield the files that have or had a name, without those that are shown from their beginning."""
    folder, name = os.path.split(path)
    try:
        entries = [entry for entry in os.scandir(folder or ".") if entry.name.startswith(name)]
    except OSError:
        return
    for entry in entries[:_MOST_GENERATIONS]:
        rest = entry.name[len(name) :]
        if rest and rest[0] not in ".-_":  # app.log.1 was app.log, and app.logger was not
            continue
        try:
            status = entry.stat()
        except OSError:
            continue
        key = (status.st_dev, status.st_ino)
        size = offsets.get(key, status.st_size)
        if stat.S_ISREG(status.st_mode) and size > 0:
            yield key, _Generation(entry.path, name, size, status.st_mtime)


def _backwards(file: IO[bytes], end: int) -> Iterator[tuple[int, bytes]]:
    """Yield (bytes looked at, whole messages) from the end to the beginning, about a MiB each."""
    rest = b""
    while end > 0:
        start = max(0, end - BLOCK)
        data = os.pread(file.fileno(), end - start, start)
        if not data:
            return
        size, end = end - start, start
        data += rest
        cut = _cut(data) if start else 0
        rest = data[:cut] if start else b""
        if len(rest) > 2 * MAX_LINE_BYTES and b"\n" not in rest[:-1]:
            # One line longer than anything: only its end is kept, as nothing of it could be shown in full.
            rest = rest[-MAX_LINE_BYTES:]
        yield size, data[cut:]


def _cut(data: bytes) -> int:
    """Return where the first message begins behind the first line end; behind that, if a message is too long.

    All of the data, where none does: what they belong to stands before them.
    """
    if not (line := data.find(b"\n") + 1):
        return len(data)
    if (head := next_head(data, line)) >= 0:
        return head
    return line if len(data) > MOST_BYTES else len(data)


def _pieces(block: bytes) -> Iterator[bytes]:
    """Yield whole messages, as many as need no more than some milliseconds."""
    start = 0
    while start < len(block):
        end = block.find(b"\n", min(len(block), start + _PIECE)) + 1
        end = next_head(block, end) if end else -1
        end = end if end > 0 else len(block)
        yield block[start:end]
        start = end


class Reading:
    """Reads several logs backwards in one thread; what is found waits, bounded, until it is taken."""

    def __init__(self, pasts: Sequence[Past], judge: Judge | None, sieve: Sieve | None = None) -> None:
        """Begin to read."""
        self._pasts = pasts
        self._found: deque[LogLine] = deque()
        self._has_room = threading.Event()
        self._is_over = False
        self.is_stopped = False
        """Whether somebody ended it."""
        logs = [past.lines(judge, sieve) for past in pasts]
        threading.Thread(target=self._run, args=(logs,), name="past of logs", daemon=True).start()

    def _run(self, logs: Sequence[Iterator[list[LogLine]]]) -> None:
        try:
            for line in merged(logs):
                self._found.append(line)
                if len(self._found) >= _MOST_WAITING:
                    self._has_room.clear()
                    while len(self._found) >= _MOST_WAITING:
                        self._has_room.wait(0.5)
        finally:
            self._is_over = True

    @property
    def is_over(self) -> bool:
        """Whether everything was read and taken."""
        return self._is_over and not self._found

    @property
    def left_bytes(self) -> int:
        """Bytes still to be looked through, as far as they are known."""
        return sum(past.left_bytes for past in self._pasts)

    @property
    def problems(self) -> list[str]:
        """What could not be read, in words."""
        return [problem for past in self._pasts for problem in past.problems]

    def take(self, most: int) -> list[LogLine]:
        """Return what was found, at most so many lines, the oldest first; older than all that was taken before."""
        taken = [self._found.popleft() for _ in range(min(most, len(self._found)))]
        self._has_room.set()
        return taken[::-1]

    def stop(self) -> None:
        """Read no further; what was found and not taken is forgotten."""
        self.is_stopped = True
        for past in self._pasts:
            past.stop()
        self._found.clear()
        self._has_room.set()


def merged(logs: Iterable[Iterator[list[LogLine]]]) -> Iterator[LogLine]:
    """Yield the lines of several logs, the newest first, by their times as far as each log is in order."""
    return heapq.merge(*map(_newest_first, logs), key=lambda line: -line[0])


def _newest_first(blocks: Iterator[list[LogLine]]) -> Iterator[LogLine]:
    for block in blocks:
        yield from reversed(block)
