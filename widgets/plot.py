"""One chart over time, drawn by plotext."""

import asyncio
import math
from collections.abc import Mapping, Sequence
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

Points = Sequence[tuple[float, float]]
"""(Unix time in seconds, value), oldest first."""


def finite(points: Points) -> list[tuple[float, float]]:
    """Return the points a chart can hold. One that is not a number would end the whole process inside plotext."""
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y) and abs(y) < _GREATEST and 0 <= x < 4e9]


def time_ticks(first: float, last: float, count: int) -> tuple[list[float], list[str]]:
    """Return up to `count` times between two Unix times, and how they read: `HH:MM:SS` in UTC."""
    count = max(2, count) if last > first else 1
    times = [first + (last - first) * i / max(1, count - 1) for i in range(count)]
    return times, [f"{datetime.fromtimestamp(t, UTC):%H:%M:%S}" for t in times]


def build(series: Mapping[str, Points], width: int, height: int) -> str:
    """Return the chart as lines with colour escapes; empty when there is no finite point or no room.

    Not to be called from two threads: plotext has one figure for the whole process.
    """
    drawable = [kept for points in series.values() if (kept := finite(points))]
    if not drawable or width < _MIN_WIDTH or height < _MIN_HEIGHT:
        return ""
    import plotext

    plotext.terminal.limit(False, False)
    figure: Any = plotext.figure
    figure.clear()
    figure.plot_size(width, height)
    figure.theme("simple")
    first = min(points[0][0] for points in drawable)
    last = max(points[-1][0] for points in drawable)
    for points, (marker, _) in zip(drawable, cycle(_MARKERS), strict=False):
        # Seconds since the first point: a Unix time would eat the precision of the drawing.
        xs, ys = [x - first for x, _ in points], [y for _, y in points]
        figure.draw(figure.signal(xs, ys, marker=marker).lines())
    times, labels = time_ticks(first, last, width // _TICK_WIDTH)
    figure.ruler("x").ticks([time - first for time in times], labels)
    return str(figure.build().string())


def legend(series: Mapping[str, Points], title: str, unit: str) -> str:
    """Return the line above the chart: title, unit, and the sign and newest value of each series."""
    head = " ".join(part for part in (title, f"({unit})" if unit else "") if part)
    drawable = [(name, kept) for name, points in series.items() if (kept := finite(points))]
    signs = [
        f"{sign} {name} {kept[-1][1]:.4g}" for (name, kept), (_, sign) in zip(drawable, cycle(_MARKERS), strict=False)
    ]
    return plain("   ".join([head, *signs]))


class Plot(Widget):
    """Series over time, the axis in UTC; drawn at most once a second."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"plot--title", "plot--empty"}
    DEFAULT_CSS = """
    Plot { height: 1fr; min-height: 8; }
    Plot > .plot--title { text-style: bold; }
    Plot > .plot--empty { text-style: dim; }
    """

    def __init__(self, *, id: str | None = None, empty: str = "no values yet") -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._empty = empty
        self._series: dict[str, Points] = {}
        self._title = self._unit = ""
        self._rows: list[Text] = []
        self._has_plotext = False
        self._drawn_at = -REDRAW_INTERVAL_S
        self._timer: Timer | None = None

    def show(self, series: Mapping[str, Points], *, title: str = "", unit: str = "") -> None:
        """Show other series, each oldest first; drawn with what else comes within the same second."""
        self._series = {name: tuple(points) for name, points in series.items()}
        self._title, self._unit = title, unit
        if self._timer is None and self.is_attached:
            wait = self._drawn_at + REDRAW_INTERVAL_S - monotonic()
            self._timer = self.set_timer(max(0.001, wait), self._draw)

    def on_mount(self) -> None:
        """Draw what was shown before there was a screen."""
        if self._series and self._timer is None:
            self._timer = self.set_timer(0.001, self._draw)

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        if self._timer is None and self._series:
            self._timer = self.set_timer(0.05, self._draw)

    async def _draw(self) -> None:
        if not self._has_plotext:
            # Its import takes hundreds of milliseconds, in which keys must still work.
            await asyncio.to_thread(import_module, "plotext")
            self._has_plotext = True
        self._timer = None
        self._drawn_at = monotonic()
        chart = build(self._series, self.size.width, self.size.height - 1)
        self._rows = list(Text.from_ansi(chart).split("\n")) if chart else []
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        width = self.size.width
        if y == 0:
            style = self.get_component_rich_style("plot--title")
            return Strip([Segment(fit(legend(self._series, self._title, self._unit), width), style)], width)
        if y - 1 < len(self._rows):
            segments = self._rows[y - 1].render(self.app.console)
            strip = Strip(Segment.apply_style(segments, self.rich_style))
            return strip.adjust_cell_length(width, self.rich_style)
        words = self._words_when_empty() if y == 1 else ""
        return Strip([Segment(fit(words, width), self.get_component_rich_style("plot--empty"))], width)

    def _words_when_empty(self) -> str:
        if self._series and (self.size.width < _MIN_WIDTH or self.size.height - 1 < _MIN_HEIGHT):
            return "too small for a chart"
        return "" if any(finite(points) for points in self._series.values()) else self._empty
