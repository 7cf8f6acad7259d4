import re
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from widgets.log_view import LogLine, LogView


class LogApp(App[None]):
    def __init__(self, max_lines: int = 1000) -> None:
        super().__init__()
        self.view = LogView(max_lines=max_lines)
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.view

    def on_log_view_opened(self, message: LogView.Opened) -> None:
        self.opened.append(message.line.text)


def numbered(start: int, end: int) -> list[LogLine]:
    return [LogLine(f"line {i}") for i in range(start, end)]


def screen(view: LogView) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


async def wait_until(pilot: Pilot[None], condition: Callable[[], bool], tries: int = 100) -> None:
    for _ in range(tries):
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not happen in time")


async def test_it_follows_the_end() -> None:
    async with (app := LogApp()).run_test(size=(40, 5)) as pilot:
        assert screen(app.view)[0] == "no lines yet"
        app.view.extend(numbered(0, 20))
        await wait_until(pilot, lambda: screen(app.view)[-1] == "line 19")
        app.view.extend(numbered(20, 22))
        await wait_until(pilot, lambda: screen(app.view) == [f"line {i}" for i in range(17, 22)])
        assert app.view.behind == 0


async def test_moving_up_stands_still_and_counts_what_comes() -> None:
    async with (app := LogApp()).run_test(size=(40, 5)) as pilot:
        app.view.extend(numbered(0, 20))
        await wait_until(pilot, lambda: screen(app.view)[-1] == "line 19")
        await pilot.press("k")
        before = screen(app.view)
        app.view.extend(numbered(20, 30))
        await wait_until(pilot, lambda: app.view.behind == 10)
        assert app.view.paused
        assert screen(app.view) == before
        await pilot.press("enter", "G")
        assert app.opened == ["line 18"]
        assert not app.view.paused
        assert screen(app.view)[-1] == "line 29"


async def test_the_oldest_lines_go_and_the_screen_moves_to_what_is_left() -> None:
    async with (app := LogApp(max_lines=10)).run_test(size=(40, 5)) as pilot:
        app.view.extend(numbered(0, 10))
        await wait_until(pilot, lambda: screen(app.view)[-1] == "line 9")
        await pilot.press("g")
        assert screen(app.view)[0] == "line 0"
        app.view.extend(numbered(10, 30))
        await wait_until(pilot, lambda: screen(app.view)[0] == "line 20")
        assert (app.view.dropped, app.view.line_count) == (20, 10)
        assert app.view.cursor_line == LogLine("line 20")


async def test_a_predicate_hides_older_and_newer_lines() -> None:
    async with (app := LogApp(max_lines=50_000)).run_test(size=(40, 5)) as pilot:
        app.view.extend(numbered(0, 30_000))
        app.view.predicate = lambda line: line.text.endswith("000")
        app.view.extend(numbered(30_000, 30_001))
        await wait_until(pilot, lambda: not app.view.is_filtering)
        await wait_until(pilot, lambda: screen(app.view)[-1] == "line 30000")
        assert app.view.visible_count == 30
        app.view.predicate = lambda line: False
        await wait_until(pilot, lambda: "none of 30001 lines passes" in screen(app.view)[0])


async def test_long_lines_wrap_or_scroll_sideways() -> None:
    async with (app := LogApp()).run_test(size=(10, 5)) as pilot:
        app.view.extend([LogLine("0123456789abcdef"), LogLine("next")])
        await wait_until(pilot, lambda: screen(app.view)[1] == "next")
        assert screen(app.view)[0] == "012345678…"
        await pilot.press("w")
        assert screen(app.view)[:3] == ["0123456789", "abcdef", "next"]
        await pilot.press("w", "l")
        assert screen(app.view)[0].endswith("abcdef")


async def test_the_column_of_labels_is_as_wide_as_those_that_are_shown_when_it_came_before_the_view_did() -> None:
    async with (app := LogApp()).run_test(size=(40, 5)) as pilot:
        app.view.display = False
        app.view.extend([LogLine("one", label="worker"), LogLine("two", label="db")])
        await wait_until(pilot, lambda: app.view._flush_timer is None)
        app.view.display = True
        await wait_until(pilot, lambda: screen(app.view)[:2] == ["worker one", "db     two"])


async def test_labels_stand_in_a_column_of_their_own() -> None:
    async with (app := LogApp()).run_test(size=(40, 5)) as pilot:
        app.view.extend([LogLine("one", label="api"), LogLine("two", label="worker")])
        await wait_until(pilot, lambda: screen(app.view)[:2] == ["api    one", "worker two"])


async def test_matches_are_highlighted_and_found_upwards() -> None:
    async with (app := LogApp()).run_test(size=(40, 5)) as pilot:
        app.view.extend(numbered(0, 50))
        await wait_until(pilot, lambda: screen(app.view)[-1] == "line 49")
        app.view.highlight = re.compile("line 7")
        app.view.action_search(-1)
        assert app.view.cursor_line == LogLine("line 7")
        y = screen(app.view).index("line 7")
        assert any(s.text == "line 7" and s.style and s.style.underline for s in app.view.render_line(y))


async def test_markup_and_escape_sequences_are_only_text() -> None:
    async with (app := LogApp()).run_test(size=(40, 5)) as pilot:
        app.view.extend([LogLine("[/red]\x1b]0;x\x07\u202e", label="\x1b[1m", tone="critical")])
        await wait_until(pilot, lambda: "[/red]␛]0;x␇\ufffd" in screen(app.view)[0])
        assert all(segment.text.isprintable() for segment in app.view.render_line(0))


async def test_it_survives_any_size() -> None:
    async with (app := LogApp()).run_test(size=(40, 5)) as pilot:
        app.view.extend([LogLine("漢字" * 30)] * 20)
        await pilot.press("w", "k", "k")
        for width, height in ((1, 1), (2, 2), (7, 3), (200, 50)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert {app.view.render_line(y).cell_length for y in range(app.view.size.height)} <= {width}


async def test_it_goes_to_the_first_line_of_at_least_a_value_and_stands_still() -> None:
    async with (app := LogApp()).run_test(size=(40, 5)) as pilot:
        app.view.go_to(3, lambda line: 0.0)
        app.view.extend(numbered(0, 50))
        await wait_until(pilot, lambda: screen(app.view)[-1] == "line 49")
        app.view.go_to(17, lambda line: float(line.text.removeprefix("line ")))
        assert app.view.cursor_line == LogLine("line 17")
        assert app.view.paused
        app.view.go_to(1000, lambda line: float(line.text.removeprefix("line ")))
        assert app.view.cursor_line == LogLine("line 49")
        assert app.view.lines_on_screen()[-1] == "line 49"
