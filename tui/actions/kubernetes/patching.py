"""What all changes by a JSON Patch have in common: identity, permission, dry run, one write, looks.

A name is no identity: an object may be deleted and created again under it. Every change is therefore a JSON Patch
whose first steps test the uid and the very fields the person saw; the API server applies it as a whole or not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
from tui.actions.kubernetes.preview import changed_fields
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.answers import Answer, ConnectFailed
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.kinds import Resource

_JSON_PATCH: Final = "application/json-patch+json"
_WRITE_TIMEOUT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Change:
    """What a verb makes of an object as it was read: everything that differs from verb to verb."""

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

    kind: Resource
    change: Change


class PatchVerb:
    """What all changes by a JSON Patch have in common."""

    name: str
    title: str
    about: About
    hold_s = 30.0
    ends_target = False
    _kinds: tuple[str, ...]
    _subresource = ""
    _done: str
    """What the answer to the write says that happened."""
    _deadline_s = 60.0

    def __init__(self, source: KubernetesSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return why we may not, from what is remembered of our rights; empty when we may, or it is not known yet."""
        return forbidden(self._source, "patch", request.target, self._subresource)

    async def plan(self, request: Request) -> Action:
        """Read the object again, ask whether we may, let the server try it, and say who is affected.

        Raises:
            NotSentError: it is gone, is another one now, or cannot be changed this way.
            SourceError: the server could not be asked.
        """
        target = request.target
        kind = self._kind(target)
        obj = await read(self._source, kind, target)
        change = await self._planned(request, kind, obj)
        may_not = await permission(self._source, "patch", kind, target, self._subresource)
        preview: tuple[str, ...] = ("no preview: not permitted",)
        written: Mapping[str, Any] = {}
        if not may_not:
            preview, may_not, would_be = await self._preview(target, kind, change, obj)
            written = self._written(would_be)
        return Action(
            request=request,
            before=change.before,
            after=change.after,
            risk=change.risk,
            risk_reason=change.risk_reason,
            command=self._source.kubectl(target.where, *change.arguments),
            preview=preview,
            deadline_s=self._deadline_s,
            inverse=_seeing(change.inverse, written),
            undo=change.undo,
            impact=change.impact,
            permission=may_not,
            evidence={**change.evidence, **written},
            payload=_Payload(kind, change),
        )

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the object is still as it was when the action was planned. Raises SourceError."""
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
        obj = answer.object()
        version = text(part(obj, "metadata"), "resourceVersion")
        return Receipt(f"{target} {self._done} (resourceVersion {version})", self._written(obj))

    async def look(self, sent: Sent) -> Look:
        """Look once at the object: whether it carries the change, and how far what follows from it has come."""
        target = sent.request.target
        kind = self._kind(target)
        try:
            obj = await read(self._source, kind, target)
        except GoneError as error:
            return Look(Phase.ABSENT, str(error))
        if superseded := self._superseded(sent, obj):
            return Look(Phase.ABSENT, superseded)
        return self._judge(sent, kind, obj)

    # What differs from verb to verb

    async def _planned(self, request: Request, kind: Resource, obj: Object) -> Change:
        """Return the change to make of the object; raises NotSentError for what cannot be done with it."""
        raise NotImplementedError

    def _moved(self, was: Any, obj: Object) -> str:
        """Say what differs between the object now and `Change.was`; empty when nothing does."""
        raise NotImplementedError

    def _superseded(self, sent: Sent, obj: Object) -> str:
        """Say why the object does not carry the change; empty when it does."""
        raise NotImplementedError

    def _judge(self, sent: Sent, kind: Resource, obj: Object) -> Look:
        """Say how far it has come, of an object that carries the change."""
        return Look(Phase.CONVERGED, "read back")

    def _changed(self, before: Object, after: Object) -> tuple[str, ...]:
        """Return what the dry run changes, line by line."""
        return changed_fields(before, after)

    def _written(self, obj: Object) -> Mapping[str, Any]:
        """Return the evidence that the server's own form of the object gives (it may write a value in its own way)."""
        return {}

    def _kind(self, target: Target) -> Resource:
        kind = kind_of(target)
        if kind is None or kind.kind not in self._kinds:
            raise NotSentError(f"{self.title} is not for a {target.kind}: only for {', '.join(self._kinds)}")
        return kind

    # Talking to the server

    async def _patch(
        self, target: Target, kind: Resource, change: Change, *, dry_run: bool = False, opening: int | None = None
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

    async def _preview(
        self, target: Target, kind: Resource, change: Change, obj: Object
    ) -> tuple[tuple[str, ...], str, Object]:
        """Return what the server's dry run changes, why we may not where it says so, and what it would make of it."""
        before = obj
        if self._subresource:
            before = await self._source.connection.get(kind.path(target.where, target.name, self._subresource))
        answer = await self._patch(target, kind, change, dry_run=True)
        if answer.is_ok:
            return self._changed(before, answer.body), "", answer.body
        if answer.status == 403:
            return ("no preview: not permitted",), answer.message, {}
        if answer.status in (404, 409, 422):
            raise await self._refused(target, kind, change, answer)
        return (f"no preview: {answer.message}",), "", {}

    async def _refused(self, target: Target, kind: Resource, change: Change, answer: Answer) -> NotSentError:
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


def _seeing(inverse: Request | None, written: Mapping[str, Any]) -> Request | None:
    """Let an inverse expect what the server writes, in the server's own form."""
    if inverse is None or not written:
        return inverse
    return replace(inverse, seen={key: written.get(key, value) for key, value in inverse.seen.items()})


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by a verb that patches")
    return action.payload
