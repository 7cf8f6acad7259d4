"""Cancelling the statement that a session runs."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tui.actions.action import CANNOT_BE_UNDONE, About, NotSentError, Request, Risk
from tui.actions.postgres.server import moment, plain
from tui.actions.postgres.session import Found, SessionVerb, backend_target
from tui.actions.postgres.words import describe, where_words
from tui.sources.postgres.facts import Server, Session

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

CANCEL: Final = "cancel-query"


def cancel_request(source: str, server: Server, session: Session) -> Request:
    """Return the request to cancel what a session was seen to run in one tick; its identity includes the statement."""
    target = backend_target(source, server, session)
    target = replace(target, identity={**target.identity, "query_start": plain(session.query_start)})
    return Request(CANCEL, target, seen={"state": session.state})


class CancelQuery(SessionVerb):
    """Cancels the running statement of one session (`pg_cancel_backend`); the session and its transaction stay.

    Identity: pid, `backend_start`, `backend_type`, `query_start`, md5 of the text, state `active`, and the server's
    start, address, port, database, recovery state and system identifier, all in the statement that signals. The window
    that remains is the microseconds between that check and the signal's arrival: a client that sends half-millisecond
    statements back to back may lose the next one instead. A statement that has run for a second is never missed by it.
    """

    name = CANCEL
    title = "Cancel query"
    about = About(
        system="PostgreSQL",
        targets="the running statement of a session or autovacuum worker",
        risk="low; medium for autovacuum; high for opstui's own and superusers' sessions, replication, poolers, and "
        "autovacuum to prevent wraparound",
        inverse=CANNOT_BE_UNDONE,
        identity="pid, backend_start, backend_type, query_start, md5 of the text, state active; the server's start, "
        "address, port, database, recovery state and system identifier: all in the statement that signals",
        window="microseconds between the check and the signal's arrival: of statements shorter than a millisecond, "
        "sent back to back, the next one may be struck",
        command="SELECT pg_cancel_backend(PID)",
        verification="that statement no longer runs, and who waited on it waits no more; within 12 s",
    )
    _usual_risk = Risk.LOW
    _function = "pg_cancel_backend"

    def _check(self, request: Request, backend: "Record") -> None:
        if (backend["state"] or "").startswith("idle in transaction"):
            raise NotSentError(
                f"{describe(backend)}: no statement runs, so cancelling does nothing; terminate the session instead"
            )
        if backend["state"] != "active" or backend["query_start"] != moment(request.target.identity["query_start"]):
            raise NotSentError(f"that statement has finished; the session is now {describe(backend)}")

    def _after(self) -> str:
        return "the statement fails in its client; the session stays"

    def _impact(self, backend: "Record") -> tuple[str, ...]:
        stuck = "it waits for its client (ClientWrite); a cancel may not reach it" * (
            backend["wait_event"] == "ClientWrite"
        )
        return tuple(filter(None, ("its transaction, if any, must then be rolled back by the client", stuck)))

    def _statement(self, request: Request, found: Found) -> tuple[str, tuple[Any, ...]]:
        return "cancel_exact", (*found.session, found.query_start, found.query_md5)

    def _is_over(self, query_start: datetime | None, backend: "Record") -> bool:
        return bool(backend["state"] != "active" or backend["query_start"] != query_start)

    def _still(self, backend: "Record") -> str:
        return f"still running: {where_words(backend)}; if it stays, terminate the session"
