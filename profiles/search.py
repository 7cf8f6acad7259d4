"""A profile's name → its file. Light, because shell completion asks at every press of Tab."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from profiles.places import SHIPPED, profile_folders
from profiles.problems import Problem, nearest

SUFFIXES: Final = (".yaml", ".yml")
"""How the files of profiles, checklists and runbooks end."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""What may be the name of a profile."""
DEFAULTS: Final = "defaults"
"""The shipped profile that every other inherits from in the end."""
EXAMPLE: Final = "production.example"
"""The shipped profile that `opstui profile new` copies."""


@dataclass(frozen=True, slots=True)
class Found:
    """A profile's file on the search path; it may still be wrong."""

    name: str
    path: Path


def known_profiles() -> tuple[Found, ...]:
    """Return what `--profile NAME` would find, by name; files hidden by an earlier folder are left out."""
    found: dict[str, Found] = {}
    for folder in profile_folders():
        for path in _profiles_in(folder):
            if not (folder == SHIPPED and path.stem in (DEFAULTS, EXAMPLE)):
                found.setdefault(path.stem, Found(path.stem, path))
    return tuple(found[name] for name in sorted(found))


def _profiles_in(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # not there, or not for us: then it offers nothing
        return
    for entry in entries:
        if entry.suffix in SUFFIXES and NAME.fullmatch(entry.stem):
            yield entry


def _is_path(name_or_path: str) -> bool:
    return "/" in name_or_path or name_or_path.endswith(SUFFIXES)


def locate(name_or_path: str, *, beside: Path | None = None, below: Path | None = None) -> Path | Problem:
    """Find a profile's file.

    `beside` is the folder that relative paths start from, the current one when None. `below` is a file that asks for
    a profile of its own name: it means the one that it hides, in a later folder.
    """
    if _is_path(name_or_path):
        if "\0" in name_or_path:
            return Problem("a path has no NUL character")
        path = Path(os.path.expanduser(name_or_path))
        return beside / path if beside else path
    if not NAME.fullmatch(name_or_path):
        return Problem("not a profile's name", hint="a path contains a slash or ends in .yaml")
    for folder in profile_folders():
        for suffix in SUFFIXES:
            path = folder / f"{name_or_path}{suffix}"
            if path != below and os.path.lexists(path):
                return path
    names = [known.name for known in known_profiles()]
    near = nearest(name_or_path, names)
    return Problem(
        f"there is no profile {name_or_path}",
        hint=near or f"there are {', '.join(names)}; a path contains a slash or ends in .yaml",
    )
