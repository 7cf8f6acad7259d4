"""What tells a system from others like it: the facts that a profile's `identity` may pin."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Trait:
    """One fact by which a system is known, as it is now."""

    key: str
    """Its field in the profile's `identity`: `system_identifier`, `role`."""
    value: str | int | None
    """None where it could not be read."""
    missing: str = ""
    """Why it could not be read, with what helps; empty when it was."""
    lasts: bool = True
    """Whether it is worth pinning: no better one is known, and it outlives a restart."""


@runtime_checkable
class Identified(Protocol):
    """A snapshot of a system that can be told from others like it."""

    def traits(self) -> Iterable[Trait]:
        """Return all by which it is known, best first."""
        ...
