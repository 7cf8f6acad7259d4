"""Looks once a second whether somebody wrote to the journal, and tells everyone who wants to know."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tui.journal.journal import Journal, JournalError
from tui.journal.tail import Tail

_PAUSE_S: Final = 1.0
_SLICE: Final = 250
"""Entries handed out before others get their turn."""

Taker = Callable[[Sequence[Mapping[str, Any]]], None]
"""Takes new entries, oldest first; called on the event loop."""


class News:
    """One follower of the journal for all who need its entries; whoever subscribes before the first look gets all."""

    def __init__(self, journal: Journal) -> None:
        self._tail = Tail(journal)
        self._takers: list[Taker] = []
        self._handing = asyncio.Lock()
        self.failure = ""
        """Why the journal cannot be read; empty when it can."""

    def subscribe(self, taker: Taker) -> None:
        """Have new entries handed to `taker`, each once."""
        self._takers.append(taker)

    async def fetch(self) -> None:
        """Look now, and return when everyone has what is new."""
        async with self._handing:
            try:
                entries = await self._tail.news()
            except JournalError as error:
                self.failure = str(error)
                return
            self.failure = ""
            for start in range(0, len(entries), _SLICE):
                for taker in self._takers:
                    taker(entries[start : start + _SLICE])
                await asyncio.sleep(0)

    async def follow(self) -> None:
        """Look once a second until cancelled."""
        while True:
            await self.fetch()
            await asyncio.sleep(_PAUSE_S)
