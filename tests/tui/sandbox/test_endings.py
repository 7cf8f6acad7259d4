"""However a sandbox ends, no process and no folder of it is left."""

import contextlib
import json
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tui.sandbox.binaries import Identity, can_reach

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("sandbox-endings")]

ROOT = Path(__file__).parents[3]


def eventually(is_so: Callable[[], bool], what: str, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what} not within {within_s} s"
        time.sleep(0.02)


@dataclass
class Started:
    """`python -m tui.sandbox` and what it started."""

    program: subprocess.Popen[str]
    supervisor: psutil.Process
    servers: list[psutil.Process]
    folder: Path

    @property
    def is_gone(self) -> bool:
        return not self.folder.exists() and not any(
            process.is_running() and process.status() != psutil.STATUS_ZOMBIE
            for process in (self.supervisor, *self.servers)
        )


@contextlib.contextmanager
def program(temporary: Path, **who: int) -> Iterator[subprocess.Popen[str]]:
    """Run a sandbox by itself, below a temporary folder of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.sandbox", "--json"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        **who,  # type: ignore[call-overload]  # user and group
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()


@contextlib.contextmanager
def started(temporary: Path) -> Iterator[Started]:
    with program(temporary) as process:
        assert process.stdout is not None
        endpoints = json.loads(process.stdout.readline())
        (supervisor,) = psutil.Process(process.pid).children()
        yield Started(process, supervisor, supervisor.children(recursive=True), Path(endpoints["base"]))


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files with a path short enough for sockets, open to every user like /tmp."""
    with tempfile.TemporaryDirectory(prefix="opstui-t-", dir="/tmp") as path:
        os.chmod(path, 0o1777)  # noqa: S103 -- as /tmp itself; the ordinary user's sandbox goes there
        yield Path(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_when_the_program_ends_by(number: signal.Signals, temporary: Path) -> None:
    with started(temporary) as sandbox:
        sandbox.program.send_signal(number)
        eventually(lambda: sandbox.is_gone, "all gone")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_supervisor_gets(number: signal.Signals, temporary: Path) -> None:
    with started(temporary) as sandbox:
        sandbox.supervisor.send_signal(number)
        eventually(lambda: sandbox.is_gone, "all gone")
        assert sandbox.program.wait(timeout=30) is not None


def test_signals_that_arrive_while_it_ends_do_not_disturb_it(temporary: Path) -> None:
    with started(temporary) as sandbox:
        sandbox.program.kill()
        deadline = time.monotonic() + 30
        while not sandbox.is_gone and time.monotonic() < deadline:
            with contextlib.suppress(psutil.NoSuchProcess):
                sandbox.supervisor.terminate()
                sandbox.supervisor.send_signal(signal.SIGHUP)
            time.sleep(0.002)
        assert sandbox.is_gone
    assert list(temporary.iterdir()) == []


def test_stopped_servers_end_too(temporary: Path) -> None:
    with started(temporary) as sandbox:
        for process in sandbox.servers:
            process.send_signal(signal.SIGSTOP)
        sandbox.program.terminate()
        eventually(lambda: sandbox.is_gone, "all gone", within_s=15)


def test_nothing_is_left_when_it_is_killed_while_it_starts(temporary: Path) -> None:
    with program(temporary) as process:
        eventually(lambda: any(temporary.glob("*/data")), "initdb at work")
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        eventually(lambda: not any(temporary.iterdir()), "folder gone")
        eventually(lambda: not any(member.is_running() for member in family), "processes gone")


def test_the_next_start_removes_what_a_killed_supervisor_left(temporary: Path) -> None:
    with started(temporary) as killed:
        killed.supervisor.kill()
        killed.program.wait(timeout=30)
        assert killed.folder.exists()
        with started(temporary) as sandbox:
            eventually(lambda: killed.is_gone, "the first one's remains gone")
            assert sandbox.folder.exists()
            assert all(process.is_running() for process in sandbox.servers)


def test_an_ordinary_user_gets_servers_of_its_own(temporary: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the tests already run as an ordinary user")
    nobody = pwd.getpwnam("nobody")
    if not can_reach(Path(sys.executable), Identity(nobody.pw_uid, nobody.pw_gid)):
        pytest.skip(f"{os.path.realpath(sys.executable)} cannot be reached by other users")
    with program(temporary, user=nobody.pw_uid, group=nobody.pw_gid) as process:
        assert process.stdout is not None
        endpoints = json.loads(process.stdout.readline())
        assert Path(endpoints["base"]).stat().st_uid == nobody.pw_uid
        process.terminate()
        process.wait(timeout=30)
    eventually(lambda: not any(temporary.iterdir()), "folder gone")
