"""The garbage collector: what is owned goes with its owner; namespaces empty themselves."""

from __future__ import annotations

from tui.sandbox.cluster import writes
from tui.sandbox.cluster.resources import NAMESPACES, PODS, RESOURCES, Object, Resource
from tui.sandbox.cluster.store import Change, Store

_STORED = tuple(r for r in RESOURCES if r.is_stored)


class GarbageCollector:
    """Deletes dependents, orphans them when asked to, and ends namespaces."""

    def __init__(self, store: Store) -> None:
        self._store = store
        for resource in _STORED:
            store.listen(resource, self._on_change)

    def _on_change(self, change: Change) -> None:
        thing = change.entry.thing
        if change.type == "DELETED":
            self._store.clock.after(0.01, self._collect, thing["metadata"]["uid"])
            for owner in thing["metadata"].get("ownerReferences") or ():
                if owner.get("blockOwnerDeletion"):
                    self._store.clock.after(0.02, self._release, owner["uid"], owner["kind"], change.entry.key[0])
            if change.resource.namespaced and self._is_ending(change.entry.key[0]):
                self._store.clock.after(0.05, self._empty, change.entry.key[0])
        elif "deletionTimestamp" in thing["metadata"] and change.type == "MODIFIED":
            if change.resource == NAMESPACES:
                self._store.clock.after(0.05, self._empty, change.entry.key[1])
            else:
                self._finalize(change.resource, thing)

    def _collect(self, uid: str) -> None:
        for thing in self._store.owned_by(uid):
            resource = _resource(thing)
            writes.discard(self._store, resource, thing, {})

    def _finalize(self, resource: Resource, thing: Object) -> None:
        finalizers = thing["metadata"].get("finalizers") or ()
        if "orphan" in finalizers:
            self._store.clock.after(0.01, self._orphan, resource, thing)
        elif "foregroundDeletion" in finalizers:
            self._store.clock.after(0.01, self._collect, thing["metadata"]["uid"])
            self._store.clock.after(0.05, self._release, thing["metadata"]["uid"], resource.kind,
                                    thing["metadata"].get("namespace", ""))  # fmt: skip

    def _orphan(self, resource: Resource, thing: Object) -> None:
        uid = thing["metadata"]["uid"]
        for dependent in self._store.owned_by(uid):
            meta = dependent["metadata"]

            def drop(copy: Object) -> None:
                kept = [o for o in copy["metadata"]["ownerReferences"] if o["uid"] != uid]
                copy["metadata"]["ownerReferences"] = kept

            self._store.modify(_resource(dependent), meta.get("namespace", ""), meta["name"], drop)
        self._finish(resource, thing, "orphan")

    def _release(self, uid: str, kind: str, namespace: str) -> None:
        if self._store.owned_by(uid):
            return
        for resource in (r for r in _STORED if r.kind == kind):
            owner = next((t for t in self._store.things(resource, namespace) if t["metadata"]["uid"] == uid), None)
            if owner is not None and "foregroundDeletion" in (owner["metadata"].get("finalizers") or ()):
                self._finish(resource, owner, "foregroundDeletion")

    def _finish(self, resource: Resource, thing: Object, finalizer: str) -> None:
        meta = thing["metadata"]
        found = self._store.find(resource, meta.get("namespace", ""), meta["name"])
        left = [f for f in (found or thing)["metadata"].get("finalizers") or () if f != finalizer]
        if found is not None and not left:
            self._store.remove(resource, meta.get("namespace", ""), meta["name"])

    def _is_ending(self, namespace: str) -> bool:
        found = self._store.find(NAMESPACES, "", namespace)
        return found is not None and "deletionTimestamp" in found["metadata"]

    def _empty(self, namespace: str) -> None:
        if not self._is_ending(namespace):
            return
        left = 0
        for resource in _STORED:
            for thing in list(self._store.things(resource, namespace)) if resource.namespaced else ():
                left += 1
                if "deletionTimestamp" not in thing["metadata"] or resource != PODS:
                    writes.discard(self._store, resource, thing, {})
        if not left:
            self._store.remove(NAMESPACES, "", namespace)


def _resource(thing: Object) -> Resource:
    return next(r for r in _STORED if r.kind == thing["kind"] and r.api_version == thing["apiVersion"])
