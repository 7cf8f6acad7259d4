"""Logs of every pod a selector finds, while pods come and go."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final, Protocol

from profiles.logs import LogSource
from tui.sources.errors import SourceError, Unreachable
from tui.sources.logs.container import ContainerLog
from tui.sources.logs.endings import Gone, NotStarted, Quiet
from tui.sources.logs.intake import Intake
from tui.sources.logs.many import BACKOFF_S, FIRST_LINES, MOST, ManyFollower, One, clock, since_words
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

    @property
    def ephemeral_containers(self) -> Sequence[str]:
        """Names of `spec.ephemeralContainers`: what `kubectl debug` put into it."""
        ...

    @property
    def restarts(self) -> int:
        """How often its containers were started again, together."""
        ...


class PodLogs(Protocol):
    """What a cluster must be able to do for its logs to be followed."""

    async def pods(self, namespace: str, selector: str) -> Sequence[PodRef]:
        """Return the pods that match a label selector.

        Raises:
            SourceError: the cluster cannot be asked.
        """
        ...

    def mirrors(self, namespace: str) -> bool:
        """Tell whether the pods of a namespace are known without asking the cluster."""
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

        The first piece, an empty one, says that the cluster has agreed. It ends when the container ends, or when the
        API server loses the kubelet. `previous`: the log before its last restart, which does not grow.

        Raises:
            Gone: there is no such pod.
            NotStarted: the container has not been started yet.
            Quiet: nothing came for long.
            SourceError: the log cannot be read, or the connection broke.
        """
        ...

    async def is_there(self, namespace: str, pod: str, uid: str) -> bool:
        """Tell whether the pod of that name is still this one.

        Raises:
            SourceError: the cluster cannot be asked.
        """
        ...


class _Followed(One):
    """One container and the task that reads its log."""

    def __init__(self, source: str, ref: PodRef, container: str) -> None:
        self.log = ContainerLog(source, f"{ref.name}/{container}")
        super().__init__(self.log.origin)
        self.ref = ref
        self.container = container
        self.is_verified = False
        """Whether what the present stream brings is known to be of this pod, and not of a later one of its name."""
        self.is_read_to_end = False
        """Whether all was read that it had written when last a stream ended."""
        self.read_restarts = 0
        """The pod's restarts when that stream was opened."""
        self.reading: asyncio.Task[None] | None = None
        self.news = asyncio.Event()
        """Set when there is a reason not to wait with the next attempt."""


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

    @property
    def _lists_cheaply(self) -> bool:
        return self._entry.workload is None and self._logs.mirrors(self._namespace)

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
            return (*pod.init_containers, *pod.containers, *pod.ephemeral_containers)
        return (wanted or pod.containers[0],)

    def _attend(self, pods: Sequence[PodRef]) -> None:
        listed = [(pod, container) for pod in pods if pod.containers for container in self._containers(pod)]
        self._too_many = max(0, len(listed) - MOST)
        current = {(pod.uid, container): pod for pod, container in listed[:MOST]}
        for key, followed in list(self._followed.items()):
            pod = current.get(key)
            followed.is_listed = pod is not None
            if pod is None or pod.restarts > followed.ref.restarts:
                followed.news.set()
            followed.ref = pod or followed.ref
            if not followed.is_listed and followed.task is not None and followed.task.done():
                del self._followed[key]
        tail = self._share(len(current))
        for key, pod in current.items():
            if key not in self._followed:
                followed = _Followed(self._source, pod, key[1])
                self._begin(key, followed, self._follow(followed, tail))

    def _back_again(self) -> None:
        """Open every stream again: one that was open when the cluster went away may be dead, and would never tell."""
        for followed in self._followed.values():
            if followed.reading is not None:
                followed.reading.cancel()
            followed.news.set()

    async def _follow(self, followed: _Followed, tail: int | None) -> None:
        log, quiet = followed.log, 0
        if self._entry.previous:
            lines, _ = await self._previous(followed, tail)
            self._put(log, lines, is_backlog=tail is not None)
        while followed.is_listed:
            before = log.last
            tail = await self._attempt(followed, tail)
            # A container that has ended says nothing new, however often it is asked.
            quiet = 0 if log.last != before and not followed.trouble else quiet + 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BACKOFF_S[min(quiet, len(BACKOFF_S) - 1)]):
                    await followed.news.wait()
            followed.news.clear()
        self._conclude(followed)

    async def _attempt(self, followed: _Followed, tail: int | None) -> int | None:
        """Read the log for as long as it can be; return how many lines of its end the next attempt begins with."""
        log, restarts = followed.log, followed.ref.restarts
        log.reconnect()
        followed.is_verified = False
        followed.reading = asyncio.create_task(self._read(followed, None if log.last is not None else tail))
        try:
            await followed.reading
        except Gone:
            followed.trouble = ""  # the next listing will not have it any more
        except NotStarted as error:
            followed.trouble, followed.is_read_to_end, tail = str(error), True, None
        except Quiet:
            followed.is_read_to_end, tail = False, None
        except SourceError as error:
            followed.trouble, followed.is_read_to_end = str(error), False
        except asyncio.CancelledError:
            if not followed.reading.cancelled() or (task := asyncio.current_task()) is None or task.cancelling():
                followed.reading.cancel()
                raise
            followed.is_read_to_end = False
        else:
            followed.trouble, followed.is_read_to_end, tail = clean(log.words), not log.words, None
            followed.read_restarts = restarts
        followed.reading = None
        self._intake.drop(0, 0)
        return tail

    def _conclude(self, followed: _Followed) -> None:
        """Put what is left of a log that nobody has any more, and tell of a gap where its end was not read."""
        log = followed.log
        followed.trouble = ""
        self._intake.parse(log.parser, log.rest(), 0)
        if followed.is_read_to_end and followed.ref.restarts <= followed.read_restarts:
            return
        words = (
            "the pod went away before its log could be read"
            if log.last is None
            else f"the pod went away while its log could not be read, {since_words(log.last)}"
        )
        self._intake.gap(log.source, log.origin, words)

    async def _read(self, followed: _Followed, tail: int | None) -> None:
        log, splitter = followed.log, LineSplitter()
        is_backlog, is_cut = tail is not None, True
        stream = self._logs.follow(self._namespace, followed.ref.name, followed.container, log.since, tail)
        try:
            async for piece in stream:
                followed.trouble = ""
                for start in range(0, len(piece), _SLICE_BYTES):
                    data = piece[start : start + _SLICE_BYTES]
                    if self._intake.is_full and not log.is_read_again and followed.is_verified:
                        # Whoever tails wants the present: a flood is counted and let go, never queued without end.
                        log.let_go(splitter.partial + data)
                        self._intake.drop(splitter.lose(data), len(data))
                    else:
                        await self._take(followed, splitter.feed(data), len(data), is_backlog=is_backlog)
                    await asyncio.sleep(0)
                is_backlog = is_backlog and not piece
            followed.trouble, is_cut = "", False
        finally:
            partial = "".join(splitter.flush())
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
            self._intake.parse(log.parser, log.ends_with(partial, is_cut=is_cut), 0)

    async def _take(self, followed: _Followed, lines: Sequence[str], size: int, *, is_backlog: bool) -> None:
        log = followed.log
        if not followed.is_verified:
            began, is_known = log.begins(lines)
            if began is not None and not await self._logs.is_there(
                self._namespace, followed.ref.name, followed.ref.uid
            ):
                raise Gone("another pod has its name now")
            followed.is_verified = is_known or began is not None
            if began is not None and not log.is_joined:
                await self._bridge(followed, began)
        self._put(log, lines, size, is_backlog=is_backlog)

    async def _bridge(self, followed: _Followed, began: float) -> None:
        """Take what the container wrote before it was started again; tell of a gap where nobody has it any more."""
        log, last = followed.log, followed.log.last
        lines, is_whole = await self._previous(followed, None)
        first, is_known = log.begins(lines)
        if not is_known:
            until = (
                "" if last is None else f" {since_words(last)} and before {clock(began if first is None else first)}"
            )
            words = f"the cluster no longer has what was written{until}"
            self._intake.gap(log.source, log.origin, words, began if first is None else first)
        self._put(log, lines)
        if not is_whole and log.last is not None:
            cut = f"what was written {since_words(log.last)} and before {clock(began)} could not be read to its end"
            self._intake.gap(log.source, log.origin, cut, began)
        log.is_joined = True

    async def _previous(self, followed: _Followed, tail: int | None) -> tuple[list[str], bool]:
        """Return the lines of the container before its last restart, and whether to their end; none when none are held.

        Raises:
            Unreachable: nobody answers; it may be asked again.
        """
        splitter, lines, size, is_whole = LineSplitter(), list[str](), 0, True
        stream = self._logs.follow(
            self._namespace, followed.ref.name, followed.container, followed.log.since, tail, previous=True
        )
        try:
            async with asyncio.timeout(_PREVIOUS_S):
                async for piece in stream:
                    lines += splitter.feed(piece)
                    size += len(piece)
                    if size > _MOST_PREVIOUS:
                        is_whole = False
                        break
        except Unreachable:
            raise
        except TimeoutError:
            is_whole = False
        except SourceError:  # it was never started again, or nobody knows any more
            pass
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        # What has no time is the kubelet's own words where it has no log.
        lines = [line for line in lines + splitter.flush() if line[:1].isdigit()]
        return lines, is_whole

    def _put(self, log: ContainerLog, lines: Sequence[str], size: int = 0, *, is_backlog: bool = False) -> None:
        fresh = log.fresh(lines)
        if self._intake.is_full:
            self._intake.drop(len(fresh), size)
        else:
            self._intake.parse(log.parser, fresh, size, is_backlog=is_backlog)
