"""Merge patches of single objects that the profile names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from profiles.declared import DeclaredPatch
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
from tui.actions.kubernetes.asking import permission
from tui.actions.kubernetes.locating import found_at, lost_race, resource_named, send_patch
from tui.actions.kubernetes.preview import changed_fields, moved_fields
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.kinds import Resource
from tui.sources.masking import without_secrets

MERGE: Final = "merge-patch"
_JSON_PATCH: Final = "application/json-patch+json"
_VERSION: Final = "/metadata/resourceVersion"


def merge_request(name: str, declared: DeclaredPatch, uid: str) -> Request:
    """Return the request to send a patch of the profile to the very object that was seen."""
    scope = {"namespace": declared.namespace}
    target = Target(KubernetesSource.name, declared.resource, declared.name, declared.namespace, {"uid": uid}, scope)
    return Request(MERGE, target, wanted={"declared": name, "patch": json.dumps(declared.patch)})


def merged(obj: Any, patch: Any) -> Any:
    """Return what a merge patch makes of an object (RFC 7386); neither is changed."""
    if not isinstance(patch, dict):
        return patch
    found = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


def reverse(obj: Any, patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merge patch that takes a merge patch of an object back."""
    back: dict[str, Any] = {}
    for key, value in patch.items():
        had = obj.get(key) if isinstance(obj, dict) else None
        back[key] = reverse(had, value) if isinstance(value, dict) and isinstance(had, dict) else had
    return back


def as_json_patch(obj: Mapping[str, Any], patch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the JSON Patch that does to an object what a merge patch does, and first tests every field it touches.

    A merge patch can only name a version of the whole object, and the status of a busy one moves every second. A field
    that is not there yet cannot be tested: then the object is that it comes into, or the version at its top.
    """
    tests: dict[str, dict[str, Any]] = {}
    changes: list[dict[str, Any]] = []

    def go(found: Mapping[str, Any], wanted: Mapping[str, Any], path: str) -> None:
        for key, value in wanted.items():
            at = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in found:
                if value is not None:
                    whole = path if path not in ("", "/metadata") else _VERSION
                    tests[whole] = {"op": "test", "path": whole, "value": found if whole == path else _version(obj)}
                    changes.append({"op": "add", "path": at, "value": merged(None, value)})
            elif isinstance(value, dict) and isinstance(found[key], dict):
                go(found[key], value, at)
            else:
                tests[at] = {"op": "test", "path": at, "value": found[key]}
                new = {"op": "remove", "path": at} if value is None else {"op": "replace", "path": at}
                changes.append(new if value is None else {**new, "value": merged(None, value)})

    go(obj, patch, "")
    uid = {"op": "test", "path": "/metadata/uid", "value": part(obj, "metadata").get("uid")}
    return [uid, *tests.values(), *changes]


def _version(obj: Mapping[str, Any]) -> Any:
    return part(obj, "metadata").get("resourceVersion")


@dataclass(frozen=True, slots=True)
class _Payload:
    """What `execute` sends, and the object it was planned for."""

    kind: Resource
    body: list[dict[str, Any]]
    patch: Mapping[str, Any]
    obj: Object
    """As it was read; what moved is said by comparing it again."""


class MergePatch:
    """`kubectl patch --type=merge`, of an object and with a patch that the profile names, as a JSON Patch.

    The patch tests the uid and every field that it touches, as they were read; the status may move meanwhile.
    """

    name = MERGE
    title = "Patch"
    about = About(
        system="Kubernetes",
        targets="an object and a patch that the profile names (kubernetes.patches), custom resources among them",
        risk="as the profile says, high if it does not",
        inverse="a patch with the old values, while the fields are still as it set them",
        identity="uid and the fields that it sets (the object around one that is new), tested in the same JSON Patch",
        window="none: test and write are one transaction of the API server",
        command="kubectl patch KIND NAME --type=merge -p PATCH",
        verification="the fields are read back, within 1 min; watched 30 s longer; what an operator makes of them is "
        "not known here",
    )
    hold_s = 30.0
    ends_target = False

    def __init__(self, source: KubernetesSource, declared: Mapping[str, DeclaredPatch]) -> None:
        """Make it for the patches of a profile, by name."""
        self._source, self._declared = source, declared

    def forbidden(self, request: Request) -> str:
        """Return nothing: whether we may is asked for when it is planned, once the server has told the kind."""
        return ""

    async def plan(self, request: Request) -> Action:
        """Read the object again, ask whether we may, and let the server try the patch.

        Raises:
            NotSentError: the object is gone or another one, or the profile has no such patch.
            SourceError: the server could not be asked.
        """
        target, patch = request.target, self._patch(request)
        kind = await resource_named(self._source, target.kind)
        obj = await self._read(kind, target)
        if merged(obj, patch) == obj:
            raise NotSentError(f"nothing to change: {target} has it so already")
        back = reverse(obj, patch)
        if request.undoes and (ours := _loaded(request.seen.get("patch"))) is not None and merged(obj, ours) != obj:
            raise NotSentError(f"the fields of {target} have changed since: its state is no longer ours to take back")
        body = as_json_patch(obj, patch)
        may_not = await permission(self._source, "patch", kind, target)
        preview: tuple[str, ...] = ("no preview: not permitted",)
        if not may_not:
            preview = await self._tried(kind, target, body, obj)
        declared = self._declared.get(str(request.wanted.get("declared")))
        words = json.dumps(patch, ensure_ascii=False)
        before, inverse = without_secrets(json.dumps(back, ensure_ascii=False)), None
        if before == json.dumps(back, ensure_ascii=False):
            wanted = {**request.wanted, "patch": json.dumps(back)}
            inverse = Request(MERGE, target, seen={"patch": json.dumps(patch)}, wanted=wanted)
        return Action(
            request=request,
            before=before,
            after=words,
            risk=Risk[declared.risk.upper()] if declared else Risk.HIGH,
            risk_reason=declared.title if declared else "",
            command=self._source.kubectl(target.where, "patch", target.kind, target.name, "--type=merge", "-p", words),
            preview=preview,
            deadline_s=60.0,
            inverse=inverse,
            undo="patch the old values back" if inverse else f"{CANNOT_BE_UNDONE}: the old values may be secret",
            impact=("what an operator or controller makes of it is not known here: look at its status",),
            permission=may_not,
            evidence={"patch": json.dumps(patch)},
            payload=_Payload(kind, body, patch, obj),
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the fields are still as they were. Raises SourceError."""
        payload = _payload(action)
        try:
            obj = await self._read(payload.kind, action.request.target)
        except GoneError as error:
            return Sight.GONE, str(error)
        tests = [one for one in as_json_patch(obj, payload.patch) if one["op"] == "test"]
        if tests == [one for one in payload.body if one["op"] == "test"]:
            return Sight.UNCHANGED, ""
        return Sight.CHANGED, moved_fields(payload.obj, obj) or "the fields that it sets have changed"

    async def execute(self, action: Action) -> Receipt:
        """Send the patch, once; raises as `send_patch` does."""
        payload, target = _payload(action), action.request.target
        answer = await send_patch(self._source, payload.kind, target, payload.body, _JSON_PATCH, was=payload.obj)
        return Receipt(
            f"{target} is patched (resourceVersion {text(part(answer.body, 'metadata'), 'resourceVersion')})"
        )

    async def look(self, sent: Sent) -> Look:
        """Look whether the fields are as they were set."""
        target = sent.request.target
        try:
            obj = await self._read(await resource_named(self._source, target.kind), target)
        except NotSentError as error:
            return Look(Phase.ABSENT, str(error))
        if merged(obj, _loaded(sent.evidence["patch"])) == obj:
            return Look(Phase.CONVERGED, "read back")
        return Look(Phase.ABSENT, "its fields are others: never set, or set anew")

    def _patch(self, request: Request) -> Mapping[str, Any]:
        patch = _loaded(request.wanted.get("patch"))
        declared = self._declared.get(str(request.wanted.get("declared")))
        if patch is None or declared is None:
            raise NotSentError(f"the profile has no patch {request.wanted.get('declared')}")
        is_its = (declared.resource, declared.namespace, declared.name) == (
            request.target.kind, request.target.where, request.target.name
        )  # fmt: skip
        if not is_its or (not request.undoes and patch != declared.patch):
            raise NotSentError("the profile no longer has this patch: open opstui again to see the new one")
        return patch

    async def _read(self, kind: Resource, target: Target) -> Object:
        obj = await found_at(self._source, kind, target)
        if obj is None:
            raise GoneError(f"{target} is gone")
        if part(obj, "metadata").get("uid") != target.identity.get("uid"):
            raise GoneError(f"{target} was deleted and created again: another one under the same name")
        return obj

    async def _tried(self, kind: Resource, target: Target, body: list[dict[str, Any]], obj: Object) -> tuple[str, ...]:
        answer = await self._source.connection.call(
            "PATCH", kind.path(target.where, target.name), query=[("dryRun", "All")], body=body,
            content_type=_JSON_PATCH,
        )  # fmt: skip
        if answer.is_ok:
            return changed_fields(obj, answer.body)
        if answer.status in (400, 404, 409, 422):
            raise await lost_race(self._source, kind, target, answer, obj)
        return (f"no preview: {answer.message}",)


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by MergePatch")
    return action.payload


def _loaded(written: object) -> dict[str, Any] | None:
    try:
        found = json.loads(str(written))
    except ValueError:
        return None
    return found if isinstance(found, dict) and found else None
