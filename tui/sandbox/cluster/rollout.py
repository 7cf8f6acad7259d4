"""The arithmetic of a deployment's rollout, and what its status says about it."""

from __future__ import annotations

import math
from typing import Any

from tui.sandbox.cluster.clock import Clock, parse_time
from tui.sandbox.cluster.resources import Object
from tui.sandbox.cluster.shapes import set_condition

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"

Step = tuple[Object, int]
"""A replica set and the replicas it shall have."""


def share(value: Any, of: int, *, up: bool) -> int:
    """Return an int-or-percent as a number, percentages rounded up or down."""
    if isinstance(value, str) and value.endswith("%"):
        part = int(value[:-1]) * of / 100
        return math.ceil(part) if up else math.floor(part)
    return int(value)


def bounds(deployment: Object) -> tuple[int, int]:
    """Return how many pods a roll may have above and below the wanted number (never 0 and 0)."""
    spec = deployment["spec"]
    rolling = spec["strategy"].get("rollingUpdate")
    if rolling is None:
        return 0, 0
    replicas = spec.get("replicas", 1)
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def revision(replicaset: Object) -> int:
    """Return a replica set's revision, 0 without one."""
    return int((replicaset["metadata"].get("annotations") or {}).get(REVISION, 0))


def is_of(replicaset: Object, deployment: Object) -> bool:
    """Return whether a replica set is the one of the deployment's present template."""
    template = replicaset["spec"]["template"]
    labels = {k: v for k, v in template["metadata"]["labels"].items() if k != "pod-template-hash"}
    bare = {**template, "metadata": {**template["metadata"], "labels": labels}}
    wanted = deployment["spec"]["template"]
    return bool(bare["spec"] == wanted["spec"] and _notes(bare) == _notes(wanted))


def first_replicas(deployment: Object, old: list[Object]) -> int:
    """Return with how many replicas a new replica set starts."""
    replicas = int(deployment["spec"].get("replicas", 1))
    total = sum(_wanted(r) for r in old)
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        return 0 if any(r["status"].get("replicas") for r in old) else replicas
    return max(min(replicas + bounds(deployment)[0] - total, replicas), 0)


def next_steps(deployment: Object, new: Object, old: list[Object]) -> list[Step]:
    """Return what a rolling update does next: the new one up, then unhealthy and spare old ones down."""
    replicas = int(deployment["spec"].get("replicas", 1))
    surge, unavailable = bounds(deployment)
    total = _wanted(new) + sum(_wanted(r) for r in old)
    steps: list[Step] = []
    grown = _wanted(new)
    if grown > replicas:
        grown = replicas
    elif grown < replicas:
        grown += max(min(replicas + surge - total, replicas - grown), 0)
    steps.append((new, grown))
    if grown != _wanted(new):
        return steps  # one thing at a time: the new replica set's own change brings us back
    spare = total - (replicas - unavailable) - max(grown - _available(new), 0)
    shrinking = {r["metadata"]["name"]: _wanted(r) for r in old}
    ordered = sorted(old, key=lambda r: str(r["metadata"]["creationTimestamp"]))
    for replicaset in ordered:  # what does not work goes first
        unhealthy = max(_wanted(replicaset) - _available(replicaset), 0)
        taken = min(max(spare, 0), unhealthy)
        shrinking[replicaset["metadata"]["name"]] -= taken
        spare -= taken
    healthy = _available(new) + sum(min(_available(r), shrinking[r["metadata"]["name"]]) for r in old)
    over = healthy - (replicas - unavailable)
    for replicaset in ordered:
        name = replicaset["metadata"]["name"]
        taken = min(max(over, 0), shrinking[name], max(spare, 0))
        shrinking[name] -= taken
        over -= taken
        spare -= taken
    return steps + [
        (r, shrinking[r["metadata"]["name"]]) for r in old if _wanted(r) != shrinking[r["metadata"]["name"]]
    ]


def report(deployment: Object, new: Object | None, everyone: list[Object], clock: Clock) -> float | None:
    """Write the status of `deployment` in place; return the seconds left until its progress deadline.

    None: it does not progress, or has no deadline.
    """
    spec, status, now = deployment["spec"], deployment.setdefault("status", {}), clock.stamp()
    before = dict(status)
    wanted = int(spec.get("replicas", 1))
    counts = {
        "replicas": sum(r["status"].get("replicas", 0) for r in everyone),
        "updatedReplicas": new["status"].get("replicas", 0) if new else 0,
        "readyReplicas": sum(r["status"].get("readyReplicas", 0) for r in everyone),
        "availableReplicas": sum(_available(r) for r in everyone),
    }
    counts["unavailableReplicas"] = max(sum(_wanted(r) for r in everyone) - counts["availableReplicas"], 0)
    status["observedGeneration"] = deployment["metadata"]["generation"]
    for name, count in counts.items():
        status[name] = count
        if not count:
            del status[name]
    status["terminatingReplicas"] = sum(r["status"].get("terminatingReplicas", 0) for r in everyone)
    _available_condition(status, counts["availableReplicas"] >= wanted - bounds(deployment)[1], now)
    return _progress(deployment, new, before, clock)


def set_progress(
    status: dict[str, Any], value: str, reason: str, message: str, now: str, *, fresh: bool = False
) -> None:
    """Set the Progressing condition; `fresh` moves its update time."""
    old = _condition(status, "Progressing")
    moves = fresh or old is None or old["reason"] != reason
    updated = now if moves or old is None else old["lastUpdateTime"]
    set_condition(status, "Progressing", value, now, reason, message, lastUpdateTime=updated)


def is_complete(deployment: Object) -> bool:
    """Return whether all wanted replicas are updated and available and no old one is left."""
    status, wanted = deployment["status"], int(deployment["spec"].get("replicas", 1))
    names = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(name, 0) == wanted for name in names)


def _progress(deployment: Object, new: Object | None, before: dict[str, Any], clock: Clock) -> float | None:
    spec, status, now = deployment["spec"], deployment["status"], clock.stamp()
    old = _condition(status, "Progressing")
    if spec.get("paused"):
        if old is None or old["reason"] != "DeploymentPaused":
            set_progress(status, "Unknown", "DeploymentPaused", "Deployment is paused", now, fresh=True)
        return None
    if old is not None and old["reason"] == "DeploymentPaused":
        set_progress(status, "Unknown", "DeploymentResumed", "Deployment is resumed", now, fresh=True)
    if new is None or (old is not None and old["reason"] == "NewReplicaSetAvailable" and old["status"] == "True"):
        return None
    name = new["metadata"]["name"]
    if is_complete(deployment):
        text = f'ReplicaSet "{name}" has successfully progressed.'
        set_progress(status, "True", "NewReplicaSetAvailable", text, now, fresh=True)
        return None
    if _moved(before, status):
        set_progress(status, "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', now, fresh=True)
    current = _condition(status, "Progressing")
    if current is None or current["reason"] == "ProgressDeadlineExceeded":
        return None
    updated = parse_time(current["lastUpdateTime"]) or clock.now()
    gone_s = (clock.now() - updated).total_seconds() * clock.speed
    left_s = float(spec.get("progressDeadlineSeconds", 600)) - gone_s
    if left_s > 0:
        return left_s
    text = f'ReplicaSet "{name}" has timed out progressing.'
    set_progress(status, "False", "ProgressDeadlineExceeded", text, now, fresh=True)
    return None


def _moved(before: dict[str, Any], after: dict[str, Any]) -> bool:
    def of(status: dict[str, Any], name: str) -> int:
        return int(status.get(name, 0))

    grew = any(of(after, n) > of(before, n) for n in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    stale_before = of(before, "replicas") - of(before, "updatedReplicas")
    return grew or of(after, "replicas") - of(after, "updatedReplicas") < stale_before


def _available_condition(status: dict[str, Any], is_met: bool, now: str) -> None:
    value = "True" if is_met else "False"
    reason = "MinimumReplicasAvailable" if is_met else "MinimumReplicasUnavailable"
    has = "has" if is_met else "does not have"
    old = _condition(status, "Available")
    updated = old["lastUpdateTime"] if old is not None and old["status"] == value else now
    text = f"Deployment {has} minimum availability."
    set_condition(status, "Available", value, now, reason, text, lastUpdateTime=updated)


def _condition(status: dict[str, Any], kind: str) -> dict[str, Any] | None:
    return next((c for c in status.get("conditions") or () if c["type"] == kind), None)


def _notes(template: Object) -> tuple[dict[str, str], dict[str, str]]:
    meta = template.get("metadata") or {}
    return meta.get("labels") or {}, meta.get("annotations") or {}


def _wanted(replicaset: Object) -> int:
    return int(replicaset["spec"].get("replicas", 1))


def _available(replicaset: Object) -> int:
    return int((replicaset.get("status") or {}).get("availableReplicas", 0))
