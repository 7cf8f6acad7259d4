"""Logs of every pod a selector finds, while pods come and go."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final, Protocol

from profiles.schema import LogSource
from tui.sources.errors import SourceError
from tui.sources.logs.container import ContainerLog
from tui.sources.logs.intake import Intake
from tui.sources.logs.many import BACKOFF_S, FIRST_LINES, MOST, ManyFollower, One
from tui.sources.logs.splitter import LineSplitter
from tui.sources.text import clean

_SLICE_BYTES: Final = 32 * 1024
_MOST_PREVIOUS: Final = 16 * 1024 * 1024
"""Bytes of the log before a restart that are read at most."""
_PREVIOUS_S: Final = 20.0


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

    @property
    def init_containers(self) -> Sequence[str]:
        """Names of `spec.initContainers` that must end before the others begin."""
        ...


class PodLogs(Protocol):
    """What a cluster must be able to do for its logs to be followed."""

    async def pods(self, namespace: str, selector: str) -> Sequence[PodRef]:
        """Return the pods that match a label selector.

        Raises:
            SourceError: the cluster cannot be asked.
        """
        ...

    async def selector(self, namespace: str, kind: str, name: str) -> str:
        """Return the label selector by which a workload finds its pods.

        Raises:
            SourceError: it cannot be read.
        """
        ...

    def follow(
        self,
        namespace: str,
        pod: str,
        container: str,
        since_time: datetime | None,
        tail_lines: int | None,
        *,
        previous: bool = False,
    ) -> AsyncIterator[bytes]:
        """Yield a container's log as it grows (`follow=true&timestamps=true`), in pieces of any size.

        It ends when the container ends. `previous`: the log before its last restart, which does not grow.

        Raises:
            SourceError: the log cannot be read, or the connection broke.
        """
        ...


class _Followed(One):
    """One container and the task that reads its log."""

    def __init__(self, source: str, pod: str, container: str) -> None:
        self.log = ContainerLog(source, pod, container)
        super().__init__(self.log.origin)
        self.pod = pod
        self.container = container


class PodFollower(ManyFollower[PodRef, tuple[str, str], _Followed]):
    """Follows containers of every pod that matches, each in a task of its own; by the pod's uid and its own name."""

    def __init__(
        self,
        source: str,
        logs: PodLogs,
        entry: LogSource,
        intake: Intake,
        *,
        first_lines: int = FIRST_LINES,
    ) -> None:
        """Name the pods; nothing is read yet. `first_lines` of all together are shown of what was there before."""
        super().__init__(source, intake, of="pods", listed_by="the cluster", first_lines=first_lines)
        self._logs = logs
        self._entry = entry
        self._namespace = entry.namespace or ""

    def _nothing(self) -> str:
        wanted = self._entry.pods or self._entry.workload or self._entry.pod or ""
        return f"no pod matches {clean(wanted)} in {clean(self._namespace)} yet"

    async def _list(self) -> Sequence[PodRef]:
        entry = self._entry
        if entry.workload is not None:
            kind, _, name = entry.workload.partition("/")
            return await self._logs.pods(self._namespace, await self._logs.selector(self._namespace, kind, name))
        pods = await self._logs.pods(self._namespace, entry.pods or "")
        return pods if entry.pod is None else [pod for pod in pods if fnmatchcase(pod.name, entry.pod)]

    def _containers(self, pod: PodRef) -> Sequence[str]:
        wanted = self._entry.container
        if wanted == "*":
            return (*pod.init_containers, *pod.containers)
        return (wanted or pod.containers[0],)

    def _attend(self, pods: Sequence[PodRef]) -> None:
        listed = [(pod, container) for pod in pods if pod.containers for container in self._containers(pod)]
        self._too_many = max(0, len(listed) - MOST)
        current = {(pod.uid, container): pod for pod, container in listed[:MOST]}
        for key, followed in list(self._followed.items()):
            followed.is_listed = key in current
            if not followed.is_listed and followed.task is not None and (followed.trouble or followed.task.done()):
                if followed.trouble and followed.log.last is not None:
                    self._intake.gap(
                        self._source,
                        followed.name,
                        f"the pod went away while its log could not be read, {_since(followed.log.last)}",
                    )
                followed.task.cancel()
                del self._followed[key]
        tail = self._share(len(current))
        for key, pod in current.items():
            if key not in self._followed:
                followed = _Followed(self._source, pod.name, key[1])
                self._begin(key, followed, self._follow(followed, tail))

    async def _follow(self, followed: _Followed, tail: int | None) -> None:
        log, quiet = followed.log, 0
        if self._entry.previous:
            self._put(log, await self._previous(followed, tail), is_backlog=tail is not None)
        while followed.is_listed:
            before = log.last
            log.reconnect()
            try:
                await self._read(followed, None if log.last is not None else tail)
            except SourceError as error:
                followed.trouble = str(error)
                self._intake.drop(0, 0)
            # A container that has ended says nothing new, however often it is asked.
            quiet = 0 if log.last != before and not followed.trouble else quiet + 1
            await asyncio.sleep(BACKOFF_S[min(quiet, len(BACKOFF_S) - 1)])

    async def _read(self, followed: _Followed, tail: int | None) -> None:
        log, splitter = followed.log, LineSplitter()
        is_backlog = tail is not None
        stream = self._logs.follow(self._namespace, followed.pod, followed.container, log.since, tail)
        try:
            async for piece in stream:
                followed.trouble = ""
                for start in range(0, len(piece), _SLICE_BYTES):
                    data = piece[start : start + _SLICE_BYTES]
                    if self._intake.is_full:
                        self._intake.drop(splitter.lose(data), len(data))
                        log.is_joined = True  # what is missing is counted
                    else:
                        await self._take(followed, splitter.feed(data), len(data), is_backlog=is_backlog)
                    await asyncio.sleep(0)
                is_backlog = False
            followed.trouble = ""
            await self._take(followed, splitter.flush(), 0, is_backlog=False)
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    async def _take(self, followed: _Followed, lines: Sequence[str], size: int, *, is_backlog: bool) -> None:
        log = followed.log
        if (began := log.gap_at(lines)) is not None:
            await self._bridge(followed, began)
        self._put(log, lines, size, is_backlog=is_backlog)

    async def _bridge(self, followed: _Followed, began: float) -> None:
        """Take what the container wrote before it was started again; tell of a gap where nobody has it any more."""
        log, last = followed.log, followed.log.last
        lines = await self._previous(followed, None)
        if not lines or log.gap_at(lines) is not None:
            until = "" if last is None else f" {_since(last)} and before {_clock(began)}"
            self._intake.gap(log.source, log.origin, f"the cluster no longer has what was written{until}", began)
        self._put(log, lines)
        log.is_joined = True

    async def _previous(self, followed: _Followed, tail: int | None) -> list[str]:
        """Return the lines of the container before its last restart; none when there are none."""
        splitter, lines, size = LineSplitter(), list[str](), 0
        stream = self._logs.follow(
            self._namespace, followed.pod, followed.container, followed.log.since, tail, previous=True
        )
        try:
            async with asyncio.timeout(_PREVIOUS_S):
                async for piece in stream:
                    lines += splitter.feed(piece)
                    size += len(piece)
                    if size > _MOST_PREVIOUS:
                        break
        except (SourceError, TimeoutError):  # it was never started again, or nobody knows any more
            return lines
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        return lines + splitter.flush()

    def _put(self, log: ContainerLog, lines: Sequence[str], size: int = 0, *, is_backlog: bool = False) -> None:
        self._intake.parse(log.parser, log.fresh(lines), size, is_backlog=is_backlog)


def _clock(at: float) -> str:
    return f"{time.strftime('%H:%M:%S', time.gmtime(at))} UTC"


def _since(at: float) -> str:
    return f"after {_clock(at)}"
