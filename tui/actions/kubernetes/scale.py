"""Another number of replicas."""

from typing import Any, Final

from tui.actions.action import About, NotSentError, Request, Risk, Sent
from tui.actions.kubernetes.change import Change, WorkloadVerb, workload_target
from tui.actions.kubernetes.impact import Surroundings
from tui.sources.kubernetes.fields import Object, part, whole
from tui.sources.kubernetes.kinds import Resource
from tui.sources.kubernetes.workloads import Workload

SCALE: Final = "scale"
SCALABLE: Final = ("Deployment", "StatefulSet", "ReplicaSet")


def scale_request(workload: Workload, replicas: int, temporary_s: float | None = None) -> Request:
    """Return the request to scale a workload as it was seen; `temporary_s` as in `Request`."""
    seen = {"replicas": workload.desired}
    return Request(SCALE, workload_target(workload), seen=seen, wanted={"replicas": replicas}, temporary_s=temporary_s)


class ScaleWorkload(WorkloadVerb):
    """`kubectl scale`, by a JSON Patch on `/scale` that tests `metadata.uid` and its whole `spec`: the replicas.

    Between the last test and the write there is no window: both are one transaction of the API server.
    """

    name = SCALE
    title = "Scale"
    about = About(
        system="Kubernetes",
        targets="Deployment, StatefulSet, ReplicaSet without an owner",
        risk="medium; high to 0, below half, or below what a PodDisruptionBudget wants healthy",
        inverse="scale back, while the replicas are still those it set",
        identity="uid and spec.replicas, tested in the same JSON Patch on /scale",
        window="none: test and write are one transaction of the API server",
        command="kubectl scale KIND/NAME --current-replicas=OLD --replicas=NEW",
        verification="as many pods there and ready as wanted, within 5 min; watched 30 s longer",
    )
    _kinds = SCALABLE
    _subresource = "scale"
    _done = "scaled"
    _is_scaling = True

    async def _change(
        self, request: Request, kind: Resource, workload: Workload, obj: Object, around: Surroundings
    ) -> Change:
        wanted, was = request.wanted.get("replicas"), workload.desired
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
            raise NotSentError("the number of replicas must be 0 or more")
        if workload.owner is not None:
            owner = f"{workload.owner.kind.lower()} {workload.owner.name}"
            raise NotSentError(f"{request.target} belongs to {owner}: scale that instead")
        if wanted == was:
            raise NotSentError(f"{request.target} already has {wanted} replicas")
        if request.undoes and request.seen.get("replicas") != was:
            raise NotSentError(
                f"{request.target} has {was} replicas now, not the {request.seen.get('replicas')} that were set: "
                "its state is no longer ours to take back"
            )
        risk, reason = _risk(was, wanted, around.needed)
        name = f"{request.target.kind}/{request.target.name}"
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": workload.uid},
                # A Scale of 0 replicas has an empty spec: the API server leaves the field out.
                {"op": "test", "path": "/spec", "value": {"replicas": was} if was else {}},
                {"op": "add", "path": "/spec/replicas", "value": wanted},
            ],
            was=was,
            before=f"{was} replicas, {workload.ready} ready",
            after=f"{wanted} replicas",
            arguments=("scale", name, f"--current-replicas={was}", f"--replicas={wanted}"),
            risk=risk,
            risk_reason=reason,
            undo=f"scale back to {was}",
            inverse=Request(SCALE, request.target, seen={"replicas": wanted}, wanted={"replicas": was}),
            evidence={"replicas": wanted},
        )

    def _moved(self, was: Any, obj: Object) -> str:
        now = whole(part(obj, "spec"), "replicas", 1)
        return "" if now == was else f"replicas {was} → {now}"

    def _superseded(self, sent: Sent, obj: Object) -> str:
        now = whole(part(obj, "spec"), "replicas", 1)
        if now == sent.evidence["replicas"]:
            return ""
        return f"it has {now} replicas, not {sent.evidence['replicas']}: never set, or set anew (an autoscaler?)"


def _risk(was: int, wanted: int, needed: int) -> tuple[Risk, str]:
    if wanted == 0:
        return Risk.HIGH, "0 replicas: nothing will serve any more"
    if wanted < needed <= was:
        return Risk.HIGH, f"a PodDisruptionBudget wants {needed} healthy"
    if wanted * 2 < was:
        return Risk.HIGH, f"less than half of {was}"
    return Risk.MEDIUM, ""
