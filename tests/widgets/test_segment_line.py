"""One line of segments, on wide and narrow screens."""

from textual.app import App, ComposeResult

from widgets.segment_line import Segment, SegmentLine


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
