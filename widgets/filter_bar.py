"""A one-line filter that opens over a list and works while it is typed."""

from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.timer import Timer
from textual.widgets import Input, Static

from widgets.fitting import plain

_DEBOUNCE_S: Final = 0.05


_LEAVING: Final = frozenset({"enter", "escape", "ctrl+g", "down"})
_LONGEST_S: Final = 0.5


class _Field(Input):
    """An Input that is as wide as its place. Textual's own has the whole screen laid out again at every key.

    A key that leaves it takes several messages to do so. What is pressed right behind it belongs to the list: it is
    held until the focus has gone on.
    """

    virtual_size = Reactive(Size(0, 0), layout=False)

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self._held: list[events.Key] | None = None
        """What was pressed since a key that leaves; None: none is under way."""

    async def _on_key(self, event: events.Key) -> None:
        if self._held is not None:
            event.stop()
            event.prevent_default()
            self._held.append(event)
        elif event.key in _LEAVING:
            self._held = []
            self.set_timer(_LONGEST_S, self._let_go)  # should nobody take the focus

    def on_blur(self) -> None:
        """Pass on what belongs to whoever has the keys now."""
        self._let_go()

    def _let_go(self) -> None:
        held, self._held = self._held or (), None
        for key in held:
            self.app.post_message(events.Key(key.key, key.character))


class FilterBar(Horizontal):
    """Hidden until `open`; while a filter is kept it stays in sight, so that nobody takes a part for the whole."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g", "close", "Clear the filter, enter keeps it", key_display="esc", id="filter.close"),
        Binding("down", "keep", "Back to the list", show=False, id="filter.down"),
    ]

    DEFAULT_CSS = """
    FilterBar { height: 1; display: none; }
    FilterBar > .sign { width: auto; text-style: bold; }
    FilterBar > .sign.-word { padding-right: 1; }
    FilterBar > Input { width: 1fr; background: $boost; }
    FilterBar > .error { width: auto; max-width: 50%; text-style: bold; color: $text-error; }
    """

    class Filtered(Message):
        """The filter changed; also sent, with an empty text, when it is closed."""

        def __init__(self, bar: "FilterBar", text: str) -> None:
            super().__init__()
            self.bar = bar
            self.text = text

        @property
        def control(self) -> "FilterBar":
            """The bar that sent it."""
            return self.bar

    class Left(Message):
        """The person is done typing: keys belong to the list again."""

        def __init__(self, bar: "FilterBar") -> None:
            super().__init__()
            self.bar = bar

        @property
        def control(self) -> "FilterBar":
            """The bar that sent it."""
            return self.bar

    def __init__(self, *, id: str | None = None, sign: str = "/", placeholder: str = "") -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._sign = sign
        self._placeholder = placeholder or "text, /regex/, ! excludes; enter keeps it, esc clears it"
        self._told = ""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay the line out."""
        yield Static(self._sign, classes="sign -word" if len(self._sign) > 1 else "sign", markup=False)
        field = _Field(self._placeholder)
        field.cursor_blink = False
        yield field
        yield Static("", classes="error", markup=False)

    @property
    def text(self) -> str:
        """What is filtered by; setting it tells the list."""
        return self.query_one(Input).value

    @text.setter
    def text(self, text: str) -> None:
        self.query_one(Input).value = text
        self.display = bool(text) or self.has_focus_within
        self._tell()

    @property
    def error(self) -> str:
        """Why the filter cannot be read, shown beside it."""
        return str(self.query_one(".error", Static).content)

    @error.setter
    def error(self, error: str) -> None:
        if error != self.error:
            self.query_one(".error", Static).update(plain(error))

    def open(self) -> None:
        """Show the line and type into it."""
        self.display = True
        # At once, not when the queue is empty: the text often follows its "/" in the same burst.
        self.screen.set_focus(self.query_one(Input))

    def action_close(self) -> None:
        """Clear the filter and hide."""
        self.query_one(Input).value = ""
        self._tell()
        self.display = False
        self.post_message(self.Left(self))

    def action_keep(self) -> None:
        """Keep the filter and give the keys back."""
        self._tell()
        self.display = bool(self.text)
        self.post_message(self.Left(self))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell the list once the typing pauses."""
        event.stop()
        if self._timer is None and self.text != self._told:
            self._timer = self.set_timer(_DEBOUNCE_S, self._tell)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        self.action_keep()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Hide an empty line that nobody types into."""
        self.display = bool(self.text)

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.text != self._told:
            self._told = self.text
            self.error = ""
            self.post_message(self.Filtered(self, self.text))
