"""A paced walk over the keys of one database: SCAN and, for each key, MEMORY USAGE, TYPE and PTTL.

Never KEYS, never MONITOR, never SAMPLES 0. Few keys go into one round trip, because a pipeline is executed in one go
and is the longest pause that others see. The walk can be stopped at any moment and goes on where it was; it slows
down by itself when the server answers late.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Final

from profiles.systems import RedisInstance
from tui.sources import redis_info, redis_lists
from tui.sources.errors import Denied, SourceError, Unreachable
from tui.sources.forward import Forward
from tui.sources.redis_connection import SAMPLER_NAME, Command, RedisConnection, RefusedError, connect
from tui.sources.redis_estimate import UNTIMED
from tui.sources.redis_space import LENGTHS, UNKNOWN_LENGTH, BigKey, Prefix, Sample, Space

KEYS_PER_S: Final = 2000
_SLOWEST_PER_S: Final = 250.0
_CHUNK: Final = 20
"""Keys in one round trip."""
_LATE: Final = 5
"""An answer that takes so many times the median counts as late: the walk slows down to half."""
_RECOVER: Final = 1.02
"""By how much it gets faster again with each answer in time."""
_NEWS_EVERY_S: Final = 1.0
"""How often DBSIZE and what the server holds are asked for."""

_MEMORY: Final = "MEMORY USAGE"
_TYPE: Final = "TYPE"
_PTTL: Final = "PTTL"
_OF_EACH_KEY: Final[Mapping[str, Callable[[bytes], Command]]] = {
    _MEMORY: lambda key: ("MEMORY", "USAGE", key, "SAMPLES", 5),
    _TYPE: lambda key: ("TYPE", key),
    _PTTL: lambda key: ("PTTL", key),
}
_EVERY: Final[Mapping[str, int]] = {_MEMORY: 1, _TYPE: 1, _PTTL: 4}
"""Of how many keys one is asked: times to live are shown by class, for which fewer do."""
_GONE: Final = -2
"""PTTL of a key that is not there; of one that stays it is -1."""
_DBSIZE: Final[Command] = ("DBSIZE",)
_STATS: Final[Command] = ("MEMORY", "STATS")
_INFO: Final[Command] = ("INFO", "memory")
_SERVER: Final[Command] = ("INFO", "server")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How far a walk has come."""

    db: int
    is_running: bool
    keys_per_s: float
    """The pace at present: 2,000, or less when the server answers late."""
    space: Space
    stopped_by: str
    """Why it ended before the walk went round; empty while it runs, and when a person stopped it."""
    missing: Mapping[str, str]
    """Why a command is not sent, by command; each costs one column."""
    has_error: bool
    """Whether ranges can be stated: not for a part of a cluster node whose keys have hash tags."""
    spent_s: float
    """How long it has walked altogether."""
    masks: bool = False
    """Whether names of single keys are left out, for a shared screen: they hold people's data."""


class KeySampler:
    """Walks over one database at a time; what was seen stays until another walk begins."""

    def __init__(
        self,
        entry: RedisInstance,
        *,
        masks: bool = False,
        forward: Forward | None = None,
        keys_per_s: float = KEYS_PER_S,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Make it; nothing is connected.

        `masks` leaves the names of single keys out, for a shared screen; `forward` leads to the pod it is behind.
        """
        self._entry, self._forward = entry, forward
        self._masks = masks
        self._most_per_s = keys_per_s
        self._clock = clock
        self._pause = pause
        self._task: asyncio.Task[None] | None = None
        self._begin(None)

    def _begin(self, db: int | None) -> None:
        self._db = db
        self._sample = Sample()
        self._cursor = 0
        self._is_at_end = False
        self._keys: list[bytes] = []
        """Those that SCAN gave and that are not counted yet: what is stopped in between loses none."""
        self._total = 0
        self._held: float | None = None
        self._run_id = ""
        self._is_cluster = False
        self._missing: dict[str, str] = {}
        self._stopped_by = ""
        self._pace = self._most_per_s
        self._took: deque[float] = deque(maxlen=100)
        self._spent_s = 0.0

    @property
    def _went_round(self) -> bool:
        return self._is_at_end and not self._keys

    @property
    def is_running(self) -> bool:
        """Whether it walks now."""
        return self._task is not None and not self._task.done()

    @property
    def db(self) -> int:
        """The database it walks over, or did; 0 before it knows which one the url names."""
        return self._db or 0

    def start(self, db: int | None = None) -> None:
        """Walk on; begin anew where that walk went round, or was over another database. Call it on the event loop.

        Args:
            db: the database; the one before, or the one that the url names, when left out.
        """
        if self.is_running:
            return
        wanted = self._db if db is None else db
        if self._went_round or wanted != self._db:
            self._begin(wanted)
        self._stopped_by = ""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Stop where it is; `start` goes on."""
        if self._task is not None and not self._task.done():
            self._task.cancel()

    async def close(self) -> None:
        """Stop, and wait until the connection is given back."""
        self.stop()
        if self._task is not None:
            await asyncio.wait({self._task})

    def facts(self) -> Sampling | None:
        """Return what is known so far; None before anything was begun.

        What ended the walk otherwise than foreseen is raised here, where the reading is that shows it.
        """
        task = self._task
        if task is None:
            return None
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            self._task = None
            raise error
        return Sampling(
            self.db,
            self.is_running,
            self._pace,
            self._sample.space(self._total, is_complete=self._went_round, held_bytes=self._held),
            self._stopped_by,
            dict(self._missing),
            self._went_round or not (self._is_cluster and self._sample.has_tags),
            self._spent_s,
            self._masks,
        )

    def second(self, name: str) -> tuple[Prefix, ...]:
        """Return what a prefix consists of, at the next level of its name."""
        return self._sample.second(name, self._total, is_complete=self._went_round, held_bytes=self._held)

    async def _run(self) -> None:
        began = self._clock()
        try:
            connection = await connect(self._entry, SAMPLER_NAME, self._forward)
            try:
                await self._identify(connection)
                await self._walk(connection)
            finally:
                await connection.close()
        except SourceError as error:
            self._stopped_by = str(error)
        finally:
            self._spent_s += self._clock() - began

    async def _identify(self, connection: RedisConnection) -> None:
        """Choose the database, and begin anew where another process answers than before.

        What may be asked of a key is tried on one that is not there: each denied attempt stands in the server's log.
        """
        if self._db is None:
            self._db = connection.db
        await connection.select(self._db)
        (reply,) = await connection.ask([_SERVER])
        info = {} if isinstance(reply, RefusedError) else redis_info.parse_info(reply)
        run_id = info.get("run_id", "")
        if self._run_id and run_id != self._run_id:
            self._begin(self._db)
        self._run_id = run_id
        self._is_cluster = redis_info.server(info).mode == "cluster"
        tried = await connection.ask([command(b"") for _, command in self._per_key()])
        for (name, _), answer in zip(self._per_key(), tried, strict=True):
            self._answer(name, answer)
        if not connection.leaves_idle_times:
            self._missing["length"] = "asking would make a key look used: CLIENT NO-TOUCH is not offered"

    async def _walk(self, connection: RedisConnection) -> None:
        news_at = next_at = float("-inf")
        while not self._went_round:
            began, keys = self._clock(), self._keys
            asked = [command(key) for name, command in self._per_key() for key in keys[:: _EVERY[name]]]
            news = self._news() if began - news_at >= _NEWS_EVERY_S else []
            # The next keys come with the answers about these: one round trip, and none while another is under way.
            ahead: list[Command] = [] if self._is_at_end else [("SCAN", self._cursor, "COUNT", _CHUNK)]
            replies = iter(await connection.ask([*asked, *news, *ahead]))
            self._keys = []
            self._take(keys, replies)
            if news:
                news_at = began
                self._hear(news, replies)
            if ahead:
                self._advance(next(replies))
            self._adapt(self._clock() - began)
            await self._measure(connection)
            # An empty bucket costs the server as well, if less.
            next_at = max(next_at, began) + max(len(keys), _CHUNK // 4) / self._pace
            if (wait := next_at - self._clock()) > 0:
                await self._pause(wait)

    def _per_key(self) -> list[tuple[str, Callable[[bytes], Command]]]:
        return [(name, command) for name, command in _OF_EACH_KEY.items() if name not in self._missing]

    def _take(self, keys: Sequence[bytes], replies: Iterator[Any]) -> None:
        """Count the keys by what was answered about them; one that has gone meanwhile is none."""
        found: dict[str, list[Any]] = {name: [None] * len(keys) for name in _OF_EACH_KEY}
        for name, _ in self._per_key():
            for place in range(0, len(keys), _EVERY[name]):
                found[name][place] = self._answer(name, next(replies))
        for key, size, kind, ttl_ms in zip(keys, *found.values(), strict=True):
            said = redis_lists.text(kind) if isinstance(kind, bytes) else "?"
            if said != "none":
                self._sample.add(key, size if isinstance(size, int) else None, said, _seconds(ttl_ms))

    def _answer(self, name: str, reply: Any) -> Any:
        """Return a reply, None where it was refused; what would always be refused is not sent again."""
        if not isinstance(reply, RefusedError):
            return reply
        if reply.is_lasting:
            self._missing[name] = reply.reason
        elif reply.reason.startswith("LOADING"):
            raise Unreachable(reply.reason, "the walk goes on when the dataset is loaded")
        return None

    def _news(self) -> list[Command]:
        return [one for one in (_DBSIZE, _STATS, _INFO) if " ".join(map(str, one)) not in self._missing]

    def _hear(self, news: Sequence[Command], replies: Iterator[Any]) -> None:
        stats: Mapping[str, Any] = {}
        info: redis_info.Info = {}
        for command in news:
            reply = self._answer(" ".join(map(str, command)), next(replies))
            if command == _DBSIZE and isinstance(reply, int):
                self._total = reply
            elif command == _STATS and reply is not None:
                stats = redis_lists.mapping(reply)
            elif command == _INFO and isinstance(reply, bytes):
                info = redis_info.parse_info(reply)
        self._held = held_bytes(stats, info)

    def _advance(self, reply: Any) -> None:
        if isinstance(reply, RefusedError):
            raise Denied(f"SCAN is {reply.reason}", "without it no key can be seen")
        cursor, self._keys = int(reply[0]), list(reply[1])
        self._cursor, self._is_at_end = cursor, cursor == 0

    async def _measure(self, connection: RedisConnection) -> None:
        """Ask the new among the biggest keys for time to live, and for their length where that leaves no trace."""
        asked: list[tuple[BigKey, Command]] = []
        for one in self._sample.biggest():
            if one.length is None and one.kind in LENGTHS and "length" not in self._missing:
                asked.append((one, (LENGTHS[one.kind], one.key)))
            if one.ttl_s == UNTIMED and _PTTL not in self._missing:
                asked.append((one, (_PTTL, one.key)))
        if not (asked := asked[:_CHUNK]):
            return
        found: dict[bytes, BigKey] = {}
        replies = await connection.ask([command for _, command in asked])
        for (one, (name, _)), reply in zip(asked, replies, strict=True):
            known = found.get(one.key, one)
            if name == _PTTL:
                answer = self._answer(_PTTL, reply)
                found[one.key] = replace(known, ttl_s=0.0 if answer in (None, _GONE) else _seconds(answer))
            else:
                answer = self._answer("length", reply)
                found[one.key] = replace(known, length=answer if isinstance(answer, int) else UNKNOWN_LENGTH)
        for measured in found.values():
            self._sample.learn(measured)

    def _adapt(self, took_s: float) -> None:
        usual = median(self._took) if len(self._took) >= 10 else None
        if usual is not None and took_s > _LATE * usual:
            self._pace = max(min(_SLOWEST_PER_S, self._most_per_s), self._pace / 2)
        else:
            self._pace = min(self._most_per_s, self._pace * _RECOVER)
        self._took.append(took_s)


def _seconds(ttl_ms: Any) -> float | None:
    if not isinstance(ttl_ms, int) or ttl_ms == _GONE:
        return UNTIMED
    return ttl_ms / 1000 if ttl_ms >= 0 else None


def held_bytes(stats: Mapping[str, Any], info: redis_info.Info) -> float | None:
    """Return what all keys of a server hold at most: MEMORY STATS, else INFO memory; None when neither is known."""
    bounds: list[float] = []
    total, startup, dataset = (stats.get(name) for name in ("total.allocated", "startup.allocated", "dataset.bytes"))
    if isinstance(total, int) and isinstance(startup, int):
        bounds.append(total - startup)
    if isinstance(dataset, int):
        with contextlib.suppress(TypeError, ValueError):
            tables = [redis_lists.mapping(value) for name, value in stats.items() if name.startswith("db.")]
            bounds.append(dataset + sum(int(table.get("overhead.hashtable.main", 0)) for table in tables))
    if not bounds:
        used, startup = redis_info.integer(info, "used_memory"), redis_info.integer(info, "used_memory_startup")
        if used is not None:
            bounds.append(used - (startup or 0))
    return min(bounds, default=None)
