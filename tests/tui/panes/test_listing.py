"""What every tab of tables does alike."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.widgets import Input

from profiles.schema import Profile
from tui.panes.listing import Listing
from tui.panes.pane import Desk, Pane
from tui.panes.tabs import Tab
from tui.rules import Level
from widgets.cell import Cell, Column, Row
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable

COLUMNS = (Column("name", "NAME"), Column("state", "STATE"))
DESK = Desk(Profile.model_validate({"name": "t"}), lambda: 0.0, lambda *_: Level.OK, lambda _: None)


class Two(Listing):
    TAB = Tab("Two", (), "")
    VIEWS: ClassVar[Mapping[str, str]] = {"a": "A", "b": "B"}

    def compose(self) -> ComposeResult:
        for view in self.VIEWS:
            yield LiveTable(COLUMNS, id=f"two-{view}")
        yield FilterBar()

    def on_mount(self) -> None:
        self.open_view()
        self.draw()
        self.focus_first()

    def draw(self) -> None:
        self.table.show({key: Row((f"{self.view}{key}", Cell("  up ", "ok"))) for key in (1, 2)})


class One(Two):
    VIEWS: ClassVar[Mapping[str, str]] = {"a": "A"}


class PaneApp(App[None]):
    def __init__(self, kind: type[Two]) -> None:
        super().__init__()
        self.kind = kind
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.kind(DESK, id="pane")

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)


async def test_the_filter_and_the_keyboard_go_along_to_the_next_view() -> None:
    app = PaneApp(Two)
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(Two)
        await pilot.press("slash", "2", "enter", "tab")
        assert pane.view == "b"
        assert app.focused is pane.table
        assert (pane.table.visible_count, app.query_one(Input).value) == (1, "2")
        await pilot.press("escape")
        await pilot.pause()
        assert pane.table.visible_count == 2
        await pilot.press("shift+tab")
        assert pane.view == "a"


async def test_c_copies_the_row_under_the_cursor_as_text() -> None:
    app = PaneApp(Two)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "c")
        await pilot.pause()
        assert app.clipboard == "a2  up"
        assert [told.partition(",")[0] for told in app.told] == ["copied 6 characters"]


async def test_a_tab_with_one_view_has_no_keys_between_views() -> None:
    app = PaneApp(One)
    async with app.run_test(size=(80, 24)):
        shown = {active.binding.id for active in app.screen.active_bindings.values()}
        assert "list.filter" in shown
        assert "list.next_view" not in shown


async def test_o_brings_back_the_order_of_the_start() -> None:
    app = PaneApp(Two)
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.query_one(Two).table
        await pilot.press("s", "S")
        assert (table.sort_column, table.sort_reverse) == ("name", True)
        await pilot.press("o")
        assert (table.sort_column, table.sort_reverse) == (None, False)
