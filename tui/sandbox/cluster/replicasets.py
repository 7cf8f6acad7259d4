"""The ReplicaSet controller: as many pods as `spec.replicas` says."""

from __future__ import annotations

from tui.sandbox.cluster.pod_owners import PodOwners
from tui.sandbox.cluster.resources import PODS, REPLICASETS, Object
from tui.sandbox.cluster.shapes import is_active, is_ready, pod_from
from tui.sandbox.cluster.store import Key

BURST = 500
"""Pods made or deleted at once."""


class ReplicaSets(PodOwners):
    """Keeps every replica set's pods and status."""

    RESOURCE = REPLICASETS
    COMPONENT = "replicaset-controller"

    def _reconcile(self, key: Key, owner: Object) -> None:
        pods = self._store.owned_by(owner["metadata"]["uid"], PODS)
        active = [p for p in pods if is_active(p)]
        missing = owner["spec"].get("replicas", 1) - len(active)
        for _ in range(min(missing, BURST)):
            self._insert(owner, pod_from(owner["spec"]["template"], owner))
        if missing < 0:
            for pod in sorted(active, key=_staying)[:-missing]:
                self._discard(owner, pod)
        self._count(key, active, len(pods) - len(active))

    def _count(self, key: Key, active: list[Object], terminating: int) -> None:
        ready = sum(is_ready(p) for p in active)

        def count(copy: Object) -> None:
            copy["status"] = {"replicas": len(active), "terminatingReplicas": terminating}
            if active:
                copy["status"]["fullyLabeledReplicas"] = len(active)
            if ready:
                copy["status"]["readyReplicas"] = copy["status"]["availableReplicas"] = ready
            copy["status"]["observedGeneration"] = copy["metadata"]["generation"]

        self._store.modify(REPLICASETS, *key, count)


def _staying(pod: Object) -> tuple[bool, bool, int, str]:
    """Order pods by how gladly one is deleted: unassigned, unready, restarted, young ones first."""
    restarts = sum(c["restartCount"] for c in pod["status"].get("containerStatuses") or ())
    age = pod["metadata"]["creationTimestamp"]
    newest_first = "".join(chr(0x10FF - ord(c)) for c in age)
    return bool(pod["spec"].get("nodeName")), is_ready(pod), -restarts, newest_first
