"""Redis facts → cells and rows. Pure."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Final

from tui.panes.failing import clock
from tui.sources.history import Series, recent, slope
from tui.sources.redis_facts import Client, CommandStat, Keyspace, SlowEntry
from tui.sources.redis_snapshot import RedisSnapshot
from tui.units import coarse, micros, percent, rate, size, size_of, span
from widgets.cell import Cell, Column, Row, Tone
from widgets.key_value import Pairs
from widgets.sparkline import sparkline

STEP_S: Final = 15.0
"""What one character of a curve stands for."""

_TREND_S: Final = 120.0
_CALM_S: Final = 86_400.0
"""What grows by less than 1 % of maxmemory in this time is called calm."""

ToneOf = Callable[[str], Tone]
"""A metric's name → how the profile's rules judge it now."""

COMMANDS: Final = (
    Column("command", "COMMAND", min_width=12, max_width=36),
    Column("rate", "CALLS/S", 8, "right"),
    Column("each", "PER CALL", 9, "right"),
    Column("p99", "P99", 9, "right", priority=2),
    Column("busy", "BUSY", 6, "right"),
    Column("calls", "CALLS", 13, "right", priority=3),
    Column("failed", "FAILED", 8, "right", priority=1),
    Column("rejected", "REJECTED", 8, "right", priority=4),
)
CLIENTS: Final = (
    Column("id", "ID", 8, "right"),
    Column("name", "NAME", min_width=10, max_width=36),
    Column("addr", "ADDRESS", min_width=14, max_width=48, priority=1),
    Column("user", "USER", 10, priority=6),
    Column("kind", "KIND", 8),
    Column("cmd", "LAST COMMAND", 14),
    Column("idle", "IDLE", 6, "right"),
    Column("age", "AGE", 7, "right", priority=2),
    Column("memory", "MEMORY", 9, "right", priority=1),
    Column("omem", "OUTPUT", 9, "right", priority=3),
    Column("sub", "SUBS", 5, "right", priority=7),
    Column("db", "DB", 3, "right", priority=5),
    Column("lib", "LIBRARY", 18, priority=8),
)
SLOWLOG: Final = (
    Column("id", "ID", 7, "right", priority=2),
    Column("at", "WHEN", 9),
    Column("took", "TOOK", 9, "right"),
    Column("command", "COMMAND", min_width=20),
    Column("client", "CLIENT", 18, priority=1),
)
KEYSPACE: Final = (
    Column("db", "DATABASE", 10),
    Column("keys", "KEYS", 13, "right"),
    Column("expires", "WITH TTL", 13, "right"),
    Column("share", "SHARE", 7, "right"),
    Column("ttl", "MEAN TTL LEFT", 14, "right"),
)
STATE: Final = (
    Column("what", "WHAT", 24),
    Column("value", "VALUE", 20),
    Column("note", "NOTE", min_width=20),
)


def head(snapshot: RedisSnapshot, tone_of: ToneOf, now: float, *, is_wide: bool) -> Pairs:
    """Return the head's pairs: numbers with their last 2.5 minutes, or 5 where it is wide."""
    memory, rates, counts = snapshot.memory, snapshot.rates, snapshot.counts
    room = 20 if is_wide else 10

    def trend(series: str, words: str, low: float | None = 0.0, high: float | None = None) -> str:
        values = recent(snapshot.history.get(series, Series(1)), now, STEP_S * room, room)
        return f"{sparkline(values, room, low=low, high=high)} {words}"

    used = size_of(memory.used_bytes, memory.max_bytes)
    used += f" ({percent(memory.percent)})" if memory.percent is not None else ", no limit" if memory.used_bytes else ""
    if is_wide:
        used = trend("memory", used, high=memory.max_bytes)
    blocked = f", {counts.blocked} blocked" if counts.blocked else ""
    connected = "–" if counts.connected is None else f"{counts.connected} of {counts.max or '?'}{blocked}"
    return [
        ("memory", Cell(used, "critical" if memory.refuses_writes else tone_of("memory_percent"))),
        ("policy", memory.policy or "–"),
        ("fragmentation", fragmentation(snapshot, tone_of("fragmentation"))),
        ("clients", Cell(connected, tone_of("clients_percent"))),
        ("ops/s", trend("ops", rate(rates.ops_per_s))),
        ("hits", trend("hits", percent(rates.hit_percent), high=100)),
        ("evicted/s", Cell(trend("evictions", rate(rates.evicted_per_s)), tone_of("evicted_per_s"))),
        ("core busy", trend("cpu", percent(rates.main_thread_percent), high=100)),
    ]


def fragmentation(snapshot: RedisSnapshot, tone: Tone) -> Cell:
    """Return ratio and bytes; below 100 MiB the ratio says nothing, so it is left out."""
    memory = snapshot.memory
    if memory.fragmentation_ratio is None:
        return Cell("–", "dim")
    if not memory.is_fragmentation_meaningful:
        return Cell("n/a below 100 MiB", "dim")
    return Cell(f"{memory.fragmentation_ratio:.2f} ({size(memory.fragmentation_bytes)})", tone)


def command_rows(commands: tuple[CommandStat, ...]) -> Mapping[str, Row]:
    """Return the commands table, by command."""
    return {c.name: _command_row(c) for c in commands}


def _command_row(c: CommandStat) -> Row:
    cells = (
        c.name,
        rate(c.calls_per_s),
        micros(c.usec_per_call),
        micros(c.p99_us),
        percent(c.busy_percent),
        f"{c.calls:,}",
        Cell(f"{c.failed:,}", "warn" if c.failed else "dim"),
        Cell(f"{c.rejected:,}", "warn" if c.rejected else "dim"),
    )
    sort = (c.name, c.calls_per_s, c.usec_per_call, c.p99_us, c.busy_percent, c.calls, c.failed, c.rejected)
    return Row(cells, sort, "" if c.calls_per_s else "dim")


def client_rows(clients: tuple[Client, ...]) -> Mapping[int, Row]:
    """Return the clients table, by client id."""
    return {c.id: _client_row(c) for c in clients}


def _client_row(c: Client) -> Row:
    name = f"{c.name} (this)" if c.is_own else c.name or "–"
    cells = (
        str(c.id),
        name,
        c.addr,
        c.user or "–",
        Cell(c.kind, "accent" if c.kind in ("replica", "master", "monitor") else ""),
        c.cmd,
        span(c.idle_s),
        span(c.age_s),
        size(c.tot_mem_bytes),
        Cell(size(c.omem_bytes), "warn" if c.omem_bytes > 2**20 else "" if c.omem_bytes else "dim"),
        str(c.sub),
        str(c.db),
        c.lib or "–",
    )
    sort = (
        c.id, c.name.lower(), c.addr, c.user, c.kind, c.cmd, c.idle_s, c.age_s, c.tot_mem_bytes, c.omem_bytes,
        c.sub, c.db, c.lib,
    )  # fmt: skip
    return Row(cells, sort, "dim" if c.is_own else "")


def slow_rows(entries: tuple[SlowEntry, ...]) -> Mapping[int, Row]:
    """Return the slow log's table, by entry id."""
    return {
        e.id: Row(
            (str(e.id), clock(e.at), micros(e.took_us), e.command, e.client_name or e.addr or "–"),
            (e.id, e.at, e.took_us, e.command, e.client_name or e.addr),
            haystack=e.addr,
        )
        for e in entries
    }


def keyspace_rows(databases: tuple[Keyspace, ...]) -> Mapping[str, Row]:
    """Return the keyspace table, by database."""
    return {
        d.db: Row(
            (
                d.db,
                f"{d.keys:,}",
                f"{d.expires:,}",
                percent(100 * d.expires / d.keys) if d.keys else "–",
                span(d.avg_ttl_s) if d.avg_ttl_s else "–",
            ),
            (d.db, d.keys, d.expires, d.expires / d.keys if d.keys else 0, d.avg_ttl_s),
        )
        for d in databases
    }


def state_rows(snapshot: RedisSnapshot, now: float) -> Mapping[Hashable, Row]:
    """Return everything else as rows of what, value and note."""
    rows = [*_memory(snapshot), *_persistence(snapshot, now), *_replication(snapshot), *_trouble(snapshot, now)]
    return {
        (what, index): Row((what, Cell(value, tone), note), (index, value, note))
        for index, (what, value, note, tone) in enumerate(rows)
    }


_Line = tuple[str, str, str, Tone]


def trend_words(snapshot: RedisSnapshot) -> tuple[str, str]:
    """Return how fast memory grows, and when it is full if that goes on; dashes before two minutes were seen."""
    memory = snapshot.memory
    grows = slope(snapshot.history.get("memory", Series(1)).points(), _TREND_S)
    if grows is None or memory.used_bytes is None:
        return "–", "known after two minutes"
    per_min = grows * 60
    words = f"{'+' if per_min >= 0 else '−'}{size(abs(per_min))}/min"
    if memory.max_bytes is None:
        return words, "no maxmemory: it grows until the machine is full"
    if grows * _CALM_S < 0.01 * memory.max_bytes:
        return words, "not full within days"
    left = max(0.0, (memory.max_bytes - memory.used_bytes) / grows)
    return words, f"full in {span(left)} if it goes on so"


def _memory(snapshot: RedisSnapshot) -> Iterator[_Line]:
    m = snapshot.memory
    yield "memory: trend", *trend_words(snapshot), ""
    yield "memory: dataset", size(m.dataset_bytes), "the keys and values themselves", ""
    yield "memory: overhead", size(m.overhead_bytes), "tables, buffers, bookkeeping", ""
    yield "memory: resident", size(m.rss_bytes), f"of {size(m.system_bytes)} of the machine", ""
    yield "memory: peak", size(m.peak_bytes), "since the server started", ""
    yield "memory: clients", size(m.clients_bytes), "their buffers", ""
    yield "memory: replication", size(m.replication_bytes), "backlog and replicas' buffers", ""
    if m.fragmentation_ratio is not None:
        note = "" if m.is_fragmentation_meaningful else "says nothing below 100 MiB of data"
        yield "fragmentation", f"{m.fragmentation_ratio:.2f}, {size(m.fragmentation_bytes)}", note, ""
    if m.lazyfree_pending:
        yield "lazy freeing", f"{m.lazyfree_pending:,} objects", "still to be freed in the background", ""
    if m.is_defragmenting:
        yield "active defrag", "running", "costs CPU of the main thread", ""


def _persistence(snapshot: RedisSnapshot, now: float) -> Iterator[_Line]:
    p = snapshot.persistence
    if p.last_save_at is not None:
        ago = coarse(now - p.last_save_at)
        note = f"{p.changes_since_save or 0:,} changes since"
        yield (
            "last save",
            f"{p.last_save_status or '?'}, {ago} ago",
            note,
            "" if p.last_save_status != "err" else "critical",
        )
    if p.is_saving:
        yield "save", "under way", "", "accent"
    if p.is_aof:
        bad = p.aof_write_status not in ("", "ok")
        yield "append-only file", p.aof_write_status or "on", size(p.aof_size_bytes), "critical" if bad else ""
    elif p.last_save_at is not None:
        yield "append-only file", "off", "", "dim"
    if p.latest_fork_us:
        yield "last fork", micros(p.latest_fork_us), "everybody stood still that long", ""


def _replication(snapshot: RedisSnapshot) -> Iterator[_Line]:
    r = snapshot.replication
    if r.role:
        note = f"{r.connected_replicas} replicas" if r.role == "master" else f"of {r.master}"
        yield "role", "replica" if r.role == "slave" else r.role, note, ""
    if r.link_status:
        down = f"down for {span(r.link_down_s)}" if r.link_down_s is not None else "down"
        is_up = r.link_status == "up"
        note = "full synchronisation under way" if r.is_syncing else f"last heard {span(r.last_io_s)} ago"
        yield "link to master", "up" if is_up else down, note, "" if is_up else "critical"
    for replica in r.replicas:
        lag = f"{size(replica.offset_lag_bytes)} behind, {span(replica.lag_s)} ago"
        yield f"replica {replica.addr}", replica.state, lag, "" if replica.state == "online" else "warn"


def _trouble(snapshot: RedisSnapshot, now: float) -> Iterator[_Line]:
    rates = snapshot.rates
    yield "network in", f"{size(rates.input_bytes_per_s)}/s", "", ""
    yield "network out", f"{size(rates.output_bytes_per_s)}/s", "", ""
    yield "expired", f"{rate(rates.expired_per_s)}/s", "keys whose time to live ended", ""
    yield (
        "rejected connections",
        f"{rate(rates.rejected_per_s)}/s",
        "because of maxclients",
        "critical" if rates.rejected_per_s else "",
    )
    for error in snapshot.errors:
        yield (
            f"error {error.name}",
            f"{rate(error.per_s)}/s",
            f"{error.count:,} since the start",
            "warn" if error.per_s else "",
        )
    for event in snapshot.latency:
        note = f"worst {event.max_ms} ms; LATENCY LATEST"
        yield f"latency {event.event}", f"{event.latest_ms} ms", f"{span(now - event.at)} ago, {note}", ""
    for refusal in snapshot.refusals:
        yield refusal.command, "not seen", refusal.reason, "warn"
    if snapshot.doctor:
        yield "MEMORY DOCTOR", "enter to read", snapshot.doctor, "dim"
