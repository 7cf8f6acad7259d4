"""Changes of a PostgreSQL server: restarts, roles, deadlocks, who holds up whom, connections that run out.

Transactions that grow old come as alerts: the profile's rules say what is old.
"""

from collections.abc import Iterator
from typing import Final

from tui.rules import Level
from tui.sources.postgres.facts import DatabaseSnapshot, Place, Server, Session
from tui.sources.postgres.masking import masked
from tui.timeline.entry import Entry, identity, sentence
from tui.timeline.standing import Condition

SERVER: Final = "server"
"""The object of what is about a server as a whole."""
LOCKS: Final = "locks "
_WAITED_S: Final = 2.0
"""How long somebody must have waited for a lock: shorter waits are what locks are for."""
_STATEMENT: Final = 80


def backend(session: Session) -> str:
    """Return what a session is called as the object of an entry: pid and start, since pids are used again."""
    return f"backend/{session.pid}/{session.backend_start.isoformat() if session.backend_start else ''}"


def entries(
    source: str, before: DatabaseSnapshot | None, after: DatabaseSnapshot, now: float, since: float
) -> Iterator[Entry]:
    """Yield what changed between two ticks; of a first one, a start of the server after `since`."""
    server = after.server
    if before is None:
        if server.started.timestamp() > since:
            yield _restart(source, server)
        return
    old = before.server
    if (old.address, old.port, old.cluster_name) != (server.address, server.port, server.cluster_name):
        text = f"another server answers: {_place(old)} → {_place(server)}"
        yield _server_entry(source, server, "server", text, now)
    elif old.started != server.started:
        yield _restart(source, server)
    if old.is_standby != server.is_standby:
        text = "became a standby" if server.is_standby else "became the primary"
        yield _server_entry(source, server, "role", text, now)
    if old.version != server.version:
        yield _server_entry(source, server, "version", f"{old.version} → {server.version}", now, Level.OK)
    if (rates := after.rates) is not None and rates.deadlocks > 0:
        count = rates.deadlocks
        text = f"{count} deadlock{'' if count == 1 else 's'}: the server ended one session of each"
        yield Entry(
            id=identity(source, "deadlock", server.started, rates.deadlocks_total),
            at=now, source=source, what="deadlock", text=text, level=Level.WARN, object=SERVER, fold="deadlock",
            count=count,
        )  # fmt: skip


def conditions(snapshot: DatabaseSnapshot, now: float) -> Iterator[Condition]:
    """Yield what lasts: who holds others up, and connections that are used up."""
    for place in snapshot.tree:
        if place.under is None and place.waiting and (waited := _longest_wait(snapshot, place)) >= _WAITED_S:
            yield _locks(snapshot, place, now - waited)
    connections = snapshot.connections
    if connections.percent >= 100:
        text = f"all {connections.limit} connections are used: new clients are refused"
        yield Condition("connections", "clients", text, "there are free connections again", Level.CRITICAL, SERVER)
    for limit, used in connections.near_limits:
        if used >= limit.connections:
            text = f"{limit.kind} {limit.name} uses all {limit.connections} connections it may have"
            over = f"{limit.kind} {limit.name} has free connections again"
            yield Condition(f"limit {limit.kind} {limit.name}", "clients", text, over, Level.CRITICAL, SERVER)


def culprit(snapshot: DatabaseSnapshot, metric: str) -> Session | None:
    """Return the session that makes a number what it is; None where it is not one's."""
    match metric:
        case "active_s":
            return snapshot.longest_active
        case "idle_in_transaction_s":
            return snapshot.longest_idle_in_transaction
        case "transaction_s":
            return snapshot.oldest_transaction
        case "blocked":
            root = next((place for place in snapshot.tree if place.under is None), None)
            return snapshot.session(root.pid) if root is not None else None
    return None


def session_words(session: Session) -> str:
    """Return who a session is: `batch-import (pid 812, idle in transaction)`."""
    name = session.application or session.role or session.backend_type or "a session"
    return f"{name} (pid {session.pid}{f', {session.state}' if session.state else ''})"


def _longest_wait(snapshot: DatabaseSnapshot, root: Place) -> float:
    """Return for how many seconds somebody has waited below a root."""
    longest, is_below = 0.0, False
    for place in snapshot.tree:  # parents stand before their children
        if place.under is None:
            is_below = place is root
        if is_below and (place is not root or place.is_cycle):
            wait, session = snapshot.waits.get(place.pid), snapshot.session(place.pid)
            waited = wait.waited_s if wait is not None else None
            # Before version 14 nobody says since when: the statement that waits began no later than its wait.
            longest = max(longest, waited if waited is not None else (session.query_s or 0.0 if session else 0.0))
    return longest


def _locks(snapshot: DatabaseSnapshot, root: Place, since: float) -> Condition:
    session = snapshot.session(root.pid)
    waiting = f"{root.waiting} session{' waits' if root.waiting == 1 else 's wait'}"
    if root.pid == 0:
        names = ", ".join(one.gid for one in snapshot.prepared) or "its name is not visible"
        text, over = f"{waiting} for a prepared transaction: {names}", "nobody waits for a prepared transaction"
        return Condition(
            f"{LOCKS}prepared", "locks", text, over, Level.CRITICAL, SERVER, since=since, weight=root.waiting
        )
    if session is None:
        key, who, about, doing = f"{LOCKS}{root.pid}", f"pid {root.pid}", "", ""
    else:
        key, who, about = f"{LOCKS}{backend(session)}", session_words(session), backend(session)
        doing = f": {_short(masked(session.query))}" if session.query else ""
    text = f"{waiting} for {who}{doing}" if not root.is_cycle else f"sessions wait for each other, {who} among them"
    return Condition(
        key, "locks", text, f"nobody waits for {who} any more", Level.WARN, about, since=since, weight=root.waiting
    )


def _short(statement: str) -> str:
    return statement if len(statement) <= _STATEMENT else f"{statement[:_STATEMENT]}…"


def _restart(source: str, server: Server) -> Entry:
    text = f"the server started: {server.version}{', a standby' if server.is_standby else ''}"
    at = server.started.timestamp()
    return Entry(identity(source, "start", server.started), at, source, "start", text, Level.WARN, SERVER)


def _server_entry(
    source: str, server: Server, what: str, text: str, now: float, level: Level = Level.CRITICAL
) -> Entry:
    return Entry(identity(source, what, text, server.started), now, source, what, sentence(text), level, SERVER)


def _place(server: Server) -> str:
    where = f"{server.address}:{server.port}" if server.address else "a socket"
    return f"{server.cluster_name} at {where}" if server.cluster_name else where
