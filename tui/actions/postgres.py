"""Ending what a PostgreSQL session does: cancel its statement, or terminate the session.

A pid alone is no identity: by the time a person has read a row and pressed a key, the statement may be another one
and the pid another session's. Both verbs therefore find and signal in one SQL statement, which also checks that it
is still the same server that answers (its start, address, database and role in replication), so that after a
fail-over nothing is signalled on a clone.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tui.actions.action import Action, Look, NotSentError, Phase, Receipt, Request, Risk, Sight, Target
from tui.actions.postgres_words import describe, other_backend, risk_of, role_words, where_words
from tui.sources.errors import SourceError
from tui.sources.postgres import words
from tui.sources.postgres.blocking import blocking_tree
from tui.sources.postgres.connection import Link
from tui.sources.postgres.facts import Server, Session
from tui.sources.postgres.masking import masked
from tui.sources.postgres.rows import blockers, one_line
from tui.sources.postgres.source import PostgresSource

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

CANCEL: Final = "cancel-query"
TERMINATE: Final = "terminate-backend"
_ANSWER_S: Final = 5.0
_LOOSER: Final = "  # by pid alone; opstui's own statement also checks the session, the statement and the server"


def backend_target(source: str, server: Server, session: Session) -> Target:
    """Return the identity of a session: pid and `backend_start`, and the server it was seen on."""
    return Target(
        source=source,
        kind="backend",
        name=str(session.pid),
        where=_where(source.partition(":")[2], session.database),
        identity={
            "pid": session.pid,
            "backend_start": _text(session.backend_start),
            "server_started": _text(server.started),
            "server_address": server.address,
            "server_port": server.port,
            "server_database": server.database,
            "server_is_standby": server.is_standby,
        },
    )


def backend_request(verb: str, source: str, server: Server, session: Session) -> Request:
    """Return the request to cancel or terminate a session as it was seen in one tick.

    Cancelling is about one statement, so its start belongs to the target's identity.
    """
    target = backend_target(source, server, session)
    if verb == CANCEL:
        target = replace(target, identity={**target.identity, "query_start": _text(session.query_start)})
    return Request(verb, target, seen={"state": session.state, "query_start": _text(session.query_start)})


def _where(name: str, database: str | None) -> str:
    return name if database in (name, None) else f"{database} on {name}"


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


@dataclass(frozen=True, slots=True)
class _Payload:
    """What `execute` sends and `look` compares with."""

    pid: int
    backend_start: datetime
    query_start: datetime | None
    query_md5: str
    server: tuple[Any, ...]
    """Start, database, is-standby, address, port."""
    waiters: frozenset[int]
    """Sessions that waited on it, directly or behind another, when it was planned."""


class _EndVerb:
    """What cancelling and terminating have in common."""

    name: str
    title: str
    deadline_s = 12.0
    _usual_risk: Risk
    _function: str

    def __init__(self, source: PostgresSource) -> None:
        self._source = source

    async def plan(self, request: Request) -> Action:
        """Read the backend again, say who waits on it, and whether this role may end it.

        Raises:
            NotSentError: it is gone, is another one now, does something else, or cannot be ended this way.
            SourceError: the server could not be asked.
        """
        async with self._source.for_action() as link:
            with words.translated():
                answering, backend = await _look_at(link, request)
                waiters = await _waiters(link, backend["pid"])
        self._check(request, backend)
        risk, reason = risk_of(self._usual_risk, backend)
        payload = _Payload(
            pid=backend["pid"],
            backend_start=backend["backend_start"],
            query_start=backend["query_start"],
            query_md5=backend["query_md5"],
            server=_server(answering),
            waiters=waiters,
        )
        return Action(
            id=secrets.token_hex(8),
            request=request,
            before=f"{describe(backend)}: {masked(backend['query'])}",
            after=self._after(),
            risk=risk,
            risk_reason=reason,
            undo="cannot be undone",
            command=f'{await self._source.psql()} -c "SELECT {self._function}({backend["pid"]})"{_LOOSER}',
            preview=("no preview: PostgreSQL has no dry run for signals",),
            impact=(_waiting_words(waiters), *self._impact(backend)),
            permission=role_words(answering, backend),
            payload=payload,
        )

    def _check(self, request: Request, backend: "Record") -> None:
        raise NotImplementedError

    def _after(self) -> str:
        raise NotImplementedError

    def _impact(self, backend: "Record") -> tuple[str, ...]:
        raise NotImplementedError

    def _statement(self, payload: _Payload) -> tuple[str, tuple[Any, ...]]:
        raise NotImplementedError

    def _is_over(self, payload: _Payload, backend: "Record") -> bool:
        raise NotImplementedError

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the session still does what it did when the action was planned. Raises SourceError."""
        payload = _payload(action)
        try:
            async with self._source.for_action() as link:
                with words.translated():
                    _, backend = await _look_at(link, action.request)
        except NotSentError as error:
            return Sight.GONE, str(error)
        if backend["query_md5"] != payload.query_md5 or backend["query_start"] != payload.query_start:
            return Sight.CHANGED, f"another statement now: {describe(backend)}"
        return Sight.UNCHANGED, describe(backend)

    async def execute(self, action: Action) -> Receipt:
        """Send the signal, once, if it is still the same session (and statement) on the same server.

        Raises:
            NotSentError: nothing matched, the server refused, or it could not be reached at all.
            SourceError: the connection failed after the statement was sent.
        """
        payload = _payload(action)
        async with _reached(self._source) as link:
            sent = await _send(link, *self._statement(payload))
            if sent is None:
                raise NotSentError(await _moved_on(link, action.request))
            if not sent:
                raise NotSentError(f"backend {payload.pid} ended just before the signal")
        return Receipt(f"{self._function}({payload.pid}) returned true: signal sent")

    async def look(self, action: Action, receipt: Receipt) -> Look:
        """Look whether the statement or session is gone, and how many of those that waited on it still wait.

        Raises:
            SourceError: the server could not be asked.
        """
        payload = _payload(action)
        async with self._source.for_action() as link:
            with words.translated():
                (answering,) = await link.fetch("answering")
                found = await link.fetch("backend", payload.pid)
                still = _folded_waiters(await link.fetch("blockers"))
        if _server(answering) != payload.server:
            return Look(Phase.UNKNOWN, "another server answers now, or it restarted")
        waited = (
            f"waiters before {len(payload.waiters)} → now {len(payload.waiters & still)}" if payload.waiters else ""
        )
        if found and found[0]["backend_start"] is None:
            return Look(Phase.UNKNOWN, f"our role may no longer see what backend {payload.pid} is")
        backend = found[0] if found and found[0]["backend_start"] == payload.backend_start else None
        if backend is None:
            return Look(Phase.CONVERGED, "; ".join(filter(None, (f"backend {payload.pid} is gone", waited))))
        if self._is_over(payload, backend):
            return Look(Phase.CONVERGED, "; ".join(filter(None, (f"ended: {describe(backend)}", waited))))
        return Look(Phase.WAITING, "; ".join(filter(None, (self._still(backend), waited))))

    def _still(self, backend: "Record") -> str:
        raise NotImplementedError


class CancelQuery(_EndVerb):
    """Cancels the running statement of one session (`pg_cancel_backend`); the session and its transaction stay.

    Identity: pid, `backend_start`, `query_start`, md5 of the text, state `active`, and the server's start, address,
    database and recovery state, all in the statement that signals. The window that remains is the microseconds
    between that check and the signal's arrival: a client that sends half-millisecond statements back to back may
    lose the next one instead.
    """

    name = CANCEL
    title = "Cancel query"
    _usual_risk = Risk.LOW
    _function = "pg_cancel_backend"

    def _check(self, request: Request, backend: "Record") -> None:
        if (backend["state"] or "").startswith("idle in transaction"):
            raise NotSentError(
                f"{describe(backend)}: no statement runs, so cancelling does nothing; terminate the session instead"
            )
        if backend["state"] != "active" or backend["query_start"] != _moment(request.target.identity["query_start"]):
            raise NotSentError(f"that statement has finished; the session is now {describe(backend)}")

    def _after(self) -> str:
        return "the statement fails in its client; the session stays"

    def _impact(self, backend: "Record") -> tuple[str, ...]:
        stuck = "it waits for its client (ClientWrite); a cancel may not reach it" * (
            backend["wait_event"] == "ClientWrite"
        )
        return tuple(filter(None, ("its transaction, if any, must then be rolled back by the client", stuck)))

    def _statement(self, payload: _Payload) -> tuple[str, tuple[Any, ...]]:
        session = (payload.pid, payload.backend_start, payload.query_start, payload.query_md5)
        return "cancel_exact", (*session, *payload.server)

    def _is_over(self, payload: _Payload, backend: "Record") -> bool:
        return bool(backend["state"] != "active" or backend["query_start"] != payload.query_start)

    def _still(self, backend: "Record") -> str:
        return f"still running: {where_words(backend)}; if it stays, terminate the session"


class TerminateBackend(_EndVerb):
    """Ends one session (`pg_terminate_backend`); its transaction is rolled back and its locks are released.

    Identity: pid, `backend_start`, and the server's start, address, database and recovery state, all in the
    statement that signals. What the session does is shown and watched, not checked: a session's end does not depend
    on its statement. Behind a pooler that session belongs to whichever client has it now.
    """

    name = TERMINATE
    title = "Terminate backend"
    _usual_risk = Risk.MEDIUM
    _function = "pg_terminate_backend"

    def _check(self, request: Request, backend: "Record") -> None:
        """Accept whatever the session does: the dialog shows it."""

    def _after(self) -> str:
        return "session closed, transaction rolled back, locks released"

    def _impact(self, backend: "Record") -> tuple[str, ...]:
        lost = backend["transaction_s"]
        rolled_back = (
            f"a transaction open for {lost:.0f} s is rolled back" if lost is not None else "no open transaction"
        )
        return (rolled_back, f"its client ({one_line(backend['application'] or 'unnamed')}) loses the connection")

    def _statement(self, payload: _Payload) -> tuple[str, tuple[Any, ...]]:
        return "terminate_exact", (payload.pid, payload.backend_start, *payload.server)

    def _is_over(self, payload: _Payload, backend: "Record") -> bool:
        return False

    def _still(self, backend: "Record") -> str:
        return f"still there: {where_words(backend)}; if it stays, only the server's administrator can go further"


def _payload(action: Action) -> _Payload:
    assert isinstance(action.payload, _Payload)  # noqa: S101 — plan() of the same verb made it
    return action.payload


def _server(answering: "Record") -> tuple[Any, ...]:
    return tuple(answering[name] for name in ("started", "database", "is_standby", "address", "port"))


async def _look_at(link: Link, request: Request) -> "tuple[Record, Record]":
    """Return who answers and the backend of `request`.

    Raises:
        NotSentError: another server answers, or the backend is gone or another one.
    """
    identity = request.target.identity
    (answering,) = await link.fetch("answering")
    names = ("server_database", "server_is_standby", "server_address", "server_port")
    expected = (_moment(identity["server_started"]), *(identity[name] for name in names))
    if _server(answering) != expected:
        raise NotSentError("another server answers now, or it restarted or changed its role; look at the list again")
    found = await link.fetch("backend", identity["pid"])
    if not found:
        raise NotSentError(f"backend {identity['pid']} is gone")
    backend = found[0]
    if backend["backend_start"] is None:
        raise NotSentError(
            f"role {answering['role']} may not see what backend {backend['pid']} is; ask for: GRANT pg_monitor"
        )
    if backend["backend_start"] != _moment(identity["backend_start"]):
        raise NotSentError(f"backend {backend['pid']} is gone; its pid now belongs to another session")
    if reason := other_backend(backend):
        raise NotSentError(reason)
    return answering, backend


def _waiting_words(waiters: frozenset[int]) -> str:
    if not waiters:
        return "nobody waits on it"
    shown = ", ".join(str(pid) for pid in sorted(waiters)[:8]) + (", …" if len(waiters) > 8 else "")
    return f"{len(waiters)} {'session waits' if len(waiters) == 1 else 'sessions wait'} on it: {shown}"


async def _waiters(link: Link, pid: int) -> frozenset[int]:
    """Return every session that waits on `pid`, directly or behind another."""
    places = blocking_tree({row["pid"]: blockers(row["blockers"]) for row in await link.fetch("blockers")})
    found = {pid}
    for place in places:
        if place.under in found:
            found.add(place.pid)
    return frozenset(found - {pid})


def _folded_waiters(found: "list[Record]") -> frozenset[int]:
    return frozenset(row["pid"] for row in found if row["blockers"])


@contextlib.asynccontextmanager
async def _reached(source: PostgresSource) -> AsyncIterator[Link]:
    """Lend a connection for sending; without one nothing can have been sent."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            link = await stack.enter_async_context(source.for_action())
        except SourceError as error:
            raise NotSentError(f"nothing was sent: {error}") from error
        yield link


async def _send(link: Link, query: str, values: tuple[Any, ...]) -> bool | None:
    """Send one signalling statement; None when nothing matched.

    Raises:
        NotSentError: the server refused it.
        SourceError: the connection failed after it was sent.
    """
    import asyncpg

    with words.translated():
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await link.fetch(query, *values)
        except asyncpg.InsufficientPrivilegeError as error:
            raise NotSentError(words.sentence(error)) from error
    return bool(found[0]["sent"]) if found else None


async def _moved_on(link: Link, request: Request) -> str:
    """Say what the backend does now that the statement matched nothing."""
    try:
        with words.translated():
            async with asyncio.timeout(_ANSWER_S):
                _, backend = await _look_at(link, request)
    except NotSentError as error:
        return str(error)
    except SourceError as error:
        return f"the session is no longer what was seen; what it is now cannot be read: {error}"
    return f"nothing was signalled: that statement has finished; the session is now {describe(backend)}"
