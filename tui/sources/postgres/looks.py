"""Reads what single views show, in the tick's transaction: only while somebody looks, each query at its own pace."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from tui.sources.postgres import overview, progress, replication, settings, tables
from tui.sources.postgres.facts import Server
from tui.sources.postgres.overview import Overview, Wraparound
from tui.sources.postgres.replication import Positions, Replication
from tui.sources.postgres.row import Row
from tui.sources.postgres.settings import Settings
from tui.sources.postgres.tables import Indexes, Tables
from tui.sources.postgres.view_facts import ViewFacts

OVERVIEW: Final = "overview"
TABLES: Final = "tables"
INDEXES: Final = "indexes"
REPLICATION: Final = "replication"
PROGRESS: Final = "progress"
SETTINGS: Final = "settings"
"""Names of views; `look_at` takes them."""

_FOR_RULES_EVERY_S: Final = 10.0
_RATE_AT_MOST_S: Final = 60.0
"""A rate over a longer time would tell of the time nobody looked."""
_DEAR_EVERY_S: Final = 30.0
_DEAR_SHARE: Final = 0.005
"""How much of its time the server may spend on one dear query."""
_DEAR_IN_A_TICK_S: Final = 0.5
"""When a tick has spent so much on dear queries, the others wait for the next."""


class Ask(Protocol):
    """Runs a query of `tui/sources/sql`; empty where it is switched off."""

    def __call__(self, name: str, *, is_dear: bool = False) -> Awaitable[Sequence[Row]]:
        """Return the rows; a dear query is given little time, and goes away for long when it needs more."""
        ...


class _Paced:
    """The rows of a dear query, which are read again only when they have cost little enough."""

    def __init__(self) -> None:
        self.rows: Sequence[Row] = ()
        self.at = float("-inf")
        self._due_at = float("-inf")

    def is_due(self, now_s: float) -> bool:
        return now_s >= self._due_at

    def learn(self, rows: Sequence[Row], began_s: float, now_s: float) -> None:
        self.rows, self.at = rows, now_s
        self._due_at = now_s + max(_DEAR_EVERY_S, (now_s - began_s) / _DEAR_SHARE)


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
        self._replication = Replication()
        self._positions = Positions()
        self._for_rules_at = float("-inf")
        self._paced = {"tables": _Paced(), "bloat": _Paced(), "indexes": _Paced(), "settings": _Paced()}

    def look_at(self, view: str) -> None:
        """Have the next tick read what this view shows."""
        self._view = view

    async def read(self, ask: Ask, server: Server, now: datetime, *, has_senders: bool) -> ViewFacts:
        """Return what the view somebody looks at needs, and what the rules need.

        Args:
            ask: runs a query in the tick's transaction.
            server: who answers.
            now: the server's clock.
            has_senders: whether somebody may receive WAL from it.
        """
        view, is_due = self._view, self._clock() - self._for_rules_at >= _FOR_RULES_EVERY_S
        if is_due:
            self._wraparound = overview.wraparound(await ask("wraparound"))
        if is_due or view == REPLICATION:
            self._replication = await self._replicated(ask, server, now, has_senders, is_open=view == REPLICATION)
        if is_due:
            self._for_rules_at = self._clock()
        seen = ViewFacts(
            overview=await self._overview(ask, server, now) if view == OVERVIEW else None,
            wraparound=self._wraparound,
            replication=self._replication,
            tables=await self._tables(ask) if view == TABLES else None,
            indexes=await self._indexes(ask) if view == INDEXES else None,
            progress=progress.progress(await ask("progress")) if view == PROGRESS else None,
            settings=await self._settings(ask) if view == SETTINGS else None,
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

    async def _replicated(
        self, ask: Ask, server: Server, now: datetime, has_senders: bool, *, is_open: bool
    ) -> Replication:
        # Dearer than the rest, and without a walsender nobody is in it.
        receivers = await ask("replication") if has_senders else ()
        now_s = now.timestamp()
        own = await ask("standby") if server.is_standby else ()
        return Replication(
            replicas=replication.replicas(receivers, self._positions, now_s),
            slots=replication.slots(await ask("slots")),
            standby=next((replication.standby(row, self._positions, now_s) for row in own), None),
            conflicts=replication.conflicts(await ask("conflicts")) if server.is_standby and is_open else (),
        )

    async def _tables(self, ask: Ask) -> Tables:
        await self._read(ask, "tables", "bloat")
        found = self._paced["tables"]
        bloat = {row["oid"]: row["bytes"] for row in self._paced["bloat"].rows}
        rows = tuple(tables.table(row, bloat) for row in found.rows)
        return Tables(rows, tables.total(found.rows), self._clock() - found.at)

    async def _indexes(self, ask: Ask) -> Indexes:
        await self._read(ask, "indexes")
        found = self._paced["indexes"]
        rows = tuple(tables.index(row) for row in found.rows)
        return Indexes(rows, tables.total(found.rows), self._clock() - found.at)

    async def _settings(self, ask: Ask) -> Settings:
        await self._read(ask, "settings")
        return settings.settings(self._paced["settings"].rows)

    async def _read(self, ask: Ask, *names: str) -> None:
        began = self._clock()
        for name in names:
            paced, now = self._paced[name], self._clock()
            if paced.is_due(now) and now - began < _DEAR_IN_A_TICK_S:
                paced.learn(await ask(name, is_dear=True), now, self._clock())
