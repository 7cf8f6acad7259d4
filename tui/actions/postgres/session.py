"""Ending what a PostgreSQL session does: what cancelling and terminating have in common.

A pid alone is no identity: by the time a person has read a row and pressed a key, the statement may be another one
and the pid another session's. Every verb therefore finds and signals in one SQL statement, which also checks that it
is still the same server that answers (its start, address, database, role in replication and, where our role may read
it, system identifier), so that after a fail-over nothing is signalled on a clone.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tui.actions.action import (
    CANNOT_BE_UNDONE,
    About,
    Action,
    GoneError,
    Look,
    NotSentError,
    Phase,
    Receipt,
    Request,
    Risk,
    Sent,
    Sight,
    Target,
)
from tui.actions.postgres.server import ANOTHER_SERVER, compared, expected, moment, plain, server_identity
from tui.actions.postgres.server import answering as who_answers
from tui.actions.postgres.server import where_words as server_where
from tui.actions.postgres.words import describe, left_alone, risk_of, role_words, where_words
from tui.sources.errors import SourceError
from tui.sources.postgres import words
from tui.sources.postgres.blocking import blocking_tree
from tui.sources.postgres.connection import Link
from tui.sources.postgres.facts import Server, Session
from tui.sources.postgres.masking import masked
from tui.sources.postgres.rows import blockers
from tui.sources.postgres.source import PostgresSource

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

_ANSWER_S: Final = 5.0
_DEADLINE_S: Final = 12.0
_LOOSER: Final = "  # by pid alone; opstui's own statement also checks the session, the statement and the server"


def backend_target(source: str, server: Server, session: Session) -> Target:
    """Return the identity of a session: pid and `backend_start`, and the server it was seen on."""
    return Target(
        source=source,
        kind="backend",
        name=str(session.pid),
        where=server_where(source.partition(":")[2], session.database),
        identity={
            "pid": session.pid,
            "backend_start": plain(session.backend_start),
            **server_identity(server),
        },
        scope={"database": session.database or "", "role": session.role or ""},
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A backend as it was when the action was planned."""

    pid: int
    backend_start: datetime
    backend_type: str
    query_start: datetime | None
    query_md5: str
    server: tuple[Any, ...]
    """Start, database, is-standby, address, port, system identifier (None where our role may not read it)."""

    @property
    def session(self) -> tuple[Any, ...]:
        """What every signalling statement checks, in its order: the server, the session."""
        return (*self.server, self.pid, self.backend_start, self.backend_type)

    @property
    def knows_system(self) -> bool:
        """Whether the server's system identifier is among what is checked."""
        return self.server[-1] is not None


class SessionVerb:
    """What cancelling and terminating have in common."""

    name: str
    title: str
    about: About
    hold_s = 0.0
    ends_target = True
    _usual_risk: Risk
    _function: str

    def __init__(self, source: PostgresSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return why our role may not, from what the last tick told of it; empty when it may, or perhaps."""
        server = self._source.server
        if server is None or server.is_superuser or server.may_signal or request.target.scope["role"] == server.role:
            return ""
        return f"role {server.role} may end only its own sessions; ask for: GRANT pg_signal_backend TO {server.role}"

    async def plan(self, request: Request) -> Action:
        """Read the backend again, say who waits on it, and whether this role may end it.

        Raises:
            NotSentError: it is gone, is another one now, does something else, or cannot be ended this way.
            SourceError: the server could not be asked.
        """
        async with self._source.for_action() as link:
            with words.translated():
                answering, backend = await look_at(link, request)
                waiters = await _waiters(link, backend["pid"])
        self._check(request, backend)
        risk, reason = risk_of(self._usual_risk, backend)
        found = Found(
            pid=backend["pid"],
            backend_start=backend["backend_start"],
            backend_type=backend["backend_type"],
            query_start=backend["query_start"],
            query_md5=backend["query_md5"],
            server=compared(answering),
        )
        return Action(
            request=request,
            before=f"{describe(backend)}: {masked(backend['query'])}",
            after=self._after(),
            risk=risk,
            risk_reason=reason,
            undo=CANNOT_BE_UNDONE,
            command=f'{await self._source.psql()} -c "SELECT {self._function}({backend["pid"]})"{_LOOSER}',
            preview=("no preview: PostgreSQL has no dry run for signals",),
            deadline_s=_DEADLINE_S,
            impact=(_waiting_words(waiters), *self._impact(backend)),
            permission=role_words(answering, backend),
            evidence={"query_start": plain(found.query_start), "waiters": sorted(waiters)},
            payload=found,
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the session still does what it did when the action was planned. Raises SourceError."""
        found = found_of(action)
        try:
            async with self._source.for_action() as link:
                with words.translated():
                    _, backend = await look_at(link, action.request)
        except NotSentError as error:
            return Sight.GONE, str(error)
        if backend["query_md5"] != found.query_md5 or backend["query_start"] != found.query_start:
            return Sight.CHANGED, f"another statement now: {describe(backend)}"
        return Sight.UNCHANGED, describe(backend)

    async def execute(self, action: Action) -> Receipt:
        """Send the signal, once, if it is still the same session (and statement) on the same server.

        Raises:
            NotSentError: nothing matched, the server refused, or it could not be reached at all.
            SourceError: the connection failed after the statement was sent.
        """
        found = found_of(action)
        async with _reached(self._source) as link:
            query, values = self._statement(action.request, found)
            sent = await _send(link, query, values, asks_system=found.knows_system)
            if sent is None:
                raise await self._moved_on(link, action.request)
            if not sent:
                raise GoneError(f"backend {found.pid} ended just before the signal")
        return Receipt(f"{self._function}({found.pid}) returned true: signal sent")

    async def look(self, sent: Sent) -> Look:
        """Look whether the statement or session is gone, and how many of those that waited on it still wait.

        Raises:
            SourceError: the server could not be asked.
        """
        identity = sent.request.target.identity
        async with self._source.for_action() as link:
            with words.translated():
                answering = await who_answers(link, identity)
                found = await link.fetch("backend", identity["pid"])
                still = _folded_waiters(await link.fetch("blockers"))
        if compared(answering) != expected(identity):
            return Look(Phase.UNKNOWN, "another server answers now, or it restarted")
        before = frozenset(sent.evidence["waiters"])
        waited = f"waiters before {len(before)} → now {len(before & still)}" if before else ""
        if found and found[0]["backend_start"] is None:
            return Look(Phase.UNKNOWN, f"our role may no longer see what backend {identity['pid']} is")
        backend = found[0] if found and found[0]["backend_start"] == moment(identity["backend_start"]) else None
        if backend is None:
            return Look(Phase.CONVERGED, "; ".join(filter(None, (f"backend {identity['pid']} is gone", waited))))
        if self._is_over(moment(sent.evidence["query_start"]), backend):
            return Look(Phase.CONVERGED, "; ".join(filter(None, (f"ended: {describe(backend)}", waited))))
        return Look(Phase.WAITING, "; ".join(filter(None, (self._still(backend), waited))))

    async def _moved_on(self, link: Link, request: Request) -> NotSentError:
        """Say what the backend does now that the statement matched nothing."""
        try:
            with words.translated():
                async with asyncio.timeout(_ANSWER_S):
                    _, backend = await look_at(link, request)
            self._check(request, backend)
        except NotSentError as error:
            return error
        except SourceError as error:
            return NotSentError(f"the session is no longer what was seen; what it is now cannot be read: {error}")
        return NotSentError(
            f"nothing was signalled: it moved on in that very moment; the session is now {where_words(backend)}"
        )

    # What differs from verb to verb

    def _check(self, request: Request, backend: "Record") -> None:
        """Raise NotSentError when what the backend does speaks against it."""

    def _after(self) -> str:
        raise NotImplementedError

    def _impact(self, backend: "Record") -> tuple[str, ...]:
        raise NotImplementedError

    def _statement(self, request: Request, found: Found) -> tuple[str, tuple[Any, ...]]:
        raise NotImplementedError

    def _is_over(self, query_start: datetime | None, backend: "Record") -> bool:
        raise NotImplementedError

    def _still(self, backend: "Record") -> str:
        raise NotImplementedError


def found_of(action: Action) -> Found:
    """Return what `plan` of the same verb found."""
    if not isinstance(action.payload, Found):
        raise TypeError("this action was not planned by a verb for sessions")
    return action.payload


async def look_at(link: Link, request: Request) -> "tuple[Record, Record]":
    """Return who answers and the backend of `request`.

    Raises:
        GoneError: the backend is gone, or its pid another session's.
        NotSentError: another server answers, or the backend is not to be ended from here.
    """
    identity = request.target.identity
    answering = await who_answers(link, identity)
    if compared(answering) != expected(identity):
        raise NotSentError(ANOTHER_SERVER)
    found = await link.fetch("backend", identity["pid"])
    if not found:
        raise GoneError(f"backend {identity['pid']} is gone")
    backend = found[0]
    if backend["backend_start"] is None:
        raise NotSentError(
            f"role {answering['role']} may not see what backend {backend['pid']} is; ask for: GRANT pg_monitor"
        )
    if backend["backend_start"] != moment(identity["backend_start"]):
        raise GoneError(f"backend {backend['pid']} is gone; its pid now belongs to another session")
    if reason := left_alone(backend):
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


async def _send(link: Link, query: str, values: tuple[Any, ...], *, asks_system: bool) -> bool | None:
    """Send one signalling statement; None when nothing matched.

    Raises:
        NotSentError: the server refused it.
        SourceError: the connection failed after it was sent.
    """
    import asyncpg

    with words.translated():
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await link.fetch(query, *values, asks_system=asks_system)
        except asyncpg.InsufficientPrivilegeError as error:
            raise NotSentError(words.sentence(error)) from error
    return bool(found[0]["sent"]) if found else None
