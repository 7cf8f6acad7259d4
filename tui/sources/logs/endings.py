"""How a followed log ends otherwise than with the container that wrote it."""

from tui.sources.errors import SourceError, Unreadable


class Gone(Unreadable):
    """What wrote the log is no longer there; what has its name now, if anything, is another."""


class NotStarted(Unreadable):
    """Nothing was written yet: the container has not been started."""


class Quiet(SourceError):
    """Nothing came for so long that nobody knows whether the other end is still there; open it again."""
