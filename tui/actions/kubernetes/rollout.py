"""How far a rollout has come: the rules of `kubectl rollout status`, and the pods that stand in its way. Pure."""

from collections.abc import Iterable

from tui.actions.action import Look, Phase
from tui.sources.kubernetes.fields import Object, part, text, whole
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.workloads import Workload, parse_workload

_NAMED = 3
"""Failing pods that are named; the others are counted."""


def rollout(kind: str, obj: Object, failing: Iterable[Pod], *, is_scaled: bool = False) -> Look:
    """Judge a fresh Deployment, StatefulSet, DaemonSet or ReplicaSet; `failing` are its pods that do not start.

    `is_scaled`: only its replicas were changed. Then it has the template it had, and a deadline that had passed
    before says nothing about the new replicas.
    """
    workload = parse_workload(kind, obj)
    look = _scaled(workload) if is_scaled else _judged(workload, obj)
    broken = _broken_words(failing)
    return Look(look.phase, f"{look.detail}, {broken}") if broken and look.phase is not Phase.CONVERGED else look


def _judged(workload: Workload, obj: Object) -> Look:
    if workload.observed_generation < workload.generation:
        return Look(Phase.WAITING, "waiting for the controller to see the change")
    if workload.problem.startswith("ProgressDeadlineExceeded"):
        return Look(Phase.NOT_CONVERGED, workload.problem)
    match workload.kind:
        case "Deployment":
            return _deployment(workload)
        case "StatefulSet":
            return _stateful_set(workload, part(obj, "spec", "updateStrategy"), part(obj, "status"))
        case "DaemonSet":
            return _daemon_set(workload, part(obj, "spec", "updateStrategy"))
    return _scaled(workload)


def _scaled(workload: Workload) -> Look:
    if workload.observed_generation < workload.generation:
        return Look(Phase.WAITING, "waiting for the controller to see the change")
    # Of a Deployment kubectl counts the available; StatefulSets know no such number before Kubernetes 1.22.
    ready = (workload.available or 0) if workload.kind == "Deployment" else workload.ready
    if workload.current != workload.desired or ready != workload.desired:
        return Look(Phase.WAITING, f"{workload.current} of {workload.desired} pods there, {ready} ready")
    return _converged(workload)


def _deployment(workload: Workload) -> Look:
    desired, updated, available = workload.desired, workload.updated or 0, workload.available or 0
    if updated < desired:
        return Look(Phase.WAITING, f"{updated} of {desired} updated")
    if workload.current > updated:
        return Look(Phase.WAITING, f"{updated} of {desired} updated, {workload.current - updated} old still there")
    if available < updated:
        return Look(Phase.WAITING, f"{updated} of {desired} updated, {available} available")
    return _converged(workload)


def _stateful_set(workload: Workload, strategy: Object, status: Object) -> Look:
    desired, updated = workload.desired, workload.updated or 0
    if workload.current != desired or workload.ready != desired:
        return Look(Phase.WAITING, f"{workload.current} of {desired} pods there, {workload.ready} ready")
    if text(strategy, "type") == "OnDelete":
        return _on_delete(text(status, "updateRevision") == text(status, "currentRevision"), workload)
    partition = whole(part(strategy, "rollingUpdate"), "partition")
    if partition:
        if updated < desired - partition:
            return Look(Phase.WAITING, f"{updated} of {desired - partition} updated (partition {partition})")
    elif text(status, "updateRevision") != text(status, "currentRevision"):
        return Look(Phase.WAITING, f"{updated} of {desired} updated")
    return _converged(workload)


def _daemon_set(workload: Workload, strategy: Object) -> Look:
    desired, updated, available = workload.desired, workload.updated or 0, workload.available or 0
    if text(strategy, "type") == "OnDelete":
        return _on_delete(updated == desired, workload)
    if updated < desired:
        return Look(Phase.WAITING, f"{updated} of {desired} updated")
    if available < desired:
        return Look(Phase.WAITING, f"{updated} of {desired} updated, {available} available")
    return _converged(workload)


def _on_delete(is_done: bool, workload: Workload) -> Look:
    if is_done:
        return _converged(workload)
    return Look(Phase.NOT_CONVERGED, "updateStrategy OnDelete: its pods keep the old template until they are deleted")


def _converged(workload: Workload) -> Look:
    pods = "no pods left" if not workload.desired else f"{workload.ready} of {workload.desired} ready"
    return Look(Phase.CONVERGED, pods)


def _broken_words(failing: Iterable[Pod]) -> str:
    broken = sorted((pod for pod in failing if pod.health is Health.FAILING), key=lambda pod: pod.name)
    words = [f"{pod.status}: {pod.name}" for pod in broken[:_NAMED]]
    more = f" and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
    return f"{len(broken)} failing: {', '.join(words)}{more}" if broken else ""
