"""The floor that start and typing are held against: the smallest Textual app, with a field to type in when asked."""

import sys

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class EmptyApp(App[None]):
    """A word on the screen and nothing else."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        if sys.argv[1:] == ["input"]:
            field = Input()
            field.cursor_blink = False
            yield field
        yield Static("ready")


if __name__ == "__main__":
    EmptyApp().run(mouse=False)
