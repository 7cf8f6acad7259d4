"""Asks for one of several things, or for one value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from widgets.cell import Cell, Column, Row
from widgets.fitting import plain, width_of
from widgets.live_table import LiveTable
from widgets.quiet import Quiet

_TICK_S: Final = 0.05
_DEAF_S: Final = 0.5
"""How long nobody may have pressed a key before the first Enter counts as an answer."""

_WIDTH: Final = 110
_AROUND: Final = 8
"""Cells of a line that the border, the cursor, the gap and the scrollbar take."""
_LABEL: Final = 40

_CSS = """
    {0} {{ align: center middle; }}
    {0} > Vertical {{ width: {1}; max-width: 100%; height: auto; max-height: 100%; border: solid $primary; padding: 0 1;
        background: $surface; }}
    {0} .title {{ text-style: bold; height: auto; }}
    {0} Static {{ height: auto; }}
    {0} Input {{ background: $boost; }}
    {0} .hint {{ color: $text-muted; }}
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose."""

    key: str
    """What the dialog returns."""
    label: str
    note: str = ""
    """Said beside it."""


class ChooseDialog(ModalScreen[str | None]):
    """A list that narrows while one types; returns the key of the choice, or None."""

    AUTO_FOCUS = "Input"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g", "cancel", "Cancel", show=False, id="choose.cancel"),
        Binding("up", "move(-1)", "Up", show=False, id="choose.up", priority=True),
        Binding("down", "move(1)", "Down", show=False, id="choose.down", priority=True),
        Binding("pageup", "page(-1)", "Page up", show=False, id="choose.page_up", priority=True),
        Binding("pagedown", "page(1)", "Page down", show=False, id="choose.page_down", priority=True),
    ]

    DEFAULT_CSS = _CSS.format("ChooseDialog", _WIDTH) + "ChooseDialog LiveTable { height: auto; max-height: 14; }"

    def __init__(self, title: str, choices: Sequence[Choice], *, is_answer: bool = False) -> None:
        """Prepare the dialog.

        Args:
            title: what is asked.
            choices: what there is to choose from, in order.
            is_answer: whether what is chosen counts as somebody's word: then an Enter that comes right after the
                dialog, meant for what was there before, chooses nothing.
        """
        super().__init__()
        self._heading = title
        self._choices = tuple(choices)
        self._is_touched = False
        self._quiet = Quiet(monotonic, _TICK_S) if is_answer else None

    def on_mount(self) -> None:
        """Count the time without a key, where it matters."""
        if self._quiet is not None:
            self.set_interval(_TICK_S, self._quiet.tick)

    def compose(self) -> ComposeResult:
        """Lay the dialog out."""
        columns = [Column("label", "", self._label_width()), Column("note", "")]
        table = LiveTable(columns, empty="nothing to choose from", tree=True)
        table.can_focus = False
        table.show({c.key: Row((c.label, Cell(c.note, "dim"))) for c in self._choices})
        field = Input(placeholder="type to narrow", compact=True)
        field.cursor_blink = False
        with Vertical():
            yield Static(Text(plain(self._heading)), classes="title")
            yield field
            yield table
            yield Static("enter: choose · up, down: move · esc, ctrl+g: cancel", classes="hint", markup=False)

    def _label_width(self) -> int:
        """Return how wide the labels stand: whole where they and the notes have room, and else at least `_LABEL`."""
        label = max((width_of(choice.label) for choice in self._choices), default=8)
        note = max((width_of(choice.note) for choice in self._choices), default=0)
        room = min(_WIDTH, self.app.size.width) - _AROUND - note
        return min(label, max(_LABEL, room))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        event.stop()
        self._is_touched = True
        self.query_one(LiveTable).filter_text = event.value

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Choose what the cursor is on."""
        event.stop()
        if self._quiet is not None and not self._is_touched and self._quiet.key() < _DEAF_S:
            return
        key = self.query_one(LiveTable).cursor_key
        if isinstance(key, str):
            self.dismiss(key)

    def action_move(self, rows: int) -> None:
        """Move the cursor of the list."""
        self._is_touched = True
        self.query_one(LiveTable).action_cursor(rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor of the list by screens."""
        self.query_one(LiveTable).action_page(pages)

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)


class InputDialog(ModalScreen[str | None]):
    """Asks for one value; returns it once `problem` has nothing against it, or None."""

    AUTO_FOCUS = "Input"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g", "cancel", "Cancel", show=False, id="input.cancel"),
    ]

    DEFAULT_CSS = _CSS.format("InputDialog", _WIDTH) + "InputDialog #said { text-style: bold; }"

    def __init__(
        self,
        title: str,
        *,
        text: str = "",
        value: str = "",
        placeholder: str = "",
        problem: Callable[[str], str] = lambda typed: "",
    ) -> None:
        """Prepare the dialog.

        Args:
            title: what is asked.
            text: more about it.
            value: what the field holds at first.
            placeholder: an example.
            problem: returns what is wrong with a value, in words; empty when nothing is.
        """
        super().__init__()
        self._heading = title
        self._more = text
        self._value = value
        self._placeholder = placeholder
        self._problem = problem

    def compose(self) -> ComposeResult:
        """Lay the dialog out."""
        field = Input(self._value, placeholder=self._placeholder, compact=True)
        field.cursor_blink = False
        with Vertical():
            yield Static(Text(plain(self._heading)), classes="title")
            if self._more:
                yield Static(Text("\n".join(map(plain, self._more.split("\n")))))
            yield field
            yield Static("", id="said")
            yield Static("enter: take it · esc, ctrl+g: cancel", classes="hint", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once what is wrong with what stands there."""
        event.stop()
        problem = self._problem(event.value) if event.value else ""
        self.query_one("#said", Static).update(Text(plain(problem)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the value when nothing is wrong with it."""
        event.stop()
        if problem := self._problem(event.value):
            self.query_one("#said", Static).update(Text(plain(problem)))
        else:
            self.dismiss(event.value)

    def action_cancel(self) -> None:
        """Give no value."""
        self.dismiss(None)
