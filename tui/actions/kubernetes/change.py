"""What all changes of a workload have in common: identity, permission, dry run, one JSON Patch, looks.

A name is no identity: a workload may be deleted and created again under it. Every change is therefore a JSON Patch
whose first steps test the uid and the very fields the person saw; the API server applies it as a whole or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

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
from tui.actions.kubernetes.asking import (
    CERTAINLY_NOT,
    forbidden,
    kind_of,
    permission,
    read,
    ready_to_send,
    refusal_words,
)
from tui.actions.kubernetes.impact import Surroundings, surroundings
from tui.actions.kubernetes.preview import changed_fields
from tui.actions.kubernetes.rollout import rollout
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.connection import Answer, ConnectFailed
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.kinds import Kind
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.workloads import Workload, parse_workload

_JSON_PATCH: Final = "application/json-patch+json"
_WRITE_TIMEOUT_S: Final = 15.0
ROLLOUT_S: Final = 300.0
"""Deadline of what rolls pods out or takes them away."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a verb makes of a workload as it was read: everything that differs from verb to verb."""

    patch: list[dict[str, Any]]
    """JSON Patch; its first steps test the identity."""
    was: Any
    """The part of the object that the patch tests beside the uid; what moved is said by comparing it again."""
    before: str
    after: str
    arguments: tuple[str, ...]
    """Of kubectl, behind the namespace."""
    risk: Risk = Risk.MEDIUM
    risk_reason: str = ""
    undo: str = CANNOT_BE_UNDONE
    inverse: Request | None = None
    impact: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Payload:
    """What `execute` sends."""

    kind: Kind
    change: Change


def workload_target(workload: Workload) -> Target:
    """Return the identity of a workload: its uid."""
    return Target(
        source=KubernetesSource.name,
        kind=workload.kind.lower(),
        name=workload.name,
        where=workload.namespace,
        identity={"uid": workload.uid},
        scope={"namespace": workload.namespace},
    )


class WorkloadVerb:
    """What all changes of a workload have in common."""

    name: str
    title: str
    about: About
    hold_s = 30.0
    ends_target = False
    _kinds: tuple[str, ...]
    _subresource = ""
    _done: str
    """What the answer to the write says that happened."""
    _is_scaling = False

    def __init__(self, source: KubernetesSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return why we may not, from what is remembered of our rights; empty when we may, or it is not known yet."""
        return forbidden(self._source, "patch", request.target, self._subresource)

    async def plan(self, request: Request) -> Action:
        """Read the workload again, ask whether we may, let the server try it, and say who is affected.

        Raises:
            NotSentError: it is gone, is another one now, or cannot be changed this way.
            SourceError: the server could not be asked.
        """
        target = request.target
        kind = self._kind(target)
        obj = await read(self._source, kind, target)
        workload = parse_workload(kind.kind, obj)
        around = await surroundings(self._source, workload, obj)
        change = await self._change(request, kind, workload, obj, around)
        may_not = await permission(self._source, "patch", kind, target, self._subresource)
        preview: tuple[str, ...] = ("no preview: not permitted",)
        if not may_not:
            preview, may_not = await self._preview(target, kind, change, obj)
        return Action(
            request=request,
            before=change.before,
            after=change.after,
            risk=change.risk,
            risk_reason=change.risk_reason,
            command=self._source.kubectl(target.where, *change.arguments),
            preview=preview,
            deadline_s=ROLLOUT_S,
            inverse=change.inverse,
            undo=change.undo,
            impact=(*_moved_since_seen(request, workload), *change.impact, *around.words(request.wanted)),
            permission=may_not,
            evidence=change.evidence,
            payload=_Payload(kind, change),
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the workload is still as it was when the action was planned. Raises SourceError."""
        payload = _payload(action)
        try:
            obj = await read(self._source, payload.kind, action.request.target)
        except GoneError as error:
            return Sight.GONE, str(error)
        moved = self._moved(payload.change.was, obj)
        return (Sight.CHANGED, moved) if moved else (Sight.UNCHANGED, "")

    async def execute(self, action: Action) -> Receipt:
        """Send the patch, once.

        Raises:
            NotSentError: it was never sent, or the server refused it as a whole.
            SourceError: anything may have happened.
        """
        payload, target = _payload(action), action.request.target
        opening = await ready_to_send(self._source)
        try:
            answer = await self._patch(target, payload.kind, payload.change, opening=opening)
        except ConnectFailed as error:
            raise NotSentError(f"no connection, so nothing was sent: {error.message}") from error
        if answer.status in CERTAINLY_NOT:
            raise await self._refused(target, payload.kind, payload.change, answer)
        version = text(part(answer.object(), "metadata"), "resourceVersion")
        return Receipt(f"{target} {self._done} (resourceVersion {version})")

    async def look(self, sent: Sent) -> Look:
        """Look at the workload as `kubectl rollout status` does, and name the pods that do not start."""
        target = sent.request.target
        kind = self._kind(target)
        try:
            obj = await read(self._source, kind, target)
        except GoneError as error:
            return Look(Phase.ABSENT, str(error))
        if superseded := self._superseded(sent, obj):
            return Look(Phase.ABSENT, superseded)
        return self._judge(sent, kind, obj)

    def _judge(self, sent: Sent, kind: Kind, obj: Object) -> Look:
        failing = self._pods_since(sent.request.target, sent.at)
        return rollout(kind.kind, obj, failing, is_scaled=self._is_scaling)

    # What differs from verb to verb

    async def _change(
        self, request: Request, kind: Kind, workload: Workload, obj: Object, around: Surroundings
    ) -> Change:
        raise NotImplementedError

    def _moved(self, was: Any, obj: Object) -> str:
        """Say what differs between the workload now and `Change.was`; empty when nothing does."""
        raise NotImplementedError

    def _superseded(self, sent: Sent, obj: Object) -> str:
        """Say why the workload does not carry the change; empty when it does."""
        raise NotImplementedError

    # Talking to the server

    def _kind(self, target: Target) -> Kind:
        kind = kind_of(target)
        if kind is None or kind.kind not in self._kinds:
            raise NotSentError(f"{self.title} is not for a {target.kind}: only for {', '.join(self._kinds)}")
        return kind

    async def _patch(
        self, target: Target, kind: Kind, change: Change, *, dry_run: bool = False, opening: int | None = None
    ) -> Answer:
        return await self._source.connection.call(
            "PATCH",
            kind.path(target.where, target.name, self._subresource),
            query=[("dryRun", "All")] if dry_run else (),
            body=change.patch,
            content_type=_JSON_PATCH,
            timeout_s=_WRITE_TIMEOUT_S,
            opening=opening,
        )

    async def _preview(self, target: Target, kind: Kind, change: Change, obj: Object) -> tuple[tuple[str, ...], str]:
        """Return what the server's dry run changes, and why we may not where it says so."""
        before = obj
        if self._subresource:
            before = await self._source.connection.get(kind.path(target.where, target.name, self._subresource))
        answer = await self._patch(target, kind, change, dry_run=True)
        if answer.is_ok:
            return changed_fields(before, answer.body), ""
        if answer.status == 403:
            return ("no preview: not permitted",), answer.message
        if answer.status in (404, 409, 422):
            raise await self._refused(target, kind, change, answer)
        return (f"no preview: {answer.message}",), ""

    async def _refused(self, target: Target, kind: Kind, change: Change, answer: Answer) -> NotSentError:
        """Say what moved when a test of the patch failed (the server does not say which), else its own words."""
        if answer.status == 404:
            return GoneError(f"{target} is gone: {answer.message}")
        if answer.status in (409, 422):
            try:
                moved = self._moved(change.was, await read(self._source, kind, target))
            except NotSentError as error:
                return error
            except SourceError as error:
                moved = f"what moved could not be read: {error.message}"
            if moved:
                return NotSentError(f"{target} has moved on: {moved}; nothing was changed")
        return NotSentError(refusal_words(answer))

    def _pods_since(self, target: Target, since: float) -> list[Pod]:
        """Return the target's pods that were made since the change, from the mirror."""
        mirror, uid = self._source.mirror, target.identity.get("uid")
        owners = {uid, *(found.uid for found in mirror.replica_sets.facts.values() if _is_of(found, uid))}
        return [
            pod
            for pod in mirror.pods.facts.values()
            if pod.owner is not None and pod.owner.uid in owners and (pod.created_at or 0) >= int(since) - 1
        ]


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by a verb for workloads")
    return action.payload


def _is_of(replica_set: Workload, uid: object) -> bool:
    return replica_set.owner is not None and replica_set.owner.uid == uid


def _moved_since_seen(request: Request, workload: Workload) -> tuple[str, ...]:
    seen = request.seen.get("replicas")
    if seen is None or seen == workload.desired or workload.kind == "DaemonSet":
        return ()
    return (f"its replicas moved from {seen} to {workload.desired} since you looked",)
