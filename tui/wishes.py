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
    logs: tuple[str, ...] = ()
    """Logs to show beside those of the profile, as they were typed: files, patterns, `-`."""
    stdin: int | None = None
    """Descriptor of what is piped into opstui; None when nothing is."""

    @property
    def begins_with_logs(self) -> bool:
        """Whether somebody has come to read logs."""
        return bool(self.logs) or self.stdin is not None
