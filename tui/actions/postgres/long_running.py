"""Statements that may run for hours: begun on a connection of their own, and followed until they have ended.

They go on in the server when opstui ends: closing a connection is not noticed before the statement is done.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.actions.action import Action, Look, NotSentError, Phase, Receipt, Sent, Sight
from tui.actions.postgres.server import check_server, is_refusal, looking, moment, plain
from tui.sources.errors import SourceError
from tui.sources.postgres import words
from tui.sources.postgres.connection import Link
from tui.sources.postgres.progress import progress
from tui.sources.postgres.source import PostgresSource

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

DEADLINE_S: Final = 6 * 3600.0
_FIRST_S: Final = 2.0
"""How long it is waited for an answer that comes at once, such as a refusal."""
_SETTLED_S: Final = 5.0
"""How long after the end the server's statistics may take to show it."""
GOES_ON: Final = "it goes on in the server when opstui ends (unless client_connection_check_interval is set)"


@dataclass(slots=True)
class _Run:
    """A statement of ours that was begun."""

    task: "asyncio.Task[Exception | None]"
    ended_at: float | None = None


class LongStatement:
    """What verbs have in common whose statement runs for long, outside any transaction."""

    hold_s = 0.0
    ends_target = False
    _lock_timeout = "5s"

    def __init__(self, source: PostgresSource) -> None:
        self._source = source
        self._runs: dict[str, _Run] = {}
        """What was begun here, by the id of its action."""

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the table or index is still the one the action was planned for. Raises SourceError."""
        try:
            async with looking(self._source) as link:
                await check_server(link, action.request.target.identity)
                await self._check(link, action)
        except NotSentError as error:
            return Sight.GONE, str(error)
        return Sight.UNCHANGED, ""

    async def execute(self, action: Action) -> Receipt:
        """Begin the statement, once, if it is still about the same thing on the same server.

        Raises:
            NotSentError: it is not, the server refused it, or could not be reached at all.
            SourceError: the connection failed after it was sent.
        """
        statement = str(action.payload)
        try:
            link = await self._source.for_writing(statement_timeout="0", lock_timeout=self._lock_timeout)
        except SourceError as error:
            raise NotSentError(f"nothing was sent: {error}") from error
        try:
            with words.translated():
                await check_server(link, action.request.target.identity)
                await self._check(link, action)
                (own,) = await link.fetch("own_backend")
        except SourceError as error:
            self._source.give_back(link)
            raise NotSentError(f"nothing was sent: {error}") from error
        except BaseException:
            self._source.give_back(link)
            raise
        run = _Run(asyncio.create_task(self._sent(link, statement)))
        self._runs[action.id] = run
        await asyncio.wait({run.task}, timeout=_FIRST_S)
        evidence = {"pid": own["pid"], "backend_start": plain(own["backend_start"])}
        if not run.task.done():
            return Receipt(f"it runs as backend {own['pid']}", evidence)
        failure = run.task.result()
        if failure is None:
            return Receipt("done", evidence)
        if _is_lost(failure):
            raise words.of_server(failure) from failure
        if self._is_harmless(failure):
            raise NotSentError(words.sentence(failure)) from failure
        return Receipt(f"the server ended it: {words.sentence(failure)}", evidence)

    async def _sent(self, link: Link, statement: str) -> Exception | None:
        """Run the statement to its end; return how it failed."""
        import asyncpg

        try:
            # Of the extended protocol: one statement, or a syntax error.
            await link.connection.fetch(statement)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            return error
        finally:
            self._source.give_back(link)
        return None

    async def look(self, sent: Sent) -> Look:
        """Look how far it is, and when it has ended, what became of it.

        Raises:
            SourceError: the server could not be asked.
        """
        pid = sent.evidence.get("pid")
        async with self._source.at_hand() as link:
            try:
                await check_server(link, sent.request.target.identity)
            except NotSentError as error:
                return Look(Phase.UNKNOWN, str(error))
            found = await link.fetch("backend", pid) if pid is not None else []
            is_running = bool(found) and found[0]["backend_start"] == moment(sent.evidence["backend_start"])
            if is_running:
                going = [one for one in progress(await link.fetch("progress")) if one.pid == pid]
                how = f": {going[0].phase}, {going[0].percent or 0:.0f} % of it" if going else ""
                return Look(Phase.WAITING, f"backend {pid} is at work{how}")
            is_done, detail = await self._verdict(link, sent)
        if is_done:
            return Look(Phase.CONVERGED, detail)
        return self._failed(sent, detail)

    def _failed(self, sent: Sent, detail: str) -> Look:
        run = self._runs.get(sent.id)
        if run is not None and not run.task.done():
            return Look(Phase.WAITING, detail)
        error = run.task.result() if run is not None else None
        if run is None or (error is not None and _is_lost(error)):
            # Another opstui began it, or nobody did: only what the server has to show counts.
            return Look(Phase.ABSENT, detail)
        if error is not None:
            return Look(Phase.NOT_CONVERGED, f"{words.sentence(error)}; {detail}")
        run.ended_at = run.ended_at or time.monotonic()
        phase = Phase.WAITING if time.monotonic() - run.ended_at < _SETTLED_S else Phase.NOT_CONVERGED
        return Look(phase, detail)

    # What differs from verb to verb

    async def _check(self, link: Link, action: Action) -> None:
        """Raise NotSentError when it is no longer the thing the action was planned for."""
        raise NotImplementedError

    async def _verdict(self, link: Link, sent: Sent) -> tuple[bool, str]:
        """Return whether what was wanted is there, and what is found."""
        raise NotImplementedError

    def _is_harmless(self, error: Exception) -> bool:
        """Whether a statement that ended so has changed nothing."""
        return is_refusal(error)


def _is_lost(error: Exception) -> bool:
    """Tell whether it was the connection that failed, so that nobody knows about the statement."""
    sqlstate = getattr(error, "sqlstate", None) or "08"
    return sqlstate.startswith(("08", "57P"))


async def open_transactions(link: Link) -> "Record":
    """Return how many transactions are open, and the oldest."""
    (found,) = await link.fetch("open_transactions")
    return found
