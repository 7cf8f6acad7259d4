"""pg_stat_statements: begin to count anew."""

from typing import TYPE_CHECKING, Final

from tui.actions.action import (
    CANNOT_BE_UNDONE,
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
    Target,
)
from tui.actions.postgres.server import (
    ANOTHER_SERVER,
    check_server,
    expected,
    is_refusal,
    looking,
    moment,
    plain,
    server_identity,
    where_words,
    writing,
)
from tui.sources.postgres import queries, words
from tui.sources.postgres.connection import SYSTEM_IDENTIFIER, Link
from tui.sources.postgres.facts import Server
from tui.sources.postgres.rows import quoted
from tui.sources.postgres.source import PostgresSource

if TYPE_CHECKING:
    from tui.sources.postgres.connection import Record

RESET_STATEMENTS: Final = "reset-statements"
EXTENSION: Final = "pg_stat_statements"
_DEADLINE_S: Final = 15.0


def extension_target(source: str, server: Server) -> Target:
    """Return the identity of pg_stat_statements on the server that was seen."""
    return Target(
        source=source,
        kind="extension",
        name=EXTENSION,
        where=where_words(source.partition(":")[2], server.database),
        identity={"extension": EXTENSION, **server_identity(server)},
        scope={"database": server.database},
    )


def reset_request(source: str, server: Server) -> Request:
    """Return the request to forget what the statements have cost so far."""
    return Request(
        RESET_STATEMENTS,
        extension_target(source, server),
        wanted={"schema": server.statements_schema, "version": server.statements_version},
    )


class ResetStatements:
    """`pg_stat_statements_reset()`: what every statement of every database has cost so far is forgotten.

    Identity: the server's start, address, port, database, recovery state and system identifier, in the statement that
    resets. What others have counted meanwhile is forgotten with the rest.
    """

    name = RESET_STATEMENTS
    title = "Reset statement statistics"
    about = About(
        system="PostgreSQL",
        targets="pg_stat_statements of the whole server",
        risk="medium",
        inverse=CANNOT_BE_UNDONE,
        identity="the server's start, address, port, database, recovery state and system identifier: all in the "
        "statement that resets",
        window="none for the server; what is counted meanwhile is forgotten, too",
        command="SELECT pg_stat_statements_reset()",
        verification="it counts since a later moment (14+), or fewer calls than before; within 15 s",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: PostgresSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return nothing: whether our role may call the function is asked when it is planned."""
        return ""

    async def plan(self, request: Request) -> Action:
        """Read how much has been counted, and since when.

        Raises:
            NotSentError: the extension is not there, or another server answers.
            SourceError: the server could not be asked.
        """
        if not request.wanted["version"]:
            raise NotSentError(f"{EXTENSION} is not in this database")
        async with looking(self._source) as link:
            answering = await check_server(link, request.target.identity)
            counted = await _counted(link, request)
        since = f" since {counted['since']:%Y-%m-%d %H:%M}Z" if counted["since"] else ""
        role = quoted(answering["role"])
        function = f"{request.wanted['schema']}.{EXTENSION}_reset"
        return Action(
            request=request,
            before=f"{counted['entries']} statements with {counted['calls']:,.0f} calls{since}",
            after="nothing counted yet",
            risk=Risk.MEDIUM,
            command=f'{await self._source.psql()} -c "SELECT {function}()"',
            preview=("no preview: PostgreSQL has no dry run for functions",),
            deadline_s=_DEADLINE_S,
            impact=(
                "it is one memory for all databases and roles: everybody's monitoring begins anew",
                "P puts what the open tab shows on record first",
            ),
            permission="" if counted["may_reset"] else f"ask for: GRANT EXECUTE ON FUNCTION {function} TO {role}",
            evidence={"since": plain(counted["since"]), "calls": counted["calls"]},
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether somebody else has begun anew meanwhile. Raises SourceError."""
        try:
            async with looking(self._source) as link:
                await check_server(link, action.request.target.identity)
                counted = await _counted(link, action.request)
        except NotSentError as error:
            return Sight.GONE, str(error)
        is_new = _has_begun_anew(counted, action.evidence["since"], action.evidence["calls"])
        return (Sight.CHANGED, "somebody has reset it meanwhile") if is_new else (Sight.UNCHANGED, "")

    async def execute(self, action: Action) -> Receipt:
        """Reset, once, if the server is still the one that was seen.

        Raises:
            NotSentError: it is not, it refused, or could not be reached at all.
            SourceError: the connection failed after the statement was sent.
        """
        import asyncpg

        request = action.request
        server = expected(request.target.identity)
        async with writing(self._source) as link:
            sql = _of_extension("reset_statements", link, request).replace(
                "{system_identifier}", SYSTEM_IDENTIFIER if server[-1] is not None else "NULL::bigint"
            )
            with words.translated():
                try:
                    found = await link.connection.fetch(sql, *server)
                except asyncpg.PostgresError as error:
                    if is_refusal(error):
                        raise NotSentError(words.sentence(error)) from error
                    raise
        if not found:
            raise NotSentError(ANOTHER_SERVER)
        return Receipt(f"{EXTENSION}_reset() returned")

    async def look(self, sent: Sent) -> Look:
        """Look whether it counts since a later moment than before."""
        async with looking(self._source) as link:
            try:
                await check_server(link, sent.request.target.identity)
                counted = await _counted(link, sent.request)
            except NotSentError as error:
                return Look(Phase.UNKNOWN, str(error))
        detail = f"{counted['entries']} statements with {counted['calls']:,.0f} calls"
        if _has_begun_anew(counted, sent.evidence["since"], sent.evidence["calls"]):
            return Look(Phase.CONVERGED, f"it counts anew: {detail}")
        return Look(Phase.ABSENT, f"it still has {detail}")


def _has_begun_anew(counted: "Record", since: object, calls: object) -> bool:
    if counted["since"] is not None:
        return bool(counted["since"] != moment(since))
    return bool(counted["calls"] < float(str(calls)))


def _of_extension(name: str, link: Link, request: Request) -> str:
    # Its columns are those of its own version, not of the server's.
    major = queries.statements_major(str(request.wanted["version"]))
    return queries.query(name, min(major, link.major)).replace("{schema}", str(request.wanted["schema"]))


async def _counted(link: Link, request: Request) -> "Record":
    import asyncpg

    try:
        found = await link.connection.fetch(_of_extension("counted_statements", link, request))
    except asyncpg.PostgresError as error:
        if is_refusal(error):
            raise NotSentError(words.sentence(error)) from error
        raise
    if not found:
        raise NotSentError(f"{EXTENSION} is not in this database any more")
    return found[0]
