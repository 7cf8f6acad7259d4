"""Deleting one pod: its owner, if it has one, makes another."""

from dataclasses import dataclass
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
from tui.actions.kubernetes.asking import CERTAINLY_NOT, forbidden, permission, read, ready_to_send, refusal_words
from tui.actions.kubernetes.impact import budget_words
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.answers import Answer, ConnectFailed
from tui.sources.kubernetes.fields import Object, Owner, part, parts, strings, text, whole
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.pods import Health, Pod, parse_pod
from tui.sources.kubernetes.workloads import Workload, parse_workload

DELETE_POD: Final = "delete-pod"
POD: Final = KINDS["Pod"]
_MIRROR: Final = "kubernetes.io/config.mirror"
_CRITICAL: Final = ("system-cluster-critical", "system-node-critical")
_START_S: Final = 120.0
"""What a replacement may take to be ready, beyond the grace period."""
_USUAL_GRACE_S: Final = 30


def pod_target(pod: Pod) -> Target:
    """Return the identity of a pod: its uid."""
    return pod_target_of(pod.namespace, pod.name, pod.uid)


def pod_target_of(namespace: str, name: str, uid: str) -> Target:
    """Return the identity of a pod of which only so much is known."""
    return Target(KubernetesSource.name, "pod", name, namespace, {"uid": uid}, {"namespace": namespace})


def delete_request(pod: Pod, grace_s: int | None = None) -> Request:
    """Return the request to delete a pod; `grace_s` in place of its own grace period, 0 for by force."""
    return Request(DELETE_POD, pod_target(pod), wanted={} if grace_s is None else {"grace_s": grace_s})


@dataclass(frozen=True, slots=True)
class _Payload:
    """What `execute` sends, and the pod it was planned for."""

    body: dict[str, Any]
    status: str


class DeletePod:
    """`kubectl delete pod`, by a DELETE whose `preconditions` hold the uid.

    There is no window: a pod created again under the name has another uid, and the server answers 409. By force
    (grace 0) the server forgets the pod at once, and its containers may go on for a while on a node that is cut off.
    """

    name = DELETE_POD
    title = "Delete pod"
    about = About(
        system="Kubernetes",
        targets="pod, but for the mirror of a static pod",
        risk="low when something makes it again; medium in a StatefulSet; high by force (grace 0), when nothing makes "
        "it again, or when it is cluster-critical",
        inverse=CANNOT_BE_UNDONE,
        identity="preconditions.uid in the DELETE",
        window="none",
        command="kubectl delete pod NAME [--grace-period=N]",
        verification="that uid is gone and, where it has an owner, as many pods are ready as wanted; grace + 2 min",
    )
    hold_s = 0.0
    ends_target = True
    _access = ("delete", "")
    """What it needs to be allowed: a verb on pods, or on one of their subresources."""
    _is_asking_budgets = False

    def __init__(self, source: KubernetesSource) -> None:
        self._source = source

    def forbidden(self, request: Request) -> str:
        """Return why we may not, from what is remembered of our rights; empty when we may, or it is not known yet."""
        return forbidden(self._source, "delete", request.target)

    async def plan(self, request: Request) -> Action:
        """Read the pod again, ask whether we may, and say who makes it again and who counts on it.

        Raises:
            NotSentError: it is gone, is another one now, or deleting it would do nothing.
            SourceError: the server could not be asked.
        """
        target = request.target
        obj = await read(self._source, POD, target)
        pod, grace_s = parse_pod(obj), _grace(request, obj)
        metadata = part(obj, "metadata")
        if _MIRROR in part(metadata, "annotations"):
            raise NotSentError(
                f"{target} mirrors a static pod of node {pod.node}: the kubelet makes it again at once; change its "
                "manifest there"
            )
        is_terminating = metadata.get("deletionTimestamp") is not None
        if is_terminating and grace_s > 0:
            raise NotSentError(f"{target} is terminating already; by force (grace 0) is what would be left")
        risk, reason = _risk(pod, obj, grace_s)
        access, subresource = self._access
        return Action(
            request=request,
            before=f"{pod.status}, {pod.ready}/{pod.containers} ready, on {pod.node or 'no node'}",
            after=_after(pod.owner),
            risk=risk,
            risk_reason=reason,
            command=self._command(target, grace_s, request),
            preview=await self._preview(target, _body(target, request)),
            deadline_s=grace_s + _START_S,
            impact=await self._impact(pod, obj, grace_s),
            permission=await permission(self._source, access, POD, target, subresource),
            evidence={"owner_uid": pod.owner.uid if pod.owner else None, "owner_kind": _kind(pod.owner)},
            payload=_Payload(_body(target, request), pod.status),
        )

    def _command(self, target: Target, grace_s: int, request: Request) -> str:
        options = (f"--grace-period={grace_s}",) if "grace_s" in request.wanted else ()
        force = ("--force",) if grace_s == 0 else ()
        return self._source.kubectl(target.where, "delete", "pod", target.name, *options, *force)

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """Tell whether the pod is still there, and in what state. Raises SourceError."""
        payload = _payload(action)
        try:
            pod = parse_pod(await read(self._source, POD, action.request.target))
        except GoneError as error:
            return Sight.GONE, str(error)
        if pod.status != payload.status:
            return Sight.CHANGED, f"{payload.status} → {pod.status}"
        return Sight.UNCHANGED, ""

    async def execute(self, action: Action) -> Receipt:
        """Send the DELETE, once.

        Raises:
            NotSentError: it was never sent, or the server refused it as a whole.
            SourceError: anything may have happened.
        """
        target = action.request.target
        opening = await ready_to_send(self._source)
        try:
            answer = await self._delete(target, _payload(action).body, opening=opening)
        except ConnectFailed as error:
            raise NotSentError(f"no connection, so nothing was sent: {error.message}") from error
        if answer.status in CERTAINLY_NOT:
            raise _refused(target, answer)
        # The answer to an eviction is a Status: its metadata is empty.
        grace = text(part(answer.object(), "metadata"), "deletionTimestamp")
        return Receipt(f"{target} is being deleted" + (f", by {grace}" if grace else ""))

    async def look(self, sent: Sent) -> Look:
        """Look whether that very pod is gone, and whether its owner has as many ready as it wants."""
        target = sent.request.target
        answer = await self._source.connection.call("GET", POD.path(target.where, target.name))
        obj = {} if answer.status == 404 else answer.object()
        metadata = part(obj, "metadata")
        if obj and text(metadata, "uid") == target.identity.get("uid"):
            if metadata.get("deletionTimestamp") is None:
                return Look(Phase.ABSENT, "it is there and is not being deleted")
            return Look(Phase.WAITING, f"still there: {parse_pod(obj).status}")
        return await self._replaced(sent)

    async def _replaced(self, sent: Sent) -> Look:
        uid, kind = sent.evidence.get("owner_uid"), KINDS.get(str(sent.evidence.get("owner_kind")))
        if not uid or kind is None or kind.kind == "Job":
            return Look(Phase.CONVERGED, "it is gone")
        listed = await self._source.connection.get(kind.path(sent.request.target.where))
        found = next((item for item in parts(listed, "items") if text(part(item, "metadata"), "uid") == uid), None)
        if found is None:
            return Look(Phase.CONVERGED, "it is gone, and so is its owner")
        workload = parse_workload(kind.kind, found)
        if workload.ready < workload.desired:
            broken = _failing_words(self._made_since(workload, sent.at))
            return Look(Phase.WAITING, f"it is gone; {workload.ready} of {workload.desired} ready again{broken}")
        return Look(Phase.CONVERGED, f"it is gone, {workload.ready} of {workload.desired} ready")

    def _made_since(self, workload: Workload, since: float) -> list[Pod]:
        return [
            pod
            for pod in self._source.mirror.pods.facts.values()
            if pod.owner is not None and pod.owner.uid == workload.uid and (pod.created_at or 0) >= int(since) - 1
        ]

    async def _delete(
        self, target: Target, body: dict[str, Any], *, dry_run: bool = False, opening: int | None = None
    ) -> Answer:
        return await self._source.connection.call(
            "DELETE",
            POD.path(target.where, target.name),
            query=[("dryRun", "All")] if dry_run else (),
            body=body,
            timeout_s=15.0,
            opening=opening,
        )

    async def _preview(self, target: Target, body: dict[str, Any]) -> tuple[str, ...]:
        answer = await self._delete(target, body, dry_run=True)
        if answer.is_ok:
            return ("the server's dry run accepts it",)
        if answer.status in (404, 409):
            raise _refused(target, answer)
        return (f"no preview: {answer.message}",)

    async def _impact(self, pod: Pod, obj: Object, grace_s: int) -> tuple[str, ...]:
        words = [] if grace_s == 0 else [f"its containers get {grace_s} s to end"]
        try:
            budgets = await self._source.connection.get(
                f"/apis/policy/v1/namespaces/{pod.namespace}/poddisruptionbudgets"
            )
        except SourceError as error:
            words.append(f"disruption budgets not seen: {error.message}")
        else:
            labels = strings(part(obj, "metadata"), "labels")
            words += budget_words(parts(budgets, "items"), labels, is_asked=self._is_asking_budgets)
        others = self._siblings(pod)
        if pod.owner is not None and pod.health is Health.FINE and not others:
            words.append(f"no other pod of {pod.owner.kind} {pod.owner.name} is ready: nobody serves meanwhile")
        return tuple(words)

    def _siblings(self, pod: Pod) -> list[Pod]:
        """Return the other ready pods of the same owner, from the mirror."""
        uid = pod.owner.uid if pod.owner else None
        return [
            other
            for other in self._source.mirror.pods.facts.values()
            if other.owner is not None and other.owner.uid == uid and other.uid != pod.uid
            and other.health is Health.FINE
        ]  # fmt: skip


def _payload(action: Action) -> _Payload:
    if not isinstance(action.payload, _Payload):
        raise TypeError("this action was not planned by DeletePod")
    return action.payload


def _body(target: Target, request: Request) -> dict[str, Any]:
    body: dict[str, Any] = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Background",
        "preconditions": {"uid": target.identity["uid"]},
    }
    return {**body, "gracePeriodSeconds": request.wanted["grace_s"]} if "grace_s" in request.wanted else body


def _grace(request: Request, obj: Object) -> int:
    """Return the seconds its containers get. Raises NotSentError for what is no number of seconds."""
    wanted = request.wanted.get("grace_s", whole(part(obj, "spec"), "terminationGracePeriodSeconds", _USUAL_GRACE_S))
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
        raise NotSentError("the grace period must be 0 seconds or more")
    return wanted


def _risk(pod: Pod, obj: Object, grace_s: int) -> tuple[Risk, str]:
    priority = text(part(obj, "spec"), "priorityClassName")
    if priority in _CRITICAL or pod.namespace == "kube-system":
        return Risk.HIGH, f"cluster-critical: {priority or 'it lives in kube-system'}"
    if grace_s == 0:
        return Risk.HIGH, "by force: nobody waits for its containers to end, and on a node cut off they go on"
    if pod.owner is None:
        return Risk.HIGH, "a bare pod: nothing makes it again"
    if pod.owner.kind == "StatefulSet":
        return Risk.MEDIUM, "a StatefulSet's pod has a name and storage of its own"
    return Risk.LOW, ""


def _after(owned_by: Owner | None) -> str:
    if owned_by is None:
        return "gone for good: nothing makes it again"
    if owned_by.kind == "Job":
        return f"gone; Job {owned_by.name} may make another (backoffLimit)"
    return f"gone; {owned_by.kind} {owned_by.name} makes another"


def _kind(owned_by: Owner | None) -> str | None:
    return owned_by.kind if owned_by else None


def _refused(target: Target, answer: Answer) -> NotSentError:
    if answer.status == 404:
        return GoneError(f"{target} is gone: {answer.message}")
    if answer.status == 409:
        return GoneError(f"{target} is another one now, under the same name: {answer.message}")
    return NotSentError(refusal_words(answer))


def _failing_words(pods: list[Pod]) -> str:
    failing = [pod for pod in pods if pod.health is Health.FAILING]
    return f", {failing[0].status}: {failing[0].name}" if failing else ""
