"""Deleting a NetworkPolicy for a while, and making it again as it was."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.actions.action import (
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
from tui.actions.kubernetes.asking import (
    CERTAINLY_NOT,
    forbidden,
    object_target,
    permission,
    read,
    ready_to_send,
    refusal_words,
)
from tui.actions.kubernetes.locating import found_at, lost_race
from tui.actions.kubernetes.preview import changed_fields, moved_fields
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.answers import Answer, ConnectFailed
from tui.sources.kubernetes.fields import Object, owner, part, parts, strings, text
from tui.sources.kubernetes.kinds import OTHERS
from tui.sources.kubernetes.workloads import selector_words

DELETE_POLICY: Final = "delete-networkpolicy"
RESTORE_POLICY: Final = "restore-networkpolicy"
POLICY: Final = OTHERS["NetworkPolicy"]
_MOST: Final = 100_000
"""Characters of a manifest that the journal keeps."""
_LONGEST_COMMAND: Final = 4000
"""Characters of a manifest that stand in a command to paste."""
_KEPT: Final = ("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers")
"""Of metadata; the rest is the server's own."""
_DEADLINE_S: Final = 60.0


def delete_policy_request(namespace: str, name: str, uid: str, temporary_s: float = 0.0) -> Request:
    """Return the request to delete a NetworkPolicy; it counts as temporary until it is made again."""
    return Request(DELETE_POLICY, object_target(POLICY, namespace, name, uid), temporary_s=temporary_s)


def manifest_of(obj: Object) -> dict[str, Any]:
    """Return an object as somebody would write it to create it: without what the server sets."""
    metadata = part(obj, "metadata")
    return {
        "apiVersion": f"{POLICY.group}/{POLICY.version}",
        "kind": POLICY.kind,
        "metadata": {key: metadata[key] for key in _KEPT if key in metadata},
        "spec": part(obj, "spec"),
    }


@dataclass(frozen=True, slots=True)
class _Payload:
    """What `execute` sends, and the policy it was planned with."""

    body: Mapping[str, Any]
    was: Object | None
    """None when there was none."""


class _PolicyVerb:
    """What deleting a NetworkPolicy and making it again have in common."""

    ends_target = False
    _access: str

    def __init__(self, source: KubernetesSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return why we may not, from what is remembered of our rights; empty when we may, or it is not known yet."""
        return forbidden(self._source, self._access, request.target)

    async def _send(self, action: Action, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        opening = await ready_to_send(self._source)
        try:
            answer = await self._source.connection.call(method, path, body=body, timeout_s=15.0, opening=opening)
        except ConnectFailed as error:
            raise NotSentError(f"no connection, so nothing was sent: {error.message}") from error
        if answer.status in CERTAINLY_NOT:
            raise await lost_race(self._source, POLICY, action.request.target, answer, _payload(action).was)
        answer.object()
        return answer

    async def _found(self, target: Target) -> Object | None:
        return await found_at(self._source, POLICY, target)


class DeletePolicy(_PolicyVerb):
    """`kubectl delete networkpolicy`, by a DELETE whose `preconditions` hold the uid and the resourceVersion.

    There is no window: exactly what was kept is what goes. The manifest stands in the journal, so that this opstui or
    any other can make it again.
    """

    name = DELETE_POLICY
    title = "Delete NetworkPolicy"
    about = About(
        system="Kubernetes",
        targets="NetworkPolicy",
        risk="high; it counts as temporary until it is made again",
        inverse="made again from the manifest that the journal keeps, while there is none of its name",
        identity="preconditions.uid and preconditions.resourceVersion in the DELETE",
        window="none",
        command="kubectl delete networkpolicy NAME",
        verification="it is gone, within 1 min; watched 30 s longer",
    )
    hold_s = 30.0
    _access = "delete"

    async def plan(self, request: Request) -> Action:
        """Read the policy again, keep its manifest, and say who is no longer kept out.

        Raises:
            NotSentError: it is gone, is another one now, or is too big to be kept.
            SourceError: the server could not be asked.
        """
        target = request.target
        obj = await read(self._source, POLICY, target)
        kept = json.dumps(manifest_of(obj), separators=(",", ":"), ensure_ascii=False)
        if len(kept) > _MOST:
            raise NotSentError(f"{target} is too big for the journal to keep, so it could not be made again")
        version = str(part(obj, "metadata").get("resourceVersion", ""))
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": target.identity["uid"], "resourceVersion": version},
        }
        may_not = await permission(self._source, "delete", POLICY, target)
        preview = ("no preview: not permitted",) if may_not else (await self._tried(target, body),)
        return Action(
            request=request,
            before=_told(obj),
            after="gone; its manifest stays in the journal",
            risk=Risk.HIGH,
            risk_reason="whom it kept out is kept out no longer",
            command=self._source.kubectl(target.where, "delete", "networkpolicy", target.name),
            preview=preview,
            deadline_s=_DEADLINE_S,
            inverse=Request(RESTORE_POLICY, target, wanted={"manifest": kept}),
            undo="make it again as it was",
            impact=await self._impact(target, obj),
            permission=may_not,
            payload=_Payload(body, obj),
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the policy is still the one whose manifest was kept. Raises SourceError."""
        try:
            obj = await read(self._source, POLICY, action.request.target)
        except GoneError as error:
            return Sight.GONE, str(error)
        was = _payload(action).was or {}
        if part(obj, "metadata").get("resourceVersion") == part(was, "metadata").get("resourceVersion"):
            return Sight.UNCHANGED, ""
        return Sight.CHANGED, moved_fields(was, obj) or "somebody has changed it"

    async def execute(self, action: Action) -> Receipt:
        """Send the DELETE, once.

        Raises:
            NotSentError: it was never sent, or the server refused it as a whole.
            SourceError: anything may have happened.
        """
        target = action.request.target
        await self._send(action, "DELETE", POLICY.path(target.where, target.name), _payload(action).body)
        return Receipt(f"{target} is deleted")

    async def look(self, sent: Sent) -> Look:
        """Look whether that very policy is gone, and no other has taken its name."""
        found = await self._found(sent.request.target)
        if found is None:
            return Look(Phase.CONVERGED, "it is gone")
        if text(part(found, "metadata"), "uid") == sent.request.target.identity.get("uid"):
            return Look(Phase.ABSENT, "it is there")
        return Look(Phase.ABSENT, "somebody has made one of its name again")

    async def _tried(self, target: Target, body: Mapping[str, Any]) -> str:
        path, query = POLICY.path(target.where, target.name), [("dryRun", "All")]
        answer = await self._source.connection.call("DELETE", path, query=query, body=body)
        if answer.status == 404:
            raise GoneError(f"{target} is gone: {answer.message}")
        return "the server's dry run accepts it" if answer.is_ok else f"no preview: {answer.message}"

    async def _impact(self, target: Target, obj: Object) -> tuple[str, ...]:
        words = (
            [f"it is made by {by.kind} {by.name}, which may make it again"] if (by := owner(obj["metadata"])) else []
        )
        selector = part(obj, "spec", "podSelector")
        wanted = strings(selector, "matchLabels")
        chosen = [
            pod.labels
            for pod in self._source.mirror.pods.facts.values()
            if pod.namespace == target.where and wanted.items() <= pod.labels.items()
        ]
        words.append(f"it covers {len(chosen)} pods" + (" at most" if "matchExpressions" in selector else ""))
        try:
            listed = parts(await self._source.connection.get(POLICY.path(target.where)), "items")
        except SourceError as error:
            return (*words, f"other policies not seen: {error.message}")
        others = [
            text(part(one, "metadata"), "name")
            for one in listed
            if text(part(one, "metadata"), "name") != target.name
            and any(strings(part(one, "spec", "podSelector"), "matchLabels").items() <= pod.items() for pod in chosen)
        ]
        covered = f"they stay covered by {', '.join(others)}" if others else "no other policy covers them"
        return (*words, f"{covered}; what no policy covers may be reached by everybody")


class RestorePolicy(_PolicyVerb):
    """`kubectl create` of the manifest that the journal kept, by a POST: only where there is none of its name.

    There is no window: a POST never overwrites what is there.
    """

    name = RESTORE_POLICY
    title = "Restore NetworkPolicy"
    about = About(
        system="Kubernetes",
        targets="NetworkPolicy that was deleted from here",
        risk="medium",
        inverse="cannot be undone",
        identity="its name: the server creates it only where there is none",
        window="none: a POST never overwrites",
        command="kubectl create -f - (the manifest that the journal keeps)",
        verification="it is there with the spec that was kept, within 1 min; watched 30 s longer",
    )
    hold_s = 30.0
    _access = "create"

    async def plan(self, request: Request) -> Action:
        """See that there is none of its name, and let the server try to create it.

        Raises:
            NotSentError: there is one of its name, or the server would not create it.
            SourceError: the server could not be asked.
        """
        target, manifest = request.target, _manifest(request)
        if await self._found(target) is not None:
            raise NotSentError(f"there is a {target} already: its state is no longer ours to take back")
        may_not = await permission(self._source, "create", POLICY, target)
        preview: tuple[str, ...] = ("no preview: not permitted",)
        if not may_not:
            path = POLICY.path(target.where)
            answer = await self._source.connection.call("POST", path, query=[("dryRun", "All")], body=manifest)
            if answer.status in CERTAINLY_NOT and answer.status != 403:
                raise NotSentError(refusal_words(answer))
            preview = changed_fields({}, manifest) if answer.is_ok else (f"no preview: {answer.message}",)
        return Action(
            request=request,
            before="gone",
            after=_told(manifest),
            risk=Risk.MEDIUM,
            command=self._command(target, manifest),
            preview=preview,
            deadline_s=_DEADLINE_S,
            impact=("it covers its pods again at once; connections that it forbids may go on until they end",),
            permission=may_not,
            payload=_Payload(manifest, None),
        )

    def _command(self, target: Target, manifest: Mapping[str, Any]) -> str:
        written = json.dumps(manifest, separators=(",", ":"))
        if len(written) > _LONGEST_COMMAND:
            return f"{self._source.kubectl(target.where, 'create', '-f', 'FILE')} (the manifest that the journal keeps)"
        return f"printf %s {shlex.quote(written)} | {self._source.kubectl(target.where, 'create', '-f', '-')}"

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether somebody else has made it meanwhile. Raises SourceError."""
        if await self._found(action.request.target) is None:
            return Sight.UNCHANGED, ""
        return Sight.CHANGED, "somebody has made one of its name"

    async def execute(self, action: Action) -> Receipt:
        """Send the POST, once.

        Raises:
            NotSentError: it was never sent, or the server refused it as a whole.
            SourceError: anything may have happened.
        """
        target = action.request.target
        await self._send(action, "POST", POLICY.path(target.where), _payload(action).body)
        return Receipt(f"{target} is made again")

    async def look(self, sent: Sent) -> Look:
        """Look whether it is there, with the spec that was kept."""
        found = await self._found(sent.request.target)
        if found is None:
            return Look(Phase.ABSENT, "it is not there")
        if part(found, "spec") == _manifest(sent.request)["spec"]:
            return Look(Phase.CONVERGED, "it is there as it was")
        return Look(Phase.ABSENT, "one of its name is there, with another spec")


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by a verb for NetworkPolicies")
    return action.payload


def _manifest(request: Request) -> dict[str, Any]:
    """Return the manifest that the journal kept. Raises NotSentError when it is not of this policy."""
    try:
        found = json.loads(str(request.wanted.get("manifest")))
        is_own = (found["kind"], found["metadata"]["name"]) == (POLICY.kind, request.target.name)
        is_own = is_own and found["metadata"]["namespace"] == request.target.where and isinstance(found["spec"], dict)
    except (ValueError, KeyError, TypeError) as error:
        raise NotSentError(f"the journal keeps no manifest of {request.target}") from error
    if not is_own:
        raise NotSentError(f"the manifest that the journal keeps is not of {request.target}")
    return {**found}


def _told(obj: Object) -> str:
    spec = part(obj, "spec")
    kinds = spec.get("policyTypes")
    types = ", ".join(str(kind) for kind in kinds) if isinstance(kinds, list) else "Ingress"
    return f"{types} of pods {selector_words(part(spec, 'podSelector')) or '(all of the namespace)'}"
