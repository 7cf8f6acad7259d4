"""What the base screen sends for a change in the middle of a line."""

from rich.console import Console
from textual._compositor import ChopsUpdate
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from widgets.frugal_screen import FrugalScreen
from widgets.segment_line import Segment, SegmentLine


class _App(App[None]):
    def get_default_screen(self) -> FrugalScreen:
        return FrugalScreen(id="_default")

    def compose(self) -> ComposeResult:
        yield SegmentLine(id="line")


async def _sent(before: str, after: str) -> str:
    app = _App()
    async with app.run_test(size=(40, 4)) as pilot:
        line = app.query_one("#line", SegmentLine)
        line.show([Segment("name that stays"), Segment(before, "ok")])
        await pilot.pause()
        seen: list[str] = []
        real = app.screen._compositor.render_partial_update

        def listening() -> ChopsUpdate | None:
            if (update := real()) is not None:
                seen.append(update.render_segments(Console(force_terminal=True, width=40)))
            return update

        app.screen._compositor.render_partial_update = listening  # type: ignore[method-assign]  # to hear what is sent
        line.show([Segment("name that stays"), Segment(after, "ok")])
        await pilot.pause()
        return "".join(seen)


async def test_only_the_cells_that_changed_are_sent() -> None:
    sent = await _sent("12:00:01", "12:00:02")
    assert "name" not in sent
    assert "\x1b[1;24H" in sent  # "name that stays" + " " + seven unchanged characters
    assert "2" in sent


async def test_a_wide_character_is_never_cut_in_half() -> None:
    sent = await _sent("a界b", "a語b")
    assert "語" in sent
    assert "name" not in sent


class _Counted(SegmentLine):
    asked = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.asked += 1
        return super().render_lines(crop)


class _TwoLines(_App):
    def compose(self) -> ComposeResult:
        yield _Counted(id="still")
        yield _Counted(id="line")


async def test_a_widget_that_did_not_change_is_not_asked_for_its_lines() -> None:
    app = _TwoLines()
    async with app.run_test(size=(40, 4)) as pilot:
        still, line = app.query_one("#still", _Counted), app.query_one("#line", _Counted)
        line.show([Segment("1")])
        await pilot.pause()
        before, asked = still.asked, line.asked
        line.show([Segment("2")])
        await pilot.pause()
        assert (still.asked, line.asked > asked) == (before, True)
