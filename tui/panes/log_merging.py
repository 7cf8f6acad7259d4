"""Lines of several logs on their way to the screen, put in the order of their times. Pure."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from tui.sources.logs.line import LogLine

HOLD_S: Final = 0.5
"""How long a line waits for older ones of other logs: files are looked at five times a second."""
_LONGEST_S: Final = 1.0
"""How long at most: the clock of whoever wrote it may be ahead of ours."""
_MANY: Final = 5_000
"""Waiting lines above which nobody waits: a flood shows what is there."""


class Merger:
    """Holds lines back for a moment. Each file's or container's own order stays, whatever its times say."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, float, LogLine]] = []
        """(time that orders, when it came, line) in the order in which they came."""
        self._last: dict[tuple[str, str], float] = {}
        """By source and origin, the time of its last line."""

    @property
    def has_lines(self) -> bool:
        """Whether lines wait."""
        return bool(self._waiting)

    def matters(self, lines: Sequence[LogLine], now: float) -> bool:
        """Tell whether a batch would come out otherwise than it went in, or later."""
        times = [line[0] for line in lines]
        return bool(self._waiting) or times[-1] > now - HOLD_S or times != sorted(times)

    def put(self, lines: Iterable[LogLine], now: float) -> None:
        """Take the lines of a batch, in their order."""
        for line in lines:
            kind = line[1]
            key = kind.source, kind.origin
            at = self._last[key] = max(line[0], self._last.get(key, 0.0))
            self._waiting.append((at, now, line))

    def take(self, now: float) -> list[LogLine]:
        """Return what has waited long enough, in order of time; what came together with the same time stays so."""
        if len(self._waiting) > _MANY:
            ready, self._waiting = self._waiting, []
        else:
            due, late = now - HOLD_S, now - _LONGEST_S
            ready = [one for one in self._waiting if one[0] <= due or one[1] <= late]
            if ready:
                self._waiting = [one for one in self._waiting if one[0] > due and one[1] > late]
        ready.sort(key=lambda one: one[0])
        return [line for _, _, line in ready]


def in_order(*parts: Sequence[LogLine]) -> list[LogLine]:
    """Return lines of several logs as one, by their times, each file's or container's in its own order."""
    merger = Merger()
    merger.put(chain.from_iterable(parts), 0.0)
    return merger.take(float("inf"))


def places(held: Sequence[LogLine], merged: Sequence[LogLine]) -> list[int]:
    """Return where lines are among those that they were merged with."""
    index = {id(line): number for number, line in enumerate(merged)}
    return [index[id(line)] for line in held]
