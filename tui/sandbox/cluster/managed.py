"""Who wrote which field of an object, and when: `metadata.managedFields`, of the kinds whose writes nothing else tells.

Of ConfigMaps and Secrets only the keys of `data` are told apart; Deployments are told of in `whole_fields`. As a server
does it, an update takes the fields over that it changes, and a server-side apply is refused where it would change what
another manager has written.
"""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster.clock import stamp
from tui.sandbox.cluster.problems import ApiError
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import CONFIGMAPS, DEPLOYMENTS, SECRETS, Object
from tui.sandbox.cluster.store import Store, clone
from tui.sandbox.cluster.whole_fields import written

_KEPT = (CONFIGMAPS, SECRETS)
Entry = dict[str, Any]


def check_apply(call: Call, thing: Object, old: Object) -> None:
    """Refuse a server-side apply that would change fields of another manager, unless it is forced.

    Raises:
        ApiError: 409, with a cause for each field.
    """
    if call.resource not in _KEPT or call.query.get("force") in ("true", "1"):
        return
    changed = _changed(thing, old)
    taken = [
        (entry, key)
        for entry in _entries(old)
        if not _is_own(entry, call, "Apply")
        for key in sorted(_owned(entry) & changed)
    ]
    if taken:
        raise _conflict(taken)


def without_dropped(call: Call, thing: Object, old: Object, applied: Object) -> Object:
    """Return what an apply leaves: without the fields that only this manager has applied, and applies no longer."""
    mine = [entry for entry in _entries(old) if _is_own(entry, call, "Apply")]
    others = set[str]().union(*(_owned(entry) for entry in _entries(old) if entry not in mine))
    dropped = set[str]().union(*(_owned(entry) for entry in mine)) - others - set(applied.get("data") or {})
    if not dropped:
        return thing
    return {**thing, "data": {key: value for key, value in (thing.get("data") or {}).items() if key not in dropped}}


def note_write(
    call: Call, store: Store, thing: Object, old: Object | None = None, applied: Object | None = None
) -> None:
    """Write into `thing` who writes it now, by an apply of `applied` where it is given; not where nothing changes."""
    if call.resource == DEPLOYMENTS and not call.subresource:
        told = written(thing, old or {}, _manager(call), stamp(store.clock.now()))
        thing["metadata"].pop("managedFields", None)
        if told:
            thing["metadata"]["managedFields"] = told
    if call.resource not in _KEPT:
        return
    before = [clone(one) for one in _entries(old or {})]
    thing["metadata"].pop("managedFields", None)
    operation = "Update" if applied is None else "Apply"
    mine = [entry for entry in before if _is_own(entry, call, operation)]
    changed = _changed(thing, old or {})
    own = set[str]().union(*(_owned(entry) for entry in mine)) & set(thing.get("data") or {})
    keys = changed | own if applied is None else set(applied.get("data") or {})
    if old is not None and _said(thing) == _said(old) and (applied is None or keys == own):
        if before:
            thing["metadata"]["managedFields"] = before
        return
    others = [_without(entry, changed) for entry in before if entry not in mine]
    entry = {
        "manager": _manager(call),
        "operation": operation,
        "apiVersion": call.resource.api_version,
        "time": stamp(store.clock.now()),
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {f"f:{key}": {} for key in sorted(keys)}},
    }
    thing["metadata"]["managedFields"] = [*(one for one in others if _owned(one)), entry]


def _entries(thing: Object) -> list[Entry]:
    return list((thing.get("metadata") or {}).get("managedFields") or ())


def _manager(call: Call) -> str:
    # As a server does it: the field manager that the client names, else the beginning of its user agent.
    return call.query.get("fieldManager") or call.http.headers.get("User-Agent", "unknown").partition("/")[0]


def _is_own(entry: Entry, call: Call, operation: str) -> bool:
    return (entry["manager"], entry["operation"]) == (_manager(call), operation)


def _owned(entry: Entry) -> set[str]:
    return {key.removeprefix("f:") for key in (entry.get("fieldsV1") or {}).get("f:data") or {}}


def _changed(thing: Object, old: Object) -> set[str]:
    now, was = thing.get("data") or {}, old.get("data") or {}
    return {key for key in {**now, **was} if now.get(key) != was.get(key)}


def _without(entry: Entry, keys: set[str]) -> Entry:
    left: dict[str, Any] = {f"f:{key}": {} for key in sorted(_owned(entry) - keys)}
    return {**entry, "fieldsV1": {"f:data": left}}


def _conflict(taken: list[tuple[Entry, str]]) -> ApiError:
    causes = []
    for entry, key in taken:
        version = f" using {entry['apiVersion']}" if entry["operation"] == "Update" else ""
        message = f'conflict with "{entry["manager"]}"{version}'
        causes.append({"reason": "FieldManagerConflict", "message": message, "field": f".data.{key}"})
    if len(causes) == 1:
        said = f"{causes[0]['message']}: {causes[0]['field']}"
    else:
        said = "\n".join(f"{one['message']}: {one['field']}" for one in causes)
    plural = "s" * (len(causes) > 1)
    return ApiError(409, "Conflict", f"Apply failed with {len(causes)} conflict{plural}: {said}", {"causes": causes})


def _said(thing: Object) -> Object:
    meta = {k: v for k, v in thing["metadata"].items() if k not in ("managedFields", "resourceVersion", "generation")}
    return {**thing, "metadata": meta}
