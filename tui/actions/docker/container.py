"""What restarting, stopping and starting a container have in common: which one, which run, and what became of it."""

import asyncio
import socket
import time
from typing import ClassVar, Final

from tui.actions.action import (
    Action,
    GoneError,
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
from tui.sources.docker.connection import Refusal
from tui.sources.docker.facts import Container
from tui.sources.docker.source import DockerSource, shown_socket
from tui.sources.errors import SourceError
from tui.units import span

_PATIENCE_S: Final = 12.0
"""How long the answer is waited for before looking begins: the engine answers a stop only when it is over."""
_SETTLE_S: Final = 5.0
_STEADY_S: Final = 3.0
"""How long a container without a health check must run before it counts as running."""
_MOST_S: Final = 900.0
NO_PREVIEW: Final = "no preview: Docker's API has no dry run"


def container_request(verb: str, source: str, container: Container) -> Request:
    """Return the request for a verb on a container as it was seen."""
    target = Target(source, "container", container.name, source.partition(":")[2], {"id": container.id})
    return Request(verb, target, seen={"started_at": container.started_at})


class ContainerVerb:
    """One change of a container's life."""

    name: ClassVar[str]
    title: ClassVar[str]
    ends_target = False
    hold_s: ClassVar[float]
    _path: ClassVar[str]
    """Last part of the API's path, and the word of `docker`."""
    _risk: ClassVar[Risk]
    _after: ClassVar[str]

    def __init__(self, source: DockerSource) -> None:
        self._source = source
        self._pending: dict[str, asyncio.Task[int]] = {}
        """By the action's id: a change whose answer is still to come."""
        self._steady: dict[tuple[str, str], float] = {}
        """By id and run: when it was first seen to run."""

    # Each verb's own

    def _unfit(self, now: Container) -> str:
        """Return why the change makes no sense for a container in this state; empty when it does."""
        raise NotImplementedError

    def _became(self, now: Container, sent: Sent) -> Look:
        """Tell what became of a container that is still there."""
        raise NotImplementedError

    def _impact(self, now: Container) -> tuple[str, ...]:
        raise NotImplementedError

    def _inverse(self, request: Request, now: Container) -> Request | None:
        return None

    def _deadline_s(self, now: Container) -> float:
        return min(_MOST_S, now.stop_timeout_s + now.health_wait_s + 30.0)

    # The verb

    def forbidden(self, request: Request) -> str:
        """Return nothing: whoever may open the socket may do everything."""
        return ""

    async def plan(self, request: Request) -> Action:
        """Read the container again, and say who notices.

        Raises:
            NotSentError: it is gone, was started anew since it was seen, or the change makes no sense now.
            SourceError: the engine could not be asked.
        """
        now = await self._read(request)
        _same_run(now, str(request.seen.get("started_at", "")))
        if why := self._unfit(now):
            raise NotSentError(why)
        is_own = socket.gethostname() == now.short_id
        inverse = self._inverse(request, now)
        owners = (f"{now.owner} looks after it and may undo this or do it again",) if now.owner else ()
        return Action(
            request=request,
            before=_state(now),
            after=self._after,
            risk=Risk.HIGH if is_own else self._risk,
            risk_reason="opstui itself runs in this container" if is_own else "",
            command=f"docker {shown_socket(self._source.socket)}{self._path} {now.short_id}  # {now.name}",
            preview=(NO_PREVIEW,),
            deadline_s=self._deadline_s(now),
            inverse=inverse,
            undo="start it again" if inverse else "cannot be undone",
            impact=(*_who(now), *self._impact(now), *owners),
            evidence={"started_at": now.started_at, "stop_s": now.stop_timeout_s, "removes": now.is_removed_on_exit},
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the same run is still there, and its state. Raises SourceError."""
        try:
            now = await self._read(action.request)
            _same_run(now, str(action.evidence["started_at"]))
        except GoneError as error:
            return Sight.GONE, str(error)
        except NotSentError as error:
            return Sight.CHANGED, str(error)
        return (Sight.UNCHANGED, _state(now)) if not (why := self._unfit(now)) else (Sight.CHANGED, why)

    async def execute(self, action: Action) -> Receipt:
        """Compare the run, then send the change, once, to the container's full id.

        Raises:
            NotSentError: it is gone, runs anew, was so already, or nobody was reached.
            SourceError: anything may have happened.
        """
        try:
            now = await self._read(action.request)
        except SourceError as error:
            raise NotSentError(f"nothing was sent: {error}") from error
        _same_run(now, str(action.evidence["started_at"]))
        if why := self._unfit(now):
            raise NotSentError(why)
        task = asyncio.create_task(self._post(now.id, action.deadline_s))
        self._pending[action.id] = task
        done, _ = await asyncio.wait({task}, timeout=_PATIENCE_S)
        if not done:
            return Receipt(f"sent; the engine answers when it is over, after up to {span(now.stop_timeout_s)} to stop")
        del self._pending[action.id]
        if task.result() == 304:
            raise NotSentError("the engine changed nothing: it was so already")
        return Receipt("done, says the engine")

    async def _post(self, container_id: str, timeout_s: float) -> int:
        try:
            return await self._source.connection.post(f"/containers/{container_id}/{self._path}", {}, timeout_s)
        except Refusal as error:
            if error.status == 404:
                raise GoneError(f"it is gone: {error.message}") from error
            if error.status in (400, 409):
                raise NotSentError(f"refused: {error.message}") from error
            raise

    async def look(self, sent: Sent) -> Look:
        """Look at the container, and at the answer if it is still to come. Raises SourceError."""
        task = self._pending.get(sent.id)
        if task is not None and task.done():
            del self._pending[sent.id]
            if not task.cancelled() and (error := task.exception()) is not None:
                if isinstance(error, Refusal | NotSentError):
                    return Look(Phase.NOT_CONVERGED, str(error))
                if not isinstance(error, SourceError):
                    raise error
        try:
            now = await self._read(sent.request)
        except GoneError as error:
            if sent.evidence.get("removes") and self._path == "stop":
                return Look(Phase.CONVERGED, "it stopped, and was removed with that (--rm)")
            return Look(Phase.NOT_CONVERGED, str(error))
        return self._became(now, sent)

    async def _read(self, request: Request) -> Container:
        try:
            return await self._source.inspect(str(request.target.identity["id"]))
        except Refusal as error:
            if error.status == 404:
                raise GoneError(f"container {request.target.name} is gone: it was removed") from error
            raise

    # What became of it

    def _is_same(self, now: Container, sent: Sent) -> bool:
        return now.started_at == sent.evidence.get("started_at")

    def _is_early(self, sent: Sent) -> bool:
        """Tell whether the engine may still be at it: stopping takes as long as the container's own timeout."""
        stop_s = sent.evidence.get("stop_s")
        return time.time() - sent.at < (float(stop_s) if isinstance(stop_s, int | float) else 10.0) + _SETTLE_S

    def _runs(self, now: Container, sent: Sent) -> Look:
        """Tell whether a new run has come up."""
        if now.status == "restarting" or not now.is_running:
            return Look(Phase.NOT_CONVERGED, f"it started and ended again: {_ending(now)}")
        since = self._steady.setdefault((now.id, now.started_at), time.monotonic())
        if now.health == "healthy":
            return Look(Phase.CONVERGED, "running, healthy")
        if now.health == "unhealthy":
            return Look(Phase.NOT_CONVERGED, f"running, unhealthy: {last_words(now) or 'its check says nothing'}")
        if now.health:
            return Look(Phase.WAITING, f"running, health check: {now.health}")
        if time.monotonic() - since < _STEADY_S:
            return Look(Phase.WAITING, f"running; counts when it has run for {_STEADY_S:g} s")
        return Look(Phase.CONVERGED, "running (it has no health check)")


def _same_run(now: Container, started_at: str) -> None:
    # One that the engine restarts again and again has a new run at every look: what is meant is all of them. A person's
    # own start or restart sets the count back to 0.
    if started_at and now.started_at != started_at and not now.restart_count:
        raise NotSentError(f"container {now.name} was started anew since you saw it; look again")


def _state(now: Container) -> str:
    health = f", {now.health}" if now.health and now.is_running else ""
    up = f", up {span(max(0.0, time.time() - now.started_s))}" if now.is_running and now.started_s else ""
    return f"{now.words}{health}{up}, restarted {now.restart_count} times by the engine"


def _ending(now: Container) -> str:
    return now.error or now.words


def last_words(now: Container) -> str:
    """Return what the newest failed health check said."""
    return next((probe.output for probe in reversed(now.probes) if probe.exit_code), "")


def _who(now: Container) -> tuple[str, ...]:
    compose = f"compose service {now.project}/{now.service}" if now.project else ""
    ports = f"whoever uses {', '.join(now.ports)}" if now.ports else ""
    return tuple(filter(None, (f"image {now.image}", compose, ports)))
