"""What has an end: what is piped into opstui, as one more log."""

import asyncio
import math
import os
import select
import threading
import time
from datetime import tzinfo
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


class StreamFollower:
    """Reads something to its end, no faster than its lines are taken."""

    has_caught_up = False
    """Nothing tells: what was written before and what comes now are one stream."""

    def __init__(self, source: str, origin: str, intake: Intake, zone: tzinfo | None = None) -> None:
        """Prepare to read; `zone` is that of times without one, None this machine's."""
        self._source = source
        self._origin = origin
        self._intake = intake
        self._splitter = LineSplitter()
        self._parser = LineParser(source, origin, zone)
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.following: tuple[str, ...] = ()
        self.problems: tuple[str, ...] = ()
        self.failure: SourceError | None = None
        self.ended = ""
        """When it came to its end, in words; empty before."""

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self.following = (self._origin,)
        self._thread = threading.Thread(target=self._run, name=f"logs {self._source}", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Stop reading."""
        self._is_closing.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 2 * _LOOK_S)

    def _read(self) -> None:
        """Read to the end. Raises OSError; `failure` says already what is wrong, or `_end` was called."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            self._read()
        except OSError as error:
            self.problems = (f"{self._origin}: {clean(error.strerror or 'cannot be read')}",)
        finally:
            self.following = ()
            if not (self._is_closing.is_set() or self.ended or self.problems or self.failure):
                self.failure = Unreadable("following stopped: a bug in opstui", "see the log file")
            self._intake.drop(0, 0)

    def _take(self, data: bytes) -> None:
        parser, lines = self._parser, self._splitter.feed(data)
        self._intake.parse(parser, lines, len(data), is_backlog=parser.is_of_past, pause_s=_PAUSE_S)

    def _flush(self) -> None:
        self._intake.parse(self._parser, self._splitter.flush(), 0)

    def _end(self) -> None:
        self._flush()
        self.ended = f"ended {time.strftime('%H:%M:%S', time.gmtime())} UTC"

    def _has_room(self, within_s: float = math.inf) -> bool:
        """Wait until there is room for lines, but no longer than that; return whether there is."""
        until = time.monotonic() + within_s
        while self._intake.is_full:
            if time.monotonic() > until or self._is_closing.wait(_TURN_S):
                return False
        return not self._is_closing.is_set()


class StdinFollower(StreamFollower):
    """Reads a pipe to its end: a writer in a hurry waits, and loses nothing."""

    def __init__(self, source: str, descriptor: int | None, intake: Intake, zone: tzinfo | None = None) -> None:
        """Prepare to read; `descriptor` stays open when following ends, for it is the whole program's."""
        super().__init__(source, "stdin", intake, zone)
        self._descriptor = descriptor
        self._is_patient = True

    def start(self) -> None:
        """Begin, in a thread of its own."""
        if self._descriptor is None:
            self.failure = Unreadable("nothing is piped into opstui", "PROGRAM | opstui --profile NAME")
        else:
            super().start()

    def _read(self) -> None:
        descriptor, waiting, grew_at = self._descriptor or 0, select.poll(), time.monotonic()
        waiting.register(descriptor, select.POLLIN)
        while not self._is_closing.is_set():
            if not waiting.poll(_LOOK_S * 1000):
                if self._splitter.has_partial and time.monotonic() - grew_at > _UNFINISHED_S:
                    self._flush()
                continue
            # Whoever has waited in vain once does not wait for each of its lines again.
            self._is_patient = self._has_room(PATIENCE_S if self._is_patient else 0.0)
            if self._is_closing.is_set():
                return
            data, grew_at = os.read(descriptor, _CHUNK), time.monotonic()
            if not data:
                self._end()
                return
            if self._is_patient:
                self._take(data)
            else:
                self._intake.drop(self._splitter.lose(data), len(data))
