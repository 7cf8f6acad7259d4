"""One open log file, read from where the last read ended."""

import os
import time
from datetime import tzinfo
from typing import Final

from tui.sources.logs.heads import head_before, next_head
from tui.sources.logs.intake import Intake
from tui.sources.logs.parse import LineParser
from tui.sources.logs.splitter import LineSplitter

MAX_BEHIND: Final = 64 * 1024 * 1024
"""Bytes a file may be ahead of us; beyond, all but its last MiB is counted and left out."""
_KEPT_BEHIND: Final = 1024 * 1024
_CHUNK: Final = 128 * 1024
_TAIL_BYTES: Final = 128 * 1024
_LINE_BYTES: Final = 400
"""What a line is reckoned at where more than the usual few are wanted."""
_LONGEST_CUT: Final = 32 * 1024
"""How far before these lines it is looked for where the first of them belongs to a message."""
_MOST_TAIL_BYTES: Final = 8 * 1024 * 1024
_UNFINISHED_S: Final = 3.0
_SEEN_BYTES: Final = 64
"""How much of what was read last is held against the file: other bytes there mean that it was cut and written anew."""
_PAUSE_S: Final = 0.0005


class Tail:
    """One file by its descriptor: renaming it changes nothing, and its inode cannot be given to another."""

    def __init__(self, descriptor: int, path: str, origin: str, source: str, zone: tzinfo | None = None) -> None:
        self.path = path
        """Where it was opened; it may have been renamed since."""
        self.origin = origin
        self.note = ""
        """What happened to it lately: `api.log was truncated`."""
        self.shown_from = 0
        """Offset of the first line that is shown."""
        self._descriptor = descriptor
        self._offset = 0
        self._seen = b""
        """The last bytes before the offset."""
        self._looked_at = time.time()
        self._source = source
        self._splitter = LineSplitter()
        self._parser = LineParser(source, origin, zone)
        self._grew_at = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Seconds since it last had something new."""
        return time.monotonic() - self._grew_at

    @property
    def is_deleted(self) -> bool:
        """Whether no name leads to it any more. Raises OSError."""
        return os.fstat(self._descriptor).st_nlink == 0

    def show_end(self, intake: Intake, lines: int) -> None:
        """Take its last `lines` lines, and from now on what comes after them."""
        size = os.fstat(self._descriptor).st_size
        start = max(0, size - max(_TAIL_BYTES, min(lines * _LINE_BYTES, _MOST_TAIL_BYTES)))
        data = os.pread(self._descriptor, size - start, start)
        self._take_note(start, data)
        begin = _begin_of_last(data, lines, is_whole=start == 0)
        if begin < len(data):
            head = head_before(data, begin, max(0, begin - _LONGEST_CUT))
            begin = head if next_head(data, head) == head else begin  # not within a stack trace
        self.shown_from = start + begin
        self._parser.is_of_past = True
        intake.parse(self._parser, self._splitter.feed(data[begin:]), len(data), is_backlog=True)
        self._parser.is_of_past = False

    def read(self, intake: Intake) -> bool:
        """Take what is new; return whether there is more that the intake has no room for now.

        Raises:
            OSError: the file cannot be read any more (a network file system went away).
        """
        size, began = os.fstat(self._descriptor).st_size, time.time()
        if size < self._offset:
            self._restart(intake)
        if size - self._offset > MAX_BEHIND:
            self._skip(intake, size - _KEPT_BEHIND)
        while not intake.is_full:
            seen = len(self._seen)
            data = os.pread(self._descriptor, _CHUNK + seen, self._offset - seen)
            if not data.startswith(self._seen):
                # Cut and grown beyond where we were, between two looks.
                self._restart(intake)
                continue
            data = data[seen:]
            if not data:
                self._looked_at = began
                self._finish_line(intake)
                return False
            self._take_note(self._offset, data)
            self._grew_at = time.monotonic()
            intake.parse(self._parser, self._splitter.feed(data), len(data), pause_s=_PAUSE_S)
        return self._offset < size

    def close(self, intake: Intake) -> None:
        """Give what is left of an unfinished line and close the file."""
        intake.parse(self._parser, self._splitter.flush(), 0)
        os.close(self._descriptor)

    def _take_note(self, start: int, data: bytes) -> None:
        self._offset = start + len(data)
        self._seen = (self._seen + data)[-_SEEN_BYTES:]

    def _restart(self, intake: Intake) -> None:
        intake.parse(self._parser, self._splitter.flush(), 0)
        since, now = (
            f"{time.strftime('%H:%M:%S', time.gmtime(at))}.{int(at % 1 * 10)}" for at in (self._looked_at, time.time())
        )
        intake.gap(
            self._source,
            self.origin,
            f"it was truncated and is read anew; what was written to it between {since} and {now} UTC may be missing",
        )
        self._offset, self._seen = self._behind_hole(), b""
        self.note = f"{self.origin} was truncated at {now} UTC; read anew"

    def _behind_hole(self) -> int:
        """Return where a file's data begin: who wrote on, after a truncation, where it was, left a hole before it."""
        try:
            start = os.lseek(self._descriptor, 0, os.SEEK_DATA)
        except OSError:  # empty, or a file system that knows no holes
            return 0
        if not start:
            return 0
        data = os.pread(self._descriptor, _CHUNK, start)
        return start + len(data) - len(data.lstrip(b"\0"))

    def _skip(self, intake: Intake, until: int) -> None:
        skipped, begun = 0, self._offset
        while self._offset < until:
            data = os.pread(self._descriptor, min(_CHUNK * 8, until - self._offset), self._offset)
            if not data:
                break
            skipped += data.count(b"\n")
            self._offset += len(data)
        # Up to the next line end, so that what follows begins with a whole line.
        data = os.pread(self._descriptor, _CHUNK, self._offset)
        end = data.find(b"\n")
        if end >= 0:
            skipped += 1
            self._offset += end + 1
        self._splitter = LineSplitter()
        seen = min(_SEEN_BYTES, self._offset)
        self._seen = os.pread(self._descriptor, seen, self._offset - seen)
        intake.drop(skipped, self._offset - begun)

    def _finish_line(self, intake: Intake) -> None:
        # The last words of a program that died have no line end.
        if self._splitter.has_partial and self.idle_s > _UNFINISHED_S:
            intake.parse(self._parser, self._splitter.flush(), 0)


def _begin_of_last(data: bytes, lines: int, *, is_whole: bool) -> int:
    """Return where the last so many lines begin; the first is none unless `data` are `is_whole`."""
    at = data.rfind(b"\n")  # behind it stands an unfinished line
    for _ in range(lines):
        if (at := data.rfind(b"\n", 0, max(0, at))) < 0:
            return 0 if is_whole else data.find(b"\n") + 1
    return at + 1
