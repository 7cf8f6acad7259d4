"""The pools of every PgBouncer of the profile: readings → rows, and a page of each. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tui.panes.database_rows import Judge
from tui.panes.failing import failure_words
from tui.sources.pgbouncer.facts import BouncerSnapshot, Pool, PooledDatabase, Traffic
from tui.sources.pgbouncer.source import PoolDetail
from tui.sources.reading import Reading
from tui.units import percent, rate, size, span
from widgets.cell import Cell, Column, Row

POOLS: Final = (
    Column("bouncer", "BOUNCER", 10, priority=4),
    Column("database", "DB", 12),
    Column("user", "USER", 12, priority=1),
    Column("waiting", "WAITING", 7, "right"),
    Column("maxwait", "MAXWAIT", 7, "right"),
    Column("clients", "CLIENTS", 7, "right"),
    Column("servers", "SERVERS", 12, "right"),
    Column("queries", "QUERIES/S", 9, "right", priority=2),
    Column("mean", "MEAN", 9, "right", priority=3),
    Column("mode", "MODE", 11, priority=6),
    Column("note", "NOTE", min_width=8),
)
PoolKey = tuple[str, str, str]
"""A PgBouncer's source, a database, a user; the last two empty for the PgBouncer itself."""
_MOST_CLIENTS: Final = 50
QUERIES: Final = ("SHOW POOLS", "SHOW DATABASES", "SHOW STATS", "SHOW LISTS")
EMPTY: Final = "no client has come yet: a pool begins with the first one"

Readings = Iterable[Reading[BouncerSnapshot]]


def wait_words(seconds: float) -> str:
    """Return how long somebody waits, with tenths where they matter."""
    return f"{seconds:.1f}s" if 0 < seconds < 10 else span(seconds)


def pool_rows(readings: Readings, judge: Judge, now: float) -> Mapping[PoolKey, Row]:
    """Return the pools, longest wait first; a PgBouncer that does not answer is a row, too, its pools are dimmed."""
    rows: dict[PoolKey, Row] = {}
    found = sorted(readings, key=lambda reading: reading.source)
    for reading in found:
        if reading.error is not None:
            words = failure_words(reading, now).replace("\n  ", "; ")
            name = reading.source.partition(":")[2]
            rows[(reading.source, "", "")] = Row((name, *("–",) * (len(POOLS) - 2), Cell(words, "critical")))
    pools = [(reading, pool) for reading in found for pool in (reading.snapshot.pools if reading.snapshot else ())]
    pools.sort(key=lambda item: (-item[1].waiting_s, -item[1].clients_waiting))
    for reading, pool in pools:
        rows[(reading.source, *pool.key)] = _row(reading, pool, judge, is_stale=reading.is_stale(now))
    return rows


def _row(reading: Reading[BouncerSnapshot], pool: Pool, judge: Judge, *, is_stale: bool) -> Row:
    snapshot = reading.snapshot
    database = snapshot.databases.get(pool.database) if snapshot else None
    traffic = snapshot.traffic.get(pool.database) if snapshot else None
    tone = "" if is_stale else judge("waiting_s", pool.waiting_s)
    used = pool.servers_active + pool.servers_idle + pool.servers_login
    name, said = reading.source.partition(":")[2], note(pool, database)
    cells: tuple[str | Cell, ...] = (
        name,
        pool.database,
        pool.user,
        Cell(str(pool.clients_waiting), tone or ("warn" if pool.clients_waiting and not is_stale else "")),
        Cell(wait_words(pool.waiting_s), tone),
        str(pool.clients_active),
        f"{pool.servers_active}/{used}/{_limit(database)}",
        rate(traffic.queries if traffic else None),
        _millis(traffic),
        pool.mode,
        Cell(said, "warn" if database and (database.is_paused or database.is_disabled) else ""),
    )
    sort = (
        name,
        pool.database,
        pool.user,
        pool.clients_waiting,
        pool.waiting_s,
        pool.clients_active,
        pool.servers_active,
        traffic.queries if traffic else None,
        traffic.query_ms if traffic else None,
        pool.mode,
        said,
    )
    return Row(cells, sort, tone="dim" if is_stale else "")


def _limit(database: PooledDatabase | None) -> str:
    return "?" if database is None or database.pool_size is None else str(database.pool_size)


def _millis(traffic: Traffic | None) -> str:
    return "–" if traffic is None or traffic.query_ms is None else f"{traffic.query_ms:,.1f} ms"


def note(pool: Pool, database: PooledDatabase | None) -> str:
    """Return what explains a wait: the pool is paused, has no connection, or all of them are at work."""
    if database is not None and database.is_disabled:
        return "DISABLED"
    if database is not None and database.is_paused:
        return "PAUSED"
    if not pool.clients_waiting:
        return ""
    if pool.servers_login and not pool.servers_active:
        return "connecting"
    if not pool.servers_active + pool.servers_idle:
        return "no connection to PostgreSQL"
    if database is not None and database.pool_size and pool.servers_active >= database.pool_size:
        return "pool full"
    return ""


def pool_words(readings: Readings) -> str:
    """Return how full each PgBouncer is."""
    return ", ".join(_full(reading) for reading in readings if reading.snapshot is not None)


def _full(reading: Reading[BouncerSnapshot]) -> str:
    snapshot = reading.snapshot
    name = reading.source.partition(":")[2]
    if snapshot is None or snapshot.clients is None:
        return name
    most = snapshot.most_clients
    return f"{name}: {snapshot.clients}/{most if most is not None else '?'} clients"


def pool_page(snapshot: BouncerSnapshot, key: PoolKey, detail: PoolDetail) -> str:
    """Return a pool with those who are in it."""
    _, name, user = key
    pool = next((one for one in snapshot.pools if one.key == (name, user)), None)
    database, traffic = snapshot.databases.get(name), snapshot.traffic.get(name)
    facts: list[tuple[str, Any]] = [("PgBouncer", snapshot.version or "–"), ("database", name), ("user", user)]
    facts.append(("clients of it", f"{snapshot.clients} of max_client_conn {snapshot.most_clients}"))
    if snapshot.clients_percent is not None:
        facts[-1] = ("clients of it", f"{facts[-1][1]} ({percent(snapshot.clients_percent)})")
    facts += _of_pool(pool, database)
    facts += _of_database(database)
    if traffic is not None:
        facts += [
            ("queries", f"{rate(traffic.queries)}/s, {rate(traffic.transactions)} transactions/s, {_millis(traffic)}"),
            ("waiting", f"{traffic.waiting:.2f} clients on average since the last read (whole database)"),
            ("traffic", f"{size(traffic.received_bytes)}/s from clients, {size(traffic.sent_bytes)}/s to them"),
        ]
    lines = [f"{label:<14} {value}" for label, value in facts]
    return "\n".join([*lines, "", *_clients(detail), "", *_servers(detail)])


def _of_pool(pool: Pool | None, database: PooledDatabase | None) -> Iterator[tuple[str, str]]:
    if pool is None:
        yield "pool", "gone"
        return
    yield "mode", pool.mode
    longest = f", the first for {wait_words(pool.waiting_s)}" if pool.clients_waiting else ""
    yield "clients", f"{pool.clients_active} active, {pool.clients_waiting} waiting{longest}"
    yield "connections", f"{pool.servers_active} active, {pool.servers_idle} idle, {pool.servers_login} connecting"
    if said := note(pool, database):
        yield "note", said


def _of_database(database: PooledDatabase | None) -> Iterator[tuple[str, str]]:
    if database is None:
        return
    yield "leads to", database.where
    limits = {"pool_size": database.pool_size, "reserve_pool": database.reserve, "max_db_connections": database.most}
    yield "limits", ", ".join(f"{name} {value if value is not None else '?'}" for name, value in limits.items())
    yield "in use", f"{database.connections if database.connections is not None else '?'} connections to PostgreSQL"


def _clients(detail: PoolDetail) -> Iterator[str]:
    yield f"Clients (SHOW CLIENTS), longest wait first: {len(detail.clients)}"
    for one in detail.clients[:_MOST_CLIENTS]:
        waits = f"waits {wait_words(one.waiting_s)}" if one.state == "waiting" else one.state
        yield f"  {one.address:<24} {waits:<14} {one.application}".rstrip()
    if (more := len(detail.clients) - _MOST_CLIENTS) > 0:
        yield f"  and {more} more"


def _servers(detail: PoolDetail) -> Iterator[str]:
    yield f"Connections to PostgreSQL (SHOW SERVERS): {len(detail.servers)}"
    for one in detail.servers:
        who = next((client.address for client in detail.clients if client.server and client.server == one.mark), "")
        backend = f"backend {one.pid}" if one.pid else "backend unknown"
        yield f"  {backend:<16} {one.state:<10} {f'for {who}' if who else ''}".rstrip()


def by_hand(readings: Readings) -> str:
    """Return the commands that show the pools by hand; without secrets."""
    return "\n".join(
        f"{reading.snapshot.psql} -c '{query}'"
        for reading in readings
        if reading.snapshot is not None
        for query in QUERIES
    )
