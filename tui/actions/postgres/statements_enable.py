"""pg_stat_statements: begin to count statements at all."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tui.actions.action import (
    About,
    Action,
    Look,
    NotSentError,
    Phase,
    Receipt,
    Request,
    Risk,
    Sent,
    Sight,
)
from tui.actions.postgres.server import check_server, is_refusal, looking, shell_word, writing
from tui.actions.postgres.statements_reset import EXTENSION, extension_target
from tui.sources.postgres import words
from tui.sources.postgres.connection import Link
from tui.sources.postgres.facts import Server
from tui.sources.postgres.source import PostgresSource
from tui.sources.text import clean

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

ENABLE_STATEMENTS: Final = "enable-statements"
_DEADLINE_S: Final = 15.0


def enable_request(source: str, server: Server) -> Request:
    """Return the request to have statements counted in the database that is read."""
    return Request(ENABLE_STATEMENTS, extension_target(source, server))


@dataclass(frozen=True, slots=True)
class _Payload:
    """What is sent, in order."""

    create: str
    """`CREATE EXTENSION`; empty where it is there."""
    preload: str
    """`ALTER SYSTEM SET shared_preload_libraries`; empty where the library is loaded, or cannot be set this way."""


class EnableStatements:
    """`CREATE EXTENSION pg_stat_statements`, and its library into `shared_preload_libraries`, which a restart loads.

    Identity: the server's start, address, port, database, recovery state and system identifier, compared in the
    transaction that creates the extension. ALTER SYSTEM knows no condition: whoever sets shared_preload_libraries in
    the round trip between the look at it and the statement is overwritten. It comes after CREATE EXTENSION, which
    proves that the library is installed: a name that cannot be loaded would keep the server from starting.
    """

    name = ENABLE_STATEMENTS
    title = "Count statements"
    about = About(
        system="PostgreSQL",
        targets="pg_stat_statements in the database that is read, and its library in the server",
        risk="high where a library must be added; else medium",
        inverse="none offered; by hand: DROP EXTENSION, and ALTER SYSTEM RESET shared_preload_libraries",
        identity="the server's start, address, port, database, recovery state and system identifier, compared in the "
        "transaction that creates the extension",
        window="for shared_preload_libraries one round trip between look and ALTER SYSTEM",
        command="CREATE EXTENSION pg_stat_statements; ALTER SYSTEM SET shared_preload_libraries = …, "
        "'pg_stat_statements'",
        verification="the extension is there, and its library is loaded or pending a restart; within 15 s",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: PostgresSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return why our role may not, from what the last tick told of it."""
        server = self._source.server
        if server is None or server.is_superuser:
            return ""
        return f"only a superuser may create {EXTENSION}; there: CREATE EXTENSION {EXTENSION}"

    async def plan(self, request: Request) -> Action:
        """Read what is still missing.

        Raises:
            NotSentError: nothing is, its files are not installed, or another server answers.
            SourceError: the server could not be asked.
        """
        async with looking(self._source) as link:
            answering = await check_server(link, request.target.identity)
            row = await _extension(link)
        payload, by_hand = _missing(row, is_standby=answering["is_standby"])
        needs_restart = not _is_loaded(row)
        statements = [part for part in (payload.create, payload.preload) if part]
        psql = await self._source.psql()
        return Action(
            request=request,
            before=f"{'created' if row['created'] else 'not created'}, "
            f"{'not in ' if needs_restart else 'in '}shared_preload_libraries",
            after="statements are counted" + (" after a restart of the server" if needs_restart else ""),
            risk=Risk.HIGH if payload.preload else Risk.MEDIUM,
            risk_reason="every process of the server loads the library from its next start on" * bool(payload.preload),
            command=f"{psql} {' '.join(f'-c {shell_word(part)}' for part in statements)}",
            preview=(f"version {clean(row['available'] or '?')} is installed on the server",),
            deadline_s=_DEADLINE_S,
            impact=tuple(
                filter(
                    None,
                    (
                        "it takes a few per cent of busy servers, and shared memory for pg_stat_statements.max entries",
                        "a RESTART must follow, which opstui does not do" if needs_restart else "",
                        by_hand,
                    ),
                )
            ),
            permission="" if row["is_superuser"] else f"role {row['role']} is no superuser",
            evidence={"preloads": bool(payload.preload)},
            payload=payload,
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether as much is missing as before. Raises SourceError."""
        try:
            async with looking(self._source) as link:
                answering = await check_server(link, action.request.target.identity)
                payload, _ = _missing(await _extension(link), is_standby=answering["is_standby"])
        except NotSentError as error:
            return Sight.GONE, str(error)
        return (Sight.UNCHANGED, "") if payload == action.payload else (Sight.CHANGED, "something else is missing now")

    async def execute(self, action: Action) -> Receipt:
        """Create the extension, then name its library, each once.

        Raises:
            NotSentError: nothing was changed: another server, or it refused the first statement.
            SourceError: anything after that.
        """
        import asyncpg

        payload = action.payload
        if not isinstance(payload, _Payload):
            raise TypeError("this action was not planned by EnableStatements")
        done: list[str] = []
        async with writing(self._source) as link:
            with words.translated():
                await link.connection.execute("BEGIN")
                answering = await check_server(link, action.request.target.identity)
                now, _ = _missing(await _extension(link), is_standby=answering["is_standby"])
                if now != payload:
                    raise NotSentError("something else is missing now; nothing was changed")
                for statement in filter(None, (payload.create, "COMMIT", payload.preload)):
                    try:
                        await link.connection.fetch(statement)
                    except asyncpg.PostgresError as error:
                        if is_refusal(error) and not done:
                            raise NotSentError(words.sentence(error)) from error
                        raise
                    if statement != "COMMIT":
                        done.append(statement)
                if payload.preload:
                    await link.connection.fetch("SELECT pg_reload_conf()")
        return Receipt("; ".join(done))

    async def look(self, sent: Sent) -> Look:
        """Look whether the extension is there, and its library loaded or on its way."""
        async with looking(self._source) as link:
            try:
                await check_server(link, sent.request.target.identity)
            except NotSentError as error:
                return Look(Phase.UNKNOWN, str(error))
            row = await _extension(link)
        if not row["created"]:
            return Look(Phase.ABSENT, "the extension is not there")
        self._source.describe_anew()
        if _is_loaded(row):
            return Look(Phase.CONVERGED, f"version {clean(row['created'])} is there, and statements are counted")
        if row["pending_restart"] or not sent.evidence["preloads"]:
            return Look(Phase.CONVERGED, "the extension is there; statements are counted once the server is restarted")
        return Look(Phase.WAITING, "the extension is there; shared_preload_libraries does not wait for a restart yet")


def _libraries(setting: str | None) -> list[str]:
    return [part.strip().strip('"') for part in (setting or "").split(",") if part.strip()]


def _is_loaded(row: "Record") -> bool:
    return EXTENSION in _libraries(row["libraries"])


def _missing(row: "Record", *, is_standby: bool) -> tuple[_Payload, str]:
    """Return what is to be sent, and what a person must do besides; raises NotSentError when nothing helps."""
    if row["available"] is None:
        raise NotSentError(f"{EXTENSION} is not installed on the server's machine: its contrib package is missing")
    if row["created"] and _is_loaded(row):
        raise NotSentError(f"{EXTENSION} is there and counts already")
    if is_standby and not row["created"]:
        raise NotSentError("this is a standby: the extension comes from its primary")
    create = "" if row["created"] else f"CREATE EXTENSION {EXTENSION} SCHEMA public"
    if _is_loaded(row):
        return _Payload(create, ""), ""
    if row["pending_restart"]:
        if not create:
            raise NotSentError("shared_preload_libraries waits for a restart already")
        return _Payload(create, ""), "shared_preload_libraries waits for a restart already; see that it names it"
    if row["written"] is not None and _libraries(row["written"]) != _libraries(row["libraries"]):
        raise NotSentError(
            f"the configuration files say shared_preload_libraries = {clean(row['written'])!r}, which no reload has "
            "brought yet: somebody is at work on it"
        )
    if row["libraries"] is None or row["source"] == "command line":
        where = "on the server's command line" if row["libraries"] is not None else "where our role may not see it"
        if not create:
            raise NotSentError(f"shared_preload_libraries stands {where}: add {EXTENSION} there")
        return _Payload(create, ""), f"shared_preload_libraries stands {where}: add {EXTENSION} there by hand"
    named = ", ".join("'" + part.replace("'", "''") + "'" for part in (*_libraries(row["libraries"]), EXTENSION))
    return _Payload(create, f"ALTER SYSTEM SET shared_preload_libraries = {named}"), ""


async def _extension(link: Link) -> "Record":
    (row,) = await link.fetch("statements_extension")
    return row
