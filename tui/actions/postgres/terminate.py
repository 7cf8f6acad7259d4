"""Ending sessions: one that was chosen, or those that have been idle, or busy, for too long."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tui.actions.action import CANNOT_BE_UNDONE, About, Action, GoneError, Plain, Request, Risk, Sight
from tui.actions.postgres.session import Found, SessionVerb, backend_target
from tui.actions.postgres.words import describe, where_words
from tui.sources.postgres.facts import Server, Session
from tui.sources.postgres.row import one_line

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

TERMINATE: Final = "terminate-backend"
TERMINATE_MATCHING: Final = "terminate-matching"
STATES: Final = ("idle", "idle in transaction", "idle in transaction (aborted)", "active")
"""The states that sessions can be chosen by."""


def terminate_request(source: str, server: Server, session: Session) -> Request:
    """Return the request to terminate a session as it was seen in one tick."""
    return Request(TERMINATE, backend_target(source, server, session), seen={"state": session.state})


def matching_requests(
    source: str, server: Server, sessions: Iterable[Session], state: str, longer_than_s: float
) -> tuple[Request, ...]:
    """Return the requests to terminate every client's session that has been in a state for so long, longest first.

    opstui's own, and sessions that our role may not see, are left out.
    """
    matching = [
        session
        for session in sessions
        if session.state == state
        and session.backend_type == "client backend"
        and not session.is_own
        and (time_s := session.query_s if state == "active" else session.state_s) is not None
        and time_s >= longer_than_s
    ]
    matching.sort(key=lambda session: -(session.time_s or 0.0))
    wanted: dict[str, Plain] = {"state": state, "longer_than_s": longer_than_s}
    return tuple(
        Request(TERMINATE_MATCHING, backend_target(source, server, session), wanted=wanted) for session in matching
    )


class TerminateBackend(SessionVerb):
    """Ends one session (`pg_terminate_backend`); its transaction is rolled back and its locks are released.

    Identity: pid, `backend_start`, `backend_type`, and the server's start, address, port, database, recovery state and
    system identifier, all in the statement that signals. What the session does is shown and watched, not checked: a
    session's end does not depend on its statement. Behind a pooler that session belongs to whichever client has it now.
    """

    name = TERMINATE
    title = "Terminate backend"
    about = About(
        system="PostgreSQL",
        targets="session, walsender, replication worker or autovacuum worker",
        risk="medium; high for opstui's own and superusers' sessions, replication, poolers, and autovacuum to prevent "
        "wraparound",
        inverse=CANNOT_BE_UNDONE,
        identity="pid, backend_start, backend_type; the server's start, address, port, database, recovery state "
        "and system identifier: all in the statement that signals",
        window="none for the session; what it does meanwhile is shown, not checked",
        command="SELECT pg_terminate_backend(PID)",
        verification="that session is gone, and who waited on it waits no more; within 12 s",
    )
    _usual_risk = Risk.MEDIUM
    _function = "pg_terminate_backend"

    def _after(self) -> str:
        return "session closed, transaction rolled back, locks released"

    def _impact(self, backend: "Record") -> tuple[str, ...]:
        lost = backend["transaction_s"]
        rolled_back = (
            f"a transaction open for {lost:.0f} s is rolled back" if lost is not None else "no open transaction"
        )
        return (rolled_back, f"its client ({one_line(backend['application'] or 'unnamed')}) loses the connection")

    def _statement(self, request: Request, found: Found) -> tuple[str, tuple[Any, ...]]:
        return "terminate_exact", found.session

    def _is_over(self, query_start: datetime | None, backend: "Record") -> bool:
        return False

    def _still(self, backend: "Record") -> str:
        return f"still there: {where_words(backend)}; if it stays, only the server's administrator can go further"


class TerminateMatching(TerminateBackend):
    """Ends one of several sessions only while it has been in the state they were chosen by for that long.

    Identity: as TerminateBackend's, and `state` with its duration by the server's own clock, all in the statement that
    signals. One that has become busy meanwhile is left alone, and said to be.
    """

    name = TERMINATE_MATCHING
    title = "Terminate session"
    about = About(
        system="PostgreSQL",
        targets="clients' sessions that have been idle, idle in transaction or active for longer than chosen",
        risk="as terminate-backend; several at once are high",
        inverse=CANNOT_BE_UNDONE,
        identity="as terminate-backend, and the state with its duration by the server's clock: all in the statement "
        "that signals",
        window="none for the session and its state",
        command="SELECT pg_terminate_backend(PID)",
        verification="that session is gone; within 12 s",
    )

    def _check(self, request: Request, backend: "Record") -> None:
        state, least = request.wanted["state"], float(request.wanted["longer_than_s"] or 0.0)
        since = backend["query_s"] if backend["state"] == "active" else backend["state_s"]
        if backend["state"] != state or since is None or since < least:
            raise GoneError(f"left alone: it is no longer {state} for {least:g} s, but {describe(backend)}")

    def _statement(self, request: Request, found: Found) -> tuple[str, tuple[Any, ...]]:
        wanted = (request.wanted["state"], float(request.wanted["longer_than_s"] or 0.0))
        return "terminate_matching", (*found.session, *wanted)

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the session is still in the state it was chosen by. Raises SourceError."""
        seen, what = await super().sight(action)
        if seen is Sight.CHANGED:
            return Sight.GONE, f"left alone: {what}"
        return seen, what
