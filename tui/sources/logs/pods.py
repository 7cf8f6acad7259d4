"""Logs of every pod a selector finds, while pods come and go."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

from tui.sources.errors import SourceError, Unreadable
from tui.sources.logs.intake import Intake
from tui.sources.logs.parse import LineParser
from tui.sources.logs.splitter import LineSplitter
from tui.sources.logs.times import iso_time
from tui.sources.text import clean

_LOG: Final = logging.getLogger(__name__)
MAX_PODS: Final = 50
FIRST_LINES: Final = 200
_LIST_S: Final = 5.0
_BACKOFF_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
_SLICE_BYTES: Final = 32 * 1024
_RECENT: Final = 200


class PodRef(Protocol):
    """A pod whose logs can be followed."""

    @property
    def name(self) -> str:
        """`metadata.name`."""
        ...

    @property
    def uid(self) -> str:
        """`metadata.uid`."""
        ...

    @property
    def containers(self) -> Sequence[str]:
        """Names of `spec.containers`, in order."""
        ...


class PodLogs(Protocol):
    """What a cluster must be able to do for its logs to be followed."""

    async def pods(self, namespace: str, selector: str) -> Sequence[PodRef]:
        """Return the pods that match a label selector.

        Raises:
            SourceError: the cluster cannot be asked.
        """
        ...

    def follow(
        self, namespace: str, pod: str, container: str, since_time: datetime | None, tail_lines: int | None
    ) -> AsyncIterator[bytes]:
        """Yield a container's log as it grows (`follow=true&timestamps=true`), in pieces of any size.

        It ends when the container ends.

        Raises:
            SourceError: the log cannot be read, or the connection broke.
        """
        ...


class _Container:
    """Where the reading of one container's log stands, across connections."""

    def __init__(self, source: str, pod: str, container: str) -> None:
        self.parser = LineParser(source, clean(f"{pod}/{container}", limit=120), UTC)
        self.last: float | None = None
        self._recent: deque[str] = deque(maxlen=_RECENT)

    def fresh(self, lines: Sequence[str]) -> list[str]:
        """Return the lines not seen before, without the cluster's time in front of them.

        `sinceTime` counts whole seconds, so the lines of the last one come again.
        """
        found = []
        for line in lines:
            stamp, space, text = line.partition(" ")
            at = iso_time(stamp, UTC) if space and stamp[:1].isdigit() else None
            if at is None:
                found.append(line)
                continue
            if self.last is not None and (at < self.last or (at == self.last and line in self._recent)):
                continue
            if at != self.last:
                self._recent.clear()
            self.last = at
            self._recent.append(line)
            found.append(text)
        return found


class _Followed:
    """One pod and the task that reads its log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.trouble = ""
        self.is_listed = True
        """Whether the pod still exists; if not, its log is read to its end."""
        self.task: asyncio.Task[None] | None = None


class PodFollower:
    """Follows one container of every pod that matches, each in a task of its own."""

    def __init__(
        self,
        source: str,
        logs: PodLogs,
        namespace: str,
        selector: str,
        container: str | None,
        intake: Intake,
        *,
        first_lines: int = FIRST_LINES,
    ) -> None:
        """Name the pods; nothing is read yet. `first_lines` of all together are shown of what was there before."""
        self._source = source
        self._logs = logs
        self._namespace = namespace
        self._selector = selector
        self._container = container
        self._first_lines = first_lines
        self._intake = intake
        self._followed: dict[str, _Followed] = {}
        """By the pod's uid."""
        self._listing = "waiting for the cluster"
        self._has_listed = False
        self._too_many = 0
        self._task: asyncio.Task[None] | None = None
        self.failure: SourceError | None = None

    @property
    def following(self) -> tuple[str, ...]:
        """The pods, as `name/container`."""
        return tuple(each.name for each in self._followed.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """What cannot be listed or followed."""
        found = [self._listing] if self._listing else []
        found.extend(f"{each.name}: {each.trouble}" for each in self._followed.values() if each.trouble)
        if self._too_many:
            found.append(f"{self._too_many} more pods match than the {MAX_PODS} that are followed")
        if not self._followed and not found:
            found.append(f"no pod matches {clean(self._selector)} in {clean(self._namespace)} yet")
        return tuple(found)

    @property
    def has_caught_up(self) -> bool:
        """Nothing tells: what was there before and what comes now are one stream."""
        return False

    def start(self) -> None:
        """Begin to list and follow."""
        self._task = asyncio.create_task(self._run(), name=f"logs {self._source}")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None], followed: _Followed | None = None) -> None:
        """Tell of a task that a bug ended: without a word the log would only look quiet."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        _LOG.error("following %s", followed.name if followed else self._source, exc_info=error)
        if followed is not None:
            followed.trouble = "following stopped: a bug in opstui; see the log file"
        else:
            self._listing = "following stopped: a bug in opstui; see the log file"
            self.failure = Unreadable("following stopped: a bug in opstui", "see the log file")
        self._intake.drop(0, 0)

    async def close(self) -> None:
        """Stop every task."""
        tasks = [task for task in (self._task, *(each.task for each in self._followed.values())) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)

    async def _run(self) -> None:
        while True:
            try:
                pods = await self._logs.pods(self._namespace, self._selector)
            except SourceError as error:
                self._listing = f"pods cannot be listed: {error}"
                self.failure = None if self._followed else error
                self._intake.drop(0, 0)
            else:
                self._listing, self.failure = "", None
                self._attend(pods)
            await asyncio.sleep(_LIST_S if self._has_listed else _BACKOFF_S[0])

    def _attend(self, pods: Sequence[PodRef]) -> None:
        listed = [pod for pod in pods if pod.containers]
        self._too_many = max(0, len(listed) - MAX_PODS)
        current = {pod.uid: pod for pod in listed[:MAX_PODS]}
        for uid, followed in list(self._followed.items()):
            followed.is_listed = uid in current
            if not followed.is_listed and followed.task is not None and (followed.trouble or followed.task.done()):
                followed.task.cancel()
                del self._followed[uid]
        # What began before we looked is shown by its end; a pod that came since is shown from its beginning.
        tail = None if self._has_listed else max(10, self._first_lines // max(1, len(current)))
        self._has_listed = True
        for uid, pod in current.items():
            if uid not in self._followed:
                container = self._container or pod.containers[0]
                followed = self._followed[uid] = _Followed(clean(f"{pod.name}/{container}", limit=120))
                followed.task = asyncio.create_task(self._follow(followed, pod.name, container, tail))
                followed.task.add_done_callback(partial(self._ended, followed=followed))

    async def _follow(self, followed: _Followed, pod: str, container: str, tail: int | None) -> None:
        state = _Container(self._source, pod, container)
        failures = 0
        while followed.is_listed:
            since = datetime.fromtimestamp(int(state.last), UTC) if state.last is not None else None
            try:
                await self._read(followed, state, pod, container, since, None if since else tail)
                failures = 0
            except SourceError as error:
                followed.trouble = str(error)
                failures += 1
                self._intake.drop(0, 0)
            await asyncio.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])

    async def _read(
        self,
        followed: _Followed,
        state: _Container,
        pod: str,
        container: str,
        since: datetime | None,
        tail: int | None,
    ) -> None:
        splitter = LineSplitter()
        is_backlog = tail is not None
        stream = self._logs.follow(self._namespace, pod, container, since, tail)
        try:
            async for piece in stream:
                followed.trouble = ""
                for start in range(0, len(piece), _SLICE_BYTES):
                    self._take(state, splitter, piece[start : start + _SLICE_BYTES], is_backlog)
                    await asyncio.sleep(0)
                is_backlog = False
            followed.trouble = ""
            self._intake.parse(state.parser, state.fresh(splitter.flush()), 0)
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    def _take(self, state: _Container, splitter: LineSplitter, data: bytes, is_backlog: bool) -> None:
        if self._intake.is_full:
            self._intake.drop(splitter.lose(data), len(data))
        else:
            lines = state.fresh(splitter.feed(data))
            self._intake.parse(state.parser, lines, len(data), is_backlog=is_backlog)
