"""Logs of every container that a pattern finds, while containers come and go."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final, Protocol

from tui.sources.errors import SourceError
from tui.sources.logs.container import ContainerLog
from tui.sources.logs.intake import Intake
from tui.sources.logs.many import BACKOFF_S, FIRST_LINES, MOST, ManyFollower, One, clock, since_words
from tui.sources.logs.splitter import LineSplitter
from tui.sources.text import clean

_IDLE_S: Final = 1.0
_ERRORS: Final = 2
"""Number of the stream that is standard error."""


class ContainerRef(Protocol):
    """A container whose log can be followed."""

    @property
    def id(self) -> str:
        """Its full id."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether more lines may come."""
        ...


class ContainerLogs(Protocol):
    """What an engine must offer."""

    async def containers(self, pattern: str) -> Sequence[ContainerRef]:
        """Return the containers whose names match. Raises SourceError."""
        ...

    def follow(self, container_id: str, since: str, tail: int | None) -> AsyncIterator[tuple[int, bytes]]:
        """Yield stream and bytes of a container's log as it grows; ends with the container. Raises SourceError."""
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...


class _Followed(One):
    """One container and the task that reads its log."""

    def __init__(self, source: str, ref: ContainerRef) -> None:
        super().__init__(clean(ref.name, limit=120))
        self.ref = ref
        self.streams = {1: ContainerLog(source, self.name), _ERRORS: ContainerLog(source, f"{self.name} stderr")}
        self.is_read_to_end = False
        """Whether all was read that it had written when last a stream ended."""

    @property
    def since(self) -> str:
        """From when on to read again, as the API takes it; empty before the first line."""
        moments = [one.since.timestamp() for one in self.streams.values() if one.since is not None]
        return f"{int(min(moments))}" if moments else ""


class ContainerFollower(ManyFollower[ContainerRef, str, _Followed]):
    """Follows every container that matches, each in a task of its own."""

    def __init__(
        self, source: str, logs: ContainerLogs, pattern: str, intake: Intake, *, first_lines: int = FIRST_LINES
    ) -> None:
        """Name the containers; nothing is read yet. `first_lines` of all together are shown of what was before."""
        super().__init__(source, intake, of="containers", listed_by="the engine", first_lines=first_lines)
        self._logs = logs
        self._pattern = pattern

    async def close(self) -> None:
        """Stop every task and give the connection back."""
        await super().close()
        await self._logs.close()

    async def _list(self) -> Sequence[ContainerRef]:
        return await self._logs.containers(self._pattern)

    def _nothing(self) -> str:
        return f"no container matches {clean(self._pattern)} yet"

    def _attend(self, found: Sequence[ContainerRef]) -> None:
        self._too_many = max(0, len(found) - MOST)
        current = {ref.id: ref for ref in found[:MOST]}
        for id_, followed in list(self._followed.items()):
            followed.is_listed = id_ in current
            followed.ref = current.get(id_, followed.ref)
            if not followed.is_listed and followed.task is not None and (followed.trouble or followed.task.done()):
                followed.task.cancel()
                self._conclude(followed)
                del self._followed[id_]
        tail = self._share(len(current))
        for id_, ref in current.items():
            if id_ not in self._followed:
                followed = _Followed(self._source, ref)
                self._begin(id_, followed, self._follow(followed, tail))

    async def _follow(self, followed: _Followed, tail: int | None) -> None:
        failures, has_read = 0, False
        while followed.is_listed:
            if has_read and not followed.ref.is_running:
                self._put_rest(followed)
                await asyncio.sleep(_IDLE_S)  # its log is read to the end; more comes when it is started again
                continue
            since = followed.since
            try:
                await self._read(followed, since, None if since else tail)
                failures, has_read, followed.is_read_to_end = 0, True, True
            except SourceError as error:
                followed.trouble, followed.is_read_to_end = str(error), False
                failures += 1
                self._intake.drop(0, 0)
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])

    def _conclude(self, followed: _Followed) -> None:
        """Put what is left of a log that nobody has any more, and tell of a gap where its end was not read."""
        self._put_rest(followed)
        if not followed.is_read_to_end:
            told = [one.last for one in followed.streams.values() if one.last is not None]
            after = f"while its log could not be read, {since_words(max(told))}" if told else "before it could be read"
            self._intake.gap(self._source, followed.name, f"the container was removed {after}")

    def _put_rest(self, followed: _Followed) -> None:
        for one in followed.streams.values():
            self._intake.parse(one.parser, one.rest(), 0)

    async def _read(self, followed: _Followed, since: str, tail: int | None) -> None:
        is_backlog, is_cut = tail is not None, True
        splitters = {number: LineSplitter() for number in followed.streams}
        for one in followed.streams.values():
            one.reconnect()
        stream = self._logs.follow(followed.ref.id, since, tail)
        try:
            async for number, data in stream:
                followed.trouble = ""
                kind = _ERRORS if number == _ERRORS else 1
                self._take(followed.streams[kind], splitters[kind], data, is_backlog)
                is_backlog = False
                await asyncio.sleep(0)
            followed.trouble, is_cut = "", False
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
            for kind, one in followed.streams.items():
                partial = "".join(splitters[kind].flush())
                self._intake.parse(one.parser, one.ends_with(partial, is_cut=is_cut), 0)

    def _take(self, log: ContainerLog, splitter: LineSplitter, data: bytes, is_backlog: bool) -> None:
        if self._intake.is_full and not log.is_read_again:
            # Whoever tails wants the present: a flood is counted and let go, never queued without end.
            log.let_go(splitter.partial + data)
            self._intake.drop(splitter.lose(data), len(data))
            return
        lines = splitter.feed(data)
        began, _ = log.begins(lines)
        if began is not None and not log.is_joined and log.last is not None:
            words = f"the engine no longer has what was written {since_words(log.last)} and before {clock(began)}"
            self._intake.gap(self._source, log.origin, words, began)
            log.is_joined = True
        fresh = log.fresh(lines)
        if self._intake.is_full:
            self._intake.drop(len(fresh), len(data))
        else:
            self._intake.parse(log.parser, fresh, len(data), is_backlog=is_backlog)
