"""Where opstui's files are: profiles, and what it writes down."""

import os
from pathlib import Path
from typing import Final

SHIPPED: Final = Path(__file__).resolve().parent
"""The folder of the profiles that come with opstui."""

SITE: Final = Path("/etc/opstui/profiles")
"""The folder of the profiles for everyone on this machine."""


def _xdg(variable: str, default: str) -> Path:
    # The specification: a relative path is to be ignored.
    value = os.environ.get(variable, "")
    if os.path.isabs(value):
        return Path(value)
    home = os.path.expanduser("~")
    return Path(home if os.path.isabs(home) else "/nonexistent") / default  # a user without a home, as in containers


def config_folder() -> Path:
    """Return `$XDG_CONFIG_HOME/opstui`, else `~/.config/opstui`; it need not exist."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "opstui"


def profile_folders() -> tuple[Path, ...]:
    """Return the folders in which a profile's name is looked up, first match wins: own, site, shipped."""
    return (config_folder() / "profiles", SITE, SHIPPED)


def state_folder() -> Path:
    """Return `$XDG_STATE_HOME/opstui`, else `~/.local/state/opstui`; nothing is created."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "opstui"


def journal_folder() -> Path:
    """Return the folder of the journals, one file a profile; nothing is created."""
    return state_folder() / "journal"


def log_file() -> Path:
    """Return the file in which opstui notes its own troubles; nothing is created."""
    return state_folder() / "opstui.log"


def make_private(folder: Path) -> None:
    """Create a folder, and those above it, for nobody but this user; an existing one stays as it is.

    Raises:
        OSError: it cannot be created.
    """
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
