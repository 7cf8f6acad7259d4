"""The StatefulSet controller: pods with an ordinal, one after the other."""

from __future__ import annotations

from tui.sandbox.cluster import writes
from tui.sandbox.cluster.defaults import fill
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import PODS, STATEFULSETS, Object
from tui.sandbox.cluster.revisions import HASH, current_revision
from tui.sandbox.cluster.shapes import controller_uid, is_active, is_ready, pod_from
from tui.sandbox.cluster.store import Change, Key, Store
from tui.sandbox.cluster.workqueue import WorkQueue

COMPONENT = "statefulset-controller"


class StatefulSets:
    """Keeps every stateful set's pods and status."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder
        self._queue = WorkQueue(store.clock, self._reconcile)
        self._keys: dict[str, Key] = {}
        store.listen(STATEFULSETS, self._on_set)
        store.listen(PODS, self._on_pod)

    def adopt(self) -> None:
        """Take on what is there already (a population)."""
        for thing in self._store.things(STATEFULSETS):
            self._keys[thing["metadata"]["uid"]] = (thing["metadata"]["namespace"], thing["metadata"]["name"])

    def _on_set(self, change: Change) -> None:
        if change.type != "DELETED":
            self._keys[change.entry.thing["metadata"]["uid"]] = change.entry.key
            self._queue.add(change.entry.key)

    def _on_pod(self, change: Change) -> None:
        key = self._keys.get(controller_uid(change.entry.thing) or "")
        if key is not None:
            self._queue.add(key)

    def _reconcile(self, key: Key) -> None:
        owner = self._store.find(STATEFULSETS, *key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        digest = current_revision(self._store, owner)
        pods = {_ordinal(p): p for p in self._store.owned_by(owner["metadata"]["uid"], PODS)}
        self._act(owner, pods, digest)
        self._report(key, [p for p in pods.values() if is_active(p)], f"{key[1]}-{digest}")

    def _act(self, owner: Object, pods: dict[int, Object], digest: str) -> None:
        spec = owner["spec"]
        wanted = int(spec.get("replicas", 1))
        is_ordered = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
        for ordinal in range(wanted):
            pod = pods.get(ordinal)
            if pod is None:
                self._create(owner, ordinal, digest)
            elif not is_active(pod) and "deletionTimestamp" not in pod["metadata"]:
                self._delete(owner, pod)
            if is_ordered and (pod is None or not is_ready(pod) or not is_active(pod)):
                # an unready pod of an old revision does not hold up its own replacement
                if pod is not None and is_active(pod) and _hash(pod) != digest and not is_ready(pod):
                    self._delete(owner, pod)
                return
        for ordinal in sorted((o for o in pods if o >= wanted), reverse=True):
            if "deletionTimestamp" not in pods[ordinal]["metadata"]:
                self._delete(owner, pods[ordinal])
            if is_ordered:
                return
        if spec["updateStrategy"]["type"] != "RollingUpdate":
            return
        partition = (spec["updateStrategy"].get("rollingUpdate") or {}).get("partition", 0)
        for ordinal in range(wanted - 1, partition - 1, -1):
            pod = pods[ordinal]
            if "deletionTimestamp" in pod["metadata"] or not is_ready(pod):
                return
            if _hash(pod) != digest:
                self._delete(owner, pod)
                return

    def _create(self, owner: Object, ordinal: int, digest: str) -> None:
        name = f"{owner['metadata']['name']}-{ordinal}"
        labels = {
            "apps.kubernetes.io/pod-index": str(ordinal),
            "statefulset.kubernetes.io/pod-name": name,
            HASH: f"{owner['metadata']['name']}-{digest}",
        }
        pod = pod_from(owner["spec"]["template"], owner, name, labels)
        pod["spec"] |= {"hostname": name, "subdomain": owner["spec"].get("serviceName", "")}
        fill(PODS, pod)
        self._store.insert(PODS, pod)
        text = f"create Pod {name} in StatefulSet {owner['metadata']['name']} successful"
        self._recorder.normal(owner, "SuccessfulCreate", text, COMPONENT)

    def _delete(self, owner: Object, pod: Object) -> None:
        writes.discard(self._store, PODS, pod, {})
        text = f"delete Pod {pod['metadata']['name']} in StatefulSet {owner['metadata']['name']} successful"
        self._recorder.normal(owner, "SuccessfulDelete", text, COMPONENT)

    def _report(self, key: Key, pods: list[Object], revision: str) -> None:
        ready = sum(is_ready(p) for p in pods)
        updated = sum((p["metadata"].get("labels") or {}).get(HASH) == revision for p in pods)

        def report(copy: Object) -> None:
            old = copy.get("status") or {}
            is_done = updated == len(pods) == copy["spec"].get("replicas", 1) and ready == updated
            current = revision if is_done else old.get("currentRevision", revision)
            status = {"observedGeneration": copy["metadata"]["generation"], "replicas": len(pods)}
            counts = {
                "readyReplicas": ready,
                "currentReplicas": len(pods) if current == revision else len(pods) - updated,
                "updatedReplicas": updated,
            }
            status |= {name: count for name, count in counts.items() if count}
            copy["status"] = {
                **status,
                "currentRevision": current,
                "updateRevision": revision,
                "collisionCount": 0,
                "availableReplicas": ready,
            }

        self._store.modify(STATEFULSETS, *key, report)


def _ordinal(pod: Object) -> int:
    number = pod["metadata"]["name"].rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _hash(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(HASH, "")).rpartition("-")[2]
