"""The HorizontalPodAutoscaler controller: replicas by CPU."""

from __future__ import annotations

import math
from typing import Any

from tui.sandbox.cluster import nodes
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import AUTOSCALERS, DEPLOYMENTS, PODS, STATEFULSETS, Object
from tui.sandbox.cluster.selectors import selector_match
from tui.sandbox.cluster.shapes import is_active, is_ready, set_condition
from tui.sandbox.cluster.store import Change, Key, Store
from tui.sandbox.cluster.usage import Usage

COMPONENT = "horizontal-pod-autoscaler"
PERIOD_S = 15.0
TOLERANCE = 0.1
CALM_S = 300.0
"""How long the load must be low before replicas are taken away."""


class Autoscalers:
    """Looks at every autoscaler each 15 s."""

    def __init__(self, store: Store, recorder: Recorder, usage: Usage) -> None:
        self._store = store
        self._recorder = recorder
        self._usage = usage
        self._highest: dict[Key, list[tuple[float, int]]] = {}
        self._known: set[Key] = set()
        store.listen(AUTOSCALERS, self._on_change)

    def adopt(self) -> None:
        """Take on what is there already (a population)."""
        for thing in self._store.things(AUTOSCALERS):
            self._begin((thing["metadata"]["namespace"], thing["metadata"]["name"]))

    def _on_change(self, change: Change) -> None:
        if change.type == "ADDED":
            self._begin(change.entry.key)

    def _begin(self, key: Key) -> None:
        if key not in self._known:
            self._known.add(key)
            self._store.clock.after(1.0, self._look, key)

    def _look(self, key: Key) -> None:
        scaler = self._store.find(AUTOSCALERS, *key)
        if scaler is None:
            self._known.discard(key)
            return
        self._store.clock.after(PERIOD_S, self._look, key)
        reference = scaler["spec"]["scaleTargetRef"]
        resource = STATEFULSETS if reference["kind"] == "StatefulSet" else DEPLOYMENTS
        target = self._store.find(resource, key[0], reference["name"])
        if target is None:
            return
        current = int(target["spec"].get("replicas", 1))
        percent, millis = self._load(target)
        wanted, reason = self._wanted(key, scaler["spec"], current, percent)
        if wanted != current and current:
            self._store.modify(resource, key[0], reference["name"], lambda copy: copy["spec"].update(replicas=wanted))
            text = f"New size: {wanted}; reason: {reason}"
            self._recorder.normal(scaler, "SuccessfulRescale", text, COMPONENT)
        self._report(key, target, wanted if current else 0, percent, millis, has_moved=wanted != current)

    def _load(self, target: Object) -> tuple[int | None, int]:
        match = selector_match(target["spec"]["selector"])
        found = (p for p in self._store.things(PODS, target["metadata"]["namespace"]) if match(p))
        pods = [p for p in found if is_active(p) and is_ready(p)]
        asked = sum(nodes.requested_millis(p) for p in pods)
        if not asked:
            return None, 0
        now = self._store.clock.now()
        used = sum(self._usage.cpu_millis(p, now) for p in pods)
        return round(100 * used / asked), round(used / len(pods))

    def _wanted(self, key: Key, spec: dict[str, Any], current: int, percent: int | None) -> tuple[int, str]:
        goal = _goal(spec)
        if percent is None or goal is None or not current:
            return current, ""
        ratio = percent / goal
        proposed = current if abs(ratio - 1) <= TOLERANCE else math.ceil(current * ratio)
        proposed = min(max(proposed, spec.get("minReplicas") or 1), spec["maxReplicas"])
        proposed = min(proposed, max(2 * current, 4))
        now = self._store.clock.now().timestamp()
        calm_s = self._store.clock.real(CALM_S).total_seconds()
        recent = [(t, n) for t, n in self._highest.get(key, [(now, current)]) if t > now - calm_s] + [(now, proposed)]
        self._highest[key] = recent
        if proposed > current:
            return proposed, "cpu resource utilization (percentage of request) above target"
        return min(max(n for _, n in recent), current), "All metrics below target"

    def _report(
        self, key: Key, target: Object, wanted: int, percent: int | None, millis: int, *, has_moved: bool
    ) -> None:
        now = self._store.clock.stamp()

        def report(copy: Object) -> None:
            status = copy.setdefault("status", {})
            status["currentReplicas"] = target["status"].get("replicas", 0)
            status["desiredReplicas"] = wanted
            if has_moved:
                status["lastScaleTime"] = now
            is_measured = percent is not None
            if is_measured:
                current = {"averageValue": f"{millis}m", "averageUtilization": percent}
                status["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": current}}]
            set_condition(
                status, "AbleToScale", "True", now, "ReadyForNewScale", "recommended size matches current size"
            )
            set_condition(
                status,
                "ScalingActive",
                "True" if is_measured else "False",
                now,
                "ValidMetricFound" if is_measured else "FailedGetResourceMetric",
                "the HPA was able to successfully calculate a replica count from cpu resource utilization "
                "(percentage of request)"
                if is_measured
                else "the HPA was unable to compute the replica count: failed to get cpu utilization",
            )
            at_most = wanted >= copy["spec"]["maxReplicas"]
            set_condition(
                status,
                "ScalingLimited",
                "True" if at_most else "False",
                now,
                "TooManyReplicas" if at_most else "DesiredWithinRange",
                "the desired replica count is more than the maximum replica count"
                if at_most
                else "the desired count is within the acceptable range",
            )

        self._store.modify(AUTOSCALERS, *key, report)


def _goal(spec: dict[str, Any]) -> int | None:
    for metric in spec.get("metrics") or ():
        found = ((metric.get("resource") or {}).get("target") or {}).get("averageUtilization")
        if found is not None:
            return int(found)
    return None
