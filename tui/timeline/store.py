"""What was seen, on disk beside the journal: so that the timeline goes on where opstui ended.

Several opstui may share the file. Only the one that holds the lock beside it writes; when that one ends, another
takes over and adds what it saw in between. Written in batches, without waiting for the disk: what was seen is no
record of what was done. All of it blocks, so it is called in a thread.
"""

import fcntl
import json
import os
import stat
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tui.journal.journal import Journal, decoded
from tui.timeline.entry import Entry, is_same
from tui.timeline.fold import folded
from tui.timeline.model import LIMIT
from tui.timeline.written import read, written

MAX_BYTES: Final = 4 * 1024 * 1024
"""How long the file becomes before it is put aside; the one put aside before it is then gone."""
_HELD_S: Final = 60.0
"""What another opstui may have failed to write before it ended."""
_HELD_MOST: Final = 1000


class Store:
    """The file of one profile's entries."""

    def __init__(self, journal: Journal, *, max_bytes: int = MAX_BYTES) -> None:
        """Name the files; nothing is read or made."""
        self.path = journal.path.with_suffix(".timeline.jsonl")
        self._lock_path = journal.path.with_suffix(".timeline.lock")
        self._old_path = journal.path.with_suffix(".timeline.old.jsonl")
        self._journal = journal
        self._max_bytes = max_bytes
        self._guard = threading.Lock()
        self._lock: int | None = None
        self._held: deque[Entry] = deque(maxlen=_HELD_MOST)
        """What was seen lately and not written, because another opstui writes."""

    @property
    def is_writer(self) -> bool:
        """Whether this opstui is the one that writes."""
        return self._lock is not None

    def history(self, most: int = LIMIT) -> list[Entry]:
        """Return what was seen before, oldest first, the newest `most` lines.

        Raises:
            OSError: a file is there and cannot be read.
        """
        lines: deque[bytes] = deque(maxlen=most)
        for path in (self._old_path, self.path):
            try:
                with path.open("rb") as file:
                    lines.extend(file)
            except FileNotFoundError:
                continue
        found = [entry for line in lines if (entry := read(decoded(line))) is not None]
        return sorted(folded(found), key=lambda entry: entry.at)

    def write(self, entries: Iterable[Entry]) -> None:
        """Write what was seen, or remember it while another opstui writes.

        Raises:
            OSError: the lock or the file cannot be written; the entries are remembered for the next time.
        """
        with self._guard:  # one that was given up waiting for may still be at it
            self._held.extend(entries)
            if not self._is_ours():
                newest = max((entry.newest_at for entry in self._held), default=0.0)
                while self._held and self._held[0].newest_at < newest - _HELD_S:
                    self._held.popleft()
            elif self._held:
                self._append("".join(f"{json.dumps(written(e), ensure_ascii=False)}\n" for e in folded(self._held)))
                self._held.clear()

    def close(self) -> None:
        """Let another opstui write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _is_ours(self) -> bool:
        """Tell whether this opstui writes, taking over when nobody does."""
        if self._lock is not None:
            return True
        self._journal.make_folder()
        descriptor = self._open(self._lock_path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        self._drop_written()
        return True

    def _drop_written(self) -> None:
        """Forget of what is remembered what the opstui that wrote before has written."""
        if not self._held:
            return
        since = min(entry.at for entry in self._held) - _HELD_S
        known = {entry.id: entry for entry in self.history() if entry.newest_at >= since}
        missing = [entry for entry in self._held if entry.id not in known]
        self._held.clear()
        self._held.extend(entry for entry in missing if not any(is_same(entry, one) for one in known.values()))

    def _append(self, text: str) -> None:
        descriptor = self._open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            size = os.fstat(descriptor).st_size
            data = text.encode("utf-8", "backslashreplace")
            if os.write(descriptor, data) != len(data):
                os.ftruncate(descriptor, size)
                raise OSError(28, "the disk took only part of it")
        finally:
            os.close(descriptor)
        if size + len(data) > self._max_bytes:
            os.replace(self.path, self._old_path)

    def _open(self, path: Path, flags: int) -> int:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        found = os.fstat(descriptor)
        if self._journal.is_shared and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != 0o660:
            os.fchmod(descriptor, 0o660)
        return descriptor
