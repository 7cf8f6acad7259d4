"""Restarting, stopping and starting a container."""

from typing import Final

from tui.actions.action import CANNOT_BE_UNDONE, About, Look, Phase, Request, Risk, Sent
from tui.actions.docker.container import ContainerVerb
from tui.sources.docker.facts import Container

RESTART: Final = "restart-container"
STOP: Final = "stop-container"
START: Final = "start-container"
_IDENTITY: Final = "the full container id in the request's path, never given twice; StartedAt compared just before"
_WINDOW: Final = (
    "milliseconds between that comparison and the request: a run that somebody started within them is struck instead "
    "(the API has no compare-and-set); another container never is"
)
_UP: Final = "a new StartedAt, running and healthy (without a check: running for 3 s); within its stop timeout, the "
_UP_BY: Final = "time its health check needs, and 30 s"


class RestartContainer(ContainerVerb):
    """`POST /containers/ID/restart`: stops it within its own timeout, kills it after that, starts it again.

    Identity: the id, in the path. The window is between reading StartedAt and the request.
    """

    name = RESTART
    title = "Restart container"
    about = About(
        system="Docker",
        targets="container",
        risk="medium; high for the one opstui runs in",
        inverse=CANNOT_BE_UNDONE,
        identity=_IDENTITY,
        window=_WINDOW,
        command="docker restart ID",
        verification=_UP + _UP_BY,
    )
    hold_s = 30.0
    _path = "restart"
    _risk = Risk.MEDIUM
    _after = "stopped and started again; its file system and volumes stay"

    def _unfit(self, now: Container) -> str:
        return f"it is being removed: {now.words}" if now.status in ("removing", "dead") else ""

    def _impact(self, now: Container) -> tuple[str, ...]:
        return (f"it gets {now.stop_timeout_s:g} s to end by itself, then it is killed",) if now.is_running else ()

    def _became(self, now: Container, sent: Sent) -> Look:
        if not self._is_same(now, sent):
            return self._runs(now, sent)
        if now.error and not now.is_running:
            return Look(Phase.NOT_CONVERGED, f"it stopped and could not be started: {now.error}")
        if self._is_early(sent):
            return Look(Phase.WAITING, f"the run of before: {now.words}")
        return Look(Phase.ABSENT, f"the same run as before: {now.words}")


class StopContainer(ContainerVerb):
    """`POST /containers/ID/stop`: its stop signal, and SIGKILL after its own timeout; no policy starts it again.

    Identity: the id, in the path. The window is between reading StartedAt and the request.
    """

    name = STOP
    title = "Stop container"
    about = About(
        system="Docker",
        targets="container",
        risk="high",
        inverse="start-container, while nobody has started it since; none for one that is removed when it ends (--rm)",
        identity=_IDENTITY,
        window=_WINDOW,
        command="docker stop ID",
        verification="no longer running (or gone, with --rm); within its stop timeout and 30 s",
    )
    hold_s = 10.0
    _path = "stop"
    _risk = Risk.HIGH
    _after = "stopped until somebody starts it"

    def _unfit(self, now: Container) -> str:
        return "" if now.is_running or now.status in ("restarting", "paused") else f"it does not run: {now.words}"

    def _impact(self, now: Container) -> tuple[str, ...]:
        told = [f"it gets {now.stop_timeout_s:g} s to end by itself, then it is killed"]
        if now.is_removed_on_exit:
            told.append("it is REMOVED when it ends (--rm), with everything in it that is not on a volume")
        if now.restart_policy == "always":
            told.append("its policy is always: the engine starts it again when the engine itself restarts")
        return tuple(told)

    def _inverse(self, request: Request, now: Container) -> Request | None:
        if now.is_removed_on_exit:
            return None
        return Request(START, request.target, seen={"started_at": now.started_at})

    def _deadline_s(self, now: Container) -> float:
        return now.stop_timeout_s + 30.0

    def _became(self, now: Container, sent: Sent) -> Look:
        if now.status in ("exited", "dead", "created", "removing"):
            killed = ": it was killed, or did not end in time" if now.exit_code == 137 else ""
            return Look(Phase.CONVERGED, f"{now.words}{killed}")
        if not self._is_same(now, sent):
            return Look(Phase.ABSENT, "it runs: somebody or something has started it")
        if self._is_early(sent):
            return Look(Phase.WAITING, f"the engine waits for it to end: {now.words}")
        return Look(Phase.ABSENT, f"it was not stopped: {now.words}")


class StartContainer(ContainerVerb):
    """`POST /containers/ID/start`, of one that does not run.

    Identity: the id, in the path; the engine starts nothing that runs already (304).
    """

    name = START
    title = "Start container"
    about = About(
        system="Docker",
        targets="container that does not run",
        risk="medium",
        inverse=CANNOT_BE_UNDONE,
        identity="the full container id in the request's path, never given twice",
        window="none: an engine answers 304 and does nothing when it runs already",
        command="docker start ID",
        verification=_UP + _UP_BY,
    )
    hold_s = 30.0
    _path = "start"
    _risk = Risk.MEDIUM
    _after = "running, from the file system and volumes it had"

    def _unfit(self, now: Container) -> str:
        if now.status == "paused":
            return "it is paused: docker unpause lets it go on"
        return f"it runs already: {now.words}" if now.is_running or now.status == "restarting" else ""

    def _impact(self, now: Container) -> tuple[str, ...]:
        return (f"it ended with exit code {now.exit_code}",) if now.exit_code else ()

    def _became(self, now: Container, sent: Sent) -> Look:
        if not self._is_same(now, sent):
            return self._runs(now, sent)
        if now.error:
            return Look(Phase.NOT_CONVERGED, f"it could not be started: {now.error}")
        if self._is_early(sent):
            return Look(Phase.WAITING, f"not started yet: {now.words}")
        return Look(Phase.ABSENT, f"it was not started: {now.words}")


CONTAINER_VERBS: Final = (RestartContainer, StopContainer, StartContainer)
