"""Closing a client's connection."""

from dataclasses import dataclass
from typing import Any, Final

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
from tui.actions.redis.server import answered, check_server, checked, permission, reached, server_identity
from tui.sources import redis_lists
from tui.sources.redis import RedisSource
from tui.sources.redis_connection import CLIENT_NAME, Command, RedisConnection, RefusedError
from tui.sources.redis_facts import Client
from tui.sources.redis_snapshot import RedisSnapshot

KILL: Final = "kill-client"
_DEADLINE_S: Final = 10.0
_CLOSING: Final = frozenset("cA")
"""Flags of a client that is about to be closed."""
_LINKS: Final = {
    "M": "replication: the link to its master breaks off, and is made again with at least a partial resync",
    "S": "replication: a replica loses its link, and makes it again with at least a partial resync",
    "O": "somebody watches with MONITOR",
}


def client_target(source: str, snapshot: RedisSnapshot, client: Client) -> Target:
    """Return the identity of a client: id and address, and the server process that gave the id."""
    return Target(
        source=source,
        kind="client",
        name=str(client.id),
        where=source.partition(":")[2],
        identity={"id": client.id, "addr": client.addr, **server_identity(snapshot)},
        scope={"role": client.user},
    )


def kill_request(source: str, snapshot: RedisSnapshot, client: Client) -> Request:
    """Return the request to close a client's connection as it was seen."""
    return Request(KILL, client_target(source, snapshot, client), seen={"name": client.name, "cmd": client.cmd})


@dataclass(frozen=True, slots=True)
class _Payload:
    """The client as it was when the action was planned."""

    client: Client


class KillClient:
    """`CLIENT KILL ID id ADDR address SKIPME yes`: the server closes the client only where both match.

    An id is never given twice until the server restarts. Whether it is the process that was seen is asked on the very
    connection that sends, which does not outlive the process; so there is no window. What remains is a proxy that
    connects us to another server without a word.
    """

    name = KILL
    title = "Kill client"
    about = About(
        system="Redis",
        targets="client connection",
        risk="medium; high for opstui's own, replication links and MONITOR",
        inverse=CANNOT_BE_UNDONE,
        identity="id and address in the CLIENT KILL; run_id and role, asked on the same connection",
        window="none: an id is not reused until a restart, which ends our connection too",
        command="CLIENT KILL ID n ADDR address SKIPME yes",
        verification="CLIENT LIST no longer has that id; within 10 s",
    )
    hold_s = 0.0
    ends_target = True

    def __init__(self, source: RedisSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return nothing: a server tells what a user may do only when it is asked about a command."""
        return ""

    async def plan(self, request: Request) -> Action:
        """Read the client again, and say who notices.

        Raises:
            NotSentError: it is gone, or another server answers.
            SourceError: the server could not be asked.
        """
        async with self._source.for_action() as connection:
            unchecked = await check_server(connection, request)
            client = await _find(connection, request)
            may_not = await permission(connection, _command(client))
        risk, reason = _risk(client)
        return Action(
            request=request,
            before=f"{client.kind}, idle {client.idle_s} s, last command {client.cmd or 'none'}",
            after="its connection is closed; what it waited for is lost to it",
            risk=risk,
            risk_reason=reason,
            command=self._source.redis_cli(*_command(client)),
            preview=("no preview: Redis has no dry run for CLIENT KILL",),
            deadline_s=_DEADLINE_S,
            impact=(_who(client), "most clients connect again at once", *_waits(client), *filter(None, [unchecked])),
            permission=may_not,
            evidence={"name": client.name},
            payload=_Payload(client),
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the client is still connected, and what it does. Raises SourceError."""
        before = _payload(action).client
        try:
            async with self._source.for_action() as connection:
                await check_server(connection, action.request)
                client = await _find(connection, action.request)
        except NotSentError as error:
            return Sight.GONE, str(error)
        if (client.name, client.user, client.flags) != (before.name, before.user, before.flags):
            return Sight.CHANGED, f"{_who(client)}, flags {before.flags} → {client.flags}"
        return Sight.UNCHANGED, f"last command {client.cmd}"

    async def execute(self, action: Action) -> Receipt:
        """Close the client, once, where id and address match on the same server.

        Raises:
            NotSentError: nothing matched, the server refused, or it could not be reached at all.
            SourceError: the connection failed after the command was sent.
        """
        client = _payload(action).client
        async with reached(self._source) as connection:
            await checked(connection, action.request)
            killed = await answered(connection, _command(client))
        if not killed:
            raise GoneError(f"client {client.id} at {client.addr} is gone: it was closed in that very moment")
        return Receipt(f"{killed} client killed")

    async def look(self, sent: Sent) -> Look:
        """Look whether the id is gone from CLIENT LIST, and whether a client of the same name is back."""
        async with self._source.for_action() as connection:
            try:
                await check_server(connection, sent.request)
                found = await _find(connection, sent.request)
            except GoneError:
                return Look(Phase.CONVERGED, await _gone_words(connection, str(sent.evidence["name"])))
            except NotSentError:
                return Look(Phase.CONVERGED, "the server has restarted since: no client of before is left")
        if _CLOSING.intersection(found.flags):
            return Look(Phase.WAITING, "it is being closed")
        return Look(Phase.ABSENT, f"it is still connected, last command {found.cmd}")


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by KillClient")
    return action.payload


def _command(client: Client) -> Command:
    return ("CLIENT", "KILL", "ID", client.id, "ADDR", client.addr, "SKIPME", "yes")


async def _find(connection: RedisConnection, request: Request) -> Client:
    """Return the client as it is now; raises GoneError when it is no longer connected."""
    identity = request.target.identity
    for client in await _listed(connection, ("CLIENT", "LIST", "ID", int(identity["id"] or 0))):
        if client.id == identity["id"]:
            if client.addr != identity["addr"]:
                raise GoneError(f"client {client.id} is another one now, at {client.addr}")
            return client
    raise GoneError(f"client {identity['id']} is no longer connected")


async def _listed(connection: RedisConnection, command: Command) -> tuple[Client, ...]:
    (reply,) = await connection.ask([command])
    if isinstance(reply, RefusedError) and reply.reason.startswith("not understood"):
        (reply,) = await connection.ask([("CLIENT", "LIST")])  # before 6.2 it takes no ids
    if isinstance(reply, RefusedError):
        raise NotSentError(f"the clients cannot be listed: CLIENT LIST is {reply.reason}")
    raw: Any = reply
    return redis_lists.clients(raw, connection.id)


async def _gone_words(connection: RedisConnection, name: str) -> str:
    if not name:
        return "it is gone"
    try:
        others = [client for client in await _listed(connection, ("CLIENT", "LIST")) if client.name == name]
    except NotSentError:
        return "it is gone"
    newest = min(others, key=lambda client: client.age_s, default=None)
    return f"it is gone; a client named {name} is connected again" if newest and newest.age_s < 60 else "it is gone"


def _risk(client: Client) -> tuple[Risk, str]:
    for flag, why in _LINKS.items():
        if flag in client.flags:
            return Risk.HIGH, why
    if client.is_own or client.name.startswith(CLIENT_NAME):
        return Risk.HIGH, "this connection belongs to an opstui, yours or a colleague's"
    return Risk.MEDIUM, ""


def _who(client: Client) -> str:
    user = f", user {client.user}" if client.user else ""
    return f"client {client.name or '(unnamed)'} from {client.addr}{user}"


def _waits(client: Client) -> tuple[str, ...]:
    words = []
    if client.sub:
        words.append(f"its {client.sub} subscriptions end; messages until it is back are lost to it")
    if "b" in client.flags:
        words.append(f"it waits in {client.cmd}")
    if "x" in client.flags:
        words.append("its open MULTI is discarded")
    return tuple(words)
