from collections.abc import Hashable

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Static

from widgets.cell import Cell, Column, Row, Tone
from widgets.live_table import LiveTable

COLUMNS = (Column("name", "NAME"), Column("cpu", "CPU", 6, "right"), Column("zone", "ZONE", 12, priority=1))


def rows(count: int, *, offset: int = 0) -> dict[str, Row]:
    return {
        f"id{i}": Row(
            (f"name-{i:03}", str((i + offset) % count), "zone"), sort=(f"name-{i:03}", (i + offset) % count, "")
        )
        for i in range(count)
    }


class TableApp(App[None]):
    def __init__(self, *, tree: bool = False) -> None:
        super().__init__()
        self.told: list[tuple[str, Hashable]] = []
        self.table = LiveTable(COLUMNS, empty="no pods", tree=tree)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        self.told.append(("opened", message.key))

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:
        self.told.append(("highlighted", message.key))

    def on_live_table_vanished(self, message: LiveTable.Vanished) -> None:
        self.told.append(("vanished", message.key))


def screen(table: LiveTable) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


async def test_a_row_that_is_held_keeps_the_cursor_when_another_comes_above_it() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.hold()
        table.show(rows(3))
        table.show({"new": Row(("a", "0", "zone")), **rows(3)})
        assert table.cursor_key == "new", "with no row there was none to hold"
        table.hold()
        table.show({"newer": Row(("b", "0", "zone")), "new": Row(("a", "0", "zone")), **rows(3)})
        assert table.cursor_key == "new"


async def test_an_empty_table_says_so_and_keys_do_nothing() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        await pilot.press("j", "G", "enter", "space", "s", "S", "pagedown")
        assert screen(table)[1].strip() == "no pods"
        assert table.cursor_key is None
        assert table.cursor_row is None


async def test_a_table_drawn_before_it_is_told_its_size_shows_its_rows() -> None:
    """The first frame is painted between the layout and the word of the size; it must not be an empty list."""
    first: list[str] = []

    class Watched(LiveTable):
        def on_resize(self, event: events.Resize) -> None:
            first.extend(screen(self))

    app = TableApp()
    app.table = Watched(COLUMNS)
    app.table.show(rows(3))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        assert "name-000" in first[1]


async def test_the_cursor_follows_its_key_through_sorting_refreshing_and_filtering() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(50))
        await pilot.press("j", "j", "j")
        assert table.cursor_key == "id3"
        table.sort_by("cpu", reverse=True)
        assert table.cursor_key == "id3"
        table.show(rows(50, offset=20))
        assert table.cursor_key == "id3"
        table.filter_text = "3"
        assert table.cursor_key == "id3"
        await pilot.pause()
        assert any(line.startswith("> name-003") for line in screen(table))


async def test_the_cursor_keeps_its_place_on_the_screen_when_rows_come_above_it() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(50))
        table.cursor_key = "id30"
        await pilot.pause()
        before = screen(table).index(next(line for line in screen(table) if line.startswith(">")))
        table.sort_by("name")
        table.apply({f"new{i}": Row((f"aaa{i}", "1")) for i in range(5)})
        await wait_until(pilot, lambda: table.visible_count == 55)
        assert screen(table)[before].startswith("> name-030")


async def test_until_somebody_moves_the_cursor_it_stays_on_the_first_row() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.sort_by("cpu", reverse=True)
        table.show(rows(50))
        assert str(table.cursor_key) == "id49"
        table.show(rows(50, offset=1))
        assert str(table.cursor_key) == "id48"
        assert table.scroll_offset.y == 0


async def test_when_its_row_vanishes_the_cursor_stays_in_place_and_says_so() -> None:
    async with (app := TableApp()).run_test(size=(60, 10)) as pilot:
        table = app.table
        table.show(rows(5))
        await pilot.press("j", "j")
        app.told.clear()
        left = rows(5)
        del left["id2"]
        table.show(left)
        await pilot.pause()
        assert table.cursor_key == "id3"
        assert app.told == [("highlighted", "id3"), ("vanished", "id2")]
        table.show({})
        await pilot.pause()
        assert app.told[-2:] == [("highlighted", None), ("vanished", "id3")]


async def test_change_sets_are_drawn_together_within_a_quarter_of_a_second() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(5))
        await pilot.pause()
        table.apply({"id1": Row(("changed", "1"))}, ["id0"])
        table.apply({"id9": Row(("new", "1"))})
        assert table.row_count == 5
        assert table.visible_count == 5
        row = table.row("id1")
        assert row is not None
        assert row.cells[0] == "changed"
        await wait_until(pilot, lambda: "id9" in table.visible_keys)
        assert table.visible_keys == ("id1", "id2", "id3", "id4", "id9")
        assert screen(table)[1].startswith("> changed")


async def test_marks_follow_keys_and_end_with_their_rows() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(5))
        await pilot.press("space", "space")
        assert table.marked == {"id0", "id1"}
        table.filter_text = "004"
        assert table.marked == {"id0", "id1"}
        table.filter_text = ""
        assert screen(table)[1].startswith(" *name-000")
        left = rows(5)
        del left["id1"]
        table.show(left)
        assert table.marked == {"id0"}


async def test_the_sort_keys_choose_a_column_and_the_header_shows_which() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(5))
        await pilot.press("s")
        assert (table.sort_column, table.sort_reverse) == ("name", False)
        assert "NAME▲" in screen(table)[0]
        await pilot.press("s")
        assert (table.sort_column, table.sort_reverse) == ("cpu", True)
        await pilot.press("S")
        assert "CPU▲" in screen(table)[0]


async def test_an_unknown_column_is_an_error() -> None:
    with pytest.raises(ValueError, match="no column 'memory'"):
        LiveTable(COLUMNS, sort="memory")


async def test_a_tree_is_never_sorted() -> None:
    async with TableApp(tree=True).run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show({"b": Row(("b",)), "a": Row(("  a",))})
        await pilot.press("s")
        assert table.visible_keys == ("b", "a")
        assert table.sort_column is None


async def test_a_filter_that_hides_everything_says_so_and_a_broken_one_why() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(5))
        table.filter_text = "nothing like it"
        assert screen(table)[1].strip() == "no row of 5 passes the filter"
        assert table.cursor_key is None
        table.filter_text = "/(/"
        assert table.filter_error
        assert table.visible_count == 5


async def test_markup_and_escape_sequences_are_only_text() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show({1: Row(("[/red]\x1b]0;title\x07", Cell("[b]x", "warn")))})
        await pilot.pause()
        assert "[/red]␛]0;title␇" in screen(table)[1]
        assert all(segment.text.isprintable() for segment in table.render_line(1))


async def test_every_line_has_the_width_of_the_screen_at_any_size() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show({i: Row(("漢字" * 9, "1", "zone")) for i in range(20)})
        for width, height in ((60, 10), (30, 5), (17, 3), (1, 1), (200, 40), (2, 2)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert {table.render_line(y).cell_length for y in range(table.size.height)} <= {width}
        await pilot.resize_terminal(30, 5)
        await pilot.pause()
        assert "ZONE" not in screen(table)[0]


async def test_tones_differ_and_old_rows_all_look_dim() -> None:
    tones: tuple[Tone, ...] = ("", "dim", "ok", "warn", "critical", "accent")
    async with TableApp().run_test(size=(60, 12)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show({"first": Row(("x",))} | {tone: Row((Cell("x", tone),)) for tone in tones})
        await pilot.pause()
        styles = [str(list(table.render_line(y))[1].style) for y in range(2, 8) if len(list(table.render_line(y))) > 1]
        assert len(set(styles)) == len(tones)
        table.stale = True
        await pilot.pause()
        for y in range(1, 8):
            assert all(segment.style and segment.style.dim for segment in table.render_line(y) if segment.text.strip())


async def test_only_cells_that_changed_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(50))
        await pilot.pause()
        refreshed: list[object] = []
        monkeypatch.setattr(table, "refresh", lambda *regions, **_: refreshed.extend(regions))
        table.show(rows(50))
        assert refreshed == []
        table.show(rows(50) | {"id2": Row(("name-002", "99", "zone"), sort=("name-002", 2, ""))})
        assert [(region.y, region.height) for region in refreshed] == [(3, 1)]  # type: ignore[attr-defined]  # regions
        assert refreshed[0].width < 10  # type: ignore[attr-defined]  # a region
        refreshed.clear()
        table.show(rows(50) | {"id40": Row(("off", "the", "screen"))})
        assert len(refreshed) <= 1


async def test_enter_opens_the_key_and_columns_that_do_not_fit_scroll_sideways() -> None:
    async with (app := TableApp()).run_test(size=(14, 10)) as pilot:
        app.table.show(rows(5))
        await pilot.press("j", "enter")
        assert ("opened", "id1") in app.told
        assert "CPU" not in screen(app.table)[0]
        await pilot.press("l", "l")
        assert "CPU" in screen(app.table)[0]
        await pilot.press("h", "h")
        assert screen(app.table)[0].startswith("  NAME")


async def test_columns_may_become_fewer_while_it_is_sorted_by_one_that_goes() -> None:
    async with (app := TableApp()).run_test(size=(60, 10)) as pilot:
        app.table.show(rows(5))
        app.table.sort_by("zone")
        await pilot.pause()
        app.table.show({})
        app.table.columns = COLUMNS[:1]
        app.table.show({"id": Row(("only",))})
        await pilot.pause()
        assert [line.strip() for line in screen(app.table)[:2]] == ["NAME", "> only"]
        assert app.table.sort_column is None


async def test_rows_told_before_the_table_is_on_a_screen_are_there_when_it_is() -> None:
    app = TableApp()
    app.table.show(rows(5))
    app.table.apply({"id9": Row(("new", "1"))})
    assert app.table.visible_count == 6
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        assert screen(app.table)[6].strip().startswith("new")


async def wait_until(pilot: Pilot[None], condition: object, tries: int = 100) -> None:
    assert callable(condition)
    for _ in range(tries):
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not happen in time")


async def test_rows_that_come_and_go_where_all_fit_ask_for_no_new_layout() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(1))
        size = table.virtual_size
        table.show(rows(9))
        assert table.virtual_size == size
        table.show(rows(10))
        assert table.virtual_size.height == 11


class FollowingApp(App[None]):
    def compose(self) -> ComposeResult:
        yield LiveTable(COLUMNS, sort="cpu", follow=True)


async def test_a_table_that_follows_rests_on_its_last_row_until_somebody_moves_away() -> None:
    async with FollowingApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(50))
        assert (table.cursor_key, table.is_following, table.rows_below) == ("id49", True, 0)
        assert screen(table)[-1].startswith(">")
        table.show(rows(60))
        assert table.cursor_key == "id59"
        await pilot.press("k")
        table.show(rows(70))
        assert (table.cursor_key, table.is_following, table.rows_below) == ("id58", False, 11)
        await pilot.press("G")
        table.show(rows(80))
        assert (table.cursor_key, table.is_following) == ("id79", True)


@pytest.mark.parametrize(
    ("count", "typed", "left"), [(10, "name-00[89]", 2), (80, "name-07", 10), (80, "name-0[67]", 20)]
)
async def test_a_filter_leaves_no_row_above_the_first_line_of_a_table_that_follows(
    count: int, typed: str, left: int
) -> None:
    async with FollowingApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(count))
        await pilot.pause()
        assert screen(table)[-1].startswith(">")
        table.filter_text = f"/{typed}/"
        await pilot.pause()
        assert table.visible_count == left
        shown = [line for line in screen(table)[1:] if line.strip()]
        assert len(shown) == min(left, 9)
        assert shown[-1].startswith(">")


async def test_a_row_that_is_sought_gets_the_cursor_as_soon_as_it_is_shown() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(5))
        table.seek("id30")
        assert table.cursor_key == "id0"
        table.filter_text = "name-00"
        table.show(rows(50))
        before, table.filter_text = table.cursor_key, ""
        assert (before, table.cursor_key) == ("id0", "id30")
        assert any(line.startswith("> ") for line in screen(table))


async def test_whoever_moves_the_cursor_seeks_no_more() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(5))
        table.seek("id30")
        await pilot.press("j")
        table.show(rows(50))
        assert table.cursor_key == "id1"


async def test_the_rows_on_the_screen_are_told_and_some_of_a_table_that_is_not_shown() -> None:
    async with TableApp().run_test(size=(60, 10)) as pilot:
        table = pilot.app.query_one(LiveTable)
        table.show(rows(50))
        await pilot.press("G")
        assert [row.cells[0] for row in table.rows_on_screen()] == [f"name-{n:03}" for n in range(41, 50)]
        table.display = False
        await pilot.pause()
        assert len(table.rows_on_screen()) in (9, 20)


async def test_a_notice_that_comes_and_goes_above_a_table_draws_its_lines_once() -> None:
    drawn: list[int] = []

    class Watched(LiveTable):
        def render_line(self, y: int) -> Strip:
            drawn.append(y)
            return super().render_line(y)

    app = TableApp()
    app.table = Watched(COLUMNS)
    async with app.run_test(size=(60, 20)) as pilot:
        notice = Static("something is wrong")
        notice.display = False
        await app.mount(notice, before=0)
        app.table.show(rows(100))
        await pilot.pause()
        for display, height in ((True, 19), (False, 20)):
            drawn.clear()
            notice.display = display
            await pilot.pause()
            assert app.table.size.height == height
            assert sorted(drawn) == list(range(height))
        assert screen(app.table)[19].strip().startswith("name-018")
