"""One line of segments, on wide and narrow screens."""

from typing import Any, Self

from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region

from widgets.segment_line import Drawn, Segment, SegmentLine, changed_spans


class Line(App[None]):
    def compose(self) -> ComposeResult:
        yield SegmentLine()


SEGMENTS = (
    Segment("PROD", "critical", reverse=True),
    Segment("alice", priority=3),
    Segment("12:00:00Z"),
    Segment("pg✗ 41s", "critical", right=True),
    Segment("redis✓", "ok", priority=2, right=True),
)


async def shown(width: int) -> str:
    async with Line().run_test(size=(width, 3)) as pilot:
        line = pilot.app.query_one(SegmentLine)
        line.show(SEGMENTS)
        await pilot.pause()
        return line.text


async def test_everything_is_shown_when_there_is_room() -> None:
    assert await shown(50) == "PROD alice 12:00:00Z" + " " * 16 + "pg✗ 41s redis✓"


async def test_the_least_important_is_left_out_first() -> None:
    assert "alice" not in await shown(31)
    assert "redis✓" in await shown(31)
    assert "redis✓" not in await shown(24)


async def test_what_must_not_be_left_out_is_cut_at_the_edge() -> None:
    assert await shown(10) == "PROD 12:00"


async def test_markup_in_a_segment_is_text() -> None:
    async with Line().run_test(size=(40, 3)) as pilot:
        line = pilot.app.query_one(SegmentLine)
        line.show([Segment("[/red]")])
        await pilot.pause()
        assert line.text.startswith("[/red]")


async def test_short_words_take_the_place_of_long_ones_before_anything_is_left_out() -> None:
    async with Line().run_test(size=(14, 3)) as pilot:
        line = pilot.app.query_one(SegmentLine)
        line.show([Segment("READ-ONLY (W arms)", short="READ-ONLY"), Segment("a", priority=1)])
        await pilot.pause()
        assert line.text.startswith("READ-ONLY a")


class WatchedLine(SegmentLine):
    refreshed: tuple[Region, ...] = ()

    def refresh(self, *regions: Region, **options: Any) -> Self:
        self.refreshed = regions
        return super().refresh(*regions, **options)


class WatchedApp(App[None]):
    def compose(self) -> ComposeResult:
        yield WatchedLine()


async def test_a_clock_that_ticks_draws_its_last_digit_only() -> None:
    async with WatchedApp().run_test(size=(40, 3)) as pilot:
        line = pilot.app.query_one(WatchedLine)
        line.show([Segment("PROD"), Segment("12:00:07Z"), Segment("pg✗ 41s", right=True)])
        await pilot.pause()
        line.show([Segment("PROD"), Segment("12:00:08Z"), Segment("pg✗ 41s", right=True)])
        assert line.refreshed == (Region(12, 0, 1, 1),)
        await pilot.pause()
        assert "12:00:08Z" in line.text


def cells(text: str) -> list[Drawn]:
    return [(character if character != "_" else "", Style()) for character in text]


def test_stretches_far_apart_are_drawn_apart_and_near_ones_together() -> None:
    assert changed_spans(cells("a" * 40), cells("b" + "a" * 5 + "b" + "a" * 32 + "b")) == [(0, 7), (39, 1)]


def test_a_wide_character_is_drawn_whole() -> None:
    assert changed_spans(cells("ab日_e"), cells("ab日_f")) == [(4, 1)]
    assert changed_spans(cells("ab日_e"), cells("abcde")) == [(2, 2)]
    assert changed_spans(cells("xxx日_"), cells("xx日_x")) == [(2, 3)]
    assert changed_spans(cells("日_x"), cells("xyx")) == [(0, 2)]


def test_nothing_is_drawn_where_nothing_changed() -> None:
    assert changed_spans(cells("abc"), cells("abc")) == []
