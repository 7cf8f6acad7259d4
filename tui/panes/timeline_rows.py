"""Entries of the timeline → cells, rows and pages. Pure."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tui.panes.failing import clock
from tui.rules import Level
from tui.timeline.entry import Entry
from tui.timeline.model import Pin, density
from tui.timeline.record import CONVERGED, UNDER_WAY
from tui.timeline.report import relative, system_words
from tui.units import short_kind
from widgets.cell import Cell, Column, Row, Tone

_WIDE: Final = 120
_TONES: Final[Mapping[Level, Tone]] = {Level.OK: "", Level.WARN: "warn", Level.CRITICAL: "critical"}
_MARKS: Final[Mapping[Level, str]] = {Level.OK: "", Level.WARN: "!", Level.CRITICAL: "!!"}
"""What tells the levels without colour."""
_DAY_S: Final = 86400.0
STEP_S: Final = 60.0
"""What one character of a density strip stands for."""
STEPS: Final = 60
"""Characters of a strip."""
_FEW: Final = 4
"""Entries a minute below which a strip does not rise to its top."""

IsAlone = Callable[[str], bool]
"""Whether a source is the only one of its kind in the profile."""


def columns(width: int, *, has_t0: bool, spans_days: bool) -> tuple[Column, ...]:
    """Return the columns for a screen of this width."""
    is_wide = width >= _WIDE
    return (
        Column("time", "TIME UTC", 15 if is_wide and spans_days else 12 if spans_days else 9, "right"),
        Column("t0", "FROM t0", 9, "right", hidden=not has_t0),
        Column("mark", "", 2),
        Column("system", "SYSTEM", 18 if is_wide else 8),
        Column("what", "WHAT", 10 if is_wide else 9),
        Column("text", "TEXT", min_width=20),
        Column("by", "BY", 16, hidden=not is_wide),
    )


def row(entry: Entry, now: float, t0: float | None, *, is_wide: bool, is_alone: IsAlone) -> Row:
    """Return an entry's row; sorting by time is the only order that makes sense."""
    tone = tone_of(entry)
    times = f"{entry.count:,}× " if entry.count > 1 else ""
    by = f"{entry.by}: " if entry.by and not is_wide else ""
    cells = (
        time_words(entry.at, now, is_wide=is_wide),
        relative(entry.at, t0) if t0 is not None else "",
        Cell(mark_of(entry), tone),
        system_words(entry.source) if is_wide else _system(entry, is_alone),
        Cell(entry.what, tone or ("accent" if entry.by else "")),
        Cell(f"{times}{by}{entry.text}", tone if tone in ("critical", "ok") else ""),
        entry.by,
    )
    sort = (entry.at, *(None for _ in cells[1:]))
    return Row(cells, sort, haystack=f"{entry.source} {entry.object} {entry.stage} {iso(entry.at)}")


def is_wide(width: int) -> bool:
    """Tell whether a screen of this width has room for every column."""
    return width >= _WIDE


def tone_of(entry: Entry) -> Tone:
    """Return how an entry looks; of what people did only what converged is green."""
    if entry.stage == CONVERGED:
        return "ok"
    return "accent" if entry.stage == UNDER_WAY else _TONES[entry.level]


def mark_of(entry: Entry) -> str:
    """Return the sign that stands before an entry, so that no colour is needed: `!!`, `!`, `✓`."""
    if entry.stage == CONVERGED:
        return "✓"
    return "…" if entry.stage == UNDER_WAY else _MARKS[entry.level]


def _system(entry: Entry, is_alone: IsAlone) -> str:
    kind, _, name = entry.source.partition(":")
    return name if name and not is_alone(entry.source) else short_kind(kind)


def time_words(at: float, now: float, *, is_wide: bool) -> str:
    """Return a time of day in UTC, with the date when that is not today."""
    if day(at) == day(now):
        return clock(at)
    return time.strftime("%m-%d %H:%M:%SZ" if is_wide else "%m-%d %H:%MZ", time.gmtime(at))


def iso(at: float) -> str:
    """Return a time as date and time of day in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def strip(times: Iterable[float], now: float) -> tuple[list[float | None], float, str]:
    """Return how dense entries were: the curve with gaps where there was none, its top, and their number in words."""
    counts = density(times, now, STEP_S, STEPS)
    words = f"{sum(counts):>5,} in {STEPS * STEP_S / 60:.0f} min"
    return [count or None for count in counts], max(_FEW, *counts), words


def full(entry: Entry) -> str:
    """Return all that an entry says, for where its row has no room."""
    times = f" ({entry.count:,} times, the last at {clock(entry.newest_at)})" if entry.count > 1 else ""
    return f"{f'{entry.by}: ' if entry.by else ''}{entry.text}{times}"


def line(entry: Entry) -> str:
    """Return an entry on one line, for the clipboard."""
    mark = mark_of(entry)
    parts = (iso(entry.at), system_words(entry.source), f"{mark} {entry.what}".strip(), entry.text)
    times = f" (×{entry.count}, last {iso(entry.newest_at)})" if entry.count > 1 else ""
    return "  ".join(parts) + times + (f"  by {entry.by}" if entry.by else "")


def page(entry: Entry, lines: Sequence[Mapping[str, Any]], pin: Pin | None, t0: float | None) -> str:
    """Return everything about an entry: of an action, all that is on record."""
    facts = [
        ("time", iso(entry.at) + (f" ({relative(entry.at, t0)} from t0)" if t0 is not None else "")),
        ("system", system_words(entry.source)),
        ("what", f"{entry.what} {entry.stage}".strip()),
        ("level", entry.level.name.lower() if entry.level else ""),
        ("about", entry.object),
        ("times", f"{entry.count:,}, the last at {iso(entry.newest_at)}" if entry.count > 1 else ""),
        ("by", entry.by),
        ("pinned", f"by {pin.by} at {iso(pin.at)}" if pin is not None else ""),
    ]
    told = [f"{label:<8} {value}" for label, value in facts if value]
    told += ["", entry.text]
    for found in lines:
        told += ["", f"ON RECORD: {found.get('what', '')}", *_fields(found)]
    return "\n".join(told)


def _fields(found: Mapping[str, Any]) -> Iterator[str]:
    for key, value in found.items():
        if key in ("what", "prev") or value in ("", None, {}, []):
            continue
        if isinstance(value, Mapping):
            yield f"  {key}"
            yield from (f"    {name:<16} {each}" for name, each in value.items() if each is not None)
        else:
            first, *rest = str(value).split("\n")
            yield f"  {key:<14} {first}"
            yield from (f"  {'':<14} {each}" for each in rest)


def day(at: float) -> int:
    """Return a number for the day a time is on, in UTC."""
    return int(at // _DAY_S)


def spans_days(oldest: Entry | None, now: float) -> bool:
    """Tell whether some entries are not from today (UTC)."""
    return oldest is not None and day(oldest.at) != day(now)
