"""The sandbox's private folder, and the sweeping of folders whose supervisor was killed.

Every supervisor holds a lock on `supervisor.lock` in its folder for as long as it lives; the kernel lets go
of it however the supervisor ends. A folder whose lock is free belongs to nobody any more: its servers are
stopped and it is removed by the next start.
"""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

import psutil

from tui.sandbox.binaries import Identity, can_reach

PREFIX = "opstui-sandbox-"
SHORT_PARENT = Path("/tmp")  # noqa: S108 -- mkdtemp makes a private folder in it
SOCKET_PATH_MAX = 103
"""Bytes of a unix socket's path on macOS; Linux allows four more."""
_LONGEST_SOCKET = "/.s.PGSQL.5432"
_YOUNG_S = 60.0


class Folder:
    """A folder of mode 0700 that the servers own; gone when closed."""

    def __init__(self, path: Path, lock: BinaryIO) -> None:
        self.path = path
        self._lock = lock

    def record(self, servers: dict[str, int]) -> None:
        """Write the servers' names and pids for a later sweep."""
        entries = []
        for name, pid in servers.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                entries.append({"name": name, "pid": pid, "created": psutil.Process(pid).create_time()})
        scratch = self.path / "servers.json.new"
        scratch.write_text(json.dumps(entries))
        scratch.replace(self.path / "servers.json")

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        # A server that is just ending may still drop a file into a folder being removed.
        for _ in range(3):
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists():
                break
            time.sleep(0.05)
        self._lock.close()


def make_folder(identity: Identity) -> Folder:
    """Create a private folder whose sockets' paths are short enough."""
    # Under a hidden name until it is locked, so that no sweep of another start takes it for abandoned.
    hidden = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=_parent(identity)))
    lock = open(hidden / "supervisor.lock", "wb")  # noqa: SIM115 -- held until the folder is closed
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.chown(hidden, identity.uid, identity.gid)
    return Folder(hidden.rename(hidden.with_name(hidden.name.removeprefix("."))), lock)


def _parent(identity: Identity) -> Path:
    """Return the folder for temporary files, or /tmp when that is too long or the servers cannot enter it."""
    preferred = Path(tempfile.gettempdir()).resolve()
    room = SOCKET_PATH_MAX - len(PREFIX) - 8 - 1 - len(_LONGEST_SOCKET)
    fits = len(os.fsencode(preferred)) <= room and can_reach(preferred, identity)
    return preferred if fits else SHORT_PARENT


def sweep(identity: Identity) -> list[Path]:
    """Stop the servers and remove the folders of supervisors that are no more; return these folders."""
    swept = []
    for parent in {_parent(identity), SHORT_PARENT}:
        for path in (*parent.glob(f"{PREFIX}*"), *parent.glob(f".{PREFIX}*")):
            if _is_abandoned(path, identity):
                _stop_servers(path, identity)
                shutil.rmtree(path, ignore_errors=True)
                swept.append(path)
    return swept


def _is_abandoned(path: Path, identity: Identity) -> bool:
    try:
        status = path.lstat()
        if path.is_symlink() or status.st_uid not in (identity.uid, os.geteuid()):
            return False
        if path.name.startswith("."):
            return time.time() - status.st_mtime > _YOUNG_S
        with open(path / "supervisor.lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        # Its supervisor is removing it just now, or was killed while it did.
        with contextlib.suppress(OSError):
            return time.time() - path.lstat().st_mtime > _YOUNG_S
        return False
    except OSError:
        return False
    return True


def _stop_servers(path: Path, identity: Identity) -> None:
    """Kill what `servers.json` names, but only processes that are certainly ours.

    The file could be stale and its pids reused, so a process must have the recorded start time, run as
    the folder's owner and have the folder's path in its command line.
    """
    try:
        entries = json.loads((path / "servers.json").read_text())
    except (OSError, ValueError):
        return
    for entry in entries:
        with contextlib.suppress(psutil.Error, KeyError, TypeError, ValueError):
            process = psutil.Process(int(entry["pid"]))
            is_ours = (
                abs(process.create_time() - float(entry["created"])) < 2.0
                and process.uids().real == identity.uid
                and str(path) in " ".join(process.cmdline())
            )
            if is_ours:
                kill_tree(process)


def kill_tree(process: psutil.Process, wait_s: float = 3.0) -> None:
    """Kill a server with its children at once; nothing of what it would still write is kept."""
    tree = [process, *process.children(recursive=True)]
    for member in tree:
        with contextlib.suppress(psutil.Error):
            member.kill()
    deadline = time.monotonic() + wait_s
    while any(_lives(member) for member in tree) and time.monotonic() < deadline:
        time.sleep(0.01)


def _lives(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie that its parent has not reaped yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
