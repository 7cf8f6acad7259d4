"""The ReplicaSet controller: as many pods as `spec.replicas` says."""

from __future__ import annotations

from tui.sandbox.cluster import writes
from tui.sandbox.cluster.defaults import fill
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import PODS, REPLICASETS, Object
from tui.sandbox.cluster.shapes import controller_uid, is_active, is_ready, pod_from
from tui.sandbox.cluster.store import Change, Key, Store
from tui.sandbox.cluster.workqueue import WorkQueue

COMPONENT = "replicaset-controller"
BURST = 500
"""Pods made or deleted at once."""


class ReplicaSets:
    """Keeps every replica set's pods and status."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder
        self._queue = WorkQueue(store.clock, self._reconcile)
        self._keys: dict[str, Key] = {}
        store.listen(REPLICASETS, self._on_replicaset)
        store.listen(PODS, self._on_pod)

    def adopt(self) -> None:
        """Take on what is there already (a population)."""
        for thing in self._store.things(REPLICASETS):
            self._keys[thing["metadata"]["uid"]] = (thing["metadata"]["namespace"], thing["metadata"]["name"])

    def _on_replicaset(self, change: Change) -> None:
        uid = change.entry.thing["metadata"]["uid"]
        if change.type == "DELETED":
            self._keys.pop(uid, None)
        else:
            self._keys[uid] = change.entry.key
            self._queue.add(change.entry.key)

    def _on_pod(self, change: Change) -> None:
        key = self._keys.get(controller_uid(change.entry.thing) or "")
        if key is not None:
            self._queue.add(key)

    def _reconcile(self, key: Key) -> None:
        replicaset = self._store.find(REPLICASETS, *key)
        if replicaset is None or "deletionTimestamp" in replicaset["metadata"]:
            return
        pods = self._store.owned_by(replicaset["metadata"]["uid"], PODS)
        active = [p for p in pods if is_active(p)]
        missing = replicaset["spec"].get("replicas", 1) - len(active)
        for _ in range(min(missing, BURST)):
            self._create(replicaset)
        if missing < 0:
            for pod in sorted(active, key=_staying)[:-missing]:
                self._delete(replicaset, pod)
        self._count(key, active, len(pods) - len(active))

    def _create(self, replicaset: Object) -> None:
        pod = pod_from(replicaset["spec"]["template"], replicaset)
        fill(PODS, pod)
        made = self._store.insert(PODS, pod)
        name = made["metadata"]["name"]
        self._recorder.normal(replicaset, "SuccessfulCreate", f"Created pod: {name}", COMPONENT)

    def _delete(self, replicaset: Object, pod: Object) -> None:
        writes.discard(self._store, PODS, pod, {})
        name = pod["metadata"]["name"]
        self._recorder.normal(replicaset, "SuccessfulDelete", f"Deleted pod: {name}", COMPONENT)

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
