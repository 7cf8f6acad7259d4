"""The Timeline tab: entries in, rows and pages out; then the tab itself."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from profiles.schema import Profile
from tui.panes import timeline_rows
from tui.panes.pane import Desk, Pane
from tui.panes.timeline import Entries, TimelinePane
from tui.rules import Level
from tui.timeline.entry import Entry
from tui.timeline.model import Pin, Timeline
from widgets.cell import Row, cell_text
from widgets.dialogs import TextDialog
from widgets.log_view import LogView
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine
from widgets.sparkline import Sparkline

NOW = 1_800_000_000.0
"""2027-01-15 08:00:00Z."""
PROFILE = Profile.model_validate(
    {
        "name": "t",
        "environment": "dev",
        "databases": {"shop": "service=a", "billing": "service=b"},
        "redis": {"c": "redis://c"},
    }
)


def entry(name: str, at: float, source: str = "kubernetes:", **more: Any) -> Entry:
    return replace(Entry(name, NOW + at, source, "event", f"text of {name}", fold=name), **more)


ENTRIES = [
    entry("restart", -300, what="restart", level=Level.WARN, object="pod/shop/api-1", count=3, last_at=NOW - 280),
    entry("locks", -200, "database:shop", what="locks", level=Level.CRITICAL, object="backend/812/x"),
    entry("scale", -100, what="action", by="ann", stage="converged", object="deployment/shop/api"),
    entry("note", -50, "opstui:", what="note", by="ann"),
]


def cells(row: Row) -> dict[str, str]:
    columns = timeline_rows.columns(80, has_t0=False, spans_days=False)
    return {column.key: cell_text(cell) for column, cell in zip(columns, row.cells, strict=True)}


def row(found: Entry, t0: float | None = None, *, is_wide: bool = False, is_alone: bool = True) -> Row:
    return timeline_rows.row(found, NOW, t0, is_wide=is_wide, is_alone=lambda source: is_alone)


def test_a_row_tells_when_where_what_and_how_bad_without_colour() -> None:
    assert cells(row(ENTRIES[0])) == {
        "time": "07:55:00Z", "t0": "", "mark": "!", "system": "k8s", "what": "restart", "text": "3× text of restart",
        "by": "",
    }  # fmt: skip
    assert cells(row(ENTRIES[1]))["mark"] == "!!"


def test_only_what_converged_is_green_and_what_is_under_way_is_told_apart() -> None:
    def looks(stage: str, level: Level = Level.OK) -> tuple[str, str]:
        found = entry("a", 0, what="action", stage=stage, level=level)
        return timeline_rows.mark_of(found), timeline_rows.tone_of(found)

    assert looks("converged") == ("✓", "ok")
    assert looks("under way") == ("…", "accent")
    assert looks("cancelled") == ("", "")
    assert looks("unknown", Level.CRITICAL) == ("!!", "critical")


def test_who_did_it_stands_in_a_column_where_there_is_one() -> None:
    assert cells(row(ENTRIES[3]))["text"] == "ann: text of note"
    wide = cells(row(ENTRIES[3], is_wide=True))
    assert (wide["text"], wide["by"], wide["system"]) == ("text of note", "ann", "opstui")


def test_a_system_is_called_by_its_name_only_where_there_are_several() -> None:
    assert cells(row(ENTRIES[1], is_alone=True))["system"] == "pg"
    assert cells(row(ENTRIES[1], is_alone=False))["system"] == "shop"
    assert cells(row(entry("a", 0, "kubernetes:"), is_alone=False))["system"] == "k8s"


def test_times_are_told_from_t0_too_and_with_the_date_when_it_is_not_today() -> None:
    assert cells(row(ENTRIES[0], NOW - 400))["t0"] == "+1m40s"
    yesterday = entry("a", -90_000)
    assert cells(row(yesterday))["time"] == "01-14 07:00Z"
    assert cells(row(yesterday, is_wide=True))["time"] == "01-14 07:00:00Z"


def test_the_page_of_an_action_tells_everything_on_record() -> None:
    lines: list[dict[str, Any]] = [
        {
            "what": "intent",
            "prev": "ab",
            "command": "kubectl scale",
            "identity": {"uid": "u1", "x": None},
            "undoes": "",
        },
        {"what": "outcome", "ending": "converged", "detail": "5 of 5\nready"},
    ]
    page = timeline_rows.page(ENTRIES[2], lines, Pin("scale", "bob", NOW, ""), None)
    for words in ("ON RECORD: intent", "command        kubectl scale", "uid              u1", "detail         5 of 5"):
        assert words in page
    assert "pinned   by bob at 2027-01-15T08:00:00Z" in page
    assert "prev" not in page
    assert "undoes" not in page


def test_a_strip_has_gaps_where_nothing_was() -> None:
    values, high, words = timeline_rows.strip([NOW - 61, NOW - 62, NOW], NOW)
    assert values[-3:] == [2, None, 1]
    assert (high, words) == (4, "    3 in 60 min")


class PaneApp(App[None]):
    CSS = "TimelinePane { height: 1fr; }"

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__()
        self.timeline = Timeline()
        self.timeline.add(entries)
        self.pinned: list[str] = []
        self.reports = 0
        self.told: list[str] = []
        self.jumps: list[tuple[str, str, float]] = []
        self.now = NOW
        self.kinds = ["kubernetes", "database"]
        """Of the rows that a test shows."""

    def compose(self) -> ComposeResult:
        plain = Desk(PROFILE, lambda: self.now, lambda *_: Level.OK, lambda _: None)
        desk = replace(plain, timeline=lambda: self.timeline, pin=self._pin, report=self._report)
        yield TimelinePane(desk, id="pane")

    def _pin(self, found: Entry) -> None:
        self.pinned.append(found.id)
        self.timeline.pin(Pin(found.id, "ann", NOW, found.text), found)

    def _report(self) -> None:
        self.reports += 1

    @property
    def pane(self) -> TimelinePane:
        return self.query_one(TimelinePane)

    @property
    def cursor(self) -> str:
        return str(self.table.cursor_key)

    @property
    def table(self) -> Entries:
        return self.query_one(Entries)

    def line(self, name: str) -> str:
        return self.query_one(f"#timeline-{name}", SegmentLine).text

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)

    def on_pane_jumped(self, message: Pane.Jumped) -> None:
        self.jumps.append((message.source, message.about, message.at))


async def shown(pilot: Pilot[None]) -> PaneApp:
    app = pilot.app
    assert isinstance(app, PaneApp)
    app.pane.focus_first()
    await pilot.pause()
    return app


async def add(pilot: Pilot[None], *entries: Entry) -> None:
    """Add entries and wait until the table has drawn those that are shown."""
    app = pilot.app
    assert isinstance(app, PaneApp)
    app.timeline.add(entries)
    app.pane.tick()
    async with asyncio.timeout(30):
        while not set(app.table.visible_keys) >= {e.id for e in entries if e.kind in app.kinds}:
            await pilot.pause(0.02)
    app.pane.tick()
    await pilot.pause()


def keys(app: PaneApp) -> list[str]:
    return [str(key) for key in app.table.visible_keys]


@pytest.mark.parametrize("size", [(80, 24), (250, 60), (20, 6)])
async def test_the_newest_is_at_the_bottom_and_followed_on_every_screen(size: tuple[int, int]) -> None:
    async with PaneApp(ENTRIES).run_test(size=size) as pilot:
        app = await shown(pilot)
        assert keys(app) == ["restart", "locks", "scale", "note"]
        assert app.cursor == "note"
        await add(pilot, entry("new", 5))
        assert app.cursor == "new"


async def test_a_cursor_that_a_person_moved_stays_and_what_came_below_is_counted() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        await pilot.press("up")
        await add(pilot, entry("new", 5), entry("late", -250))
        assert app.cursor == "scale"
        assert "2 newer below (G)" in app.line("title")
        await pilot.press("G")
        assert "following" in app.line("title")
        await add(pilot, entry("newer", 6))
        assert app.cursor == "newer"


async def test_thousands_of_rows_are_followed_too() -> None:
    async with PaneApp([entry(str(n), -9000 + n) for n in range(5000)]).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        assert app.table.rows_on_screen()[-1] == app.table.row("4999")
        await add(pilot, entry("new", 5))
        assert app.table.rows_on_screen()[-1] == app.table.row("new")


async def test_f_goes_through_the_systems_that_have_rows_and_escape_back_to_all() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        seen = []
        for _ in range(5):
            await pilot.press("f")
            await pilot.pause()
            seen.append(keys(app))
        assert seen == [
            ["restart", "scale"],
            ["locks"],
            ["note"],
            ["scale", "note"],
            ["restart", "locks", "scale", "note"],
        ]
        await pilot.press("shift+tab", "escape")
        await pilot.pause()
        assert len(keys(app)) == 4


async def test_rows_of_other_systems_do_not_come_into_a_choice() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        await pilot.press("f", "f")
        app.kinds = ["database"]
        await add(pilot, entry("pod", 5), entry("lock", 6, "database:shop"))
        assert keys(app) == ["locks", "lock"]


async def test_a_filter_narrows_and_escape_widens() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        await pilot.press("slash", *"locks", "enter")
        await pilot.pause(0.2)
        assert keys(app) == ["locks"]
        await pilot.press("escape")
        await pilot.pause(0.2)
        assert len(keys(app)) == 4


async def test_0_counts_times_from_a_row_and_there_again_from_nothing() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        await pilot.press("up", "up", "0")
        await pilot.pause()
        assert "t0 07:56:40Z" in app.line("title")
        assert not app.table.columns[1].hidden
        found = app.table.row("note")
        assert found is not None
        assert cell_text(found.cells[1]) == "+2m30s"
        await pilot.press("0")
        await pilot.pause()
        assert "t0" not in app.line("title")
        assert app.told[-1] == "times count from nothing"


async def test_space_pins_a_row_for_everyone_and_marks_it() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        await pilot.press("up", "space")
        await pilot.pause()
        app.pane.tick()
        assert app.pinned == ["scale"]
        assert app.table.marked == {"scale"}
        assert app.cursor == "scale"
        assert "pinned 1" in app.line("choices")


async def test_enter_jumps_to_what_a_row_is_about_and_opens_what_is_about_nothing() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        await pilot.press("up", "up", "enter")
        await pilot.pause()
        assert app.jumps == [("database:shop", "backend/812/x", NOW - 200)]
        await pilot.press("G", "enter")
        await pilot.pause()
        assert isinstance(app.screen, TextDialog)


async def test_d_opens_a_row_in_full_and_w_asks_for_the_report() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        await pilot.press("up", "d")
        await pilot.pause()
        text = "\n".join(line.text for line in app.screen.query_one(LogView).visible_lines())
        assert "about    deployment/shop/api" in text
        await pilot.press("escape", "w")
        await pilot.pause()
        assert app.reports == 1


async def test_the_whole_sentence_stands_below_where_a_row_has_no_room() -> None:
    long = entry("long", 5, text="x" * 60 + " the end of it")
    async with PaneApp([*ENTRIES, long]).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        full = app.query_one("#timeline-full", NoticeBar)
        assert full.text.endswith("the end of it")
        assert full.size.height == 2
        await pilot.press("up")
        await pilot.pause()
        assert full.text == "ann: text of note"
    async with PaneApp([*ENTRIES, long]).run_test(size=(200, 24)) as pilot:
        app = await shown(pilot)
        assert not app.query_one("#timeline-full", NoticeBar).display


async def test_a_tall_screen_has_a_strip_for_each_kind_of_system_there_is() -> None:
    def strips(app: PaneApp) -> list[str]:
        return [(strip.id or "").removeprefix("timeline-density-") for strip in app.query(Sparkline) if strip.display]

    async with PaneApp(ENTRIES).run_test(size=(120, 24)) as pilot:
        assert strips(await shown(pilot)) == ["all"]
    async with PaneApp(ENTRIES).run_test(size=(120, 60)) as pilot:
        assert strips(await shown(pilot)) == ["all", "database", "redis", "host", "opstui"]


async def test_an_empty_timeline_says_what_it_waits_for() -> None:
    async with PaneApp([]).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        assert app.table.empty == "nothing has changed since opstui looked; N notes something"
        await pilot.press("0", "d", "c", "space", "enter", "f")
        assert app.told[:2] == ["no row to count from", "no row to show"]


async def test_what_keeps_the_timeline_from_being_whole_is_said() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        app.timeline.tell_trouble("store", "the timeline's own file: disk full")
        app.timeline.tell_trouble("paused", "PAUSED: nothing is seen")
        app.pane.tick()
        notice = app.query_one("#timeline-notice", NoticeBar)
        assert notice.text == "the timeline's own file: disk full\nPAUSED: nothing is seen"
        app.timeline.tell_trouble("store", "")
        app.timeline.tell_trouble("paused", "")
        app.pane.tick()
        assert notice.text == ""


async def test_nothing_is_drawn_where_nothing_is_new() -> None:
    async with PaneApp(ENTRIES).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        drawn = 0
        show = app.table.show

        def count(rows: Any) -> None:
            nonlocal drawn
            drawn += 1
            show(rows)

        app.table.show = count  # type: ignore[method-assign]
        for _ in range(5):
            app.now += 1
            app.pane.tick()
        assert drawn == 0
        await pilot.resize_terminal(200, 30)
        await pilot.pause(0.1)
        assert drawn > 0


async def test_hostile_text_is_text() -> None:
    hostile = entry("bad", 5, text="[/red] [b]x \\[ pod/x[1]", by="[/b]", object="")
    async with PaneApp([hostile]).run_test(size=(80, 24)) as pilot:
        app = await shown(pilot)
        assert "[/b]: [/red] [b]x" in app.query_one("#timeline-full", NoticeBar).text
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TextDialog)
