"""The containers of one engine: a list at each reading, each in full only when something about it has changed."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Final

from profiles.hosts import DockerEngine, is_pattern
from tui.sources.docker import parse
from tui.sources.docker.connection import DockerConnection, Refusal
from tui.sources.docker.facts import RESTARTS_WITHIN_S, Container, ContainerEvent, DockerSnapshot, Use
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.text import clean

_IN_FULL_S: Final = 30.0
"""How old what is known of a container in full may become: failing streaks come without an event."""
_AT_ONCE: Final = 8
"""Questions asked at the same time."""
_MEASURE_S: Final = 3.0
"""How long one container's `/stats` may take: a hung one must not hold up the others."""
_PAST_S: Final = 3600.0
"""How far back events are asked for at the first reading; an engine remembers the last few hundred."""
_EVENTS: Final = (
    "create", "start", "restart", "die", "died", "oom", "kill", "stop", "pause", "unpause", "rename", "destroy",
    "remove", "health_status",
)  # fmt: skip

Counters = tuple[float, float, int]


class DockerSource:
    """One engine of the profile."""

    def __init__(
        self, name: str, entry: DockerEngine, *, measures: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        """Make the source; nothing is connected yet.

        Args:
            name: what the profile calls the engine.
            entry: its socket, and which containers are meant.
            measures: whether use is measured at every reading, because a rule judges it; else only for who looks.
            now: `time.time`.
        """
        self.name = f"container:{name}"
        self.interval_s = 2.0
        self.timeout_s = 10.0
        self.connection = DockerConnection(entry.socket)
        self.socket = entry.socket
        self._patterns = tuple(entry.containers)
        self._measures = measures
        self._is_looked_at = False
        self._now = now
        self._known: dict[str, tuple[tuple[str, ...], float, Container]] = {}
        """By id: what the list said when it was read in full, when that was, and what it said."""
        self._uptimes: dict[str, float] = {}
        """By id: how long the list said that it runs. Not every engine tells each restart as an event."""
        self._restarts: dict[str, deque[tuple[float, int]]] = {}
        """By id: when restarts by the engine were noticed, and how many."""
        self._counters: dict[str, Counters] = {}
        self._uses: dict[str, Use] = {}
        self._silent = 0
        """How many containers did not answer when they were measured last."""
        self._measuring: asyncio.Task[None] | None = None
        self._events_until: float | None = None
        self._told: frozenset[tuple[int, str, str]] = frozenset()
        """The newest events that were told: the same second is asked for twice."""

    def look_at(self) -> None:
        """Have the next reading measure what containers use: somebody looks."""
        self._is_looked_at = True

    async def read(self) -> DockerSnapshot:
        """Return the present state.

        Raises:
            Unreachable: no engine answers.
            Denied: the socket, or the list of containers, may not be read.
            Unreadable: something answers that is not Docker's API.
        """
        listed, engine_now = await self.connection.get_dated("/containers/json", {"all": "true"})
        if not isinstance(listed, list):
            raise Unreadable("/containers/json is no list: is this Docker's API?")
        chosen = {id_: one for one in listed if (id_ := parse.container_id(one)) and self._is_meant(one)}
        notes: list[str] = []
        events = await self._events(self._now() if engine_now is None else engine_now, notes)
        containers = await self._in_full(chosen, {event.id for event in events})
        is_looked_at, self._is_looked_at = self._is_looked_at, False
        if is_looked_at or self._measures:
            containers = await self._measured(containers)
            if self._silent:
                notes.append(f"{self._silent} containers did not tell what they use")
        else:
            self._forget_use()
        names = {one.name for one in containers.values()}
        version = self.connection.version
        if version is None:  # the connection broke off behind the last answer
            raise Unreachable("the engine went away while it was read")
        return DockerSnapshot(
            version,
            containers,
            tuple(name for name in self._patterns if not is_pattern(name) and name not in names),
            tuple(p for p in self._patterns if is_pattern(p) and not any(fnmatchcase(name, p) for name in names)),
            tuple(event for event in events if event.id in chosen or self._matches(event.name)),
            tuple(notes),
        )

    async def inspect(self, container_id: str) -> Container:
        """Return one container as it is now. Raises SourceError; a `Refusal` with status 404 when it is gone."""
        found = await self.connection.get(f"/containers/{container_id}/json")
        return parse.container(found, is_named=parse.container_name(found) in self._patterns)

    async def close(self) -> None:
        """Stop measuring and give the connection back."""
        if self._measuring is not None:
            self._measuring.cancel()
            await asyncio.wait([self._measuring], timeout=0.5)
        await self.connection.close()

    def _is_meant(self, listed: Any) -> bool:
        return self._matches(parse.container_name(listed))

    def _matches(self, name: str) -> bool:
        return not self._patterns or any(fnmatchcase(name, pattern) for pattern in self._patterns)

    # Events

    async def _events(self, engine_now: float, notes: list[str]) -> tuple[ContainerEvent, ...]:
        """Return what has happened since the reading before; by the engine's own clock, up to its last full second."""
        since = engine_now - _PAST_S if self._events_until is None else self._events_until - 1
        query = {
            "since": f"{since:.0f}",
            "filters": '{"type":["container"],"event":[' + ",".join(f'"{word}"' for word in _EVENTS) + "]}",
        }
        # Either way it ends at once. Docker knows no `stream`, and Podman tells nothing of the past with `until`.
        version = self.connection.version
        is_podman = version is not None and version.engine.startswith("Podman")
        query |= {"stream": "false"} if is_podman else {"until": f"{engine_now:.0f}"}
        try:
            found = await self.connection.lines("/events", query)
        except (Denied, Refusal) as error:
            notes.append(f"events cannot be read: {error.message}")
            return ()
        events = sorted(filter(None, map(parse.event, found)), key=lambda event: event.nano)
        news = tuple(event for event in events if _identity(event) not in self._told)
        self._events_until = engine_now
        self._told = frozenset(_identity(event) for event in events if event.at >= engine_now - 2)
        return news

    # In full

    async def _in_full(self, chosen: Mapping[str, Any], touched: set[str]) -> dict[str, Container]:
        now = self._now()
        due = [
            id_
            for id_, listed in chosen.items()
            if (known := self._known.get(id_)) is None
            or id_ in touched
            or known[0] != parse.fingerprint(listed)
            or now - known[1] >= _IN_FULL_S
            or parse.uptime_s(listed) < self._uptimes.get(id_, 0.0)
        ]
        self._uptimes = {id_: parse.uptime_s(listed) for id_, listed in chosen.items()}
        for found in await _each(due, self._inspected):
            if found is not None:
                self._known[found.id] = (parse.fingerprint(chosen.get(found.id)), now, self._counted(found, now))
        for gone in self._known.keys() - chosen.keys():
            del self._known[gone]
            self._restarts.pop(gone, None)
        return {id_: self._aged(self._known[id_][2], now) for id_ in chosen if id_ in self._known}

    async def _inspected(self, container_id: str) -> Container | None:
        try:
            return await self.inspect(container_id)
        except Refusal as error:
            if error.status == 404:  # it went between the list and this
                return None
            raise

    def _counted(self, found: Container, now: float) -> Container:
        """Note how often the engine has restarted it since it was seen last; at first sight what its start tells."""
        seen = self._restarts.setdefault(found.id, deque())
        if (known := self._known.get(found.id)) is not None:
            more = found.restart_count - known[2].restart_count
        else:
            is_recent = found.started_s is not None and now - found.started_s < RESTARTS_WITHIN_S
            more = int(found.restart_count > 0 and is_recent)
        if more > 0:
            seen.append((now, more))
        return found

    def _aged(self, found: Container, now: float) -> Container:
        seen = self._restarts.get(found.id, deque())
        while seen and now - seen[0][0] >= RESTARTS_WITHIN_S:
            seen.popleft()
        return replace(found, recent_restarts=sum(count for _, count in seen), use=None)

    # Use

    async def _measured(self, containers: dict[str, Container]) -> dict[str, Container]:
        """Return the containers with what was measured of them last, and begin to measure anew."""
        running = [id_ for id_, one in containers.items() if one.is_running]
        if self._measuring is None or self._measuring.done():
            limits = {id_: containers[id_].memory_limit_bytes for id_ in running}
            self._measuring = asyncio.create_task(self._measure(limits), name=f"measure {self.name}")
        if self._measures and not self._uses:
            await self._measuring
        return {
            id_: replace(one, use=self._uses.get(id_) if one.is_running else None) for id_, one in containers.items()
        }

    async def _measure(self, limits: Mapping[str, int | None]) -> None:
        # Beside the reading: an engine may take a second over each answer, one-shot or not.
        stats = dict(zip(limits, await _each(list(limits), self._stats), strict=True))
        told = {id_: found for id_, found in stats.items() if found is not None}
        self._uses = {id_: parse.use(found, self._counters.get(id_), limits[id_]) for id_, found in told.items()}
        self._counters = {id_: now for id_, found in told.items() if (now := parse.cpu_counters(found))}
        self._silent = len(limits) - len(told)

    async def _stats(self, container_id: str) -> Any:
        query = {"stream": "false", "one-shot": "true"}
        try:
            async with asyncio.timeout(_MEASURE_S):
                return await self.connection.get(f"/containers/{container_id}/stats", query)
        except (SourceError, TimeoutError):
            return None

    def _forget_use(self) -> None:
        # A rate over the time nobody looked would tell of that time.
        self._counters, self._uses, self._silent = {}, {}, 0


async def _each(ids: Sequence[str], ask: Callable[[str], Any]) -> list[Any]:
    """Ask about each, a few at a time. Raises the first SourceError."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(container_id: str) -> Any:
        async with gate:
            return await ask(container_id)

    return await _gathered([one(id_) for id_ in ids])


async def _gathered(asked: Iterable[Any]) -> list[Any]:
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


def _identity(event: ContainerEvent) -> tuple[int, str, str]:
    return event.nano, event.id, event.action


def shown_socket(socket: str) -> str:
    """Return the option that has `docker` talk to this engine; empty for the usual socket."""
    usual = ("/var/run/docker.sock", "/run/docker.sock")
    return "" if socket in usual else f"-H unix://{clean(socket, limit=200)} "
