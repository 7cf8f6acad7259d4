"""Restarting and scaling a workload.

A name is no identity: a workload may be deleted and created again under it. Both verbs therefore send a JSON Patch
whose first steps test the uid and the very fields the person saw; the API server applies it as a whole or not at all.
"""

from datetime import UTC, datetime
from typing import Any, Final

from tui.actions.action import NotSentError, Request, Risk, Target
from tui.actions.kubernetes_change import RESTARTED_AT, Payload, WorkloadVerb
from tui.actions.kubernetes_impact import restart_words
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object, part, strings, whole
from tui.sources.kubernetes.kinds import Kind
from tui.sources.kubernetes.workloads import Workload

RESTART: Final = "restart"
SCALE: Final = "scale"
RESTARTABLE: Final = ("Deployment", "StatefulSet", "DaemonSet")
SCALABLE: Final = ("Deployment", "StatefulSet", "ReplicaSet")


def workload_target(workload: Workload) -> Target:
    """Return the identity of a workload: its uid."""
    return Target(
        source=KubernetesSource.name,
        kind=workload.kind.lower(),
        name=workload.name,
        where=workload.namespace,
        identity={"uid": workload.uid},
    )


def restart_request(workload: Workload) -> Request:
    """Return the request to restart a workload as it was seen."""
    return Request(RESTART, workload_target(workload), seen={"replicas": workload.desired})


def scale_request(workload: Workload, replicas: int) -> Request:
    """Return the request to scale a workload as it was seen."""
    seen = {"replicas": workload.desired}
    return Request(SCALE, workload_target(workload), seen=seen, wanted={"replicas": replicas})


class RestartWorkload(WorkloadVerb):
    """`kubectl rollout restart`, by a JSON Patch that tests `metadata.uid` and the whole `spec.template.metadata`.

    Between the last test and the write there is no window: both are one transaction of the API server. What stays
    open is everything the patch does not test: the image, say, may have changed since the person looked.
    """

    name = RESTART
    title = "Restart"
    _kinds = RESTARTABLE

    def _payload(self, kind: Kind, request: Request, workload: Workload, obj: Object) -> Payload:
        if workload.paused:
            raise NotSentError(f"{request.target} is paused: resume its rollout first")
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata = part(obj, "spec", "template", "metadata")
        if part(metadata, "annotations").get(RESTARTED_AT) == stamp:
            raise NotSentError(f"{request.target} was restarted in this very second")
        # The whole map is written because a patch cannot add to one that is not there; the test makes that safe.
        annotations = {**part(metadata, "annotations"), RESTARTED_AT: stamp}
        patch: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": workload.uid},
            {"op": "test", "path": "/spec/template/metadata", "value": metadata},
            {"op": "add", "path": "/spec/template/metadata/annotations", "value": annotations},
        ]
        return Payload(kind, "", patch, metadata, workload.desired, None, stamp)

    def _risk(self, payload: Payload) -> tuple[Risk, str]:
        return Risk.MEDIUM, ""

    def _before(self, workload: Workload, payload: Payload) -> str:
        restarted = part(payload.template_metadata, "annotations").get(RESTARTED_AT)
        known = f", restarted {strings(payload.template_metadata, 'annotations')[RESTARTED_AT]}" if restarted else ""
        return f"{workload.ready} of {workload.desired} pods ready{known}"

    def _after(self, workload: Workload, payload: Payload) -> str:
        return f"{workload.desired} new pods from the same template"

    def _undo(self, payload: Payload) -> str:
        return "cannot be undone"

    def _command(self, target: Target, payload: Payload) -> str:
        return self._source.kubectl(target.where, "rollout", "restart", f"{target.kind}/{target.name}")

    def _impact(self, workload: Workload, obj: Object) -> tuple[str, ...]:
        return tuple(restart_words(workload, obj))

    def _done(self, payload: Payload) -> str:
        return "restarted"

    def _superseded(self, payload: Payload, obj: Object) -> str:
        found = strings(part(obj, "spec", "template", "metadata"), "annotations").get(RESTARTED_AT, "")
        if found == payload.stamp:
            return ""
        return f"another change took its place (restartedAt is {found})" if found else "the restart was taken back"


class ScaleWorkload(WorkloadVerb):
    """`kubectl scale`, by a JSON Patch on `/scale` that tests `metadata.uid` and its whole `spec`: the replicas.

    Between the last test and the write there is no window: both are one transaction of the API server.
    """

    name = SCALE
    title = "Scale"
    _kinds = SCALABLE
    _subresource = "scale"

    def _payload(self, kind: Kind, request: Request, workload: Workload, obj: Object) -> Payload:
        wanted = request.wanted.get("replicas")
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
            raise NotSentError("the number of replicas must be 0 or more")
        if workload.owner is not None:
            owner = f"{workload.owner.kind.lower()} {workload.owner.name}"
            raise NotSentError(f"{request.target} belongs to {owner}: scale that instead")
        if wanted == workload.desired:
            raise NotSentError(f"{request.target} already has {wanted} replicas")
        # A Scale of 0 replicas has an empty spec: the API server leaves the field out.
        was = {"replicas": workload.desired} if workload.desired else {}
        patch: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": workload.uid},
            {"op": "test", "path": "/spec", "value": was},
            {"op": "add", "path": "/spec/replicas", "value": wanted},
        ]
        metadata = part(obj, "spec", "template", "metadata")
        return Payload(kind, self._subresource, patch, metadata, workload.desired, wanted, "")

    def _risk(self, payload: Payload) -> tuple[Risk, str]:
        if payload.wanted == 0:
            return Risk.HIGH, "0 replicas: nothing will serve any more"
        return Risk.MEDIUM, ""

    def _before(self, workload: Workload, payload: Payload) -> str:
        return f"{payload.replicas} replicas, {workload.ready} ready"

    def _after(self, workload: Workload, payload: Payload) -> str:
        return f"{payload.wanted} replicas"

    def _undo(self, payload: Payload) -> str:
        return f"scale back to {payload.replicas}"

    def _command(self, target: Target, payload: Payload) -> str:
        replicas = (f"--current-replicas={payload.replicas}", f"--replicas={payload.wanted}")
        return self._source.kubectl(target.where, "scale", f"{target.kind}/{target.name}", *replicas)

    def _impact(self, workload: Workload, obj: Object) -> tuple[str, ...]:
        return ()

    def _done(self, payload: Payload) -> str:
        return f"scaled to {payload.wanted}"

    def _superseded(self, payload: Payload, obj: Object) -> str:
        now = whole(part(obj, "spec"), "replicas", 1)
        return "" if now == payload.wanted else f"somebody set {now} replicas meanwhile (an autoscaler?)"
