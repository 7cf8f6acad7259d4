"""Changes of a Redis or Valkey server: starts, roles, links, saves, memory that runs out, slow commands."""

from collections.abc import Iterator
from typing import Final

from tui.rules import Level
from tui.sources.redis_facts import SlowEntry
from tui.sources.redis_snapshot import RedisSnapshot
from tui.timeline.entry import Entry, identity, sentence
from tui.timeline.standing import Condition
from tui.units import micros, rate, size

SERVER: Final = "server"
"""The object of what is about a server as a whole."""
_SETTLE_S: Final = 30.0
"""How long nothing must be evicted or rejected before that is over: hidden systems are read every ten seconds."""


def entries(
    source: str, before: RedisSnapshot | None, after: RedisSnapshot, now: float, since: float
) -> Iterator[Entry]:
    """Yield what changed between two readings; of a first one, what the server says to be from after `since`."""
    yield from _slow(source, before, after, since)
    server, up = after.server, after.server.uptime_s
    if before is None:
        if up is not None and now - up > since:
            yield _start(source, after, now)
        return
    if server.run_id and before.server.run_id and server.run_id != before.server.run_id:
        yield _start(source, after, now)
    old, new = before.replication, after.replication
    if old.role and new.role and old.role != new.role:
        text = f"became a replica of {new.master}" if new.role == "slave" else f"became a {new.role}"
        yield _entry(source, after, "role", text, now, Level.CRITICAL)
    elif old.master != new.master:
        yield _entry(source, after, "role", f"replicates from {new.master}, not from {old.master}", now, Level.WARN)
    known, present = ({replica.addr for replica in each.replicas} for each in (old, new))
    for addr in sorted(known - present):
        yield _entry(source, after, "replica", f"replica {addr} is gone", now, Level.WARN)
    for addr in sorted(present - known):
        yield _entry(source, after, "replica", f"replica {addr} is connected", now)
    yield from _settings(source, before, after, now)


def _settings(source: str, before: RedisSnapshot, after: RedisSnapshot, now: float) -> Iterator[Entry]:
    old, new = before.memory, after.memory
    if old.policy and new.policy and old.policy != new.policy:
        yield _entry(source, after, "setting", f"maxmemory-policy {old.policy} → {new.policy}", now)
    if old.used_bytes is not None and new.used_bytes is not None and old.max_bytes != new.max_bytes:
        limits = (size(each.max_bytes) if each.max_bytes else "no limit" for each in (old, new))
        yield _entry(source, after, "setting", f"maxmemory {' → '.join(limits)}", now)
    if before.server.version and after.server.version and before.server.version != after.server.version:
        yield _entry(source, after, "version", f"{before.server.version} → {after.server.version}", now)


def conditions(snapshot: RedisSnapshot, now: float) -> Iterator[Condition]:
    """Yield what lasts."""
    persistence, replication, rates = snapshot.persistence, snapshot.replication, snapshot.rates
    if replication.role == "slave" and replication.link_status == "down":
        down, link = replication.link_down_s, f"the link to {replication.master}"
        since = now - down if down is not None and down >= 0 else None
        yield Condition("link", "link", f"{link} is down", f"{link} is up again", Level.CRITICAL, SERVER, since=since)
    if persistence.is_loading:
        text = "LOADING: the dataset is read into memory, commands are refused until then"
        yield Condition("loading", "loading", text, "the dataset is loaded", Level.CRITICAL, SERVER)
    if persistence.last_save_status == "err":
        text, over = "the last save failed: see the server's log", "a save worked again"
        yield Condition("save", "save", text, over, Level.CRITICAL, SERVER)
    if persistence.is_aof and persistence.aof_write_status not in ("", "ok"):
        text, over = "the append-only file cannot be written", "the append-only file is written again"
        yield Condition("aof", "save", text, over, Level.CRITICAL, SERVER)
    if snapshot.memory.refuses_writes:
        text = f"memory is full ({size(snapshot.memory.max_bytes)}) and nothing may be evicted: writes are refused"
        yield Condition("full", "memory", text, "writes are possible again", Level.CRITICAL, SERVER)
    if rates.evicted_per_s:
        text = f"keys are evicted, {rate(rates.evicted_per_s)}/s: memory is full ({snapshot.memory.policy})"
        weight = max(1, int(rates.evicted_per_s))
        yield Condition(
            "evictions", "evictions", text, "no key is evicted any more", Level.WARN, SERVER,
            weight=weight, settle_s=_SETTLE_S,
        )  # fmt: skip
    if rates.rejected_per_s:
        text = f"{rate(rates.rejected_per_s)} connections/s are rejected: maxclients is reached"
        yield Condition(
            "rejected",
            "clients",
            text,
            "no connection is rejected any more",
            Level.CRITICAL,
            SERVER,
            settle_s=_SETTLE_S,
        )


def _slow(source: str, before: RedisSnapshot | None, after: RedisSnapshot, since: float) -> Iterator[Entry]:
    run_id = after.server.run_id
    newest = -1
    if before is not None and before.server.run_id == run_id:
        newest = max((entry.id for entry in before.slowlog or ()), default=-1)
    for entry in reversed(after.slowlog or ()):
        if entry.id > newest and entry.at > since:
            yield Entry(
                id=identity(source, "slow", run_id, entry.id),
                at=entry.at,
                source=source,
                what="slow",
                text=sentence(_slow_words(entry)),
                level=Level.WARN,
                object=f"slow/{entry.id}",
                fold=f"slow {_command(entry)}",
            )


def _command(entry: SlowEntry) -> str:
    """Return the command alone: its arguments hold people's data."""
    return entry.command.partition(" ")[0].upper()[:40]


def _slow_words(entry: SlowEntry) -> str:
    client = entry.client_name or entry.addr
    return f"{_command(entry)} took {micros(entry.took_us)}{f', asked by {client}' if client else ''}"


def _start(source: str, snapshot: RedisSnapshot, now: float) -> Entry:
    server = snapshot.server
    role = ", a replica" if snapshot.replication.role == "slave" else ""
    text = f"the server started: {server.product} {server.version}{role}"
    at = now - (server.uptime_s or 0)
    return Entry(identity(source, "start", server.run_id), at, source, "start", text, Level.WARN, SERVER)


def _entry(source: str, snapshot: RedisSnapshot, what: str, text: str, now: float, level: Level = Level.OK) -> Entry:
    occurrence = identity(source, what, text, snapshot.server.run_id, int(now // 60))
    return Entry(occurrence, now, source, what, sentence(text), level, SERVER, fold=f"{what} {text}")
