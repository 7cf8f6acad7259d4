"""One chart over time, drawn by plotext."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from itertools import cycle
from time import monotonic
from typing import Any, ClassVar, Final

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from widgets.fitting import fit, plain

REDRAW_INTERVAL_S: Final = 1.0
"""The chart is drawn at most this often."""

_GREATEST: Final = 1e300
"""plotext cannot scale values near the end of what a float holds."""

_MARKERS: Final = (("braille", "⠒"), ("dot", "•"), ("*", "*"), ("+", "+"), ("x", "x"), ("o", "o"))
"""plotext's name and the sign in the legend; one each series, so that they differ without colours."""

_MIN_WIDTH: Final = 24
_MIN_HEIGHT: Final = 6
_TICK_WIDTH: Final = 16
_HOUR_S: Final = 3600.0
_LEVEL: Final = "┈"
_MOMENT: Final = "┊"
_NEAR: Final = 0.5
"""How far from the curve, as a part of its own size, a level may lie and still be drawn."""

Points = Sequence[tuple[float, float]]
"""(Unix time in seconds, value), oldest first."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One number over time."""

    name: str
    """What the legend calls it; empty where the chart's title says it."""
    points: Points
    is_right: bool = False
    """Whether the right axis is its own: it counts in another unit than the others."""
    words: str = ""
    """Its newest value as people read it; the bare number when empty."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What a plot shows."""

    curves: Sequence[Curve] = ()
    title: str = ""
    note: str = ""
    """A line below the title; empty takes no room."""
    levels: Sequence[float] = ()
    """Values on the left axis that a level line stands at."""
    moments: Sequence[float] = ()
    """Unix times at which something happened: a vertical line each."""
    first: float | None = None
    """Unix time at the left edge; the first point's when None."""
    last: float | None = None
    """Unix time at the right edge; the last point's when None."""

    @property
    def drawable(self) -> list[tuple[Curve, list[tuple[float, float]]]]:
        """The curves that have a finite point, with these."""
        return [(curve, kept) for curve in self.curves if (kept := finite(curve.points))]


def finite(points: Points) -> list[tuple[float, float]]:
    """Return the points a chart can hold. One that is not a number would end the whole process inside plotext."""
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y) and abs(y) < _GREATEST and 0 <= x < 4e9]


def time_ticks(first: float, last: float, count: int) -> tuple[list[float], list[str]]:
    """Return up to `count` times between two Unix times, and how they read in UTC: `HH:MM:SS`, over an hour `HH:MM`."""
    count = max(2, count) if last > first else 1
    times = [first + (last - first) * i / max(1, count - 1) for i in range(count)]
    form = "%H:%M" if last - first > _HOUR_S else "%H:%M:%S"
    return times, [datetime.fromtimestamp(t, UTC).strftime(form) for t in times]


def build(chart: Chart, width: int, height: int) -> str:
    """Return the chart as lines with colour escapes; empty when there is no finite point or no room.

    Not to be called from two threads: plotext has one figure for the whole process.
    """
    drawable = chart.drawable
    if not drawable or width < _MIN_WIDTH or height < _MIN_HEIGHT:
        return ""
    import plotext

    plotext.terminal.limit(False, False)
    figure: Any = plotext.figure
    figure.clear()
    figure.plot_size(width, height)
    figure.theme("simple")
    first = min(points[0][0] for _, points in drawable) if chart.first is None else chart.first
    last = max(points[-1][0] for _, points in drawable) if chart.last is None else chart.last
    # Seconds since the left edge: a Unix time would eat the precision of the drawing.
    for (curve, points), (marker, _) in zip(drawable, cycle(_MARKERS), strict=False):
        xs, ys = [x - first for x, _ in points], [y for _, y in points]
        figure.draw(figure.signal(xs, ys, marker=marker, yside="right" if curve.is_right else "left").lines())
    if last > first:
        _add_lines(figure, chart, drawable, first, last)
        figure.ruler("x").lim(0, last - first)
    times, labels = time_ticks(first, last, width // _TICK_WIDTH)
    figure.ruler("x").ticks([time - first for time in times], labels)
    return str(figure.build().string())


def _add_lines(
    figure: Any, chart: Chart, drawable: Sequence[tuple[Curve, list[tuple[float, float]]]], first: float, last: float
) -> None:
    """Draw levels and moments as curves of their own: plotext's own lines take the axes over."""
    side = "right" if all(curve.is_right for curve, _ in drawable) else "left"
    values = [y for curve, points in drawable if curve.is_right == (side == "right") for _, y in points]
    low, high = min(values), max(values)
    # A level far above what is shown would press the curve flat: it is told in words.
    room = max(high - low, abs(high) * _NEAR, abs(low) * _NEAR)
    shown = [level for level in chart.levels if low - room <= level <= high + room]
    for level in shown:
        figure.draw(figure.signal([0, last - first], [level, level], marker=_LEVEL, yside=side).lines())
    low, high = min(low, *shown, math.inf), max(high, *shown, -math.inf)
    for at in chart.moments:
        if first <= at <= last and high > low:
            figure.draw(figure.signal([at - first] * 2, [low, high], marker=_MOMENT, yside=side).lines())


def legend(chart: Chart) -> str:
    """Return the line above the chart: title, and the sign and newest value of each curve."""
    signs = [
        f"{sign} {curve.name}{' →' * curve.is_right} {curve.words or f'{points[-1][1]:.4g}'}"
        for (curve, points), (_, sign) in zip(chart.drawable, cycle(_MARKERS), strict=False)
    ]
    return plain("   ".join(filter(None, [chart.title, *signs])))


class Plot(Widget):
    """Series over time, the axis in UTC; drawn at most once a second."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"plot--title", "plot--note", "plot--empty"}
    DEFAULT_CSS = """
    Plot { height: 1fr; min-height: 8; }
    Plot > .plot--title { text-style: bold; }
    Plot > .plot--note { text-style: dim; }
    Plot > .plot--empty { text-style: dim; }
    """

    def __init__(self, *, id: str | None = None, empty: str = "no values yet") -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._empty = empty
        self._chart = Chart()
        self._rows: list[Text] = []
        self._has_plotext = False
        self._drawn_at = -REDRAW_INTERVAL_S
        self._timer: Timer | None = None

    def show(self, chart: Chart) -> None:
        """Show another chart, its points oldest first; drawn with what else comes within the same second."""
        self._chart = chart
        if self._timer is None and self.is_attached:
            wait = self._drawn_at + REDRAW_INTERVAL_S - monotonic()
            self._timer = self.set_timer(max(0.001, wait), self._draw)

    def on_mount(self) -> None:
        """Draw what was shown before there was a screen."""
        if self._chart.curves and self._timer is None:
            self._timer = self.set_timer(0.001, self._draw)

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        if self._timer is None and self._chart.curves:
            self._timer = self.set_timer(0.05, self._draw)

    async def _draw(self) -> None:
        if not self._has_plotext:
            # Its import takes hundreds of milliseconds, in which keys must still work.
            await asyncio.to_thread(import_module, "plotext")
            self._has_plotext = True
        self._timer = None
        self._drawn_at = monotonic()
        drawn = build(self._chart, self.size.width, self.size.height - self._head)
        self._rows = list(Text.from_ansi(drawn).split("\n")) if drawn else []
        self.refresh()

    @property
    def _head(self) -> int:
        """How many lines stand above the chart."""
        return 1 + bool(self._chart.note)

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        width = self.size.width
        if y < self._head:
            words = legend(self._chart) if y == 0 else plain(self._chart.note)
            style = self.get_component_rich_style("plot--title" if y == 0 else "plot--note")
            return Strip([Segment(fit(words, width), style)], width)
        if y - self._head < len(self._rows):
            segments = self._rows[y - self._head].render(self.app.console)
            strip = Strip(Segment.apply_style(segments, self.rich_style))
            return strip.adjust_cell_length(width, self.rich_style)
        words = self._words_when_empty() if y == self._head else ""
        return Strip([Segment(fit(words, width), self.get_component_rich_style("plot--empty"))], width)

    def _words_when_empty(self) -> str:
        is_small = self.size.width < _MIN_WIDTH or self.size.height - self._head < _MIN_HEIGHT
        if self._chart.curves and is_small:
            return "too small for a chart"
        return "" if self._chart.drawable else self._empty
