"""Facts of one Redis or Valkey server; the words are those of INFO, CLIENT LIST and SLOWLOG.

Every field is None where the server does not report it: older versions miss many, and a user without `+info` sees
only what `DBSIZE` and `MEMORY STATS` tell.
"""

from dataclasses import dataclass
from typing import Final

FRAGMENTATION_COUNTS_FROM: Final = 100 * 1024 * 1024
"""Bytes of used memory below which `mem_fragmentation_ratio` says nothing: fixed costs outweigh the data."""


@dataclass(frozen=True, slots=True)
class Server:
    """INFO server: which process answers."""

    product: str
    """`Redis` or `Valkey`, from `server_name`."""
    version: str
    """`valkey_version`, else `redis_version`; empty when unknown."""
    mode: str
    """`redis_mode` or `server_mode`: standalone, sentinel, cluster; empty when unknown."""
    run_id: str
    """`run_id`: new at each start; empty when unknown."""
    process_id: int | None = None
    uptime_s: int | None = None
    """`uptime_in_seconds`."""
    cluster_myid: str = ""
    """CLUSTER MYID, which outlives restarts; empty outside a cluster and where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Memory:
    """INFO memory, in bytes; from MEMORY STATS where INFO is refused."""

    used_bytes: int | None = None
    """`used_memory`, what `maxmemory` is compared with."""
    rss_bytes: int | None = None
    """`used_memory_rss`."""
    peak_bytes: int | None = None
    """`used_memory_peak`."""
    max_bytes: int | None = None
    """`maxmemory`; None when unknown or without a limit (0)."""
    system_bytes: int | None = None
    """`total_system_memory`."""
    policy: str = ""
    """`maxmemory_policy`; empty when unknown."""
    dataset_bytes: int | None = None
    """`used_memory_dataset`."""
    overhead_bytes: int | None = None
    """`used_memory_overhead`."""
    clients_bytes: int | None = None
    """`mem_clients_normal`."""
    replication_bytes: int | None = None
    """`mem_total_replication_buffers`; before 7.0 `mem_replication_backlog`."""
    aof_buffer_bytes: int | None = None
    """`mem_aof_buffer`."""
    fragmentation_ratio: float | None = None
    """`mem_fragmentation_ratio`: rss over used."""
    fragmentation_bytes: int | None = None
    """`mem_fragmentation_bytes`."""
    lazyfree_pending: int | None = None
    """`lazyfree_pending_objects`."""
    is_defragmenting: bool = False
    """`active_defrag_running`."""

    @property
    def percent(self) -> float | None:
        """Used memory in percent of `maxmemory`; None without a limit."""
        if self.used_bytes is None or not self.max_bytes:
            return None
        return 100 * self.used_bytes / self.max_bytes

    @property
    def is_fragmentation_meaningful(self) -> bool:
        """Whether enough is stored for the fragmentation ratio to say something (100 MiB)."""
        return (self.used_bytes or 0) >= FRAGMENTATION_COUNTS_FROM

    @property
    def refuses_writes(self) -> bool:
        """Whether writes that need memory are answered with OOM: full, and the policy evicts nothing."""
        percent = self.percent
        return percent is not None and percent >= 100 and self.policy == "noeviction"


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened per second between two readings; None at the first one and after a restart."""

    ops_per_s: float | None = None
    """Growth of `total_commands_processed`; `instantaneous_ops_per_sec` at the first reading."""
    hit_percent: float | None = None
    """Growth of `keyspace_hits` in percent of hits and misses; None when nothing was looked up."""
    evicted_per_s: float | None = None
    """Growth of `evicted_keys`."""
    expired_per_s: float | None = None
    """Growth of `expired_keys`."""
    rejected_per_s: float | None = None
    """Growth of `rejected_connections`: refused because of `maxclients`."""
    errors_per_s: float | None = None
    """Growth of `total_error_replies`."""
    input_bytes_per_s: float | None = None
    """Growth of `total_net_input_bytes`."""
    output_bytes_per_s: float | None = None
    """Growth of `total_net_output_bytes`."""
    main_thread_percent: float | None = None
    """CPU of the main thread in percent of one core (`used_cpu_user_main_thread` + `_sys_`): how saturated it is."""


@dataclass(frozen=True, slots=True)
class ClientCounts:
    """INFO clients."""

    connected: int | None = None
    """`connected_clients`."""
    max: int | None = None
    """`maxclients`."""
    blocked: int | None = None
    """`blocked_clients`: waiting in BLPOP and the like."""

    @property
    def percent(self) -> float | None:
        """Connected clients in percent of `maxclients`."""
        return 100 * self.connected / self.max if self.connected is not None and self.max else None


@dataclass(frozen=True, slots=True)
class Client:
    """One line of CLIENT LIST, cleaned."""

    id: int
    """Never used again until the server restarts (then `run_id` differs)."""
    addr: str
    name: str
    """What the client called itself; empty when it did not."""
    user: str
    age_s: int
    idle_s: int
    cmd: str
    """The last command; names only, never arguments."""
    flags: str
    db: int
    sub: int
    """Channels, patterns and shard channels it is subscribed to."""
    omem_bytes: int
    """`omem`: output waiting beyond its buffer."""
    tot_mem_bytes: int | None
    """`tot-mem`; None before 7.0."""
    lib: str
    """`lib-name` and `lib-ver`; empty before 7.2 or when not told."""
    is_own: bool = False
    """Whether this is opstui's own connection."""

    @property
    def kind(self) -> str:
        """The first of the flags' meanings that matters: `replica`, `monitor`, `blocked`… or `normal`."""
        return next((word for flag, word in _FLAGS if flag in self.flags), "normal")


_FLAGS: Final = (
    ("M", "master"),
    ("S", "replica"),
    ("O", "monitor"),
    ("c", "closing"),
    ("A", "closing"),
    ("b", "blocked"),
    ("x", "in MULTI"),
    ("P", "pub/sub"),
    ("t", "tracking"),
)


@dataclass(frozen=True, slots=True)
class SlowEntry:
    """One entry of SLOWLOG GET."""

    id: int
    at: float
    """When it ran, as `time.time()` of the server."""
    took_us: int
    """Execution time in microseconds, without waiting for the client."""
    command: str
    """Command and arguments as the server kept them (at most 32, cut at 128 characters), cleaned. Holds data."""
    addr: str
    client_name: str


@dataclass(frozen=True, slots=True)
class Keyspace:
    """One database of INFO keyspace."""

    db: str
    keys: int
    expires: int
    """Keys that have a time to live."""
    avg_ttl_s: float | None
    """Estimated by the server; None when it has no estimate."""


@dataclass(frozen=True, slots=True)
class Persistence:
    """INFO persistence."""

    is_loading: bool = False
    """`loading`: the dataset is being read from disk; data commands are answered with LOADING."""
    loaded_percent: float | None = None
    """`loading_loaded_perc`."""
    loading_eta_s: int | None = None
    """`loading_eta_seconds`."""
    changes_since_save: int | None = None
    """`rdb_changes_since_last_save`."""
    last_save_at: int | None = None
    """`rdb_last_save_time`, Unix time; the start of the server when nothing was ever saved."""
    last_save_status: str = ""
    """`rdb_last_bgsave_status`: ok or err."""
    is_saving: bool = False
    """`rdb_bgsave_in_progress`."""
    is_aof: bool = False
    """`aof_enabled`."""
    aof_write_status: str = ""
    """`aof_last_write_status`; only with AOF."""
    aof_size_bytes: int | None = None
    """`aof_current_size`; only with AOF."""
    latest_fork_us: int | None = None
    """`latest_fork_usec`: everybody stood still that long."""

    @property
    def failed(self) -> float | None:
        """1 when the last save, or the last write to the append-only file, failed; 0 when not; None when unknown."""
        if not self.last_save_status and not self.aof_write_status:
            return None
        return float(self.last_save_status == "err" or self.aof_write_status not in ("", "ok"))


@dataclass(frozen=True, slots=True)
class Replica:
    """One `slaveN` of INFO replication on a master."""

    addr: str
    state: str
    offset_lag_bytes: int | None
    """`master_repl_offset` minus the replica's `offset`."""
    lag_s: int | None
    """Seconds since its last acknowledgement."""


@dataclass(frozen=True, slots=True)
class Replication:
    """INFO replication."""

    role: str = ""
    """`master` or `slave`; empty when unknown."""
    replicas: tuple[Replica, ...] = ()
    connected_replicas: int | None = None
    """`connected_slaves`."""
    master: str = ""
    """`master_host`:`master_port`, on a replica."""
    link_status: str = ""
    """`master_link_status`: up or down, on a replica."""
    link_down_s: int | None = None
    """`master_link_down_since_seconds`."""
    last_io_s: int | None = None
    """`master_last_io_seconds_ago`."""
    is_syncing: bool = False
    """`master_sync_in_progress`."""

    @property
    def lag_bytes(self) -> int | None:
        """How far the last replica is behind; None without replicas."""
        return max((one.offset_lag_bytes for one in self.replicas if one.offset_lag_bytes is not None), default=None)

    @property
    def lag_s(self) -> int | None:
        """Seconds since the replica that is silent for the longest acknowledged anything; None without replicas."""
        return max((one.lag_s for one in self.replicas if one.lag_s is not None), default=None)

    @property
    def down_s(self) -> int | None:
        """How long a replica has had no link to its master, 0 while it has; None on a master."""
        if not self.link_status:
            return None
        return 0 if self.link_status == "up" else max(1, self.link_down_s or 0)


@dataclass(frozen=True, slots=True)
class CommandStat:
    """One command of INFO commandstats, with what happened since the reading before."""

    name: str
    """`get`, `config|get`."""
    calls: int
    """Since the server started."""
    calls_per_s: float | None
    usec_per_call: float | None
    """Over the last interval; over the server's life when it was called less than 10 times in it."""
    busy_percent: float | None
    """Share of one core spent in it over the last interval."""
    p99_us: float | None
    """INFO latencystats, over the server's life; None before 7.0."""
    rejected: int
    failed: int


@dataclass(frozen=True, slots=True)
class ErrorStat:
    """One error of INFO errorstats."""

    name: str
    """The error's first word: `OOM`, `WRONGTYPE`, `NOPERM`."""
    count: int
    per_s: float | None


@dataclass(frozen=True, slots=True)
class LatencyEvent:
    """One event of LATENCY LATEST."""

    event: str
    at: int
    """Unix time of the newest spike."""
    latest_ms: int
    max_ms: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command this connection may not, or cannot, send; it is not tried again before the next connection."""

    command: str
    reason: str
    """`not permitted for user web: +slowlog|get`, `not offered by this server`."""
