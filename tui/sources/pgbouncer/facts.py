"""What a PgBouncer tells of itself: frozen, in its own words. Columns differ between versions; any may be absent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui.sources.pgbouncer.wire import TextRow
from tui.sources.reading import Number
from tui.sources.text import clean

CONSOLE: Final = "pgbouncer"
"""The name of its own database, the console's; its pool holds nobody's clients."""


@dataclass(frozen=True, slots=True)
class Pool:
    """One row of `SHOW POOLS`: the clients of one user in one database, and the server connections they share."""

    database: str
    user: str
    clients_active: int
    """`cl_active`: linked to a server connection, or idle without one."""
    clients_waiting: int
    """`cl_waiting`: have sent something and wait for a server connection."""
    waiting_s: float
    """`maxwait` and `maxwait_us`: how long the first of them has waited."""
    servers_active: int
    servers_idle: int
    """`sv_idle` and `sv_used`: at nobody's service now."""
    servers_login: int
    """`sv_login`: connecting to PostgreSQL."""
    mode: str
    """`transaction`, `session`, `statement`."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the others of the same PgBouncer."""
        return self.database, self.user


@dataclass(frozen=True, slots=True)
class PooledDatabase:
    """One row of `SHOW DATABASES`: where a pool's connections lead, and how many it may have."""

    name: str
    where: str
    """`host:port/database` of the PostgreSQL behind it."""
    pool_size: int | None
    reserve: int | None
    """`reserve_pool` (`reserve_pool_size` in newer versions): more connections, once clients have waited long."""
    connections: int | None
    """`current_connections`."""
    most: int | None
    """`max_connections`; 0: no limit."""
    is_paused: bool
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went through one database, per second since the last read (`SHOW STATS`)."""

    queries: float
    transactions: float
    waiting: float
    """Seconds that clients waited for a server connection per second: on average so many were waiting."""
    query_ms: float | None
    """Mean time of a query; None when none has ended."""
    received_bytes: float
    sent_bytes: float


@dataclass(frozen=True, slots=True)
class BouncerSnapshot:
    """One read of one PgBouncer."""

    version: str
    """`SHOW VERSION`: `PgBouncer 1.18.0`."""
    user: str
    """Who is logged in to the console."""
    pools: tuple[Pool, ...]
    databases: Mapping[str, PooledDatabase]
    traffic: Mapping[str, Traffic]
    """By database; empty until the second read."""
    clients: int | None
    """`used_clients` of `SHOW LISTS`: connected to it, whatever they do."""
    most_clients: int | None
    """`max_client_conn`: whoever comes beyond is refused."""
    psql: str
    """The command that reaches its console; without secrets."""

    @property
    def clients_percent(self) -> float | None:
        """How much of `max_client_conn` is used; None where either cannot be read."""
        return None if self.clients is None or not self.most_clients else 100.0 * self.clients / self.most_clients

    def numbers(self) -> Iterator[Number]:
        """Return clients_percent, and waiting_s and clients_waiting of every pool (`database/user`)."""
        if (percent := self.clients_percent) is not None:
            yield Number("clients_percent", percent)
        for pool in self.pools:
            yield Number("waiting_s", pool.waiting_s, f"{pool.database}/{pool.user}")
            yield Number("clients_waiting", float(pool.clients_waiting), f"{pool.database}/{pool.user}")


def _text(row: TextRow, column: str) -> str:
    return clean(row.get(column) or "", limit=300)


def _count(row: TextRow, *columns: str) -> int:
    return sum(_count_or_none(row, column) or 0 for column in columns)


def _count_or_none(row: TextRow, column: str) -> int | None:
    value = row.get(column) or ""
    # A number of a length that nothing counts to is somebody's joke.
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 20 else None


def pools(rows: Iterable[TextRow]) -> tuple[Pool, ...]:
    """Return the pools of others than the console, longest wait first."""
    found = [
        Pool(
            database=_text(row, "database"),
            user=_text(row, "user"),
            clients_active=_count(row, "cl_active"),
            clients_waiting=_count(row, "cl_waiting"),
            waiting_s=_count(row, "maxwait") + _count(row, "maxwait_us") / 1e6,
            servers_active=_count(row, "sv_active", "sv_active_cancel"),
            servers_idle=_count(row, "sv_idle", "sv_used", "sv_tested"),
            servers_login=_count(row, "sv_login"),
            mode=_text(row, "pool_mode"),
        )
        for row in rows
        if row.get("database") != CONSOLE
    ]
    return tuple(sorted(found, key=lambda pool: (-pool.waiting_s, -pool.clients_waiting, pool.key)))


def databases(rows: Iterable[TextRow]) -> dict[str, PooledDatabase]:
    """Return the databases by the name that clients use."""
    found = {}
    for row in rows:
        place = f"{_text(row, 'host') or 'a unix socket'}:{_text(row, 'port')}/{_text(row, 'database')}"
        reserve = _count_or_none(row, "reserve_pool")
        found[_text(row, "name")] = PooledDatabase(
            name=_text(row, "name"),
            where=place,
            pool_size=_count_or_none(row, "pool_size"),
            reserve=reserve if reserve is not None else _count_or_none(row, "reserve_pool_size"),
            connections=_count_or_none(row, "current_connections"),
            most=_count_or_none(row, "max_connections"),
            is_paused=row.get("paused") == "1",
            is_disabled=row.get("disabled") == "1",
        )
    return found


Counters = Mapping[str, TextRow]
"""Rows of `SHOW STATS` by database."""


def counters(rows: Sequence[TextRow]) -> Counters:
    """Return the counters by database."""
    return {_text(row, "database"): row for row in rows}


def traffic(before: Counters, after: Counters, seconds: float) -> dict[str, Traffic]:
    """Return what grew between two reads, per second; a database whose counters began anew is left out."""
    found = {}
    for name, now in after.items():
        then = before.get(name)
        if then is None or seconds <= 0:
            continue
        grown = {
            column: _count(now, f"total_{column}") - _count(then, f"total_{column}")
            for column in ("query_count", "xact_count", "wait_time", "query_time", "received", "sent")
        }
        if min(grown.values()) < 0:
            continue
        found[name] = Traffic(
            queries=grown["query_count"] / seconds,
            transactions=grown["xact_count"] / seconds,
            waiting=grown["wait_time"] / 1e6 / seconds,
            query_ms=grown["query_time"] / 1000 / grown["query_count"] if grown["query_count"] else None,
            received_bytes=grown["received"] / seconds,
            sent_bytes=grown["sent"] / seconds,
        )
    return found


@dataclass(frozen=True, slots=True)
class PooledClient:
    """One row of `SHOW CLIENTS`."""

    address: str
    application: str
    state: str
    """`active`, `waiting`, `idle`…"""
    waiting_s: float
    """`wait` and `wait_us`."""
    server: str
    """`link`: the server connection it has now, by PgBouncer's own mark; empty for none."""


@dataclass(frozen=True, slots=True)
class PooledServer:
    """One row of `SHOW SERVERS`."""

    mark: str
    """`ptr`: what `PooledClient.server` names it by."""
    address: str
    state: str
    """`active`, `idle`, `used`, `login`…"""
    pid: int | None
    """`remote_pid`: the backend in PostgreSQL's own `pg_stat_activity`; None where it is not known."""


def clients(rows: Iterable[TextRow], pool: tuple[str, str]) -> tuple[PooledClient, ...]:
    """Return a pool's clients, longest wait first."""
    found = [
        PooledClient(
            address=f"{_text(row, 'addr')}:{_text(row, 'port')}",
            application=_text(row, "application_name"),
            state=_text(row, "state"),
            waiting_s=_count(row, "wait") + _count(row, "wait_us") / 1e6,
            server=_text(row, "link"),
        )
        for row in rows
        if (row.get("database"), row.get("user")) == pool
    ]
    return tuple(sorted(found, key=lambda one: (-one.waiting_s, one.address)))


def servers(rows: Iterable[TextRow], pool: tuple[str, str]) -> tuple[PooledServer, ...]:
    """Return a pool's server connections."""
    return tuple(
        PooledServer(
            mark=_text(row, "ptr"),
            address=f"{_text(row, 'addr')}:{_text(row, 'port')}",
            state=_text(row, "state"),
            pid=_count_or_none(row, "remote_pid"),
        )
        for row in rows
        if (row.get("database"), row.get("user")) == pool
    )
