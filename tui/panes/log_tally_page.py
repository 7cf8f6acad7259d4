"""The page of a field of the Logs tab: its most frequent values, its average and p95, and the rate over time."""

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.sources.logs.judge import Judge
from tui.sources.logs.line import LogLine
from tui.sources.logs.messages import Gathering, Message
from tui.sources.logs.tally import Figures, Rates, Tally, Value
from widgets.cell import Cell, Column, Row
from widgets.clipboard import copy, write_to_file
from widgets.fitting import plain
from widgets.live_table import LiveTable
from widgets.log_view import LogView
from widgets.plot import Chart, Curve, Plot

_CHUNK: Final = 2_000
"""Lines counted before the screen has its turn: a few milliseconds."""
_TURN_S: Final = 0.002
_WAIT_S: Final = 0.3
_MOST_SHOWN: Final = 500
_TALL: Final = 20
"""Rows of a screen from which there is room for the plot."""
_CUT: Final = 120
_HINT: Final = "enter only these · x without them · c copy · s save · esc, q close"


class TallyPage(ModalScreen[None]):
    """Counts the visible messages, those that are there and those that come, while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g,q,i", "close", "Close", show=False, id="log_tally.close"),
        Binding("up,k", "move(-1)", "Up", show=False, id="log_tally.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="log_tally.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="log_tally.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="log_tally.page_down"),
        Binding("enter", "narrow(False)", "Show only these lines", show=False, id="log_tally.narrow"),
        Binding("x", "narrow(True)", "Hide these lines", show=False, id="log_tally.exclude"),
        Binding("c", "copy", "Copy everything", show=False, id="log_tally.copy"),
        Binding("s,w", "write", "Save to a file", show=False, id="log_tally.write"),
    ]

    DEFAULT_CSS = """
    TallyPage { align: center middle; }
    TallyPage > Vertical { width: 96%; height: 96%; min-height: 8; border: solid $primary;
        padding: 0 1; background: $surface; }
    TallyPage .title { text-style: bold; height: 1; }
    TallyPage .counts { height: 1; }
    TallyPage LiveTable { height: 1fr; min-height: 3; }
    TallyPage Plot { height: 9; min-height: 9; }
    TallyPage #hint { color: $text-muted; height: 1; }
    """

    def __init__(
        self,
        field: str,
        view: LogView,
        judge: Judge | None,
        narrow: Callable[[str, bool], None],
        beside: Callable[[], str] = lambda: "",
    ) -> None:
        """Prepare the page.

        Args:
            field: whose values are counted.
            view: has the lines.
            judge: tells which messages are counted; None: all.
            narrow: adds a filter, that hides what it means when the second argument says so.
            beside: tells what of the logs is not among the view's lines; empty when all of it is.
        """
        super().__init__()
        self._field = field
        self._view = view
        self._judge = judge
        self._narrow = narrow
        self._beside = beside
        self._gathering = Gathering()
        self._tally = Tally(field)
        self._rates = Rates()
        self._next = view.first_number

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        columns = [Column("count", "Count", 9), Column("share", "Share", 6), Column("errors", "Errors", 8),
                   Column("value", self._field)]  # fmt: skip
        table = LiveTable(columns, empty=f"no line with {plain(self._field)} yet", tree=True)
        table.can_focus = False
        with Vertical():
            yield Static(Text(plain(f"{self._field} of the visible messages")), classes="title")
            yield Static("", classes="counts", id="counts")
            yield Static("", classes="counts", id="figures")
            yield table
            yield Plot(empty="no lines yet")
            yield Static(Text(_HINT), id="hint")

    def on_mount(self) -> None:
        """Begin to count, and show how far it is."""
        self.run_worker(self._count(), exit_on_error=False)
        self.set_interval(1.0, self._draw)
        self.set_timer(0.15, self._draw)

    async def _count(self) -> None:
        while True:
            first, lines = self._view.held(self._next, _CHUNK)
            self._next = first + len(lines)
            if lines:
                await asyncio.to_thread(self._add, lines)
            await asyncio.sleep(_TURN_S if len(lines) == _CHUNK else _WAIT_S)

    def _add(self, lines: Sequence[LogLine]) -> None:
        visible = self._passing(self._gathering.take(lines))
        self._tally.add(visible)
        self._rates.add(visible)

    def _passing(self, messages: list[Message]) -> list[Message]:
        return messages if self._judge is None else list(filter(self._judge.of_message, messages))

    @property
    def _counted(self) -> Tally:
        """With the newest message of each log, which may still go on."""
        return self._tally.with_more(self._passing(self._gathering.open))

    def _draw(self) -> None:
        if not self.query("#hint"):  # closed by the next key before it was laid out
            return
        tally, behind = self._counted, self._view.first_number + self._view.line_count - self._next
        told = [f"{tally.messages:,} messages, {tally.with_field:,} with it, {tally.different:,} different values"]
        if tally.others:
            told.append(f"{tally.others:,} more beyond those told apart")
        if behind > _CHUNK:
            told.append(f"still counting: {behind:,} to go")
        told += [beside] if (beside := self._beside()) else []
        self.query_one("#counts", Static).update(Text("; ".join(told)))
        figures = self.query_one("#figures", Static)
        figures.display = (found := tally.figures()) is not None
        figures.update(Text(words(found)) if found else "")
        self.query_one(LiveTable).show({value.text: _row(value, tally.with_field) for value in tally.top(_MOST_SHOWN)})
        # The newest of them is not over yet, and would look like a fall.
        series = {"messages": self._rates.points()[:-1], "errors": self._rates.points(errors=True)[:-1]}
        curves = [Curve(name, points) for name, points in series.items() if any(value for _, value in points)]
        plot = self.query_one(Plot)
        plot.display = self.size.height >= _TALL
        plot.show(Chart(curves, title=f"messages a second, {self._rates.bucket_s} s each"))

    def _say(self, text: str) -> None:
        self.query_one("#hint", Static).update(Text(plain(text) or _HINT))

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss()

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.query_one(LiveTable).action_cursor(rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by screens."""
        self.query_one(LiveTable).action_page(pages)

    def action_narrow(self, excludes: bool) -> None:
        """Close, and show only the lines with the value under the cursor, or only the others."""
        key = self.query_one(LiveTable).cursor_key
        if isinstance(key, str):
            self.dismiss()
            self._narrow(asked(self._field, key), excludes)

    def _text(self) -> str:
        tally = self._counted
        rows = (f"{value.count}\t{value.errors}\t{value.text}\n" for value in tally.top(_MOST_SHOWN))
        head = f"{tally.messages} messages, {tally.with_field} with {self._field}\n"
        figures = f"{words(found)}\n" if (found := tally.figures()) else ""
        return f"{head}{figures}count\terrors\t{self._field}\n{''.join(rows)}"

    async def action_copy(self) -> None:
        """Copy everything."""
        self._say(await copy(self.app, self._text()))

    def action_write(self) -> None:
        """Write everything to a new file."""
        try:
            path = write_to_file(self._text(), Path.cwd(), f"log-{self._field}")
        except OSError as error:
            self._say(f"not written: {error.strerror or error}")
        else:
            self._say(f"written to {path}")


def words(found: Figures) -> str:
    """Return what the numbers come to, in words."""
    parts = [("average", found.mean), ("p50", found.p50), ("p95", found.p95), ("greatest", found.greatest)]
    told = "  ".join(f"{name} {value:,.6g}" for name, value in parts)
    sampled = "; p50 and p95 of the newest" if found.is_sampled else ""
    return f"{told}  of {found.count:,} numbers{sampled}"


def asked(field: str, value: str) -> str:
    """Return what one types to mean the lines with a value."""
    if field == "message":
        return f"/{re.sub('#', '.+', re.escape(value).replace(chr(92) + '#', '#')).replace('/', chr(92) + '/')}/"
    if len(value) >= _CUT:
        return f'{field} ~ "^{_quoted(re.escape(value))}"'
    plain_word = value and not re.search(r'[\s"()]', value)
    return f"{field} = {value}" if plain_word else f'{field} = "{_quoted(value)}"'


def _row(value: Value, whole: int) -> Row:
    errors = Cell(f"{value.errors:,}" if value.errors else "", "critical")
    return Row((f"{value.count:,}", _share(value.count, whole), errors, value.text))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _share(count: int, whole: int) -> str:
    percent = 100 * count / whole if whole else 0.0
    return f"{percent:.0f} %" if percent >= 1 else "<1 %"
