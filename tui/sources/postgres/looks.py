"""Reads what single views show, in the tick's transaction: only while somebody looks, each query at its own pace."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from tui.sources.postgres import overview
from tui.sources.postgres.facts import Server
from tui.sources.postgres.overview import Overview, Wraparound
from tui.sources.postgres.row import Row
from tui.sources.postgres.view_facts import ViewFacts

OVERVIEW: Final = "overview"
"""Name of the view; `look_at` takes it."""

_FOR_RULES_EVERY_S: Final = 10.0
_RATE_AT_MOST_S: Final = 60.0
"""A rate over a longer time would tell of the time nobody looked."""


class Ask(Protocol):
    """Runs a query of `tui/sources/sql`; empty where it is switched off."""

    def __call__(self, name: str, *values: object) -> Awaitable[Sequence[Row]]:
        """Return the rows."""
        ...


class Looks:
    """What the views of one server show.

    A pane that shows a view says so with every drawing; the next tick then reads what that view needs. A hidden tab
    draws nothing, so it costs nothing but what the rules need.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Make it; `clock` gives seconds that only grow."""
        self._clock = clock
        self._view = ""
        self.forget()

    def forget(self) -> None:
        """Drop every fact: another server answers."""
        self._wal: tuple[datetime, int] | None = None
        self._wraparound: tuple[Wraparound, ...] = ()
        self._wraparound_at = float("-inf")

    def look_at(self, view: str) -> None:
        """Have the next tick read what this view shows."""
        self._view = view

    async def read(self, ask: Ask, server: Server, now: datetime) -> ViewFacts:
        """Return what the view somebody looks at needs, and what the rules need.

        Args:
            ask: runs a query in the tick's transaction.
            server: who answers.
            now: the server's clock.
        """
        view = self._view
        if self._clock() - self._wraparound_at >= _FOR_RULES_EVERY_S:
            self._wraparound, self._wraparound_at = overview.wraparound(await ask("wraparound")), self._clock()
        seen = ViewFacts(
            overview=await self._overview(ask, server, now) if view == OVERVIEW else None,
            wraparound=self._wraparound,
        )
        # Only now: a query that switches itself off begins the whole tick anew.
        self._view = ""
        return seen

    async def _overview(self, ask: Ask, server: Server, now: datetime) -> Overview:
        rows = await ask("overview")
        holders = overview.holders(await ask("horizon"))
        uptime_s = (now - server.started).total_seconds()
        if not rows:
            return Overview(uptime_s, holders=holders)
        (row,) = rows
        return Overview(
            uptime_s,
            overview.checkpoints(row),
            overview.archiver(row),
            self._wal_rate(row["wal_bytes"], now),
            holders,
        )

    def _wal_rate(self, position: int | None, now: datetime) -> float | None:
        before, self._wal = self._wal, None if position is None else (now, position)
        if before is None or position is None:
            return None
        seconds = (now - before[0]).total_seconds()
        return max(0, position - before[1]) / seconds if 0 < seconds <= _RATE_AT_MOST_S else None
