"""How far a rollout is, from the whole object, in the sentences of `kubectl rollout status`. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tui.sources.kubernetes.fields import Object, moment, part, parts, text, whole
from tui.sources.text import clean

_DEADLINE_S: Final = 600
"""`spec.progressDeadlineSeconds` where none is written."""
_NO_DEADLINE: Final = 2_147_483_647
_TIMED_OUT: Final = "ProgressDeadlineExceeded"
_COMPLETE: Final = "NewReplicaSetAvailable"


class Stage(StrEnum):
    """Where a rollout stands."""

    DONE = "done"
    MOVING = "rolling out"
    PAUSED = "paused"
    STUCK = "stuck"
    """The controller gave up waiting, or cannot make pods at all."""
    FALLEN = "pods missing"
    """It had been rolled out; since then pods became unavailable."""
    BY_HAND = "by hand"
    """`updateStrategy: OnDelete`: pods get the new template only when somebody deletes them."""


@dataclass(frozen=True, slots=True)
class StatusCondition:
    """One entry of `status.conditions`."""

    type: str
    """`Progressing`, `ReplicaFailure`, `Available`."""
    status: str
    """`True`, `False`, `Unknown`."""
    reason: str
    message: str
    updated_at: float | None
    """`lastUpdateTime`, else `lastTransitionTime`: of Progressing the last time that anything moved."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A Deployment, StatefulSet or DaemonSet, looked at for its rollout alone."""

    kind: str
    uid: str
    namespace: str
    name: str
    stage: Stage
    words: str
    """What `kubectl rollout status` prints of it now."""
    desired: int
    current: int
    """Pods there are, old ones included: `status.replicas`, `currentNumberScheduled`."""
    updated: int
    """Pods of the newest template: `updatedReplicas`, `updatedNumberScheduled`."""
    ready: int
    available: int
    unavailable: int
    """`unavailableReplicas`, `numberUnavailable`; of a StatefulSet those desired that are not available."""
    strategy: str
    """`RollingUpdate, surge 25%, unavailable 25%`."""
    conditions: tuple[StatusCondition, ...]
    """Progressing and ReplicaFailure, where the controller keeps them (a Deployment's alone does)."""
    gives_up_at: float | None
    """When the deadline passes unless something moves, by the server's clock; None when none is running."""
    deadline_s: int | None
    """`spec.progressDeadlineSeconds` of a Deployment; None for other kinds and where it waits for ever."""
    marks: tuple[object, ...]
    """What changes when the list of its revisions may have changed."""

    @property
    def old(self) -> int:
        """Pods of an older template that are still there."""
        return max(0, self.current - self.updated)


def parse_rollout(kind: str, obj: Object) -> Rollout:
    """Return how the rollout of an object of this kind stands."""
    metadata, spec, status = part(obj, "metadata"), part(obj, "spec"), part(obj, "status")
    is_daemon = kind == "DaemonSet"
    desired = whole(status, "desiredNumberScheduled") if is_daemon else whole(spec, "replicas", 1)
    available = whole(status, "numberAvailable" if is_daemon else "availableReplicas")
    conditions = tuple(
        _condition(one) for one in parts(status, "conditions") if text(one, "type") in ("Progressing", "ReplicaFailure")
    )
    is_done, words = _SENTENCES[kind](text(metadata, "name"), metadata, spec, status)
    stage = _stage(spec, () if _is_unseen(metadata, status) else conditions, is_done=is_done)
    # What waits for a person, or for nothing any more, runs towards no deadline.
    gives_up_at, deadline_s = _deadline(spec, conditions) if kind == "Deployment" else (None, None)
    return Rollout(
        kind=kind,
        uid=text(metadata, "uid"),
        namespace=text(metadata, "namespace"),
        name=text(metadata, "name"),
        stage=stage,
        words=words,
        desired=desired,
        current=whole(status, "currentNumberScheduled" if is_daemon else "replicas"),
        updated=whole(status, "updatedNumberScheduled" if is_daemon else "updatedReplicas"),
        ready=whole(status, "numberReady" if is_daemon else "readyReplicas"),
        available=available,
        unavailable=whole(status, "numberUnavailable" if is_daemon else "unavailableReplicas")
        if kind != "StatefulSet"
        else max(0, desired - available),
        strategy=_strategy(part(spec, "strategy") or part(spec, "updateStrategy")),
        conditions=conditions,
        gives_up_at=gives_up_at if stage is Stage.MOVING else None,
        deadline_s=deadline_s,
        marks=(
            whole(metadata, "generation"),
            whole(status, "observedGeneration"),
            text(part(metadata, "annotations"), "deployment.kubernetes.io/revision"),
            text(status, "updateRevision"),
        ),
    )


def _condition(obj: Object) -> StatusCondition:
    return StatusCondition(
        text(obj, "type"),
        text(obj, "status"),
        text(obj, "reason"),
        text(obj, "message"),
        moment(obj, "lastUpdateTime") or moment(obj, "lastTransitionTime"),
    )


def _stage(spec: Object, conditions: tuple[StatusCondition, ...], *, is_done: bool) -> Stage:
    if text(part(spec, "updateStrategy"), "type") == "OnDelete":
        return Stage.BY_HAND
    if is_done:
        return Stage.DONE
    if any(one.reason == _TIMED_OUT or (one.type, one.status) == ("ReplicaFailure", "True") for one in conditions):
        return Stage.STUCK
    if any(one.reason == _COMPLETE and one.status == "True" for one in conditions):
        return Stage.FALLEN
    return Stage.PAUSED if spec.get("paused") is True else Stage.MOVING


def _deadline(spec: Object, conditions: tuple[StatusCondition, ...]) -> tuple[float | None, int | None]:
    deadline_s = whole(spec, "progressDeadlineSeconds", _DEADLINE_S)
    if deadline_s >= _NO_DEADLINE:
        return None, None
    moved = next((one for one in conditions if one.type == "Progressing" and one.reason != _COMPLETE), None)
    if moved is None or moved.updated_at is None or moved.status == "False":
        return None, deadline_s
    return moved.updated_at + deadline_s, deadline_s


def _strategy(strategy: Object) -> str:
    rolling = part(strategy, "rollingUpdate")
    named = (("surge", "maxSurge"), ("unavailable", "maxUnavailable"), ("partition", "partition"))
    bounds = [f"{word} {clean(str(rolling[key]))}" for word, key in named if rolling.get(key) not in (None, "")]
    # A partition of 0 is what everybody has.
    return ", ".join((text(strategy, "type") or "RollingUpdate", *(one for one in bounds if one != "partition 0")))


def _deployment(name: str, metadata: Object, spec: Object, status: Object) -> tuple[bool, str]:
    if _is_unseen(metadata, status):
        return False, "Waiting for deployment spec update to be observed..."
    desired, updated = whole(spec, "replicas", 1), whole(status, "updatedReplicas")
    total, available = whole(status, "replicas"), whole(status, "availableReplicas")
    if any(one.get("type") == "Progressing" and one.get("reason") == _TIMED_OUT for one in parts(status, "conditions")):
        return False, f'error: deployment "{name}" exceeded its progress deadline'
    waiting = f'Waiting for deployment "{name}" rollout to finish:'
    if updated < desired:
        return False, f"{waiting} {updated} out of {desired} new replicas have been updated..."
    if total > updated:
        return False, f"{waiting} {total - updated} old replicas are pending termination..."
    if available < updated:
        return False, f"{waiting} {available} of {updated} updated replicas are available..."
    return True, f'deployment "{name}" successfully rolled out'


def _daemon_set(name: str, metadata: Object, spec: Object, status: Object) -> tuple[bool, str]:
    if refused := _on_delete(spec):
        return False, refused
    if _is_unseen(metadata, status):
        return False, "Waiting for daemon set spec update to be observed..."
    desired, updated = whole(status, "desiredNumberScheduled"), whole(status, "updatedNumberScheduled")
    available = whole(status, "numberAvailable")
    waiting = f'Waiting for daemon set "{name}" rollout to finish:'
    if updated < desired:
        return False, f"{waiting} {updated} out of {desired} new pods have been updated..."
    if available < desired:
        return False, f"{waiting} {available} of {desired} updated pods are available..."
    return True, f'daemon set "{name}" successfully rolled out'


def _stateful_set(name: str, metadata: Object, spec: Object, status: Object) -> tuple[bool, str]:
    if refused := _on_delete(spec):
        return False, refused
    if not whole(status, "observedGeneration") or _is_unseen(metadata, status):
        return False, "Waiting for statefulset spec update to be observed..."
    desired, updated = whole(spec, "replicas", 1), whole(status, "updatedReplicas")
    if (ready := whole(status, "readyReplicas")) < desired:
        return False, f"Waiting for {desired - ready} pods to be ready..."
    rolling = part(spec, "updateStrategy", "rollingUpdate")
    if rolling:
        wanted = desired - whole(rolling, "partition")
        if updated < wanted:
            waiting = "Waiting for partitioned roll out to finish:"
            return False, f"{waiting} {updated} out of {wanted} new pods have been updated..."
        return True, f"partitioned roll out complete: {updated} new pods have been updated..."
    if (newest := text(status, "updateRevision")) != (current := text(status, "currentRevision")):
        return False, f"waiting for statefulset rolling update to complete {updated} pods at revision {newest}..."
    at = whole(status, "currentReplicas")
    return True, f"statefulset rolling update complete {at} pods at revision {current}..."


def _on_delete(spec: Object) -> str:
    is_by_hand = text(part(spec, "updateStrategy"), "type") == "OnDelete"
    return "error: rollout status is only available for RollingUpdate strategy type" if is_by_hand else ""


def _is_unseen(metadata: Object, status: Object) -> bool:
    return whole(metadata, "generation") > whole(status, "observedGeneration")


_SENTENCES: Final = {"Deployment": _deployment, "StatefulSet": _stateful_set, "DaemonSet": _daemon_set}
