"""Emptying one database, after showing what lives there."""

from dataclasses import dataclass
from typing import Final

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
from tui.actions.redis import keys
from tui.actions.redis.server import (
    answered,
    calls,
    check_server,
    checked,
    permission,
    reached,
    refuse_replica,
    replica_words,
    server_identity,
)
from tui.sources.errors import SourceError
from tui.sources.redis import RedisSource
from tui.sources.redis_connection import Command, RedisConnection, RefusedError
from tui.sources.redis_snapshot import RedisSnapshot
from tui.sources.redis_space import LENGTHS, Space, shown
from tui.units import size

FLUSH: Final = "flush-database"
_COMMAND: Final[Command] = ("FLUSHDB", "ASYNC")
_DEADLINE_S: Final = 15.0
_MOVED: Final = 0.1
"""Share by which DBSIZE may differ from what the person saw."""
_PREFIXES: Final = 20


def flush_request(source: str, snapshot: RedisSnapshot, db: int) -> Request:
    """Return the request to empty a database."""
    name = source.partition(":")[2]
    return Request(FLUSH, Target(source, "database", f"{name}/db{db}", "", {"db": db, **server_identity(snapshot)}))


@dataclass(frozen=True, slots=True)
class _Payload:
    """How many keys the person was shown."""

    keys: int


class FlushDatabase:
    """`FLUSHDB ASYNC` on the database that was looked into, if it still has about as many keys.

    Run_id, role and DBSIZE are asked on the connection that sends, right before. Between DBSIZE and FLUSHDB a round
    trip passes; what is written in it, and whatever came since the person looked, is lost as well.
    """

    name = FLUSH
    title = "Flush database"
    about = About(
        system="Redis",
        targets="one database of a master; never all of them",
        risk="high",
        inverse=CANNOT_BE_UNDONE,
        identity="run_id and role, and DBSIZE within 10 %, asked on the same connection right before",
        window="one round trip between DBSIZE and FLUSHDB: Redis has no compare-and-set for it",
        command="FLUSHDB ASYNC",
        verification="INFO commandstats counts one FLUSHDB more; DBSIZE is told; within 15 s",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: RedisSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return why a replica is not flushed; empty for any other server."""
        return "this is a replica: change its master" if request.target.identity.get("role") == "slave" else ""

    async def plan(self, request: Request) -> Action:
        """Look into the database: prefixes, types, queues; and at who has a copy.

        Raises:
            NotSentError: it is empty, or another server answers.
            SourceError: the server could not be asked.
        """
        refuse_replica(request)
        db = _db(request)
        async with self._source.for_action() as connection:
            unchecked = await check_server(connection, request)
            await connection.select(db)
            space, total = await keys.glance(connection)
            queues = await self._queues(connection)
            info = await replica_words(connection)
            before = await calls(connection, "flushdb")
            may_not = await permission(connection, _COMMAND)
        if total == 0:
            raise NotSentError(f"db{db} is empty already")
        return Action(
            request=request,
            before=f"{total:,} keys",
            after="no key; memory is freed in the background",
            risk=Risk.HIGH,
            risk_reason="every key of the database is lost, whatever it was for",
            command=self._source.redis_cli("-n", db, *_COMMAND),
            preview=_lives(space),
            deadline_s=_DEADLINE_S,
            impact=(*queues, *_copies(info), *filter(None, [unchecked])),
            permission=may_not,
            evidence={"keys": total, "flushes": before},
            payload=_Payload(total),
        )

    async def _queues(self, connection: RedisConnection) -> tuple[str, ...]:
        names = self._source.queues
        if connection.db != 0 and not names:
            return ()
        kinds = await connection.ask([("TYPE", name) for name in names]) if names else []
        found = []
        for name, kind in zip(names, kinds, strict=True):
            command = LENGTHS.get(kind.decode("ascii", "replace")) if isinstance(kind, bytes) else None
            if command is not None:
                (length,) = await connection.ask([(command, name)])
                found.append(f"QUEUE: {shown(name.encode())} has {length if isinstance(length, int) else '?'} entries")
        return tuple(found)

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether it still has about as many keys. Raises SourceError."""
        try:
            async with self._source.for_action() as connection:
                await check_server(connection, action.request)
                await connection.select(_db(action.request))
                now = await _size(connection)
        except NotSentError as error:
            return Sight.GONE, str(error)
        seen = _payload(action).keys
        if _has_moved(seen, now):
            return Sight.CHANGED, f"{seen:,} → {now:,} keys"
        return Sight.UNCHANGED, f"{now:,} keys"

    async def execute(self, action: Action) -> Receipt:
        """Empty the database, once, if it still is the one that was shown.

        Raises:
            NotSentError: it has other keys by now, the server refused, or could not be reached at all.
            SourceError: the connection failed after the command was sent.
        """
        seen = _payload(action).keys
        async with reached(self._source) as connection:
            await checked(connection, action.request)
            try:
                await connection.select(_db(action.request))
                now = await _size(connection)
            except SourceError as error:
                raise NotSentError(f"nothing was sent: {error}") from error
            if _has_moved(seen, now):
                raise NotSentError(f"it had {seen:,} keys when you looked and has {now:,}; nothing was changed")
            await answered(connection, _COMMAND)
        return Receipt(f"OK, {now:,} keys dropped", {"dropped": now})

    async def look(self, sent: Sent) -> Look:
        """Look whether a FLUSHDB was counted, and how many keys there are."""
        async with self._source.for_action() as connection:
            try:
                await check_server(connection, sent.request)
            except NotSentError as error:
                return Look(Phase.UNKNOWN, f"{error}; what it holds now says nothing")
            await connection.select(_db(sent.request))
            now, counted = await _size(connection), await calls(connection, "flushdb")
        before = sent.evidence.get("flushes")
        if sent.evidence.get("dropped") is not None or (
            isinstance(before, int) and counted is not None and counted > before
        ):
            return Look(Phase.CONVERGED, f"it has {now:,} keys now" if now else "it is empty")
        if isinstance(before, int) and counted == before:
            return Look(Phase.ABSENT, f"no FLUSHDB has run since; it has {now:,} keys")
        return Look(Phase.UNKNOWN, f"it has {now:,} keys; whether a FLUSHDB has run is not told")


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by FlushDatabase")
    return action.payload


def _db(request: Request) -> int:
    return int(request.target.identity["db"] or 0)


async def _size(connection: RedisConnection) -> int:
    (reply,) = await connection.ask([("DBSIZE",)])
    if isinstance(reply, RefusedError):
        raise NotSentError(f"how many keys there are cannot be read: DBSIZE is {reply.reason}")
    return int(reply)


def _has_moved(seen: int, now: int) -> bool:
    return abs(now - seen) > max(10, _MOVED * seen)


def _lives(space: Space) -> tuple[str, ...]:
    """Return what lives in a database: its prefixes, with types and an estimate each."""
    part = "all keys" if space.is_complete else f"{space.seen:,} keys as a sample"
    lines = [f"what lives there, by {part}:"]
    for one in space.prefixes[:_PREFIXES]:
        held = f", {size(one.bytes.likely)}" if one.bytes else ""
        count = f"{'' if one.keys.is_exact else '~'}{one.keys.likely:,.0f} key{'' if one.keys.likely == 1 else 's'}"
        lines.append(f"{one.name}  {count}{held}, {keys.kinds_words(one.types)}")
    if (more := len(space.prefixes) - _PREFIXES) > 0:
        lines.append(f"… and {more} more prefixes")
    return tuple(lines)


def _copies(info: dict[str, str]) -> tuple[str, ...]:
    replicas = info.get("connected_slaves", "0")
    words = [f"{replicas} replicas lose it too"] if replicas not in ("", "0") else []
    if info.get("aof_enabled") == "1":
        words.append("the append-only file records it: a restart does not bring it back")
    return tuple(words)
