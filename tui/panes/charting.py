"""What a tab has whose rows can be charted: one chart below the table, its span, its zoom, and rows to compare."""

from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from tui.panes.charts import MOST_CURVES, SPANS, Charted, chart
from tui.panes.listing import Listing
from tui.panes.pane import Desk
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.plot import Plot

_SPAN_AT_START: Final = 1


class Charting(Listing):
    """A listing with a `Plot`: Enter charts the row under the cursor, space puts rows beside it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "zoom", "Zoom: the chart on the whole tab", id="chart.zoom"),
        Binding("left_square_bracket", "span(-1)", "Span: chart less of the past", key_display="[", id="chart.shorter"),
        Binding(
            "right_square_bracket",
            "span(1)",
            "Span: chart more of the past",
            show=False,
            key_display="]",
            id="chart.longer",
        ),
        Binding("escape,ctrl+g", "back", "Close the chart, then the filter", show=False, id="chart.back"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self.has_chart = self.is_zoomed = False
        self._span = _SPAN_AT_START
        """Which of `SPANS` is charted."""

    def charted(self, key: str) -> Charted | None:
        """Return what the row of that key charts; None when it has no past."""
        raise NotImplementedError

    def give_room(self) -> None:
        """Give table and chart their room."""
        for view in self.VIEWS:
            # Under a zoomed chart the header and the row it shows stay, so that the cursor still moves the chart.
            self.table_of(view).styles.height = 2 if self.has_chart and self.is_zoomed else "1fr"
        self.query_one(Plot).display = self.has_chart
        super().open_view()

    def open_view(self) -> None:
        """Show the open view's table; a chart is not zoomed in another view."""
        self.is_zoomed = False
        self.give_room()

    def draw_chart(self) -> None:
        """Draw the rows that are charted: those marked, and the one under the cursor."""
        if not self.has_chart:
            return
        keys = [str(key) for key in self.table.marked]
        if (cursor := self.table.cursor_key) is not None and str(cursor) not in keys:
            keys.append(str(cursor))
        found = [one for key in sorted(keys) if (one := self.charted(key)) is not None]
        shown = chart(found, SPANS[self._span][1], self.desk.now(), tuple(self.desk.timeline().rows()))
        self.query_one(Plot).show(shown)

    def hints(self) -> list[str]:
        """Return what the keys of the chart do now."""
        if not self.has_chart:
            return ["enter chart"]
        return ["enter close", f"[ ] last {SPANS[self._span][0]}", "space compare", "z zoom"]

    # Keys

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the chart of the row, or close it."""
        message.stop()
        self.has_chart = not self.has_chart
        self.give_room()
        self.redraw()

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:
        """An open chart follows the cursor."""
        message.stop()
        self.draw_chart()

    def on_live_table_marked(self, message: LiveTable.Marked) -> None:
        """Chart what is marked; the first mark opens the chart."""
        message.stop()
        if len(message.keys) > MOST_CURVES:
            self.post_message(self.Told(f"a chart holds {MOST_CURVES} curves; space takes a mark away", "warn"))
        if message.keys and not self.has_chart:
            self.has_chart = True
            self.give_room()
        self.redraw()

    def action_span(self, step: int) -> None:
        """Chart more of the past, or less."""
        self.has_chart = True
        self._span = min(max(self._span + step, 0), len(SPANS) - 1)
        self.give_room()
        self.redraw()

    def action_zoom(self) -> None:
        """Give the chart the whole tab, or half of it."""
        self.is_zoomed = not (self.has_chart and self.is_zoomed)
        self.has_chart = True
        self.give_room()
        self.redraw()

    def action_back(self) -> None:
        """Close the zoom, the chart, the comparison, else the filter."""
        if self.has_chart and self.is_zoomed:
            self.is_zoomed = False
        elif self.table.marked:
            self.table.marked = ()
        elif self.has_chart:
            self.has_chart = False
        else:
            self.query_one(FilterBar).action_close()
        self.give_room()
        self.redraw()
