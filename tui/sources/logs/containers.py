"""Logs of every container that a pattern finds, while containers come and go."""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC
from functools import partial
from typing import Final, Protocol

from tui.sources.errors import SourceError, Unreadable
from tui.sources.logs.intake import Intake
from tui.sources.logs.parse import LineParser
from tui.sources.logs.splitter import LineSplitter
from tui.sources.logs.times import iso_time
from tui.sources.text import clean

_LOG: Final = logging.getLogger(__name__)
MAX_CONTAINERS: Final = 50
FIRST_LINES: Final = 200
_LIST_S: Final = 5.0
_BACKOFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
_IDLE_S: Final = 1.0
_ERRORS: Final = 2
"""Number of the stream that is standard error."""
_OF_A_TRACE: Final = re.compile(r"Traceback |Caused by:|[\w.]+(?:Error|Exception)\b|goroutine |panic: ")
_BUG: Final = "following stopped: a bug in opstui"


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


class _Stream:
    """Standard output or standard error of one container: its lines, across connections."""

    def __init__(self, source: str, origin: str) -> None:
        self.parser = LineParser(source, origin, UTC)
        self.splitter = LineSplitter()
        self.last = ""
        """Timestamp of the newest line; an engine's have one length, so that text compares as time does."""
        self._of_last: Counter[str] = Counter()
        """The lines with that timestamp, which may have whole seconds only."""
        self._again: Counter[str] | None = None
        """Of a log that is read again: those lines that are still to come a second time; None in any other."""

    def resume(self) -> None:
        """Take that the log is read again, from before the newest line."""
        self.splitter.flush()
        self._again = Counter(self._of_last)

    def fresh(self, lines: Sequence[str]) -> list[str]:
        """Return the lines not seen before; the engine's time stays in front of one that has no time of its own."""
        found = []
        for line in lines:
            stamp, space, text = line.partition(" ")
            if not space or not stamp[:1].isdigit():
                found.append(line)
                continue
            if self._is_known(stamp, line):
                continue
            if stamp != self.last:
                self._of_last.clear()
            self.last = stamp
            self._of_last[line] += 1
            found.append(line if _has_no_time(text) else text)
        return found

    def _is_known(self, stamp: str, line: str) -> bool:
        if self._again is None or stamp > self.last:
            self._again = None
            return False
        if stamp == self.last and self._again[line] <= 0:
            return False
        self._again[line] -= 1
        return True


def _has_no_time(text: str) -> bool:
    # A time stands at the beginning, or in a JSON line. What is indented, or is an exception's own line, belongs to
    # the line before it, and is recognized only when nothing stands in front.
    return text[:1].isalpha() and _OF_A_TRACE.match(text) is None


class _Followed:
    """One container and the task that reads its log."""

    def __init__(self, source: str, ref: ContainerRef) -> None:
        self.name = clean(ref.name, limit=120)
        self.ref = ref
        self.is_listed = True
        self.trouble = ""
        self.task: asyncio.Task[None] | None = None
        self.streams = {1: _Stream(source, self.name), _ERRORS: _Stream(source, f"{self.name} stderr")}

    @property
    def since(self) -> str:
        """From when on to read again, as the API takes it; empty before the first line."""
        stamps = [one.last for one in self.streams.values() if one.last]
        at = iso_time(min(stamps), UTC) if stamps else None
        return "" if at is None else f"{int(at)}"


class ContainerFollower:
    """Follows every container that matches, each in a task of its own."""

    def __init__(
        self, source: str, logs: ContainerLogs, pattern: str, intake: Intake, *, first_lines: int = FIRST_LINES
    ) -> None:
        """Name the containers; nothing is read yet. `first_lines` of all together are shown of what was before."""
        self._source = source
        self._logs = logs
        self._pattern = pattern
        self._intake = intake
        self._first_lines = first_lines
        self._followed: dict[str, _Followed] = {}
        self._listing = "waiting for the engine"
        self._has_listed = False
        self._too_many = 0
        self._task: asyncio.Task[None] | None = None
        self.failure: SourceError | None = None

    @property
    def following(self) -> tuple[str, ...]:
        """Names of the containers."""
        return tuple(each.name for each in self._followed.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """What cannot be listed or followed."""
        found = [self._listing] if self._listing else []
        found += [f"{each.name}: {each.trouble}" for each in self._followed.values() if each.trouble]
        if self._too_many:
            found.append(f"{self._too_many} more containers match than the {MAX_CONTAINERS} that are followed")
        if not self._followed and not found:
            found.append(f"no container matches {clean(self._pattern)} yet")
        return tuple(found)

    @property
    def has_caught_up(self) -> bool:
        """Nothing tells: what was there before and what comes now are one stream."""
        return False

    def start(self) -> None:
        """Begin to list and follow."""
        self._task = asyncio.create_task(self._run(), name=f"logs {self._source}")
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Stop every task and give the connection back."""
        tasks = [task for task in (self._task, *(each.task for each in self._followed.values())) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)
        await self._logs.close()

    def _ended(self, task: asyncio.Task[None], followed: _Followed | None = None) -> None:
        """Tell of a task that a bug ended: without a word the log would only look quiet."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        _LOG.error("following %s", followed.name if followed else self._source, exc_info=error)
        if followed is not None:
            followed.trouble = f"{_BUG}; see the log file"
        else:
            self._listing = f"{_BUG}; see the log file"
            self.failure = Unreadable(_BUG, "see the log file")
        self._intake.drop(0, 0)

    async def _run(self) -> None:
        while True:
            try:
                found = await self._logs.containers(self._pattern)
            except SourceError as error:
                self._listing = f"containers cannot be listed: {error}"
                self.failure = None if self._followed else error
                self._intake.drop(0, 0)
            else:
                self._listing, self.failure = "", None
                self._attend(found)
            await asyncio.sleep(_LIST_S if self._has_listed else _BACKOFF_S[0])

    def _attend(self, found: Sequence[ContainerRef]) -> None:
        self._too_many = max(0, len(found) - MAX_CONTAINERS)
        current = {ref.id: ref for ref in found[:MAX_CONTAINERS]}
        for id_, followed in list(self._followed.items()):
            followed.is_listed = id_ in current
            followed.ref = current.get(id_, followed.ref)
            if not followed.is_listed and followed.task is not None and (followed.trouble or followed.task.done()):
                followed.task.cancel()
                del self._followed[id_]
        # What began before we looked is shown by its end; a container that came since from its beginning.
        tail = None if self._has_listed else max(10, self._first_lines // max(1, len(current)))
        self._has_listed = True
        for id_, ref in current.items():
            if id_ not in self._followed:
                followed = self._followed[id_] = _Followed(self._source, ref)
                followed.task = asyncio.create_task(self._follow(followed, tail))
                followed.task.add_done_callback(partial(self._ended, followed=followed))

    async def _follow(self, followed: _Followed, tail: int | None) -> None:
        failures, has_read = 0, False
        while followed.is_listed:
            if has_read and not followed.ref.is_running:
                await asyncio.sleep(_IDLE_S)  # its log is read to the end; more comes when it is started again
                continue
            since = followed.since
            try:
                await self._read(followed, since, None if since else tail)
                failures, has_read = 0, True
            except SourceError as error:
                followed.trouble = str(error)
                failures += 1
                self._intake.drop(0, 0)
            await asyncio.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])

    async def _read(self, followed: _Followed, since: str, tail: int | None) -> None:
        is_backlog = tail is not None
        for one in followed.streams.values():
            one.resume()
        stream = self._logs.follow(followed.ref.id, since, tail)
        try:
            async for number, data in stream:
                followed.trouble = ""
                self._take(followed.streams[_ERRORS if number == _ERRORS else 1], data, is_backlog)
                is_backlog = False
                await asyncio.sleep(0)
            followed.trouble = ""
        finally:
            for one in followed.streams.values():
                self._intake.parse(one.parser, one.fresh(one.splitter.flush()), 0)
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    def _take(self, stream: _Stream, data: bytes, is_backlog: bool) -> None:
        if self._intake.is_full:
            # Whoever tails wants the present: a flood is counted and let go, never queued without end.
            self._intake.drop(stream.splitter.lose(data), len(data))
        else:
            self._intake.parse(
                stream.parser, stream.fresh(stream.splitter.feed(data)), len(data), is_backlog=is_backlog
            )
