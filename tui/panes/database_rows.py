"""PostgreSQL facts → table rows. Pure."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tui.sources.postgres.facts import DatabaseSnapshot, Place, Session, SessionKey, Statement
from tui.units import rate, span
from widgets.cell import Cell, Column, Row, Tone

Judge = Callable[[str, float | None], Tone]
"""(metric, a row's own value) → how the profile's rule for that metric judges it."""

ACTIVITY: Final = (
    Column("pid", "PID", 7, "right"),
    Column("database", "DB", 10, priority=6),
    Column("role", "USER", 10, priority=5),
    Column("application", "APP", 13, priority=1),
    Column("client", "CLIENT", 21, priority=7),
    Column("state", "STATE", 10),
    Column("wait", "WAIT", 20, priority=4),
    Column("time", "TIME", 7, "right"),
    Column("blocked", "BLOCKED BY", 10),
    Column("query", "QUERY", min_width=18),
)
BLOCKING: Final = (
    Column("pid", "PID", 16),
    Column("waiting", "WAITING", 7, "right"),
    Column("state", "STATE", 10),
    Column("time", "TIME", 7, "right"),
    Column("lock", "WAITS FOR", 34, priority=3),
    Column("application", "APP", 13, priority=1),
    Column("role", "USER", 10, priority=5),
    Column("database", "DB", 10, priority=6),
    Column("query", "QUERY", min_width=18),
)
STATEMENTS: Final = (
    Column("busy", "BUSY", 8, "right"),
    Column("calls", "CALLS/S", 8, "right"),
    Column("mean", "MEAN", 9, "right"),
    Column("rows", "ROWS/CALL", 9, "right", priority=2),
    Column("hit", "HIT", 7, "right", priority=1),
    Column("temp", "TEMP BLK/S", 10, "right", priority=4),
    Column("database", "DB", 10, priority=5),
    Column("role", "USER", 10, priority=3),
    Column("query", "QUERY", min_width=24),
)

_STATES: Final = {"idle in transaction": "idle in tx", "idle in transaction (aborted)": "aborted tx"}
_INTERNAL: Final = frozenset(
    {
        "archiver",
        "autovacuum launcher",
        "background writer",
        "checkpointer",
        "io worker",
        "logical replication launcher",
        "slotsync worker",
        "startup",
        "walreceiver",
        "walsummarizer",
        "walwriter",
    }
)
"""Processes that are always there and tell nothing by being there."""
_DEEPEST: Final = 5
"""Levels of the tree that are indented; below them only the number of the level says how deep."""


def shown_sessions(snapshot: DatabaseSnapshot, *, with_idle: bool) -> list[Session]:
    """Return the sessions of the Activity view, problems first.

    Who holds others up, who waits, then statements and idle transactions by their age. Idle sessions and the
    server's own standing processes are left out unless asked for; one that holds others up never is.
    """
    places = {place.pid: place for place in snapshot.tree}
    # Without any visible client the rights are missing, and "not visible" is all there is to show.
    wanted = [s for s in snapshot.sessions if with_idle or s.pid in places or not _is_quiet(s)]
    return sorted(wanted, key=lambda session: _urgency(session, places.get(session.pid)))


def hidden_count(snapshot: DatabaseSnapshot) -> int:
    """Return how many clients the Activity view leaves out as idle."""
    blocking = {place.pid for place in snapshot.tree}
    return sum(1 for s in snapshot.sessions if _is_quiet(s) and s.is_client and s.pid not in blocking)


def _is_quiet(session: Session) -> bool:
    if session.backend_type is None:
        return session.role is None
    return session.state == "idle" or session.backend_type in _INTERNAL


def _urgency(session: Session, place: Place | None) -> tuple[int, float, int]:
    if place is not None and place.waiting and place.under is None:
        return 0, -place.waiting, session.pid
    age = -(session.time_s or 0.0)
    if place is not None:
        return 1, age, session.pid
    if session.is_active or session.is_idle_in_transaction:
        return 2, age, session.pid
    if session.state == "idle":
        return 5, age, session.pid
    return (3 if session.is_client else 6 if session.backend_type in _INTERNAL else 4), age, session.pid


def activity_rows(snapshot: DatabaseSnapshot, judge: Judge, *, with_idle: bool) -> Mapping[SessionKey, Row]:
    """Return the Activity view, by session."""
    places = {place.pid: place for place in snapshot.tree}
    return {
        session.key: _activity_row(session, places.get(session.pid), judge)
        for session in shown_sessions(snapshot, with_idle=with_idle)
    }


def _activity_row(session: Session, place: Place | None, judge: Judge) -> Row:
    blocked = _blocked_cell(session, place)
    cells = (
        str(session.pid),
        session.database or "–",
        session.role or "–",
        session.application or _kind(session),
        session.client or "–",
        state_cell(session, judge),
        wait_words(session),
        Cell(span(session.time_s), _time_tone(session, judge)),
        blocked,
        session.query,
    )
    sort = (
        session.pid,
        session.database,
        session.role,
        session.application,
        session.client,
        session.state,
        wait_words(session),
        session.time_s,
        blocked.text,
        session.query,
    )
    is_dim = session.is_own or session.state == "idle" or not session.is_client
    return Row(cells, sort, "dim" if is_dim and place is None else "", haystack=session.state or "")


def _kind(session: Session) -> str:
    return "" if session.is_client else session.backend_type or ""


def state_words(session: Session) -> str:
    """Return the state in the width of a column."""
    if session.state is None:
        return "not seen" if not session.is_visible else "–"
    return _STATES.get(session.state, session.state)


def state_cell(session: Session, judge: Judge) -> Cell:
    """Return the state; an idle transaction as its age is judged."""
    return Cell(state_words(session), _time_tone(session, judge) if session.is_idle_in_transaction else "")


def wait_words(session: Session) -> str:
    """Return `wait_event_type/wait_event`; what every idle session waits for is left out."""
    if session.wait_event_type is None or session.wait_event == "ClientRead":
        return ""
    return f"{session.wait_event_type}/{session.wait_event}"


def _time_tone(session: Session, judge: Judge) -> Tone:
    if session.is_idle_in_transaction:
        return judge("idle_in_transaction_s", session.state_s)
    return judge("active_s", session.query_s) if session.is_active else ""


def _blocked_cell(session: Session, place: Place | None) -> Cell:
    if place is None:
        return Cell("")
    if place.under is not None:
        blocker = "prepared" if place.under == 0 else str(place.under)
        return Cell(f"{blocker} +{len(place.also)}" if place.also else blocker, "warn")
    return Cell(f"{'CYCLE ' if place.is_cycle else ''}holds {place.waiting}", "critical")


def blocking_rows(snapshot: DatabaseSnapshot, judge: Judge) -> Mapping[SessionKey, Row]:
    """Return the tree of who waits for whom, by session, roots first."""
    sessions = {session.pid: session for session in snapshot.sessions}
    rows: dict[SessionKey, Row] = {}
    for place in snapshot.tree:
        session = sessions.get(place.pid)
        if session is None:
            rows[place.pid, None] = _sessionless_row(snapshot, place)
        else:
            rows[session.key] = _blocking_row(snapshot, place, session, judge)
    return rows


def _branch(place: Place) -> str:
    if place.depth == 0:
        return ""
    level = f"{place.depth}" if place.depth > _DEEPEST else ""
    return "  " * (min(place.depth, _DEEPEST) - 1) + level + "└ "


def _blocking_row(snapshot: DatabaseSnapshot, place: Place, session: Session, judge: Judge) -> Row:
    waiting = Cell(str(place.waiting) if place.waiting else "", "critical" if place.under is None else "")
    return Row(
        (
            Cell(f"{_branch(place)}{place.pid}", "critical" if place.under is None else ""),
            waiting,
            state_cell(session, judge),
            Cell(span(session.time_s), _time_tone(session, judge)),
            lock_words(snapshot, place),
            session.application or _kind(session),
            session.role or "–",
            session.database or "–",
            session.query,
        )
    )


def _sessionless_row(snapshot: DatabaseSnapshot, place: Place) -> Row:
    """Return the row of a blocker without a session: a prepared transaction, or one that just ended."""
    if place.pid:
        cells = (f"{_branch(place)}{place.pid}", str(place.waiting), "ended", "", "", "", "", "", "")
        return Row(cells, tone="dim")
    oldest = snapshot.prepared[0] if snapshot.prepared else None
    names = ", ".join(one.gid for one in snapshot.prepared)
    return Row(
        (
            Cell("prepared", "critical"),
            Cell(str(place.waiting), "critical"),
            "prepared",
            span(oldest.age_s) if oldest else "–",
            "no session: ROLLBACK PREPARED",
            "",
            oldest.owner if oldest else "–",
            oldest.database if oldest else "–",
            f"prepared transaction {names}" if names else "a prepared transaction",
        )
    )


def lock_words(snapshot: DatabaseSnapshot, place: Place) -> str:
    """Return what a waiting session waits for, and its other blockers; empty for a root."""
    wait = snapshot.waits.get(place.pid)
    parts = []
    if wait is not None:
        parts.append(" ".join(filter(None, (wait.mode.removesuffix("Lock"), wait.locktype, wait.relation))))
        if wait.waited_s is not None:
            parts.append(span(wait.waited_s))
    if place.also:
        parts.append(f"also behind {', '.join(str(pid) for pid in place.also[:3])}{'…' * (len(place.also) > 3)}")
    if place.is_cycle:
        parts.insert(0, "a circle: deadlock")
    return ", ".join(parts)


def statement_rows(statements: Iterable[Statement], *, with_own: bool) -> Mapping[tuple[int, int, int, bool], Row]:
    """Return the Slow queries view, by userid, dbid, queryid and toplevel; opstui's own only when asked for."""
    return {one.key: _statement_row(one) for one in statements if with_own or not one.is_own}


def _statement_row(one: Statement) -> Row:
    text = " ".join(one.text.split()) or "…"
    cells = (
        busy_words(one.busy),
        rate(one.calls_per_s),
        millis(one.mean_ms),
        rate(one.rows_per_call),
        hit_words(one.hit_percent),
        rate(one.temp_blocks_per_s),
        one.database,
        one.role,
        text,
    )
    sort = (
        one.busy,
        one.calls_per_s,
        one.mean_ms,
        one.rows_per_call,
        one.hit_percent,
        one.temp_blocks_per_s,
        one.database,
        one.role,
        text,
    )
    return Row(cells, sort, "dim" if one.is_own else "")


def hit_words(hit_percent: float | None) -> str:
    """Return a hit ratio, never rounded up: `99.9 %` is not all; `–` when unknown."""
    return "–" if hit_percent is None else f"{math.floor(10 * hit_percent) / 10:g} %"


def busy_words(busy: float) -> str:
    """Return execution time per second in percent; 100 % is one session that does nothing else."""
    return f"{100 * busy:.2f} %" if busy < 0.1 else f"{100 * busy:,.0f} %"


def millis(value: float) -> str:
    """Return milliseconds: `0.24 ms`, `15.2 ms`, `2.1 s`."""
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.2f} ms" if value < 1 else f"{value:.1f} ms"
