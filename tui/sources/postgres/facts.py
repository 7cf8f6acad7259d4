"""What is known about one PostgreSQL server and its sessions: frozen, in the server's own words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tui.sources.postgres.view_facts import ViewFacts
from tui.sources.reading import Number
from tui.sources.trait import Trait

OWN_APPLICATION = "opstui"
"""`application_name` of the connection that reads."""
ACTION_APPLICATION = "opstui-action"
"""`application_name` of the connection that changes something."""

SOCKET = "a unix socket"
"""What stands in the place of an address where there is none."""

SessionKey = tuple[int, datetime | None]
"""pid and `backend_start`: a session's identity; pids are used again."""

StatementKey = tuple[int, int, int, bool]
"""`userid`, `dbid`, `queryid`, `toplevel`: an entry of pg_stat_statements."""


@dataclass(frozen=True, slots=True)
class Server:
    """Who answers, and what our role may do there."""

    version: str
    """`version()` up to the platform: `PostgreSQL 18.6`."""
    major: int
    is_standby: bool
    """`pg_is_in_recovery()`."""
    started: datetime
    """`pg_postmaster_start_time()`; another value is another server, or the same one restarted."""
    address: str | None
    """`inet_server_addr()`; None on a unix socket."""
    port: int | None
    """`inet_server_port()`; None on a unix socket."""
    database: str
    role: str
    is_superuser: bool
    may_read_stats: bool
    """Has the rights of `pg_read_all_stats`: sees what others' sessions do."""
    may_signal: bool
    """Has the rights of `pg_signal_backend`: may end others' sessions."""
    cluster_name: str = ""
    system_identifier: int | None = None
    """`pg_control_system()`: the same on a server's standbys and clones; None where it cannot be read."""
    no_system_identifier: str = ""
    """Why it cannot be read, with what helps; empty when it was."""
    is_pooled: bool = False
    """A pooler such as PgBouncer stands between us and the server."""
    encryption: str = ""
    """`TLS`, `TLS, not verified`, `no TLS`, or `socket`."""
    statements_version: str | None = None
    """Version of the pg_stat_statements extension in this database; None where it was not created."""
    statements_schema: str = ""
    """Its schema, quoted by the server."""
    psql: str = "psql"
    """The command that reaches the same database; without secrets."""

    def traits(self) -> Iterator[Trait]:
        """Return what a profile may pin; standbys and clones share all but address, port and role."""
        yield Trait("system_identifier", self.system_identifier, self.no_system_identifier)
        # It is whatever somebody wrote into the configuration, so it counts only where there is nothing better.
        counts = self.system_identifier is None and bool(self.cluster_name)
        yield Trait("cluster_name", self.cluster_name, lasts=counts)
        is_tcp = self.address is not None and self.port is not None
        yield Trait("address", self.address if is_tcp else SOCKET, lasts=is_tcp)
        yield Trait("port", self.port if is_tcp else SOCKET, lasts=is_tcp)
        yield Trait("database", self.database)
        yield Trait("role", "standby" if self.is_standby else "primary")


@dataclass(frozen=True, slots=True)
class Session:
    """One row of `pg_stat_activity`. Fields our role may not see are None."""

    pid: int
    backend_start: datetime | None
    backend_type: str | None
    """`client backend`, `walsender`, `autovacuum worker`…; None when our role may not see it."""
    database: str | None
    role: str | None
    application: str
    client: str
    """`address:port`, or `local` for a unix socket; empty for the server's own processes."""
    state: str | None
    """`active`, `idle`, `idle in transaction`, `idle in transaction (aborted)`…"""
    wait_event_type: str | None
    wait_event: str | None
    query: str
    """The newest statement on one line, cleaned, cut at 200 characters."""
    query_bytes: int | None = None
    """Length of the statement as the server keeps it."""
    query_id: int | None = None
    """`query_id` (14+), which joins it to pg_stat_statements."""
    query_start: datetime | None = None
    connected_s: float | None = None
    transaction_s: float | None = None
    """Age of the transaction in seconds; None when there is none."""
    query_s: float | None = None
    """Seconds since the newest statement began, also when it has ended."""
    state_s: float | None = None
    """Seconds in this state."""
    xmin_age: int | None = None
    """The greater of `age(backend_xmin)` and `age(backend_xid)`: by how many transactions it holds back vacuum."""
    leader_pid: int | None = None
    """Pid of the leader of a parallel worker."""
    blockers: tuple[int, ...] = ()
    """`pg_blocking_pids`: who must end first; 0 is a prepared transaction."""

    @property
    def key(self) -> SessionKey:
        """The session's identity."""
        return self.pid, self.backend_start

    @property
    def is_visible(self) -> bool:
        """Whether our role may see what it does."""
        return self.backend_type is not None

    @property
    def is_client(self) -> bool:
        """Whether it is a client's session, as far as our role can tell."""
        # The logical replication launcher has a role too, but no database; clients always have both.
        is_hidden = self.backend_type is None
        return self.backend_type == "client backend" or (is_hidden and None not in (self.role, self.database))

    @property
    def is_own(self) -> bool:
        """Whether it belongs to an opstui, this or another."""
        return self.application.startswith(OWN_APPLICATION)

    @property
    def is_active(self) -> bool:
        """Whether a client's statement is running."""
        return self.state == "active" and self.backend_type == "client backend"

    @property
    def is_idle_in_transaction(self) -> bool:
        """Whether it holds a transaction open without doing anything in it."""
        return self.state is not None and self.state.startswith("idle in transaction")

    @property
    def time_s(self) -> float | None:
        """How long it has been at what it does, in seconds: its statement, its idle transaction, or its state."""
        if self.state == "active":
            return self.query_s
        return self.transaction_s if self.is_idle_in_transaction else self.state_s


@dataclass(frozen=True, slots=True)
class LockWait:
    """What a session waits for: one row of `pg_locks` that is not granted."""

    locktype: str
    mode: str
    relation: str
    """The relation's name, its oid where it belongs to another database, or empty."""
    waited_s: float | None
    """`waitstart` in seconds (14+)."""


@dataclass(frozen=True, slots=True)
class PreparedTransaction:
    """A transaction prepared for two-phase commit: it holds locks without a session."""

    gid: str
    database: str
    owner: str
    age_s: float


@dataclass(frozen=True, slots=True)
class Place:
    """One session's place in the tree of who waits for whom."""

    pid: int
    """0: a prepared transaction."""
    depth: int
    """0: waits for nobody."""
    under: int | None
    """Whom it is shown under; None for a root."""
    also: tuple[int, ...]
    """Its other blockers."""
    waiting: int
    """How many sessions wait below it."""
    is_cycle: bool = False
    """A root only because the sessions wait for each other: a deadlock the server has not resolved yet."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on connections of one database or role (`datconnlimit`, `rolconnlimit`)."""

    kind: str
    """`database` or `role`."""
    name: str
    connections: int


@dataclass(frozen=True, slots=True)
class Connections:
    """Client sessions against what the server allows. Our own count too: they take a place."""

    by_state: Mapping[str, int]
    """Number by `state`; `not visible` for those our role may not see."""
    used: int
    limit: int
    """`max_connections` minus the reserved ones."""
    reserved: int
    """Kept for superusers and, from 16 on, for `pg_use_reserved_connections`."""
    near_limits: tuple[tuple[Limit, int], ...] = ()
    """Databases and roles at 80 % or more of a limit of their own, with what they use."""

    @property
    def percent(self) -> float:
        """Used places in percent; may pass 100 when superusers take reserved ones."""
        return 100.0 * self.used / self.limit if self.limit > 0 else 100.0


@dataclass(frozen=True, slots=True)
class Rates:
    """`pg_stat_database` of all databases together, per second since the tick before."""

    transactions: float
    """Commits and rollbacks per second."""
    rollbacks: float
    hit_percent: float | None
    """Blocks found in shared buffers; None when fewer than 1,000 were asked for."""
    temp_bytes: float
    """Bytes per second written to temporary files."""
    deadlocks: int
    """Deadlocks since the tick before (a number, not a rate)."""
    deadlocks_total: int
    """Deadlocks since the statistics were reset."""
    temp_files: float = 0.0
    """Temporary files begun per second."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one statement of pg_stat_statements cost lately; statements appear when they end."""

    id: int
    """`queryid`."""
    database: str
    role: str
    text: str
    """Normalised text on one line, cleaned; empty until it was fetched."""
    calls_per_s: float
    busy: float
    """Execution time per second: the average number of sessions inside this statement."""
    mean_ms: float
    """Mean execution time of the calls of this window."""
    rows_per_call: float
    hit_percent: float | None
    """Blocks found in shared buffers; None when it read none."""
    temp_blocks_per_s: float
    key: StatementKey
    is_own: bool = False
    """Whether an opstui sends it."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements that cost most lately."""

    top: tuple[Statement, ...]
    """By `busy`, greatest first; at most 100."""
    window_s: float
    """The seconds they were observed; 0 until the second sample."""
    evicted: int = 0
    """Entries the server threw away in this window (`dealloc`): the rates are incomplete."""


@dataclass(frozen=True, slots=True)
class DatabaseSnapshot:
    """One tick of one server."""

    server: Server
    sessions: tuple[Session, ...]
    """Every session but our own reading one."""
    connections: Connections
    tree: tuple[Place, ...]
    """Who waits for whom, roots with most waiters first, each followed by its waiters."""
    waits: Mapping[int, LockWait] = field(default_factory=dict)
    """What waiting sessions wait for, by pid; empty when nobody waits."""
    prepared: tuple[PreparedTransaction, ...] = ()
    """Prepared transactions, read only while one blocks somebody."""
    clock_offset_s: float | None = None
    """`clock_timestamp()` minus our clock, in seconds; None when it is not told."""
    rates: Rates | None = None
    """None until the second tick, and after the server or its statistics changed."""
    statements: Statements | None = None
    """None where pg_stat_statements cannot be read; `missing` says why."""
    views: ViewFacts = field(default_factory=ViewFacts)
    """What is read for single views, or for rules at a slower pace."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """What is not shown on this connection → why, with what would help."""

    def session(self, pid: int) -> Session | None:
        """Return the session of a pid in this tick."""
        return next((session for session in self.sessions if session.pid == pid), None)

    @property
    def waiting(self) -> int:
        """How many sessions wait for another's lock."""
        return sum(1 for place in self.tree if place.under is not None or place.is_cycle)

    @property
    def longest_active(self) -> Session | None:
        """The client whose statement has run longest; ours are left out."""
        return max(
            (s for s in self.sessions if s.is_active and not s.is_own), key=lambda s: s.query_s or 0.0, default=None
        )

    @property
    def longest_idle_in_transaction(self) -> Session | None:
        """The client that has sat idle in a transaction for longest."""
        return max((s for s in self.sessions if s.is_idle_in_transaction), key=lambda s: s.state_s or 0.0, default=None)

    @property
    def oldest_transaction(self) -> Session | None:
        """The client with the oldest transaction; ours are left out."""
        return max(
            (s for s in self.sessions if s.is_client and s.transaction_s is not None and not s.is_own),
            key=lambda s: s.transaction_s or 0.0,
            default=None,
        )

    def traits(self) -> Iterator[Trait]:
        """Return what tells its server from others."""
        return self.server.traits()

    def numbers(self) -> Iterator[Number]:
        """Return every number a rule may watch.

        connections_percent, active_s, idle_in_transaction_s, transaction_s (each the longest), blocked; with two ticks
        also transactions_per_s, rollbacks_per_s, temp_bytes_per_s, deadlocks and, above 1,000 blocks, hit_percent.
        And those of `ViewFacts.numbers`.
        """
        yield Number("connections_percent", self.connections.percent)
        active, idle, oldest = self.longest_active, self.longest_idle_in_transaction, self.oldest_transaction
        yield Number("active_s", (active.query_s if active else None) or 0.0)
        yield Number("idle_in_transaction_s", (idle.state_s if idle else None) or 0.0)
        yield Number("transaction_s", (oldest.transaction_s if oldest else None) or 0.0)
        yield Number("blocked", float(self.waiting))
        if self.rates is not None:
            yield Number("transactions_per_s", self.rates.transactions)
            yield Number("rollbacks_per_s", self.rates.rollbacks)
            yield Number("temp_bytes_per_s", self.rates.temp_bytes)
            yield Number("deadlocks", float(self.rates.deadlocks))
            if self.rates.hit_percent is not None:
                yield Number("hit_percent", self.rates.hit_percent)
        yield from self.views.numbers()
