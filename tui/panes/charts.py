"""Numbers with their past → one chart: curves, what they were over the while, levels and moments. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui.numbers import Summary, summary
from tui.panes.failing import clock
from tui.sources.history import Past
from tui.timeline.entry import OVER, Entry
from tui.units import in_unit, span
from widgets.plot import Chart, Curve

SPANS: Final[tuple[tuple[str, float], ...]] = (
    ("5 min", 300.0),
    ("15 min", 900.0),
    ("1 h", 3600.0),
    ("6 h", 21_600.0),
    ("24 h", 86_400.0),
)
"""How much of the past a chart can show, in words and seconds."""
MOST_CURVES: Final = 4
_MOST_MOMENTS: Final = 12
_SHORT: Final = 0.8
"""Less than this part of the while asked for is told: opstui has not watched for longer."""


@dataclass(frozen=True, slots=True)
class Charted:
    """One number as a chart shows it."""

    name: str
    unit: str
    past: Past
    scale: float = 1.0
    """What its values are divided by."""
    warn: float | None = None
    """From this value on: warning; not divided yet."""
    critical: float | None = None


def chart(charted: Sequence[Charted], span_s: float, now: float, entries: Sequence[Entry] = ()) -> Chart:
    """Return the chart of up to `MOST_CURVES` numbers; those of a second unit stand on the right axis.

    Args:
        charted: the first one's unit is that of the left axis; numbers of a third unit are left out.
        span_s: how much of the past.
        now: the right edge.
        entries: what the timeline holds; what is of weight in that while is marked.
    """
    if not charted:
        return Chart()
    units = list(dict.fromkeys(one.unit for one in charted))[:2]
    shown = [one for one in charted if one.unit in units][:MOST_CURVES]
    is_alone = len(shown) == 1
    first = now - span_s
    curves = [
        Curve(
            "" if is_alone else one.name,
            [(step.at, step.mean / one.scale) for step in one.past.steps(span_s, now)],
            one.unit != units[0],
            _words(one, one.past.last),
        )
        for one in shown
    ]
    marked = moments(entries, first, now)
    begun = min((curve.points[0][0] for curve in curves if curve.points), default=first)
    notes = [_stats(shown[0], span_s, now)] if is_alone else []
    if len(shown) < len(charted):
        notes.append(f"{len(charted) - len(shown)} left out: two units and {MOST_CURVES} curves at most")
    if marked:
        newest = marked[-1]
        notes.append(f"┊ {len(marked)} changes, the last {clock(newest.at)} {newest.text}")
    lead = shown[0]
    return Chart(
        tuple(curves),
        lead.name if is_alone else "",
        " · ".join(filter(None, notes)),
        [level / lead.scale for level in (lead.warn, lead.critical) if level is not None],
        [entry.at for entry in marked],
        # A number that is young would be a dash at the edge of an empty day.
        max(first, begun),
        now,
    )


def moments(entries: Sequence[Entry], first: float, last: float) -> list[Entry]:
    """Return what of the timeline is worth a mark: warnings, and what people did; the newest, oldest first."""
    found = [
        entry
        for entry in entries
        if first <= entry.at <= last and entry.stage != OVER and (entry.level > 0 or entry.by)
    ]
    return sorted(found, key=lambda entry: entry.at)[-_MOST_MOMENTS:]


def _words(one: Charted, value: float | None) -> str:
    if value is None:
        return "–"
    return in_unit(value / one.scale, one.unit)


def _stats(one: Charted, span_s: float, now: float) -> str:
    found: Summary | None = summary(one.past, now, span_s)
    if found is None:
        return ""
    told = [
        f"{name} {_words(one, value)}"
        for name, value in (("min", found.least), ("avg", found.mean), ("max", found.greatest), ("p95", found.p95))
    ]
    if found.span_s < span_s * _SHORT:
        told.insert(0, f"watched for {span(found.span_s)}:")
    told += [
        f"{name} {_words(one, level)}" for name, level in (("warn", one.warn), ("critical", one.critical)) if level
    ]
    return " ".join(told)
