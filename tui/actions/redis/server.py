"""The server a change was asked for: whether it still is the one that answers, and whether our user may."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from tui.actions.action import NotSentError, Plain, Request
from tui.sources import redis_info
from tui.sources.errors import SourceError
from tui.sources.redis import RedisSource
from tui.sources.redis_connection import Command, RedisConnection, RefusedError, acl_rule
from tui.sources.redis_lists import text
from tui.sources.redis_snapshot import RedisSnapshot

_WHO: Final[tuple[Command, ...]] = (("INFO", "server"), ("INFO", "replication"))


def server_identity(snapshot: RedisSnapshot) -> dict[str, Plain]:
    """Return what tells the process that was seen from any other: its `run_id`, new at each start, and its role."""
    return {"run_id": snapshot.server.run_id, "role": snapshot.replication.role}


async def check_server(connection: RedisConnection, request: Request) -> str:
    """Make sure that the server seen is the one at the other end of this connection.

    A connection does not outlive the process, so what is asked next on it reaches that very process (a proxy in
    between would have to be one of the same server).

    Returns:
        What could not be checked, in words; empty when everything was.

    Raises:
        NotSentError: another process answers, or it has another role.
        SourceError: it could not be asked.
    """
    info: dict[str, str] = {}
    for reply in await connection.ask(_WHO):
        if isinstance(reply, RefusedError):
            return f"the server's run_id could not be compared: INFO is {reply.reason}"
        info.update(redis_info.parse_info(reply))
    return _compared(request.target.identity, info.get("run_id", ""), info.get("role", ""))


def _compared(seen: Mapping[str, Plain], run_id: str, role: str) -> str:
    if not seen["run_id"]:
        return "the server's run_id was not seen: only what is named is compared"
    if run_id != seen["run_id"]:
        raise NotSentError("another server process answers now (it restarted, or failed over); look at the list again")
    if role != seen["role"]:
        raise NotSentError(f"the server was {seen['role']} and is {role} now: it failed over; look again")
    return ""


async def permission(connection: RedisConnection, command: Command) -> str:
    """Return why our user may not send a command, by ACL DRYRUN (7.0+); empty when it may, or nobody could say."""
    (reply,) = await connection.ask([("ACL", "DRYRUN", connection.user, *command)])
    said = "" if isinstance(reply, RefusedError) else text(reply)
    if said in ("", "OK"):
        return ""
    return f"not permitted for user {connection.user}: {acl_rule(command)} ({said})"


@contextlib.asynccontextmanager
async def reached(source: RedisSource) -> AsyncIterator[RedisConnection]:
    """Lend a connection for sending; without one nothing can have been sent. Raises NotSentError."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(source.for_action())
        except SourceError as error:
            raise NotSentError(f"nothing was sent: {error}") from error
        yield connection


async def checked(connection: RedisConnection, request: Request) -> None:
    """As `check_server`, where whatever goes wrong means that nothing was sent. Raises NotSentError."""
    try:
        await check_server(connection, request)
    except SourceError as error:
        raise NotSentError(f"nothing was sent: {error}") from error


async def answered(connection: RedisConnection, command: Command) -> Any:
    """Send one command, once, and return the reply.

    Raises:
        NotSentError: the server refused it.
        SourceError: anything may have happened.
    """
    (reply,) = await connection.ask([command])
    if isinstance(reply, RefusedError):
        raise NotSentError(f"refused, nothing was changed: {reply.reason}")
    return reply


async def replica_words(connection: RedisConnection) -> dict[str, str]:
    """Return INFO replication and persistence; empty when refused."""
    found: dict[str, str] = {}
    for reply in await connection.ask([("INFO", "replication"), ("INFO", "persistence")]):
        if not isinstance(reply, RefusedError):
            found.update(redis_info.parse_info(reply))
    return found


def refuse_replica(request: Request) -> None:
    """Raise NotSentError where the server is a replica: it takes no writes, or they are lost with the next one."""
    if request.target.identity.get("role") == "slave":
        raise NotSentError("this is a replica: change its master")


async def calls(connection: RedisConnection, command: str) -> int | None:
    """Return how often a command was called since the server started (`flushdb`, `memory|purge`); None when unknown."""
    (reply,) = await connection.ask([("INFO", "commandstats")])
    if isinstance(reply, RefusedError):
        return None
    info, name = redis_info.parse_info(reply), f"cmdstat_{command}"
    if name not in info:
        # Before 7.0 a subcommand has no line of its own.
        name = f"cmdstat_{command.partition('|')[0]}"
    fields = dict(part.split("=", 1) for part in info.get(name, "").split(",") if "=" in part)
    return redis_info.integer(fields, "calls") or 0
