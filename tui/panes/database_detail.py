"""One session, or one statement, as a page to read. Pure."""

from collections.abc import Iterator, Sequence

from tui.panes.database_rows import busy_words, hit_words, millis, wait_words
from tui.sources.postgres.detail import SessionDetail
from tui.sources.postgres.facts import DatabaseSnapshot, Place, Session, Statement
from tui.units import rate, span

_MOST_WAITERS = 20


def session_page(
    snapshot: DatabaseSnapshot, session: Session, detail: SessionDetail | None, pods: Sequence[str] = ()
) -> str:
    """Return everything known about a session; without `detail` what the list knew, and that it is gone.

    `pods` are those that have its client's address.
    """
    lines = [f"{label:<14} {value}" for label, value in _facts(snapshot, session, detail)]
    if pods:
        more = f" or {len(pods) - 1} others on its node" if len(pods) > 1 else ""
        lines.append(f"{'pod':<14} {pods[0]}{more} (it has the client's address)")
    lines += ["", *_waits(snapshot, session)]
    if detail is None:
        return "\n".join(
            [*lines, "", "The session is gone; its last statement, as the list had it:", "", session.query]
        )
    cut = f" (cut at track_activity_query_size = {detail.query_size})" if detail.is_cut else ""
    heading = "Statement that runs" if session.state == "active" else "Last statement"
    lines += ["", f"{heading}{cut}:", "", detail.query, "", *_locks(detail)]
    return "\n".join(lines)


def _facts(snapshot: DatabaseSnapshot, session: Session, detail: SessionDetail | None) -> Iterator[tuple[str, str]]:
    started = f", since {session.backend_start:%Y-%m-%d %H:%M:%S}Z" if session.backend_start else ""
    yield "pid", f"{session.pid} ({session.backend_type or 'not visible to our role'}{started})"
    yield "database", session.database or "–"
    yield "user", session.role or "–"
    yield "application", session.application or "–"
    tls = {True: " over TLS", False: " without TLS", None: ""}[detail.is_tls if detail else None]
    yield "client", (session.client or "–") + (tls if session.client not in ("", "local") else "")
    yield "state", session.state or "–"
    yield "waits for", wait_words(session) or "nothing"
    yield "connected", span(session.connected_s)
    yield "transaction", span(session.transaction_s) if session.transaction_s is not None else "none"
    yield (
        "statement",
        f"{'runs for' if session.state == 'active' else 'began'} {span(session.query_s)}"
        + ("" if session.state == "active" else " ago"),
    )
    yield "in this state", span(session.state_s)
    if session.xmin_age is not None:
        yield "holds back", f"vacuum by {session.xmin_age:,} transactions (age of backend_xmin or backend_xid)"
    if session.query_id is not None:
        yield "query id", str(session.query_id)
    if reason := snapshot.missing.get("signals"):
        yield "ending", f"opstui {reason}"


def _waits(snapshot: DatabaseSnapshot, session: Session) -> Iterator[str]:
    places = {place.pid: place for place in snapshot.tree}
    place = places.get(session.pid)
    if place is None:
        yield "It waits for nobody's lock and holds up nobody."
        return
    if place.under is not None:
        yield f"It waits for {_pids((place.under, *place.also))}."
        if wait := snapshot.waits.get(session.pid):
            what = " ".join(filter(None, (wait.locktype, wait.relation)))
            yield f"  for {wait.mode} on {what}, {span(wait.waited_s)}"
    behind = _behind(snapshot.tree, session.pid)
    if behind:
        yield f"{len(behind)} {'session waits' if len(behind) == 1 else 'sessions wait'} behind it: {_pids(behind)}."


def _behind(tree: tuple[Place, ...], pid: int) -> tuple[int, ...]:
    found = {pid}
    for place in tree:  # parents stand before their children
        if place.under in found:
            found.add(place.pid)
    return tuple(sorted(found - {pid}))


def _pids(pids: tuple[int, ...]) -> str:
    shown = ", ".join("a prepared transaction" if pid == 0 else str(pid) for pid in pids[:_MOST_WAITERS])
    return shown + (", …" if len(pids) > _MOST_WAITERS else "")


def _locks(detail: SessionDetail) -> Iterator[str]:
    if not detail.locks:
        yield "It holds no locks."
        return
    yield "Locks (pg_locks):"
    for lock in detail.locks:
        many = f" ×{lock.count}" if lock.count > 1 else ""
        verb = "holds    " if lock.is_granted else "WAITS FOR"
        yield f"  {verb} {lock.mode:<24} {lock.locktype} {lock.relation}{many}"


def statement_page(statement: Statement, window_s: float) -> str:
    """Return one statement of pg_stat_statements as a page."""
    facts = (
        ("query id", str(statement.id)),
        ("database", statement.database),
        ("user", statement.role),
        (
            "busy",
            f"{busy_words(statement.busy)} (execution time per second; 100 % is one session that does nothing else)",
        ),
        ("calls", f"{rate(statement.calls_per_s)}/s"),
        ("mean", millis(statement.mean_ms)),
        ("rows", f"{rate(statement.rows_per_call)} per call"),
        ("buffer hits", hit_words(statement.hit_percent)),
        ("temp", f"{rate(statement.temp_blocks_per_s)} blocks/s"),
    )
    lines = [f"{label:<14} {value}" for label, value in facts]
    last = f"All numbers are those of the last {window_s:.0f} s; a statement counts when it ends."
    return "\n".join([*lines, "", last, "", statement.text or "(its text was not fetched yet)"])
