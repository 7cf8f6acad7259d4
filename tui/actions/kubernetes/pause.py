"""Holding a Deployment's rollouts back, and letting them go on."""

from typing import Any, Final

from tui.actions.action import About, Look, NotSentError, Phase, Request, Risk, Sent
from tui.actions.kubernetes.change import Change, WorkloadVerb, workload_target
from tui.actions.kubernetes.impact import Surroundings
from tui.sources.kubernetes.fields import Object, part
from tui.sources.kubernetes.kinds import Resource
from tui.sources.kubernetes.workloads import Workload, parse_workload

PAUSE: Final = "pause-rollout"
RESUME: Final = "resume-rollout"
PAUSABLE: Final = ("Deployment",)


def pause_request(workload: Workload) -> Request:
    """Return the request to pause or to resume a Deployment's rollouts, whichever it is not; a pause is temporary."""
    verb = RESUME if workload.paused else PAUSE
    seen = {"replicas": workload.desired}
    return Request(verb, workload_target(workload), seen=seen, temporary_s=None if workload.paused else 0.0)


class PauseRollout(WorkloadVerb):
    """`kubectl rollout pause`, by a JSON Patch that tests `metadata.uid`.

    A Deployment that is not paused has no such field to test. Should somebody pause it in the same moment, both get
    what they asked for.
    """

    name = PAUSE
    title = "Pause rollout"
    about = About(
        system="Kubernetes",
        targets="Deployment",
        risk="medium; it counts as temporary until it is resumed",
        inverse="resume, while it is still paused",
        identity="uid, tested in the same JSON Patch",
        window="somebody else's pause in the same moment is not noticed; the result is the same",
        command="kubectl rollout pause deployment/NAME",
        verification="spec.paused is read back and the controller has seen it, within 5 min",
    )
    hold_s = 0.0
    _kinds = PAUSABLE
    _done = "paused"

    async def _change(
        self, request: Request, kind: Resource, workload: Workload, obj: Object, around: Surroundings
    ) -> Change:
        if workload.paused:
            raise NotSentError(f"{request.target} is paused already")
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": workload.uid},
                {"op": "add", "path": "/spec/paused", "value": True},
            ],
            was=False,
            before="rollouts run",
            after="paused: changes of its template wait, and so does a rollout under way",
            arguments=("rollout", "pause", f"{request.target.kind}/{request.target.name}"),
            undo="resume it",
            inverse=Request(RESUME, request.target),
        )

    def _moved(self, was: Any, obj: Object) -> str:
        return "" if (part(obj, "spec").get("paused") is True) == was else _state(obj)

    def _superseded(self, sent: Sent, obj: Object) -> str:
        return "" if part(obj, "spec").get("paused") is True else _state(obj)

    def _judge(self, sent: Sent, kind: Resource, obj: Object) -> Look:
        workload = parse_workload(kind.kind, obj)
        if workload.observed_generation < workload.generation:
            return Look(Phase.WAITING, "waiting for the controller to see the change")
        return Look(Phase.CONVERGED, f"paused, {workload.ready} of {workload.desired} ready")


class ResumeRollout(WorkloadVerb):
    """`kubectl rollout resume`, by a JSON Patch that tests `metadata.uid` and `spec.paused`.

    Between the last test and the write there is no window: both are one transaction of the API server.
    """

    name = RESUME
    title = "Resume rollout"
    about = About(
        system="Kubernetes",
        targets="Deployment",
        risk="medium",
        inverse="pause again, while it is not paused",
        identity="uid and spec.paused, tested in the same JSON Patch",
        window="none: test and write are one transaction of the API server",
        command="kubectl rollout resume deployment/NAME",
        verification="as kubectl rollout status: what waited is rolled out, within 5 min; watched 30 s longer",
    )
    _kinds = PAUSABLE
    _done = "resumed"

    async def _change(
        self, request: Request, kind: Resource, workload: Workload, obj: Object, around: Surroundings
    ) -> Change:
        if not workload.paused:
            raise NotSentError(f"{request.target} is not paused: nothing to resume")
        waits = workload.updated is not None and workload.updated < workload.desired
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": workload.uid},
                {"op": "test", "path": "/spec/paused", "value": True},
                {"op": "replace", "path": "/spec/paused", "value": False},
            ],
            was=True,
            before=f"paused, {workload.updated or 0} of {workload.desired} pods have the newest template",
            after="rollouts run",
            arguments=("rollout", "resume", f"{request.target.kind}/{request.target.name}"),
            risk=Risk.MEDIUM,
            undo="pause it again; pods replaced by then stay replaced",
            inverse=Request(PAUSE, request.target),
            impact=("what was changed while it was paused rolls out now",) if waits else (),
        )

    def _moved(self, was: Any, obj: Object) -> str:
        return "" if (part(obj, "spec").get("paused") is True) == was else _state(obj)

    def _superseded(self, sent: Sent, obj: Object) -> str:
        return _state(obj) if part(obj, "spec").get("paused") is True else ""


def _state(obj: Object) -> str:
    return "it is paused" if part(obj, "spec").get("paused") is True else "it is not paused"
