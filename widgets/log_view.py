"""A view over a log that may bring tens of thousands of lines a second."""

import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from time import perf_counter
from typing import Any, ClassVar, Final

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from widgets.fitting import fit, plain, width_of, wrap
from widgets.log_held import FLUSH_INTERVAL_S, Part, Pattern
from widgets.log_seeking import SeekingView
from widgets.log_store import Belonging, Lines, LogLine, Predicate
from widgets.table_lines import Line, Piece, differences, to_strip
from widgets.tones import BOLD, REVERSE, tone_classes, tone_css, tone_styles

__all__ = ["LogLine", "LogView", "Pattern", "Predicate"]

_FILTER_SLICE_S: Final = 0.004
_FILTER_PAUSE_S: Final = 0.008
_TYPING_S: Final = 0.4
"""For so long after a change of the predicate another is expected: older lines are tested a little at a time."""
_TYPING_PAUSE_S: Final = 0.05
_LONGEST_FLUSH_S: Final = 0.4
_DRAWN_SHARE: Final = 60
"""How many times as long as the last drawing took new lines wait for the next."""
_LABEL_WIDTH: Final = 33
_SIDEWAYS: Final = 16
_MOST_MATCHES: Final = 20
_SEARCHED: Final = 1_000
"""Lines of a fold that are searched."""

Span = tuple[int, int, Style]


class LogView(SeekingView, can_focus=True):
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
        Binding("n,right_parenthesis", "search(1)", "Next match", show=False, key_display="n )", id="log.next"),
        Binding("left_parenthesis", "search(-1)", "Match: the one before", show=False, id="log.previous"),
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
        belonging: Belonging | None = None,
    ) -> None:
        """Prepare the view; the arguments are those of `HeldView`."""
        super().__init__(id=id, max_lines=max_lines, empty=empty, lines=lines, look=look, belonging=belonging)
        self._drawn: dict[int, Line] = {}
        self._coming: dict[int, Line] = {}
        """Rows as they were worked out when they were found to have changed, until they are drawn."""
        self._looks: dict[str, Style] = {}
        self._filter_drawn_at = 0.0
        self._filter_changed_at = 0.0

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
        self._stop_seeking()
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
        """Move the cursor to the next line that matches the highlight, or to the one before; also within a fold."""
        pattern = self._highlight
        holds = (lambda number: any(map(pattern.search, self._texts(number)))) if pattern is not None else None
        self.seek_number(holds, step, "match")

    def _texts(self, number: int) -> Iterator[str]:
        return (self._store[each].text for each in self._store.folded(number)[:_SEARCHED])

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
        self._miss("mark", step, is_asked=True)

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

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up where the mouse is on."""
        self.action_cursor(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down where the mouse is on."""
        self.action_cursor(3)

    def _go(self, index: int) -> None:
        """Put the cursor on the line shown at `index` and scroll as little as shows it."""
        self._stop_seeking()
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
        began = perf_counter()
        self._redraw()
        # Nobody reads a flood: where drawing takes long, it is done less often, and keys come through.
        took = perf_counter() - began
        self._flush_s = min(_LONGEST_FLUSH_S, max(FLUSH_INTERVAL_S, _DRAWN_SHARE * took))

    def _filter_anew(self) -> None:
        self._filter_changed_at = perf_counter()
        self._filter_slice()

    def _filter_slice(self) -> None:
        if self._filter_timer is not None:
            self._filter_timer.stop()
        self._filter_timer = None
        self._store.filter_older(_FILTER_SLICE_S)
        if self._store.is_filtering and self.is_attached:
            is_typing = perf_counter() - self._filter_changed_at < _TYPING_S
            pause_s = _TYPING_PAUSE_S if is_typing else _FILTER_PAUSE_S
            self._filter_timer = self.set_timer(pause_s, self._filter_slice)
        # Drawing after every slice would cost more than the slices, and a key would wait for both. What is found above
        # a full screen changes counts only.
        now, is_full = perf_counter(), self._store.count >= 2 * self.size.height
        wait_s = _LONGEST_FLUSH_S if is_full and self._filter_drawn_at > self._filter_changed_at else FLUSH_INTERVAL_S
        if not self._store.is_filtering or now - self._filter_drawn_at >= wait_s:
            self._filter_drawn_at = now
            self._redraw()

    @property
    def _text_width(self) -> int:
        return max(1, self.size.width - (self._label_width + 1 if self._label_width else 0))

    def _rows_of(self, index: int) -> list[Part]:
        number = self._store.number(index)
        pieces = len(wrap(plain(self._shown(number).text), self._text_width)) if self._is_wrapping else 1
        return [(number, piece) for piece in range(pieces)]

    def _fill_up(self, last: int) -> list[Part]:
        """Return the rows of a screen whose last line is the one shown at `last`."""
        height, rows = max(1, self.size.height), list[Part]()
        while last >= 0 and len(rows) < height:
            rows[:0] = self._rows_of(last)
            last -= 1
        # Only a line that is itself taller than the screen loses its end instead of its beginning.
        return rows[-height:] if rows and rows[-height:][0][0] != rows[-1][0] else rows[:height]

    def _fill_down(self, first: int) -> list[Part]:
        height, rows = max(1, self.size.height), list[Part]()
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
        self._coming.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Fill the new size."""
        self._drawn.clear()
        self._coming.clear()
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
        if not self._is_following and self._widens():
            self._place()
        if self._is_following and self._parts:
            self._top, self._cursor = self._parts[0][0], self._parts[-1][0]
        width, label_width = self.size.width, self._label_width
        lines = {y: self._line(y) for y in range(self.size.height)}
        if self._label_width > label_width:
            self._place()
            lines = {y: self._line(y) for y in range(self.size.height)}
        self._coming = {y: line for y, line in lines.items() if differences(self._drawn.get(y), line) != []}
        if self._coming:
            self.refresh(*(Region(0, y, width, 1) for y in self._coming))
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
        # It only grows: columns that come and go with the lines would be hard to read.
        self._label_width = max(self._label_width, min(_LABEL_WIDTH, width_of(line.label)))
        if self._label_width:
            is_marked = not part and self._is_marked(number)
            label = fit("" if part else line.label, self._label_width) + ("*" if is_marked else " ")
            x = self._label_width + 1
            pieces.append(Piece(0, label, x, self._looks[line.label_tone] + cursor))
        text = plain(line.text)
        # The width may have changed since the line was placed, so that it has fewer parts until the next drawing.
        parts = wrap(text, self._text_width) if self._is_wrapping else [text[self._left :]]
        begin = sum(map(len, parts[:part])) if self._is_wrapping else self._left
        text = fit("".join(parts[part : part + 1]), width - x)
        spans = [(start - begin, end - begin, look) for start, end, look in line.spans]
        return pieces + self._text_pieces(x, text, self._looks[line.tone] + cursor, spans)

    def _widens(self) -> bool:
        """Make room for the labels on the screen; return whether there was too little."""
        labels = [self._shown(number).label for number in {number for number, _ in self._parts}]
        wanted = min(_LABEL_WIDTH, max(map(width_of, labels), default=0))
        before, self._label_width = self._label_width, max(self._label_width, wanted)
        return wanted > before

    def _is_marked(self, number: int) -> bool:
        at = bisect.bisect_left(self._marks, number)
        return at < len(self._marks) and self._marks[at] == number

    def _text_pieces(self, x: int, text: str, style: Style, spans: Sequence[Span]) -> Line:
        # The end is bounded so that a pattern matching everywhere cannot make hundreds of pieces.
        found = islice(self._highlight.finditer(text), _MOST_MATCHES) if self._highlight else ()
        marked = [(match.start(), match.end(), self._looks["match"]) for match in found]
        if not spans and not marked:
            return [Piece(x, text, width_of(text), style)] if text else []
        layers = [*spans, *marked]
        cuts = sorted({0, len(text), *(min(max(0, at), len(text)) for start, end, _ in layers for at in (start, end))})
        pieces: Line = []
        for start, end in pairwise(cuts):
            look = sum((look for begin, stop, look in layers if begin <= start < stop), start=style)
            pieces.append(Piece(x, text[start:end], width := width_of(text[start:end]), look))
            x += width
        return pieces

    def _words_when_empty(self) -> str:
        if self._store.is_filtering:
            return "looking…"
        if not len(self._store):
            return self._empty
        return f"none of {len(self._store)} lines passes the filter" + (f"; {self.hint}" if self.hint else "")

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        self._drawn[y] = line = self._coming.pop(y, None) or self._line(y)
        return to_strip(line, 0, self.size.width)
