"""The terminal's life: opstui ends with it, and leaves it usable whatever happens."""

import contextlib
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import Open
from tests.e2e.terminal import Terminal, opstui
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("live")]

BUSY_MACHINE_S = 30.0
ENDS_WITHIN_S = 5.0
"""The promise is 2 s; the rest is for a machine that is busy with other tests."""
IN_A_SESSION_OF_ITS_OWN = """
import signal, subprocess, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.exit(subprocess.run(sys.argv[1:], start_new_session=True).returncode)
"""
"""Runs a program as nohup does, and where the kernel sends it no SIGHUP either."""


def left_usable(terminal: Terminal) -> bool:
    """Return whether every mode of a full-screen program was taken back, the line discipline too."""
    written = terminal.raw
    modes = dict(re.findall(rb"\x1b\[\?(\d+)([hl])", written))
    wanted = {b"1049": b"l", b"25": b"h", b"2004": b"l", b"1004": b"l", b"7": b"h"}
    keyboard = re.findall(rb"\x1b\[([<>])\d*u", written)
    return (
        all(modes.get(mode) == state for mode, state in wanted.items())
        and not any(modes.get(mouse) == b"h" for mouse in (b"1000", b"1002", b"1003", b"1006", b"2048"))
        and keyboard[-1:] in ([], [b"<"])
        and terminal.modes_after == terminal.modes_before
    )


def ends(terminal: Terminal, status: int, by: Callable[[], object]) -> None:
    """Check that it ends in time (a person who quits can wait), with that status, and leaves the terminal usable."""
    began = time.monotonic()
    by()
    assert terminal.wait_end(ENDS_WITHIN_S if status else BUSY_MACHINE_S) == status
    tell_seconds_since(began)
    eventually(lambda: left_usable(terminal), "the terminal as it was before")


def tell_seconds_since(began: float) -> None:
    """Say how long it took, to be read with `pytest -s`."""
    sys.stdout.write(f" {time.monotonic() - began:.2f} s ")


def eventually(is_so: Callable[[], bool], what: str, within_s: float = BUSY_MACHINE_S) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_in_order(open_opstui: Open, number: signal.Signals) -> None:
    terminal = open_opstui()
    terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
    ends(terminal, 128 + number, lambda: terminal.process.send_signal(number))


def test_quitting_says_so_with_status_0(open_opstui: Open) -> None:
    terminal = open_opstui()
    terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
    ends(terminal, 0, lambda: terminal.press("q"))


def test_a_signal_ends_it_while_a_dialog_is_open(open_opstui: Open) -> None:
    terminal = open_opstui()
    terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
    terminal.press("?")
    terminal.wait("Alerts")
    ends(terminal, 128 + signal.SIGQUIT, lambda: terminal.process.send_signal(signal.SIGQUIT))


def test_a_signal_ends_it_while_a_system_hangs(open_opstui: Open, sandbox: BlockingSandbox) -> None:
    terminal = open_opstui()
    terminal.press("3")
    terminal.wait("accepting", BUSY_MACHINE_S)
    with sandbox.frozen("postgres"):
        terminal.wait("database:shop: no answer", BUSY_MACHINE_S)
        ends(terminal, 128 + signal.SIGTERM, lambda: terminal.process.send_signal(signal.SIGTERM))


def test_a_signal_ends_it_while_nobody_reads_what_it_writes(open_opstui: Open) -> None:
    terminal = open_opstui(size=(250, 60))
    terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
    with terminal.unread():
        for size in ((200, 50), (250, 60)) * 4:  # more than a terminal's buffer holds
            terminal.resize(*size)
            time.sleep(0.1)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait_end(ENDS_WITHIN_S) == 128 + signal.SIGTERM
    assert terminal.modes_after == terminal.modes_before


@pytest.mark.parametrize("how", ["with SIGHUP", "without SIGHUP"])
def test_it_dies_with_its_terminal(staging: Path, tmp_path: Path, how: str) -> None:
    detached = [sys.executable, "-c", IN_A_SESSION_OF_ITS_OWN] if how == "without SIGHUP" else []
    env = {"XDG_STATE_HOME": str(tmp_path)}
    with Terminal([*detached, *opstui("--profile", str(staging))], env=env) as terminal:
        terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
        began = time.monotonic()
        terminal.hang_up()
        assert terminal.wait_end(ENDS_WITHIN_S) == 128 + signal.SIGHUP
        tell_seconds_since(began)


def test_ctrl_z_suspends_and_the_screen_comes_back(open_opstui: Open) -> None:
    terminal = open_opstui()
    terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
    terminal.press("ctrl+z")
    eventually(lambda: state(terminal) == psutil.STATUS_STOPPED, "stopped")
    eventually(lambda: left_usable(terminal), "the terminal as it was before")
    comes_back(terminal)
    ends(terminal, 0, lambda: terminal.press("q"))


def test_the_screen_comes_back_when_somebody_else_stopped_the_process(open_opstui: Open) -> None:
    terminal = open_opstui()
    terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
    terminal.process.send_signal(signal.SIGSTOP)
    eventually(lambda: state(terminal) == psutil.STATUS_STOPPED, "stopped")
    comes_back(terminal)
    ends(terminal, 0, lambda: terminal.press("q"))


def comes_back(terminal: Terminal) -> None:
    """Continue a stopped process and check that it draws everything and takes keys."""
    terminal.forget()
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait(r"(?s)STAGING.*1 Services.*NAME .*gateway +ok.*q Quit", BUSY_MACHINE_S)
    terminal.press("6")
    terminal.wait(r"cpu +\d+ %", BUSY_MACHINE_S)


def state(terminal: Terminal) -> str:
    return str(psutil.Process(terminal.process.pid).status())


@pytest.mark.parametrize("where", ["key", "worker"])
def test_a_crash_names_the_log_and_tells_no_secrets(staging: Path, tmp_path: Path, where: str) -> None:
    script = Path(__file__).with_name("crashing.py")
    command = [sys.executable, str(script), where, "--profile", str(staging)]
    with Terminal(command, size=(160, 40), env={"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        if where == "key":
            terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
            terminal.press("!")
        assert terminal.wait_end(BUSY_MACHINE_S) == 1
        log = tmp_path / "opstui" / "opstui.log"
        eventually(lambda: str(log).encode() in terminal.raw, "the log's name")
        assert left_usable(terminal)
    assert log.stat().st_mode & 0o777 == 0o600
    told = log.read_text()
    assert "RuntimeError: a mistake with 18 letters" in told
    assert "in fail" in told
    for text in (told, terminal.raw.decode(errors="replace")):
        assert "hunter2" not in text.replace('password = "hunter2-in-a-local"', "")
    assert "Traceback" not in terminal.raw.decode(errors="replace")


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="opstui-t-", dir="/tmp") as path:
        os.chmod(path, 0o1777)  # noqa: S103 -- as /tmp itself; the sandbox's servers may run as another user
        yield Path(path)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL), (None, 0)])
def test_nothing_of_the_sandbox_is_left_behind(
    temporary: Path, tmp_path: Path, number: signal.Signals | None, status: int
) -> None:
    env = {"TMPDIR": str(temporary), "XDG_STATE_HOME": str(tmp_path)}
    with Terminal(opstui("--profile", "demo"), env=env) as terminal:
        terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
        family = psutil.Process(terminal.process.pid).children(recursive=True)
        assert len(family) > 3
        if number is signal.SIGKILL:
            terminal.process.kill()
            assert terminal.wait_end(ENDS_WITHIN_S) == status
        else:
            ends(terminal, status, lambda: terminal.process.send_signal(number) if number else terminal.press("q"))
        eventually(lambda: not any(map(lives, family)), "no process left")
        eventually(lambda: not any(temporary.iterdir()), "no folder left")


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
