"""Typing into a filter must not cost a layout of the whole screen at every key."""

from textual.app import App, ComposeResult

from widgets.filter_bar import FilterBar


class Bar(App[None]):
    def compose(self) -> ComposeResult:
        yield FilterBar()


async def test_typing_does_not_lay_the_screen_out_again() -> None:
    async with Bar().run_test(size=(40, 4)) as pilot:
        pilot.app.query_one(FilterBar).open()
        await pilot.press("a")
        await pilot.pause(0.2)
        layouts: list[object] = []
        pilot.app.screen.screen_layout_refresh_signal.subscribe(pilot.app.query_one(FilterBar), layouts.append)
        await pilot.press("b", "c", "d")
        await pilot.pause(0.2)
        assert pilot.app.query_one(FilterBar).text == "abcd"
        assert layouts == []


async def test_a_text_longer_than_the_line_scrolls() -> None:
    async with Bar().run_test(size=(20, 4)) as pilot:
        pilot.app.query_one(FilterBar).open()
        await pilot.press(*"abcdefghijklmnopqrstuvwxyz")
        await pilot.pause()
        field = pilot.app.query_one("FilterBar > Input")
        assert "xyz" in field.render_line(0).text
