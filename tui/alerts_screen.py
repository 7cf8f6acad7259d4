"""The alerts in one list: read, acknowledged, silenced, copied, and a runbook begun from the row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.rules import Alert, Trouble
from widgets.cell import Cell, Column, Row, Tone
from widgets.clipboard import copy, write_to_file
from widgets.dialogs import TextDialog
from widgets.fitting import plain
from widgets.live_table import LiveTable

_HINT = "enter runbook · A ack · Z silence · X take back · h history · c copy · s save · esc, q close"


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One line of the page."""

    word: str
    """`CRITICAL`, `NO DATA`."""
    text: str
    about: Trouble
    tone: Tone = ""
    more: str = ""
    """Said below the list while the cursor is on it."""

    @property
    def key(self) -> str:
        """By what it is known while its words change."""
        kind = "" if isinstance(self.about, Alert) else self.word
        return "\0".join((kind, self.about.source, self.about.metric, self.about.object))

    def line(self) -> str:
        """Return it as text."""
        return "; ".join(filter(None, (f"{self.word:<8} {self.text}", self.more)))


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Everything on the page."""

    head: Sequence[str]
    """Lines above the list."""
    rows: Sequence[AlertRow]

    def text(self) -> str:
        """Return the page to copy or to save."""
        calm = [] if self.rows else ["No alert is up, and every system answers."]
        return "\n".join([*self.head, *(row.line() for row in self.rows), *calm])


class AlertsScreen(ModalScreen[None]):
    """Shows the alerts and what does not answer, a second old at most."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g,q", "close", "Close", show=False, id="alerts.close"),
        Binding("up,k", "move(-1)", "Up", show=False, id="alerts.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="alerts.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="alerts.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="alerts.page_down"),
        Binding("enter", "runbook", "Begin the runbook for it", show=False, id="alerts.runbook"),
        Binding("A", "acknowledge", "Acknowledge", show=False, id="alerts.acknowledge"),
        Binding("Z", "silence", "Silence for a while", show=False, id="alerts.silence"),
        Binding("X", "take_back", "Take acknowledgement or silence back", show=False, id="alerts.take_back"),
        Binding("h", "history", "History: the alerts so far", show=False, id="alerts.history"),
        Binding("c", "copy", "Copy everything", show=False, id="alerts.copy"),
        Binding("s,w", "write", "Save to a file", show=False, id="alerts.write"),
    ]

    DEFAULT_CSS = """
    AlertsScreen { align: center middle; }
    AlertsScreen > Vertical { width: 92%; height: 90%; min-height: 8; border: solid $primary;
        padding: 0 1; background: $surface; }
    AlertsScreen .title { text-style: bold; height: 1; }
    AlertsScreen #head { height: auto; max-height: 8; }
    AlertsScreen LiveTable { height: 1fr; }
    AlertsScreen #more { height: auto; max-height: 6; }
    AlertsScreen #hint { color: $text-muted; height: auto; max-height: 2; }
    """

    def __init__(
        self,
        page: Callable[[], AlertPage],
        offer: Callable[[Trouble], None],
        act: Callable[[str, Alert], None],
        history: Callable[[], str],
    ) -> None:
        """Prepare the page.

        Args:
            page: returns what is to be shown now.
            offer: offers the runbooks that are for a row.
            act: does `acknowledge`, `silence` or `take_back` with an alert.
            history: returns the alerts so far, as lines.
        """
        super().__init__()
        self._page = page
        self._offer = offer
        self._act = act
        self._history = history
        self._rows: dict[str, AlertRow] = {}
        self._held = ""
        """The row that a person chose: the cursor stays on it wherever it goes."""

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        table = LiveTable(
            [Column("level", "", 8), Column("text", "")], empty="No alert is up, and every system answers."
        )
        table.can_focus = False
        with Vertical():
            yield Static("Alerts", classes="title", markup=False)
            yield Static(id="head")
            yield table
            yield Static(id="more")
            yield Static(id="hint")

    def on_mount(self) -> None:
        """Show what is up, and go on doing so."""
        self.say("")
        self.draw()
        self.set_interval(1.0, self.draw)

    def draw(self) -> None:
        """Show what is up now."""
        if not self.query("#hint"):  # closed by the next key before it was laid out
            return
        page = self._page()
        self._rows = {row.key: row for row in page.rows}
        head = self.query_one("#head", Static)
        head.display = bool(page.head)
        head.update(_wrapped("\n".join(page.head).rstrip("\n")))
        table = self.query_one(LiveTable)
        table.show(
            {row.key: Row((Cell(row.word, row.tone), row.text), tone="dim" if row.tone == "dim" else "")
             for row in page.rows}
        )  # fmt: skip
        if self._held in self._rows:
            table.cursor_key = self._held
        self._tell_more()

    def _hold(self) -> None:
        self._held = str(self.query_one(LiveTable).cursor_key)

    def _tell_more(self) -> None:
        row = self._row()
        whole = "" if row is None else "\n".join(filter(None, (row.text, row.more)))
        self.query_one("#more", Static).update(_wrapped(whole))

    def _row(self) -> AlertRow | None:
        return self._rows.get(str(self.query_one(LiveTable).cursor_key))

    def say(self, text: str) -> None:
        """Say a sentence in the place of the keys; empty: the keys again."""
        self.query_one("#hint", Static).update(Text(plain(text) or _HINT))

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:
        """Tell more about the row."""
        message.stop()
        self._tell_more()

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss()

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.say("")
        self.query_one(LiveTable).action_cursor(rows)
        self._hold()

    def action_page(self, pages: int) -> None:
        """Move the cursor by screens."""
        self.query_one(LiveTable).action_page(pages)
        self._hold()

    def action_runbook(self) -> None:
        """Begin the runbook of what is under the cursor."""
        if row := self._row_held():
            self._offer(row.about)

    def action_acknowledge(self) -> None:
        """Say that somebody is on it."""
        self._do("acknowledge")

    def action_silence(self) -> None:
        """Say that it is no news for a while."""
        self._do("silence")

    def action_take_back(self) -> None:
        """Take back what was said of the alert."""
        self._do("take_back")

    def _row_held(self) -> AlertRow | None:
        """Return the row a key is about, and keep the cursor on it; None, and say so, when there is none."""
        if (row := self._row()) is None:
            self.say("no alert is up")
        self._hold()
        return row

    def _do(self, what: str) -> None:
        if (row := self._row_held()) is None:
            return
        if isinstance(row.about, Alert):
            self._act(what, row.about)
        else:
            self.say("this is no alert: it ends when the system answers")

    def action_history(self) -> None:
        """Show the alerts so far."""
        text = self._history() or "no alert came since the timeline begins"
        self.app.push_screen(TextDialog("Alerts so far", text, stem="alerts"))

    async def action_copy(self) -> None:
        """Copy everything."""
        self.say(await copy(self.app, self._page().text()))

    def action_write(self) -> None:
        """Write everything to a new file."""
        try:
            path = write_to_file(self._page().text(), Path.cwd(), "alerts")
        except OSError as error:
            self.say(f"not written: {error.strerror or error}")
        else:
            self.say(f"written to {path}")


def _wrapped(text: str) -> Text:
    return Text("\n".join(map(plain, text.split("\n"))))
