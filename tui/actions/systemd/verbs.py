"""Restarting, stopping and starting a unit of this machine's systemd."""

import time
from typing import ClassVar, Final

from tui.actions.action import (
    CANNOT_BE_UNDONE,
    About,
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
from tui.sources.errors import SourceError, Unreachable
from tui.sources.systemd import SystemdSource, Unit, said, systemctl, unit_or_error
from tui.units import span

RESTART: Final = "restart-unit"
STOP: Final = "stop-unit"
START: Final = "start-unit"
_SETTLE_S: Final = 10.0
_STEADY_S: Final = 3.0
_RUNNING: Final = ("active", "reloading", "activating", "deactivating")
_NO_RIGHT: Final = ("interactive authentication required", "access denied", "permission denied", "not authorized")
_REMEDY: Final = (
    "polkit lets your user not do this: a rule for org.freedesktop.systemd1.manage-units with this unit helps, "
    "or do it by hand with sudo"
)
_WINDOW: Final = (
    "milliseconds between comparing the InvocationID and the job: a run that somebody started within them is struck "
    "instead (systemd has no compare-and-set)"
)
_IDENTITY: Final = "the unit's name; its InvocationID, new at each start, compared just before"


def unit_request(verb: str, source: str, unit: Unit) -> Request:
    """Return the request for a verb on a unit as it was seen."""
    return Request(verb, Target(source, "unit", unit.name, "", {"unit": unit.name}), seen={"run": unit.invocation_id})


class _UnitVerb:
    """One change of a unit's life, by `systemctl`, which never asks for a password here."""

    name: ClassVar[str]
    title: ClassVar[str]
    ends_target = False
    hold_s: ClassVar[float]
    _word: ClassVar[str]
    """What `systemctl` calls it."""
    _needs: ClassVar[tuple[str, ...]]
    _risk: ClassVar[Risk]
    _after: ClassVar[str]

    def __init__(self, source: SystemdSource) -> None:
        self._source = source

    def _unfit(self, now: Unit) -> str:
        raise NotImplementedError

    def _became(self, now: Unit, sent: Sent) -> Look:
        raise NotImplementedError

    def _inverse(self, request: Request, now: Unit) -> Request | None:
        return None

    def forbidden(self, request: Request) -> str:
        """Return nothing: polkit tells only when it is asked for a job."""
        return ""

    async def plan(self, request: Request) -> Action:
        """Read the unit again, and say what goes with it.

        Raises:
            NotSentError: it was started anew since it was seen, or the change makes no sense now.
            SourceError: systemd could not be asked.
        """
        now = await self._read(request)
        _same_run(now, str(request.seen.get("run", "")))
        if why := self._unfit(now):
            raise NotSentError(why)
        inverse = self._inverse(request, now)
        return Action(
            request=request,
            before=_state(now),
            after=self._after,
            risk=self._risk,
            command=f"systemctl {self._word} -- {now.name}",
            preview=("no preview: systemd has no dry run",),
            deadline_s=min(900.0, now.stop_timeout_s + 60.0),
            inverse=inverse,
            undo="start it again" if inverse else CANNOT_BE_UNDONE,
            impact=_impact(now, stops=self._word != "start"),
            evidence={"run": now.invocation_id, "stop_s": now.stop_timeout_s},
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the same run is still there, and its state. Raises SourceError."""
        try:
            now = await self._read(action.request)
            _same_run(now, str(action.evidence["run"]))
        except GoneError as error:
            return Sight.GONE, str(error)
        except NotSentError as error:
            return Sight.CHANGED, str(error)
        return (Sight.CHANGED, why) if (why := self._unfit(now)) else (Sight.UNCHANGED, _state(now))

    async def execute(self, action: Action) -> Receipt:
        """Compare the run, then queue the job, once.

        Raises:
            NotSentError: the unit moved on, or systemd or polkit refused the job.
            SourceError: `systemctl` did not answer in time: the job may be queued.
        """
        try:
            now = await self._read(action.request)
        except SourceError as error:
            raise NotSentError(f"nothing was sent: {error}") from error
        _same_run(now, str(action.evidence["run"]))
        if why := self._unfit(now):
            raise NotSentError(why)
        # Queued, not waited for: what becomes of it is looked at anyway.
        finished = await systemctl("--no-block", self._word, "--", now.name, timeout_s=10.0)
        words = said(finished)
        if finished.status is None or finished.status < 0:
            raise Unreachable(f"systemctl was ended: {words}")
        if finished.status:
            denied = any(part in words.lower() for part in _NO_RIGHT)
            raise NotSentError(f"refused: {words}{f'; {_REMEDY}' if denied else ''}")
        return Receipt(words or "systemd has queued the job")

    async def look(self, sent: Sent) -> Look:
        """Look at the unit. Raises SourceError."""
        try:
            now = await self._read(sent.request)
        except GoneError as error:
            return Look(Phase.NOT_CONVERGED, str(error))
        return self._became(now, sent)

    async def _read(self, request: Request) -> Unit:
        name = str(request.target.identity["unit"])
        now = unit_or_error(await self._source.show([name]), name)
        if now.load_state == "not-found":
            raise GoneError(f"systemd has no unit {name}")
        return now

    def _is_same(self, now: Unit, sent: Sent) -> bool:
        return now.invocation_id == sent.evidence.get("run")

    def _is_early(self, now: Unit, sent: Sent) -> bool:
        """Tell whether the job may still be at it: it is queued, or the stop takes its time."""
        stop_s = sent.evidence.get("stop_s")
        waits = now.active_state == "deactivating" and isinstance(stop_s, int | float)
        return bool(now.job) or time.time() - sent.at < (float(stop_s) if waits and stop_s else 0.0) + _SETTLE_S

    def _runs(self, now: Unit, sent: Sent) -> Look:
        """Tell whether a new run has come up."""
        if now.is_failed:
            return Look(Phase.NOT_CONVERGED, f"it started and ended again: {_state(now)}")
        if now.job or now.active_state in ("activating", "deactivating", "reloading"):
            return Look(Phase.WAITING, _state(now))
        if now.active_state == "active":
            since = now.active_since
            if now.main_pid and since is not None and time.time() - since < _STEADY_S:
                return Look(Phase.WAITING, f"{now.words}; counts when it has run for {_STEADY_S:g} s")
            return Look(Phase.CONVERGED, now.words)
        if now.type == "oneshot" and now.result == "success":
            return Look(Phase.CONVERGED, "it ran to its end, and went well")
        return Look(Phase.NOT_CONVERGED, f"it ended again: {_state(now)}")


def _same_run(now: Unit, run: str) -> None:
    # One that systemd restarts again and again has a new run at every look: what is meant is all of them.
    if run and now.invocation_id and now.invocation_id != run and not now.restarts:
        raise NotSentError(f"{now.name} was started anew since you saw it; look again")


def _state(now: Unit) -> str:
    up = (
        f", up {span(max(0.0, time.time() - now.active_since))}"
        if now.active_state == "active" and now.active_since
        else ""
    )
    ended = f", {now.exit_words}" if now.exit_words else ""
    return f"{now.words}{ended}{up}, restarted {now.restarts} times by systemd"


def _impact(now: Unit, *, stops: bool) -> tuple[str, ...]:
    told = [now.description] if now.description else []
    if stops and now.stops_too:
        told.append(f"with it stop: {', '.join(now.stops_too)}")
    if stops and now.triggered_by:
        told.append(f"{', '.join(now.triggered_by)} may start it again")
    if now.needs_reload:
        told.append("its file has changed on disk and systemd has not read it: systemctl daemon-reload comes first")
    return tuple(told)


class RestartUnit(_UnitVerb):
    """`systemctl restart`: stops it within its own timeout and starts it; one that does not run is started.

    Identity: name and InvocationID. The window is between comparing that and the job.
    """

    name = RESTART
    title = "Restart unit"
    about = About(
        system="systemd",
        targets="unit",
        risk="medium",
        inverse=CANNOT_BE_UNDONE,
        identity=_IDENTITY,
        window=_WINDOW,
        command="systemctl restart -- UNIT",
        verification="a new InvocationID, active for 3 s (a one-shot: ended well); within its stop timeout and 60 s",
    )
    hold_s = 30.0
    _word = "restart"
    _risk = Risk.MEDIUM
    _after = "stopped and started again"

    def _unfit(self, now: Unit) -> str:
        if now.load_state == "masked":
            return "it is masked: systemctl unmask lets it start"
        refused = [word for word in ("stop", "start") if word in now.refuses]
        return f"systemd lets nobody {refused[0]} it by hand" if refused else ""

    def _became(self, now: Unit, sent: Sent) -> Look:
        if not self._is_same(now, sent) and now.invocation_id:
            return self._runs(now, sent)
        if self._is_early(now, sent):
            return Look(Phase.WAITING, f"the run of before: {now.words}")
        if now.is_failed:
            return Look(Phase.NOT_CONVERGED, _state(now))
        return Look(Phase.ABSENT, f"the same run as before: {now.words}")


class StopUnit(_UnitVerb):
    """`systemctl stop`: ends it within its own timeout; `Restart=` does not start it again.

    Identity: name and InvocationID. The window is between comparing that and the job.
    """

    name = STOP
    title = "Stop unit"
    about = About(
        system="systemd",
        targets="unit that runs",
        risk="high",
        inverse="start-unit, while nobody has started it since",
        identity=_IDENTITY,
        window=_WINDOW,
        command="systemctl stop -- UNIT",
        verification="inactive or failed, with no job; within its stop timeout and 60 s",
    )
    hold_s = 10.0
    _word = "stop"
    _risk = Risk.HIGH
    _after = "stopped until somebody, a trigger or the next boot starts it"

    def _unfit(self, now: Unit) -> str:
        if "stop" in now.refuses:
            return "systemd lets nobody stop it by hand"
        return "" if now.active_state in _RUNNING else f"it does not run: {now.words}"

    def _inverse(self, request: Request, now: Unit) -> Request | None:
        return Request(START, request.target, seen={"run": now.invocation_id})

    def _became(self, now: Unit, sent: Sent) -> Look:
        if now.active_state in ("inactive", "failed") and not now.job:
            return Look(Phase.CONVERGED, now.words)
        if not self._is_same(now, sent):
            return Look(Phase.ABSENT, "it runs: somebody or something has started it")
        if self._is_early(now, sent):
            return Look(Phase.WAITING, f"systemd waits for it to end: {now.words}")
        return Look(Phase.ABSENT, f"it was not stopped: {now.words}")


class StartUnit(_UnitVerb):
    """`systemctl start`, of one that does not run.

    Identity: the name; systemd starts nothing that is active already.
    """

    name = START
    title = "Start unit"
    about = About(
        system="systemd",
        targets="unit that does not run",
        risk="medium",
        inverse=CANNOT_BE_UNDONE,
        identity="the unit's name",
        window="none: systemd does nothing when it is active already",
        command="systemctl start -- UNIT",
        verification="a new InvocationID, active for 3 s (a one-shot: ended well); within its stop timeout and 60 s",
    )
    hold_s = 30.0
    _word = "start"
    _risk = Risk.MEDIUM
    _after = "running"

    def _unfit(self, now: Unit) -> str:
        if now.load_state == "masked":
            return "it is masked: systemctl unmask lets it start"
        if "start" in now.refuses:
            return "systemd lets nobody start it by hand"
        return "" if now.active_state in ("inactive", "failed") else f"it runs already: {now.words}"

    def _became(self, now: Unit, sent: Sent) -> Look:
        if not self._is_same(now, sent) and now.invocation_id:
            return self._runs(now, sent)
        if self._is_early(now, sent):
            return Look(Phase.WAITING, f"not started yet: {now.words}")
        if now.is_failed:
            return Look(Phase.NOT_CONVERGED, f"it could not be started: {_state(now)}")
        return Look(Phase.ABSENT, f"it was not started: {now.words}")


UNIT_VERBS: Final = (RestartUnit, StopUnit, StartUnit)
