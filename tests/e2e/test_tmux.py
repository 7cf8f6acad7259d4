"""opstui in a real tmux: starting, resizing, detaching, losing its session."""

import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.terminal import ROOT, Terminal, opstui
from tests.e2e.tmux import BUSY_MACHINE_S, Tmux, eventually
from tests.e2e.two_keyboards import TwoKeyboards, sleeping_session
from tui.sandbox.blocking import BlockingSandbox

pytestmark = [
    pytest.mark.live,
    pytest.mark.terminal,
    pytest.mark.debian,
    pytest.mark.xdist_group("live"),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs Debian's tmux"),
]

ENDS_WITHIN_S = 5.0
"""The promise is 2 s; the rest is for a machine that is busy with other tests."""


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.fixture
def tmux(staging: Path, tmp_path: Path) -> Iterator[Tmux]:
    staging.write_text(staging.read_text().replace('"staging"', '"prod"'))
    with (
        tempfile.TemporaryDirectory(prefix="opstui-t-", dir="/tmp") as folder,  # short enough for a socket
        running(Tmux(folder), staging, tmp_path) as server,
    ):
        yield server


@contextlib.contextmanager
def running(server: Tmux, staging: Path, tmp_path: Path) -> Iterator[Tmux]:
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}
    server.start(opstui("--profile", str(staging)), env, str(tmp_path))
    try:
        yield server
    finally:
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


def test_who_types_into_the_dialog_that_a_colleague_opens_confirms_nothing(
    sandbox: BlockingSandbox, tmp_path: Path
) -> None:
    profile = tmp_path / "shared.yaml"
    systems = {"databases": {"shop": sandbox.endpoints["postgres"]}}
    profile.write_text(json.dumps({"name": "shared", "environment": "staging", **systems}))
    profile.chmod(0o600)
    trials = 5  # a thousand of them: python -m tests.bench --only keyboards
    with (
        tempfile.TemporaryDirectory(prefix="opstui-t-", dir="/tmp") as folder,
        sleeping_session(sandbox.endpoints["postgres"].replace("//opstui@", "//app@"), "two-keyboards") as session,
        running(Tmux(folder), profile, tmp_path) as server,
    ):
        both = TwoKeyboards(server, tmp_path / "state", seed=1)
        try:
            both.choose("two-keyboards")
            for _ in range(trials):
                both.trial()
        finally:
            both.close()
        assert both.whats() == ["cancelled"] * trials
        assert session.poll() is None, "the statement still runs"
