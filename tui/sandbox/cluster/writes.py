"""POST, PUT, PATCH and DELETE on objects: preconditions, dry runs, graceful deletion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import web

from tui.sandbox.cluster import patches, problems
from tui.sandbox.cluster.clock import stamp
from tui.sandbox.cluster.defaults import fill
from tui.sandbox.cluster.managed import check_apply, note_write, without_dropped
from tui.sandbox.cluster.reads import reply, selected, shown
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import CUSTOM, NAMESPACES, PODS, Object, Resource
from tui.sandbox.cluster.store import Store, clone
from tui.sandbox.cluster.validation import check_new, check_update

_STRATEGIC = "application/strategic-merge-patch+json"
_PATCHES = {
    "application/merge-patch+json": patches.merge,
    _STRATEGIC: patches.strategic,
    "application/json-patch+json": patches.json_patch,
}
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")


async def create(call: Call, store: Store) -> web.Response:
    """POST of a new object: 201."""
    thing = await call.body()
    if not isinstance(thing, dict) or not isinstance(thing.get("metadata"), dict):
        raise problems.bad_request("the object provided is unrecognized (must be of type object with metadata)")
    return shown(call, _create(call, store, thing), store, 201)


async def update(call: Call, store: Store) -> web.Response:
    """PUT of a whole object, or of its status."""
    thing = await call.body()
    if not isinstance(thing, dict):
        raise problems.bad_request("the object provided is unrecognized")
    old = store.get(call.resource, call.namespace, call.name)
    return shown(call, _update(call, store, thing, old), store)


async def patch(call: Call, store: Store) -> web.Response:
    """PATCH in any of the forms kubectl sends."""
    old = store.find(call.resource, call.namespace, call.name)
    if call.http.content_type in APPLY:
        return await _apply(call, store, old)
    new = patched(call, old := store.get(call.resource, call.namespace, call.name), await patch_body(call))
    return shown(call, _update(call, store, new, old), store)


async def _apply(call: Call, store: Store, old: Object | None) -> web.Response:
    applied = await call.body()
    if not isinstance(applied, dict):
        raise problems.bad_request("the object provided is unrecognized (must be of type object with metadata)")
    if not call.query.get("fieldManager"):
        raise problems.no_field_manager()
    if old is None:
        if uid := (applied.get("metadata") or {}).get("uid"):
            raise problems.uid_of_none(call.resource, call.name, uid)
        return shown(call, _create(call, store, clone(applied), applied), store, 201)
    new = patches.strategic(old, applied)
    check_apply(call, new, old)
    return shown(call, _update(call, store, without_dropped(call, new, old, applied), old, applied), store)


async def patch_body(call: Call) -> Any:
    """Return the decoded patch.

    Raises:
        ApiError: 415, an unknown content type.
    """
    if call.http.content_type not in _PATCHES:
        raise problems.unsupported_media_type()
    if call.resource in CUSTOM and call.http.content_type == _STRATEGIC:
        raise problems.unsupported_patch()
    return await call.body()


def patched(call: Call, target: Object, body: Any) -> Object:
    """Return `target` with the request's patch applied."""
    new: Object = _PATCHES[call.http.content_type](target, body)
    return new


async def delete(call: Call, store: Store) -> web.Response:
    """DELETE of one object: its last state while it winds down, or a Status of success."""
    old = store.get(call.resource, call.namespace, call.name)
    options = await call.body() or {}
    check_preconditions(call.resource, old, options)
    is_dry_run = call.is_dry_run or "All" in (options.get("dryRun") or ())
    left = None if is_dry_run else discard(store, call.resource, old, {**call.query, **options})
    if left is not None or call.resource == PODS:
        return shown(call, left or old, store)
    details = problems.details_of(call.resource, call.name, uid=old["metadata"]["uid"])
    head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return reply({**head, "details": details})


async def delete_all(call: Call, store: Store) -> web.Response:
    """DELETE of a collection, by selectors."""
    match = selected(call)
    options = await call.body() or {}
    found = [t for t in store.things(call.resource, call.namespace) if match is None or match(t)]
    if not call.is_dry_run:
        for thing in found:
            discard(store, call.resource, thing, {**call.query, **options})
    head = {"kind": f"{call.resource.kind}List", "apiVersion": call.resource.api_version}
    return reply({**head, "metadata": {"resourceVersion": str(store.version)}, "items": found})


def check_preconditions(resource: Resource, thing: Object, options: dict[str, Any]) -> None:
    """Refuse when the `preconditions` of DeleteOptions do not hold.

    Raises:
        ApiError: 409.
    """
    wanted = options.get("preconditions") or {}
    for key, words in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        found = thing["metadata"][key]
        if wanted.get(key) not in (None, "", found):
            raise problems.precondition_failed(resource, thing["metadata"]["name"], words, wanted[key], found)


def discard(store: Store, resource: Resource, thing: Object, options: dict[str, Any]) -> Object | None:
    """Delete an object; return its state when it stays for a while (grace, finalizers), else None."""
    meta = thing["metadata"]
    namespace, name = meta.get("namespace", ""), meta["name"]
    grace = _grace(resource, thing, options)
    policy = options.get("propagationPolicy") or ("Orphan" if options.get("orphanDependents") else "Background")
    finalizers = list(meta.get("finalizers") or ())
    if policy in ("Foreground", "Orphan") and resource != PODS:
        finalizers.append({"Foreground": "foregroundDeletion", "Orphan": "orphan"}[policy])
    if resource == NAMESPACES:
        finalizers.append("kubernetes")
    if not grace and not finalizers:
        store.remove(resource, namespace, name)
        return None

    def mark(copy: Object) -> None:
        left = copy["metadata"].get("deletionGracePeriodSeconds")
        if "deletionTimestamp" not in copy["metadata"] or (left is not None and grace < left):
            copy["metadata"]["deletionTimestamp"] = stamp(store.clock.now() + timedelta(seconds=grace))
            copy["metadata"]["deletionGracePeriodSeconds"] = grace
        if finalizers and resource != NAMESPACES:
            copy["metadata"]["finalizers"] = list(dict.fromkeys(finalizers))
        if resource == NAMESPACES:
            copy["status"] = {"phase": "Terminating"}

    return store.modify(resource, namespace, name, mark)


def _grace(resource: Resource, thing: Object, options: dict[str, Any]) -> int:
    if resource != PODS:
        return 0
    spec, phase = thing["spec"], (thing.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
        return 0
    asked = options.get("gracePeriodSeconds")
    return int(spec.get("terminationGracePeriodSeconds", 30) if asked is None else asked)


def _create(call: Call, store: Store, thing: Object, applied: Object | None = None) -> Object:
    resource, meta = call.resource, thing["metadata"]
    if resource.namespaced:
        if meta.setdefault("namespace", call.namespace) != call.namespace:
            raise problems.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if store.find(NAMESPACES, "", call.namespace) is None:
            raise problems.not_found(NAMESPACES, call.namespace)
    if not meta.get("name") and not meta.get("generateName"):
        cause = ("FieldValueRequired", "metadata.name", "Required value: name or generateName is required")
        raise problems.invalid(resource, "", [cause])
    for given in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"):
        meta.pop(given, None)
    check_new(resource, thing)
    fill(resource, thing)
    note_write(call, store, thing, applied=applied)
    return store.insert(resource, thing, dry_run=call.is_dry_run)


def _update(call: Call, store: Store, new: Object, old: Object, applied: Object | None = None) -> Object:
    new = clone(new)
    name = (new.get("metadata") or {}).get("name")
    if name != call.name:
        text = f"the name of the object ({name}) does not match the name on the URL ({call.name})"
        raise problems.bad_request(text)
    check_update(call.resource, new, old)
    if call.subresource == "status":
        new = {**clone(old), "status": new.get("status")}
    elif "status" in old:
        new["status"] = clone(old["status"])
    fill(call.resource, new)
    for kept in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
        if kept in old["metadata"]:
            new["metadata"][kept] = old["metadata"][kept]
    note_write(call, store, new, old, applied)
    stored = store.replace(call.resource, new, dry_run=call.is_dry_run)
    meta = stored["metadata"]
    if meta.get("deletionTimestamp") and not meta.get("finalizers") and not call.is_dry_run and call.resource != PODS:
        store.remove(call.resource, call.namespace, call.name)
    return stored
