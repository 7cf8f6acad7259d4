"""The patches kubectl sends: merge, strategic merge and JSON Patch."""

from __future__ import annotations

from typing import Any

from tui.sandbox.cluster.problems import bad_request, rejected
from tui.sandbox.cluster.store import clone

MERGE_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "resourceClaims": ("name",),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "port"),
    "conditions": ("type",),
    "addresses": ("type",),
    "hostAliases": ("ip",),
    "ownerReferences": ("uid",),
    "topologySpreadConstraints": ("topologyKey",),
}
"""Lists that a strategic merge joins by key; all other lists of objects are replaced."""

MERGED_VALUES = frozenset({"finalizers"})
"""Lists of plain values that a strategic merge joins."""


def merge(target: Any, patch: Any) -> Any:
    """Return `target` with an RFC 7386 merge patch applied; neither is changed."""
    if not isinstance(patch, dict):
        return clone(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def strategic(target: Any, patch: Any) -> Any:
    """Return `target` with a strategic merge patch applied; neither is changed."""
    if not isinstance(patch, dict):
        return clone(patch)
    if patch.get("$patch") == "replace":
        return {k: clone(v) for k, v in patch.items() if k != "$patch"}
    merged = dict(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        merged = {k: v for k, v in merged.items() if k in patch["$retainKeys"]}
    for key, value in patch.items():
        if key in ("$patch", "$retainKeys") or key.startswith("$setElementOrder/"):
            continue
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            merged[name] = [v for v in merged.get(name) or [] if v not in value]
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            merged.pop(key, None)
        elif isinstance(value, list):
            merged[key] = _list(key, merged.get(key), value)
        else:
            merged[key] = strategic(merged.get(key), value)
    for key, order in patch.items():
        if key.startswith("$setElementOrder/"):
            name = key.partition("/")[2]
            merged[name] = _ordered(name, merged.get(name) or [], order)
    return merged


def json_patch(target: Any, operations: Any) -> Any:
    """Return `target` with an RFC 6902 patch applied.

    Raises:
        ApiError: 422, a `test` does not hold or a path does not exist; 400, it is no JSON Patch.
    """
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    document = clone(target)
    for operation in operations:
        try:
            document = _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise rejected() from error
    return document


def _list(key: str, old: Any, patch: list[Any]) -> list[Any]:
    old = list(old) if isinstance(old, list) else []
    if key in MERGED_VALUES:
        return [*old, *(v for v in patch if v not in old)]
    merge_key = _merge_key(key, [*old, *patch])
    if merge_key is None:
        return [clone(v) for v in patch]
    if any(v.get("$patch") == "replace" for v in patch):
        return [clone(v) for v in patch if v.get("$patch") != "replace"]
    merged = list(old)
    for item in patch:
        at = next((i for i, v in enumerate(merged) if v.get(merge_key) == item.get(merge_key)), None)
        if item.get("$patch") == "delete":
            if at is not None:
                del merged[at]
        elif at is None:
            merged.append(strategic({}, item))
        else:
            merged[at] = strategic(merged[at], item)
    return merged


def _merge_key(key: str, items: list[Any]) -> str | None:
    if not all(isinstance(item, dict) for item in items):
        return None
    found = (name for name in MERGE_KEYS.get(key, ()) if all(name in i or "$patch" in i for i in items))
    return next(found, None)


def _ordered(name: str, items: list[Any], order: list[Any]) -> list[Any]:
    merge_key = _merge_key(name, items)

    def identity(item: Any) -> Any:
        return item.get(merge_key) if isinstance(item, dict) else item

    places = {identity(item): i for i, item in enumerate(order)}
    known = sorted((i for i in items if identity(i) in places), key=lambda i: places[identity(i)])
    return known + [i for i in items if identity(i) not in places]


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    path = _steps(operation["path"])
    match operation["op"]:
        case "test":
            if _read(document, path) != operation.get("value"):
                raise ValueError(operation["path"])
        case "add":
            return _write(document, path, clone(operation["value"]), insert=True)
        case "replace":
            _read(document, path)
            return _write(document, path, clone(operation["value"]), insert=False)
        case "remove":
            _take(document, path)
        case "move":
            return _write(document, path, _take(document, _steps(operation["from"])), insert=True)
        case "copy":
            return _write(document, path, clone(_read(document, _steps(operation["from"]))), insert=True)
        case unknown:
            raise ValueError(unknown)
    return document


def _steps(pointer: str) -> list[str]:
    if pointer == "":
        return []
    if not pointer.startswith("/"):
        raise ValueError(pointer)
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")]


def _read(document: Any, path: list[str]) -> Any:
    for step in path:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _take(document: Any, path: list[str]) -> Any:
    parent = _read(document, path[:-1])
    return parent.pop(int(path[-1])) if isinstance(parent, list) else parent.pop(path[-1])


def _write(document: Any, path: list[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    parent, step = _read(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[step] = value
    elif step == "-":
        parent.append(value)
    elif insert:
        if int(step) > len(parent):
            raise IndexError(step)
        parent.insert(int(step), value)
    else:
        parent[int(step)] = value
    return document
