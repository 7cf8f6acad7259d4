"""Who sits at this terminal, and which process writes: what stands in every entry of the journal."""

import os
import pwd
import socket
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from tui.sources.text import clean

_SECONDS_APART: Final = 2.0
"""How far two readings of one process's start may lie apart: the system counts in ticks since it booted."""


def who() -> str:
    """Return who sits at this terminal, for the status line: the login, and the one behind `sudo`."""
    account = person()
    return f"{account['user']} (sudo by {account['sudo_user']})" if "sudo_user" in account else account["user"]


def person() -> dict[str, str]:
    """Return login and uid, and where there are any: `SUDO_USER`, the SSH client's address, the tmux pane."""
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = f"uid {uid}"
    found = {"user": user, "uid": str(uid)}
    for key, variable in (("sudo_user", "SUDO_USER"), ("ssh_client", "SSH_CONNECTION"), ("tmux", "TMUX_PANE")):
        if value := os.environ.get(variable):
            found[key] = clean(value.split(" ")[0], limit=100)
    return found


@lru_cache(maxsize=1)
def process() -> dict[str, Any]:
    """Return the machine, and the process by pid and start: a pid alone is used again."""
    import psutil

    pid = os.getpid()
    return {"host": clean(socket.gethostname(), limit=255), "pid": pid, "born": psutil.Process(pid).create_time()}


def is_running(entry: Mapping[str, Any]) -> bool | None:
    """Tell whether the process that wrote a journal entry still runs; None when it was on another machine."""
    import psutil

    if entry.get("host") != process()["host"]:
        return None
    try:
        born = psutil.Process(int(entry["pid"])).create_time()
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False
    return abs(born - float(entry.get("born", 0.0))) < _SECONDS_APART
