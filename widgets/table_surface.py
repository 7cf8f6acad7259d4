"""The lines of a table on the screen: which of them look different is found out, and only those are drawn."""

from collections.abc import Hashable
from typing import ClassVar, Final

from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.cell import Column, Row
from widgets.row_order import RowOrder
from widgets.row_selection import RowSelection
from widgets.table_lines import Line, TableLines, differences, to_strip
from widgets.tones import tone_classes, tone_css, tone_styles

_UNSHOWN_ROWS: Final = 20

_SIDEWAYS: Final = 8
"""Cells one step to the left or right moves."""


class TableSurface(ScrollView, can_focus=True, inherit_bindings=False):
    """Draws rows under a header that stays; which rows those are, a table made of it says."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"livetable--header", *tone_classes("livetable")}

    DEFAULT_CSS = """
    TableSurface { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-gutter: stable; scrollbar-size: 1 1; }
    TableSurface > .livetable--header { text-style: bold underline; }
    """ + tone_css("TableSurface", "livetable")

    def __init__(
        self,
        columns: tuple[Column, ...],
        selection: RowSelection,
        *,
        id: str | None,  # noqa: A002 - the name every Textual widget gives it
        empty: str,
    ) -> None:
        """Make a surface without rows.

        Args:
            columns: those there are; what does not fit is dropped by priority.
            selection: the cursor and the marks.
            id: as Textual has it.
            empty: what is said where no rows are.
        """
        super().__init__(id=id)
        self._lines = TableLines(columns)
        self._model = RowOrder()
        self._selection = selection
        self._empty = empty
        self._left = 0
        self._drawn: dict[int, Line] = {}
        self._lines_drawn = 0
        self._arranged_width = -1
        """The width that the columns have their places for; negative before the first."""

    @property
    def stale(self) -> bool:
        """Whether the rows are old: all of them are dimmed then."""
        return self._lines.is_stale

    @stale.setter
    def stale(self, stale: bool) -> None:
        if stale != self._lines.is_stale:
            self._lines.is_stale = stale
            self._redraw()

    @property
    def empty(self) -> str:
        """What is said where no rows are."""
        return self._empty

    @empty.setter
    def empty(self, text: str) -> None:
        if text != self._empty:
            self._empty = text
            self._redraw()

    def action_sideways(self, steps: int) -> None:
        """Scroll left or right where the columns do not fit."""
        furthest = max(0, self._lines.width - self._body_width)
        self._left = max(0, min(self._left + steps * _SIDEWAYS, furthest))
        self._drawn.clear()
        self._redraw()

    @property
    def _body_height(self) -> int:
        return max(0, self.size.height - 1)

    @property
    def _body_width(self) -> int:
        # The scrollbar's place is always kept, so that columns do not jump when the first row too many comes.
        return max(0, self.size.width - self.styles.scrollbar_size_vertical)

    def _fit_size(self) -> None:
        # Never lower than the widget: each new virtual size draws it all, and rows that come and go need no scrolling.
        size = Size(self._body_width, max(len(self._model.visible) + 1, self.size.height))
        if size != self.virtual_size:
            self.virtual_size = size

    def _scroll_rows(self, top: int) -> None:
        # Never beyond the last screen: where rows became fewer, some would stay above the first line, unseen.
        top = max(0, min(top, len(self._model.visible) - self._body_height))
        # Forced, because the scrollbar of rows just told appears only with the next layout.
        self.scroll_to(y=top, animate=False, force=True)

    def _show_cursor(self) -> None:
        """Scroll as little as shows the cursor."""
        top, height = round(self.scroll_y), self._body_height
        if height and not top <= self._selection.index < top + height:
            self._scroll_rows(
                self._selection.index if self._selection.index < top else self._selection.index - height + 1
            )

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw only what looks different after scrolling: rows that moved with their neighbours do not."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        self._redraw()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor differently where the keys go elsewhere."""
        super().watch_has_focus(has_focus)
        self._lines.has_focus = has_focus
        self._redraw()

    def notify_style_update(self) -> None:
        """Look styles up again after a theme or CSS change."""
        super().notify_style_update()
        self._lines.styles = {}
        self._drawn.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Place the columns anew; where only the height is another, Textual has drawn what is new already."""
        if self._body_width != self._arranged_width:
            self._arrange()
        else:
            self._fit_size()
            self._redraw()
        self._show_cursor()

    def _arrange(self) -> None:
        self._arranged_width = self._body_width
        self._lines.arrange(self._arranged_width)
        self._left = 0
        self._drawn.clear()
        self._fit_size()
        self.refresh()

    def _redraw(self) -> None:
        """Refresh the stretches of the visible lines that look different from what was drawn."""
        if not self.is_attached or not self._lines.places:
            return
        left, bounds = self._left, Region(0, 0, self._body_width, self.size.height)
        regions = []
        for y in range(bounds.height):
            spans = differences(self._drawn.get(y), self._line(y))
            if spans is None:
                spans = [(left, bounds.width)]
            regions += [Region(x - left, y, width, 1).intersection(bounds) for x, width in spans]
        regions = [region for region in regions if region]
        self._lines_drawn = len({region.y for region in regions})
        if regions:
            self.refresh(*regions)

    def _line(self, y: int) -> Line:
        lines, model = self._lines, self._model
        if not lines.styles:
            header = {"header": self.get_component_rich_style("livetable--header")}
            lines.styles = tone_styles(self, "livetable") | header
        if y == 0:
            return lines.header(model.column, reverse=model.reverse)
        index = round(self.scroll_y) + y - 1
        if index >= len(model.visible):
            return lines.words(self._words_when_empty() if y == 1 and not model.visible else "")
        key = model.visible[index]
        return lines.row(
            model.rows[key], is_cursor=index == self._selection.index, is_marked=key in self._selection.marked
        )

    def keys_on_screen(self) -> list[Hashable]:
        """Return the keys whose rows are on the screen; of a table that is not shown, as many as a small screen has."""
        top = round(self.scroll_y)
        return list(self._model.visible[top : top + (self._body_height or _UNSHOWN_ROWS)])

    def rows_on_screen(self) -> list[Row]:
        """Return these rows."""
        return [self._model.rows[key] for key in self.keys_on_screen()]

    def _words_when_empty(self) -> str:
        hidden = len(self._model.rows)
        return f"no row of {hidden} passes the filter" if hidden else self._empty

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        if not self._lines.places:  # the first drawing comes before the word of our size
            self._lines.arrange(self._body_width)
        self._drawn[y] = line = self._line(y)
        return to_strip(line, self._left, self.size.width)
