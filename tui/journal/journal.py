"""One JSON line an entry: appended, locked, chained to the line before and flushed before anything else goes on.

Each environment has a folder and each profile a file of its own, so nothing of the sandbox can be taken for
production's record. Entries never hold secrets: callers hand over commands and identities that are free of them.

The chain (`prev` is the SHA-256 of the line before) makes a casual edit visible; whoever can write the file can also
write a whole new chain.
"""

import asyncio
import fcntl
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import tui
from tui.journal.account import person, process

END_OF_TIME: Final = 253_402_300_800.0
"""`time.time()` of the year 10000: what is later no calendar can show."""
_LOCK_S: Final = 5.0
"""How long to wait for another opstui that is writing (or was stopped while it wrote)."""
_LOCK_PAUSE_S: Final = 0.02
_BLOCK: Final = 16 * 1024


class JournalError(Exception):
    """An entry could not be put on disk, or the journal not be read; the message names the file and the reason."""


class Journal:
    """One profile's record, shared by every opstui that uses the same state folder."""

    def __init__(self, folder: Path, profile: str, environment: str, *, is_shared: bool = False) -> None:
        """Name the journal; nothing is read or made.

        Args:
            folder: where the journals of all profiles are.
            profile: name of the profile.
            environment: what kind it is.
            is_shared: whether it is a team's folder (`state_dir` of the profile), whose group shares what is in it.
        """
        self.path = folder / environment / f"{profile}.jsonl"
        self._folder = folder
        self.is_shared = is_shared
        """Whether a group shares what is in the folder."""
        self._profile = profile
        self._environment = environment

    async def append(self, what: str, entry: Mapping[str, Any]) -> None:
        """Write one entry and return when it is on disk.

        Args:
            what: `intent`, `accepted`, `outcome`, `refused`, `cancelled`, `resolved`, `regressed`, `armed`,
                `disarmed`, `note`, `snapshot`, `pin`, `unpin`, `opened`, `closed`, `walk`, `ack`,
                `silence`, `unsilence`.
            entry: JSON-serialisable fields of the entry.

        Raises:
            JournalError: it is not on disk; nothing may be sent.
        """
        fields = {**person(), "profile": self._profile, "environment": self._environment, "version": tui.__version__}
        await asyncio.to_thread(self._write, what, {**fields, **entry})

    def _write(self, what: str, entry: Mapping[str, Any]) -> None:
        if self.is_shared and (reason := shared_folder_problem(self._folder)):
            raise JournalError(reason)
        try:
            descriptor = self._open()
            try:
                _lock(descriptor, self.path)
                # The time is taken under the lock, so that the entries stand in its order.
                previous, cut_off = _last_line(descriptor)
                head = {"at": _utc_now(), "what": what, "prev": previous, **process()}
                line = json.dumps({**head, **entry}, ensure_ascii=False, default=str)
                # Half a surrogate pair (an odd byte of the environment) has no UTF-8; escaped, it is JSON still.
                data = (cut_off + line + "\n").encode("utf-8", "backslashreplace")
                # O_APPEND with one write under the lock: two opstui never interleave, a kill -9 loses no whole line.
                if os.write(descriptor, data) != len(data):
                    raise JournalError(f"{self.path}: the disk took only part of the entry")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error

    def make_folder(self) -> None:
        """Make the folder the journal is in, where there is none yet.

        Raises:
            OSError: it cannot be made; a shared one must be there.
        """
        folder = self.path.parent
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=not self.is_shared, exist_ok=True)
            if self.is_shared:
                folder.chmod(0o2770)  # whatever the umask of whoever came first, the team's files are the team's

    def _open(self) -> int:
        self.make_folder()
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        found = os.fstat(descriptor)
        if self.is_shared and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != 0o660:
            os.fchmod(descriptor, 0o660)
        return descriptor

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the entries, oldest first; a line cut off by a crash is passed over. Raises JournalError."""
        for line in self.lines():
            if (entry := decoded(line)) is not None:
                yield entry

    def lines(self) -> Iterator[bytes]:
        """Yield the lines as they stand on disk, oldest first, without their line ends. Raises JournalError."""
        try:
            with self.path.open("rb") as file:
                for line in file:
                    yield line.removesuffix(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise JournalError(f"{self.path}: {error.strerror}") from error


def shared_folder_problem(folder: Path) -> str:
    """Return what keeps a folder from being one that a group shares, with the remedy; empty when nothing does."""
    try:
        found = folder.stat()
    except OSError as error:
        return f"{folder}: {error.strerror}; make it with: install -d -m 2770 -g GROUP {folder}"
    if not stat.S_ISDIR(found.st_mode):
        return f"{folder} is not a folder"
    if found.st_mode & stat.S_IWOTH:
        return f"{folder}: everyone can write to it; chmod o-w {folder}"
    if not (found.st_mode & stat.S_ISGID and found.st_mode & stat.S_IWGRP):
        return f"{folder}: its group cannot share it; chmod 2770 {folder}"
    return ""


def decoded(line: bytes) -> dict[str, Any] | None:
    """Return the entry on a line; None when it is not one (cut off by a crash or a full disk)."""
    try:
        entry = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def moment_of(entry: Mapping[str, Any]) -> float:
    """Return when an entry was written, as `time.time()`; 0 when it does not say, or nothing that can be."""
    try:
        at = datetime.fromisoformat(str(entry.get("at", ""))).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return at if 0 <= at < END_OF_TIME else 0.0


def link_of(line: bytes) -> str:
    """Return what the line after this one must carry as `prev`."""
    return hashlib.sha256(line).hexdigest()


def _lock(descriptor: int, path: Path) -> None:
    until = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise JournalError(f"{path}: another opstui has held its lock for {_LOCK_S:g} s") from None
            time.sleep(_LOCK_PAUSE_S)
        else:
            return


def _last_line(descriptor: int) -> tuple[str, str]:
    """Return the link to the last line, empty for the first entry of all, and the line end that it still owes."""
    end = size = os.fstat(descriptor).st_size if stat.S_ISREG(os.fstat(descriptor).st_mode) else 0
    tail = b""
    while end and b"\n" not in tail[:-1]:
        begin = max(0, end - _BLOCK)
        tail = os.pread(descriptor, end - begin, begin) + tail
        end = begin
    if not size:
        return "", ""
    cut_off = "" if tail.endswith(b"\n") else "\n"
    return link_of(tail.removesuffix(b"\n").rpartition(b"\n")[2]), cut_off


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
