"""The page of the filters of the Logs tab: turned on and off, let go, kept under a name, fetched again."""

from collections.abc import Callable
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.panes import log_saved
from tui.panes.log_saved import Saved
from tui.sources.logs.stack import Filter, Stack
from widgets.cell import Cell, Column, Row, Tone
from widgets.clipboard import copy
from widgets.dialogs import InputDialog
from widgets.fitting import plain
from widgets.live_table import LiveTable

_HINT: Final = "space, enter on, off or fetch · d let go · s save as … · c copy for the profile · esc, q close"


class FilterPage(ModalScreen[None]):
    """Lists the filters in force and those that are kept; every change is at work at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g,q,f", "close", "Close", show=False, id="log_filters.close"),
        Binding("up,k", "move(-1)", "Up", show=False, id="log_filters.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="log_filters.down"),
        Binding("space,enter", "use", "On, off, or fetch what is kept", show=False, id="log_filters.use"),
        Binding("d,delete", "remove", "Let the filter go", show=False, id="log_filters.remove"),
        Binding("s", "save", "Keep those that are on under a name", show=False, id="log_filters.save"),
        Binding("c", "copy", "Copy for the profile", show=False, id="log_filters.copy"),
    ]

    DEFAULT_CSS = """
    FilterPage { align: center middle; }
    FilterPage > Vertical { width: 110; max-width: 100%; height: auto; max-height: 100%; border: solid $primary;
        padding: 0 1; background: $surface; }
    FilterPage .title { text-style: bold; height: 1; }
    FilterPage LiveTable { height: auto; max-height: 14; }
    FilterPage #hint { color: $text-muted; height: auto; max-height: 2; }
    """

    def __init__(
        self,
        stack: Callable[[], Stack],
        change: Callable[[Stack], None],
        of_profile: list[Saved],
        new_filter: Callable[[str, bool], Filter],
    ) -> None:
        """Prepare the page.

        Args:
            stack: returns the filters in force.
            change: puts others into force.
            of_profile: what the profile keeps.
            new_filter: makes a filter of what was typed, and whether it hides; times are those of the zone shown.
        """
        super().__init__()
        self._stack = stack
        self._change = change
        self._of_profile = of_profile
        self._new_filter = new_filter
        self._own = log_saved.own()

    def compose(self) -> ComposeResult:
        """Lay the page out."""
        columns = [Column("state", "", 9), Column("what", "", 24), Column("filter", "")]
        table = LiveTable(columns, empty="no filter yet: / shows messages, x hides them; enter puts it here", tree=True)
        table.can_focus = False
        with Vertical():
            yield Static("Filters: a message must pass each that is on", classes="title", markup=False)
            yield table
            yield Static(Text(_HINT), id="hint")

    def on_mount(self) -> None:
        """Show them, and go on doing so: a filter may turn out too slow."""
        self._draw()
        self.set_interval(1.0, self._draw)

    def _draw(self) -> None:
        if not self.query("#hint"):  # closed by the next key before it was laid out
            return
        rows = {("stack", number): _row(one) for number, one in enumerate(self._stack().filters)}
        kept = {("kept", number): _kept_row(one) for number, one in enumerate(self._kept)}
        self.query_one(LiveTable).show({**rows, **kept})

    @property
    def _kept(self) -> list[Saved]:
        return [*self._of_profile, *self._own]

    def _say(self, text: str) -> None:
        self.query_one("#hint", Static).update(Text(plain(text) or _HINT))

    def _under_cursor(self) -> tuple[str, int] | None:
        key = self.query_one(LiveTable).cursor_key
        return key if isinstance(key, tuple) else None

    def action_close(self) -> None:
        """Close the page."""
        self.dismiss()

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self._say("")
        self.query_one(LiveTable).action_cursor(rows)

    def action_use(self) -> None:
        """Turn a filter on or off, or put what is kept into force beside the others."""
        match self._under_cursor():
            case ("stack", number):
                self._change(self._stack().toggled(number))
            case ("kept", number):
                stack = self._stack()
                for typed in self._kept[number].show:
                    stack = stack.with_filter(self._new_filter(typed, False))
                for typed in self._kept[number].hide:
                    stack = stack.with_filter(self._new_filter(typed, True))
                broken = [one for one in stack.filters if one.query.error]
                self._say(f"{broken[0].typed}: {broken[0].query.error}" if broken else "")
                self._change(Stack(tuple(f for f in stack.filters if f not in broken), stack.minimum, stack.hidden))
        self._draw()

    def action_remove(self) -> None:
        """Let a filter go; what the profile keeps stays."""
        match self._under_cursor():
            case ("stack", number):
                self._change(self._stack().without(number))
            case ("kept", number):
                if not self._kept[number].is_own:
                    self._say("this one stands in the profile")
                    return
                gone = self._kept[number]
                self._keep([one for one in self._own if one is not gone], f"{gone.name} is let go")
        self._draw()

    def _keep(self, kept: list[Saved], said: str) -> None:
        try:
            log_saved.keep(kept)
        except OSError as error:
            self._say(f"not saved: {error.strerror or error}")
        else:
            self._own = log_saved.own()
            self._say(said)
        self._draw()

    def action_save(self) -> None:
        """Keep the filters that are on under a name."""
        if not any(one.is_on for one in self._stack().filters):
            self._say("no filter is on")
            return
        self.app.push_screen(InputDialog("Keep the filters that are on as", placeholder="login failures"), self._save)

    def _save(self, name: str | None) -> None:
        if name and (name := name.strip()):
            kept = [one for one in self._own if one.name != name]
            self._keep([*kept, log_saved.from_filters(name, self._stack().filters)], f"kept as {name}")

    async def action_copy(self) -> None:
        """Copy what is under the cursor, or the filters that are on, as the profile would have them."""
        match self._under_cursor():
            case ("kept", number):
                chosen = self._kept[number]
            case _:
                chosen = log_saved.from_filters("mine", self._stack().filters)
        self._say(await copy(self.app, log_saved.for_profile(chosen)))


def _row(one: Filter) -> Row:
    state, tone = state_of(one)
    what = "hides" if one.excludes else "shows"
    kind = "fields" if one.query.asks_fields else "text"
    return Row((Cell(state, tone), f"{what} lines by {kind}", Cell(one.typed, "" if one.is_on else "dim")))


def _kept_row(saved: Saved) -> Row:
    return Row((Cell("kept" if saved.is_own else "profile", "accent"), saved.name, Cell(saved.words, "dim")))


def state_of(one: Filter) -> tuple[str, Tone]:
    """Return whether a filter is at work, in a word and a tone."""
    if one.is_on and one.is_spent:
        return "too slow", "critical"
    return ("on", "ok") if one.is_on else ("off", "dim")
