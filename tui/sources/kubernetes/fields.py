"""Reading fields of API objects, which come as plain JSON from a server that may leave anything out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias

from tui.sources.text import clean

Object: TypeAlias = Mapping[str, Any]
"""A JSON object as the server sent it."""

_NOTHING: Final[Object] = {}
_SUFFIXES: Final[Mapping[str, Decimal]] = {
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    "m": Decimal("0.001"),
    "u": Decimal("0.000001"),
    "n": Decimal("0.000000001"),
}
_MOST_DIGITS: Final = 20
"""Digits of a quantity that are read as a whole number: nothing that was measured has more."""


def part(obj: Object, *path: str) -> Object:
    """Return the object at `path`; an empty one where there is none."""
    for key in path:
        found = obj.get(key)
        if not isinstance(found, dict):
            return _NOTHING
        obj = found
    return obj


def maybe(obj: Object, key: str) -> Object | None:
    """Return the object at `key`, also an empty one; None where there is none."""
    found = obj.get(key)
    return found if isinstance(found, dict) else None


def parts(obj: Object, key: str) -> Sequence[Object]:
    """Return the list of objects at `key`; empty where there is none."""
    found = obj.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(obj: Object, key: str) -> str:
    """Return the string at `key`, cleaned; empty where there is none."""
    found = obj.get(key)
    return clean(found) if isinstance(found, str) else ""


def whole(obj: Object, key: str, default: int = 0) -> int:
    """Return the whole number at `key`."""
    found = obj.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def strings(obj: Object, key: str) -> dict[str, str]:
    """Return the labels, annotations or other map of strings at `key`, cleaned."""
    return {clean(str(name)): clean(str(value)) for name, value in part(obj, key).items()}


def moment(obj: Object, key: str) -> float | None:
    """Return the RFC 3339 time at `key` as `time.time()`; None where there is none."""
    found = obj.get(key)
    if not isinstance(found, str):
        return None
    try:
        return datetime.fromisoformat(found).timestamp()
    except (ValueError, OverflowError):
        return None


def quantity(obj: Object, key: str) -> float | None:
    """Return a resource quantity (`100m`, `64Mi`, `1e3`) in cores, bytes or pieces; None where there is none."""
    found = obj.get(key)
    if isinstance(found, str):
        measured = _measured(found)
        return _amount(found) if measured is None else measured
    return _amount(str(found)) if isinstance(found, int | float) else None


def _measured(found: str) -> float | None:
    """Return a quantity as metrics servers write them, `123456n` and `123Ki`; None of one that is written otherwise.

    Thousands come at once, each another number than before: to remember them is no use, and `Decimal` takes five times
    as long. Whole numbers are as exact.
    """
    digits = found[:-1]
    if found.endswith("Ki"):
        digits = found[:-2]
    elif not found.endswith("n"):
        return None
    if len(digits) > _MOST_DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    return float(int(digits) * 1024) if found[-1] == "i" else int(digits) / 1_000_000_000


@lru_cache(maxsize=4096)
def _amount(found: str) -> float | None:
    written, factor = found.strip(), Decimal(1)
    for suffix, times in _SUFFIXES.items():
        if written.endswith(suffix):
            written, factor = written.removesuffix(suffix), times
            break
    try:
        amount = float(Decimal(written) * factor)
    except ArithmeticError:  # not a number, or one beyond all bounds
        return None
    return amount if math.isfinite(amount) else None


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller of an object: `metadata.ownerReferences[controller=true]`."""

    kind: str
    name: str
    uid: str


def owner(metadata: Object) -> Owner | None:
    """Return who controls the object with this metadata; None when nobody does."""
    for reference in parts(metadata, "ownerReferences"):
        if reference.get("controller") is True:
            return Owner(text(reference, "kind"), text(reference, "name"), text(reference, "uid"))
    return None
