"""One session in full, fetched when somebody opens it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tui.sources.postgres.row import Row
from tui.sources.text import clean, clean_lines


@dataclass(frozen=True, slots=True)
class HeldLock:
    """Locks of one kind that a session holds or waits for: rows of `pg_locks`."""

    locktype: str
    mode: str
    is_granted: bool
    relation: str
    """The relation's name; its oid where it belongs to another database; empty for other lock types."""
    count: int


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """What the list of sessions has no room for."""

    query: str
    """The whole text as the server keeps it, cleaned, its lines kept."""
    is_cut: bool
    """The statement is longer than `track_activity_query_size` keeps."""
    query_size: str
    """`track_activity_query_size`."""
    is_tls: bool | None
    """None when our role may not see it."""
    locks: tuple[HeldLock, ...]
    """At most 200; those waited for first."""


def session_detail(row: Row, locks: Iterable[Row], shown: Callable[[str], str] = clean_lines) -> SessionDetail:
    """Return one session in full; `shown` cleans its statement."""
    query = row["query"] or ""
    return SessionDetail(
        query=shown(query),
        is_cut=len(query.encode()) >= row["query_size_bytes"] - 1,
        query_size=row["query_size"],
        is_tls=row["is_tls"],
        locks=tuple(
            HeldLock(
                lock["locktype"],
                lock["mode"],
                lock["granted"],
                clean(lock["relation_name"] or (f"oid {lock['relation']}" if lock["relation"] else "")),
                lock["count"],
            )
            for lock in locks
        ),
    )
