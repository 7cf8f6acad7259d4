"""Systems whose clock is not ours: their times, and ours beside them, cannot be compared as they stand."""

from collections.abc import Iterable
from typing import Any, Final

from tui.sources.reading import Reading
from tui.units import span
from widgets.segment_line import Segment

SKEW_S: Final = 2.0
"""From here on it is told: HTTP tells whole seconds, and an answer takes its time."""


def skews(readings: Iterable[Reading[Any]]) -> list[tuple[str, float]]:
    """Return every system whose clock is off, the worst first: name of the source, and its clock minus ours in seconds.

    Systems that do not tell their time, or do not answer at present, are left out.
    """
    found = [
        (reading.source, offset)
        for reading in readings
        if reading.error is None and (offset := getattr(reading.snapshot, "clock_offset_s", None)) is not None
    ]
    return sorted((pair for pair in found if abs(pair[1]) >= SKEW_S), key=lambda pair: -abs(pair[1]))


def clock_badge(readings: Iterable[Reading[Any]]) -> Segment:
    """Return the worst of them for the status line; nothing when all clocks agree."""
    if not (found := skews(readings)):
        return Segment("")
    source, offset = found[0]
    more = f" +{len(found) - 1}" if len(found) > 1 else ""
    told = f"clock {_signed(offset)} {source.rstrip(':')}{more}"
    return Segment(told, "warn", short=f"clock {_signed(offset)}", priority=1)


def clock_lines(readings: Iterable[Reading[Any]]) -> list[str]:
    """Return a line for every clock that is off, and whose it may be."""
    found = skews(readings)
    if not found:
        return []
    lines = [f"CLOCK     {source.rstrip(':')} is {_signed(offset)} against this host" for source, offset in found]
    if len(found) > 1 and len({offset > 0 for _, offset in found}) == 1:
        lines.append("All are off the same way: look at this host's own clock first (timedatectl, chronyc tracking).")
    return [*lines, ""]


def _signed(offset: float) -> str:
    return f"{'+' if offset > 0 else '-'}{span(abs(offset))}"
