"""A view over a log that may bring tens of thousands of lines a second."""

import bisect
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any, ClassVar, Final, Protocol

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from widgets.fitting import fit, plain, width_of, wrap
from widgets.log_store import Joins, Lines, LogLine, LogStore, Predicate
from widgets.table_lines import Line, Piece, differences, to_strip
from widgets.tones import BOLD, REVERSE, tone_classes, tone_css, tone_styles

__all__ = ["LogLine", "LogView", "Predicate"]

FLUSH_INTERVAL_S: Final = 0.1
"""New lines are drawn at most ten times a second."""

_FILTER_SLICE_S: Final = 0.008
_SEARCH_S: Final = 0.04
_LABEL_WIDTH: Final = 22
_SIDEWAYS: Final = 16
_UNSHOWN_LINES: Final = 20


class Pattern(Protocol):
    """What finds the stretches to mark: a compiled expression, or one that gives up in time."""

    def search(self, string: str, /) -> Any:
        """Return the first match; None when there is none."""
        ...

    def finditer(self, string: str, /) -> Iterator[Any]:
        """Yield the matches."""
        ...


_Part = tuple[int, int]
"""What a row of the screen shows: the line's number, which piece of it when lines are wrapped."""


class LogView(Widget, can_focus=True):
    """The newest lines of a log, or those that pass a predicate.

    It follows the end until somebody moves up; then the screen stands still and `behind` counts what came since.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False, id="log.up"),
        Binding("down,j", "cursor(1)", "Down", show=False, id="log.down"),
        Binding("left,h", "sideways(-1)", "Scroll left", show=False, id="log.left"),
        Binding("right,l", "sideways(1)", "Scroll right", show=False, id="log.right"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="log.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="log.page_down"),
        Binding("home,g", "first", "Oldest line", show=False, id="log.first"),
        Binding("end,G", "follow", "Newest line, and follow", show=False, id="log.follow"),
        Binding("enter", "open", "Open the line", id="log.open"),
        Binding("w", "wrap", "Wrap long lines", show=False, id="log.wrap"),
        Binding("n", "search(1)", "Next match", show=False, id="log.next"),
        Binding("m", "mark", "Mark the line, or unmark it", show=False, id="log.mark"),
        Binding("comma", "marked(-1)", "Mark: the previous one", show=False, id="log.previous_mark"),
        Binding("full_stop", "marked(1)", "Mark: the next one", show=False, id="log.next_mark"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"logview--match", *tone_classes("logview")}

    DEFAULT_CSS = """
    LogView { height: 1fr; }
    LogView > .logview--match { text-style: bold underline reverse; }
    """ + tone_css("LogView", "logview")

    class Opened(Message):
        """Enter was pressed on a line."""

        def __init__(self, view: "LogView", line: Any) -> None:
            super().__init__()
            self.view = view
            self.line = line
            """As it was given to the view."""

        @property
        def control(self) -> "LogView":
            """The view that sent it."""
            return self.view

    class Changed(Message):
        """Lines were drawn, or following began or ended: counts shown elsewhere are old now."""

        def __init__(self, view: "LogView") -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> "LogView":
            """The view that sent it."""
            return self.view

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name for it
        max_lines: int = 100_000,
        empty: str = "no lines yet",
        lines: Lines | None = None,
        look: Callable[[Any], LogLine] | None = None,
    ) -> None:
        """Prepare the view.

        Args:
            id: as Textual has it.
            max_lines: older lines are dropped.
            empty: what to say while there is no line.
            lines: what holds them; None: a list.
            look: makes of what is held what is drawn, when it is; None: LogLines are held.
        """
        super().__init__(id=id)
        self._store = LogStore(max_lines, lines)
        self._look = look
        self._empty = empty
        self._is_following = True
        self._is_wrapping = False
        self._top = self._cursor = 0
        self._left = 0
        self._label_width = 0
        self._highlight: Pattern | None = None
        self._marks: list[int] = []
        """Numbers of the marked lines, in order."""
        self._parts: list[_Part] = []
        self._drawn: dict[int, Line] = {}
        self._looks: dict[str, Style] = {}
        self._flush_timer: Timer | None = None
        self._filter_timer: Timer | None = None

    # Lines

    def extend(self, lines: Sequence[Any]) -> None:
        """Add lines, or what `look` makes them of; drawn within a tenth of a second."""
        if not lines:
            return
        self._store.extend(lines)
        if self._flush_timer is None and self.is_attached:
            self._flush_timer = self.set_timer(FLUSH_INTERVAL_S, self._flush)

    def extend_front(self, lines: Sequence[Any]) -> None:
        """Add lines older than all that are held; the screen stays where it is."""
        if lines:
            self._store.extend_front(lines)
            self._redraw()

    def forget_before(self, number: int) -> None:
        """Forget the lines with smaller numbers."""
        self._store.forget_before(number)
        self._redraw()

    @property
    def room(self) -> int:
        """How many lines may be added before the oldest are dropped."""
        return max(0, self._store.max_lines - len(self._store))

    def clear(self) -> None:
        """Forget every line."""
        self._store.clear()
        self._marks.clear()
        self._is_following = True
        self._flush()

    @property
    def line_count(self) -> int:
        """How many lines are held."""
        return len(self._store)

    @property
    def visible_count(self) -> int:
        """How many lines pass the predicate, folded or not, as far as they have been tested."""
        return self._store.passing

    @property
    def rows(self) -> int:
        """How many lines there are to move through: folded ones are one."""
        return self._store.count

    @property
    def untested(self) -> int:
        """How many older lines still wait to be tested against a new predicate."""
        return self._store.untested

    @property
    def dropped(self) -> int:
        """How many lines were dropped because newer ones came."""
        return self._store.dropped

    @property
    def is_filtering(self) -> bool:
        """Whether older lines still wait to be tested against a new predicate."""
        return self._store.is_filtering

    @property
    def predicate(self) -> Predicate | None:
        """What a line must pass to be shown; None: everything. Older lines are tested bit by bit, newest first."""
        return self._store.predicate

    @predicate.setter
    def predicate(self, predicate: Predicate | None) -> None:
        self._store.predicate = predicate
        self._filter_slice()

    @property
    def joins(self) -> Joins | None:
        """What folds lines into the one before; None: nothing is folded."""
        return self._store.joins

    @joins.setter
    def joins(self, joins: Joins | None) -> None:
        self._store.joins = joins
        self._filter_slice()

    @property
    def highlight(self) -> Pattern | None:
        """What is marked in the lines on the screen, and what `n` and `N` look for."""
        return self._highlight

    @highlight.setter
    def highlight(self, pattern: Pattern | None) -> None:
        self._highlight = pattern
        self._redraw()

    @property
    def paused(self) -> bool:
        """Whether the screen stands still while lines come."""
        return not self._is_following

    @paused.setter
    def paused(self, paused: bool) -> None:
        if paused == self._is_following:
            self._is_following = not paused
            self._redraw()

    @property
    def behind(self) -> int:
        """How many shown lines lie below the screen; 0 while following."""
        if self._is_following or not self._parts:
            return 0
        return max(0, self._store.count - 1 - self._store.index(self._parts[-1][0]))

    @property
    def wrapping(self) -> bool:
        """Whether long lines go on in the next row."""
        return self._is_wrapping

    @property
    def first_number(self) -> int:
        """The number of the oldest line that is held."""
        return self._store.first

    @property
    def cursor_number(self) -> int | None:
        """The number of the line under the cursor (the newest while following); None when no line is shown."""
        if not (count := self._store.count):
            return None
        index = count - 1 if self._is_following else min(self._store.index(self._cursor), count - 1)
        return self._store.number(index)

    def held(self, number: int, count: int) -> tuple[int, Sequence[Any]]:
        """Return the first `count` lines held from a number on, shown or not, and the number of the first of them."""
        return self._store.held(number, count)

    @property
    def marks(self) -> int:
        """How many lines are marked."""
        return len(self._marks)

    def marked_lines(self) -> list[Any]:
        """Return the marked lines that are still held, oldest first, whether a filter hides them or not."""
        return [self._store[number] for number in self._marks if number >= self._store.first]

    @property
    def cursor_line(self) -> Any:
        """The line under the cursor (the newest while following), as it was given; None when no line is shown."""
        number = self.cursor_number
        return None if number is None else self._store[number]

    def visible_lines(self) -> Iterator[Any]:
        """Return every line that passes now, as it was given, oldest first; another thread may go through them."""
        return self._store.shown()

    def lines_on_screen(self) -> list[str]:
        """Return label and text of every line that is on the screen; of a view not shown, of the newest lines."""
        numbers = sorted({number for number, _ in self._parts})
        if not numbers:
            numbers = [
                self._store.number(i) for i in range(max(0, self._store.count - _UNSHOWN_LINES), self._store.count)
            ]
        return [f"{shown.label} {shown.text}".strip() for shown in map(self._shown, numbers)]

    def refresh_lines(self) -> None:
        """Draw again what is on the screen: `look` makes other lines of what is held."""
        self._redraw()

    def _shown(self, number: int) -> LogLine:
        line = self._store[number]
        shown: LogLine = line if self._look is None else self._look(line)
        if (size := self._store.size(number)) > 1:
            return shown._replace(text=f"(+{size - 1:,}) {shown.text}")
        return shown

    # Keys

    def action_cursor(self, lines: int) -> None:
        """Move the cursor by some lines; following ends."""
        count = self._store.count
        if not count:
            return
        index = count - 1 if self._is_following else self._store.index(self._cursor)
        self._is_following = False
        self._go(index + lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor by whole screens."""
        on_screen = len({number for number, _ in self._parts})
        self.action_cursor(pages * max(1, on_screen - 1))

    def action_first(self) -> None:
        """Move the cursor to the oldest line."""
        self._is_following = False
        self._go(0)

    def action_follow(self) -> None:
        """Go to the newest line and follow."""
        self.paused = False

    def action_sideways(self, steps: int) -> None:
        """Scroll left or right; nothing to do while lines are wrapped."""
        longest = max((width_of(self._shown(number).text) for number, _ in self._parts), default=0)
        furthest = max(0, longest - self._text_width + 1)
        self._left = 0 if self._is_wrapping else max(0, min(self._left + steps * _SIDEWAYS, furthest))
        self._redraw()

    def action_wrap(self) -> None:
        """Turn wrapping on or off."""
        self._is_wrapping = not self._is_wrapping
        self._left = 0
        self._redraw()

    def action_open(self) -> None:
        """Tell that the line under the cursor is to be opened."""
        if (line := self.cursor_line) is not None:
            self.post_message(self.Opened(self, line))

    def action_search(self, step: int) -> None:
        """Move the cursor to the next line that matches the highlight; a long way takes several presses."""
        if (pattern := self._highlight) is not None:
            self.seek(lambda line: pattern.search(line.text) is not None, step)

    def action_mark(self) -> None:
        """Mark the line under the cursor, or take its mark away; following ends."""
        if (number := self.cursor_number) is None:
            return
        self._is_following, self._cursor = False, number
        at = bisect.bisect_left(self._marks, number)
        if at < len(self._marks) and self._marks[at] == number:
            del self._marks[at]
        else:
            self._marks.insert(at, number)
        self._redraw()

    def action_marked(self, step: int) -> None:
        """Move the cursor to the next or previous marked line that is shown."""
        here = self.cursor_number
        wanted = sorted((n for n in self._marks if here is not None and (n - here) * step > 0), reverse=step < 0)
        for number in wanted:
            index = min(self._store.index(number), self._store.count - 1)
            if number >= self._store.first and self._store.number(index) == number:
                self._is_following = False
                self._go(index)
                return
        self.app.bell()

    def stand_at(self, number: int) -> None:
        """Put the cursor on the line with a number, in the middle of the screen; following ends.

        Where it is not shown, or not tested yet, the cursor is where it would be.
        """
        store = self._store
        self._is_following, self._cursor = False, number
        index = store.index(number)
        is_known = store.count and number >= store.first + store.untested
        self._top = store.number(max(0, min(index, store.count - 1) - self.size.height // 2)) if is_known else number
        self._redraw()

    def go_to(self, value: float, of: Callable[[Any], float]) -> None:
        """Move the cursor to the first shown line of which `of` gives at least `value`; it grows from line to line."""
        store = self._store
        if store.count:
            self._is_following = False
            at = bisect.bisect_left(range(store.count), value, key=lambda index: of(store[store.number(index)]))
            self._go(min(at, store.count - 1))

    def seek(self, wanted: Predicate, step: int) -> None:
        """Move the cursor to the next shown line that is wanted (`step` 1) or the one before (-1).

        It rings when there is none; a long way takes several calls, so that no key waits.
        """
        store = self._store
        if not store.count:
            return
        index = store.count - 1 if self._is_following else store.index(self._cursor)
        # While following, the newest line itself may be what is wanted.
        deadline, index = perf_counter() + _SEARCH_S, index if self._is_following and step < 0 else index + step
        while 0 <= index < store.count:
            if wanted(store[store.number(index)]) or perf_counter() > deadline:
                self._is_following = False
                self._go(index)
                return
            index += step
        self.app.bell()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up where the mouse is on."""
        self.action_cursor(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down where the mouse is on."""
        self.action_cursor(3)

    def _go(self, index: int) -> None:
        """Put the cursor on the line shown at `index` and scroll as little as shows it."""
        store = self._store
        if not store.count:
            return
        index = max(0, min(index, store.count - 1))
        self._cursor = store.number(index)
        numbers = sorted({number for number, _ in self._parts})
        if not numbers or self._cursor < numbers[0]:
            self._top = self._cursor
        elif self._cursor >= numbers[-1]:
            self._top = self._fill_up(index)[0][0]
        else:
            self._top = numbers[0]
        self._redraw()

    # Drawing

    def _flush(self) -> None:
        self._flush_timer = None
        self._store.trim()
        for line in self._newest_on_screen():
            self._label_width = max(self._label_width, min(_LABEL_WIDTH, width_of(line.label)))
        self._redraw()

    def _newest_on_screen(self) -> list[LogLine]:
        store, count = self._store, self._store.count
        return [self._shown(store.number(i)) for i in range(max(0, count - max(1, self.size.height)), count)]

    def _filter_slice(self) -> None:
        if self._filter_timer is not None:
            self._filter_timer.stop()
        self._filter_timer = None
        self._store.filter_older(_FILTER_SLICE_S)
        if self._store.is_filtering and self.is_attached:
            self._filter_timer = self.set_timer(_FILTER_SLICE_S, self._filter_slice)
        self._redraw()

    @property
    def _text_width(self) -> int:
        return max(1, self.size.width - (self._label_width + 1 if self._label_width else 0))

    def _rows_of(self, index: int) -> list[_Part]:
        number = self._store.number(index)
        pieces = len(wrap(plain(self._shown(number).text), self._text_width)) if self._is_wrapping else 1
        return [(number, piece) for piece in range(pieces)]

    def _fill_up(self, last: int) -> list[_Part]:
        """Return the rows of a screen whose last line is the one shown at `last`."""
        height, rows = max(1, self.size.height), list[_Part]()
        while last >= 0 and len(rows) < height:
            rows[:0] = self._rows_of(last)
            last -= 1
        # Only a line that is itself taller than the screen loses its end instead of its beginning.
        return rows[-height:] if rows and rows[-height:][0][0] != rows[-1][0] else rows[:height]

    def _fill_down(self, first: int) -> list[_Part]:
        height, rows = max(1, self.size.height), list[_Part]()
        while first < self._store.count and len(rows) < height:
            rows += self._rows_of(first)
            first += 1
        return rows[:height]

    def _place(self) -> None:
        """Decide which row of the screen shows what."""
        store = self._store
        if self._is_following:
            self._parts = self._fill_up(store.count - 1)
            return
        first = min(store.index(self._top), max(0, store.count - 1))
        self._parts = self._fill_down(first)
        if len(self._parts) < self.size.height and first:
            self._parts = self._fill_up(store.count - 1)

    def notify_style_update(self) -> None:
        """Look styles up again after a theme or CSS change."""
        super().notify_style_update()
        self._looks = {}
        self._drawn.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Fill the new size."""
        self._drawn.clear()
        self._redraw()

    def on_focus(self) -> None:
        """Show the cursor."""
        self._redraw()

    def on_blur(self) -> None:
        """Show the cursor differently where the keys go elsewhere."""
        self._redraw()

    def _redraw(self) -> None:
        """Refresh the rows of the screen that look different from what was drawn."""
        if not self.is_attached or not self.size:
            return
        self._place()
        if self._is_following and self._parts:
            self._top, self._cursor = self._parts[0][0], self._parts[-1][0]
        width = self.size.width
        rows = [y for y in range(self.size.height) if differences(self._drawn.get(y), self._line(y)) != []]
        if rows:
            self.refresh(*(Region(0, y, width, 1) for y in rows))
        self.post_message(self.Changed(self))

    def _line(self, y: int) -> Line:
        if not self._looks:
            match = self.get_component_rich_style("logview--match", partial=True)
            self._looks = tone_styles(self, "logview") | {"match": match}
        width = self.size.width
        # A line on the screen may have been dropped since it was placed; the next flush places anew.
        if y >= len(self._parts) or self._parts[y][0] < self._store.first:
            words = self._words_when_empty() if y == 0 and not self._parts else ""
            return [Piece(0, fit(words, width), width, self._looks["dim"])]
        number, part = self._parts[y]
        line = self._shown(number)
        pieces: Line = []
        cursor = Style() if self._is_following or number != self._cursor else REVERSE if self.has_focus else BOLD
        x = 0
        if self._label_width:
            is_marked = not part and self._is_marked(number)
            label = fit("" if part else line.label, self._label_width) + ("*" if is_marked else " ")
            x = self._label_width + 1
            pieces.append(Piece(0, label, x, self._looks[line.label_tone] + cursor))
        text = plain(line.text)
        # The width may have changed since the line was placed, so that it has fewer parts until the next drawing.
        parts = wrap(text, self._text_width)[part : part + 1] if self._is_wrapping else [text[self._left :]]
        text = "".join(parts)
        return pieces + self._text_pieces(x, fit(text, width - x), self._looks[line.tone] + cursor)

    def _is_marked(self, number: int) -> bool:
        at = bisect.bisect_left(self._marks, number)
        return at < len(self._marks) and self._marks[at] == number

    def _text_pieces(self, x: int, text: str, style: Style) -> Line:
        pieces: Line = []
        start = 0
        # The end is bounded so that a pattern matching everywhere cannot make hundreds of pieces.
        for match in list(self._highlight.finditer(text))[:20] if self._highlight else ():
            for stretch, look in (
                (text[start : match.start()], style),
                (match.group(), style + self._looks["match"]),
            ):
                if stretch:
                    pieces.append(Piece(x, stretch, width_of(stretch), look))
                    x += width_of(stretch)
            start = match.end()
        rest = text[start:]
        return [*pieces, Piece(x, rest, width_of(rest), style)] if rest else pieces

    def _words_when_empty(self) -> str:
        if self._store.is_filtering:
            return "looking…"
        return f"none of {len(self._store)} lines passes the filter" if len(self._store) else self._empty

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        self._drawn[y] = line = self._line(y)
        return to_strip(line, 0, self.size.width)
