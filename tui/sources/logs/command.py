"""A program whose output is a log: journalctl -f, ssh, docker logs -f."""

import asyncio
import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from datetime import tzinfo
from typing import Final

from tui.sources.errors import SourceError, Unreachable, Unreadable
from tui.sources.logs.intake import Intake
from tui.sources.logs.parse import LineParser
from tui.sources.logs.splitter import LineSplitter
from tui.sources.text import clean

_BACKOFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_STEADY_S: Final = 60.0
"""A program that ran this long starts again without its earlier failures held against it."""
_CHUNK: Final = 128 * 1024
_GRACE_S: Final = 0.4
_PAUSE_S: Final = 0.0005


class CommandFollower:
    """Runs the program in a process group and session of its own, without input or terminal, and again when it ends."""

    def __init__(self, source: str, command: list[str], intake: Intake, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._command = command
        self._intake = intake
        self._program = clean(os.path.basename(command[0]), limit=60)
        self._source = source
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.following: tuple[str, ...] = ()
        self.problems: tuple[str, ...] = ()
        self.failure: SourceError | None = None

    @property
    def has_caught_up(self) -> bool:
        """Nothing tells: what was there before and what comes now are one stream."""
        return False

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=f"logs {self._source}", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """End the program and everything it started: asked first, killed 0.4 s later."""
        self._is_closing.set()
        if (process := self._process) is not None:
            _signal(process, signal.SIGTERM)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 2 * _GRACE_S)

    def _run(self) -> None:
        try:
            self._run_again_and_again()
        finally:
            if not self._is_closing.is_set():
                self.failure = Unreadable("following stopped: a bug in opstui", "see the log file")

    def _run_again_and_again(self) -> None:
        failures = 0
        while not self._is_closing.is_set():
            started = time.monotonic()
            why = self._run_once()
            failures = 0 if time.monotonic() - started > _STEADY_S else failures
            pause = _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)]
            failures += 1
            self.problems = (f"{why}; starts again in {pause:g} s",)
            self._intake.drop(0, 0)
            self._is_closing.wait(pause)

    def _run_once(self) -> str:
        """Run the program to its end; return how it ended, in words."""
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # no terminal to ask for passwords on, and one group to end
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            why = f"{self._program}: {clean(getattr(error, 'strerror', None) or 'cannot be started')}"
            self.failure = Unreachable(why, "correct command in the profile, or install the program")
            return why
        self._process = process
        self.failure, self.problems, self.following = None, (), (self._program,)
        received = self._intake.received
        try:
            self._read(process)
        finally:
            self._end(process)
            self._process, self.following = None, ()
        status = process.returncode
        how = f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        why = f"{self._program} {'was ' * (status < 0)}{how}"
        if status and self._intake.received > received and not self._is_closing.is_set():
            # One that ends in order has told what it had to tell; one that was to go on has not.
            words = f"{how}; until it runs again lines may be missing, and those it begins with come twice"
            self._intake.gap(self._source, self._program, words)
        return why

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        with selectors.DefaultSelector() as selector:
            for stream, origin in ((process.stdout, self._program), (process.stderr, "stderr")):
                if stream is not None:
                    parser = LineParser(self._source, origin, self._zone)
                    selector.register(stream, selectors.EVENT_READ, (stream, LineSplitter(), parser))
            while selector.get_map() and not self._is_closing.is_set():
                for key, _ in selector.select(0.5):
                    stream, splitter, parser = key.data
                    data = os.read(key.fd, _CHUNK)
                    if data:
                        self._take(data, splitter, parser)
                    else:
                        selector.unregister(stream)
                        self._intake.parse(parser, splitter.flush(), 0)

    def _take(self, data: bytes, splitter: LineSplitter, parser: LineParser) -> None:
        if self._intake.is_full:
            # Whoever tails wants the present: a flood is counted and let go, never queued without end.
            self._intake.drop(splitter.lose(data), len(data))
        else:
            self._intake.parse(parser, splitter.feed(data), len(data), pause_s=_PAUSE_S)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        # Signalled before it is reaped, so that its number cannot belong to somebody else yet.
        if not _exited(process, 0.0 if self._is_closing.is_set() else _GRACE_S):
            _signal(process, signal.SIGTERM)
            _exited(process, _GRACE_S)
        _signal(process, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _exited(process: subprocess.Popen[bytes], within_s: float) -> bool:
    """Tell whether the program ended, without reaping it."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                return True
        except ChildProcessError:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
