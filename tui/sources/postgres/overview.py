"""The server as a whole: checkpoints, WAL, archiver, what holds back vacuum, how near the end of ids is. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tui.sources.postgres.row import Row
from tui.sources.text import clean

ID_SPACE: Final = 2_000_000_000
"""Ids that may be in use at once; a little before it the server refuses to begin transactions."""
_WAL_NAME: Final = re.compile(r"[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})(\.partial)?")


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Checkpoints since `stats_reset`: `pg_stat_bgwriter` up to 16, `pg_stat_checkpointer` from 17 on."""

    timed: int
    """Because `checkpoint_timeout` had passed."""
    requested: int
    """Because `max_wal_size` was reached, or somebody asked."""
    restartpoints: int | None
    """A standby's own (17+); None before."""
    write_s: float
    """Seconds spent writing, spread over the checkpoints' whole time."""
    sync_s: float
    """Seconds spent in fsync."""

    @property
    def requested_percent(self) -> float | None:
        """Share of the requested ones; None when there was none of either."""
        total = self.timed + self.requested
        return 100.0 * self.requested / total if total else None


@dataclass(frozen=True, slots=True)
class Archiver:
    """`pg_stat_archiver`."""

    mode: str
    """`archive_mode`: off, on, always."""
    archived: int
    failed: int
    """Attempts that failed; one segment may fail many times."""
    last_archived: str
    """Newest segment that was archived; empty when none was."""
    archived_ago_s: float | None
    last_failed: str
    failed_ago_s: float | None
    lag_bytes: int | None
    """WAL written after the newest archived segment; None on a standby, and before the first segment."""

    @property
    def is_failing(self) -> bool:
        """Whether the newest attempt failed."""
        if self.failed_ago_s is None:
            return False
        return self.archived_ago_s is None or self.failed_ago_s < self.archived_ago_s


@dataclass(frozen=True, slots=True)
class Holder:
    """One that keeps vacuum from removing dead rows."""

    kind: str
    """`session`, `standby feedback`, `slot` or `prepared`."""
    name: str
    """pid, slot's name or gid."""
    xmin_age: int
    """Transactions since the oldest one it may still want to see."""
    detail: str


@dataclass(frozen=True, slots=True)
class Wraparound:
    """Age of one database's oldest ids."""

    database: str
    xid_age: int
    """`age(datfrozenxid)` in transactions."""
    multixact_age: int
    """`mxid_age(datminmxid)`."""
    freeze_max_age: int
    """`autovacuum_freeze_max_age`: from here on autovacuum freezes even where it is switched off."""
    multixact_freeze_max_age: int

    @property
    def percent(self) -> float:
        """The older of the two in percent of two billion."""
        return 100.0 * max(self.xid_age, self.multixact_age) / ID_SPACE

    @property
    def freeze_percent(self) -> float:
        """The nearer of the two in percent of what makes autovacuum act; a little above 100 is everyday."""
        return max(
            100.0 * self.xid_age / max(1, self.freeze_max_age),
            100.0 * self.multixact_age / max(1, self.multixact_freeze_max_age),
        )


@dataclass(frozen=True, slots=True)
class Overview:
    """What the Overview adds to a tick."""

    uptime_s: float
    """Seconds since `pg_postmaster_start_time()`, by the server's clock."""
    checkpoints: Checkpoints | None = None
    """None where they cannot be read."""
    archiver: Archiver | None = None
    wal_bytes_per_s: float | None = None
    """Growth of `pg_current_wal_insert_lsn()`; None on a standby, and until the second look."""
    holders: tuple[Holder, ...] = ()
    """Those without a session, greatest age first."""


def checkpoints(row: Row) -> Checkpoints:
    """Return the counters of `overview-*.sql`."""
    write_s, sync_s = (row["write_ms"] or 0) / 1000, (row["sync_ms"] or 0) / 1000
    return Checkpoints(row["timed"] or 0, row["requested"] or 0, row["restartpoints"], write_s, sync_s)


def archiver(row: Row) -> Archiver:
    """Return the archiver as `overview-*.sql` has it."""
    last = clean(row["last_archived_wal"] or "")
    end = wal_end(last, row["segment_bytes"])
    position = row["wal_bytes"]
    return Archiver(
        mode=row["archive_mode"],
        archived=row["archived_count"] or 0,
        failed=row["failed_count"] or 0,
        last_archived=last,
        archived_ago_s=row["archived_ago_s"],
        last_failed=clean(row["last_failed_wal"] or ""),
        failed_ago_s=row["failed_ago_s"],
        lag_bytes=None if end is None or position is None else max(0, position - end),
    )


def wal_end(name: str, segment_bytes: int) -> int | None:
    """Return the position at which a WAL segment ends; None for history and backup files, and no name."""
    if (found := _WAL_NAME.fullmatch(name)) is None:
        return None
    log, segment = int(found[1], 16), int(found[2], 16)
    return (log << 32) + (segment + 1) * segment_bytes


def holders(rows: Iterable[Row]) -> tuple[Holder, ...]:
    """Return who of `horizon-*.sql` holds back vacuum."""
    return tuple(Holder(r["kind"], clean(r["name"]), r["xmin_age"] or 0, clean(r["detail"] or "")) for r in rows)


def wraparound(rows: Iterable[Row]) -> tuple[Wraparound, ...]:
    """Return the databases of `wraparound-*.sql`, oldest first."""
    return tuple(
        Wraparound(
            clean(r["database"]),
            r["xid_age"],
            r["multixact_age"],
            r["freeze_max_age"],
            r["multixact_freeze_max_age"],
        )
        for r in rows
    )
