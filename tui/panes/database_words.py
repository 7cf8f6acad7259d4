"""Why a key cannot act on a session, and how the tab's facts are seen by hand. Pure."""

from typing import Final

from tui.actions.postgres.cancel import CANCEL
from tui.actions.postgres.words import left_alone
from tui.panes.database_views import VIEWS
from tui.sources.postgres.facts import DatabaseSnapshot, Session
from tui.sources.postgres.queries import OWN_MARK, query, statements_major


def cannot_end(verb: str, snapshot: DatabaseSnapshot, session: Session | None, pid: int | None) -> str:
    """Return why `verb` can do nothing for the row under the cursor; empty when it can.

    `pid` 0 is a prepared transaction, None no row at all.
    """
    if pid is None:
        return "no session under the cursor"
    if pid == 0:
        names = ", ".join(f"'{one.gid}' (database {one.database}, owner {one.owner})" for one in snapshot.prepared)
        return (
            f"a prepared transaction has no session to end; its owner or a superuser: ROLLBACK PREPARED {names or '…'}"
        )
    if session is None:
        return f"backend {pid} is gone"
    if session.backend_type is None or session.backend_start is None:
        return f"role {snapshot.server.role} may not see what backend {pid} is; ask for: GRANT pg_monitor"
    if reason := left_alone({"backend_type": session.backend_type, "pid": pid, "is_wraparound": False}):
        return reason
    if verb == CANCEL and session.is_idle_in_transaction:
        return f"{session.state}: cancel does nothing here, terminate (T)"
    if verb == CANCEL and session.state != "active":
        return f"no statement runs ({session.state}); there is nothing to cancel, T ends the session"
    return ""


def find_session(snapshot: DatabaseSnapshot, name: str) -> Session | None:
    """Return the session that the timeline calls `pid/start`; None when it is gone, or the pid is another's now."""
    pid, _, start = name.partition("/")
    for session in snapshot.sessions:
        if str(session.pid) == pid:
            begun = session.backend_start.isoformat() if session.backend_start else ""
            return session if not start or begun == start else None
    return None


_QUERIES: Final = {
    "activity": ("activity",),
    "blocking": ("blockers", "lock_waits"),
    "statements": ("statements",),
}


def by_hand(snapshot: DatabaseSnapshot, view: str) -> str:
    """Return the command and the SQL that show this view by hand; without secrets."""
    server = snapshot.server
    blocks = [server.psql]
    for name in VIEWS[view].queries if view in VIEWS else _QUERIES[view]:
        major = server.major
        if name == "statements":
            if server.statements_version is None:
                return f"{server.psql}\n\n{snapshot.missing.get('statements', '')}"
            major = statements_major(server.statements_version)
        sql = (
            query(name, major)
            .replace("{schema}", server.statements_schema)
            .replace("left(a.query, $1)", "a.query")
            .replace(f" {OWN_MARK}", "")
        )
        blocks.append(sql.rstrip() + ";")
    return "\n\n".join(blocks)
