"""Settings that were changed or wait for a restart; values that may hold secrets never leave this file. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tui.sources.masking import without_secrets
from tui.sources.postgres.row import Row
from tui.sources.text import clean

_SECRET: Final = re.compile(r"passw|passphrase|secret|token|credential|conninfo|api_?key|private_?key|(^|[._])key$")
_HARMLESS: Final = frozenset({"password_encryption"})
_INLINE: Final = re.compile(r"(?i)\b(pass(?:word|wd)?|pwd)\s*=\s*('(?:[^'\\]|\\.)*'|\S+)")
HIDDEN: Final = "(hidden)"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of `pg_settings`."""

    name: str
    value: str
    """In words: `128MB` where the server says 16384 of 8kB; `(hidden)` where it may be a secret."""
    default: str
    """`boot_val`, likewise."""
    source: str
    """`configuration file`, `command line`, `database`, `user`, `environment variable`…"""
    place: str
    """`file:line` where it was set; empty when our role may not see it, or it was set elsewhere."""
    is_pending: bool
    """`pending_restart`: the file says another value, which only a restart brings."""
    context: str
    """`postmaster` needs a restart, `sighup` a reload, `user` and `superuser` neither."""
    category: str
    about: str
    """`short_desc`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that are not what they would be by themselves."""

    settings: tuple[Setting, ...]
    """Those that wait for a restart first, then by category."""
    may_read_all: bool
    """Has the rights of `pg_read_all_settings`; if not, some are left out by the server."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of `pg_settings` that could be changed."""

    name: str
    value: str
    """In words, as `Setting.value`."""
    context: str
    about: str
    """`short_desc`, with what it may be."""


def parameters(rows: Iterable[Row]) -> tuple[Parameter, ...]:
    """Return what `parameters-*.sql` found, by name."""
    return tuple(
        Parameter(clean(r["name"]), shown(r["name"], r["setting"], r["unit"]), r["context"], _about(r)) for r in rows
    )


def _about(row: Row) -> str:
    told = clean(row["short_desc"] or "")
    if row["choices"]:
        return f"{told} One of {clean(row['choices'])}."
    if row["min_val"] is not None:
        unit = f" in units of {row['unit']}" if row["unit"] else ""
        return f"{told} From {row['min_val']} to {row['max_val']}{unit}."
    return told


def settings(rows: Sequence[Row]) -> Settings:
    """Return what `settings-*.sql` found."""
    return Settings(tuple(_ordered(_setting(row) for row in rows)), all(row["may_read_all"] for row in rows))


def _ordered(found: Iterable[Setting]) -> list[Setting]:
    return sorted(found, key=lambda one: not one.is_pending)


def _setting(row: Row) -> Setting:
    name = clean(row["name"])
    file, line = clean(row["sourcefile"] or ""), row["sourceline"]
    return Setting(
        name=name,
        value=shown(name, row["setting"], row["unit"]),
        default=shown(name, row["boot_val"], row["unit"]),
        source=clean(row["source"]),
        place=f"{file}:{line}" if file else "",
        is_pending=row["pending_restart"],
        context=row["context"],
        category=clean(row["category"]),
        about=clean(row["short_desc"] or ""),
    )


def shown(name: str, value: str | None, unit: str | None) -> str:
    """Return a value in words, without what may be a secret: of commands what is run, of connection strings nothing."""
    if value is None:
        return ""
    if value and name not in _HARMLESS and _SECRET.search(name.lower()):
        return HIDDEN
    if value and name.endswith("_command"):
        # Whatever a shell may be told stands there: tokens, users with passwords. Only what is run is told.
        program, _, arguments = clean(value, limit=2000).strip().partition(" ")
        return without_secrets(program) + (f" {HIDDEN}" if arguments else "")
    if unit and re.fullmatch(r"-?\d+", value):
        return _with_unit(int(value), unit)
    return without_secrets(_INLINE.sub(rf"\1={HIDDEN}", clean(value, limit=2000)))


_SIZES: Final = {"B": 1, "kB": 1 << 10, "MB": 1 << 20}
_TIMES_MS: Final = {"ms": 1, "s": 1000, "min": 60_000}


def _with_unit(value: int, unit: str) -> str:
    if value <= 0:
        return str(value)
    found = re.fullmatch(r"(\d*)([A-Za-z]+)", unit)
    factor = int(found[1] or 1) if found else 1
    if found and found[2] in _SIZES:
        return _in_steps(value * factor * _SIZES[found[2]], (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)), "B")
    if found and found[2] in _TIMES_MS:
        steps = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000))
        return _in_steps(value * factor * _TIMES_MS[found[2]], steps, "ms")
    return f"{value} {unit}"


def _in_steps(value: int, steps: tuple[tuple[str, int], ...], least: str) -> str:
    # As it would stand in the file: the largest unit that leaves a whole number.
    name, size = next(((name, size) for name, size in steps if value % size == 0), (least, 1))
    return f"{value // size}{name}"
