"""What a dry run says will change, line by line. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tui.sources.kubernetes.fields import Object
from tui.sources.kubernetes.veil import HIDDEN, veiled
from tui.sources.masking import without_secrets
from tui.sources.text import clean

_NAMED: Final = 3
_REFERENCE: Final = re.compile("(Name|Ref|Key)$")
"""Fields that name where a secret lies (`secretName`), and hold none."""
_NOT_A_CHANGE: Final = frozenset({"managedFields", "resourceVersion", "generation"})
"""Fields of metadata that every write moves."""


def changed_fields(before: Object, after: Object) -> tuple[str, ...]:
    """Return the fields a write changes as `path: old → new`, without status and bookkeeping."""
    return differing(_plain(before), _plain(after)) or ("nothing: it is already so",)


def moved_fields(was: Object, now: Object) -> str:
    """Say what somebody else has changed of an object: the first fields of it; empty when nothing but bookkeeping.

    A status counts only where nothing else has moved: it moves all the time.
    """
    moved = differing(_plain(was), _plain(now)) or differing(
        {"status": was.get("status")}, {"status": now.get("status")}
    )
    more = f" and {len(moved) - _NAMED} more" if len(moved) > _NAMED else ""
    return "; ".join(moved[:_NAMED]) + more


def differing(before: Object, after: Object) -> tuple[str, ...]:
    """Return what differs between two objects, line by line as `+`, `-` and `~`; empty when nothing does.

    List items with a name (containers, environment variables) are compared by it, whatever their place. Values that
    may be secrets are hidden: of environment variables, and of fields of ConfigMaps and custom resources by their name.
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


def _differences(path: str, before: Any, after: Any, name: str = "") -> Iterator[str]:
    """Yield the lines of what differs at a path; `name` is the field that stands there."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _differences(_step(path, key), before.get(key), after.get(key), key)
    elif (was := _by_name(before)) and (now := _by_name(after)):
        for item in [*was, *(item for item in now if item not in was)]:
            yield from _differences(f'{path}["{clean(item)}"]', was.get(item), now.get(item), name)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{index}]", old, new, name)
    elif isinstance(after, dict) and after and before is None:
        for key, value in after.items():
            yield from _differences(_step(path, key), None, value, key)
    elif before is None:
        yield f"+ {path}: {_value(name, after)}"
    elif after is None:
        yield f"- {path}: {_value(name, before)}"
    else:
        yield f"~ {path}: {_value(name, before)} → {_value(name, after)}"


def _step(path: str, key: str) -> str:
    key = clean(str(key))
    if not key.isidentifier():
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _value(name: str, value: Any) -> str:
    """Return a value for the eye and the journal; of what is called like a secret only that it is there."""
    if isinstance(value, str) and _REFERENCE.search(name) is None:
        told = f"{name}: {value}".replace("\n", " ")
        return HIDDEN if without_secrets(told) != told else clean(value, limit=200)
    return clean(without_secrets(str(value)), limit=200)
