"""A table for thousands of rows that change all the time, drawn line by line."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from time import monotonic
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer

from widgets.cell import Column, KeyT, Row
from widgets.row_selection import RowSelection
from widgets.table_surface import TableSurface

APPLY_INTERVAL_S: Final = 0.25
"""Change sets are drawn at most this often: four times a second."""

_LINE_COST_S: Final = 0.0125
"""What each line drawn adds to the wait until the next drawing, once it is more than `APPLY_INTERVAL_S`: a large
screen whose rows keep changing places must not flood a slow link."""


class LiveTable(TableSurface, inherit_bindings=False):
    """Rows by key under a header that stays.

    Rows are told as a whole picture (`show`) or as change sets (`apply`); only what looks different is drawn. The
    cursor, the marks and the scroll position belong to keys and follow them through sorting, filtering and refreshing.
    Until somebody moves the cursor it stays on the first row, whichever that is; or, where the newest come last, on
    the last row, and there again when somebody moves it back.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "cursor(1)", "Down", show=False, id="table.down"),
        Binding("left,h", "sideways(-1)", "Scroll left", show=False, id="table.left"),
        Binding("right,l", "sideways(1)", "Scroll right", show=False, id="table.right"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="table.page_down"),
        Binding("home,g", "first", "First row", show=False, id="table.first"),
        Binding("end,G", "last", "Last row", show=False, id="table.last"),
        Binding("enter", "open", "Open", id="table.open"),
        Binding("space", "mark", "Mark", show=False, id="table.mark"),
        Binding("s", "sort_next", "Sort by the next column", show=False, id="table.sort"),
        Binding("S", "sort_reverse", "Reverse the order", show=False, id="table.reverse"),
    ]

    class About(Message):
        """Something about one row."""

        def __init__(self, table: "LiveTable", key: Hashable) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> "LiveTable":
            """The table that sent it."""
            return self.table

    class Opened(About):
        """Enter was pressed on a row."""

    class Highlighted(About):
        """The cursor is on another row now, moved by a person or because its row went; `key` None: no rows."""

    class Vanished(About):
        """The row under the cursor is gone; the cursor is on its neighbour."""

    class Marked(Message):
        """The marks changed."""

        def __init__(self, table: "LiveTable", keys: frozenset[Hashable]) -> None:
            super().__init__()
            self.table = table
            self.keys = keys

        @property
        def control(self) -> "LiveTable":
            """The table that sent it."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str | None = None,  # noqa: A002 - the name every Textual widget gives it
        empty: str = "nothing here",
        sort: str | None = None,
        reverse: bool = False,
        tree: bool = False,
        follow: bool = False,
    ) -> None:
        """Make an empty table.

        Args:
            columns: those there are; what does not fit is dropped by priority.
            id: as Textual has it.
            empty: what is said where no rows are.
            sort: key of the column sorted by at first; None: the order in which the rows come.
            reverse: whether the greatest stands first.
            tree: whether the order of rows is never changed by sorting.
            follow: whether the cursor rests on the last row instead of the first.
        """
        super().__init__(tuple(columns), RowSelection(rests_at_end=follow), id=id, empty=empty)
        self._is_tree = tree
        self._filter_text = ""
        self._follows = follow
        self._sought: Hashable | None = None
        self._drawn_at = 0.0
        self._timer: Timer | None = None
        if sort is not None:
            self.sort_by(sort, reverse)

    # What is shown

    def show(self, rows: Mapping[KeyT, Row]) -> None:
        """Show the whole picture: rows not in it are gone. Costs a comparison per row; draws what differs."""
        self._model.replace(rows)
        self._catch_up()

    def apply(self, changed: Mapping[KeyT, Row], removed: Collection[Hashable] = ()) -> None:
        """Take a change set; drawn with others that arrive within a quarter of a second."""
        self._model.merge(changed, removed)
        if self._timer is None and self.is_attached:
            pause = max(APPLY_INTERVAL_S, self._lines_drawn * _LINE_COST_S)
            wait = max(0.0, self._drawn_at + pause - monotonic())
            self._timer = self.set_timer(wait or 0.001, self._catch_up)
        elif not self.is_attached:
            self._catch_up()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, also those dropped at this width. Setting them keeps rows, which must then have their cells."""
        return self._lines.columns

    @columns.setter
    def columns(self, columns: Sequence[Column]) -> None:
        column, reverse = self.sort_column, self.sort_reverse
        self._lines.columns = tuple(columns)
        # At once: the places of the columns before may name more columns than there are now.
        self._lines.arrange(self._body_width)
        self._model.sort(None, reverse=False)
        self.sort_by(column if column in [c.key for c in columns] else None, reverse)
        self._arrange()

    @property
    def row_count(self) -> int:
        """How many rows there are, hidden by a filter or not."""
        return len(self._model)

    @property
    def visible_count(self) -> int:
        """How many rows pass the filter, as last drawn."""
        return len(self._model.visible)

    @property
    def visible_keys(self) -> tuple[Hashable, ...]:
        """The keys that pass the filter, top to bottom, as last drawn."""
        return tuple(self._model.visible)

    def row(self, key: Hashable) -> Row | None:
        """Return the newest row of `key`; None when it is gone."""
        return self._model.newest(key)

    # Sorting and filtering

    @property
    def sort_column(self) -> str | None:
        """The key of the column sorted by; None: rows stand in the order in which they came."""
        return None if self._model.column is None else self.columns[self._model.column].key

    @property
    def sort_reverse(self) -> bool:
        """Whether the greatest value stands first."""
        return self._model.reverse

    def sort_by(self, column: str | None, reverse: bool = False) -> None:
        """Sort by the column of that key; None: the order in which the rows came. A tree is never sorted.

        Raises:
            ValueError: there is no such column.
        """
        keys = [c.key for c in self.columns]
        if column is not None and column not in keys:
            raise ValueError(f"no column {column!r}; there are {', '.join(keys)}")
        if self._is_tree:
            return
        self._model.sort(None if column is None else keys.index(column), reverse=reverse and column is not None)
        self._catch_up()

    @property
    def filter_text(self) -> str:
        """What a person filters by: plain text, `/regex/`, `!` before either to exclude; case is ignored."""
        return self._filter_text

    @filter_text.setter
    def filter_text(self, typed: str) -> None:
        if typed != self._filter_text:
            self._filter_text = typed
            self._model.select(typed)
            self._catch_up()

    @property
    def filter_error(self) -> str:
        """Why the filter cannot be read; then every row is shown. Empty when it can."""
        return self._model.filter.error

    # Cursor and marks

    @property
    def cursor_key(self) -> Hashable | None:
        """The key under the cursor; None when no row is shown. Setting it moves the cursor there if it is shown."""
        return self._selection.key

    @cursor_key.setter
    def cursor_key(self, key: Hashable | None) -> None:
        if key is not None and key in self._model.visible:
            self._move_to(self._model.visible.index(key))

    def hold(self) -> None:
        """Keep the cursor on its row from now on, as if a person had moved it there: they mean this one."""
        self._selection.is_chosen = self._selection.key is not None

    def seek(self, key: Hashable) -> None:
        """Move the cursor to a row as soon as it is shown, unless a person moves it before that."""
        self._sought = key
        self._find_sought()

    def _find_sought(self) -> None:
        if (key := self._sought) is not None and key in self._model.visible:
            self._move_to(self._model.visible.index(key))

    @property
    def is_following(self) -> bool:
        """Whether the cursor rests on the last row and goes along with what comes behind it."""
        return self._follows and not self._selection.is_chosen

    @property
    def rows_below(self) -> int:
        """How many rows are below the cursor."""
        return max(0, len(self._model.visible) - 1 - self._selection.index)

    @property
    def cursor_row(self) -> Row | None:
        """The newest row of the key under the cursor; None when there is none, or it went since the last drawing."""
        return None if self._selection.key is None else self._model.newest(self._selection.key)

    @property
    def marked(self) -> frozenset[Hashable]:
        """The keys marked with space, also those a filter hides; a key that goes is no longer marked."""
        return frozenset(self._selection.marked)

    @marked.setter
    def marked(self, keys: Collection[Hashable]) -> None:
        marked = {key for key in keys if key in self._model.rows}
        if marked != self._selection.marked:
            self._selection.marked = marked
            self._redraw()
            self.post_message(self.Marked(self, self.marked))

    def _move_to(self, index: int) -> None:
        """Move the cursor because a person wants it there."""
        if not self._model.visible:
            return
        before, self._sought = self._selection.key, None
        self._selection.put(self._model, index)
        self._selection.is_chosen = not self._follows or self.rows_below > 0
        self._tell_cursor(before)
        self._show_cursor()
        self._redraw()

    def _tell_cursor(self, before: Hashable | None) -> None:
        if self._selection.key != before:
            self.post_message(self.Highlighted(self, self._selection.key))

    # Keys

    def action_cursor(self, rows: int) -> None:
        """Move the cursor by some rows."""
        self._move_to(self._selection.index + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by whole screens."""
        self._move_to(self._selection.index + pages * max(1, self._body_height - 1))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self._move_to(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self._move_to(len(self._model.visible) - 1)

    def action_open(self) -> None:
        """Tell that the row under the cursor is to be opened."""
        if self._selection.key is not None:
            self.hold()
            self.post_message(self.Opened(self, self._selection.key))

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor and go one down."""
        if self._selection.key is not None:
            self.marked = self._selection.marked ^ {self._selection.key}
            self._move_to(self._selection.index + 1)

    def action_sort_next(self) -> None:
        """Sort by the next column on the screen; numbers start with the greatest."""
        shown = [place.column for place in self._lines.places] or list(range(len(self.columns)))
        later = [i for i in shown if self._model.column is None or i > self._model.column]
        column = self.columns[(later or shown)[0]]
        self.sort_by(column.key, reverse=column.align == "right")

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        if self.sort_column is not None:
            self.sort_by(self.sort_column, not self.sort_reverse)

    # Changes

    def _catch_up(self) -> None:
        """Let changes take effect, keep the cursor on its key and its place on the screen, and draw."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._drawn_at = monotonic()
        selection, top = self._selection, round(self.scroll_y)
        before, key = selection.index, selection.key
        if self._model.settle():
            was_on_screen = top <= before < top + max(1, self._body_height)
            vanished = selection.follow(self._model)
            self._tell_cursor(key)
            self._fit_size()
            if top:
                self._scroll_rows(top + (self._selection.index - before if self._selection.is_chosen else 0))
            if was_on_screen:
                self._show_cursor()
            if vanished is not None:
                self.post_message(self.Vanished(self, vanished))
            self._find_sought()
        self._redraw()
