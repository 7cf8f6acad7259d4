"""The StatefulSet controller: pods with an ordinal, one after the other."""

from __future__ import annotations

from tui.sandbox.cluster.pod_owners import PodOwners
from tui.sandbox.cluster.resources import PODS, STATEFULSETS, Object
from tui.sandbox.cluster.revisions import HASH, current_revision
from tui.sandbox.cluster.shapes import is_active, is_ready, pod_from
from tui.sandbox.cluster.store import Key


class StatefulSets(PodOwners):
    """Keeps every stateful set's pods and status."""

    RESOURCE = STATEFULSETS
    COMPONENT = "statefulset-controller"
    CREATED = "create Pod {pod} in StatefulSet {owner} successful"
    DELETED = "delete Pod {pod} in StatefulSet {owner} successful"

    def _reconcile(self, key: Key, owner: Object) -> None:
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
                self._discard(owner, pod)
            if is_ordered and (pod is None or not is_ready(pod) or not is_active(pod)):
                # an unready pod of an old revision does not hold up its own replacement
                if pod is not None and is_active(pod) and _hash(pod) != digest and not is_ready(pod):
                    self._discard(owner, pod)
                return
        for ordinal in sorted((o for o in pods if o >= wanted), reverse=True):
            if "deletionTimestamp" not in pods[ordinal]["metadata"]:
                self._discard(owner, pods[ordinal])
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
                self._discard(owner, pod)
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
        self._insert(owner, pod)

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
