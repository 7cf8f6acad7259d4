"""What a pane says when its source cannot be read."""

from datetime import UTC, datetime
from typing import Any

from tui.panes.units import span
from tui.sources.reading import Reading


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


def clock(at: float) -> str:
    """Return a Unix time as time of day in UTC with the zone."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}Z"
