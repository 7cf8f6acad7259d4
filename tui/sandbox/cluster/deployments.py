"""The Deployment controller: revisions as replica sets, and the roll from one to the next."""

from __future__ import annotations

from tui.sandbox.cluster import rollout
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import DEPLOYMENTS, PODS, REPLICASETS, Object
from tui.sandbox.cluster.rollout import DESIRED, HISTORY, MAXIMUM, REVISION
from tui.sandbox.cluster.shapes import controller_uid, owner_reference, template_hash
from tui.sandbox.cluster.store import Change, Key, Store, clone
from tui.sandbox.cluster.workqueue import WorkQueue

COMPONENT = "deployment-controller"
_COPIED_NOT = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAXIMUM)


class Deployments:
    """Keeps every deployment's replica sets and status."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder
        self._queue = WorkQueue(store.clock, self._reconcile, pause_s=0.05)
        self._keys: dict[str, Key] = {}
        store.listen(DEPLOYMENTS, self._on_deployment)
        store.listen(REPLICASETS, self._on_replicaset)

    def adopt(self) -> None:
        """Take on what is there already (a population)."""
        for thing in self._store.things(DEPLOYMENTS):
            self._keys[thing["metadata"]["uid"]] = (thing["metadata"]["namespace"], thing["metadata"]["name"])

    def _on_deployment(self, change: Change) -> None:
        uid = change.entry.thing["metadata"]["uid"]
        if change.type == "DELETED":
            self._keys.pop(uid, None)
            self._queue.forget(change.entry.key)
        else:
            self._keys[uid] = change.entry.key
            self._queue.add(change.entry.key)

    def _on_replicaset(self, change: Change) -> None:
        key = self._keys.get(controller_uid(change.entry.thing) or "")
        if key is not None:
            self._queue.add(key)

    def _reconcile(self, key: Key) -> None:
        deployment = self._store.find(DEPLOYMENTS, *key)
        if deployment is None or "deletionTimestamp" in deployment["metadata"]:
            return
        uid = deployment["metadata"]["uid"]
        everyone = self._store.owned_by(uid, REPLICASETS)
        new = next((r for r in everyone if rollout.is_of(r, deployment)), None)
        old = [r for r in everyone if r is not new]
        is_paused = bool(deployment["spec"].get("paused"))
        if new is None and not is_paused:
            self._begin(deployment, old)
            return  # the new replica set's own change brings us back
        if new is not None and not is_paused:
            new = self._revise(deployment, new, old)
        if is_paused:
            self._scale_paused(deployment, everyone)
        elif new is not None:
            self._roll(deployment, new, old)
            self._clean(deployment, old)
        self._report(key, new, everyone)

    # -- revisions ----------------------------------------------------------------------------------------

    def _begin(self, deployment: Object, old: list[Object]) -> None:
        meta, spec = deployment["metadata"], deployment["spec"]
        template = clone(spec["template"])
        digest = template_hash(template)
        template.setdefault("metadata", {}).setdefault("labels", {})["pod-template-hash"] = digest
        selector = clone(spec["selector"])
        selector.setdefault("matchLabels", {})["pod-template-hash"] = digest
        revision = max((rollout.revision(r) for r in old), default=0) + 1
        replicas = rollout.first_replicas(deployment, old)
        name = f"{meta['name']}-{digest}"
        self._store.insert(
            REPLICASETS,
            {
                "metadata": {
                    "name": name,
                    "namespace": meta["namespace"],
                    "labels": template["metadata"]["labels"],
                    "annotations": {**self._copied(deployment), **self._sizes(deployment), REVISION: str(revision)},
                    "ownerReferences": [owner_reference(deployment)],
                },
                "spec": {"replicas": replicas, "selector": selector, "template": template},
                "status": {"replicas": 0},
            },
        )
        self._say(deployment, f"Scaled up replica set {name} from 0 to {replicas}")
        self._mark(deployment, revision, "NewReplicaSetCreated", f'Created new replica set "{name}"')

    def _revise(self, deployment: Object, new: Object, old: list[Object]) -> Object:
        """Give the current replica set the newest revision (it is an older one after an undo)."""
        newest = max((rollout.revision(r) for r in old), default=0)
        now = rollout.revision(new)
        if now > newest:
            if deployment["metadata"].get("annotations", {}).get(REVISION) != str(now):
                self._mark(deployment, now, "", "")
            return new
        name = new["metadata"]["name"]

        def revise(copy: Object) -> None:
            notes = copy["metadata"].setdefault("annotations", {})
            notes[HISTORY] = ",".join(filter(None, [notes.get(HISTORY, ""), str(now)]))
            notes |= {**self._copied(deployment), REVISION: str(newest + 1)}

        revised = self._store.modify(REPLICASETS, new["metadata"]["namespace"], name, revise) or new
        self._mark(deployment, newest + 1, "FoundNewReplicaSet", f'Found new replica set "{name}"')
        return revised

    def _mark(self, deployment: Object, revision: int, reason: str, message: str) -> None:
        def mark(copy: Object) -> None:
            copy["metadata"].setdefault("annotations", {})[REVISION] = str(revision)
            if reason:
                rollout.set_progress(copy["status"], "True", reason, message, self._store.clock.stamp(), fresh=True)

        meta = deployment["metadata"]
        self._store.modify(DEPLOYMENTS, meta["namespace"], meta["name"], mark)

    @staticmethod
    def _copied(deployment: Object) -> dict[str, str]:
        notes = deployment["metadata"].get("annotations") or {}
        return {k: v for k, v in notes.items() if k not in _COPIED_NOT}

    @staticmethod
    def _sizes(deployment: Object) -> dict[str, str]:
        replicas = deployment["spec"].get("replicas", 1)
        surge, _ = rollout.bounds(deployment)
        return {DESIRED: str(replicas), MAXIMUM: str(replicas + surge)}

    # -- scaling ------------------------------------------------------------------------------------------

    def _roll(self, deployment: Object, new: Object, old: list[Object]) -> None:
        if deployment["spec"]["strategy"]["type"] == "Recreate":
            running = [p for r in old for p in self._store.owned_by(r["metadata"]["uid"], PODS)]
            for replicaset in old:
                self._scale(deployment, replicaset, 0)
            if not any(p["status"].get("phase") not in ("Succeeded", "Failed") for p in running):
                self._scale(deployment, new, deployment["spec"].get("replicas", 1))
            return
        for replicaset, replicas in rollout.next_steps(deployment, new, old):
            self._scale(deployment, replicaset, replicas)

    def _scale_paused(self, deployment: Object, everyone: list[Object]) -> None:
        active = [r for r in everyone if r["spec"].get("replicas", 0)]
        if len(active) <= 1:
            for replicaset in active or everyone[-1:]:
                self._scale(deployment, replicaset, deployment["spec"].get("replicas", 1))

    def _scale(self, deployment: Object, replicaset: Object, replicas: int) -> None:
        meta, before = replicaset["metadata"], replicaset["spec"].get("replicas", 0)

        def scale(copy: Object) -> None:
            copy["spec"]["replicas"] = replicas
            copy["metadata"].setdefault("annotations", {}).update(self._sizes(deployment))

        self._store.modify(REPLICASETS, meta["namespace"], meta["name"], scale)
        if before != replicas:
            way = "up" if replicas > before else "down"
            self._say(deployment, f"Scaled {way} replica set {meta['name']} from {before} to {replicas}")

    def _clean(self, deployment: Object, old: list[Object]) -> None:
        kept = deployment["spec"].get("revisionHistoryLimit", 10)
        empty = [r for r in old if not r["spec"].get("replicas") and not r["status"].get("replicas")]
        for replicaset in sorted(empty, key=rollout.revision)[: max(len(empty) - kept, 0)]:
            meta = replicaset["metadata"]
            self._store.remove(REPLICASETS, meta["namespace"], meta["name"])

    # -- status -------------------------------------------------------------------------------------------

    def _report(self, key: Key, new: Object | None, everyone: list[Object]) -> None:
        fresh = [self._store.find(REPLICASETS, key[0], r["metadata"]["name"]) or r for r in everyone]
        name = new["metadata"]["name"] if new else ""
        current = next((r for r in fresh if r["metadata"]["name"] == name), None)
        deadline: list[float] = []

        def report(copy: Object) -> None:
            left = rollout.report(copy, current, fresh, self._store.clock)
            if left is not None:
                deadline.append(left)

        self._store.modify(DEPLOYMENTS, *key, report)
        if deadline:
            self._queue.add_after(key, deadline[0] + 0.5)
        else:
            self._queue.forget(key)

    def _say(self, deployment: Object, message: str) -> None:
        self._recorder.normal(deployment, "ScalingReplicaSet", message, COMPONENT)
