"""A program in a pseudo-terminal: every output is stamped when it arrives, and the screen is worked out afterwards.

So the meter's own slowness is in no figure: a thread that does nothing else reads, stamps and answers the terminal's
questions.
"""

import fcntl
import os
import pty
import queue
import re
import signal
import struct
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import psutil
import pyte

from tests.bench import cost

_UNKNOWN_TO_PYTE: Final = re.compile(
    rb"\x1b\[[<>=?][0-9;]*[uc]|\x1b\[\?[0-9;]*\$p|\x1bP[^\x1b]*\x1b\\|\x1b\[>[0-9;]*[a-zA-Z]"
)
_ANSWERS: Final = {b"\x1b[c": b"\x1b[?62;22c", b"\x1b[6n": b"\x1b[1;1R"}


class Screen:
    """One running program and what it shows; ends with the `with` block."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        size: tuple[int, int] = (120, 40),
        cwd: str | None = None,
        cpu_at_arrival: bool = False,
    ) -> None:
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._chunks: queue.Queue[tuple[float, float, float, bytes] | None] = queue.Queue()
        self._arrivals: list[tuple[float, int]] = []
        self._closed = False
        self._cpu_at_arrival = cpu_at_arrival
        self.lines = [""] * size[1]
        """The screen's rows, without blanks at their ends."""
        self.cpu_s = 0.0
        """CPU time of the program when the output fed last arrived; 0 unless asked for with `cpu_at_arrival`."""
        self.waited_s = 0.0
        """How long the program's main thread had waited for a CPU by then."""
        self.started = time.monotonic()
        pid, self._master = pty.fork()
        if pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
                if cwd:
                    os.chdir(cwd)
                os.execvpe(argv[0], list(argv), {"TERM": "xterm-256color", **env})  # noqa: S606 -- no shell is the point
            finally:
                os._exit(127)
        self.process = psutil.Process(pid)
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(psutil.NoSuchProcess):
                self.process.send_signal(number)
            with suppress(psutil.TimeoutExpired):
                self.process.wait(5)
                break
        os.close(self._master)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                data = b""
            at = time.monotonic()
            if not data:
                return self._chunks.put(None)
            cpu = cost.cpu_of(self.process) if self._cpu_at_arrival else 0.0
            waited = cost.waited_of(self.process)
            for question, answer in _ANSWERS.items():
                if question in data:
                    self.press(answer.decode())
            self._chunks.put((at, cpu, waited, data))

    def press(self, keys: str) -> float:
        """Send keys as they are; return when."""
        at = time.monotonic()
        with suppress(OSError):
            os.write(self._master, keys.encode())
        return at

    def feed(self, wait_s: float) -> float | None:
        """Draw the next output; return when it arrived, None when none came within `wait_s` seconds."""
        try:
            item = self._chunks.get(timeout=max(0.0, wait_s))
        except queue.Empty:
            return None
        if item is None:
            self._closed = True
            return None
        at, self.cpu_s, self.waited_s, data = item
        self._arrivals.append((at, len(data)))
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
        for y in self._screen.dirty:
            if y < len(self.lines):
                row = self._screen.buffer[y]
                self.lines[y] = "".join(row[x].data for x in range(self._screen.columns)).rstrip()
        self._screen.dirty.clear()
        return at

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines)

    def shows(self, words: str) -> bool:
        """Tell whether a row holds these words."""
        return any(words in line for line in self.lines)

    def until(self, is_seen: Callable[[], bool], within_s: float) -> float | None:
        """Draw until something is seen; return when the output that showed it arrived, None when it never did."""
        deadline = time.monotonic() + within_s
        while not self._closed:
            left = deadline - time.monotonic()
            at = self.feed(min(0.2, max(0.0, left)))
            if at is not None and is_seen():
                return at
            if at is None and left <= 0:
                return None
        return None

    def wait(self, pattern: str, within_s: float = 20.0) -> float:
        """Draw until the screen matches; return when the output that made it match arrived.

        Raises:
            TimeoutError: it never did; with the last screen.
        """
        wanted = re.compile(pattern, re.MULTILINE)
        if wanted.search(self.text):
            return time.monotonic()
        if (at := self.until(lambda: wanted.search(self.text) is not None, within_s)) is None:
            raise TimeoutError(f"{pattern!r} was not seen within {within_s} s:\n{self.text}")
        return at

    def pass_time(self, seconds: float) -> None:
        """Draw whatever comes for so long."""
        self.until(lambda: False, seconds)

    def bytes_since(self, start: float) -> int:
        """Return how many bytes arrived from then on, as far as drawn."""
        return sum(length for at, length in self._arrivals if at >= start)
