"""What every pane says about its sources: that one cannot be read, and how old what it shows is."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tui.sources.reading import Reading
from tui.units import age, span
from widgets.cell import Tone
from widgets.segment_line import Segment


def failure_words(reading: Reading[Any], now: float) -> str:
    """Return what is wrong, since when (UTC), how old the rows are and what to try; empty when nothing is."""
    name = reading.source.rstrip(":")
    if reading.error is None:
        if reading.snapshot is not None and reading.is_stale(now):
            return f"{name}: the rows are {span(reading.age_s(now))} old"
        return ""
    since = f" since {clock(reading.failing_since)}" if reading.failing_since else ""
    age = f", rows are {span(reading.age_s(now))} old" if reading.snapshot is not None else ""
    first = f"{name}: {reading.error.message}{since}{age}"
    return f"{first}\n  try: {reading.error.remedy}" if reading.error.remedy else first


def failure_tone(reading: Reading[Any]) -> Tone:
    """Return how loudly `failure_words` is said: rows that are only old, and what need not be there, are no alarm."""
    if reading.error is None:
        return "warn"
    return "dim" if reading.is_absent else "critical"


def empty_words(reading: Reading[Any] | None, empty: str) -> str:
    """Return what an empty table says: `empty` once there was an answer, else that there was none."""
    if reading is None or (reading.snapshot is None and reading.error is None):
        return "waiting for the first answer"
    if reading.snapshot is None:
        return "nothing could be read yet"
    return empty if reading.error is None else f"when it was last read: {empty}"


def faded(segments: Iterable[Segment], reading: Reading[Any] | None, now: float) -> list[Segment]:
    """Return a line of facts as it is, or dimmed when the facts are no longer the present."""
    if reading is None or not reading.is_stale(now):
        return list(segments)
    return [replace(segment, tone="dim") for segment in segments]


def age_segment(reading: Reading[Any] | None, now: float, interval_s: float | None = None) -> Segment:
    """Return how old the data are, for the right end of a pane's first line; loud when they are no longer the present.

    Args:
        reading: the oldest of what is shown; None before the first.
        now: Unix time.
        interval_s: what counts as fresh, where that is not the reading's own interval.
    """
    if reading is None:
        return Segment("no data yet", "dim", priority=1, right=True)
    age_s = reading.age_s(now)
    if age_s is not None and reading.is_stale(now):
        return Segment(f"OLD {span(age_s)}", "warn", right=True)
    return Segment(age(age_s, interval_s or reading.interval_s), "dim", priority=1, right=True)


def oldest(readings: Iterable[Reading[Any]]) -> Reading[Any] | None:
    """Return the reading whose data are the oldest; one that never succeeded when none did; None when there is none."""
    found = list(readings)
    read = [reading for reading in found if reading.taken_at is not None]
    return min(read, key=lambda reading: reading.taken_at or 0.0, default=found[0] if found else None)


def clock(at: float) -> str:
    """Return a Unix time as time of day in UTC with the zone."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}Z"
