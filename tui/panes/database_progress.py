"""Maintenance under way: facts → rows by session, and a page of each. Pure."""

from collections.abc import Hashable, Mapping
from typing import Final

from tui.panes.database_rows import Judge
from tui.sources.postgres.facts import DatabaseSnapshot, SessionKey
from tui.sources.postgres.progress import Progress
from tui.units import percent, span
from widgets.cell import Cell, Column, Row

PROGRESS: Final = (
    Column("pid", "PID", 7, "right"),
    Column("kind", "WHAT", 12),
    Column("done", "PHASE DONE", 18),
    Column("runs", "RUNS", 7, "right"),
    Column("phase", "PHASE", 22, priority=1),
    Column("database", "DB", 10, priority=3),
    Column("who", "BY", 18, priority=2),
    Column("relation", "RELATION", min_width=14),
)
_BAR: Final = 10


def progress_rows(snapshot: DatabaseSnapshot, judge: Judge) -> Mapping[SessionKey, Row]:
    """Return the Progress view, by session: what can be ended in Activity can be ended here."""
    return {_key(snapshot, one): _row(snapshot, one) for one in snapshot.views.progress or ()}


def _key(snapshot: DatabaseSnapshot, one: Progress) -> SessionKey:
    session = snapshot.session(one.pid)
    return session.key if session is not None else (one.pid, None)


def _row(snapshot: DatabaseSnapshot, one: Progress) -> Row:
    session = snapshot.session(one.pid)
    who = (session.application or session.backend_type or "") if session else ""
    runs_s = session.transaction_s if session else None
    relation = one.relation + (f" ({one.index})" if one.index else "")
    cells = (
        str(one.pid),
        one.kind,
        Cell(done_words(one.percent)),
        span(runs_s),
        one.phase or "not visible",
        one.database or "–",
        who,
        relation or "–",
    )
    return Row(cells, (one.pid, one.kind, one.percent, runs_s, one.phase, one.database, who, relation))


def done_words(done: float | None) -> str:
    """Return how far a phase is, as bar and words; `–` where it counts nothing."""
    if done is None:
        return "–"
    # Never full before it is: rounding up would say that it is done.
    filled = int(_BAR * done / 100)
    return f"{'█' * filled}{'░' * (_BAR - filled)} {percent(int(done) if done >= 1 else done)}"


def progress_page(snapshot: DatabaseSnapshot, key: Hashable) -> tuple[str, str] | None:
    """Return every number the server counts for one of them."""
    for one in snapshot.views.progress or ():
        if _key(snapshot, one) != key:
            continue
        facts = [
            ("relation", one.relation or "–"),
            ("index", one.index or "–"),
            ("database", one.database or "–"),
            ("phase", f"{one.phase or 'not visible'}, {done_words(one.percent)} of this phase, not of the whole"),
            *one.counts.items(),
        ]
        session = snapshot.session(one.pid)
        query = ["", session.query] if session is not None and session.query else []
        lines = [f"{label:<24} {value}" for label, value in facts]
        return f"{one.kind} by backend {one.pid}", "\n".join([*lines, *query])
    return None
