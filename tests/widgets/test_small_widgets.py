from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from widgets.cell import Cell, Column, Row
from widgets.clipboard import copy, write_to_file
from widgets.filter_bar import FilterBar
from widgets.key_value import Facts, columns_for
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar


class SmallApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.filtered: list[str] = []
        self.left = 0

    def compose(self) -> ComposeResult:
        yield NoticeBar()
        yield Facts([("version", "16.2"), ("role", Cell("primary[/x]", "ok"))])
        yield FilterBar()

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        self.filtered.append(message.text)

    def on_filter_bar_left(self) -> None:
        self.left += 1


async def test_a_notice_takes_room_only_while_it_says_something() -> None:
    async with SmallApp().run_test(size=(60, 10)) as pilot:
        notice = pilot.app.query_one(NoticeBar)
        assert not notice.display
        notice.show("bus [/red] timed out\x1b", "critical")
        await pilot.pause()
        assert notice.text == "bus [/red] timed out\x1b"
        assert notice.region.height == 1
        assert notice.render_line(0).text.strip() == "bus [/red] timed out␛"
        notice.show("word " * 100)
        await pilot.pause()
        assert notice.region.height == 4
        notice.clear()
        assert (notice.text, notice.display) == ("", False)


def test_facts_stay_in_their_columns_when_a_value_grows() -> None:
    assert [columns_for([("memory", "1" * n), ("policy", "2")], 78, 24) for n in (1, 24, 40)] == [2, 2, 2]


async def test_facts_fill_columns_over_the_width() -> None:
    async with SmallApp().run_test(size=(60, 10)) as pilot:
        facts = pilot.app.query_one(Facts)
        assert facts.render_line(0).text.split() == ["version", "16.2", "role", "primary[/x]"]
        facts.show([(f"label{i}", "long value " * 4) for i in range(3)])
        await pilot.pause()
        assert facts.region.height == 3


def test_no_facts_take_one_column() -> None:
    assert columns_for([], 80) == 1


async def test_a_filter_works_while_it_is_typed_and_is_kept_in_sight() -> None:
    async with (app := SmallApp()).run_test(size=(60, 10)) as pilot:
        bar = app.query_one(FilterBar)
        assert not bar.display
        bar.open()
        await pilot.press("a", "p")
        for _ in range(1500):
            if app.filtered[-1:] == ["ap"]:
                break
            await pilot.pause(0.02)
        assert app.filtered[-1] == "ap"
        await pilot.press("enter")
        assert (app.left, bar.display, bar.text) == (1, True, "ap")


async def test_escape_and_ctrl_g_clear_the_filter_and_hide_it() -> None:
    async with (app := SmallApp()).run_test(size=(60, 10)) as pilot:
        bar = app.query_one(FilterBar)
        for times, key in enumerate(("escape", "ctrl+g"), 1):
            bar.open()
            await pilot.press("x")
            for _ in range(1500):
                if app.filtered[-1:] == ["x"]:
                    break
                await pilot.pause(0.02)
            await pilot.press(key)
            await pilot.pause()
            assert app.filtered[-2:] == ["x", ""]
            assert (app.left, bar.display, bar.text) == (times, False, "")


class Listed(SmallApp):
    """A filter over a list that takes the keys back, as every tab does."""

    def compose(self) -> ComposeResult:
        yield FilterBar()
        table = LiveTable([Column("name", "NAME")])
        table.show({name: Row((name,)) for name in ("a", "b", "c")})
        yield table

    def on_filter_bar_left(self) -> None:
        self.query_one(LiveTable).focus()


@pytest.mark.parametrize(("leaving", "kept"), [("enter", "x"), ("down", "x"), ("escape", ""), ("ctrl+g", "")])
async def test_keys_right_behind_the_one_that_leaves_belong_to_the_list(leaving: str, kept: str) -> None:
    async with (app := Listed()).run_test(size=(60, 10)) as pilot:
        app.query_one(FilterBar).open()
        for key in ("x", leaving, "j", "j"):  # one burst, as a fast typist's terminal sends it
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        for _ in range(1500):
            if app.query_one(LiveTable).cursor_key == "c":
                break
            await pilot.pause(0.02)
        assert app.query_one(LiveTable).cursor_key == "c"
        assert app.query_one(FilterBar).text == kept


async def test_where_nobody_takes_the_keys_the_filter_keeps_them() -> None:
    async with (app := SmallApp()).run_test(size=(60, 10)) as pilot:
        app.query_one(FilterBar).open()
        for key in ("x", "enter", "y"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        for _ in range(1500):
            if app.query_one(FilterBar).text == "xy":
                break
            await pilot.pause(0.02)
        assert app.query_one(FilterBar).text == "xy"


async def test_the_cursor_of_a_filter_does_not_blink() -> None:
    async with SmallApp().run_test() as pilot:
        assert not pilot.app.query_one(Input).cursor_blink


def test_files_are_private_and_never_overwritten(tmp_path: Path) -> None:
    paths = {write_to_file("secret", tmp_path / "sub", "../we ird\x1b") for _ in range(3)}
    assert len(paths) == 3
    assert all(path.parent == tmp_path / "sub" and path.stat().st_mode & 0o777 == 0o600 for path in paths)


async def test_copying_says_what_may_have_worked() -> None:
    async with SmallApp().run_test() as pilot:
        assert "OSC 52" in await copy(pilot.app, "x", {})
        assert pilot.app.clipboard == "x"
        said = await copy(pilot.app, "x", {"TMUX": "/nonexistent,1,0"})
        assert "tmux" in said
