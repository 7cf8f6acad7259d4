"""What a dry run says will change, line by line. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tui.sources.kubernetes.fields import Object
from tui.sources.kubernetes.veil import HIDDEN, veiled
from tui.sources.text import clean

_NOT_A_CHANGE: Final = frozenset({"managedFields", "resourceVersion", "generation"})
"""Fields of metadata that every write moves."""


def changed_fields(before: Object, after: Object) -> tuple[str, ...]:
    """Return the fields a write changes as `path: old → new`, without status and bookkeeping."""
    return differing(_plain(before), _plain(after)) or ("nothing: it is already so",)


def differing(before: Object, after: Object) -> tuple[str, ...]:
    """Return what differs between two objects, line by line as `+`, `-` and `~`; empty when nothing does.

    List items with a name (containers, environment variables) are compared by it, whatever their place. Values of
    environment variables that may be secrets are hidden.
    """
    return tuple(_differences("", veiled(before, _Hidden), veiled(after, _Hidden)))


@dataclass(frozen=True, slots=True)
class _Hidden:
    """A value that is compared and never shown."""

    value: str = field(repr=False)

    def __repr__(self) -> str:
        return HIDDEN


def _by_name(items: Any) -> dict[str, Any]:
    """Return list items by their names; empty unless every one has a name of its own."""
    if not isinstance(items, list) or not all(isinstance(item, dict) and item.get("name") for item in items):
        return {}
    named = {str(item["name"]): item for item in items}
    return named if len(named) == len(items) else {}


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
    elif (was := _by_name(before)) and (now := _by_name(after)):
        for name in [*was, *(name for name in now if name not in was)]:
            yield from _differences(f'{path}["{clean(name)}"]', was.get(name), now.get(name))
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
