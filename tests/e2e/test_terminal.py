"""The terminal's life: opstui ends with it, and leaves it usable whatever happens."""

import re
import signal
import time
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Open
from tests.e2e.terminal import Terminal
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [pytest.mark.live, pytest.mark.terminal, pytest.mark.xdist_group("live")]

BUSY_MACHINE_S = 30.0
ENDS_WITHIN_S = 5.0
"""The promise is 2 s; the rest is for a machine that is busy with other tests."""


def left_usable(terminal: Terminal) -> bool:
    """Return whether every mode of a full-screen program was taken back, the line discipline too."""
    written = bytes(terminal.raw)
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
    """Check that it ends in time, with that status, and leaves the terminal usable."""
    began = time.monotonic()
    by()
    assert terminal.wait_end(ENDS_WITHIN_S) == status
    print(f"ended in {time.monotonic() - began:.2f} s")  # noqa: T201 -- a figure to read with `pytest -s`
    eventually(lambda: left_usable(terminal), "the terminal as it was before")


def eventually(is_so: Callable[[], bool], what: str, within_s: float = BUSY_MACHINE_S) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
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
    ends(terminal, 128 + signal.SIGTERM, lambda: terminal.process.send_signal(signal.SIGTERM))


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


def test_it_dies_with_its_terminal(open_opstui: Open) -> None:
    terminal = open_opstui()
    terminal.wait(r"gateway +ok", BUSY_MACHINE_S)
    began = time.monotonic()
    terminal.hang_up()
    assert terminal.wait_end(ENDS_WITHIN_S) == 128 + signal.SIGHUP
    print(f"ended in {time.monotonic() - began:.2f} s")  # noqa: T201 -- a figure to read with `pytest -s`
