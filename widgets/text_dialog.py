"""A page of text to read, copy, or write to a file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import ClassVar, Final

from rich.text import Text
from textual import events
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

_NARROW: Final = 100
"""Cells of a screen on which a page takes the whole width."""
_COUNT_S: Final = 0.02
"""How long matches are counted: the next key waits meanwhile."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Lines of a page that stand folded until a key unfolds them."""

    name: str
    """What they are, in a word."""
    at: int
    """The number of the line of the text before which they belong, from 0."""
    summary: str
    """The line that stands for them while they are folded."""
    lines: tuple[str, ...]


class TextDialog(ModalScreen[None]):
    """Shows text as it is: nothing in it is markup."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g,q", "close", "Close", show=False, id="text.close"),
        Binding("c", "copy", "Copy everything", show=False, id="text.copy"),
        Binding("slash", "search", "Search", show=False, id="text.search"),
        Binding("s,w", "write", "Save to a file", show=False, id="text.write"),
        Binding("z", "fold", "Unfold what is folded, or fold it again", show=False, id="text.fold"),
        Binding("f", "onward", "Go on from here", show=False, id="text.onward"),
    ]

    DEFAULT_CSS = """
    TextDialog { align: center middle; }
    TextDialog > Vertical { width: 92%; height: 90%; min-height: 8; border: solid $primary;
        padding: 0 1; background: $surface; }
    TextDialog.-narrow > Vertical { width: 100%; }
    TextDialog .title { text-style: bold; height: 1; }
    TextDialog .hint { color: $text-muted; height: 1; }
    """

    def __init__(
        self,
        title: str,
        text: str,
        *,
        folder: Path | None = None,
        stem: str = "text",
        folded: Folded | None = None,
        from_end: bool = False,
        onward: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """Prepare the page.

        Args:
            title: one line above the text.
            text: lines, cleaned where they came in.
            folder: where `s` writes; None: the current folder.
            stem: what the file's name begins with.
            folded: lines of it that are seen, searched, copied and written only once they are unfolded.
            from_end: whether its end is what is read first.
            onward: where `f` leads from here, in two or three words, and what it calls once the page is closed; None
                where it leads nowhere.
        """
        super().__init__()
        self._heading = title
        self._lines = [LogLine(line) for line in text.split("\n")]
        self._folded = folded
        if folded is not None:
            self._lines[folded.at : folded.at] = [_Summary(folded.summary), *map(_Unfolded, folded.lines)]
        self._is_folded = folded is not None
        self._folder = folder
        self._stem = stem
        self._is_from_end = from_end
        self._onward = onward

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        with Vertical():
            yield Static(Text(plain(self._heading), no_wrap=True, overflow="ellipsis"), classes="title")
            yield _Page(self._lines, from_end=self._is_from_end)
            yield FilterBar(sign="/", placeholder="regular expression; n next, N previous")
            yield Static(id="hint", classes="hint")

    def on_mount(self) -> None:
        """Give the keys to the page."""
        if not self.query("#hint"):  # closed by the next key before it was laid out
            return
        self._say("")
        page = self.query_one(_Page)
        self._fit(page)
        if not self._is_from_end:
            page.action_first()
        self.set_focus(page)

    @property
    def _text(self) -> str:
        return "\n".join(line.text for line in self._shown())

    def _shown(self) -> Iterator[LogLine]:
        hidden = _Unfolded if self._is_folded else _Summary
        return (line for line in self._lines if not isinstance(line, hidden))

    def _fit(self, page: "_Page") -> None:
        hidden = _Unfolded if self._is_folded else _Summary
        if self._folded is not None:
            page.predicate = lambda line: not isinstance(line, hidden)

    def action_fold(self) -> None:
        """Unfold what is folded, or fold it again; the cursor stays where it is, or goes to the folded line."""
        page, folded = self.query_one(_Page), self._folded
        if folded is None:
            return
        self._is_folded = not self._is_folded
        number, within = page.cursor_number, range(folded.at, folded.at + 1 + len(folded.lines))
        self._fit(page)
        if number is not None:
            page.stand_at((folded.at if self._is_folded else folded.at + 1) if number in within else number)
        self._say(self._matches(page))

    def _matches(self, page: "_Page") -> str:
        """Return how many lines match what is searched for, and where that is not looked for; empty: nothing is."""
        if (pattern := page.highlight) is None:
            return ""
        count, more, until = 0, "", perf_counter() + _COUNT_S
        for line in self._shown():
            count += pattern.search(line.text) is not None
            if perf_counter() > until:
                more = "at least "
                break
        words = f"{more}{count} line{'' if count == 1 else 's'} match{'es' if count == 1 else ''}"
        if self._folded is not None and self._is_folded:
            words += f" · not looked for in {self._folded.name}: z unfolds them"
        return f"{words} · n next, N previous"

    def on_resize(self, event: events.Resize) -> None:
        """Take the whole width of a small screen: a line of a log or of YAML needs it more than what lies behind."""
        self.set_class(event.size.width < _NARROW, "-narrow")

    def _say(self, text: str) -> None:
        # On a narrow screen the way out must not be what is cut.
        keys = "c copy · s save · / search, n next, N previous · esc, q close"
        if self._folded is not None:
            fold = "unfold" if self._is_folded else "fold"
            keys = f"z {fold} · c copy · s save · / search, n next, N back · esc, q close"
        if self._onward is not None:
            keys = f"f {self._onward[0]} · c copy · s save · / search · esc, q close"
        self.query_one("#hint", Static).update(Text(plain(text) or keys, no_wrap=True, overflow="ellipsis"))

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Have the key for folding only where something is folded, and none for what leads nowhere."""
        if action == "fold":
            return self._folded is not None
        return action != "onward" or self._onward is not None

    def action_onward(self) -> None:
        """Close the page and go where it leads."""
        if self._onward is not None:
            self.dismiss()
            self._onward[1]()

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
            page = self.query_one(_Page)
            page.highlight = pattern
            self._say(self._matches(page))

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Go to the first match from here."""
        message.stop()
        page = self.query_one(_Page)
        self.set_focus(page)
        if page.highlight is not None and (line := page.cursor_line) and not page.highlight.search(line.text):
            page.action_search(1)


class _Summary(LogLine):
    """The line that stands for those that are folded."""

    __slots__ = ()


class _Unfolded(LogLine):
    """A line that is seen only when it is unfolded."""

    __slots__ = ()


class _Page(LogView):
    """Text that wraps, seen from its beginning or from its end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("N", "search(-1)", "Previous match", show=False, id="text.previous"),
    ]

    def __init__(self, lines: list[LogLine], *, from_end: bool) -> None:
        super().__init__(max_lines=max(1, len(lines)), empty="empty")
        self.extend(lines)
        self.action_wrap()
        if not from_end:
            self.action_first()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave `w` to the dialog: the page always wraps; and have no key that opens a line: nothing is behind one."""
        return action not in ("wrap", "open")
