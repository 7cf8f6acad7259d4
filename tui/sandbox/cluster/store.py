"""What the API server keeps: objects, their versions, and the changes that watches replay."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tui.sandbox.cluster import problems
from tui.sandbox.cluster.clock import Clock
from tui.sandbox.cluster.resources import Object, Resource

Key = tuple[str, str]
"""Namespace (empty for cluster-wide kinds) and name."""

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]

GENERATION_FREE = frozenset({"events", "nodes", "namespaces", "configmaps", "secrets", "serviceaccounts",
                             "endpoints", "services", "resourcequotas", "horizontalpodautoscalers",
                             "controllerrevisions", "persistentvolumeclaims", "persistentvolumes"})  # fmt: skip
"""Kinds for which a real server keeps no `metadata.generation`."""


def clone(value: Any) -> Any:
    """Return a deep copy of JSON data (several times faster than copy.deepcopy)."""
    if isinstance(value, dict):
        return {k: clone(v) for k, v in value.items()}
    if isinstance(value, list):
        return [clone(v) for v in value]
    return value


def encode(value: Any) -> bytes:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Entry:
    """One stored version of an object; never changed once stored."""

    __slots__ = ("_encoded", "key", "thing", "version")

    def __init__(self, thing: Object, key: Key, version: int) -> None:
        self.thing = thing
        self.key = key
        self.version = version
        self._encoded: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """The object as JSON, written once however many lists and watches send it."""
        if self._encoded is None:
            self._encoded = encode(self.thing)
        return self._encoded


@dataclass(frozen=True, slots=True)
class Change:
    """One change as watches see it; `previous` is None for an addition."""

    type: ChangeType
    resource: Resource
    entry: Entry
    previous: Entry | None

    @property
    def version(self) -> int:
        """The resourceVersion that this change made."""
        return self.entry.version


Listener = Callable[[Change], None]


class _Shelf:
    """All objects of one kind, in the order of their keys."""

    def __init__(self, history: int) -> None:
        self.entries: dict[Key, Entry] = {}
        self.keys: list[Key] = []
        self.changes: deque[Change] = deque(maxlen=history)
        self.forgotten = 0
        self.listeners: list[Listener] = []


class Store:
    """Objects by kind and key, with one resourceVersion counter for all, as etcd has.

    Args:
        clock: where creation timestamps come from.
        seed: makes uids and generated names the same in every run.
        history: how many changes of one kind a watch may go back; older ones answer 410 Expired.
    """

    def __init__(self, clock: Clock, seed: int = 1, history: int = 2_000) -> None:
        self.clock = clock
        self.random = random.Random(seed)
        self.version = 1_000
        self.addresses = 0
        """Pod addresses given out so far."""
        self._history = history
        self._curious: list[asyncio.Future[None]] = []
        self._shelves: dict[str, _Shelf] = {}
        self._owned: defaultdict[str, dict[tuple[str, Key], Resource]] = defaultdict(dict)

    # -- reading ------------------------------------------------------------------------------------------

    def find(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Return the object, not to be changed, or None."""
        entry = self.entry(resource, namespace, name)
        return entry.thing if entry else None

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Return the object, not to be changed.

        Raises:
            ApiError: 404.
        """
        found = self.find(resource, namespace, name)
        if found is None:
            raise problems.not_found(resource, name)
        return found

    def entry(self, resource: Resource, namespace: str, name: str) -> Entry | None:
        """Return the stored version of an object, or None."""
        return self._shelf(resource).entries.get((namespace if resource.namespaced else "", name))

    def entries(self, resource: Resource, namespace: str = "") -> list[Entry]:
        """Return all stored objects of a kind, or those of one namespace, by namespace and name."""
        shelf = self._shelf(resource)
        if not namespace:
            return [shelf.entries[k] for k in shelf.keys]
        start, end = bisect_left(shelf.keys, (namespace, "")), bisect_left(shelf.keys, (namespace + "\0", ""))
        return [shelf.entries[k] for k in shelf.keys[start:end]]

    def things(self, resource: Resource, namespace: str = "") -> Iterator[Object]:
        """Yield the objects of `entries`."""
        return (entry.thing for entry in self.entries(resource, namespace))

    def owned_by(self, uid: str, resource: Resource | None = None) -> list[Object]:
        """Return the objects whose ownerReferences name `uid`, by name."""
        found = [(key, r) for (_, key), r in self._owned.get(uid, {}).items() if resource is None or r == resource]
        return [self._shelf(r).entries[key].thing for key, r in sorted(found, key=lambda pair: pair[0])]

    # -- writing ------------------------------------------------------------------------------------------

    def insert(self, resource: Resource, thing: Object, *, dry_run: bool = False) -> Object:
        """Store a new object and return it; the store completes its metadata.

        Raises:
            ApiError: 409, the name is taken.
        """
        meta = thing.setdefault("metadata", {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"][:58] + self.suffix()
        key = self._key(resource, thing)
        shelf = self._shelf(resource)
        if key in shelf.entries:
            raise problems.already_exists(resource, key[1])
        head: Object = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        thing = {**head, **{k: v for k, v in thing.items() if k not in head}}
        meta.setdefault("uid", self.uid())
        meta.setdefault("creationTimestamp", self.clock.stamp())
        if resource.plural not in GENERATION_FREE:
            meta.setdefault("generation", 1)
        if not dry_run:
            self._keep(resource, thing, key, None)
        return thing

    def replace(self, resource: Resource, thing: Object, *, dry_run: bool = False) -> Object:
        """Store a new version of an object and return it; nothing happens when nothing changed.

        A changed `spec` raises `metadata.generation` where the kind has one.

        Raises:
            ApiError: 404.
        """
        key = self._key(resource, thing)
        old = self._shelf(resource).entries.get(key)
        if old is None:
            raise problems.not_found(resource, key[1])
        thing["metadata"]["resourceVersion"] = old.thing["metadata"]["resourceVersion"]
        if "generation" in old.thing["metadata"]:
            changed = thing.get("spec") != old.thing.get("spec")
            thing["metadata"]["generation"] = old.thing["metadata"]["generation"] + changed
        if thing == old.thing:
            return old.thing
        if not dry_run:
            self._keep(resource, thing, key, old)
        return thing

    def modify(self, resource: Resource, namespace: str, name: str, change: Callable[[Object], None]) -> Object | None:
        """Let `change` alter a copy of an object and store it; None when the object is gone."""
        found = self.find(resource, namespace, name)
        if found is None:
            return None
        copy: Object = clone(found)
        change(copy)
        return self.replace(resource, copy)

    def remove(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Forget an object at once, whatever its finalizers; None when it was not there."""
        shelf = self._shelf(resource)
        key = (namespace if resource.namespaced else "", name)
        old = shelf.entries.pop(key, None)
        if old is None:
            return None
        del shelf.keys[bisect_left(shelf.keys, key)]
        self._own(resource, key, old.thing, add=False)
        self.version += 1
        last = {**old.thing, "metadata": {**old.thing["metadata"], "resourceVersion": str(self.version)}}
        self._tell(Change("DELETED", resource, Entry(last, key, self.version), old))
        return last

    # -- changes ------------------------------------------------------------------------------------------

    def listen(self, resource: Resource, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every change of a kind from now on; the returned call ends it."""
        listeners = self._shelf(resource).listeners
        listeners.append(listener)
        return lambda: listeners.remove(listener) if listener in listeners else None

    async def changed(self) -> None:
        """Wait for the next change of anything."""
        future = asyncio.get_running_loop().create_future()
        self._curious.append(future)
        await future

    def since(self, resource: Resource, version: int) -> Iterable[Change]:
        """Return the changes after `version`.

        Raises:
            ApiError: 410, they are forgotten.
        """
        shelf = self._shelf(resource)
        if version < shelf.forgotten:
            raise problems.expired(f"too old resource version: {version} ({self.version})")
        return [change for change in shelf.changes if change.version > version]

    def last(self, resource: Resource, count: int) -> list[Change]:
        """Return the last changes that are not forgotten, oldest first."""
        return list(self._shelf(resource).changes)[-count:]

    def oldest(self, resource: Resource) -> int:
        """Return the oldest resourceVersion that a watch or a continue token may still name."""
        return self._shelf(resource).forgotten

    def forget(self) -> None:
        """Forget all past changes, as a compaction does: watches from before now get 410 Expired."""
        self.version += 1
        for shelf in self._shelves.values():
            shelf.changes.clear()
            shelf.forgotten = self.version

    # -- names --------------------------------------------------------------------------------------------

    def uid(self) -> str:
        """Return a fresh uid."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def suffix(self, length: int = 5) -> str:
        """Return random characters of the alphabet that generated names use."""
        return "".join(self.random.choices("bcdfghjklmnpqrstvwxz2456789", k=length))

    # -- inside -------------------------------------------------------------------------------------------

    def _shelf(self, resource: Resource) -> _Shelf:
        shelf = self._shelves.get(resource.group_resource)
        if shelf is None:
            shelf = self._shelves[resource.group_resource] = _Shelf(self._history)
        return shelf

    @staticmethod
    def _key(resource: Resource, thing: Object) -> Key:
        meta = thing["metadata"]
        return (meta.get("namespace", "") if resource.namespaced else "", meta["name"])

    def _keep(self, resource: Resource, thing: Object, key: Key, old: Entry | None) -> None:
        shelf = self._shelf(resource)
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        entry = shelf.entries[key] = Entry(thing, key, self.version)
        if old is None:
            insort(shelf.keys, key)
        else:
            self._own(resource, key, old.thing, add=False)
        self._own(resource, key, thing, add=True)
        self._tell(Change("MODIFIED" if old else "ADDED", resource, entry, old))

    def _own(self, resource: Resource, key: Key, thing: Object, *, add: bool) -> None:
        for reference in thing["metadata"].get("ownerReferences", ()):
            uid = reference["uid"]
            if add:
                self._owned[uid][resource.group_resource, key] = resource
            elif uid in self._owned:
                self._owned[uid].pop((resource.group_resource, key), None)
                if not self._owned[uid]:
                    del self._owned[uid]

    def _tell(self, change: Change) -> None:
        shelf = self._shelf(change.resource)
        if shelf.changes.maxlen == len(shelf.changes) and shelf.changes:
            shelf.forgotten = shelf.changes[0].version
        shelf.changes.append(change)
        for listener in tuple(shelf.listeners):
            listener(change)
        curious, self._curious = self._curious, []
        for future in curious:
            if not future.done():
                future.set_result(None)
