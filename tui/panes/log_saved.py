"""Filters of the Logs tab that a person keeps under a name, in a file of their own, beside those of the profile."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from profiles.logs import LogFilter
from profiles.places import make_private, state_folder
from tui.sources.logs.stack import Filter

_FILE: Final = "log-filters.json"
_MOST: Final = 200
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Saved:
    """Filters under a name."""

    name: str
    show: tuple[str, ...]
    hide: tuple[str, ...]
    is_own: bool = False
    """Whether a person kept it; the profile has it otherwise."""

    @property
    def words(self) -> str:
        """What it shows and hides."""
        return "  ".join([*(f"+ {typed}" for typed in self.show), *(f"- {typed}" for typed in self.hide)])


def of_profile(filters: Mapping[str, LogFilter]) -> list[Saved]:
    """Return the filters of a profile."""
    return [Saved(name, tuple(entry.show), tuple(entry.hide)) for name, entry in filters.items()]


def own(folder: Path | None = None) -> list[Saved]:
    """Return what this user kept, by name; nothing where there is no readable file of that form."""
    try:
        kept = json.loads(((folder or state_folder()) / _FILE).read_bytes()[:1_000_000])
    except (OSError, ValueError, RecursionError):
        return []
    entries = kept.items() if isinstance(kept, dict) else ()
    found = (_read(name, entry) for name, entry in list(entries)[:_MOST])
    return sorted((one for one in found if one is not None), key=lambda one: one.name)


def _read(name: str, entry: Any) -> Saved | None:
    if not isinstance(entry, dict):
        return None
    show, hide = _texts(entry.get("show")), _texts(entry.get("hide"))
    return Saved(name, show, hide, is_own=True) if show or hide else None


def _texts(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else []
    return tuple(text[:_LONGEST] for text in listed if isinstance(text, str) and text)


def keep(saved: Sequence[Saved], folder: Path | None = None) -> None:
    """Write what this user keeps, all of it, for nobody else to read.

    Raises:
        OSError: it cannot be written.
    """
    place = folder or state_folder()
    make_private(place)
    text = json.dumps({one.name: {"show": one.show, "hide": one.hide} for one in saved[:_MOST]}, indent=1)
    half = place / f"{_FILE}.{os.getpid()}"
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    half.replace(place / _FILE)


def from_filters(name: str, filters: Sequence[Filter]) -> Saved:
    """Return filters, those that are on, under a name."""
    on = [one for one in filters if one.is_on]
    show = tuple(one.typed for one in on if not one.excludes)
    return Saved(name, show, tuple(one.typed for one in on if one.excludes), is_own=True)


def for_profile(saved: Saved) -> str:
    """Return the lines that put filters into a profile, with a threshold to choose."""
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in saved.name.lower()).lstrip("_0123456789")
    entry: dict[str, Any] = {"show": list(saved.show) or ["level >= debug"]}
    if saved.hide:
        entry["hide"] = list(saved.hide)
    text = yaml.safe_dump({"filters": {name or "mine": entry}}, sort_keys=False, allow_unicode=True)
    return f"{text}    # a rule as well: within: 10s, warn: 20, critical: 100\n"
