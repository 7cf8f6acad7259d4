"""How long nobody has pressed a key."""

from collections.abc import Callable
from typing import Final

_STALLED: Final = 2
"""Ticks that a single one may count for at most."""


class Quiet:
    """Counts the seconds without a key, of those in which one would have been heard.

    A clock alone would not do: where a link, a machine or an event loop stood still for a second, the keys of that
    second come all at once afterwards, and the first of them would seem to follow a silence.
    """

    def __init__(self, clock: Callable[[], float], tick_s: float) -> None:
        """Begin with none; `tick` is to be called every `tick_s` seconds."""
        self._clock = clock
        self._longest_s = _STALLED * tick_s
        self._ticked_at = clock()
        self.seconds = 0.0
        """Since the last key."""

    def tick(self) -> None:
        """Count the time since the last tick, as far as it was not a stall."""
        now = self._clock()
        self.seconds += min(now - self._ticked_at, self._longest_s)
        self._ticked_at = now

    def key(self) -> float:
        """Begin again at a key; return how long it had been quiet before it."""
        before, self.seconds = self.seconds, 0.0
        return before
