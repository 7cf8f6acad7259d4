"""Lines that still come, in a window: what a running program says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from widgets.clipboard import copy
from widgets.fitting import plain
from widgets.log_view import LogLine, LogView

_TICK_S: Final = 0.25
_LINES: Final = 2000


@dataclass(frozen=True, slots=True)
class LiveState:
    """What there is at one moment."""

    words: str
    """How it is: `runs for 12s`, `exit code 0`."""
    count: int
    """How many lines there have been in all."""
    lines: Sequence[str]
    """The last of them, cleaned."""
    is_over: bool


class LiveDialog(ModalScreen[None]):
    """Follows something that says lines, until it ends; closing the window does not end it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g,q", "close", "Close: it goes on", show=False, id="live.close"),
        Binding("c", "copy", "Copy everything", show=False, id="live.copy"),
        Binding("K", "kill", "Kill it, when pressed twice", show=False, id="live.kill"),
    ]

    DEFAULT_CSS = """
    LiveDialog { align: center middle; }
    LiveDialog > Vertical { width: 92%; height: 90%; min-height: 8; border: solid $primary;
        padding: 0 1; background: $surface; }
    LiveDialog .title { text-style: bold; height: 1; }
    LiveDialog .hint { color: $text-muted; height: 1; }
    """

    def __init__(self, title: str, state: Callable[[], LiveState], kill: Callable[[], object]) -> None:
        """Prepare the window.

        Args:
            title: one line above the lines.
            state: returns what there is now; asked four times a second while the window is open.
            kill: ends what says the lines.
        """
        super().__init__()
        self._heading = title
        self._state = state
        self._kill = kill
        self._shown = 0
        self._is_sure = False
        self._words = ""

    def compose(self) -> ComposeResult:
        """Lay the window out."""
        with Vertical():
            yield Static(Text(plain(self._heading), no_wrap=True, overflow="ellipsis"), classes="title")
            yield Static(id="live-words", classes="hint")
            yield LogView(max_lines=_LINES, empty="it has said nothing yet")
            yield Static(id="hint", classes="hint")

    def on_mount(self) -> None:
        """Begin to follow."""
        if not self.query("#hint"):  # closed by the next key before it was laid out
            return
        self.set_focus(self.query_one(LogView))
        self.tick()
        self._say("")
        self.set_interval(_TICK_S, self.tick)

    def tick(self) -> None:
        """Show what is new."""
        state = self._state()
        if fresh := min(state.count - self._shown, len(state.lines)):
            self.query_one(LogView).extend([LogLine(line) for line in list(state.lines)[-fresh:]])
        self._shown = state.count
        if state.words != self._words:
            self._words = state.words
            self.query_one("#live-words", Static).update(Text(plain(state.words), no_wrap=True, overflow="ellipsis"))

    def _say(self, text: str) -> None:
        keys = "c copy · K kill it · esc, q close: it goes on"
        self.query_one("#hint", Static).update(Text(plain(text) or keys, no_wrap=True, overflow="ellipsis"))

    def action_close(self) -> None:
        """Close the window."""
        self.dismiss()

    async def action_copy(self) -> None:
        """Copy everything that is kept."""
        self._say(await copy(self.app, "\n".join(self._state().lines)))

    def action_kill(self) -> None:
        """Kill it at the second press: the first may have been meant for what lay below."""
        if self._state().is_over:
            self._say("it has ended")
        elif not self._is_sure:
            self._is_sure = True
            self._say("K again kills it, with everything it has started")
        else:
            self._is_sure = False
            self._kill()
            self._say("killed")
