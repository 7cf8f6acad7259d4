"""New pods from the same template."""

from datetime import UTC, datetime
from typing import Any, Final

from tui.actions.action import CANNOT_BE_UNDONE, About, NotSentError, Request, Sent
from tui.actions.kubernetes.change import Change, WorkloadVerb, workload_target
from tui.actions.kubernetes.impact import Surroundings, restart_words
from tui.sources.kubernetes.fields import Object, part, strings
from tui.sources.kubernetes.kinds import Resource
from tui.sources.kubernetes.workloads import Workload

RESTART: Final = "restart"
RESTARTABLE: Final = ("Deployment", "StatefulSet", "DaemonSet")
RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"
"""The template annotation whose change makes every pod be replaced."""


def restart_request(workload: Workload) -> Request:
    """Return the request to restart a workload as it was seen."""
    return Request(RESTART, workload_target(workload), seen={"replicas": workload.desired})


class RestartWorkload(WorkloadVerb):
    """`kubectl rollout restart`, by a JSON Patch that tests `metadata.uid` and the whole `spec.template.metadata`.

    Between the last test and the write there is no window: both are one transaction of the API server. What stays
    open is everything the patch does not test: the image, say, may have changed since the person looked.
    """

    name = RESTART
    title = "Restart"
    about = About(
        system="Kubernetes",
        targets="Deployment, StatefulSet, DaemonSet",
        risk="medium",
        inverse=CANNOT_BE_UNDONE,
        identity="uid and spec.template.metadata, tested in the same JSON Patch",
        window="none for what is tested; the template's spec is shown, not tested",
        command="kubectl rollout restart KIND/NAME",
        verification="as kubectl rollout status: all pods new and available, within 5 min; watched 30 s longer",
    )
    _kinds = RESTARTABLE
    _done = "restarted"

    async def _change(
        self, request: Request, kind: Resource, workload: Workload, obj: Object, around: Surroundings
    ) -> Change:
        if workload.paused:
            raise NotSentError(f"{request.target} is paused: resume its rollout first")
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata = part(obj, "spec", "template", "metadata")
        before = strings(metadata, "annotations").get(RESTARTED_AT, "")
        if before == stamp:
            raise NotSentError(f"{request.target} was restarted in this very second")
        # The whole map is written because a patch cannot add to one that is not there; the test makes that safe.
        annotations = {**part(metadata, "annotations"), RESTARTED_AT: stamp}
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": workload.uid},
                {"op": "test", "path": "/spec/template/metadata", "value": metadata},
                {"op": "add", "path": "/spec/template/metadata/annotations", "value": annotations},
            ],
            was=metadata,
            before=f"{workload.ready} of {workload.desired} pods ready" + (f", restarted {before}" if before else ""),
            after=f"{workload.desired} new pods from the same template",
            arguments=("rollout", "restart", f"{request.target.kind}/{request.target.name}"),
            impact=tuple(restart_words(workload, obj)),
            evidence={"restarted_at": stamp},
        )

    def _moved(self, was: Any, obj: Object) -> str:
        metadata = part(obj, "spec", "template", "metadata")
        if metadata == was:
            return ""
        restarted = strings(metadata, "annotations").get(RESTARTED_AT, "")
        if restarted != strings(was, "annotations").get(RESTARTED_AT, ""):
            return f"restarted at {restarted}" if restarted else "its restart was taken back"
        return "the labels or annotations of its pod template changed"

    def _superseded(self, sent: Sent, obj: Object) -> str:
        found = strings(part(obj, "spec", "template", "metadata"), "annotations").get(RESTARTED_AT, "")
        if found == sent.evidence["restarted_at"]:
            return ""
        return f"restartedAt is {found or 'not set'}, not {sent.evidence['restarted_at']}: never set, or set anew"
