"""What follows a log: the three kinds of followers have this in common."""

from typing import Protocol

from tui.sources.errors import SourceError


class Follower(Protocol):
    """Follows one log source and puts its lines into an intake, from its own thread or task."""

    @property
    def following(self) -> tuple[str, ...]:
        """What is being followed now: files, pods, the program."""
        ...

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with parts of it, in words."""
        ...

    @property
    def failure(self) -> SourceError | None:
        """Why nothing at all can be followed; None while something is, or may yet appear."""
        ...

    @property
    def has_caught_up(self) -> bool:
        """Whether all that was there before has been put; False as long as that cannot be told."""
        ...

    def start(self) -> None:
        """Begin; called once, on the event loop."""
        ...

    async def close(self) -> None:
        """Stop, and end what was started."""
        ...
