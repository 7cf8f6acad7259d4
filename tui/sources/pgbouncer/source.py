"""Reads one PgBouncer through its admin console, with SHOW commands alone."""

import asyncio
import contextlib
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from profiles import secrets
from profiles.systems import PgBouncer
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.pgbouncer import facts, passwords
from tui.sources.pgbouncer.facts import BouncerSnapshot, PooledClient, PooledServer
from tui.sources.pgbouncer.wire import Console, Login, ProtocolError, RefusedByServer, TextRow
from tui.sources.postgres import dsn as dsns
from tui.sources.postgres.facts import OWN_APPLICATION
from tui.sources.postgres.words import of_network
from tui.sources.text import clean

_CONFIG_EVERY_S: Final = 60.0
_DEFAULT_PORT: Final = 5432


@dataclass(frozen=True, slots=True)
class PoolDetail:
    """Who is in one pool, fetched when somebody opens it."""

    clients: tuple[PooledClient, ...]
    """Longest wait first."""
    servers: tuple[PooledServer, ...]


class PgBouncerSource:
    """Reads pools, databases and traffic of one PgBouncer.

    Whatever goes wrong drops the connection; the next read opens a new one.
    """

    def __init__(
        self,
        name: str,
        entry: PgBouncer,
        *,
        interval_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the source; nothing is connected.

        Args:
            name: what the profile calls it.
            entry: where its console is.
            interval_s: seconds between two reads.
            clock: seconds that only grow.
        """
        self.name = f"pgbouncer:{name}"
        self.interval_s = interval_s
        self.timeout_s = 5.0
        self._entry = entry
        self._clock = clock
        self._lock = asyncio.Lock()
        self._console: Console | None = None
        self._login = Login("", "", OWN_APPLICATION, None)
        self._psql = "psql"
        self._forget()

    def _forget(self) -> None:
        self._version = ""
        self._most_clients: int | None = None
        self._config_at = float("-inf")
        self._counters: facts.Counters = {}
        self._counted_at: float | None = None

    async def read(self) -> BouncerSnapshot:
        """Return its pools, databases and traffic.

        Raises:
            Unreachable: nobody answered, or the connection was lost.
            Denied: it did not let us in, or not to its console.
            Unreadable: what answers is no PgBouncer's console.
        """
        async with self._in_time(), self._exclusive() as console:
            pools = facts.pools(await console.query("SHOW POOLS"))
            databases = facts.databases(await console.query("SHOW DATABASES"))
            traffic = self._traffic(await console.query("SHOW STATS"))
            lists = {row.get("list"): row.get("items") for row in await console.query("SHOW LISTS")}
            if self._clock() - self._config_at >= _CONFIG_EVERY_S:
                await self._configured(console)
            clients = lists.get("used_clients") or ""
            return BouncerSnapshot(
                version=self._version,
                user=self._login.user,
                pools=pools,
                databases=databases,
                traffic=traffic,
                clients=int(clients) if clients.isdecimal() else None,
                most_clients=self._most_clients,
                psql=self._psql,
            )

    async def _configured(self, console: Console) -> None:
        values = {row.get("key"): row.get("value") for row in await console.query("SHOW CONFIG")}
        most = values.get("max_client_conn") or ""
        self._most_clients = int(most) if most.isdecimal() else None
        told = await console.query("SHOW VERSION")
        self._version = clean(next(iter(told[0].values()), "") or "") if told else ""
        self._config_at = self._clock()

    def _traffic(self, rows: list[TextRow]) -> dict[str, facts.Traffic]:
        before, before_at = self._counters, self._counted_at
        self._counters, self._counted_at = facts.counters(rows), self._clock()
        return {} if before_at is None else facts.traffic(before, self._counters, self._counted_at - before_at)

    async def detail(self, pool: tuple[str, str]) -> PoolDetail:
        """Return the clients and server connections of one pool. Waits for a read under way.

        Raises:
            SourceError: it could not be asked.
        """
        async with self._in_time(), self._exclusive() as console:
            clients = await console.query("SHOW CLIENTS")
            servers = await console.query("SHOW SERVERS")
        return PoolDetail(facts.clients(clients, pool), facts.servers(servers, pool))

    async def close(self) -> None:
        """Close the connection without waiting for anybody."""
        self._drop()

    @contextlib.asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        seconds = self.timeout_s - 0.5
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise Unreachable(f"no answer within {seconds:g} s", "is PgBouncer stopped or cut off?") from error

    @contextlib.asynccontextmanager
    async def _exclusive(self) -> AsyncIterator[Console]:
        async with self._lock:
            try:
                yield await self._connected()
            except BaseException as error:
                self._drop()
                if (found := _translated(error, self._login)) is not None:
                    raise found from error
                raise

    async def _connected(self) -> Console:
        if self._console is not None and not self._console.is_closed:
            return self._console
        self._drop()
        self._console = await self._open()
        return self._console

    def _drop(self) -> None:
        if self._console is not None:
            self._console.drop()
        self._console = None
        self._forget()

    async def _open(self) -> Console:
        try:
            where = await asyncio.to_thread(dsns.parse, await secrets.address(self._entry.dsn))
            given = await secrets.resolve(self._entry.password) if self._entry.password is not None else None
        except secrets.SecretError as error:
            raise Denied(str(error)) from error
        options = {"dbname": facts.CONSOLE, **where.options}
        self._psql = dsns.Dsn(options, where.service).psql()
        hosts, ports = where.hosts or ["localhost"], where.ports or [_DEFAULT_PORT]
        failure: SourceError | None = None
        for number, host in enumerate(hosts):
            port = ports[number if len(ports) == len(hosts) else 0]
            user = passwords.user_of(options, os.environ)
            self._login = Login(user, options["dbname"], OWN_APPLICATION, None)
            password = given or options.get("password") or os.environ.get("PGPASSWORD")
            if password is None:
                file = passwords.place_of_file(options, os.environ)
                password = await asyncio.to_thread(
                    passwords.from_file, file, host, port, options["dbname"], self._login.user
                )
            login = Login(user, options["dbname"], OWN_APPLICATION, password)
            try:
                async with asyncio.timeout(where.connect_timeout_s):
                    context = await asyncio.to_thread(_tls, options)
                    needs_tls = options.get("sslmode", "prefer") not in ("allow", "prefer")
                    return await Console.open(host, port, login, context, needs_tls=needs_tls)
            except OSError as error:  # TimeoutError is one, too
                failure = of_network(error, where.place)
        assert failure is not None  # noqa: S101 — there is always a host
        raise failure


def _tls(options: "dict[str, str]") -> ssl.SSLContext | None:
    """Return how TLS is begun; None for none. As libpq: without a CA nothing is verified."""
    mode, root = options.get("sslmode", "prefer"), options.get("sslrootcert")
    if mode == "disable":
        return None
    if root == "system":
        context = ssl.create_default_context()
    else:
        context = ssl.create_default_context(cafile=os.path.expanduser(root) if root else None)
        context.check_hostname = mode == "verify-full"
        if mode not in ("verify-ca", "verify-full") and not root:
            context.verify_mode = ssl.CERT_NONE
    if certificate := options.get("sslcert"):
        key = options.get("sslkey")
        context.load_cert_chain(os.path.expanduser(certificate), os.path.expanduser(key) if key else None)
    return context


def _translated(error: BaseException, login: Login) -> SourceError | None:
    """Return what an error of the wire means; None for one that means something already."""
    if isinstance(error, RefusedByServer):
        if error.sqlstate.startswith("28") or "auth" in str(error).lower() or "password" in str(error).lower():
            return Denied(str(error), "check user and password: in the profile, ~/.pgpass (mode 0600) or PgBouncer's")
        return Denied(
            str(error), f"in pgbouncer.ini: stats_users = {clean(login.user)}, and dbname=pgbouncer in the dsn"
        )
    if isinstance(error, ProtocolError):
        return Unreadable(str(error), "does the dsn lead to PgBouncer, and to its console (dbname=pgbouncer)?")
    if isinstance(error, OSError) and not isinstance(error, TimeoutError):
        return of_network(error, "its address")
    return None
