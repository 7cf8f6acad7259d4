"""What restarting and scaling a workload have in common: identity, permission, dry run, one patch, looks."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tui.actions.action import Action, Look, NotSentError, Phase, Receipt, Request, Risk, Sight, Target
from tui.actions.kubernetes_impact import around
from tui.actions.kubernetes_preview import changed_fields
from tui.actions.kubernetes_rollout import rollout
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.connection import Answer, ConnectFailed
from tui.sources.kubernetes.fields import Object, part, strings, text, whole
from tui.sources.kubernetes.kinds import KINDS, Kind
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.workloads import Workload, parse_workload

RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"
"""The template annotation whose change makes every pod be replaced."""
_JSON_PATCH: Final = "application/json-patch+json"
_CERTAINLY_NOT: Final = frozenset({400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429})
"""Statuses with which an API server refuses a write as a whole."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What `execute` sends, and the state it was planned for."""

    kind: Kind
    subresource: str
    patch: list[dict[str, Any]]
    template_metadata: Object
    replicas: int
    wanted: int | None
    """Replicas asked for; None for a restart."""
    stamp: str
    """The restartedAt that is written; empty for scale."""


@dataclass(slots=True)
class _Watched:
    """What `look` remembers between looks."""

    since: float
    has_converged: bool = False


class WorkloadVerb:
    """What restarting and scaling have in common."""

    name: str
    title: str
    deadline_s = 300.0
    _kinds: tuple[str, ...]
    _subresource = ""

    def __init__(self, source: KubernetesSource) -> None:
        self._source = source

    async def plan(self, request: Request) -> Action:
        """Read the workload again, ask whether we may, let the server try it, and say who is affected.

        Raises:
            NotSentError: it is gone, is another one now, or cannot be changed this way.
            SourceError: the server could not be asked.
        """
        kind = self._kind(request.target)
        obj = await self._read(kind, request.target)
        workload = parse_workload(kind.kind, obj)
        payload = self._payload(kind, request, workload, obj)
        permission = await self._permission(kind, request.target)
        preview: tuple[str, ...] = ("no preview: not permitted",)
        if not permission:
            preview, permission = await self._preview(request.target, payload, obj)
        risk, risk_reason = self._risk(payload)
        return Action(
            id=secrets.token_hex(8),
            request=request,
            before=self._before(workload, payload),
            after=self._after(workload, payload),
            risk=risk,
            risk_reason=risk_reason,
            undo=self._undo(payload),
            command=self._command(request.target, payload),
            preview=preview,
            impact=(
                *self._moved(request, payload),
                *self._impact(workload, obj),
                *await around(self._source, workload, obj, wanted=payload.wanted),
            ),
            permission=permission,
            payload=payload,
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the workload is still as it was when the action was planned. Raises SourceError."""
        payload = _payload(action)
        try:
            obj = await self._read(payload.kind, action.request.target)
        except NotSentError as error:
            return Sight.GONE, str(error)
        moved = _what_moved(payload, obj)
        return (Sight.CHANGED, moved) if moved else (Sight.UNCHANGED, "")

    async def execute(self, action: Action) -> Receipt:
        """Send the patch, once.

        Raises:
            NotSentError: it was never sent, or the server refused it as a whole.
            SourceError: anything may have happened.
        """
        payload, target = _payload(action), action.request.target
        try:
            await self._source.connection.ready()
        except SourceError as error:
            raise NotSentError(f"nothing was sent: {error}") from error
        try:
            answer = await self._patch(target, payload)
        except ConnectFailed as error:
            raise NotSentError(f"no connection, so nothing was sent: {error.message}") from error
        if answer.status in _CERTAINLY_NOT:
            raise NotSentError(await self._why_refused(target, payload, answer))
        changed = answer.object()
        since = datetime.now(UTC).timestamp()
        version = text(part(changed, "metadata"), "resourceVersion")
        return Receipt(f"{target} {self._done(payload)} (resourceVersion {version})", _Watched(since))

    async def look(self, action: Action, receipt: Receipt) -> Look:
        """Look at the workload as `kubectl rollout status` does, and name the pods that do not start."""
        payload, target = _payload(action), action.request.target
        try:
            obj = await self._read(payload.kind, target)
        except NotSentError as error:
            return Look(Phase.NOT_CONVERGED, str(error))
        if superseded := self._superseded(payload, obj):
            return Look(Phase.REGRESSED, superseded)
        watched = receipt.token if isinstance(receipt.token, _Watched) else _Watched(0.0)
        failing = self._pods(payload, target, watched.since)
        look = rollout(payload.kind.kind, obj, failing, is_scaled=payload.wanted is not None)
        if look.phase is Phase.CONVERGED:
            watched.has_converged = True
        elif watched.has_converged:
            return Look(Phase.REGRESSED, f"it was there, and is no longer: {look.detail}")
        return look

    # What the two do differently

    def _payload(self, kind: Kind, request: Request, workload: Workload, obj: Object) -> Payload:
        raise NotImplementedError

    def _risk(self, payload: Payload) -> tuple[Risk, str]:
        raise NotImplementedError

    def _before(self, workload: Workload, payload: Payload) -> str:
        raise NotImplementedError

    def _after(self, workload: Workload, payload: Payload) -> str:
        raise NotImplementedError

    def _undo(self, payload: Payload) -> str:
        raise NotImplementedError

    def _command(self, target: Target, payload: Payload) -> str:
        raise NotImplementedError

    def _impact(self, workload: Workload, obj: Object) -> tuple[str, ...]:
        raise NotImplementedError

    def _done(self, payload: Payload) -> str:
        raise NotImplementedError

    def _superseded(self, payload: Payload, obj: Object) -> str:
        raise NotImplementedError

    # Talking to the server

    def _kind(self, target: Target) -> Kind:
        kind = next((kind for kind in KINDS.values() if kind.kind.lower() == target.kind.lower()), None)
        if kind is None or kind.kind not in self._kinds:
            raise NotSentError(f"a {target.kind} cannot be {self.title.lower()}ed: only {', '.join(self._kinds)}")
        return kind

    async def _read(self, kind: Kind, target: Target) -> Object:
        """Return the target as it is now; raises NotSentError when it is gone or another one."""
        answer = await self._source.connection.call("GET", kind.path(target.where, target.name))
        if answer.status == 404:
            raise NotSentError(f"{target} is gone: {answer.message}")
        obj = answer.object()
        if text(part(obj, "metadata"), "uid") != target.identity.get("uid"):
            raise NotSentError(f"{target} was deleted and created again: another one under the same name")
        return obj

    async def _permission(self, kind: Kind, target: Target) -> str:
        """Return why we may not, by a SelfSubjectAccessReview; empty when we may or nobody could say."""
        attributes = {
            "namespace": target.where,
            "verb": "patch",
            "group": kind.group,
            "resource": kind.resource,
            "name": target.name,
        }
        if self._subresource:
            attributes["subresource"] = self._subresource
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self._source.connection.call("POST", path, body=review)
        status = part(answer.body, "status")
        if not answer.is_ok or status.get("allowed") is True:
            return ""
        what = f"{kind.resource}/{self._subresource}" if self._subresource else kind.resource
        reason = text(status, "reason")
        return f"not permitted: it needs patch on {what} in {target.where}" + (f" ({reason})" if reason else "")

    async def _patch(self, target: Target, payload: Payload, *, dry_run: bool = False) -> Answer:
        return await self._source.connection.call(
            "PATCH",
            payload.kind.path(target.where, target.name, payload.subresource),
            query=[("dryRun", "All")] if dry_run else (),
            body=payload.patch,
            content_type=_JSON_PATCH,
            timeout_s=15.0,
        )

    async def _preview(self, target: Target, payload: Payload, obj: Object) -> tuple[tuple[str, ...], str]:
        """Return what the server's dry run changes, and why we may not where it says so."""
        before = obj
        if payload.subresource:
            path = payload.kind.path(target.where, target.name, payload.subresource)
            before = await self._source.connection.get(path)
        answer = await self._patch(target, payload, dry_run=True)
        if answer.is_ok:
            return changed_fields(before, answer.body), ""
        if answer.status == 403:
            return ("no preview: not permitted",), answer.message
        if answer.status in (409, 422):
            raise NotSentError(await self._why_refused(target, payload, answer))
        return (f"no preview: {answer.message}",), ""

    async def _why_refused(self, target: Target, payload: Payload, answer: Answer) -> str:
        """Return what moved when a test of the patch failed (the server does not say which), else its own words."""
        if answer.status == 404:
            return f"{target} is gone: {answer.message}"
        if answer.status in (409, 422):
            try:
                moved = _what_moved(payload, await self._read(payload.kind, target))
            except NotSentError as error:
                return str(error)
            except SourceError as error:
                moved = f"what moved could not be read: {error.message}"
            if moved:
                return f"{target} has moved on: {moved}; nothing was changed"
        return f"refused, nothing was changed: {answer.message}"

    def _pods(self, payload: Payload, target: Target, since: float) -> list[Pod]:
        """Return the target's pods that were made since the change, from the mirror."""
        mirror, uid = self._source.mirror, target.identity.get("uid")
        owners = {uid, *(found.uid for found in mirror.replica_sets.facts.values() if _is_of(found, uid))}
        return [
            pod
            for pod in mirror.pods.facts.values()
            if pod.owner is not None and pod.owner.uid in owners and (pod.created_at or 0) >= int(since) - 1
        ]

    def _moved(self, request: Request, payload: Payload) -> tuple[str, ...]:
        seen = request.seen.get("replicas")
        if seen is None or seen == payload.replicas or payload.kind.kind == "DaemonSet":
            return ()
        return (f"its replicas moved from {seen} to {payload.replicas} since you looked",)


def _payload(action: Action) -> Payload:
    if not isinstance(action.payload, Payload):
        raise TypeError("this action was not planned by a Kubernetes verb")
    return action.payload


def _is_of(replica_set: Workload, uid: object) -> bool:
    return replica_set.owner is not None and replica_set.owner.uid == uid


def _what_moved(payload: Payload, obj: Object) -> str:
    """Say what differs between the workload now and the one the action was planned for; empty when nothing does."""
    if payload.wanted is not None:
        now = whole(part(obj, "spec"), "replicas", 1)
        return "" if now == payload.replicas else f"replicas {payload.replicas} → {now}"
    metadata = part(obj, "spec", "template", "metadata")
    if metadata == payload.template_metadata:
        return ""
    restarted = strings(metadata, "annotations").get(RESTARTED_AT, "")
    if restarted != strings(payload.template_metadata, "annotations").get(RESTARTED_AT, ""):
        return f"restarted at {restarted}" if restarted else "its restart was taken back"
    return "the labels or annotations of its pod template changed"
