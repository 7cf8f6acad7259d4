"""What can go wrong between opstui and a system, in three words that every pane understands.

SourceError
├── Unreachable   nobody answered, or not in time
├── Denied        somebody answered and refused us
└── Unreadable    somebody answered something we cannot read

A source translates its client library's exceptions to these in the file that imports the client, with
`raise … from`. The message is the system's own words, cleaned and free of secrets; `remedy` is what to try.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.sources.reading import Number


class SourceError(Exception):
    """A source could not be read."""

    def __init__(self, message: str, remedy: str = "", numbers: "tuple[Number, ...]" = ()) -> None:
        super().__init__(message)
        self.message = message
        """What happened, in the system's own words, cleaned."""
        self.remedy = remedy
        """What the person can try, or empty."""
        self.numbers = numbers
        """What the refusal itself tells of the system, for the profile's rules; empty when it tells nothing."""

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class Unreachable(SourceError):
    """Nobody answered: refused, timed out, cut off, name unknown, or the process is stopped."""


class Denied(SourceError):
    """The system answered and refused us: credentials, permissions, certificates."""


class Unreadable(SourceError):
    """The system answered something that is not what its protocol or format promises."""
