"""The queues a profile names, latency events, and the nodes of a cluster → rows. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

from tui.sources.history import Series, recent
from tui.sources.redis_queues import Queue
from tui.sources.redis_snapshot import RedisSnapshot
from tui.sources.redis_topology import SLOTS, Node
from tui.units import micros, size, span
from widgets.cell import Cell, Column, Row, Tone
from widgets.sparkline import sparkline

Judge = Callable[[str, str], Tone]
"""(metric, object) → how the profile's rules judge it now."""

QUEUES: Final = (
    Column("name", "QUEUE", min_width=14),
    Column("type", "TYPE", 7),
    Column("length", "LENGTH", 11, "right"),
    Column("growth", "GROWS/S", 9, "right"),
    Column("pending", "PENDING", 9, "right"),
    Column("age", "OLDEST", 8, "right"),
    Column("groups", "GROUPS", 7, "right", priority=2),
    Column("trend", "LAST 2 MIN", 10, priority=1),
)
LATENCY: Final = (
    Column("event", "EVENT", min_width=18),
    Column("latest", "LATEST", 10, "right"),
    Column("worst", "WORST", 10, "right"),
    Column("when", "AGO", 8, "right"),
    Column("note", "NOTE", min_width=20, priority=1),
)
NODES: Final = (
    Column("node", "NODE", min_width=21),
    Column("role", "ROLE", 8),
    Column("state", "STATE", 12),
    Column("slots", "SLOTS", 7, "right"),
    Column("lag", "BEHIND", 10, "right", priority=1),
    Column("note", "NOTE", min_width=16, priority=1),
)
_STEP_S: Final = 12.0
_TREND: Final = 10
_NODE_ID: Final = 40
"""Characters of a cluster node's name, which nobody reads."""


def queue_rows(snapshot: RedisSnapshot, judge: Judge, now: float) -> Mapping[str, Row]:
    """Return the queues, by name."""
    return {one.name: _queue_row(one, snapshot, judge, now) for one in snapshot.queues}


def _queue_row(one: Queue, snapshot: RedisSnapshot, judge: Judge, now: float) -> Row:
    values = recent(snapshot.history.get(f"queue {one.name}", Series(1)), now, _STEP_S * _TREND, _TREND)
    cells = (
        one.name,
        {"none": "no key", "?": "refused"}.get(one.kind, one.kind),
        Cell("–" if one.length is None else f"{one.length:,}", judge("queue_length", one.name)),
        "–" if one.per_s is None else f"{one.per_s:+,.1f}" if one.per_s else "0",
        Cell("–" if one.pending is None else f"{one.pending:,}", judge("queue_pending", one.name)),
        Cell(span(one.age_s), judge("queue_age_s", one.name)),
        str(len(one.groups)) if one.groups else "–",
        sparkline(values, _TREND, low=0.0, high=None),
    )
    return Row(cells, (one.name, one.kind, one.length, one.per_s, one.pending, one.age_s, len(one.groups), None))


def queue_page(one: Queue) -> str:
    """Return a queue in full, with its consumer groups."""
    lines = [one.name, "", f"{one.kind}, {'–' if one.length is None else f'{one.length:,}'} entries"]
    if one.refused:
        lines.append(f"not shown: {one.refused}")
    if one.groups:
        lines += ["", f"{'PENDING':>9} {'LAG':>9} {'CONSUMERS':>10}  GROUP"]
        lines += [
            f"{each.pending:>9,} {'–' if each.lag is None else f'{each.lag:,}':>9} {each.consumers:>10}  {each.name}"
            for each in one.groups
        ]
    elif one.kind in ("list", "zset", "set"):
        lines += ["", f"a {one.kind} keeps no times: how long its oldest entry has waited cannot be told"]
    return "\n".join(lines)


def latency_rows(snapshot: RedisSnapshot, judge: Judge, now: float) -> Mapping[str, Row]:
    """Return what took long: the round trip of the reading, the last fork, the events of LATENCY LATEST."""
    trip = snapshot.round_trip_ms
    rows = {"round trip": Row(("round trip", f"{trip:.1f} ms", "–", "–", "of opstui's own reading, network included"),
                              ("", trip, None, None, ""))}  # fmt: skip
    if fork := snapshot.persistence.latest_fork_us:
        note = "everybody stood still that long at the last save or rewrite"
        rows["fork"] = Row(("last fork", micros(fork), "–", "–", note), ("", fork / 1000, None, None, note))
    for event in snapshot.latency:
        ago = max(0.0, now - event.at)
        rows[event.event] = Row(
            (event.event, f"{event.latest_ms} ms", f"{event.max_ms} ms", span(ago), f"LATENCY HISTORY {event.event}"),
            (event.event, event.latest_ms, event.max_ms, ago, ""),
        )
    return rows


def latency_words(snapshot: RedisSnapshot) -> str:
    """Return whether the server watches latency at all."""
    threshold = snapshot.latency_threshold_ms
    if threshold is None:
        return ""
    return f"events from {threshold} ms on" if threshold else "latency-monitor-threshold is 0: no events are kept"


def node_rows(snapshot: RedisSnapshot, judge: Judge, now: float) -> Mapping[str, Row]:
    """Return the nodes of a cluster or the masters of a sentinel; outside both this server and its replicas."""
    if snapshot.nodes:
        return {f"{one.id} {one.address}": _node_row(one) for one in snapshot.nodes}
    own, replication = snapshot.address, snapshot.replication
    rows: dict[str, Row] = {}
    if replication.role:
        role = "replica" if replication.role == "slave" else replication.role
        rows[own] = Row((own, role, replication.link_status or "ok", "–", "–", "this one"))
    if replication.master:
        rows[replication.master] = Row((replication.master, "master", "–", "–", "–", "of this replica"))
    for one in replication.replicas:
        behind = "–" if one.offset_lag_bytes is None else size(one.offset_lag_bytes)
        state = Cell(one.state, "" if one.state == "online" else "warn")
        rows[one.addr] = Row((one.addr, "replica", state, "–", behind, f"heard {span(one.lag_s)} ago"))
    return rows


def _node_row(one: Node) -> Row:
    note = ", ".join(filter(None, ("this one" if one.is_self else "", one.note)))
    name = one.address if len(one.id) == _NODE_ID else f"{one.id} {one.address}"
    indent = "  " if one.master_id else ""
    state = Cell(one.state, "" if one.state == "ok" else "critical")
    return Row((f"{indent}{name}", one.role, state, str(one.slots) if one.slots else "–", "–", note))


def node_words(snapshot: RedisSnapshot) -> str:
    """Return how the cluster is as a whole."""
    cluster = snapshot.cluster
    if cluster is None:
        return ""
    slots = "" if cluster.slots_ok is None else f", {cluster.slots_ok:,} of {SLOTS:,} slots served"
    return f"cluster {cluster.state or '?'}{slots}"
