"""A real pseudo-terminal with a real program in it, and the screen its user would see."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyte
from wcwidth import wcwidth

ROOT: Final = Path(__file__).parents[2]
KEYS: Final = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "pgdn": "\x1b[6~",
    "ctrl+c": "\x03",
    "ctrl+g": "\x07",
    "ctrl+p": "\x10",
    "ctrl+z": "\x1a",
    "backspace": "\x7f",
}
RULES: Final = {"host.cpu_percent": None, "host.load_per_cpu": None}
"""For profiles of tests: an alert about this machine's own load would take the place of what they wait for."""
_ECHO_S: Final = 0.3
_HAS_FRAMES: Final = (b"\x1b[?2026$p", b"\x1b[?2026;2$y")
"""The question whether the terminal shows only whole frames, and the answer that it does."""
_BEGIN: Final = b"\x1b[?2026h"
_END: Final = re.compile(rb"\x1b\[\?(?:2026|1049)l")
"""Of a frame: its own, or that of all that the program shows."""
_HEARD_S: Final = 40.0
_UNKNOWN_TO_PYTE: Final = re.compile(
    rb"\x1b\[[<>=?][0-9;]*[uc]|\x1b\[\?[0-9;]*\$p|\x1bP[^\x1b]*\x1b\\|\x1b\[>[0-9;]*[a-zA-Z]"
)
# Makes the pty the controlling terminal of the new session, as sshd and tmux do, and becomes the program.
_TAKE_TERMINAL: Final = (
    "import fcntl,os,sys,termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """Runs a program in a pseudo-terminal until the `with` block ends."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        env: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        margin: int = 0,
    ) -> None:
        """Start it in `folder`; `margin` columns beyond the window's show what would run over its edge."""
        self._raw = bytearray()
        self._screen = pyte.Screen(size[0] + margin, size[1])
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0
        self._lines: list[str] = []
        self._is_told = False
        self._lock = threading.Lock()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.modes_before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            cwd=folder,
            env={**_clean_environment(), **(env or {})},
        )
        self._slave = slave
        self._reads = threading.Event()
        self._reads.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def raw(self) -> bytes:
        """Everything the program wrote."""
        with self._lock:
            return bytes(self._raw)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the program, by force if need be, and give the terminal back."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal itself, as a lost SSH connection does."""
        if self._master >= 0:
            os.close(self._slave)
            master, self._master = self._master, -1
            self._reader.join(2)
            os.close(master)

    def _read(self) -> None:
        master = self._master
        while self._master >= 0:
            self._reads.wait()
            ready, _, _ = select.select([master], [], [], 0.1)
            if ready:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    return
                with self._lock:
                    asked_at = max(0, len(self._raw) - len(_HAS_FRAMES[0]))
                    self._raw += data
                    is_asked = _HAS_FRAMES[0] in self._raw[asked_at:]
                if is_asked and not self._is_told:
                    self._is_told = True
                    with contextlib.suppress(OSError):
                        os.write(master, _HAS_FRAMES[1])

    @contextlib.contextmanager
    def unread(self) -> Iterator[None]:
        """Accept nothing of what the program writes, as a dead link does, until the block ends."""
        self._reads.clear()
        try:
            yield
        finally:
            self._reads.set()

    def press(self, *keys: str) -> None:
        """Press keys by name (`enter`, `esc`) or type the text as it is, each once the one before has shown.

        What shows nothing (a key without effect) is given a moment; a person does not type faster either.
        """
        for key in keys:
            before = len(self._raw)
            os.write(self._master, KEYS.get(key, key).encode())
            deadline = time.monotonic() + _ECHO_S
            while len(self._raw) == before and time.monotonic() < deadline:
                time.sleep(0.01)

    def send(self, text: str) -> None:
        """Type at once, whatever is shown."""
        os.write(self._master, text.encode())

    def confirm(self, typed: str) -> None:
        """Give the dialog that asks for a text what it asks for, and press its button."""
        self.wait("tab: next field", 40)
        self.press(typed, "enter")
        self.wait("enter: DO IT")
        self.insist("enter", "enter: DO IT")

    def insist(self, key: str, hint: str) -> None:
        """Press a key until the dialog that offers it with `hint` is gone: it does not take every one.

        Raises:
            AssertionError: it takes none.
        """
        for _ in range(20):
            shown = self.wait(lambda text: hint not in text or _closes_in(text) is not None)
            if hint not in shown:
                return
            before = _closes_in(shown) or 0
            self.press(key)
            # On a busy machine one key too many would go to what is below: wait until this one was seen to.
            self.wait(lambda text: hint not in text or (_closes_in(text) or before) <= before - 2, _HEARD_S)  # noqa: B023
        raise AssertionError(f"{key} is not taken:\n{self.text()}")

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size, as a person dragging it does."""
        with self._lock:
            self._feed()
            self._screen.resize(rows, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def forget(self) -> None:
        """Begin with an empty screen, as entering the alternate screen does on a real terminal."""
        with self._lock:
            self._feed()
            self._screen.reset()

    @property
    def modes_after(self) -> list[object]:
        """The terminal's line discipline now."""
        return termios.tcgetattr(self._slave)

    def lines(self) -> list[str]:
        """Return what is on the screen now."""
        with self._lock:
            self._feed()
            height = self._screen.lines
            if len(self._lines) != height:
                self._lines = [""] * height
                self._screen.dirty.update(range(height))
            # Whoever waits looks twenty times a second: only lines that were written to are put together anew.
            for y in self._screen.dirty.intersection(range(height)):
                self._lines[y] = _line(self._screen, y)
            self._screen.dirty.clear()
            return self._lines[:]

    def text(self) -> str:
        """Return the screen as one string."""
        return "\n".join(self.lines())

    def _feed(self) -> None:
        if len(self._raw) == self._fed:
            return
        # Only up to the last complete escape sequence, or the filter below would miss one cut in two.
        end = len(self._raw)
        last = self._raw.rfind(b"\x1b", max(self._fed, end - 64), end)
        if last >= 0 and not re.match(rb"\x1b(\[[0-9;<=>?$]*[A-Za-z]|\][^\x07]*\x07|[^\[\]P])", self._raw[last:end]):
            end = last
        # Nor half a frame: what stands on it belongs to two different moments.
        begun = self._raw.rfind(_BEGIN, self._fed, end)
        if begun >= 0 and _END.search(self._raw, begun, end) is None and self.process.poll() is None:
            end = begun
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", bytes(self._raw[self._fed : end])))
        self._fed = end

    def wait(self, what: str | Callable[[str], bool], within: float = 20.0) -> str:
        """Wait until the screen matches a regular expression (or a condition) and return it.

        Raises:
            AssertionError: it did not; the message holds the last screen.
        """
        matches = what if callable(what) else lambda text: re.search(what, text, re.MULTILINE) is not None
        deadline = time.monotonic() + within
        while not matches(text := self.text()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                state = f"ended with {self.process.returncode}" if self.process.poll() is not None else "is alive"
                raise AssertionError(f"not seen within {within} s: {what}\nthe program {state}; the screen:\n{text}")
            time.sleep(0.05)
        return text

    def wait_end(self, within: float = 30.0) -> int:
        """Wait until the program has ended and return its exit status."""
        return self.process.wait(within)


def _line(screen: pyte.Screen, y: int) -> str:
    """Return a line of the screen without the blanks at its end; what stands behind a wide character is its stub."""
    found, line, is_stub = list[str](), screen.buffer[y], False
    for x in range(screen.columns):
        if is_stub:
            is_stub = False
            continue
        data = line[x].data
        is_stub = not data.isascii() and wcwidth(data[0]) == 2
        found.append(data)
    return "".join(found).rstrip()


def _closes_in(screen: str) -> int | None:
    """Return after how many seconds a dialog says it will close; None when none says so."""
    found = re.search(r"closes in (\d+) s", screen)
    return int(found[1]) if found else None


def opstui(*arguments: str) -> list[str]:
    """Return the command line of this checkout's opstui."""
    return [sys.executable, "-P", "-m", "tui", *arguments]


def _clean_environment() -> dict[str, str]:
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG", "XDG_STATE_HOME") if name in os.environ
    }
    return {**kept, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "LANG": kept.get("LANG", "C.UTF-8")}
