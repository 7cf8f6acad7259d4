"""The connections to one PostgreSQL server: one that reads, and those that are lent to actions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from profiles.systems import Database
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.forward import Forward
from tui.sources.postgres import connection, queries, words
from tui.sources.postgres.connection import Link
from tui.sources.postgres.facts import ACTION_APPLICATION, OWN_APPLICATION, Server


class Connections:
    """One reading connection, used by one at a time; whatever goes wrong drops it, and the next user opens another."""

    def __init__(self, entry: Database, forward: Forward | None = None) -> None:
        """Prepare; nothing is connected. `forward` leads to the pod it is behind, and is closed with the source."""
        self._forward = forward
        self.timeout_s = 5.0
        self.server: Server | None = None
        """Who answers, and what our role may do there; None while nobody does."""
        self._entry = entry
        self._lock = asyncio.Lock()
        self._link: Link | None = None
        self._lent: set[Link] = set()
        """Connections that work for somebody beyond a single call."""

    def _opened(self) -> None:
        """Forget what was found out about the connection before."""

    @contextlib.asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Give up a little before the poller does, to say what to try."""
        seconds = self.timeout_s - 0.5
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise Unreachable(
                f"no answer within {seconds:g} s", "is the server stopped, swapping or cut off?"
            ) from error

    @contextlib.asynccontextmanager
    async def _exclusive(self) -> AsyncIterator[Link]:
        """Lend the connection, opened if need be, to one user at a time; after any failure it is dropped."""
        async with self._lock:
            try:
                link = await self._connected()
                with words.translated():
                    yield link
            except BaseException:
                self._drop()
                raise

    async def _connected(self) -> Link:
        if self._link is not None and not self._link.connection.is_closed():
            return self._link
        self._drop()
        link = await connection.connect(self._entry, OWN_APPLICATION, forward=self._forward)
        self._link = link
        self._opened()
        if link.major < queries.OLDEST_MAJOR:
            raise Unreadable(f"PostgreSQL {link.major} is older than {queries.OLDEST_MAJOR}, the oldest opstui reads")
        return link

    def describe_anew(self) -> None:
        """Have the next read find out again who answers and what is there, as after a change of ours."""
        self.server = None

    def _drop(self) -> None:
        if self._link is not None:
            self._link.drop()
        self._link = None
        self.server = None

    async def close(self) -> None:
        """Close every connection without waiting for the server; a statement that still runs there goes on."""
        self._drop()
        for link in tuple(self._lent):
            self.give_back(link)
        if self._forward is not None:
            await self._forward.close()

    async def psql(self) -> str:
        """Return the `psql` command that reaches this database; without secrets. `psql` alone when it is unknown."""
        try:
            where = await connection.describe(self._entry)
        except SourceError:
            return "psql"
        if self._forward is not None:
            where = where.behind("", self._forward.by_hand(connection.FORWARDED_PORT), self._forward.where)
        return where.psql()

    @contextlib.asynccontextmanager
    async def for_action(self) -> AsyncIterator[Link]:
        """Lend a connection of its own to an action, closed afterwards.

        When the server has no place left for it, the reading connection serves: then least of all should ending a
        session fail for want of one.

        Raises:
            SourceError: there is no connection; nothing was sent.
        """
        try:
            link = await connection.connect(self._entry, ACTION_APPLICATION, forward=self._forward)
        except SourceError as error:
            if getattr(error.__cause__, "sqlstate", None) != "53300" or self._link is None:
                raise
            async with self._exclusive() as shared:
                yield shared
            return
        try:
            yield link
        finally:
            link.drop()

    async def for_writing(self, **settings: str) -> Link:
        """Open a connection that may write, to be given back; `settings` are those of its session.

        Raises:
            Denied: a pooler stands in between: what is sent next might reach another session, even another server.
            SourceError: there is no connection.
        """
        own = {"search_path": "pg_catalog", **settings}
        link = await connection.connect(self._entry, ACTION_APPLICATION, settings=own, forward=self._forward)
        if link.is_pooled:
            link.drop()
            raise Denied(
                "the dsn leads to a pooler, and this change needs a session of its own",
                "name the server itself in the profile",
            )
        self._lent.add(link)
        return link

    def give_back(self, link: Link) -> None:
        """Close a connection of `for_writing`."""
        link.drop()
        self._lent.discard(link)

    @contextlib.asynccontextmanager
    async def at_hand(self) -> AsyncIterator[Link]:
        """Lend the connection that reads, in a transaction, between two ticks: for what is looked at again and again.

        Raises:
            SourceError: the server cannot be asked.
        """
        async with self._in_time(), self._exclusive() as link:
            await link.begin()
            yield link
            await link.end()
