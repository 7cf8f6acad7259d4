"""Everything that is known of one Redis or Valkey server at one moment, and the numbers that rules may watch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tui.sources.history import Series
from tui.sources.reading import Number
from tui.sources.redis_facts import (
    Client,
    ClientCounts,
    CommandStat,
    ErrorStat,
    Keyspace,
    LatencyEvent,
    Memory,
    Persistence,
    Rates,
    Refusal,
    Replication,
    Server,
    SlowEntry,
)
from tui.sources.redis_queues import Queue
from tui.sources.redis_sampler import Sampling
from tui.sources.redis_topology import SLOTS, Cluster, Node
from tui.sources.trait import Trait


@dataclass(frozen=True, slots=True)
class RedisSnapshot:
    """One server at one moment."""

    address: str
    """`host:port` or the socket's path; no user, no password."""
    server: Server
    memory: Memory
    rates: Rates
    counts: ClientCounts
    persistence: Persistence
    replication: Replication
    keyspace: tuple[Keyspace, ...]
    commands: tuple[CommandStat, ...]
    """Most calls per second first."""
    errors: tuple[ErrorStat, ...]
    clients: tuple[Client, ...] | None
    """None when CLIENT LIST is refused."""
    clients_read_at: float | None
    """`time.time()` of the CLIENT LIST shown: with more than 2,000 clients it is read every 10 s only."""
    slowlog: tuple[SlowEntry, ...] | None
    """Newest first, at most 50; None when SLOWLOG is refused."""
    slowlog_slower_than_us: int | None
    """`slowlog-log-slower-than`; None when CONFIG GET is refused, negative when the slow log is off."""
    latency: tuple[LatencyEvent, ...]
    doctor: str
    """MEMORY DOCTOR's words, every 30 s; empty when refused."""
    refusals: tuple[Refusal, ...]
    round_trip_ms: float
    """How long the pipeline of the reading took from the first byte sent to the last reply."""
    clock_offset_s: float | None = None
    """`server_time_usec` of INFO minus our clock, in seconds; None when it is not told."""
    latency_threshold_ms: int | None = None
    """`latency-monitor-threshold`: shorter events are not kept, with 0 none; None when CONFIG GET is refused."""
    cluster: Cluster | None = None
    """None outside a cluster, and where CLUSTER INFO is refused."""
    nodes: tuple[Node, ...] = ()
    """The cluster's nodes, while somebody looks; the masters that a sentinel watches."""
    queues: tuple[Queue, ...] = ()
    """Those that the profile names, in its order."""
    sampling: Sampling | None = None
    """The walk over the keys; None before one was begun, and while nobody looks."""
    history: Mapping[str, Series] = field(default_factory=dict, compare=False)
    """`memory`, `ops`, `hits`, `evictions`, `expirations`, `clients`, `cpu`, and for each queue `queue NAME`: the
    source's own series, which go on."""

    def traits(self) -> Iterable[Trait]:
        """Return what a profile may pin. `run_id` is not among it: each start makes another."""
        why_not = {refusal.command.partition(" ")[0]: refusal.reason for refusal in self.refusals}
        no_info = f"INFO is {why_not.get('INFO', 'not answered')}"
        role = "replica" if self.replication.role == "slave" else self.replication.role
        yield Trait("role", role or None, "" if role else no_info)
        mode, node = self.server.mode, self.server.cluster_myid
        if mode and mode != "cluster":
            yield Trait("cluster_myid", "none, it is in no cluster", lasts=False)
        elif node or mode:
            missing = "" if node else f"CLUSTER MYID is {why_not.get('CLUSTER', 'not answered yet')}"
            yield Trait("cluster_myid", node or None, missing)
        else:
            yield Trait("cluster_myid", None, no_info, lasts=False)

    def numbers(self) -> Iterable[Number]:
        """Return what rules may watch; a number that the server does not have is left out.

        memory_percent (only with maxmemory), fragmentation (only from 100 MiB on), evicted_per_s, rejected_per_s,
        clients_percent, save_failed (1: the last save or append to disk failed), replica_lag_bytes and replica_lag_s
        (of the replica that is furthest behind), link_down_s (a replica's own), cluster_failing (1: its cluster does
        not serve every slot), masters_down (of those that a sentinel watches), and for each queue that the profile
        names queue_length, queue_pending and queue_age_s.
        """
        fragmentation = self.memory.fragmentation_ratio if self.memory.is_fragmentation_meaningful else None
        values = {
            "memory_percent": self.memory.percent,
            "evicted_per_s": self.rates.evicted_per_s,
            "rejected_per_s": self.rates.rejected_per_s,
            "fragmentation": fragmentation,
            "clients_percent": self.counts.percent,
            "save_failed": self.persistence.failed,
            "replica_lag_bytes": self.replication.lag_bytes,
            "replica_lag_s": self.replication.lag_s,
            "link_down_s": self.replication.down_s,
        }
        if self.cluster is not None:
            is_whole = self.cluster.state == "ok" and self.cluster.slots_ok in (None, SLOTS)
            yield Number("cluster_failing", float(not is_whole))
        if self.server.mode == "sentinel":
            yield Number("masters_down", sum(node.state != "ok" for node in self.nodes))
        yield from (Number(metric, value) for metric, value in values.items() if value is not None)
        for queue in self.queues:
            yield from queue.numbers()
