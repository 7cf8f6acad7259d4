"""opstui in a real tmux: starting, resizing, detaching, losing its session."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.terminal import ROOT, Terminal, opstui

pytestmark = [
    pytest.mark.live,
    pytest.mark.terminal,
    pytest.mark.debian,
    pytest.mark.xdist_group("e2e-frame"),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs Debian's tmux"),
]

BUSY_MACHINE_S = 40.0
ENDS_WITHIN_S = 5.0
"""The promise is 2 s; the rest is for a machine that is busy with other tests."""


class Tmux:
    """A tmux server of its own, with one session of one pane."""

    def __init__(self, folder: str) -> None:
        self.command = ["tmux", "-S", f"{folder}/socket", "-f", "/dev/null"]

    def __call__(self, *arguments: str) -> str:
        """Run a tmux command and return what it says."""
        environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TERM")}
        command = [*self.command, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout

    def wait(self, pattern: str, within_s: float = BUSY_MACHINE_S) -> str:
        """Wait until the pane matches."""
        eventually(lambda: re.search(pattern, self("capture-pane", "-p")) is not None, pattern, within_s)
        return self("capture-pane", "-p")


def eventually(is_so: Callable[[], bool], what: str, within_s: float = BUSY_MACHINE_S) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        time.sleep(0.05)


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.fixture
def tmux(staging: Path, tmp_path: Path) -> Iterator[Tmux]:
    staging.write_text(staging.read_text().replace('"staging"', '"prod"'))
    with tempfile.TemporaryDirectory(prefix="opstui-t-", dir="/tmp") as folder:  # short enough for a socket
        yield from running(Tmux(folder), staging, tmp_path)


def running(server: Tmux, staging: Path, tmp_path: Path) -> Iterator[Tmux]:
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}
    settings = [part for name, value in state.items() for part in ("-e", f"{name}={value}")]
    program = shlex.join(["exec", *opstui("--profile", str(staging))])
    server("new-session", "-d", "-x", "120", "-y", "40", "-c", str(tmp_path), *settings, program)
    yield server
    server("kill-server")


def test_the_whole_life_in_tmux(tmux: Tmux) -> None:
    text = tmux.wait(r"gateway +ok")
    assert text.startswith("!! PROD !!"), "production stands out without colour"
    process = psutil.Process(int(tmux("display-message", "-p", "#{pane_pid}")))

    tmux("resize-window", "-x", "80", "-y", "24")
    tmux.wait(r"\A ?!! PROD !!.*\n 1 Services.*\n(.*\n){21}.*\? Keys.*\n\Z")
    tmux("resize-window", "-x", "200", "-y", "50")
    tmux.wait(r"\A ?!! PROD !!.*\n 1 Services.*\n(.*\n){47}.*q Quit\n\Z")

    tmux("send-keys", "3")
    tmux.wait("accepting")

    with Terminal([*tmux.command, "attach-session"], size=(120, 30)) as colleague:
        colleague.wait("!! PROD !!", BUSY_MACHINE_S)
        colleague.press("\x02", "d")
        assert colleague.wait_end(BUSY_MACHINE_S) == 0
    assert lives(process), "whoever detaches leaves it running"
    tmux("send-keys", "6")
    tmux.wait(r"cpu +\d+ %")

    began = time.monotonic()
    tmux("kill-session")
    eventually(lambda: not lives(process), "the end of the program", ENDS_WITHIN_S)
    sys.stdout.write(f" {time.monotonic() - began:.2f} s ")
