"""Who wrote an object, and when: `metadata.managedFields`, of the kinds whose writes nothing else tells of."""

from __future__ import annotations

from tui.sandbox.cluster.clock import stamp
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import CONFIGMAPS, SECRETS, Object
from tui.sandbox.cluster.store import Store, clone

_KEPT = (CONFIGMAPS, SECRETS)


def note_write(call: Call, store: Store, thing: Object, old: Object | None = None) -> None:
    """Write into `thing` who writes it now, unless it says what `old` said."""
    if call.resource not in _KEPT:
        return
    before = (old or {}).get("metadata", {}).get("managedFields") or []
    thing["metadata"].pop("managedFields", None)
    if old is not None and _said(thing) == _said(old):
        if before:
            thing["metadata"]["managedFields"] = clone(before)
        return
    # As a server does it: the field manager that the client names, else the beginning of its user agent.
    agent = call.http.headers.get("User-Agent", "unknown")
    manager = call.query.get("fieldManager") or agent.partition("/")[0]
    entry = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": call.resource.api_version,
        "time": stamp(store.clock.now()),
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {f"f:{key}": {} for key in thing.get("data") or {}}},
    }
    others = [clone(one) for one in before if one["manager"] != manager]
    thing["metadata"]["managedFields"] = [*others, entry]


def _said(thing: Object) -> Object:
    meta = {k: v for k, v in thing["metadata"].items() if k not in ("managedFields", "resourceVersion", "generation")}
    return {**thing, "metadata": meta}
