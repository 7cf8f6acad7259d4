"""How a parameter's value may be written: units, booleans, case. Pure."""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

_NUMBER: Final = re.compile(r"\s*(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[A-Za-z]*)\s*")
_UNIT: Final = re.compile(r"(?P<factor>\d*)(?P<unit>[A-Za-z]+)")
_BYTES: Final = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_MICROS: Final = {
    "us": 1, "ms": 1000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000,
}  # fmt: skip
_TRUE: Final = ("on", "true", "yes", "1")
_FALSE: Final = ("off", "false", "no", "0")


def is_same(one: str, other: str, *, vartype: str, unit: str | None) -> bool:
    """Tell whether two ways to write a value mean the same.

    Args:
        one: as somebody typed it, or as `pg_settings.setting` has it.
        other: likewise.
        vartype: `pg_settings.vartype`: `bool`, `integer`, `real`, `enum`, `string`.
        unit: `pg_settings.unit`: what a number without one counts in (`8kB`, `ms`); None for none.
    """
    return _plain(one, vartype, unit) == _plain(other, vartype, unit)


def _plain(value: str, vartype: str, unit: str | None) -> object:
    match vartype:
        case "bool":
            return _boolean(value.strip().lower())
        case "integer" | "real":
            found = _number(value, unit)
            if found is None:
                return value.strip().lower()
            return round(found) if vartype == "integer" else found.normalize()
        case "enum":
            return value.strip().lower()
    return value


def _boolean(value: str) -> object:
    # A beginning is enough as long as it is nobody else's: `o` could be either.
    for words, meaning in ((_TRUE, True), (_FALSE, False)):
        if value and value != "o" and any(word.startswith(value) for word in words):
            return meaning
    return value


def _number(value: str, unit: str | None) -> Decimal | None:
    """Return a number in the parameter's own unit; None when it is none."""
    found = _NUMBER.fullmatch(value)
    if found is None or len(value) > 60:
        return None
    try:
        number = Decimal(found["number"])
        if abs(number.adjusted()) > 400:
            return None
    except InvalidOperation:
        return None
    if not found["unit"]:
        return number
    own = _UNIT.fullmatch(unit or "")
    if own is None:
        return None
    for steps in (_BYTES, _MICROS):
        if own["unit"] in steps and found["unit"] in steps:
            return number * steps[found["unit"]] / (steps[own["unit"]] * int(own["factor"] or 1))
    return None
