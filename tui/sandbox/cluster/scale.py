"""The `/scale` subresource of deployments, replica sets and stateful sets."""

from __future__ import annotations

from aiohttp import web

from tui.sandbox.cluster import problems, writes
from tui.sandbox.cluster.reads import reply
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import Object
from tui.sandbox.cluster.selectors import selector_text
from tui.sandbox.cluster.store import Store, clone
from tui.sandbox.cluster.validation import check_update


def scale_of(thing: Object) -> Object:
    """Return the Scale of a workload."""
    meta = thing["metadata"]
    shown = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status = {"replicas": (thing.get("status") or {}).get("replicas", 0)}
    spec = {"replicas": thing["spec"]["replicas"]} if thing["spec"].get("replicas") else {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in shown},
        "spec": spec,
        "status": {**status, "selector": selector_text(thing["spec"].get("selector"))},
    }


async def handle(call: Call, store: Store) -> web.Response:
    """Answer GET, PUT and PATCH of a Scale.

    Raises:
        ApiError: 404, 409, 422.
    """
    thing = store.get(call.resource, call.namespace, call.name)
    if call.verb == "get":
        return reply(scale_of(thing))
    if call.verb == "update":
        wanted = await call.body()
    elif call.verb == "patch":
        wanted = writes.patched(call, scale_of(thing), await writes.patch_body(call))
    else:
        raise problems.method_not_allowed()
    if not isinstance(wanted, dict) or wanted.get("kind", "Scale") != "Scale":
        raise problems.bad_request("the object provided is unrecognized (expected a Scale)")
    new = clone(thing)
    asked = wanted.get("metadata") or {}
    new["metadata"] |= {k: asked[k] for k in ("uid", "resourceVersion") if asked.get(k)}
    new["spec"]["replicas"] = (wanted.get("spec") or {}).get("replicas", 0)
    check_update(call.resource, new, thing)
    return reply(scale_of(store.replace(call.resource, new, dry_run=call.is_dry_run)))
