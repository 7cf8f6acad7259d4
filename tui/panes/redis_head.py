"""What stands above the tables of the Redis tab: who answers, how many rows wait, what it is in trouble with. Pure."""

from collections.abc import Mapping
from typing import Final

from tui.sources.redis_snapshot import RedisSnapshot
from tui.units import coarse, rate, span
from widgets.cell import Tone
from widgets.segment_line import Segment

_NEARLY_FULL: Final = 95.0
"""Per cent of maxmemory from which on keys are evicted at any moment."""


def title(snapshot: RedisSnapshot) -> list[Segment]:
    """Return who answers: product, role, uptime, address."""
    server, replication = snapshot.server, snapshot.replication
    if not server.version:
        return [Segment("INFO is refused", "warn"), Segment(snapshot.address, "dim", priority=2)]
    role = {"slave": f"replica of {replication.master}"}.get(replication.role, replication.role)
    mode = f" {server.mode}" if server.mode not in ("", "standalone") else ""
    return [
        Segment(f"{server.product} {server.version}{mode}"),
        Segment(role, "accent" if replication.role == "slave" else ""),
        Segment(f"up {coarse(server.uptime_s)}", priority=1),
        Segment(snapshot.address, "dim", priority=2),
    ]


def view_amounts(snapshot: RedisSnapshot) -> Mapping[str, str]:
    """Return what stands behind a view's name: how many rows wait there, or that it is refused."""
    clients = "refused" if snapshot.clients is None else str(len(snapshot.clients))
    slow = "refused" if snapshot.slowlog is None else str(len(snapshot.slowlog))
    keys = sum(database.keys for database in snapshot.keyspace)
    queues = f" {len(snapshot.queues)}" if snapshot.queues else ""
    return {"clients": f" {clients}", "slowlog": f" {slow}", "keyspace": f" {keys:,}", "queues": queues}


def trouble(snapshot: RedisSnapshot) -> tuple[str, Tone]:
    """Return what an answering server is in trouble with, worst first; empty when nothing is."""
    persistence, replication, memory = snapshot.persistence, snapshot.replication, snapshot.memory
    if persistence.is_loading:
        done = f" {persistence.loaded_percent:.0f} %" if persistence.loaded_percent is not None else ""
        eta = f", about {span(persistence.loading_eta_s)} left" if persistence.loading_eta_s is not None else ""
        return f"LOADING: the dataset is read into memory{done}{eta}; data commands are refused until then", "critical"
    if memory.refuses_writes:
        return (
            "OOM: memory is full and the policy is noeviction: writes are refused; raise maxmemory or free keys",
            "critical",
        )
    if replication.role == "slave" and replication.link_status == "down":
        down = f" for {span(replication.link_down_s)}" if replication.link_down_s is not None else ""
        return f"MASTERDOWN: the link to {replication.master} is down{down}; data here is old", "critical"
    if snapshot.cluster is not None and snapshot.cluster.state not in ("", "ok"):
        slots = "" if snapshot.cluster.slots_ok is None else f", {snapshot.cluster.slots_ok:,} slots are served"
        return f"CLUSTERDOWN: the cluster is {snapshot.cluster.state}{slots}; see Nodes", "critical"
    if lost := [node.id for node in snapshot.nodes if snapshot.server.mode == "sentinel" and node.state != "ok"]:
        return f"the sentinel says of {', '.join(lost)} that it is down; see Nodes", "critical"
    if snapshot.rates.rejected_per_s:
        return f"{rate(snapshot.rates.rejected_per_s)} connections/s are rejected: maxclients is reached", "critical"
    if (memory.percent or 0.0) >= _NEARLY_FULL:
        then = "writes will be refused" if memory.policy == "noeviction" else f"keys are evicted ({memory.policy})"
        return f"memory is full: {then}; what grew? see Key space (r), Clients, Slow log", "warn"
    if persistence.last_save_status == "err":
        return "the last save failed: see the server's log (disk full? no memory to fork?)", "warn"
    if snapshot.refusals:
        told = [f"{refusal.command} ({refusal.reason})" for refusal in snapshot.refusals]
        return f"not seen: {', '.join(told)}", "dim"
    return "", ""
