"""One open log file, read from where the last read ended."""

import os
import time
from datetime import tzinfo
from typing import Final

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
_MOST_TAIL_BYTES: Final = 8 * 1024 * 1024
_UNFINISHED_S: Final = 3.0
_PAUSE_S: Final = 0.0005


class Tail:
    """One file by its descriptor: renaming it changes nothing, and its inode cannot be given to another."""

    def __init__(self, descriptor: int, path: str, origin: str, source: str, zone: tzinfo | None = None) -> None:
        self.path = path
        """Where it was opened; it may have been renamed since."""
        self.origin = origin
        self.note = ""
        """What happened to it lately: `api.log was truncated`."""
        self._descriptor = descriptor
        self._offset = 0
        self._splitter = LineSplitter()
        self._parser = LineParser(source, origin, zone)
        self._grew_at = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Seconds since it last had something new."""
        return time.monotonic() - self._grew_at

    def show_end(self, intake: Intake, lines: int) -> None:
        """Take its last `lines` lines, and from now on what comes after them."""
        size = os.fstat(self._descriptor).st_size
        start = max(0, size - max(_TAIL_BYTES, min(lines * _LINE_BYTES, _MOST_TAIL_BYTES)))
        data = os.pread(self._descriptor, size - start, start)
        self._offset = start + len(data)
        found = self._splitter.feed(data)
        if start and found:
            found = found[1:]  # begins in the middle of a line
        kept = found[-lines:] if lines else []
        intake.parse(self._parser, kept, len(data), is_backlog=True)

    def read(self, intake: Intake) -> bool:
        """Take what is new; return whether there is more that the intake has no room for now.

        Raises:
            OSError: the file cannot be read any more (a network file system went away).
        """
        size = os.fstat(self._descriptor).st_size
        if size < self._offset:
            self._restart(intake)
        if size - self._offset > MAX_BEHIND:
            self._skip(intake, size - _KEPT_BEHIND)
        while not intake.is_full:
            data = os.pread(self._descriptor, _CHUNK, self._offset)
            if not data:
                self._finish_line(intake)
                return False
            self._offset += len(data)
            self._grew_at = time.monotonic()
            intake.parse(self._parser, self._splitter.feed(data), len(data), pause_s=_PAUSE_S)
        return self._offset < size

    def close(self, intake: Intake) -> None:
        """Give what is left of an unfinished line and close the file."""
        intake.parse(self._parser, self._splitter.flush(), 0)
        os.close(self._descriptor)

    def _restart(self, intake: Intake) -> None:
        intake.parse(self._parser, self._splitter.flush(), 0)
        self._offset = 0
        self.note = f"{self.origin} was truncated at {time.strftime('%H:%M:%S', time.gmtime())} UTC; read anew"

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
        intake.drop(skipped, self._offset - begun)

    def _finish_line(self, intake: Intake) -> None:
        # The last words of a program that died have no line end.
        if self._splitter.has_partial and self.idle_s > _UNFINISHED_S:
            intake.parse(self._parser, self._splitter.flush(), 0)
