"""A save to disk, and memory given back to the machine."""

from typing import ClassVar, Final

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
from tui.actions.redis.server import answered, calls, check_server, checked, permission, reached, server_identity
from tui.sources import redis_info
from tui.sources.redis import RedisSource
from tui.sources.redis_connection import Command, RedisConnection, RefusedError
from tui.sources.redis_lists import text
from tui.sources.redis_snapshot import RedisSnapshot
from tui.units import coarse, micros, size

BGSAVE: Final = "save-snapshot"
PURGE: Final = "purge-memory"
_SAVE: Final[Command] = ("BGSAVE",)
_PURGE: Final[Command] = ("MEMORY", "PURGE")
_FORK_RISKY: Final = 0.6
"""Share of the machine's memory from which on a fork may fail, or swap."""


def server_request(verb: str, source: str, snapshot: RedisSnapshot) -> Request:
    """Return the request for something that concerns a server as a whole."""
    name = source.partition(":")[2]
    return Request(verb, Target(source, "server", name, "", server_identity(snapshot)))


async def _info(connection: RedisConnection) -> redis_info.Info:
    """Return INFO memory, persistence and stats. Raises NotSentError when refused."""
    found: dict[str, str] = {}
    for reply in await connection.ask([("INFO", "memory"), ("INFO", "persistence"), ("INFO", "stats")]):
        if isinstance(reply, RefusedError):
            raise NotSentError(f"what follows cannot be told: INFO is {reply.reason}")
        found.update(redis_info.parse_info(reply))
    return found


class _OfServer:
    """What both verbs have in common: their target is the process that was seen."""

    hold_s = 0.0
    ends_target = False
    _command: ClassVar[Command]
    """What is sent."""

    def __init__(self, source: RedisSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return nothing: a server tells what a user may do only when it is asked about a command."""
        return ""

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the same process answers. Raises SourceError."""
        try:
            async with self._source.for_action() as connection:
                await check_server(connection, action.request)
        except NotSentError as error:
            return Sight.GONE, str(error)
        return Sight.UNCHANGED, ""

    async def execute(self, action: Action) -> Receipt:
        """Ask for it, once. Raises NotSentError when refused, SourceError when no answer came."""
        async with reached(self._source) as connection:
            await checked(connection, action.request)
            return Receipt(text(await answered(connection, self._command)), {"accepted": True})


class SaveInBackground(_OfServer):
    """`BGSAVE`: the server forks, and the child writes a snapshot to disk.

    Run_id and role are asked on the connection that sends, which does not outlive the process; the server itself
    refuses a second save while one runs. So there is no window.
    """

    name = BGSAVE
    _command = _SAVE
    title = "Save"
    about = About(
        system="Redis",
        targets="server",
        risk="low; medium where it fills more than 60 % of the machine's memory",
        inverse=CANNOT_BE_UNDONE,
        identity="run_id and role, asked on the same connection",
        window="none: the server refuses a second save while one runs",
        command="BGSAVE",
        verification="rdb_last_save_time has moved on and rdb_last_bgsave_status is ok; within 10 min",
    )

    async def plan(self, request: Request) -> Action:
        """Say what a fork costs here. Raises NotSentError while a save or rewrite runs, and SourceError."""
        async with self._source.for_action() as connection:
            unchecked = await check_server(connection, request)
            info = await _info(connection)
            may_not = await permission(connection, _SAVE)
        for name, what in (("rdb_bgsave_in_progress", "save"), ("aof_rewrite_in_progress", "rewrite of the AOF")):
            if info.get(name) == "1":
                raise NotSentError(f"a {what} is under way already")
        used, machine = redis_info.integer(info, "used_memory_rss"), redis_info.integer(info, "total_system_memory")
        is_risky = bool(used and machine and used > _FORK_RISKY * machine)
        fork = redis_info.integer(info, "latest_fork_usec")
        return Action(
            request=request,
            before=f"{info.get('rdb_changes_since_last_save', '?')} changes since the last save",
            after="a snapshot on disk",
            risk=Risk.MEDIUM if is_risky else Risk.LOW,
            risk_reason="it fills much of the machine: the fork may fail, or make it swap" if is_risky else "",
            command=self._source.redis_cli(*_SAVE),
            preview=("no preview: Redis has no dry run for BGSAVE",),
            deadline_s=600.0,
            impact=(
                f"the fork lets everybody wait: {micros(fork)} the last time"
                if fork
                else "the fork lets everybody wait",
                f"up to {size(used)} more memory while it runs, if much is written",
                *filter(None, [unchecked]),
            ),
            permission=may_not,
            evidence={"saved_at": redis_info.integer(info, "rdb_last_save_time") or 0},
        )

    async def look(self, sent: Sent) -> Look:
        """Look whether the save ended, and how."""
        async with self._source.for_action() as connection:
            try:
                await check_server(connection, sent.request)
                info = await _info(connection)
            except NotSentError as error:
                return Look(Phase.UNKNOWN, str(error))
        if info.get("rdb_bgsave_in_progress") == "1":
            took = redis_info.integer(info, "rdb_current_bgsave_time_sec")
            return Look(Phase.WAITING, f"it is being written, {took or 0} s by now")
        saved_at, before = redis_info.integer(info, "rdb_last_save_time") or 0, int(sent.evidence["saved_at"])
        took = redis_info.integer(info, "rdb_last_bgsave_time_sec")
        if info.get("rdb_last_bgsave_status") == "err":
            return Look(Phase.NOT_CONVERGED, "the save failed: see the server's log (disk full? no memory to fork?)")
        if saved_at > before or (saved_at == before and saved_at >= int(sent.at)):
            return Look(Phase.CONVERGED, f"saved, in {took or 0} s")
        if sent.evidence.get("accepted"):
            return Look(Phase.WAITING, "accepted; it begins when the server is free to fork")
        return Look(Phase.ABSENT, f"the last save is {coarse(sent.at - saved_at)} older than the request")


class PurgeMemory(_OfServer):
    """`MEMORY PURGE`: the allocator gives pages it holds without using them back to the machine.

    Run_id and role are asked on the connection that sends, which does not outlive the process; it changes no data.
    """

    name = PURGE
    _command = _PURGE
    title = "Purge memory"
    about = About(
        system="Redis",
        targets="server built with jemalloc",
        risk="low",
        inverse=CANNOT_BE_UNDONE,
        identity="run_id and role, asked on the same connection",
        window="none: nothing depends on it",
        command="MEMORY PURGE",
        verification="the server's OK, or one MEMORY PURGE more in INFO commandstats; within 10 s",
    )

    async def plan(self, request: Request) -> Action:
        """Say what the allocator holds. Raises NotSentError without jemalloc, and SourceError."""
        async with self._source.for_action() as connection:
            unchecked = await check_server(connection, request)
            info = await _info(connection)
            before = await calls(connection, "memory|purge")
            may_not = await permission(connection, _PURGE)
        allocator = info.get("mem_allocator", "")
        if not allocator.startswith("jemalloc"):
            raise NotSentError(
                f"this server is built with {allocator or 'another allocator'}: MEMORY PURGE does nothing"
            )
        used, rss = redis_info.integer(info, "used_memory"), redis_info.integer(info, "used_memory_rss")
        return Action(
            request=request,
            before=f"{size(rss)} resident for {size(used)} used",
            after="pages without data are given back to the machine",
            risk=Risk.LOW,
            command=self._source.redis_cli(*_PURGE),
            preview=("no preview: how much is given back is known afterwards",),
            deadline_s=10.0,
            impact=(
                "the server answers nobody while it purges: usually below a millisecond",
                *filter(None, [unchecked]),
            ),
            permission=may_not,
            evidence={"rss": rss or 0, "purges": before},
        )

    async def look(self, sent: Sent) -> Look:
        """Look what is resident now, and whether it ran."""
        async with self._source.for_action() as connection:
            try:
                await check_server(connection, sent.request)
                info = await _info(connection)
            except NotSentError as error:
                return Look(Phase.UNKNOWN, str(error))
            now = await calls(connection, "memory|purge")
        rss = redis_info.integer(info, "used_memory_rss")
        words = f"{size(int(sent.evidence['rss']))} → {size(rss)} resident"
        before = sent.evidence.get("purges")
        if sent.evidence.get("accepted") or (isinstance(before, int) and now is not None and now > before):
            return Look(Phase.CONVERGED, words)
        is_told = isinstance(before, int) and now is not None
        return Look(Phase.ABSENT if is_told else Phase.UNKNOWN, f"{words}; no MEMORY PURGE was counted")
