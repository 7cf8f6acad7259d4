"""What the tabs have in common that show one table at a time: views, a filter, a row to copy."""

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.panes.pane import Desk, Pane
from tui.poller import contained
from widgets.cell import cell_text
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable


class Listing(Pane):
    """A tab of one or several tables, of which one is open, with one filter that goes along from view to view.

    It must hold a `FilterBar` and, for each view, a `LiveTable` whose id is the tab's title and the view's name:
    `redis-clients`.
    """

    VIEWS: ClassVar[Mapping[str, str]]
    """Name and title of every view, in the order of their strip; the first is open at the start."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "view(1)", "View: the next one", id="list.next_view"),
        Binding("shift+tab", "view(-1)", "View: the one before", show=False, id="list.previous_view"),
        Binding("slash", "filter", "Filter", id="list.filter"),
        Binding("escape,ctrl+g", "back", "Clear the filter", show=False, id="list.back"),
        Binding("o", "worst_first", "Worst first: the order at the start", show=False, id="list.worst_first"),
        Binding("c", "copy", "Copy the row", show=False, id="list.copy"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self.view = next(iter(self.views))
        """The open view."""
        self._orders: dict[str, tuple[str | None, bool]] = {}
        """How each view's rows were sorted at the start."""

    @property
    def views(self) -> Mapping[str, str]:
        """The views that this profile has something for: all, where the tab does not say otherwise."""
        return self.VIEWS

    def draw(self) -> None:
        """Draw the open view and all that stands around it."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw for a key or a new size; odd data that cannot be drawn are said, and end nothing."""
        if not contained(self.draw, f"drawing {self.TAB.title}"):
            self.post_message(self.Told(f"{self.TAB.title} could not be drawn: an error in opstui", "critical"))

    def table_of(self, view: str) -> LiveTable:
        """Return a view's table."""
        return self.query_one(f"#{self.TAB.title.lower()}-{view}", LiveTable)

    @property
    def table(self) -> LiveTable:
        """The open view's table."""
        return self.table_of(self.view)

    def open_view(self) -> None:
        """Show the open view's table, filtered like the one before, and leave the keyboard with the tables."""
        had_focus = self.has_focus_within
        for view in self.views:
            # By hand and not by a class: what a stylesheet is yet to show cannot take the focus.
            table = self.table_of(view)
            table.display = view == self.view
            self._orders.setdefault(view, (table.sort_column, table.sort_reverse))
        if (bar := self.query_one(FilterBar)).is_mounted:
            self.table.filter_text = bar.text
            bar.error = self.table.filter_error
        if had_focus and self.display:
            self.focus_first()

    def focus_first(self) -> None:
        """Put the keyboard into the open table, at once: the next key may already wait."""
        self.screen.set_focus(self.table)

    def open_at(self, view: str, filter_text: str, source: str) -> None:
        """Open a view and filter its rows."""
        if view in self.views:
            self.view = view
            self.open_view()
        super().open_at(view, filter_text, source)
        self.redraw()

    def unfilter(self) -> None:
        """Show every row, so that one that is to be found is there."""
        self.query_one(FilterBar).text = ""
        self.table.filter_text = ""

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys between views where there is only one."""
        return len(self.views) > 1 if action == "view" else super().check_action(action, parameters)

    def action_view(self, step: int) -> None:
        """Open the next or previous view."""
        views = list(self.views)
        self.view = views[(views.index(self.view) + step) % len(views)]
        self.open_view()
        self.redraw()

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def action_back(self) -> None:
        """Show all rows again."""
        self.query_one(FilterBar).action_close()

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        """Filter the open table."""
        message.stop()
        self.table.filter_text = message.text
        message.bar.error = self.table.filter_error

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Give the keys back to the table."""
        message.stop()
        self.focus_first()

    def action_worst_first(self) -> None:
        """Sort as at the start: the worst, the busiest or the newest first."""
        column, reverse = self._orders[self.view]
        self.table.sort_by(column, reverse)
        self.post_message(self.Told("the worst first"))

    def action_copy(self) -> None:
        """Copy the row under the cursor."""
        if (row := self.table.cursor_row) is None:
            self.post_message(self.Told("no row to copy"))
        else:
            self.copy("  ".join(text for cell in row.cells if (text := cell_text(cell).strip())))
