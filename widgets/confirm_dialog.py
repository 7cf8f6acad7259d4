"""Asks before something is done, so that nobody confirms by accident."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar, Final, Literal

from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from widgets.cell import Cell, Tone, cell_text
from widgets.fitting import plain
from widgets.quiet import Quiet

ConfirmMode = Literal["key", "type", "type+reason", "count", "count+reason"]
"""`key`: press y. `type`: type the expected text; `count`: type how many. `…+reason`: and say why."""

TargetState = Literal["unchanged", "changed", "gone"]

DEAF_S: Final = 0.5
"""Keys are dropped until this long has passed without any, and so is a `y` that comes sooner after another key."""

ALONE_S: Final = 0.3
"""A `y` counts when no other key follows within this: one that does was part of a word."""

EXPIRES_S: Final = 60.0

_TICK_S: Final = 0.1
_NOT_ALONE: Final = "Not counted: y must stand alone, with no other key half a second before it or right after it."
_BOLD: Final[dict[Tone, str]] = {"critical": "bold", "warn": "bold", "dim": "dim"}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A person said yes."""

    reason: str = ""
    """Why, in their words; empty where none was asked for."""


class ConfirmDialog(ModalScreen[Confirmation | None], inherit_bindings=False):
    """Shows what is about to happen and returns a `Confirmation`, or None when cancelled or expired.

    Keys pressed before it opened, and until half a second has passed without any, are dropped. Enter never confirms by
    itself: `y` does, when it stands alone, or the Confirm button once the expected text stands in the field. So it
    holds also against somebody who types on in the same tmux, and against keys that a stalled link delivers at once.
    """

    AUTO_FOCUS = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", "Yes", show=False, id="confirm.yes"),
        Binding("escape,ctrl+g,q", "cancel", "Cancel", show=False, id="confirm.cancel"),
        Binding("tab", "app.focus_next", "Next field", show=False, id="confirm.next"),
        Binding("shift+tab", "app.focus_previous", "Previous field", show=False, id="confirm.previous"),
        Binding("up", "scroll(-1)", "Scroll up", show=False, id="confirm.up"),
        Binding("down", "scroll(1)", "Scroll down", show=False, id="confirm.down"),
        Binding("pageup", "scroll(-8)", "Page up", show=False, id="confirm.page_up"),
        Binding("pagedown", "scroll(8)", "Page down", show=False, id="confirm.page_down"),
    ]

    DEFAULT_CSS = """
    ConfirmDialog { align: center middle; }
    ConfirmDialog > Vertical { width: 100; max-width: 100%; height: auto; max-height: 100%; border: solid $warning;
        padding: 0 1; background: $surface; }
    ConfirmDialog .title { text-style: bold; }
    ConfirmDialog VerticalScroll { height: auto; scrollbar-size: 1 1; }
    ConfirmDialog Static { height: auto; }
    ConfirmDialog Input { background: $boost; }
    ConfirmDialog .said { text-style: bold; }
    ConfirmDialog Horizontal { height: 1; }
    ConfirmDialog Button { margin-right: 2; }
    ConfirmDialog #confirm:disabled { border: none !important; text-style: dim; }
    ConfirmDialog .hint { color: $text-muted; }
    """

    def __init__(
        self,
        title: str,
        lines: Sequence[tuple[str, str | Cell]],
        *,
        mode: ConfirmMode = "key",
        expected: str = "",
        verb: str = "Confirm",
        expires_s: float = EXPIRES_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare the dialog.

        Args:
            title: what is asked, in one line.
            lines: label and text of what a person must know; a label of `""` continues the one above.
            mode: how it is confirmed.
            expected: what must be typed: the target's name, or the number of targets; unused in mode `key`.
            verb: what the button says.
            expires_s: seconds until it cancels itself.
            clock: seconds that only grow.
        """
        super().__init__()
        if mode != "key" and not expected:
            raise ValueError(f"mode {mode!r} needs the text that must be typed")
        self._heading = title
        self._facts = tuple(lines)
        self._mode = mode
        self._expected = expected
        self._verb = verb
        self._clock = clock
        self._expires_s = expires_s
        self._opened_at = clock()
        self._quiet = Quiet(clock, _TICK_S)
        self._quiet_before_s = 0.0
        """How long it had been quiet before the key that is being handled."""
        self._is_listening = self._is_confirming = self._is_done = False
        self._state: TargetState = "unchanged"
        self._state_text = ""
        self.has_expired = False
        """Whether it cancelled itself."""

    def compose(self) -> ComposeResult:
        """Lay the dialog out."""
        with Vertical():
            yield Static(Text(plain(self._heading)), classes="title")
            with VerticalScroll(can_focus=False):
                yield Static(_facts_table(self._facts))
            yield Static(id="state", classes="said")
            if self._mode != "key":
                what = "how many" if self._mode.startswith("count") else "the name"
                yield Static(Text(f"Type {what} to go on: {plain(self._expected)}"))
                field = Input(id="typed", compact=True, select_on_focus=False)
                field.cursor_blink = False
                yield field
            if self._asks_why:
                yield Static("Why (goes into the record):")
                field = Input(id="reason", compact=True, select_on_focus=False)
                field.cursor_blink = False
                yield field
            yield Static(id="said", classes="said")
            with Horizontal():
                yield Button("No, do nothing", id="cancel", compact=True)
                if self._mode != "key":
                    yield Button(Text(self._verb), id="confirm", compact=True, disabled=True)
            yield Static(id="hint", classes="hint")

    def on_mount(self) -> None:
        """Start the clock."""
        self._opened_at = self._clock()
        self._quiet = Quiet(self._clock, _TICK_S)
        self._say("#said", "")
        self._show_state()
        self.set_interval(_TICK_S, self.tick)
        self.tick()

    @property
    def _asks_why(self) -> bool:
        return self._mode.endswith("+reason")

    # What is told while it is open

    @property
    def state(self) -> TargetState:
        """What became of the target since the dialog opened."""
        return self._state

    def set_state(self, state: TargetState, text: str = "") -> None:
        """Tell what became of the target; `gone` makes confirming impossible, also when it comes back."""
        if self._state == "gone":
            return
        self._state, self._state_text = state, text
        if self.is_mounted:
            self._show_state()

    def _show_state(self) -> None:
        state, text = self._state, self._state_text
        words = {"unchanged": "", "changed": "CHANGED since this opened: ", "gone": "GONE, nothing can be done: "}[
            state
        ]
        self._say("#state", words + text if state != "unchanged" else "")
        self._is_confirming = self._is_confirming and state == "unchanged"  # the `y` was meant for what stood there
        self._enable()

    def _say(self, where: str, text: str) -> None:
        line = self.query_one(where, Static)
        line.update(Text(plain(text)))
        line.display = bool(text)
        self._fit()

    # Time

    def tick(self) -> None:
        """Count the time, ten times a second: listen, confirm what was meant, or expire."""
        self._quiet.tick()
        left = self._left_s()
        if left <= 0 or (self._is_confirming and self._quiet.seconds >= ALONE_S):
            self._finish(Confirmation() if self._is_confirming else None)
            return
        if not self._is_listening and self._quiet.seconds >= DEAF_S:
            self._is_listening = True
            self.query_one("#cancel" if self._mode == "key" else "#typed").focus()
        self._show_hint(int(left) + 1)

    def _left_s(self) -> float:
        return self._opened_at + self._expires_s - self._clock()

    def on_screen_resume(self) -> None:
        """Be deaf again when what covered this one has closed: the keys that come now were meant for that."""
        self._is_listening = self._is_confirming = False
        self._quiet.key()
        self.set_focus(None)

    def _show_hint(self, seconds: int) -> None:
        keys = self._keys_now()
        text = f"{keys} · closes in {seconds} s" if self._is_listening else "wait: keys do not count yet"
        hint = self.query_one("#hint", Static)
        if hint.content != text:
            hint.update(text)

    def _keys_now(self) -> str:
        if self._is_confirming:
            return "y: one moment, unless another key comes"
        if self._mode == "key":
            return f"{'y: do it · ' if self._state != 'gone' else ''}enter, esc, q: do nothing"
        if self.focused is not None and self.focused.id == "confirm":
            return "enter: DO IT · tab: next field · esc: do nothing"
        return "tab: next field · esc, ctrl+g: do nothing"

    # Keys

    def on_descendant_focus(self) -> None:
        """Say at once what Enter does here."""
        self._show_hint(int(self._left_s()) + 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Drop keys until it has been quiet for a while."""
        return self._is_listening

    def on_key(self, event: events.Key) -> None:
        """Wait longer when keys come before the dialog listens: somebody is still typing to what was there before."""
        self._quiet_before_s = self._quiet.key()
        if not self._is_listening:
            event.stop()
        elif self._is_confirming:
            event.stop()
            self._is_confirming = False
            self._say("#said", _NOT_ALONE)

    def on_resize(self, event: events.Resize) -> None:
        """Give the facts all the height that the questions below them leave."""
        self._fit()

    def _fit(self) -> None:
        around = 5 if self._mode == "key" else 9 if self._asks_why else 7  # border, title, fields, buttons, hint
        around += sum(self.query_one(where).display for where in ("#state", "#said"))
        self.query_one(VerticalScroll).styles.max_height = max(3, self.size.height - around)

    def action_scroll(self, lines: int) -> None:
        """Scroll the body."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_cancel(self) -> None:
        """Do nothing and close."""
        self._finish(None)

    def action_confirm(self) -> None:
        """Confirm where a key is enough and the target is still there."""
        if self._mode != "key":
            self._say("#said", "A key is not enough here: type the text and use the button.")
        elif self._state == "gone":
            self._say("#said", "Refused: the target is gone.")
        elif self._quiet_before_s < DEAF_S:
            self._say("#said", _NOT_ALONE)
        else:
            self._is_confirming = True
            self._say("#said", "")
            self._show_hint(int(self._left_s()) + 1)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Open the button when everything asked for is there."""
        event.stop()
        self._say("#said", "")
        self._enable()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Say what is missing, or go on to the next field; Enter in a field never confirms."""
        event.stop()
        if missing := self._missing():
            self._say("#said", f"Refused: {missing}.")
            if event.input.id == "typed" and event.value == self._expected and self._asks_why:
                self.query_one("#reason").focus()
        else:
            self.query_one("#confirm").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, or confirm when nothing is missing."""
        event.stop()
        if event.button.id == "cancel":
            self._finish(None)
        elif missing := self._missing():
            self._say("#said", f"Refused: {missing}.")
        else:
            self._finish(Confirmation(self._typed("#reason").strip()))

    def _typed(self, where: str) -> str:
        fields = self.query(where).results(Input)
        return next((field.value for field in fields), "")

    def _missing(self) -> str:
        """Return what keeps this from being confirmed; empty when nothing does."""
        if self._state == "gone":
            return "the target is gone"
        if not self._is_listening:
            return "it has only just opened"
        if (typed := self._typed("#typed")) != self._expected:
            return f"{plain(typed)!r} is not {plain(self._expected)!r}" if typed else "nothing was typed"
        if self._asks_why and not self._typed("#reason").strip():
            return "a reason is needed"
        return ""

    def _enable(self) -> None:
        for button in self.query("#confirm").results(Button):
            button.disabled = bool(self._missing())

    def _finish(self, answer: Confirmation | None) -> None:
        # Two keyboards may answer in the same moment; the first counts. And while another screen covers this one,
        # dismissing would close that in its place: then the next tick after it asks again.
        if self._is_done or not self.is_active:
            return
        self._is_done = True
        # A program that was stopped and goes on may get the key before the tick.
        self.has_expired = self._left_s() <= 0
        self.dismiss(None if self.has_expired else answer)


def _facts_table(facts: Sequence[tuple[str, str | Cell]]) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(ratio=1, overflow="fold")
    for label, value in facts:
        tone: Tone = value.tone if isinstance(value, Cell) else ""
        lines = [plain(line) for line in cell_text(value).split("\n")]
        table.add_row(Text(plain(label)), Text("\n".join(lines), style=_BOLD.get(tone, "")))
    return table
