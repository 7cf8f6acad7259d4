"""What is piped into opstui, as one more log."""

import asyncio
import os
import select
import threading
import time
from typing import Final

from tui.sources.errors import SourceError, Unreadable
from tui.sources.logs.intake import Intake
from tui.sources.logs.parse import LineParser
from tui.sources.logs.splitter import LineSplitter
from tui.sources.text import clean

STDIN: Final = "/dev/stdin"
"""As the `file` of a log: what is piped into opstui."""
PATIENCE_S: Final = 10.0
"""How long a writer may wait while nobody takes lines (opstui is paused); then they are counted and let go."""
_CHUNK: Final = 128 * 1024
_LOOK_S: Final = 0.25
_TURN_S: Final = 0.02
_UNFINISHED_S: Final = 3.0
_PAUSE_S: Final = 0.0005


class StdinFollower:
    """Reads a pipe to its end, no faster than its lines are taken: a writer in a hurry waits, and loses nothing."""

    has_caught_up = False
    """Nothing tells: what was written before and what comes now are one stream."""

    def __init__(self, source: str, descriptor: int | None, intake: Intake) -> None:
        """Prepare to read; `descriptor` stays open when following ends, for it is the whole program's."""
        self._source = source
        self._descriptor = descriptor
        self._intake = intake
        self._splitter = LineSplitter()
        self._parser = LineParser(source, "stdin")
        self._full_since: float | None = None
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.following: tuple[str, ...] = ()
        self.problems: tuple[str, ...] = ()
        self.failure: SourceError | None = None
        self.ended = ""
        """When the pipe came to its end, in words; empty before."""

    def start(self) -> None:
        """Begin, in a thread of its own."""
        if self._descriptor is None:
            self.failure = Unreadable("nothing is piped into opstui", "PROGRAM | opstui --profile NAME")
            return
        self.following = ("stdin",)
        run = threading.Thread(target=self._run, args=(self._descriptor,), name=f"logs {self._source}", daemon=True)
        self._thread = run
        run.start()

    async def close(self) -> None:
        """Stop reading."""
        self._is_closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 2 * _LOOK_S)

    def _run(self, descriptor: int) -> None:
        try:
            self._read(descriptor)
        except OSError as error:
            self.problems = (f"stdin: {clean(error.strerror or 'cannot be read')}",)
        finally:
            self.following = ()
            if not (self._is_closing.is_set() or self.ended or self.problems):
                self.failure = Unreadable("following stopped: a bug in opstui", "see the log file")
            self._intake.drop(0, 0)

    def _read(self, descriptor: int) -> None:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        grew_at = time.monotonic()
        while not self._is_closing.is_set():
            if not waiting.poll(_LOOK_S * 1000):
                if self._splitter.has_partial and time.monotonic() - grew_at > _UNFINISHED_S:
                    self._intake.parse(self._parser, self._splitter.flush(), 0)
                continue
            takes = self._has_room()
            if self._is_closing.is_set():
                return
            data = os.read(descriptor, _CHUNK)
            grew_at = time.monotonic()
            if not data:
                self._intake.parse(self._parser, self._splitter.flush(), 0)
                self.ended = f"ended {time.strftime('%H:%M:%S', time.gmtime())} UTC"
                return
            if takes:
                self._intake.parse(self._parser, self._splitter.feed(data), len(data), pause_s=_PAUSE_S)
            else:
                self._intake.drop(self._splitter.lose(data), len(data))

    def _has_room(self) -> bool:
        """Wait until there is room for lines, or patience is spent; return whether there is room."""
        while self._intake.is_full and not self._is_closing.is_set():
            now = time.monotonic()
            if self._full_since is None:
                self._full_since = now
            if now - self._full_since > PATIENCE_S:
                return False
            self._is_closing.wait(_TURN_S)
        self._full_since = None
        return True
