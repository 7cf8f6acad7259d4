"""What the controllers of ReplicaSets, StatefulSets, DaemonSets and Jobs have in common: each owns pods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from tui.sandbox.cluster import writes
from tui.sandbox.cluster.defaults import fill
from tui.sandbox.cluster.recorder import Recorder
from tui.sandbox.cluster.resources import PODS, Object, Resource
from tui.sandbox.cluster.shapes import controller_uid
from tui.sandbox.cluster.store import Change, Key, Store
from tui.sandbox.cluster.workqueue import WorkQueue


class PodOwners(ABC):
    """Looks at an owner again whenever it or one of its pods changes."""

    RESOURCE: ClassVar[Resource]
    """The kind whose objects own the pods."""
    COMPONENT: ClassVar[str]
    """Who reports the events, in Kubernetes' own words."""
    CREATED: ClassVar[str] = "Created pod: {pod}"
    DELETED: ClassVar[str] = "Deleted pod: {pod}"
    """What the events say, of `pod` and its `owner`."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder
        self._queue = WorkQueue(store.clock, self._look)
        self._keys: dict[str, Key] = {}
        """Owners by uid."""
        store.listen(self.RESOURCE, self._on_owner)
        store.listen(PODS, self._on_pod)

    def adopt(self) -> None:
        """Take on what is there already (a population)."""
        for thing in self._store.things(self.RESOURCE):
            self._keys[thing["metadata"]["uid"]] = (thing["metadata"]["namespace"], thing["metadata"]["name"])

    def _on_owner(self, change: Change) -> None:
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

    def _look(self, key: Key) -> None:
        owner = self._store.find(self.RESOURCE, *key)
        if owner is not None and "deletionTimestamp" not in owner["metadata"]:
            self._reconcile(key, owner)

    @abstractmethod
    def _reconcile(self, key: Key, owner: Object) -> None:
        """Make the pods what the owner wants, a step at a time, and report its status."""

    def _insert(self, owner: Object, pod: Object) -> None:
        """Make a pod, and say so in an event."""
        fill(PODS, pod)
        self._tell(owner, "SuccessfulCreate", self.CREATED, self._store.insert(PODS, pod))

    def _discard(self, owner: Object, pod: Object) -> None:
        """Delete a pod, and say so in an event."""
        writes.discard(self._store, PODS, pod, {})
        self._tell(owner, "SuccessfulDelete", self.DELETED, pod)

    def _tell(self, owner: Object, reason: str, text: str, pod: Object) -> None:
        words = text.format(pod=pod["metadata"]["name"], owner=owner["metadata"]["name"])
        self._recorder.normal(owner, reason, words, self.COMPONENT)
