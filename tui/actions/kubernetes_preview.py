"""What a dry run says will change, line by line. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from tui.sources.kubernetes.fields import Object
from tui.sources.text import clean

_NOT_A_CHANGE: Final = frozenset({"managedFields", "resourceVersion", "generation"})
"""Fields of metadata that every write moves."""


def changed_fields(before: Object, after: Object) -> tuple[str, ...]:
    """Return the fields a write changes as `path: old → new`, without status and bookkeeping."""
    lines = tuple(_differences("", _plain(before), _plain(after)))
    return lines or ("nothing: it is already so",)


def _plain(obj: Object) -> dict[str, Any]:
    metadata = obj.get("metadata") or {}
    return {
        **{key: value for key, value in obj.items() if key not in ("status", "metadata")},
        "metadata": {key: value for key, value in metadata.items() if key not in _NOT_A_CHANGE},
    }


def _differences(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _differences(_step(path, key), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{index}]", old, new)
    elif isinstance(after, dict) and after and before is None:
        for key, value in after.items():
            yield from _differences(_step(path, key), None, value)
    elif before is None:
        yield f"+ {path}: {_value(after)}"
    elif after is None:
        yield f"- {path}: {_value(before)}"
    else:
        yield f"~ {path}: {_value(before)} → {_value(after)}"


def _step(path: str, key: str) -> str:
    key = clean(str(key))
    if not key.isidentifier():
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _value(value: Any) -> str:
    return clean(str(value), limit=200)
