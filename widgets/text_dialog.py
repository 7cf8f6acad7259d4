"""A page of text to read, copy, or write to a file."""

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from widgets.clipboard import copy, write_to_file
from widgets.filter_bar import FilterBar
from widgets.fitting import plain
from widgets.log_view import LogLine, LogView
from widgets.text_filter import compile_typed


class TextDialog(ModalScreen[None]):
    """Shows text as it is: nothing in it is markup."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g,q", "close", "Close", show=False, id="text.close"),
        Binding("c", "copy", "Copy everything", show=False, id="text.copy"),
        Binding("slash", "search", "Search", show=False, id="text.search"),
        Binding("s,w", "write", "Save to a file", show=False, id="text.write"),
    ]

    DEFAULT_CSS = """
    TextDialog { align: center middle; }
    TextDialog > Vertical { width: 92%; height: 90%; min-height: 8; border: solid $primary;
        padding: 0 1; background: $surface; }
    TextDialog .title { text-style: bold; height: 1; }
    TextDialog .hint { color: $text-muted; height: 1; }
    """

    def __init__(self, title: str, text: str, *, folder: Path | None = None, stem: str = "text") -> None:
        """Prepare the page.

        Args:
            title: one line above the text.
            text: lines, cleaned where they came in.
            folder: where `s` writes; None: the current folder.
            stem: what the file's name begins with.
        """
        super().__init__()
        self._heading = title
        self._text = text
        self._folder = folder
        self._stem = stem

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        lines = self._text.split("\n")
        with Vertical():
            yield Static(Text(plain(self._heading), no_wrap=True, overflow="ellipsis"), classes="title")
            yield _Page(lines)
            yield FilterBar(sign="/", placeholder="regular expression; n next, N previous")
            yield Static(id="hint", classes="hint")

    def on_mount(self) -> None:
        """Begin at the top."""
        if not self.query("#hint"):  # closed by the next key before it was laid out
            return
        self._say("")
        self.set_focus(self.query_one(_Page))

    def _say(self, text: str) -> None:
        keys = "c copy · s save · / search, n next, N previous · esc, q close"
        self.query_one("#hint", Static).update(Text(plain(text) or keys, no_wrap=True, overflow="ellipsis"))

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss()

    async def action_copy(self) -> None:
        """Copy everything."""
        self._say(await copy(self.app, self._text))

    def action_write(self) -> None:
        """Write everything to a new file."""
        try:
            path = write_to_file(self._text, self._folder or Path.cwd(), self._stem)
        except OSError as error:
            self._say(f"not written: {error.strerror or error}")
        else:
            self._say(f"written to {path}")

    def action_search(self) -> None:
        """Type what to look for."""
        self.query_one(FilterBar).open()

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        """Mark what matches."""
        message.stop()
        try:
            pattern = compile_typed(message.text) if message.text else None
        except ValueError as error:
            message.bar.error = str(error)
        else:
            self.query_one(_Page).highlight = pattern

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Go to the first match from here."""
        message.stop()
        page = self.query_one(_Page)
        self.set_focus(page)
        if page.highlight is not None and (line := page.cursor_line) and not page.highlight.search(line.text):
            page.action_search(1)


class _Page(LogView):
    """Text that wraps, from its beginning."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("N", "search(-1)", "Previous match", show=False, id="text.previous"),
    ]

    def __init__(self, lines: list[str]) -> None:
        super().__init__(max_lines=max(1, len(lines)), empty="empty")
        self.extend([LogLine(line) for line in lines])
        self.action_wrap()
        self.action_first()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave `w` to the dialog: the page always wraps."""
        return action != "wrap"
