"""What changes of a container in a pod template have in common: they roll out, and a revision keeps what was before."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.actions.action import CANNOT_BE_UNDONE, NotSentError, Plain, Request, Risk, Sent, Target
from tui.actions.kubernetes.change import Change, WorkloadVerb, workload_target
from tui.actions.kubernetes.impact import Surroundings, restart_words
from tui.actions.kubernetes.preview import differing
from tui.actions.kubernetes.undo import UNDO, UNDOABLE
from tui.sources.errors import SourceError
from tui.sources.kubernetes.fields import Object, part, parts, text
from tui.sources.kubernetes.kinds import Resource
from tui.sources.kubernetes.revisions import revisions, template_md5
from tui.sources.kubernetes.workloads import Workload

TEMPLATED: Final = UNDOABLE
IDENTITY: Final = "uid and the whole spec.template, tested in the same JSON Patch"
WINDOW: Final = "none: test and write are one transaction of the API server"
INVERSE: Final = "roll back to the revision it had, while the template is still the one it set"
VERIFICATION: Final = "as kubectl rollout status: all pods new and available, within 5 min; watched 30 s longer"
_MD5: Final = "template_md5"


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes of one container."""

    container: Mapping[str, Any]
    """The whole container as it is to be."""
    before: str
    after: str
    arguments: tuple[str, ...]
    """Of kubectl, behind `set WHAT KIND/NAME`."""
    by_patch: Mapping[str, Any] | None = None
    """What `kubectl patch` merges into the container, where `kubectl set` cannot say it; else None."""
    impact: tuple[str, ...] = ()
    risk: Risk = Risk.MEDIUM
    risk_reason: str = ""


def template_request(
    verb: str, workload: Workload, wanted: Mapping[str, str | None], temporary_s: float | None = None
) -> Request:
    """Return a request that changes a container; `wanted` names it as `container`, `temporary_s` as in `Request`."""
    seen = {"replicas": workload.desired}
    return Request(verb, workload_target(workload), seen=seen, wanted=dict(wanted), temporary_s=temporary_s)


class TemplateVerb(WorkloadVerb):
    """What changes of one container have in common.

    The patch tests the whole template and replaces one container in it. What takes it back is the revision that keeps
    the template of before: `rollout undo` to exactly that, as long as the template is still the one that was set.
    """

    _kinds = TEMPLATED
    _what: str
    """Behind `kubectl set`."""

    async def _change(
        self, request: Request, kind: Resource, workload: Workload, obj: Object, around: Surroundings
    ) -> Change:
        target, template = request.target, part(obj, "spec", "template")
        if workload.paused:
            raise NotSentError(f"{target} is paused: resume its rollout first")
        place, container = _place(target, template, request.wanted.get("container"))
        edit = await self._edit(request, workload, container)
        if edit.container == container:
            raise NotSentError(f"nothing to change: {target} has it so already")
        inverse, undo = await self._inverse(request, kind, obj)
        return Change(
            patch=[
                {"op": "test", "path": "/metadata/uid", "value": workload.uid},
                {"op": "test", "path": "/spec/template", "value": template},
                {"op": "replace", "path": f"/spec/template/spec/{place}", "value": edit.container},
            ],
            was=template,
            before=edit.before,
            after=edit.after,
            arguments=self._arguments(target, place, container, edit),
            risk=edit.risk,
            risk_reason=edit.risk_reason,
            undo=undo,
            inverse=inverse,
            impact=(*edit.impact, *restart_words(workload, obj)),
        )

    def _arguments(self, target: Target, place: str, container: Object, edit: Edit) -> tuple[str, ...]:
        name = f"{target.kind}/{target.name}"
        if edit.by_patch is None:
            return ("set", self._what, name, *edit.arguments)
        # By its name, which holds also when the containers' order changes.
        pods = {place.partition("/")[0]: [{"name": text(container, "name"), **edit.by_patch}]}
        return ("patch", name, "-p", json.dumps({"spec": {"template": {"spec": pods}}}))

    async def _edit(self, request: Request, workload: Workload, container: Object) -> Edit:
        """Return what becomes of the container; raises NotSentError for what cannot be."""
        raise NotImplementedError

    async def _inverse(self, request: Request, kind: Resource, obj: Object) -> tuple[Request | None, str]:
        try:
            known = await revisions(self._source.connection, {**obj, "kind": kind.kind})
        except SourceError as error:
            return None, f"{CANNOT_BE_UNDONE} from here: its revisions cannot be read ({error.message})"
        current = next((one for one in known if one.is_current), None)
        if current is None:
            return None, f"{CANNOT_BE_UNDONE}: no revision keeps the template it has now"
        if part(obj, "spec").get("revisionHistoryLimit") == 0:
            return None, f"{CANNOT_BE_UNDONE}: it keeps no revisions (revisionHistoryLimit 0)"
        wanted: dict[str, Plain] = {"revision": current.number, "revision_uid": current.uid}
        # What the template will be is known from the dry run, and from the answer to the write itself.
        return Request(UNDO, request.target, seen={_MD5: ""}, wanted=wanted), f"roll back to revision {current.number}"

    def _written(self, obj: Object) -> Mapping[str, Any]:
        return {_MD5: template_md5(part(obj, "spec", "template"))} if obj else {}

    def _moved(self, was: Any, obj: Object) -> str:
        template = part(obj, "spec", "template")
        return "" if template == was else f"its template changed: {'; '.join(differing(was, template)[:3])}"

    def _superseded(self, sent: Sent, obj: Object) -> str:
        is_ours = template_md5(part(obj, "spec", "template")) == sent.evidence.get(_MD5)
        return "" if is_ours else "it has another template: never set, or changed anew"


def _place(target: Target, template: Object, name: object) -> tuple[str, Object]:
    """Return where a container stands in a pod template's spec, and the container."""
    spec = part(template, "spec")
    for section in ("containers", "initContainers"):
        for index, container in enumerate(parts(spec, section)):
            if text(container, "name") == name:
                return f"{section}/{index}", container
    raise NotSentError(f"{target} has no container {name}")
