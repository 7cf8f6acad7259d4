"""Who wrote which fields of a Deployment, and when: `metadata.managedFields` by updates of any part of it.

Lists count as one field each; what controllers write is told as written when the Deployment was made.
"""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster.resources import Object

Fields = dict[str, Any]
Entry = dict[str, Any]
_SERVERS = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"}
)
"""What of the metadata belongs to nobody."""


def founded(thing: Object, manager: str, when: str) -> list[Entry]:
    """Return the entries of an object that `manager` made, and that its controller has settled since."""
    made = _entry(thing, manager, when, _differing({}, {key: part for key, part in thing.items() if key != "status"}))
    settled = _entry(thing, "kube-controller-manager", when, {"f:status": {}})
    return [made, {**settled, "subresource": "status"}]


def written(thing: Object, old: Object, manager: str, when: str) -> list[Entry]:
    """Return the entries after an update: its manager takes over the fields that it changed."""
    before = list((old.get("metadata") or {}).get("managedFields") or ())
    changed = _differing(old, thing)
    if not changed:
        return before
    mine = next((one for one in before if (one["manager"], one.get("subresource")) == (manager, None)), None)
    others = [{**one, "fieldsV1": _less(one["fieldsV1"], changed)} for one in before if one is not mine]
    own = _entry(thing, manager, when, _more(mine["fieldsV1"] if mine else {}, changed))
    return [*(one for one in others if one["fieldsV1"]), own]


def _entry(thing: Object, manager: str, when: str, fields: Fields) -> Entry:
    head = {"manager": manager, "operation": "Update", "apiVersion": thing["apiVersion"], "time": when}
    return {**head, "fieldsType": "FieldsV1", "fieldsV1": fields}


def _differing(old: Object, new: Object) -> Fields:
    """Return the fields of `new` that `old` has otherwise."""
    found: Fields = {}
    for key, value in new.items():
        if key in ("apiVersion", "kind") or value == old.get(key):
            continue
        if not isinstance(value, dict):
            found[f"f:{key}"] = {}
            continue
        was = old.get(key)
        shown = {k: v for k, v in value.items() if k not in _SERVERS} if key == "metadata" else value
        if inner := _differing(was if isinstance(was, dict) else {}, shown):
            found[f"f:{key}"] = inner
    return found


def _less(fields: Fields, taken: Fields) -> Fields:
    left: Fields = {}
    for key, inner in fields.items():
        if key not in taken:
            left[key] = inner
        elif inner and (rest := _less(inner, taken[key])):
            left[key] = rest
    return left


def _more(fields: Fields, added: Fields) -> Fields:
    return {**fields, **{key: _more(fields.get(key) or {}, inner) for key, inner in added.items()}}
