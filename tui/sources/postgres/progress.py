"""Maintenance under way, with how far it is. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.sources.postgres.row import Row
from tui.sources.text import clean

_DONE: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "vacuum": (
        ("scanning heap", "heap_blks_scanned", "heap_blks_total"),
        ("vacuuming heap", "heap_blks_vacuumed", "heap_blks_total"),
        ("vacuuming indexes", "indexes_processed", "indexes_total"),
        ("cleaning up indexes", "indexes_processed", "indexes_total"),
    ),
    "analyze": (
        ("acquiring inherited sample rows", "child_tables_done", "child_tables_total"),
        ("acquiring sample rows", "sample_blks_scanned", "sample_blks_total"),
        ("computing extended statistics", "ext_stats_computed", "ext_stats_total"),
    ),
    "create index": (
        ("waiting", "lockers_done", "lockers_total"),
        ("", "blocks_done", "blocks_total"),
        ("", "tuples_done", "tuples_total"),
        ("", "partitions_done", "partitions_total"),
    ),
    "cluster": (("seq scanning heap", "heap_blks_scanned", "heap_blks_total"),),
    "base backup": (("streaming database files", "backup_streamed", "backup_total"),),
    "copy": (("", "bytes_processed", "bytes_total"),),
}
"""By kind: how a phase begins, and the columns that tell how much of how much is done in it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One row of a `pg_stat_progress_*` view."""

    kind: str
    """`vacuum`, `analyze`, `create index`, `cluster`, `base backup`, `copy`."""
    pid: int
    database: str
    relation: str
    """With its schema; its oid where it belongs to another database; empty where there is none."""
    index: str
    """The index that is built or used; empty where there is none."""
    phase: str
    """In the server's words; for COPY its command and type. Empty when our role may not see it."""
    percent: float | None
    """Of this phase, not of the whole; None where the phase counts nothing."""
    counts: Mapping[str, str]
    """Every column of the view, as text."""


def progress(rows: Iterable[Row]) -> tuple[Progress, ...]:
    """Return what `progress-*.sql` found."""
    return tuple(_one(row) for row in rows)


def _one(row: Row) -> Progress:
    data: dict[str, Any] = json.loads(row["data"])
    phase = data.get("phase") or " ".join(filter(None, (data.get("command"), data.get("type"))))
    relid = data.get("relid") or 0
    relation = row["relation"] or (f"oid {relid}" if int(relid) else "")
    # datid and relid are told by their names.
    apart = ("pid", "datid", "datname", "relid", "index_relid", "phase")
    return Progress(
        kind=row["kind"],
        pid=row["pid"],
        database=clean(row["database"] or ""),
        relation=clean(relation),
        index=clean(row["index"] or ""),
        phase=clean(phase),
        percent=percent_of(row["kind"], phase, data),
        counts={key: clean(str(value)) for key, value in data.items() if value is not None and key not in apart},
    )


def percent_of(kind: str, phase: str, data: Mapping[str, Any]) -> float | None:
    """Return how far this phase is in percent; None where it counts nothing, or does not know of how much."""
    for begins, done, total in _DONE.get(kind, ()):
        if phase.startswith(begins) and data.get(total):
            return min(100.0, 100.0 * float(data.get(done) or 0) / float(data[total]))
    return None
