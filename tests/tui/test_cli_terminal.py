"""The command line at a real pseudo-terminal: choosing, refusing, repairing."""

import os
import pty
import select
import signal
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.terminal


class Terminal:
    """A program behind a pseudo-terminal of its own."""

    def __init__(self, home: Path, *arguments: str, term: str = "xterm-256color") -> None:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "TERM": term}
        program = [sys.executable, "-P", "-m", "tui", *arguments]
        self.master, slave = pty.openpty()
        self.pid = os.posix_spawn(
            sys.executable, program, environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, slave, number) for number in (0, 1, 2)], setsid=True,
        )  # fmt: skip
        self.slave = slave
        self.output = ""
        self.status: int | None = None

    def expect(self, text: str) -> None:
        deadline = time.monotonic() + 20
        while text not in self.output:
            assert time.monotonic() < deadline, f"{text!r} did not appear: {self.output!r}"
            self._read(0.2)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def ended(self) -> int:
        deadline = time.monotonic() + 20
        while self.status is None:
            assert time.monotonic() < deadline, f"it does not end: {self.output!r}"
            self._read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        while self._read(0):
            pass
        return self.status

    def _read(self, wait_s: float) -> bool:
        if not select.select([self.master], [], [], wait_s)[0]:
            return False
        self.output += os.read(self.master, 65536).decode(errors="replace")
        return True

    def close(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Terminal]]:
    terminals: list[Terminal] = []
    yield terminals
    for terminal in terminals:
        terminal.close()


def test_without_a_profile_one_is_chosen_from_a_plain_list(tmp_path: Path, started: list[Terminal]) -> None:
    folder = tmp_path / ".config" / "opstui" / "profiles"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "broken.yaml").write_text("refesh: 1\n")
    (folder / "broken.yaml").chmod(0o600)
    terminal = Terminal(tmp_path)
    started.append(terminal)
    terminal.expect("Profile (number or name): ")
    assert "  2  demo" in terminal.output
    terminal.type("99\n")
    terminal.expect("a number from 1 to 3")
    terminal.type("1\n")
    assert terminal.ended() == 2
    assert "did you mean refresh?" in terminal.output
    assert "\x1b" not in terminal.output


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_that_cannot_show_a_full_screen_is_refused(
    tmp_path: Path, started: list[Terminal], kind: str
) -> None:
    terminal = Terminal(tmp_path, "--profile", "local", term=kind)
    started.append(terminal)
    assert terminal.ended() == 2
    assert "cannot show a full screen" in terminal.output
    assert "\x1b" not in terminal.output


def test_reset_terminal_leaves_every_mode_and_turns_echo_on_again(tmp_path: Path, started: list[Terminal]) -> None:
    terminal = Terminal(tmp_path, "--profile", "no-such-profile")
    started.append(terminal)
    terminal.ended()
    again = Terminal(tmp_path, "--reset-terminal")
    started.append(again)
    attributes = termios.tcgetattr(again.slave)
    attributes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(again.slave, termios.TCSANOW, attributes)
    assert again.ended() == 0
    assert termios.tcgetattr(again.slave)[3] & (termios.ECHO | termios.ICANON) == termios.ECHO | termios.ICANON
    for sequence in ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?1006l", "\x1b[?2004l", "\x1b[0m", "\x1b>"):
        assert sequence in again.output
