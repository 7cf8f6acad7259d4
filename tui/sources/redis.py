"""A Redis or Valkey server's facts: one pipeline for each reading, and never a command that costs the server much.

Which command is sent how often follows what it costs there (INFO 0.2 ms, CLIENT LIST of 5,000 clients 10 ms). A
command that is refused costs one fact: it is remembered with the reason and not sent again on this connection,
because each denied attempt is counted and logged on the server.
"""

import asyncio
import contextlib
import importlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from profiles.sentinel import is_sentinel
from profiles.systems import RedisInstance
from tui.sources import redis_info, redis_lists, redis_topology, redis_values
from tui.sources.errors import Denied, SourceError, Unreachable
from tui.sources.forward import Forward
from tui.sources.history import Series
from tui.sources.redis_cli import redis_cli
from tui.sources.redis_connection import ACTION_NAME, FORWARDED_PORT, Command, RedisConnection, RefusedError, connect
from tui.sources.redis_facts import (
    Client,
    ClientCounts,
    Keyspace,
    LatencyEvent,
    Memory,
    Refusal,
    Replication,
    SlowEntry,
)
from tui.sources.redis_info import Counted
from tui.sources.redis_queues import Queue, Queues
from tui.sources.redis_sampler import KeySampler
from tui.sources.redis_snapshot import RedisSnapshot
from tui.sources.redis_space import shown
from tui.sources.redis_topology import Cluster
from tui.sources.text import clean

MANY_CLIENTS: Final = 2000
"""From here on CLIENT LIST costs the server milliseconds and is asked for every 10 s only."""
_MANY_CLIENTS_EVERY_S: Final = 10.0
_SLOW_TIER_S: Final = 30.0
_SLOWLOG_KEPT: Final = 50

_INFO_FORMS: Final[tuple[Command, ...]] = (("INFO", "everything"), ("INFO", "all"), ("INFO",))
_CLIENTS: Final[Command] = ("CLIENT", "LIST")
_NEWEST_SLOW: Final[Command] = ("SLOWLOG", "GET", 1)
_ALL_SLOW: Final[Command] = ("SLOWLOG", "GET", _SLOWLOG_KEPT)
_LATENCY: Final[Command] = ("LATENCY", "LATEST")
_DOCTOR: Final[Command] = ("MEMORY", "DOCTOR")
_SLOW_SETTINGS: Final[Command] = ("CONFIG", "GET", "slowlog-log-slower-than")
_LATENCY_SETTINGS: Final[Command] = ("CONFIG", "GET", "latency-monitor-threshold")
_MEMORY_STATS: Final[Command] = ("MEMORY", "STATS")
_DBSIZE: Final[Command] = ("DBSIZE",)
_MYID: Final[Command] = ("CLUSTER", "MYID")
_CLUSTER: Final[Command] = ("CLUSTER", "INFO")
_NODES: Final[Command] = ("CLUSTER", "NODES")

SAMPLED: Final = frozenset({"space", "big", "ttl"})
"""Names of the views that show the walk over the keys; `look_at` takes them."""

NODES: Final = "nodes"
"""Name of the view that shows who belongs together."""

_SERIES: Final = ("memory", "ops", "hits", "evictions", "expirations", "clients", "cpu")


@dataclass(slots=True)
class _Session:
    """What is known as long as one connection lives."""

    connection: RedisConnection
    info_form: int = 0
    """Index of the INFO form this server understands."""
    refusals: dict[Command, Refusal] = field(default_factory=dict)
    slow_tier_at: float = float("-inf")
    clients_at: float = float("-inf")
    clients: tuple[Client, ...] | None = None
    clients_read_at: float | None = None
    slowlog: tuple[SlowEntry, ...] | None = None
    slower_than_us: int | None = None
    threshold_ms: int | None = None
    doctor: str = ""
    latency: tuple[LatencyEvent, ...] = ()
    stats: Memory = field(default_factory=Memory)
    myid: str = ""
    cluster: Cluster | None = None


class RedisSource:
    """Reads one server; connects on the first `read` and again after any failure."""

    timeout_s = 6.0

    def __init__(
        self,
        name: str,
        entry: RedisInstance,
        *,
        interval_s: float = 2.0,
        masks: bool = False,
        forward: Forward | None = None,
    ) -> None:
        """Make the source; nothing is connected.

        `masks` leaves people's data out, for a shared screen: the slow log's arguments, names of single keys. `forward`
        leads to the pod it is behind, and is closed with the source.
        """
        self._forward = forward
        self._masks = masks
        self.name = f"redis:{name}"
        self.interval_s = interval_s
        self._entry = entry
        self._session: _Session | None = None
        self._before: Counted | None = None
        self._history: Mapping[str, Series] = {
            series: Series(600) for series in (*_SERIES, *(f"queue {queue}" for queue in entry.queues))
        }
        self._queues = Queues(entry.queues)
        self._view = ""
        self.sampler = KeySampler(entry, masks=masks, forward=forward)
        """Walks over the keys when a person asks for it; what it knows is read while somebody looks."""

    def look_at(self, view: str) -> None:
        """Have the next reading hold what this view shows."""
        self._view = view

    async def read(self) -> RedisSnapshot:
        """Return the server's present state.

        Raises:
            Unreachable: refused, cut off, timed out (also a stopped process), or busy with a script.
            Denied: password, ACL or certificate; or the user may send none of the commands.
            Unreadable: something else than Redis answers there.
        """
        if self._session is None:
            # redis-py takes a fifth of a second to import: not on the event loop.
            await asyncio.to_thread(importlib.import_module, "redis.asyncio")
            self._session = _Session(await connect(self._entry, forward=self._forward))
        session = self._session
        try:
            return await self._read(session)
        except BaseException:
            # Also when cancelled: the next read begins with a connection that owes no replies.
            self._session = None
            await session.connection.close()
            raise

    async def close(self) -> None:
        """Drop the connection, and end a walk over the keys."""
        await self.sampler.close()
        if self._session is not None:
            session, self._session = self._session, None
            await session.connection.close()
        if self._forward is not None:
            await self._forward.close()

    @contextlib.asynccontextmanager
    async def for_action(self) -> AsyncIterator[RedisConnection]:
        """Lend a connection of its own to an action, closed afterwards.

        When the server has no place left for it, the reading connection serves: then least of all should closing a
        client fail for want of one.

        Raises:
            SourceError: there is no connection; nothing was sent.
        """
        await asyncio.to_thread(importlib.import_module, "redis.asyncio")
        try:
            connection = await connect(self._entry, ACTION_NAME, self._forward)
        except SourceError as error:
            if "max number of clients" not in error.message or self._session is None:
                raise
            yield self._session.connection
            return
        try:
            yield connection
        finally:
            await connection.close()

    async def settings(self) -> Mapping[str, str]:
        """Return what can be set while the server runs, by name, without secrets: CONFIG GET *.

        Raises:
            SourceError: the server could not be asked, or refuses.
        """
        async with self.for_action() as connection:
            (reply,) = await connection.ask([("CONFIG", "GET", "*")])
        if isinstance(reply, RefusedError):
            raise Denied(f"CONFIG GET is {reply.reason}")
        return redis_lists.settings(reply)

    async def value(self, *command: str) -> str | float | None:
        """Return what one reading command gives: a number as float; `INFO field` gives that field.

        Raises:
            Unreadable: it is not one of the commands that only read and cost the server nothing.
            Denied: the server refuses it.
            SourceError: the server could not be asked.
        """
        redis_values.check(command)
        async with self.for_action() as connection:
            return await redis_values.value(connection, command)

    @property
    def queues(self) -> tuple[str, ...]:
        """Names of the keys that the profile calls queues, in the database of its url."""
        return tuple(self._entry.queues)

    def redis_cli(self, *arguments: str | int | bytes) -> str:
        """Return the redis-cli line that sends a command to this server; secrets stay references."""
        shown_arguments = (shown(one) if isinstance(one, bytes) else str(one) for one in arguments)
        if self._forward is None:
            return redis_cli(self._entry, *shown_arguments)
        line = redis_cli(self._entry, *shown_arguments, is_forwarded=True)
        return f"{self._forward.by_hand(FORWARDED_PORT)} & {line}"

    async def _read(self, session: _Session) -> RedisSnapshot:
        started = time.monotonic()
        planned = self._plan(session, started, await self._first_info(session))
        replies = await self._ask(session, planned)
        round_trip_ms, heard_at = (time.monotonic() - started) * 1000, time.time()
        info = redis_info.known(replies.get(_INFO_FORMS[session.info_form]))
        await self._keep(session, replies, started)
        queues = await self._read_queues(session)
        after = Counted(info, started)
        told = redis_info.integer(info, "server_time_usec")
        offset = None if told is None else told / 1e6 - (heard_at - round_trip_ms / 2000)
        snapshot = self._snapshot(session, after, replies.get(_DBSIZE), round_trip_ms)
        self._check_role(snapshot)
        nodes = redis_topology.watched(info)
        if isinstance(reply := replies.get(_NODES), bytes):
            nodes = redis_topology.cluster_nodes(reply)
        is_walk_seen, self._view = self._view in SAMPLED, ""
        snapshot = replace(
            snapshot,
            clock_offset_s=offset,
            queues=queues,
            sampling=self.sampler.facts() if is_walk_seen else None,
            cluster=session.cluster,
            nodes=nodes,
        )
        self._before = after
        self._remember(snapshot)
        return snapshot

    def _check_role(self, snapshot: RedisSnapshot) -> None:
        """Leave a master that was demoted: the next reading asks the sentinels again. Raises Unreachable."""
        if is_sentinel(self._entry.url) and snapshot.replication.role == "slave":
            raise Unreachable(f"{snapshot.address} is no master any more", "the sentinels are asked again")

    async def _read_queues(self, session: _Session) -> tuple[Queue, ...]:
        if not self._entry.queues:
            return ()
        try:
            await session.connection.select(session.connection.db)
        except Denied as error:
            return tuple(Queue(name, "?", None, refused=str(error)) for name in self._entry.queues)
        found: dict[Command, Any] = {}
        asked = self._queues.first()
        while asked:
            # Not through `_ask`: what is refused of one key may be allowed of the next.
            found.update(zip(asked, await session.connection.ask(asked), strict=True))
            asked = self._queues.then(found)
        return self._queues.facts(found, time.time())

    async def _first_info(self, session: _Session) -> redis_info.Info:
        """Return what decides about the commands to send: the last INFO; a new connection asks."""
        if self._before is None or session.slow_tier_at == float("-inf"):
            return await self._probe(session)
        return self._before.info

    async def _probe(self, session: _Session) -> redis_info.Info:
        """Find the form of INFO that this server understands; `everything` came with Redis 6."""
        for form, command in enumerate(_INFO_FORMS):
            session.info_form = form
            info = redis_info.known((await self._ask(session, [command])).get(command))
            if info:
                session.refusals = {kept: r for kept, r in session.refusals.items() if kept[0] != "INFO"}
                return info
            refusal = session.refusals.get(command)
            if refusal is not None and refusal.reason.startswith("not permitted"):
                break
        return {}

    def _plan(self, session: _Session, now: float, known: redis_info.Info) -> list[Command]:
        info, connected = _INFO_FORMS[session.info_form], redis_info.integer(known, "connected_clients") or 0
        if known.get("loading") == "1":
            return [info]
        planned = [info, _NEWEST_SLOW, _LATENCY]
        if redis_info.server(known).mode == "cluster":
            # Outside a cluster each would count as an error of the server.
            planned += [_CLUSTER, *([] if session.myid else [_MYID]), *([_NODES] if self._view == NODES else [])]
        if connected <= MANY_CLIENTS or now - session.clients_at >= _MANY_CLIENTS_EVERY_S:
            planned.append(_CLIENTS)
        if info in session.refusals:
            planned += [_DBSIZE, _MEMORY_STATS]
        if now - session.slow_tier_at >= _SLOW_TIER_S:
            session.slow_tier_at = now
            planned += [_DOCTOR, _SLOW_SETTINGS, _LATENCY_SETTINGS]
        return planned

    async def _ask(self, session: _Session, commands: list[Command]) -> dict[Command, Any]:
        """Send what has not been refused yet and return the replies that are answers."""
        wanted = [command for command in commands if command not in session.refusals]
        if not wanted:
            wanted = [("PING",)]  # the reading must still say whether somebody answers
        answers: dict[Command, Any] = {}
        for command, reply in zip(wanted, await session.connection.ask(wanted), strict=True):
            if not isinstance(reply, RefusedError):
                answers[command] = reply
            elif reply.is_lasting:
                shown = " ".join(str(part) for part in command[:2] if not isinstance(part, int))
                session.refusals[command] = Refusal(shown, reply.reason)
        return answers

    async def _keep(self, session: _Session, replies: Mapping[Command, Any], now: float) -> None:
        """Take over what is not asked for each time, and fetch the slow log if its newest entry is another one."""
        if isinstance(raw := replies.get(_CLIENTS), bytes):
            # Ten thousand clients take a quarter of a second to read: not on the event loop.
            session.clients = await asyncio.to_thread(redis_lists.clients, raw, session.connection.id)
            session.clients_at, session.clients_read_at = now, time.time()
        if (reply := replies.get(_LATENCY)) is not None:
            session.latency = redis_lists.latency(reply)
        if (reply := replies.get(_DOCTOR)) is not None:
            session.doctor = redis_lists.text(reply).removeprefix("txt:")
        if (reply := replies.get(_SLOW_SETTINGS)) is not None:
            session.slower_than_us = redis_lists.whole_setting(reply, "slowlog-log-slower-than")
        if (reply := replies.get(_LATENCY_SETTINGS)) is not None:
            session.threshold_ms = redis_lists.whole_setting(reply, "latency-monitor-threshold")
        if (reply := replies.get(_MYID)) is not None:
            session.myid = clean(redis_lists.text(reply), limit=100)
        if isinstance(reply := replies.get(_CLUSTER), bytes):
            session.cluster = redis_topology.cluster_info(reply)
        if (reply := replies.get(_MEMORY_STATS)) is not None:
            session.stats = redis_lists.memory_stats(reply)
        if (reply := replies.get(_NEWEST_SLOW)) is not None:
            newest = redis_lists.slowlog(reply, masks=self._masks)
            if not newest or not session.slowlog or newest[0].id != session.slowlog[0].id:
                fetched = await self._ask(session, [_ALL_SLOW]) if newest else {}
                session.slowlog = redis_lists.slowlog(fetched.get(_ALL_SLOW, reply), masks=self._masks)

    def _snapshot(self, session: _Session, after: Counted, dbsize: Any, round_trip_ms: float) -> RedisSnapshot:
        info, before = after.info, self._before
        refusals = tuple(session.refusals.values())
        if not info and dbsize is None and session.clients is None and session.stats.used_bytes is None:
            reason = refusals[0].reason if refusals else "no answer to INFO"
            raise Denied(reason, "the server's ACL forbids all that opstui reads: ACL SETUSER … +info +client|list")
        keyspace = redis_info.keyspace(info)
        if not info and isinstance(dbsize, int):
            keyspace = (Keyspace("db0", dbsize, 0, None),)
        return RedisSnapshot(
            address=session.connection.address,
            server=replace(redis_info.server(info), cluster_myid=session.myid),
            memory=redis_info.memory(info) if info else session.stats,
            rates=redis_info.rates(before, after),
            counts=_counts(info, session.clients),
            persistence=redis_info.persistence(info),
            replication=redis_info.replication(info) if info else Replication(),
            keyspace=keyspace,
            commands=redis_info.commands(before, after),
            errors=redis_info.errors(before, after),
            clients=session.clients,
            clients_read_at=session.clients_read_at,
            slowlog=session.slowlog,
            slowlog_slower_than_us=session.slower_than_us,
            latency=session.latency,
            latency_threshold_ms=session.threshold_ms,
            doctor=session.doctor,
            refusals=refusals,
            round_trip_ms=round_trip_ms,
            history=self._history,
        )

    def _remember(self, snapshot: RedisSnapshot) -> None:
        rates, now = snapshot.rates, time.time()
        values = {
            "memory": snapshot.memory.used_bytes,
            "ops": rates.ops_per_s,
            "hits": rates.hit_percent,
            "evictions": rates.evicted_per_s,
            "expirations": rates.expired_per_s,
            "clients": snapshot.counts.connected,
            "cpu": rates.main_thread_percent,
        }
        queues = {f"queue {queue.name}": queue.length for queue in snapshot.queues}
        for name, value in {**values, **queues}.items():
            self._history[name].add(now, value)


def _counts(info: redis_info.Info, clients: tuple[Client, ...] | None) -> ClientCounts:
    counts = redis_info.counts(info)
    return counts if clients is None or counts.connected is not None else replace(counts, connected=len(clients))
