"""The scheduler: gives pending pods a node."""

from __future__ import annotations

from tui.sandbox.cluster import nodes
from tui.sandbox.cluster.behaviour import Behaviours
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import NODES, PODS, Object
from tui.sandbox.cluster.shapes import set_condition
from tui.sandbox.cluster.store import Change, Key, Store
from tui.sandbox.cluster.workqueue import WorkQueue

RETRY_S = 20.0


class Scheduler:
    """Watches pods without a node; those that fit nowhere are tried again when a node changes."""

    def __init__(self, store: Store, recorder: Recorder, behaviours: Behaviours) -> None:
        self._store = store
        self._recorder = recorder
        self._behaviours = behaviours
        self._waiting: set[Key] = set()
        self._queue = WorkQueue(store.clock, self._schedule, pause_s=0.1)
        store.listen(PODS, self._on_pod)
        store.listen(NODES, self._on_node)

    def _on_pod(self, change: Change) -> None:
        key = change.entry.key
        if change.type == "DELETED":
            self._waiting.discard(key)
        elif change.type == "ADDED" and needs_node(change.entry.thing):
            self._queue.add(key)

    def _on_node(self, change: Change) -> None:
        for key in self._waiting:
            self._queue.add(key)

    def _schedule(self, key: Key) -> None:
        pod = self._store.find(PODS, *key)
        if pod is None or not needs_node(pod):
            self._waiting.discard(key)
            return
        if self._behaviours.of(pod).fits:
            node, why = nodes.choose(self._store, pod)
        else:
            node, why = None, nodes.no_room(self._store)
        if node is None:
            self._refuse(key, pod, why)
        else:
            self._waiting.discard(key)
            self._bind(key, pod, node["metadata"]["name"])

    def _bind(self, key: Key, pod: Object, node: str) -> None:
        def bind(copy: Object) -> None:
            copy["spec"]["nodeName"] = node
            set_condition(copy["status"], "PodScheduled", "True", self._store.clock.stamp())

        self._store.modify(PODS, *key, bind)
        message = f"Successfully assigned {key[0]}/{key[1]} to {node}"
        self._recorder.normal(pod, "Scheduled", message, "default-scheduler")

    def _refuse(self, key: Key, pod: Object, why: str) -> None:
        def mark(copy: Object) -> None:
            now = self._store.clock.stamp()
            set_condition(copy["status"], "PodScheduled", "False", now, "Unschedulable", why)

        self._store.modify(PODS, *key, mark)
        if key not in self._waiting:
            self._recorder.warning(pod, "FailedScheduling", why, "default-scheduler")
        self._waiting.add(key)
        self._queue.add_after(key, RETRY_S)


def needs_node(pod: Object) -> bool:
    """Return whether a pod waits for a node (one whose status somebody wrote by hand does not)."""
    status = pod.get("status") or {}
    is_fresh = status.get("phase") == "Pending" and not status.get("containerStatuses")
    return is_fresh and not pod["spec"].get("nodeName") and "deletionTimestamp" not in pod["metadata"]
