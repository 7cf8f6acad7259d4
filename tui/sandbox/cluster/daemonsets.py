"""The DaemonSet controller: one pod on every node."""

from __future__ import annotations

from tui.sandbox.cluster.pod_owners import PodOwners
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import DAEMONSETS, NODES, PODS, Object
from tui.sandbox.cluster.revisions import HASH, current_revision
from tui.sandbox.cluster.rollout import share
from tui.sandbox.cluster.shapes import is_active, is_ready, pod_from
from tui.sandbox.cluster.store import Change, Key, Store


class DaemonSets(PodOwners):
    """Keeps every daemon set's pods and status; it binds its pods to their nodes itself."""

    RESOURCE = DAEMONSETS
    COMPONENT = "daemonset-controller"

    def __init__(self, store: Store, recorder: Recorder) -> None:
        super().__init__(store, recorder)
        store.listen(NODES, self._on_node)

    def _on_node(self, change: Change) -> None:
        if change.type != "MODIFIED":
            for key in self._keys.values():
                self._queue.add(key)

    def _reconcile(self, key: Key, owner: Object) -> None:
        digest = current_revision(self._store, owner)
        selector = owner["spec"]["template"]["spec"].get("nodeSelector") or {}
        wanted = [
            n["metadata"]["name"]
            for n in self._store.things(NODES)
            if selector.items() <= (n["metadata"].get("labels") or {}).items()
        ]
        pods = self._store.owned_by(owner["metadata"]["uid"], PODS)
        by_node = {p["spec"].get("nodeName"): p for p in pods}
        for name in wanted:
            if name not in by_node:
                self._create(owner, name, digest)
        self._roll(owner, [p for p in pods if is_active(p)], digest, len(wanted))
        self._report(key, [p for p in pods if is_active(p)], digest, len(wanted))

    def _roll(self, owner: Object, pods: list[Object], digest: str, wanted: int) -> None:
        strategy = owner["spec"]["updateStrategy"]
        if strategy["type"] != "RollingUpdate":
            return
        allowed = max(share((strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1), wanted, up=True), 1)
        allowed -= wanted - sum(is_ready(p) for p in pods)
        for pod in pods:
            is_old = pod["metadata"]["labels"].get(HASH) != digest
            if is_old and (allowed > 0 or not is_ready(pod)):
                allowed -= is_ready(pod)
                self._discard(owner, pod)

    def _create(self, owner: Object, node: str, digest: str) -> None:
        generation = str(owner["metadata"].get("generation", 1))
        pod = pod_from(owner["spec"]["template"], owner, labels={HASH: digest, "pod-template-generation": generation})
        pod["spec"]["nodeName"] = node
        self._insert(owner, pod)

    def _report(self, key: Key, pods: list[Object], digest: str, wanted: int) -> None:
        ready = sum(is_ready(p) for p in pods)
        updated = sum(p["metadata"]["labels"].get(HASH) == digest for p in pods)

        def report(copy: Object) -> None:
            status = {
                "currentNumberScheduled": len(pods),
                "numberMisscheduled": 0,
                "desiredNumberScheduled": wanted,
                "numberReady": ready,
                "observedGeneration": copy["metadata"]["generation"],
            }
            more = {"updatedNumberScheduled": updated, "numberAvailable": ready, "numberUnavailable": wanted - ready}
            copy["status"] = status | {name: count for name, count in more.items() if count}

        self._store.modify(DAEMONSETS, *key, report)
