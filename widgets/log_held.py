"""What a view over a log holds and tells of it; how it is moved through and drawn is the view's own business."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from textual.timer import Timer
from textual.widget import Widget

from widgets.log_store import Belonging, Joins, Lines, LogLine, LogStore, Predicate

FLUSH_INTERVAL_S: Final = 0.1
"""New lines are drawn at most ten times a second."""

_UNSHOWN_LINES: Final = 20


class Pattern(Protocol):
    """What finds the stretches to mark: a compiled expression, or one that gives up in time."""

    def search(self, string: str, /) -> Any:
        """Return the first match; None when there is none."""
        ...

    def finditer(self, string: str, /) -> Iterator[Any]:
        """Yield the matches."""
        ...


Part = tuple[int, int]
"""What a row of the screen shows: the line's number, which piece of it when lines are wrapped."""


class HeldView(Widget):
    """The lines of a view: those held, those that pass, the marked ones, and the one under the cursor."""

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
        """Prepare the view.

        Args:
            id: as Textual has it.
            max_lines: older lines are dropped.
            empty: what to say while there is no line.
            lines: what holds them; None: a list.
            look: makes of what is held what is drawn, when it is; None: LogLines are held.
            belonging: how lines tell what messages they belong to, which a predicate then judges whole if it can.
        """
        super().__init__(id=id)
        self._store = LogStore(max_lines, lines, belonging)
        self._look = look
        self._empty = empty
        self._hint = ""
        self._is_following = True
        self._is_wrapping = False
        self._top = self._cursor = 0
        self._left = 0
        self._label_width = 0
        self._highlight: Pattern | None = None
        self._marks: list[int] = []
        """Numbers of the marked lines, in order."""
        self._parts: list[Part] = []
        self._flush_timer: Timer | None = None
        self._flush_s = FLUSH_INTERVAL_S
        self._filter_timer: Timer | None = None

    def extend(self, lines: Sequence[Any]) -> None:
        """Add lines, or what `look` makes them of; drawn within a tenth of a second."""
        if not lines:
            return
        self._store.extend(lines)
        if self._flush_timer is None and self.is_attached:
            self._flush_timer = self.set_timer(self._flush_s, self._flush)

    def extend_front(self, lines: Sequence[Any]) -> None:
        """Add lines older than all that are held; the screen stays where it is."""
        if lines:
            self._store.extend_front(lines)
            self._redraw()

    def forget_before(self, number: int) -> None:
        """Forget the lines with smaller numbers, and their marks: other lines may get these numbers."""
        self._store.forget_before(number)
        self._marks = [mark for mark in self._marks if mark >= self._store.first]
        self._redraw()

    def replace(self, lines: Sequence[Any], places: Sequence[int]) -> None:
        """Hold these instead of all that are held: these among others, the first of them now at `places[0]`.

        What is on the screen stays there until they are drawn.
        """
        before = self._store.first
        self._store.forget_before(self._store.end)
        self._move(before, self._store.first, places)
        self.extend(lines)

    def replace_front(self, lines: Sequence[Any], places: Sequence[int]) -> None:
        """Put other lines in place of the oldest: these among others, the first of them now at `places[0]`."""
        before = self._store.first
        self._store.forget_before(before + len(places))
        self._store.extend_front(lines)
        self._move(before, self._store.first, places)
        self._redraw()

    def _move(self, before: int, first: int, places: Sequence[int]) -> None:
        """Let marks and cursor stay on their lines, which were numbered from `before` on."""

        def moved(number: int) -> int:
            return first + places[number - before] if 0 <= number - before < len(places) else number

        self._marks = sorted(map(moved, self._marks))
        self._cursor, self._top = moved(self._cursor), moved(self._top)

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
        self._filter_anew()

    @property
    def joins(self) -> Joins | None:
        """What folds lines into the one before; None: nothing is folded."""
        return self._store.joins

    @joins.setter
    def joins(self, joins: Joins | None) -> None:
        self._store.joins = joins
        self._filter_anew()

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

    @property
    def hint(self) -> str:
        """What to say beside it while no line passes the predicate."""
        return self._hint

    @hint.setter
    def hint(self, hint: str) -> None:
        if hint != self._hint:
            self._hint = hint
            self._redraw()

    @property
    def is_oldest(self) -> bool:
        """Whether the cursor is on the oldest line that is shown."""
        return self.cursor_number is not None and self._store.index(self.cursor_number) == 0

    def held(self, number: int, count: int) -> tuple[int, Sequence[Any]]:
        """Return the first `count` lines held from a number on, shown or not, and the number of the first of them."""
        return self._store.held(number, count)

    @property
    def marks(self) -> int:
        """How many lines are marked."""
        return len(self._marks)

    def marked_lines(self) -> list[Any]:
        """Return the marked lines that are still held, oldest first, whether a filter hides them or not."""
        return [self._store[number] for number in self.marked_numbers()]

    def marked_numbers(self) -> list[int]:
        """Return the numbers of the marked lines that are still held, in order."""
        return [number for number in self._marks if number >= self._store.first]

    @property
    def cursor_line(self) -> Any:
        """The line under the cursor (the newest while following), as it was given; None when no line is shown."""
        number = self.cursor_number
        return None if number is None else self._store[number]

    @property
    def newest_line(self) -> Any:
        """The line that came last, shown or not; None when none is held."""
        return self._store[self._store.end - 1] if len(self._store) else None

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
            folded = f"(+{size - 1:,}) "
            spans = [(start + len(folded), end + len(folded), look) for start, end, look in shown.spans]
            return shown._replace(text=f"{folded}{shown.text}", spans=spans)
        return shown

    def _flush(self) -> None:
        raise NotImplementedError

    def _filter_anew(self) -> None:
        raise NotImplementedError

    def _redraw(self) -> None:
        raise NotImplementedError
