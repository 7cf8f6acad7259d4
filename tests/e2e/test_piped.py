"""opstui at the end of a pipeline, in a real terminal: keys, resize, job control, and the pipe's end."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.terminal, pytest.mark.xdist_group("e2e-piped")]

OPSTUI = f"{sys.executable} -P -m tui"
FOREVER = "while echo INFO again; do sleep 0.1; done"
Open = Callable[[str], Terminal]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Open]:
    """Run a line in an interactive shell, which has job control."""
    opened: list[Terminal] = []

    def open_it(line: str) -> Terminal:
        env = {"XDG_STATE_HOME": str(tmp_path / "state"), "PS1": "ready$ ", "HOME": str(tmp_path)}
        terminal = Terminal(["bash", "--norc", "-i"], env=env)
        opened.append(terminal)
        terminal.wait(r"ready\$")
        terminal.send(f"{line}\r")
        return terminal

    yield open_it
    for terminal in opened:
        terminal.process.kill()
        terminal.close()


def test_a_pipeline_is_read_to_its_end_while_keys_come_from_the_terminal(shell: Open) -> None:
    terminal = shell(f"seq -f 'ERROR line %g' 1 3000 | {OPSTUI}")
    terminal.wait("stdin ended")
    terminal.wait(r"ERROR line 3000")
    terminal.press("g")
    terminal.wait(r"(?s)PAUSED.*ERROR line 1\n")
    terminal.resize(120, 40)
    terminal.wait(r"ERROR line 36")
    terminal.forget()
    terminal.press("q")
    terminal.wait(r"ready\$")


def test_ctrl_z_stops_the_whole_pipeline_and_fg_goes_on(shell: Open) -> None:
    terminal = shell(f"({FOREVER}) | {OPSTUI} logs")
    terminal.wait("stdin INFO again")
    terminal.forget()
    terminal.press("ctrl+z")
    terminal.wait(r"ready\$")
    terminal.forget()
    terminal.send("jobs -sl\r")
    terminal.wait(r"(?s)Stopped \(signal\).*tui\s+logs")
    terminal.forget()
    terminal.send("fg\r")
    terminal.wait("following .*UTC")
    terminal.forget()
    terminal.press("q")
    # The shell waits for the writer as well, who heard of the end.
    terminal.wait(r"ready\$")


def test_a_file_alone_needs_no_profile(shell: Open, tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    path.write_text("ERROR first\n")
    terminal = shell(f"{OPSTUI} logs {path}")
    terminal.wait("api +ERROR first")
    with path.open("a") as file:
        file.write("ERROR second\n")
    terminal.wait("api +ERROR second")


def test_without_any_terminal_it_says_so_and_ends(shell: Open) -> None:
    terminal = shell(f"echo x | setsid -w {OPSTUI}; echo status $?")
    terminal.wait("no keys at /dev/tty")
    terminal.wait("status 2")


def test_a_dash_with_nothing_piped_is_a_mistake(shell: Open) -> None:
    terminal = shell(f"{OPSTUI} --log -; echo status $?")
    terminal.wait("nothing is piped into it")
    terminal.wait("status 2")


@pytest.mark.skipif(shutil.which("less") is None, reason="needs less")
def test_the_pager_takes_the_terminal_with_its_own_ctrl_c_and_gives_it_back(shell: Open) -> None:
    terminal = shell(f"seq -f 'ERROR line %g' 1 300 | PAGER=less {OPSTUI}")
    terminal.wait("ERROR line 300")
    terminal.press("|")
    terminal.wait("Show what in less")
    terminal.press("enter")
    terminal.wait(r"Z stdin stdin ERROR line 1\b")
    terminal.press("ctrl+c", "ctrl+z", "!")
    terminal.wait("Command not available")
    terminal.forget()
    terminal.press("enter", "q")
    terminal.wait("following .*UTC")
    terminal.press("|")
    terminal.wait("Show what in less")


def test_ctrl_c_that_comes_while_a_pager_is_going_is_not_the_programs(shell: Open, tmp_path: Path) -> None:
    """Between the end of a pager and the return of the screen the terminal is ours, and makes a signal of ctrl+c."""
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\ncat > /dev/null\nkill -INT $PPID\n")
    pager.chmod(0o755)
    terminal = shell(f"seq -f 'ERROR line %g' 1 300 | PAGER={pager} {OPSTUI}; echo status $?")
    terminal.wait("ERROR line 300")
    terminal.press("|")
    terminal.wait("Show what in pager")
    terminal.forget()
    terminal.press("enter")
    terminal.wait("following .*UTC")
    terminal.press("q")
    terminal.wait("status 0")
