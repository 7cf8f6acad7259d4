"""Follows a journal that others write to as well: only what is new is read."""

import asyncio
import os
from typing import Any

from tui.journal.journal import Journal, JournalError, decoded


class Tail:
    """Hands out each entry once, ours and those of every other opstui on the same journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._offset = 0
        self._inode: int | None = None
        self._lock = asyncio.Lock()

    async def news(self) -> list[dict[str, Any]]:
        """Return the entries that came since this was last asked, oldest first; the first time all of them.

        A journal that was put elsewhere and begun anew is read from its beginning.

        Raises:
            JournalError: it cannot be read.
        """
        async with self._lock:
            return await asyncio.to_thread(self._read)

    def _read(self) -> list[dict[str, Any]]:
        try:
            found = os.stat(self._journal.path)
            if found.st_ino != self._inode or found.st_size < self._offset:
                self._inode, self._offset = found.st_ino, 0
            if found.st_size == self._offset:
                return []
            with self._journal.path.open("rb") as file:
                file.seek(self._offset)
                # The last line may still be under way: it is read when it is whole.
                whole, line_end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise JournalError(f"{self._journal.path}: {error.strerror}") from error
        self._offset += len(whole) + len(line_end)
        return [entry for line in whole.split(b"\n") if (entry := decoded(line)) is not None]
