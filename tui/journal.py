"""What happened, on disk: one JSON line an entry, appended, locked and flushed before anything else goes on.

Each environment has a folder and each profile a file of its own, so nothing of the sandbox can be taken for
production's record. Entries never hold secrets: callers hand over commands and identities that are free of them.
"""

import asyncio
import fcntl
import json
import os
import pwd
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tui.sources.text import clean


class JournalError(Exception):
    """An entry could not be put on disk; the message names the file and the reason."""


class Journal:
    """One profile's record, shared by every opstui that uses the same state folder."""

    def __init__(self, folder: Path, profile: str, environment: str) -> None:
        self.path = folder / environment / f"{profile}.jsonl"
        self._profile = profile
        self._environment = environment

    async def append(self, what: str, entry: Mapping[str, Any]) -> None:
        """Write one entry and return when it is on disk.

        Args:
            what: `intent`, `outcome`, `verified`, `refused`, `cancelled`.
            entry: JSON-serialisable fields of the entry.

        Raises:
            JournalError: it is not on disk; nothing may be sent.
        """
        line = {"at": _utc_now(), "what": what, **_who(), "profile": self._profile, "environment": self._environment}
        await asyncio.to_thread(self._write, json.dumps({**line, **entry}, ensure_ascii=False, default=str))

    def _write(self, line: str) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # O_APPEND with one write under the lock: two opstui never interleave, and a kill -9 loses no whole line.
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                # Half a surrogate pair (an odd byte of the environment) has no UTF-8; escaped, it is JSON still.
                data = (self._line_end(descriptor) + line + "\n").encode("utf-8", "backslashreplace")
                if os.write(descriptor, data) != len(data):
                    raise JournalError(f"{self.path}: the disk took only part of the entry")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error

    @staticmethod
    def _line_end(descriptor: int) -> str:
        """Return the line end that an entry cut off by a crash or a full disk still owes."""
        size = os.fstat(descriptor).st_size
        return "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the entries, oldest first; a line cut off by a crash is passed over."""
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        for line in text.split("\n"):  # not splitlines: U+2028 within a text ends no line of JSON
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry


def who() -> str:
    """Return who sits at this terminal, for the status line: the login, and the one behind `sudo`."""
    account = _who()
    return f"{account['user']} (sudo by {account['sudo_user']})" if "sudo_user" in account else account["user"]


def _who() -> dict[str, str]:
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = f"uid {uid}"
    found = {"user": user}
    for key, variable in (("sudo_user", "SUDO_USER"), ("ssh_client", "SSH_CONNECTION"), ("tmux", "TMUX_PANE")):
        if value := os.environ.get(variable):
            found[key] = clean(value.split(" ")[0], limit=100)
    return found


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
