"""INFO as text → facts. Pure; every field is read with a default because no two versions send the same."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tui.sources.history import rate
from tui.sources.redis_facts import (
    ClientCounts,
    CommandStat,
    ErrorStat,
    Keyspace,
    Memory,
    Persistence,
    Rates,
    Replica,
    Replication,
    Server,
)
from tui.sources.text import clean

Info = Mapping[str, str]
"""INFO's `field:value` lines, all sections in one."""

_T = TypeVar("_T", int, float)

_ENOUGH_CALLS = 10
"""The mean of fewer calls in an interval is noise; that over the server's life says more."""


@dataclass(frozen=True, slots=True)
class Counted:
    """An INFO and when it was taken: what the next one's rates are measured from."""

    info: Info
    at: float
    """`time.monotonic()`."""


def parse_info(raw: bytes) -> Info:
    """Return the fields of an INFO reply, cleaned."""
    fields: dict[str, str] = {}
    for line in raw.decode(errors="replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            fields[clean(name)] = clean(value)  # a script chooses the name of an error: errorstat_…
    return fields


def known(reply: Any) -> Info:
    """Return INFO's fields; none when it was refused or the form is not known (an old server answers with nothing)."""
    info = parse_info(reply) if isinstance(reply, bytes) else {}
    return info if "redis_version" in info or "used_memory" in info or "run_id" in info else {}


def integer(info: Info, name: str) -> int | None:
    """Return a field as an integer; None when it is missing or not one."""
    return _number(info.get(name), int)


def decimal(info: Info, name: str) -> float | None:
    """Return a field as a decimal number; None when it is missing or not one (a ratio to nothing is `nan`)."""
    return _number(info.get(name), float)


def _number(value: str | None, kind: type[_T]) -> _T | None:
    try:
        number = None if value is None else kind(value)
    except ValueError:
        return None
    return number if number is None or math.isfinite(number) else None


def _pairs(value: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in value.split(",") if "=" in part)


def server(info: Info) -> Server:
    """Return INFO server."""
    is_valkey = "valkey_version" in info or info.get("server_name") == "valkey"
    return Server(
        product="Valkey" if is_valkey else "Redis",
        version=info.get("valkey_version") or info.get("redis_version", ""),
        mode=info.get("server_mode") or info.get("redis_mode", ""),
        run_id=info.get("run_id", ""),
        process_id=integer(info, "process_id"),
        uptime_s=integer(info, "uptime_in_seconds"),
    )


def memory(info: Info) -> Memory:
    """Return INFO memory."""
    replication = integer(info, "mem_total_replication_buffers")
    return Memory(
        used_bytes=integer(info, "used_memory"),
        rss_bytes=integer(info, "used_memory_rss"),
        peak_bytes=integer(info, "used_memory_peak"),
        max_bytes=integer(info, "maxmemory") or None,
        system_bytes=integer(info, "total_system_memory"),
        policy=info.get("maxmemory_policy", ""),
        dataset_bytes=integer(info, "used_memory_dataset"),
        overhead_bytes=integer(info, "used_memory_overhead"),
        clients_bytes=integer(info, "mem_clients_normal"),
        replication_bytes=integer(info, "mem_replication_backlog") if replication is None else replication,
        aof_buffer_bytes=integer(info, "mem_aof_buffer"),
        fragmentation_ratio=decimal(info, "mem_fragmentation_ratio"),
        fragmentation_bytes=integer(info, "mem_fragmentation_bytes"),
        lazyfree_pending=integer(info, "lazyfree_pending_objects"),
        is_defragmenting=bool(integer(info, "active_defrag_running")),
    )


def counts(info: Info) -> ClientCounts:
    """Return INFO clients."""
    return ClientCounts(
        connected=integer(info, "connected_clients"),
        max=integer(info, "maxclients"),
        blocked=integer(info, "blocked_clients"),
    )


def persistence(info: Info) -> Persistence:
    """Return INFO persistence."""
    is_aof = info.get("aof_enabled") == "1"
    return Persistence(
        is_loading=info.get("loading") == "1",
        loaded_percent=decimal(info, "loading_loaded_perc"),
        loading_eta_s=integer(info, "loading_eta_seconds"),
        changes_since_save=integer(info, "rdb_changes_since_last_save"),
        last_save_at=integer(info, "rdb_last_save_time"),
        last_save_status=info.get("rdb_last_bgsave_status", ""),
        is_saving=info.get("rdb_bgsave_in_progress") == "1",
        is_aof=is_aof,
        aof_write_status=info.get("aof_last_write_status", "") if is_aof else "",
        aof_size_bytes=integer(info, "aof_current_size"),
        latest_fork_us=integer(info, "latest_fork_usec"),
    )


def replication(info: Info) -> Replication:
    """Return INFO replication."""
    offset = integer(info, "master_repl_offset")
    host = info.get("master_host", "")
    return Replication(
        role=info.get("role", ""),
        replicas=tuple(
            _replica(_pairs(value), offset)
            for name, value in info.items()
            if name.startswith("slave") and name[5:].isdigit()
        ),
        connected_replicas=integer(info, "connected_slaves"),
        master=f"{host}:{info.get('master_port', '')}" if host else "",
        link_status=info.get("master_link_status", ""),
        link_down_s=integer(info, "master_link_down_since_seconds"),
        last_io_s=integer(info, "master_last_io_seconds_ago"),
        is_syncing=info.get("master_sync_in_progress") == "1",
    )


def _replica(pairs: Info, master_offset: int | None) -> Replica:
    offset = integer(pairs, "offset")
    return Replica(
        addr=f"{pairs.get('ip', '?')}:{pairs.get('port', '?')}",
        state=pairs.get("state", ""),
        offset_lag_bytes=None if offset is None or master_offset is None else master_offset - offset,
        lag_s=integer(pairs, "lag"),
    )


def keyspace(info: Info) -> tuple[Keyspace, ...]:
    """Return INFO keyspace; databases without keys are not in it."""
    found = []
    for name, value in info.items():
        if name.startswith("db") and name[2:].isdigit():
            pairs = _pairs(value)
            ttl = integer(pairs, "avg_ttl")
            keys, expires = integer(pairs, "keys") or 0, integer(pairs, "expires") or 0
            found.append(Keyspace(name, keys, expires, ttl / 1000 if ttl else None))
    return tuple(found)


def rates(before: Counted | None, after: Counted) -> Rates:
    """Return what happened per second between two INFOs; nothing when the server was another process before."""
    info = after.info
    if before is None or before.info.get("run_id") != info.get("run_id"):
        return Rates(ops_per_s=decimal(info, "instantaneous_ops_per_sec"))
    old, seconds = before.info, after.at - before.at

    def per_s(name: str) -> float | None:
        return rate(decimal(old, name), decimal(info, name), seconds)

    hits, misses = per_s("keyspace_hits"), per_s("keyspace_misses")
    looked_up = None if hits is None or misses is None else hits + misses
    user, system = per_s("used_cpu_user_main_thread"), per_s("used_cpu_sys_main_thread")
    return Rates(
        ops_per_s=per_s("total_commands_processed"),
        hit_percent=100 * hits / looked_up if hits is not None and looked_up else None,
        evicted_per_s=per_s("evicted_keys"),
        expired_per_s=per_s("expired_keys"),
        rejected_per_s=per_s("rejected_connections"),
        errors_per_s=per_s("total_error_replies"),
        input_bytes_per_s=per_s("total_net_input_bytes"),
        output_bytes_per_s=per_s("total_net_output_bytes"),
        main_thread_percent=None if user is None or system is None else 100 * (user + system),
    )


def commands(before: Counted | None, after: Counted) -> tuple[CommandStat, ...]:
    """Return INFO commandstats with rates, most calls per second first, then most calls."""
    old = before.info if before and before.info.get("run_id") == after.info.get("run_id") else {}
    seconds = after.at - before.at if before else 0.0
    found = [
        _command(name[8:], _pairs(value), _pairs(old.get(name, "calls=0,usec=0") if old else ""), after.info, seconds)
        for name, value in after.info.items()
        if name.startswith("cmdstat_")
    ]
    return tuple(sorted(found, key=lambda c: (-(c.calls_per_s or 0), -c.calls, c.name)))


def _command(name: str, now: Info, old: Info, info: Info, seconds: float) -> CommandStat:
    calls, usec = integer(now, "calls") or 0, integer(now, "usec") or 0
    new_calls, new_usec = rate(integer(old, "calls"), calls, seconds), rate(integer(old, "usec"), usec, seconds)
    if new_calls and new_usec is not None and new_calls * seconds >= _ENOUGH_CALLS:
        usec_per_call: float | None = new_usec / new_calls
    else:
        usec_per_call = usec / calls if calls else None
    percentiles = _pairs(info.get(f"latency_percentiles_usec_{name}", ""))
    return CommandStat(
        name=name,
        calls=calls,
        calls_per_s=new_calls,
        usec_per_call=usec_per_call,
        busy_percent=None if new_usec is None else new_usec / 10_000,
        p99_us=decimal(percentiles, "p99"),
        rejected=integer(now, "rejected_calls") or 0,
        failed=integer(now, "failed_calls") or 0,
    )


def errors(before: Counted | None, after: Counted) -> tuple[ErrorStat, ...]:
    """Return INFO errorstats, the most frequent now first; none before 6.2."""
    old = before.info if before and before.info.get("run_id") == after.info.get("run_id") else {}
    seconds = after.at - before.at if before else 0.0
    found = []
    for name, value in after.info.items():
        if name.startswith("errorstat_"):
            count = integer(_pairs(value), "count") or 0
            was = integer(_pairs(old.get(name, "count=0")), "count") if old else None
            found.append(ErrorStat(name[10:], count, rate(was, count, seconds)))
    return tuple(sorted(found, key=lambda e: (-(e.per_s or 0), -e.count, e.name)))
