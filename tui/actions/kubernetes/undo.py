"""Back to a template that a workload had before."""

from typing import Any, Final

from tui.actions.action import About, NotSentError, Plain, Request, Sent
from tui.actions.kubernetes.change import Change, WorkloadVerb, workload_target
from tui.actions.kubernetes.impact import Surroundings, restart_words
from tui.actions.kubernetes.preview import differing
from tui.sources.kubernetes.fields import Object, part
from tui.sources.kubernetes.kinds import Resource
from tui.sources.kubernetes.revisions import CHANGE_CAUSE, Revision, revisions, template_md5
from tui.sources.kubernetes.workloads import Workload

UNDO: Final = "undo-rollout"
UNDOABLE: Final = ("Deployment", "StatefulSet", "DaemonSet")
_ANNOTATION: Final = f"/metadata/annotations/{CHANGE_CAUSE.replace('/', '~1')}"


def undo_request(workload: Workload, revision: Revision, current: Revision | None = None) -> Request:
    """Return the request to go back to a revision; `current` is the one that the person saw it has, if any."""
    seen = {"template_md5": template_md5(current.template)} if current else {}
    wanted: dict[str, Plain] = {"revision": revision.number, "revision_uid": revision.uid}
    return Request(UNDO, workload_target(workload), seen=seen, wanted=wanted)


class UndoRollout(WorkloadVerb):
    """`kubectl rollout undo --to-revision`, by a JSON Patch that tests `metadata.uid` and the whole `spec.template`.

    Between the last test and the write there is no window: both are one transaction of the API server. The template
    that comes back is the one shown: it is part of the patch.
    """

    name = UNDO
    title = "Undo rollout"
    about = About(
        system="Kubernetes",
        targets="Deployment, StatefulSet, DaemonSet",
        risk="medium",
        inverse="roll back to the revision it had, while the template is still the one it set",
        identity="uid and the whole spec.template, tested in the same JSON Patch",
        window="none: test and write are one transaction of the API server",
        command="kubectl rollout undo KIND/NAME --to-revision=N",
        verification="as kubectl rollout status: all pods new and available, within 5 min; watched 30 s longer",
    )
    _kinds = UNDOABLE
    _done = "rolled back"

    async def _change(
        self, request: Request, kind: Resource, workload: Workload, obj: Object, around: Surroundings
    ) -> Change:
        target = request.target
        if workload.paused:
            raise NotSentError(f"{target} is paused: resume its rollout first")
        template = part(obj, "spec", "template")
        seen = request.seen.get("template_md5")
        if seen is not None and seen != template_md5(template):
            raise NotSentError(f"the template of {target} has changed since you looked: see its revisions again")
        known = await revisions(self._source.connection, {**obj, "kind": kind.kind})
        wanted = next((one for one in known if one.uid == request.wanted.get("revision_uid")), None)
        if wanted is None:
            raise NotSentError(f"revision {request.wanted.get('revision')} of {target} is gone (revisionHistoryLimit)")
        if wanted.is_current:
            raise NotSentError(f"{target} already has the template of revision {wanted.number}")
        current = next((one for one in known if one.is_current), None)
        inverse = undo_request(workload, current, wanted) if current else None
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": workload.uid},
                {"op": "test", "path": "/spec/template", "value": template},
                {"op": "replace", "path": "/spec/template", "value": wanted.template},
                *_change_cause(obj, wanted),
            ],
            was=template,
            before=_told(current) if current else "a template that no revision keeps",
            after=f"{_told(wanted)}, as a new revision",
            arguments=("rollout", "undo", f"{target.kind}/{target.name}", f"--to-revision={wanted.number}"),
            undo=f"roll back to revision {current.number}" if current else "cannot be undone: no revision keeps it",
            inverse=inverse,
            impact=tuple(restart_words(workload, obj)),
            evidence={"template_md5": template_md5(wanted.template)},
        )

    def _moved(self, was: Any, obj: Object) -> str:
        template = part(obj, "spec", "template")
        return "" if template == was else f"its template changed: {'; '.join(differing(was, template)[:3])}"

    def _superseded(self, sent: Sent, obj: Object) -> str:
        is_ours = template_md5(part(obj, "spec", "template")) == sent.evidence["template_md5"]
        return "" if is_ours else "it has another template: never set, or changed anew"


def _change_cause(obj: Object, wanted: Revision) -> list[dict[str, Any]]:
    """Let the note why the template changed come back with it, as kubectl does."""
    annotations = part(obj, "metadata", "annotations")
    if wanted.change_cause and annotations:
        return [{"op": "add", "path": _ANNOTATION, "value": wanted.change_cause}]
    return [{"op": "remove", "path": _ANNOTATION}] if CHANGE_CAUSE in annotations else []


def _told(revision: Revision) -> str:
    cause = f" ({revision.change_cause})" if revision.change_cause else ""
    return f"revision {revision.number}{cause}: {', '.join(revision.images)}"
