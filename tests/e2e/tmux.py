"""A tmux server of a test's own."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

BUSY_MACHINE_S: Final = 40.0


class Tmux:
    """A tmux server of its own, with one session of one pane."""

    def __init__(self, folder: str) -> None:
        """Keep its socket in `folder`, whose path must be short enough for one."""
        self.command = ["tmux", "-S", f"{folder}/socket", "-f", "/dev/null"]

    def __call__(self, *arguments: str) -> str:
        """Run a tmux command and return what it says."""
        environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TERM")}
        command = [*self.command, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout

    def start(self, program: Sequence[str], env: Mapping[str, str], folder: str) -> None:
        """Start its session with a program in `folder`."""
        settings = [part for name, value in env.items() for part in ("-e", f"{name}={value}")]
        line = shlex.join(["exec", *program])
        self("new-session", "-d", "-x", "120", "-y", "40", "-c", folder, *settings, line)

    def wait(self, pattern: str, within_s: float = BUSY_MACHINE_S) -> str:
        """Wait until the pane matches, and return what it shows then."""
        deadline = time.monotonic() + within_s
        while re.search(pattern, shown := self("capture-pane", "-p")) is None:
            assert time.monotonic() < deadline, f"{pattern}: not within {within_s} s; the pane:\n{shown}"
            time.sleep(0.05)
        return shown


def eventually(is_so: Callable[[], bool], what: str, within_s: float = BUSY_MACHINE_S) -> None:
    """Wait until something is so. Raises AssertionError when it is not in time."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        time.sleep(0.05)
