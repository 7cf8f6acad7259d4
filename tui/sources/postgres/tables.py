"""Tables and indexes of the connected database. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tui.sources.postgres.row import Row, one_line
from tui.sources.text import clean

_SCANS: Final = 50
_ROWS: Final = 10_000
"""Below these a sequential scan is what it should be."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table or materialized view: `pg_class` and `pg_stat_all_tables`."""

    oid: int
    schema: str
    name: str
    table_bytes: int
    """`relpages` with TOAST, as of the last vacuum or analyze."""
    index_bytes: int
    """`relpages` of its indexes."""
    live: int
    """`n_live_tup`, an estimate."""
    dead: int
    """`n_dead_tup`, an estimate."""
    modified: int
    """`n_mod_since_analyze`."""
    seq_scans: int
    seq_rows: int
    """`seq_tup_read`: rows that sequential scans fetched."""
    index_scans: int | None
    """`idx_scan`; None: it has no index."""
    vacuum_ago_s: float | None
    """Seconds since `last_vacuum`; None: never by hand."""
    autovacuum_ago_s: float | None
    analyze_ago_s: float | None
    autoanalyze_ago_s: float | None
    is_autovacuum_off: bool
    """The table's own `autovacuum_enabled` is off."""
    may_select: bool
    """Whether our role may select from it; if not, there is no bloat estimate."""
    bloat_bytes: int | None = None
    """Estimate of the space no row takes; None below 1,000 pages, and where its statistics are not ours to see."""

    @property
    def full_name(self) -> str:
        """Its name, with the schema where that is not public."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def dead_percent(self) -> float:
        """Dead rows in percent of all."""
        return 100.0 * self.dead / (self.live + self.dead) if self.live + self.dead else 0.0

    @property
    def rows_per_seq_scan(self) -> float:
        """How much of it a sequential scan reads."""
        return self.seq_rows / self.seq_scans if self.seq_scans else 0.0

    @property
    def wants_index(self) -> bool:
        """Whether it is large and read from end to end again and again: a candidate, not a verdict."""
        return self.seq_scans > _SCANS and self.live > _ROWS and self.rows_per_seq_scan > self.live / 2

    @property
    def vacuumed_ago_s(self) -> float | None:
        """Seconds since the last vacuum of either kind; None: never."""
        return _nearest(self.vacuum_ago_s, self.autovacuum_ago_s)

    @property
    def analyzed_ago_s(self) -> float | None:
        """Seconds since the last analyze of either kind; None: never."""
        return _nearest(self.analyze_ago_s, self.autoanalyze_ago_s)


@dataclass(frozen=True, slots=True)
class Index:
    """One index: `pg_index` and its statistics."""

    oid: int
    schema: str
    table: str
    name: str
    bytes: int
    """`relpages`, as of the last vacuum or analyze."""
    scans: int
    """`idx_scan` on this server: those on its standbys are not among them."""
    scanned_ago_s: float | None
    """Seconds since `last_idx_scan` (16+); None before, and when it never was scanned."""
    is_unique: bool
    is_primary: bool
    is_exclusion: bool
    is_replica_identity: bool
    is_valid: bool
    """False: it is being built, or a CONCURRENTLY that built it failed."""
    alike: tuple[str, ...]
    """Names of indexes of the same table with the same columns, operators and predicate."""
    definition: str
    """`pg_get_indexdef`."""
    counted_s: float | None
    """Seconds since the database's statistics were reset; None: never."""

    @property
    def full_table(self) -> str:
        """Its table, with the schema where that is not public."""
        return self.table if self.schema == "public" else f"{self.schema}.{self.table}"

    @property
    def is_unused(self) -> bool:
        """Whether it was never scanned and upholds nothing by being there."""
        upholds = self.is_unique or self.is_primary or self.is_exclusion or self.is_replica_identity
        return self.scans == 0 and not upholds


@dataclass(frozen=True, slots=True)
class Tables:
    """The largest tables."""

    tables: tuple[Table, ...]
    """By size with indexes, the largest first; at most 200."""
    total: int
    """How many there are."""
    age_s: float
    """Seconds since they were read."""


@dataclass(frozen=True, slots=True)
class Indexes:
    """Indexes worth a look, then the largest."""

    indexes: tuple[Index, ...]
    """At most 200."""
    total: int
    age_s: float


def _nearest(*ages: float | None) -> float | None:
    return min((age for age in ages if age is not None), default=None)


def table(row: Row, bloat: Mapping[int, int]) -> Table:
    """Return one row of `tables-*.sql`; `bloat` is the estimate by oid."""
    return Table(
        oid=row["oid"],
        schema=clean(row["schema"]),
        name=clean(row["name"]),
        table_bytes=row["table_bytes"],
        index_bytes=row["index_bytes"],
        live=row["live"] or 0,
        dead=row["dead"] or 0,
        modified=row["modified"] or 0,
        seq_scans=row["seq_scans"] or 0,
        seq_rows=row["seq_rows"] or 0,
        index_scans=row["index_scans"],
        vacuum_ago_s=row["vacuum_ago_s"],
        autovacuum_ago_s=row["autovacuum_ago_s"],
        analyze_ago_s=row["analyze_ago_s"],
        autoanalyze_ago_s=row["autoanalyze_ago_s"],
        is_autovacuum_off=row["is_autovacuum_off"],
        may_select=row["may_select"],
        bloat_bytes=bloat.get(row["oid"]),
    )


def index(row: Row) -> Index:
    """Return one row of `indexes-*.sql`."""
    name = clean(row["name"])
    return Index(
        oid=row["oid"],
        schema=clean(row["schema"]),
        table=clean(row["table"]),
        name=name,
        bytes=row["bytes"],
        scans=row["scans"] or 0,
        scanned_ago_s=row["scanned_ago_s"],
        is_unique=row["is_unique"],
        is_primary=row["is_primary"],
        is_exclusion=row["is_exclusion"],
        is_replica_identity=row["is_replica_identity"],
        is_valid=row["is_valid"],
        alike=tuple(other for one in (row["alike"] or "").split("\n") if (other := clean(one)) != name),
        definition=one_line(row["definition"] or ""),
        counted_s=row["counted_s"],
    )


def total(rows: Iterable[Row]) -> int:
    """Return how many there are, of which the rows are some."""
    return next((row["total"] for row in rows), 0)
