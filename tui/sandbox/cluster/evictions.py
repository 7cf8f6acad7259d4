"""Evictions and disruption budgets: a pod goes only when its budget allows it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tui.sandbox.cluster import problems, writes
from tui.sandbox.cluster.reads import reply
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import BUDGETS, PODS, REPLICASETS, STATEFULSETS, Object
from tui.sandbox.cluster.rollout import share
from tui.sandbox.cluster.selectors import selector_match
from tui.sandbox.cluster.shapes import controller_uid, is_active, is_ready, set_condition
from tui.sandbox.cluster.store import Change, Key, Store
from tui.sandbox.cluster.workqueue import WorkQueue


class Budgets:
    """The disruption controller, and the eviction subresource that asks it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue = WorkQueue(store.clock, self._reconcile, pause_s=0.05)
        store.listen(BUDGETS, lambda change: self._queue.add(change.entry.key))
        store.listen(PODS, self._on_pod)

    def adopt(self) -> None:
        """Take on what is there already (a population)."""
        for thing in self._store.things(BUDGETS):
            self._queue.add((thing["metadata"]["namespace"], thing["metadata"]["name"]))

    async def evict(self, call: Call) -> web.Response:
        """Answer POST of an Eviction: 201, or 429 when a budget forbids it.

        Raises:
            ApiError: 404, 409, 429.
        """
        pod = self._store.get(PODS, call.namespace, call.name)
        options = (await call.body() or {}).get("deleteOptions") or {}
        writes.check_preconditions(PODS, pod, options)
        is_over = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Pending")
        budgets = [] if is_over else [b for b in self._budgets(call.namespace) if selector_match(_selector(b))(pod)]
        if len(budgets) > 1:
            text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise problems.ApiError(500, "InternalError", text)
        for budget in budgets:
            self._reconcile((call.namespace, budget["metadata"]["name"]))
            self._ask(budget["metadata"]["name"], call.namespace, pod)
        if not (call.is_dry_run or "All" in (options.get("dryRun") or ())):
            self._mark(pod)
            writes.discard(self._store, PODS, self._store.get(PODS, call.namespace, call.name), options)
        return reply({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)

    def _ask(self, name: str, namespace: str, pod: Object) -> None:
        budget = self._store.get(BUDGETS, namespace, name)
        status = budget["status"]
        if status.get("disruptionsAllowed", 0) > 0 or not is_ready(pod):
            return
        wanted, found = status["desiredHealthy"], status["currentHealthy"]
        text = f"The disruption budget {name} needs {wanted} healthy pods and has {found} currently"
        cause = {"reason": "DisruptionBudget", "message": text}
        raise problems.too_many_requests(
            "Cannot evict pod as it would violate the pod's disruption budget.", {"causes": [cause]}, None
        )

    def _mark(self, pod: Object) -> None:
        def mark(copy: Object) -> None:
            now = self._store.clock.stamp()
            text = "Eviction API: evicting"
            set_condition(copy["status"], "DisruptionTarget", "True", now, "EvictionByEvictionAPI", text)

        self._store.modify(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], mark)

    def _budgets(self, namespace: str) -> list[Object]:
        return list(self._store.things(BUDGETS, namespace))

    def _on_pod(self, change: Change) -> None:
        for budget in self._budgets(change.entry.key[0]):
            if selector_match(_selector(budget))(change.entry.thing):
                self._queue.add((change.entry.key[0], budget["metadata"]["name"]))

    def _reconcile(self, key: Key) -> None:
        budget = self._store.find(BUDGETS, *key)
        if budget is None:
            return
        match = selector_match(_selector(budget))
        pods = [p for p in self._store.things(PODS, key[0]) if match(p) and is_active(p)]
        healthy = sum(is_ready(p) for p in pods)
        expected = self._expected(pods)
        desired = _desired(budget["spec"], expected)
        allowed = max(healthy - desired, 0) if expected else 0

        def report(copy: Object) -> None:
            enough = allowed > 0
            status: dict[str, Any] = {
                "observedGeneration": copy["metadata"]["generation"],
                "disruptionsAllowed": allowed,
                "currentHealthy": healthy,
                "desiredHealthy": desired,
                "expectedPods": expected,
                "conditions": (copy.get("status") or {}).get("conditions") or [],
            }
            reason = "SufficientPods" if enough else "InsufficientPods"
            set_condition(status, "DisruptionAllowed", str(enough), self._store.clock.stamp(), reason)
            copy["status"] = status

        self._store.modify(BUDGETS, *key, report)

    def _expected(self, pods: list[Object]) -> int:
        owners = {uid for p in pods if (uid := controller_uid(p))}
        wanted = 0
        namespaces = {p["metadata"]["namespace"] for p in pods}
        for resource in (REPLICASETS, STATEFULSETS):
            for namespace in namespaces:
                for thing in self._store.things(resource, namespace):
                    if thing["metadata"]["uid"] in owners:
                        wanted += int(thing["spec"].get("replicas", 1))
        return wanted or len(pods)


def _selector(budget: Object) -> dict[str, Any]:
    found: dict[str, Any] = budget["spec"].get("selector") or {}
    return found


def _desired(spec: dict[str, Any], expected: int) -> int:
    if "minAvailable" in spec:
        return share(spec["minAvailable"], expected, up=True)
    return max(expected - share(spec.get("maxUnavailable", 0), expected, up=True), 0)
