"""Deleting keys: exactly those that a counted dry run listed, a few at a time."""

import asyncio
import hashlib
import time
from dataclasses import dataclass
from typing import Final

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
from tui.actions.redis import keys
from tui.actions.redis.keys import Listed
from tui.actions.redis.server import (
    answered,
    check_server,
    checked,
    permission,
    reached,
    refuse_replica,
    server_identity,
)
from tui.sources.errors import SourceError
from tui.sources.redis import RedisSource
from tui.sources.redis_connection import Command, RedisConnection, RefusedError
from tui.sources.redis_snapshot import RedisSnapshot
from tui.sources.redis_space import shown
from tui.units import size

UNLINK: Final = "unlink-keys"
_BATCH: Final = 100
_KEYS_PER_S: Final = 5000.0
_DEADLINE_S: Final = 10.0
_LOOKED_AT: Final = 200
"""Keys that are looked at while the dialog is open."""
_KEPT: Final = 8
"""Lists that are kept for looking afterwards."""


def unlink_request(source: str, snapshot: RedisSnapshot, db: int, pattern: str, key: bytes | None = None) -> Request:
    """Return the request to delete all keys that match a pattern, or one key alone."""
    name = pattern if key is None else shown(key)
    where = f"{source.partition(':')[2]} db{db}"
    identity = {"db": db, "key": None if key is None else key.hex(), **server_identity(snapshot)}
    return Request(UNLINK, Target(source, "keys" if key is None else "key", name, where, identity))


@dataclass(frozen=True, slots=True)
class _Payload:
    """The keys that the dry run listed."""

    listed: Listed


class UnlinkKeys:
    """`UNLINK` of each key that a walk over all names listed before the person agreed; never of a pattern.

    The names are the identity, with run_id and role of the process, asked on the connection that sends. Redis has no
    compare-and-set for deleting: what was deleted and made again under the same name since the dry run is deleted
    too. Keys that came since are not. A hundred keys go into one round trip, 5,000 a second.
    """

    name = UNLINK
    title = "Delete keys"
    about = About(
        system="Redis",
        targets="keys that match a pattern, or one key; at most 20,000 at once",
        risk="high",
        inverse=CANNOT_BE_UNDONE,
        identity="the names that a dry run listed; run_id and role, asked on the same connection",
        window="since the dry run: a key made again under the same name is deleted too; new names are not",
        command="UNLINK key (for each key listed)",
        verification="EXISTS finds none of them, or only what was made anew; within 10 s",
    )
    hold_s = 0.0
    ends_target = True

    def __init__(self, source: RedisSource) -> None:
        self._source = source
        self._lists: dict[str, tuple[bytes, ...]] = {}
        """The keys by the action's id: they are people's data and too many for the journal."""

    def forbidden(self, request: Request) -> str:
        """Return why a replica's keys are not deleted; empty for any other server."""
        return "this is a replica: change its master" if request.target.identity.get("role") == "slave" else ""

    async def plan(self, request: Request) -> Action:
        """List the keys, count and measure them, and say what they are.

        Raises:
            NotSentError: nothing matches, the pattern matches nearly everything, or another server answers.
            SourceError: the server could not be asked.
        """
        refuse_replica(request)
        async with self._source.for_action() as connection:
            unchecked = await check_server(connection, request)
            await connection.select(_db(request))
            found = await _found(connection, request)
            may_not = await permission(connection, ("UNLINK", found.keys[0]))
        count, held = len(found.keys), found.bytes_each
        digest = hashlib.sha256(b"\0".join(found.keys)).hexdigest()[:16]
        action = Action(
            request=request,
            before=f"{count:,} keys of {found.walked:,} in db{_db(request)}",
            after=f"{found.walked - count:,} keys; these {count:,} are gone" if count > 1 else "the key is gone",
            risk=Risk.HIGH,
            risk_reason="what is deleted is lost to whoever wrote it",
            command=self._command(request, found),
            preview=keys.list_words(found),
            deadline_s=_DEADLINE_S,
            impact=tuple(
                filter(
                    None,
                    (
                        f"{found.matching:,} keys match; the first {count:,} are deleted, ask again for the rest"
                        if found.matching > count
                        else "",
                        f"about {size(held * count)} are freed, in the background" if held is not None else "",
                        f"types of those looked at: {keys.kinds_words(found.types)}",
                        *self._queues(found, _db(request)),
                        unchecked,
                    ),
                )
            ),
            permission=may_not,
            evidence={"count": count, "digest": digest},
            payload=_Payload(found),
        )
        self._lists[action.id] = found.keys
        while len(self._lists) > _KEPT:
            del self._lists[next(iter(self._lists))]
        return action

    def _command(self, request: Request, found: Listed) -> str:
        first = self._source.redis_cli("UNLINK", *found.keys[:1])
        rest = len(found.keys) - 1
        return f"{first}  # and for each of the {rest:,} others listed" if rest else first

    def _queues(self, found: Listed, db: int) -> tuple[str, ...]:
        named = {name.encode() for name in self._source.queues}
        return tuple(f"QUEUE: {shown(key)} is one that the profile names" for key in found.keys if key in named)

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the same server still has them, by some of the keys. Raises SourceError."""
        some = _payload(action).listed.keys[:_LOOKED_AT]
        try:
            async with self._source.for_action() as connection:
                await check_server(connection, action.request)
                await connection.select(_db(action.request))
                left = await _existing(connection, some)
        except NotSentError as error:
            return Sight.GONE, str(error)
        if left == 0:
            return Sight.GONE, "the keys looked at are gone"
        return Sight.UNCHANGED, f"{left} of the {len(some)} looked at are there" if left < len(some) else ""

    async def execute(self, action: Action) -> Receipt:
        """Delete the keys that were listed, a few at a time, on the same server.

        Raises:
            NotSentError: the server refused the first of them, or could not be reached at all.
            SourceError: the connection failed on the way.
        """
        request, listed = action.request, _payload(action).listed.keys
        async with reached(self._source) as connection:
            await checked(connection, request)
            try:
                await connection.select(_db(request))
            except SourceError as error:
                raise NotSentError(f"nothing was sent: {error}") from error
            # Alone first: a refusal then means that nothing was changed.
            gone = int(await answered(connection, ("UNLINK", listed[0])))
            refused = 0
            for batch in keys.batches(listed[1:], _BATCH):
                began = time.monotonic()
                asked: list[Command] = [("UNLINK", key) for key in batch]
                replies = await connection.ask(asked)
                gone += sum(reply for reply in replies if isinstance(reply, int))
                refused += sum(isinstance(reply, RefusedError) for reply in replies)
                await asyncio.sleep(max(0.0, len(batch) / _KEYS_PER_S - (time.monotonic() - began)))
        others = len(listed) - gone - refused
        words = f"{gone:,} keys unlinked"
        words += f", {others:,} had gone by themselves" if others else ""
        words += f", {refused:,} refused" if refused else ""
        return Receipt(words, {"unlinked": gone, "refused": refused})

    async def look(self, sent: Sent) -> Look:
        """Look how many of the listed keys exist."""
        listed = self._lists.get(sent.id)
        if listed is None:
            return Look(Phase.UNKNOWN, "the list of keys went with the opstui that made it: count the pattern again")
        async with self._source.for_action() as connection:
            try:
                await check_server(connection, sent.request)
            except NotSentError as error:
                return Look(Phase.UNKNOWN, f"{error}; what it holds now says nothing")
            await connection.select(_db(sent.request))
            left = await _existing(connection, listed)
        count = len(listed)
        if left == 0:
            return Look(Phase.CONVERGED, f"none of the {count:,} keys is left")
        if sent.evidence.get("unlinked") is not None and not sent.evidence.get("refused"):
            return Look(Phase.CONVERGED, f"all {count:,} were deleted; {left:,} have been made anew")
        if left == count:
            return Look(Phase.ABSENT, f"all {count:,} keys are still there")
        return Look(Phase.NOT_CONVERGED, f"{left:,} of the {count:,} keys are there: the rest was deleted")


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by UnlinkKeys")
    return action.payload


def _db(request: Request) -> int:
    return int(request.target.identity["db"] or 0)


async def _found(connection: RedisConnection, request: Request) -> Listed:
    """Return the keys that are meant. Raises NotSentError when there are none."""
    one = request.target.identity.get("key")
    if one is not None:
        key = bytes.fromhex(str(one))
        sample = await keys.measured(connection, [key])
        if not sample.all.keys:
            raise GoneError(f"the key {shown(key)} is gone")
        (total,) = await connection.ask([("DBSIZE",)])
        held = float(sample.all.size_bytes) if sample.all.sized else None
        walked = total if isinstance(total, int) else 1
        return Listed((key,), 1, walked, tuple(sample.all.types.most_common()), held)
    if problem := keys.pattern_problem(request.target.name):
        raise NotSentError(problem)
    found = await keys.listed(connection, request.target.name)
    if not found.keys:
        raise GoneError(f"no key matches {request.target.name}")
    return found


async def _existing(connection: RedisConnection, listed: tuple[bytes, ...]) -> int:
    left = 0
    for batch in keys.batches(listed, 500):
        asked: list[Command] = [("EXISTS", key) for key in batch]
        left += sum(reply for reply in await connection.ask(asked) if isinstance(reply, int))
    return left
