"""Reads one PostgreSQL server: one connection, one transaction per tick, one query at a time."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from profiles.systems import Database
from tui.sources.errors import Denied, Unreadable
from tui.sources.forward import Forward
from tui.sources.postgres import queries, rows, words
from tui.sources.postgres.blocking import blocking_tree
from tui.sources.postgres.connection import Link
from tui.sources.postgres.detail import SessionDetail, session_detail
from tui.sources.postgres.facts import (
    DatabaseSnapshot,
    Rates,
    Server,
    Session,
    StatementKey,
    Statements,
)
from tui.sources.postgres.lending import Connections
from tui.sources.postgres.looks import Looks
from tui.sources.postgres.masking import masked
from tui.sources.postgres.missing import missing
from tui.sources.postgres.plan import Plan, Statement, explain
from tui.sources.postgres.row import one_line
from tui.sources.postgres.settings import Parameter, parameters
from tui.sources.postgres.statements import StatementWindow
from tui.sources.text import clean, clean_lines

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

_QUERY_CHARACTERS: Final = 200
_STATEMENTS_EVERY_S: Final = 6.0
_TEXTS_EVERY_S: Final = 10.0
_LIMITS_EVERY_S: Final = 60.0


class _SwitchedOffError(Exception):
    """An optional query failed in a way that says it should not be sent again; the tick starts over without it."""


class PostgresSource(Connections):
    """Reads sessions, locks, counters and statements of one server.

    Whatever goes wrong, a timeout and a cancellation included, drops the connection; the next read opens a new one.
    """

    def __init__(
        self,
        name: str,
        entry: Database,
        *,
        interval_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        masks: bool = False,
        forward: Forward | None = None,
    ) -> None:
        """Make the source; nothing is connected.

        Args:
            name: what the profile calls it.
            entry: where it is.
            interval_s: seconds between two ticks.
            clock: seconds that only grow.
            masks: whether literals in statements are masked, for a screen that several people see.
            forward: leads to the pod it is behind; closed with the source.
        """
        super().__init__(entry, forward)
        self.name = f"database:{name}"
        self.interval_s = interval_s
        self._clock = clock
        self._masks = masks
        self._shown = masked if masks else one_line
        self._off: dict[str, tuple[float, str]] = {}
        """Optional queries not sent on this connection: until when (our clock), and why."""
        self._looks = Looks(clock)
        self._forget()

    def look_at(self, view: str) -> None:
        """Have the next tick also read what a view shows that is not read for every tick."""
        self._looks.look_at(view)

    def _opened(self) -> None:
        self._off.clear()

    def _forget(self) -> None:
        """Drop every baseline: another server's counters have nothing to do with ours."""
        self._looks.forget()
        self._counters: Record | None = None
        self._counted_at: datetime | None = None
        self._limits: list[Record] = []
        self._limits_at = float("-inf")
        self._window = StatementWindow()
        self._statements: Statements | None = None
        self._sampled_at = float("-inf")
        self._texts_at = float("-inf")

    async def read(self) -> DatabaseSnapshot:
        """Return this tick of the server.

        Raises:
            Unreachable: nobody answered, or the connection was lost.
            Denied: the server refused us: credentials, too many clients, no such database.
            Unreadable: the dsn is wrong, or the server is older than the queries.
        """
        async with self._in_time(), self._exclusive() as link:
            while True:
                try:
                    return await self._tick(link)
                except _SwitchedOffError:
                    await link.end(commit=False)

    async def _tick(self, link: Link) -> DatabaseSnapshot:
        await link.begin()
        asked_at = time.time()
        (now,) = await link.fetch("tick")
        clock_offset_s = now["now"].timestamp() - (asked_at + time.time()) / 2
        server = await self._described(link, now)
        sessions = tuple(rows.session(row, self._shown) for row in await link.fetch("activity", _QUERY_CHARACTERS))
        blockers = await self._blockers(server, sessions)
        waits = rows.lock_waits(await self._optional("lock_waits")) if blockers else {}
        is_prepared = any(0 in theirs for theirs in blockers.values())
        prepared = rows.prepared(await self._optional("prepared")) if is_prepared else ()
        counted = await self._optional("counters")
        await self._sample_statements(server, now["now"])
        if self._clock() - self._limits_at >= _LIMITS_EVERY_S:
            self._limits, self._limits_at = await self._optional("limits"), self._clock()
        # A role that may not see what a session is cannot tell who sends WAL.
        has_senders = any(session.backend_type in ("walsender", None) for session in sessions)
        views = await self._looks.read(self._optional, server, now["now"], has_senders=has_senders)
        await link.end()
        return DatabaseSnapshot(
            server=server,
            sessions=sessions,
            connections=rows.connections(sessions, self._limits),
            tree=blocking_tree(blockers, {s.pid: s.leader_pid for s in sessions if s.leader_pid is not None}),
            waits=waits,
            prepared=prepared,
            clock_offset_s=clock_offset_s,
            rates=self._rates(counted, now["now"]),
            statements=self._statements,
            views=views,
            missing=missing(server, sessions, views, self._off),
        )

    async def _described(self, link: Link, now: "Record") -> Server:
        known = self.server
        if known is not None and known.started == now["started"] and known.is_standby == now["is_standby"]:
            return known
        (row,) = await link.fetch("facts")
        system = await self._optional("system") if row["may_read_system"] else []
        why_not = self._off.get("system", (0.0, ""))[1]
        self.server = rows.server(row, system, why_not, link.dsn, is_pooled=link.is_pooled)
        self._forget()
        return self.server

    async def _blockers(self, server: Server, sessions: tuple[Session, ...]) -> Mapping[int, tuple[int, ...]]:
        if not server.may_read_stats:
            return {row["pid"]: rows.blockers(row["blockers"]) for row in await self._optional("blockers")}
        return {session.pid: session.blockers for session in sessions if session.blockers}

    def _rates(self, counted: "list[Record]", now: datetime) -> Rates | None:
        before, before_at = self._counters, self._counted_at
        self._counters, self._counted_at = (counted[0], now) if counted else (None, None)
        if self._counters is None or before_at is None:
            return None
        return rows.rates(before, self._counters, (now - before_at).total_seconds())

    async def _sample_statements(self, server: Server, now: datetime) -> None:
        wait_s = _STATEMENTS_EVERY_S if self._window.is_warm else 0.0
        if server.statements_version is None or self._clock() - self._sampled_at < wait_s:
            return
        major = queries.statements_major(server.statements_version)
        schema = server.statements_schema
        sample = await self._optional("statements", major=major, schema=schema)
        if "statements" in self._off:
            self._statements = None
            return
        self._sampled_at = self._clock()
        info = await self._optional("statements_info", major=major, schema=schema) if major >= 14 else []
        self._window.add(sample, now.timestamp(), info[0]["dealloc"] if info else None)
        if self._clock() - self._texts_at >= _TEXTS_EVERY_S and (ids := self._window.unknown_ids()):
            self._texts_at = self._clock()
            asked = ",".join(str(id_) for id_ in ids)
            texts = await self._optional("statement_texts", asked, major=major, schema=schema)
            self._window.learn_texts(ids, texts, self._shown if self._masks else clean_lines)
        if self._window.unknown_names():
            self._window.learn_names(await self._optional("names"))
        self._statements = self._window.top()

    async def _optional(
        self, name: str, *values: Any, major: int | None = None, schema: str = "pg_catalog", is_dear: bool = False
    ) -> "list[Record]":
        """Run a query the pane can do without; empty while it is switched off. A dear one is given a second.

        Raises:
            _SwitchedOffError: it failed in a way that would repeat; the transaction is lost with it.
        """
        import asyncpg

        assert self._link is not None  # noqa: S101 — only called from a tick, which holds the link
        if self._off.get(name, (0.0, ""))[0] > self._clock():
            return []
        self._off.pop(name, None)
        sql = queries.query(name, self._link.major if major is None else major).replace("{schema}", schema)
        try:
            if is_dear:
                return await self._link.fetch_briefly(sql)
            return await self._link.connection.fetch(sql, *values)
        except asyncpg.PostgresError as error:
            if (off := words.switches_off(error, is_dear=is_dear)) is None:
                raise
            seconds, why = off
            self._off[name] = (self._clock() + seconds, why)
            raise _SwitchedOffError from error

    async def detail(self, pid: int, backend_start: datetime | None) -> SessionDetail | None:
        """Return one session in full, None when it is gone. Waits for a tick under way.

        Raises:
            SourceError: the server could not be asked.
        """
        async with self._in_time(), self._exclusive() as link:
            await link.begin()
            found = await link.fetch("session_text", pid, backend_start)
            locks = await link.fetch("session_locks", pid) if found else []
            await link.end()
        return session_detail(found[0], locks, self._shown if self._masks else clean_lines) if found else None

    async def parameters(self) -> tuple[Parameter, ...]:
        """Return every parameter that could be changed, by name, as sessions without settings of their own have it.

        Raises:
            SourceError: the server could not be asked, or only through a pooler.
        """
        async with self._in_time():
            link = await self.for_writing()
            try:
                with words.translated():
                    return parameters(await link.fetch("parameters"))
            finally:
                self.give_back(link)

    async def plan_of_session(self, pid: int, backend_start: datetime | None) -> Plan | None:
        """Return how the server would run the newest statement of a session, which is not run; None: it is gone.

        Raises:
            Unreadable: it cannot be explained: it was cut, is no query, or the server does not take it so.
            Denied: our role is a superuser, or may not read what the statement reads.
            Unreachable: the server could not be asked in time.
        """
        async with self._in_time(), self._exclusive() as link:
            await link.begin()
            found = await link.fetch("session_statement", pid, backend_start)
            await link.end()
        return await self._plan(Statement.of(found[0])) if found else None

    async def plan_of_statement(self, key: StatementKey) -> Plan | None:
        """Return the same for an entry of pg_stat_statements, by `Statement.key`; None: the server no longer has it."""
        server = self.server
        if server is None or server.statements_version is None:
            return None
        role, database, id_, _ = key
        async with self._in_time(), self._exclusive() as link:
            await link.begin()
            sql = queries.query("known_statement", link.major).replace("{schema}", server.statements_schema)
            found = await link.connection.fetch(sql, role, database, id_)
            await link.end()
        return await self._plan(Statement.of(found[0])) if found else None

    async def _plan(self, statement: Statement) -> Plan:
        async with self._in_time():
            return await explain(self._entry, statement, masks=self._masks, forward=self._forward)

    async def value(self, statement: str) -> str | float | bool | None:
        """Return the one value that somebody's SELECT gives; numbers as float. Waits for a tick under way.

        It is prepared, so one statement only, and runs in a read-only transaction with the connection's own limits:
        3 s, and `search_path=pg_catalog`, so that other schemas must be named.

        Raises:
            Unreadable: it is no such statement; with the server's own words.
            SourceError: the server could not be asked.
        """
        try:
            async with self._in_time(), self._exclusive() as link:
                await link.begin()
                found = await link.connection.fetch(statement)
                await link.end()
        except Denied as error:
            role = self.server.role if self.server is not None else "our role"
            raise Denied(error.message, f"grant {role} SELECT on what the statement reads") from error
        if len(found) != 1 or len(found[0]) != 1:
            raise Unreadable(f"the statement must give one value, and gave {len(found)} rows")
        value = found[0][0]
        if value is None or isinstance(value, bool):
            return value
        return float(value) if isinstance(value, int | float | Decimal) else clean(str(value), limit=300)
