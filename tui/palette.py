"""The command palette: Textual's own, unharmed by keys that come twice or too early."""

from contextlib import suppress
from typing import Any, ClassVar

from textual import on
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.worker import Worker


class Palette(CommandPalette):
    """A palette that runs what was chosen once.

    Textual's own runs it again at a second Enter that comes while it closes, and then ends the whole program for
    want of a screen to close; it ends it too at a Page Down before its list is drawn, and at an Escape in mid-search.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g", "escape", "Close", show=False, id="palette.close"),
    ]

    _is_closing = False

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _choose_once(self, event: Message) -> None:
        if self._is_closing:
            event.stop()
            event.prevent_default()

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close; once."""
        if self._is_closing:
            return AwaitComplete()
        self._is_closing = True
        return super().dismiss(result)

    def run_worker(self, *work: Any, **options: Any) -> Worker[Any]:
        """Run a worker that may fail: a search that ends after the palette closed finds no list to fill."""
        return super().run_worker(*work, **{**options, "exit_on_error": False})

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):  # its lines are not laid out yet
            super()._action_command_list(action)
