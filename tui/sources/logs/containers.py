"""Logs of every container that a pattern finds, while containers come and go."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC
from typing import Final, Protocol

from tui.sources.errors import SourceError
from tui.sources.logs.intake import Intake
from tui.sources.logs.many import BACKOFF_S, FIRST_LINES, MOST, ManyFollower, One
from tui.sources.logs.parse import LineParser
from tui.sources.logs.splitter import LineSplitter
from tui.sources.logs.times import iso_time
from tui.sources.text import clean

_IDLE_S: Final = 1.0
_ERRORS: Final = 2
"""Number of the stream that is standard error."""
_OF_A_TRACE: Final = re.compile(r"Traceback |Caused by:|[\w.]+(?:Error|Exception)\b|goroutine |panic: ")


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


class _Followed(One):
    """One container and the task that reads its log."""

    def __init__(self, source: str, ref: ContainerRef) -> None:
        super().__init__(clean(ref.name, limit=120))
        self.ref = ref
        self.streams = {1: _Stream(source, self.name), _ERRORS: _Stream(source, f"{self.name} stderr")}

    @property
    def since(self) -> str:
        """From when on to read again, as the API takes it; empty before the first line."""
        stamps = [one.last for one in self.streams.values() if one.last]
        at = iso_time(min(stamps), UTC) if stamps else None
        return "" if at is None else f"{int(at)}"


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
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])

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
