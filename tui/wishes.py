"""How a person wants the screen to begin: the command line's options, in one value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the screen is to begin."""

    read_only: bool = False
    """Nothing can be changed, whatever the profile says."""
    share: bool = False
    """Several look at it."""
    refresh_s: float | None = None
    """Seconds between two readings; None: as the systems and the profile have it."""
    walk: str = ""
    """Name of the checklist or runbook to begin with; empty for none."""
    about: str = ""
    """What that is about; empty when the person is to be asked."""
