"""Rows of the server's views → facts. Pure; text is cleaned here, once."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from tui.sources.postgres.dsn import Dsn
from tui.sources.postgres.facts import (
    Connections,
    Limit,
    LockWait,
    PreparedTransaction,
    Rates,
    Server,
    Session,
)
from tui.sources.postgres.row import Row, one_line
from tui.sources.text import clean


@lru_cache(maxsize=8192)
def _name(text: str | None) -> str | None:
    return None if text is None else one_line(text)


def quoted(name: str) -> str:
    """Return a name as it stands in SQL."""
    doubled = name.replace('"', '""')
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else f'"{doubled}"'


def server(row: Row, system: Sequence[Row], why_not: str, dsn: Dsn, *, is_pooled: bool) -> Server:
    """Return who answers; `system` is empty where the system identifier may not, or for `why_not` cannot, be read."""
    is_socket = row["address"] is None
    encryption = "socket" if is_socket else "no TLS"
    if row["is_tls"]:
        is_verified = dsn.options.get("sslmode", "").startswith("verify") or dsn.options.get("sslrootcert") == "system"
        encryption = "TLS" if is_verified else "TLS, not verified"
    return Server(
        version=clean(row["version"]),
        major=row["version_num"] // 10000,
        is_standby=row["is_standby"],
        started=row["started"],
        address=row["address"],
        port=row["port"],
        database=clean(row["database"]),
        role=clean(row["role"]),
        is_superuser=row["is_superuser"],
        may_read_stats=row["may_read_stats"],
        may_signal=row["may_signal"],
        cluster_name=clean(row["cluster_name"] or ""),
        system_identifier=system[0]["system_identifier"] if system else None,
        no_system_identifier="" if system else why_not or _no_system(clean(row["role"])),
        is_pooled=is_pooled,
        encryption=encryption,
        statements_version=row["statements_version"],
        statements_schema=row["statements_schema"] or "",
        psql=dsn.psql(),
    )


def _no_system(role: str) -> str:
    return f"role {role} may not read it; ask for: GRANT EXECUTE ON FUNCTION pg_control_system() TO {quoted(role)}"


def session(row: Iterable[Any], shown: Callable[[str], str] = one_line) -> Session:
    """Return one session from the columns of `activity-*.sql`, in their order: names cost a look-up each.

    `shown` brings its statement onto one line.
    """
    (
        pid,
        leader_pid,
        database,
        role,
        application,
        client_address,
        client_port,
        backend_type,
        state,
        wait_event_type,
        wait_event,
        backend_start,
        query_start,
        connected_s,
        transaction_s,
        query_s,
        state_s,
        xmin_age,
        query_id,
        query,
        query_bytes,
        blocked_by,
    ) = row
    client = ""
    if client_address is not None:
        client = f"{client_address}:{client_port}"
    elif client_port == -1:
        client = "local"
    return Session(
        pid,
        backend_start,
        _name(backend_type),
        _name(database),
        _name(role),
        one_line(application or ""),
        client,
        state,
        wait_event_type,
        _name(wait_event),
        shown(query or ""),
        query_bytes,
        query_id,
        query_start,
        connected_s,
        transaction_s,
        query_s,
        state_s,
        xmin_age,
        leader_pid,
        blockers(blocked_by),
    )


def blockers(text: str | None) -> tuple[int, ...]:
    """Return the pids of `pg_blocking_pids`, which the queries send as text: arrays cost asyncpg extra round trips."""
    return tuple(int(pid) for pid in text.split(",")) if text else ()


def lock_waits(rows: Iterable[Row]) -> dict[int, LockWait]:
    """Return what each waiting session waits for."""
    return {
        row["pid"]: LockWait(
            row["locktype"],
            row["mode"],
            clean(row["relation_name"] or (f"oid {row['relation']}" if row["relation"] else "")),
            row["waited_s"],
        )
        for row in rows
        if row["pid"] is not None
    }


def prepared(rows: Iterable[Row]) -> tuple[PreparedTransaction, ...]:
    """Return the prepared transactions, oldest first."""
    return tuple(
        PreparedTransaction(clean(row["gid"]), clean(row["database"]), clean(row["owner"]), row["age_s"])
        for row in rows
    )


def connections(sessions: Iterable[Session], limits: Iterable[Row]) -> Connections:
    """Return clients by state against the limits; our own reading session, which is not among them, counts as idle."""
    by_state: dict[str, int] = {"idle": 1}
    clients = [one for one in sessions if one.is_client]
    for one in clients:
        state = one.state or ("starting" if one.is_visible else "not visible")
        by_state[state] = by_state.get(state, 0) + 1
    by_owner = Counter(("database", one.database or "") for one in clients)
    by_owner.update(("role", one.role or "") for one in clients)
    limit = reserved = 0
    near = []
    for row in limits:
        if row["kind"] == "server":
            limit, reserved = row["connections"] - row["reserved"], row["reserved"]
            continue
        used = by_owner[row["kind"], clean(row["name"])]
        if used and used >= 0.8 * row["connections"]:
            near.append((Limit(row["kind"], clean(row["name"]), row["connections"]), used))
    return Connections(by_state, sum(by_state.values()), limit, reserved, tuple(near))


_LEAST_BLOCKS = 1000
"""Below this a hit ratio says nothing."""


def rates(before: Row | None, after: Row, seconds: float) -> Rates | None:
    """Return the growth of the counters per second; None without a baseline or when they were reset meanwhile."""
    if before is None or seconds <= 0 or before["stats_reset"] != after["stats_reset"]:
        return None
    names = ("commits", "rollbacks", "blocks_hit", "blocks_read", "temp_files", "temp_bytes", "deadlocks")
    grown = {name: (after[name] or 0) - (before[name] or 0) for name in names}
    if min(grown.values()) < 0:
        return None
    blocks = grown["blocks_hit"] + grown["blocks_read"]
    return Rates(
        transactions=(grown["commits"] + grown["rollbacks"]) / seconds,
        rollbacks=grown["rollbacks"] / seconds,
        hit_percent=100.0 * grown["blocks_hit"] / blocks if blocks >= _LEAST_BLOCKS else None,
        temp_files=grown["temp_files"] / seconds,
        temp_bytes=grown["temp_bytes"] / seconds,
        deadlocks=grown["deadlocks"],
        deadlocks_total=after["deadlocks"] or 0,
    )
