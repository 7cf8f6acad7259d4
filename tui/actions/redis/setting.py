"""Another value of a setting, until the server restarts."""

import re
from dataclasses import dataclass
from typing import Final

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
    Target,
)
from tui.actions.redis.server import answered, check_server, checked, permission, reached, server_identity
from tui.sources import redis_info, redis_lists
from tui.sources.errors import SourceError
from tui.sources.redis import RedisSource
from tui.sources.redis_connection import Command, RedisConnection, RefusedError
from tui.sources.redis_snapshot import RedisSnapshot

CONFIG_SET: Final = "config-set"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_DEADLINE_S: Final = 10.0
_SIZE: Final = re.compile(r"(\d+)(b|k|kb|m|mb|g|gb)?", re.IGNORECASE)
_BYTES: Final = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}


def setting_target(source: str, snapshot: RedisSnapshot, parameter: str) -> Target:
    """Return the identity of a setting: its name, and the server process that has it."""
    return Target(
        source=source,
        kind="setting",
        name=parameter,
        where=source.partition(":")[2],
        identity={"parameter": parameter, **server_identity(snapshot)},
    )


def setting_request(
    source: str, snapshot: RedisSnapshot, parameter: str, seen: str, wanted: str, temporary_s: float | None = None
) -> Request:
    """Return the request to set a parameter whose value was seen; `temporary_s` as in `Request`."""
    return Request(
        CONFIG_SET,
        setting_target(source, snapshot, parameter),
        seen={"value": seen},
        wanted={"value": wanted},
        temporary_s=temporary_s,
    )


@dataclass(frozen=True, slots=True)
class _Payload:
    """The value the change was planned from."""

    was: str


class SetConfig:
    """`CONFIG SET parameter value`, if CONFIG GET on the same connection still gives the value that was seen.

    Redis has no compare-and-set for settings: between that GET and the SET a round trip passes in which somebody else
    may set the same parameter; that value is then overwritten. Whether it is the process that was seen is asked on the
    same connection, which does not outlive the process.
    """

    name = CONFIG_SET
    title = "Set"
    about = About(
        system="Redis",
        targets="setting that can be changed while the server runs; never a password",
        risk="high",
        inverse="set the value it had, while it still has the one it was given",
        identity="run_id and role, and the value it has, asked on the same connection right before",
        window="one round trip between CONFIG GET and CONFIG SET: Redis has no compare-and-set for settings",
        command="CONFIG SET parameter value",
        verification="CONFIG GET gives the new value; within 10 s",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: RedisSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return nothing: a server tells what a user may do only when it is asked about a command."""
        return ""

    async def plan(self, request: Request) -> Action:
        """Read the setting again, and say what follows.

        Raises:
            NotSentError: there is no such setting, it has moved, it holds a secret, or another server answers.
            SourceError: the server could not be asked.
        """
        parameter, wanted = request.target.name, str(request.wanted["value"])
        if not _NAME.fullmatch(parameter):
            raise NotSentError("a setting's name has small letters, digits and `-`")
        if redis_lists.is_secret(parameter):
            raise NotSentError(f"{parameter} holds a secret: it is neither shown nor set from here")
        command: Command = ("CONFIG", "SET", parameter, wanted)
        async with self._source.for_action() as connection:
            unchecked = await check_server(connection, request)
            was = await _value(connection, parameter)
            used = await _used_bytes(connection) if parameter == "maxmemory" else None
            may_not = await permission(connection, command)
        if request.undoes and not is_same(was, str(request.seen["value"])):
            raise NotSentError(
                f"{parameter} is {was!r} now, not the {request.seen['value']!r} that was set: its state is no longer "
                "ours to take back"
            )
        if is_same(was, wanted):
            raise NotSentError(f"{parameter} is {was!r} already")
        inverse = Request(CONFIG_SET, request.target, seen={"value": wanted}, wanted={"value": was})
        return Action(
            request=request,
            before=f"{parameter} = {was!r}",
            after=f"{parameter} = {wanted!r}",
            risk=Risk.HIGH,
            risk_reason="it holds for every client of this server at once",
            command=self._source.redis_cli(*command),
            preview=("no preview: Redis has no dry run for CONFIG SET",),
            deadline_s=_DEADLINE_S,
            inverse=inverse,
            undo=f"set it back to {was!r}",
            impact=tuple(
                filter(
                    None,
                    (
                        *(_moved_words(request, was)),
                        *_memory_words(wanted, used),
                        "until the server restarts: its configuration file is not written",
                        unchecked,
                    ),
                )
            ),
            permission=may_not,
            evidence={"was": was, "value": wanted},
            payload=_Payload(was),
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the setting still has the value it was planned from. Raises SourceError."""
        try:
            async with self._source.for_action() as connection:
                await check_server(connection, action.request)
                now = await _value(connection, action.request.target.name)
        except NotSentError as error:
            return Sight.GONE, str(error)
        was = _payload(action).was
        return (Sight.UNCHANGED, "") if now == was else (Sight.CHANGED, f"{was!r} → {now!r}")

    async def execute(self, action: Action) -> Receipt:
        """Set the value, once, if it still is what it was planned from.

        Raises:
            NotSentError: it moved, the server refused it, or could not be reached at all.
            SourceError: the connection failed after the command was sent.
        """
        parameter, was = action.request.target.name, _payload(action).was
        async with reached(self._source) as connection:
            await checked(connection, action.request)
            try:
                now = await _value(connection, parameter)
            except SourceError as error:
                raise NotSentError(f"nothing was sent: {error}") from error
            if now != was:
                raise NotSentError(f"{parameter} has moved on: {was!r} → {now!r}; nothing was changed")
            await answered(connection, ("CONFIG", "SET", parameter, str(action.request.wanted["value"])))
            # The server writes some values in its own way (64mb → 67108864); that way is what will be seen from now on.
            try:
                written = await _value(connection, parameter)
            except (SourceError, NotSentError):
                return Receipt("OK")
        return Receipt(f"OK, {parameter} reads {written!r}", {"value": written} if written != was else {})

    async def look(self, sent: Sent) -> Look:
        """Look whether CONFIG GET gives the value that was set."""
        parameter, wanted = sent.request.target.name, str(sent.evidence["value"])
        async with self._source.for_action() as connection:
            try:
                await check_server(connection, sent.request)
                now = await _value(connection, parameter)
            except NotSentError as error:
                return Look(Phase.ABSENT, f"{error}; a setting ends with the process")
        if is_same(now, wanted):
            return Look(Phase.CONVERGED, f"{parameter} is {now!r}")
        return Look(Phase.ABSENT, f"{parameter} is {now!r}, not {wanted!r}: never set, or set anew")


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by SetConfig")
    return action.payload


async def _value(connection: RedisConnection, parameter: str) -> str:
    """Return a setting's value. Raises NotSentError when there is no such setting, or it may not be read."""
    (reply,) = await connection.ask([("CONFIG", "GET", parameter)])
    if isinstance(reply, RefusedError):
        raise NotSentError(f"{parameter} cannot be read: CONFIG GET is {reply.reason}")
    found = redis_lists.settings(reply)
    if parameter not in found:
        raise NotSentError(f"this server has no setting {parameter}")
    return found[parameter]


async def _used_bytes(connection: RedisConnection) -> int | None:
    (reply,) = await connection.ask([("INFO", "memory")])
    if isinstance(reply, RefusedError):
        return None
    return redis_info.integer(redis_info.parse_info(reply), "used_memory")


def is_same(one: str, other: str) -> bool:
    """Tell whether two ways to write a setting's value mean the same: case, white space, units of memory."""
    return _plain(one) == _plain(other)


def _plain(value: str) -> str:
    folded = " ".join(value.lower().split())
    size = _SIZE.fullmatch(folded)
    return str(int(size[1]) * _BYTES[(size[2] or "").lower()]) if size else folded


def _moved_words(request: Request, was: str) -> tuple[str, ...]:
    seen = request.seen.get("value")
    return () if seen is None or is_same(str(seen), was) else (f"it moved from {seen!r} to {was!r} since you looked",)


def _memory_words(wanted: str, used: int | None) -> tuple[str, ...]:
    size = _plain(wanted)
    if used is None or not size.isdecimal() or int(size) == 0 or int(size) >= used:
        return ()
    over = (used - int(size)) / 1024**2
    return (f"{over:,.0f} MiB more than that are used: keys are evicted at once, or writes refused (maxmemory-policy)",)
