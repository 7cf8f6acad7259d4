"""The Logs tab: lines in, shown lines, filters and pages out; then the tab itself."""

import os
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from profiles.logs import LogSource
from profiles.schema import Profile
from tests.tui.panes.logs_app import LogsApp, until
from tui.panes import log_lines
from tui.panes.logs import LogsPane
from tui.panes.pane import Desk
from tui.rules import Level
from tui.sources.errors import Unreachable
from tui.sources.logs import LogBatch, LogLine, Severity
from tui.sources.logs.parse import LineParser
from tui.sources.logs.stack import Stack, new_filter
from tui.sources.reading import Reading
from widgets.dialogs import TextDialog
from widgets.filter_bar import FilterBar
from widgets.log_store import LogLine as ShownLine
from widgets.log_view import LogView
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

NOW = 1_795_335_084.0


def lines(*texts: str, source: str = "app", origin: str = "app.log") -> list[LogLine]:
    parser = LineParser(source, origin)
    return [parser.parse(text, NOW) for text in texts]


def shown(*texts: str, by_origin: bool = False) -> list[ShownLine]:
    return [log_lines.shown_line(line, "accent", by_origin=by_origin) for line in lines(*texts)]


def passing(stack: Stack, *texts: str) -> list[str]:
    judge = stack.judge()
    return [line.text for line in lines(*texts) if judge is None or judge(line)]


def test_a_shown_line_has_the_time_in_utc_its_level_and_its_source_in_front() -> None:
    (line,) = shown("ERROR x")
    assert (line.label, line.label_tone, line.tone) == ("08:11:24 E app", "accent", "critical")


def test_lines_of_a_source_with_many_files_are_labelled_by_file_or_pod() -> None:
    assert shown("x", by_origin=True)[0].label == "08:11:24   app"
    (line,) = lines("x", source="checkout", origin="checkout-7c9d-x2x1z/main")
    assert log_lines.shown_line(line, "ok", by_origin=True).label == "08:11:24   check·x2x1z"


TEXTS = ("DEBUG d", "INFO i", "plain", "WARN w", "ERROR e", "\tat a.b.c(d:1)")


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [
        (Severity.NONE, list(TEXTS)),
        (Severity.INFO, [text for text in TEXTS if text != "DEBUG d"]),
        (Severity.WARN, ["WARN w", "ERROR e", "    at a.b.c(d:1)"]),
        (Severity.ERROR, ["ERROR e", "    at a.b.c(d:1)"]),
    ],
)
def test_a_minimum_level_keeps_stack_traces_whole(minimum: Severity, expected: list[str]) -> None:
    assert passing(Stack(minimum=minimum), *TEXTS) == [text.replace("\t", "    ") for text in expected]


def test_include_and_exclude_work_together() -> None:
    stack = Stack((new_filter("order", NOW), new_filter("/order/[0-9]+/", NOW, excludes=True)))
    assert passing(stack, "GET /order", "GET /order/7/x", "GET /cart") == ["GET /order"]


def test_small_letters_ignore_case_and_capitals_do_not() -> None:
    assert passing(Stack((new_filter("err", NOW),)), "ERR x", "err y") == ["ERR x", "err y"]
    assert passing(Stack((new_filter("ERR", NOW),)), "ERR x", "err y") == ["ERR x"]


def test_a_hidden_source_shows_nothing() -> None:
    assert passing(Stack(hidden=frozenset({"app"})), "x") == []
    assert passing(Stack(hidden=frozenset({"other"})), "x") == ["x"]


def test_an_error_is_its_first_line_not_its_whole_trace() -> None:
    assert [log_lines.is_error(line) for line in lines("ERROR e", "\tat a", "INFO i")] == [True, False, False]


def test_a_page_holds_time_fields_json_and_the_line() -> None:
    page = log_lines.page(lines('{"level":"error","ts":"2026-11-22T08:11:24.5Z","msg":"x","order":{"id":7}}')[0])
    assert page.startswith("time    2026-11-22 08:11:24.500Z\nsource  app: app.log\nlevel   error\n")
    assert "order.id  7" in page
    assert '  "order": {' in page


def test_by_hand_follows_the_same_logs() -> None:
    profile = Profile.model_validate({"name": "x", "kubernetes": "prod-eu"})
    assert log_lines.by_hand(LogSource(file="/var/log/*.log"), profile) == "tail -n 200 -F /var/log/*.log"
    assert log_lines.by_hand(LogSource(command=["journalctl", "-fu", "a b"]), profile) == "journalctl -fu 'a b'"
    assert log_lines.by_hand(LogSource(pods="app=api", namespace="shop"), profile) == (
        "kubectl logs -f -l app=api --tail=200 --timestamps --prefix -n shop --context prod-eu"
    )


@pytest.fixture(autouse=True)
def _settles_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.panes.logs.SETTLE_S", 0.05)


class PaneApp(LogsApp):
    def __init__(self) -> None:
        logs = {"app": LogSource(file="/x.log"), "db": LogSource(file="/y.log")}
        desk = Desk(Profile(name="x", logs=logs), lambda: NOW, lambda *_: Level.OK, lambda _: None)
        super().__init__(LogsPane(desk, id="logs"))

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.view.visible_lines()]

    @property
    def counts(self) -> str:
        self.pane.tick()
        return self.pane.query_one("#logs-title", SegmentLine).text

    def batch(self, *texts: str, source: str = "app", **more: Any) -> Reading[LogBatch]:
        values = {"received": len(texts), "dropped": 0, "bytes": 0, "lines_per_s": 0.0, "errors_per_s": 0.0}
        words = {"following": ("/x.log",), "problems": ()}
        batch = LogBatch(name=source, lines=tuple(lines(*texts, source=source)), **{**values, **words, **more})
        reading = Reading(f"logs:{source}", 0.1, batch, taken_at=NOW)
        self.pane.show(reading)
        return reading


def shows(app: PaneApp, texts: list[str]) -> bool:
    return app.texts == texts


async def test_the_ends_of_all_logs_are_put_in_order_of_time() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.batch("2026-11-22T08:00:02Z b", "2026-11-22T08:00:04Z d")
        app.batch("2026-11-22T08:00:01Z a", "2026-11-22T08:00:03Z c", source="db")
        await until(pilot, lambda: app.texts == ["a", "b", "c", "d"])


async def test_lines_that_came_while_the_tab_was_hidden_are_there_in_order_once_it_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.panes.logs._HIDDEN_RELEASE_S", 3600.0)
    app = PaneApp()
    async with app.run_test() as pilot:
        app.batch("first")
        app.batch("first of db", source="db")
        await until(pilot, lambda: len(app.texts) == 2)
        app.pane.display = False
        now = time.time()
        moments = {name: datetime.fromtimestamp(now - ago, UTC).isoformat() for name, ago in (("new", 0), ("old", 9))}
        app.batch(f"{moments['new']} new")
        app.batch(f"{moments['old']} old", source="db")
        await pilot.pause()
        assert len(app.texts) == 2, "nobody looks"
        app.pane.display = True
        await until(pilot, lambda: app.texts[2:] == ["old", "new"])


async def test_a_batch_is_taken_once_though_a_failed_reading_repeats_it() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        reading = app.batch("one")
        failed = Reading(
            reading.source, 0.1, reading.snapshot, NOW, 0.0, Unreachable("gone", "look"), failing_since=NOW
        )
        app.pane.show(failed)
        await until(pilot, lambda: app.texts == ["one"])
        app.pane.tick()
        assert app.pane.query_one(NoticeBar).text.startswith("logs:app: gone since 08:11:24Z")
        app.pane.show(failed)
        assert app.texts == ["one"]


async def test_a_log_whose_system_does_not_answer_is_old_and_not_quiet() -> None:
    app = PaneApp()
    async with app.run_test(size=(100, 24)) as pilot:
        app.batch("one")
        await until(pilot, lambda: "age" in app.counts)
        app.batch("one", away_since=NOW - 41.0)
        await until(pilot, lambda: "OLD 41s" in app.counts)
        app.batch("one")
        await until(pilot, lambda: "OLD" not in app.counts)


async def test_a_timer_that_comes_after_everything_was_taken_down_draws_nothing() -> None:
    app = PaneApp()
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        pane = app.query_one(LogsPane)
        await pane.remove_children()
        pane._settle()
        pane.tick()


async def test_filters_work_while_lines_pour_in_and_counts_say_what_is_hidden() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.batch("ERROR order failed", "INFO order placed", "INFO cart")
        await until(pilot, lambda: len(app.texts) == 3)
        await pilot.press("slash", *"order", "enter")
        await until(pilot, lambda: len(app.texts) == 2)
        app.batch("INFO order placed again", "INFO cart again")
        assert app.texts[-1] == "INFO order placed again"
        assert "3 shown, 2 hidden" in app.counts
        await pilot.press("x", *"placed", "enter")
        await until(pilot, lambda: app.texts == ["ERROR order failed"])
        await pilot.press("escape")
        await until(pilot, lambda: len(app.texts) == 5)


async def test_a_broken_expression_is_told_and_the_last_good_filter_stays() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.batch("a1", "b2")
        await until(pilot, lambda: len(app.texts) == 2)
        await pilot.press("slash", "a", "enter")
        await until(pilot, lambda: app.texts == ["a1"])
        await pilot.press("slash", "left_parenthesis")
        await until(pilot, lambda: "not a regular" in app.pane.query_one("#logs-include", FilterBar).error)
        assert app.texts == ["a1"]


async def test_one_key_goes_through_the_levels() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.batch("DEBUG d", "INFO i", "WARN w", "ERROR e")
        await until(pilot, lambda: len(app.texts) == 4)
        seen = []
        for _ in range(4):
            await pilot.press("v")
            seen.append(len(app.texts))
    assert seen == [3, 2, 1, 4]


async def test_pausing_keeps_receiving_and_says_how_far_behind() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.batch(*(f"line {n}" for n in range(50)))
        await until(pilot, lambda: len(app.texts) == 50)
        await pilot.pause(0.2)
        await pilot.press("space")
        app.batch(*(f"later {n}" for n in range(7)))
        await until(pilot, lambda: "PAUSED 7 behind" in app.counts)
        await pilot.press("space")
        assert "following" in app.counts


async def test_a_key_goes_back_to_the_last_error() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.batch("ERROR first", "\tat x", "INFO a", "ERROR second", "\tat y", "INFO b")
        await until(pilot, lambda: len(app.texts) == 6)
        for key, expected in (("e", "ERROR second"), ("e", "ERROR first"), ("right_square_bracket", "ERROR second")):
            await pilot.press(key)
            assert app.view.cursor_line is not None
            assert app.view.cursor_line.text == expected


async def test_a_source_can_be_hidden_and_shown_again() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.batch("from app")
        app.batch("from db", source="db")
        await until(pilot, lambda: len(app.texts) == 2)
        for expected in (["from app"], ["from app", "from db"]):
            await pilot.press("o")
            await pilot.pause()
            await pilot.press("down", "enter")
            await until(pilot, partial(shows, app, expected))


async def test_what_is_shown_can_be_written_to_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = PaneApp()
    async with app.run_test() as pilot:
        app.batch("ERROR one", "INFO two")
        await until(pilot, lambda: len(app.texts) == 2)
        await pilot.press("v", "v", "v", "s")
        await until(pilot, lambda: any("written to" in text for text in app.told))
    (file,) = tmp_path.iterdir()
    assert file.read_text() == "2026-11-22 08:11:24.000Z app app.log ERROR one\n"
    assert os.stat(file).st_mode & 0o777 == 0o600


async def test_drops_and_problems_are_said() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.batch("x", dropped=1234, problems=("waiting for /x.log to appear",))
        await until(pilot, lambda: len(app.texts) == 1)
        assert "1,234 dropped: too fast" in app.counts
        assert app.pane.query_one(NoticeBar).text == "app: waiting for /x.log to appear"


async def test_enter_opens_the_line_and_its_markup_is_text() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.batch('{"level":"error","msg":"[/red]\\u001b]0;x\\u0007"}')
        await until(pilot, lambda: len(app.texts) == 1)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TextDialog)
        page = "\n".join(line.text for line in app.screen.query_one(LogView).visible_lines())
        assert "msg    [/red]␛]0;x␇" in page


def timed(second: int, source: str) -> LogLine:
    (line,) = lines("payment failed token=abc", source=source)
    return line._replace(at=NOW + second)


async def test_an_entry_leads_to_its_time_on_a_line_of_its_log() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        given = tuple(timed(second, "db" if second % 2 else "app") for second in range(60))
        app.pane.show(Reading("logs:app", 0.1, LogBatch("app", given, 60, 0, 0, 0.0, 0.0, (), ()), taken_at=NOW))
        await until(pilot, lambda: app.view.visible_count == 60)
        assert app.pane.reveal("logs:db", "db", NOW + 30)
        line = app.view.cursor_line
        assert (line.source, line.at) == ("db", NOW + 31)
        assert app.pane.subject() == f"Logs: db at {log_lines.moment(NOW + 31)}"
        assert not app.pane.reveal("logs:db", "db", NOW - 60)
        assert not app.pane.reveal("logs:gone", "gone", NOW + 30)
        text = app.pane.as_text()
        assert "payment failed token=•••" in text
        assert "abc" not in text


def test_a_trace_inside_json_is_on_the_lines_page_line_by_line() -> None:
    raw = '{"level":"error","msg":"x","err":{"stack":"Error: b\\u001b[31moom\\n    at f (a.js:1)"}}'
    (line,) = LineParser("app", "app.log").parse_all([raw], 1.0)
    assert "TRACE in err.stack\nError: boom\n    at f (a.js:1)\n" in log_lines.page(line)


def written_at(*moments: float) -> list[str]:
    return [f"{datetime.fromtimestamp(at, UTC).isoformat()} INFO at {at % 1000:.1f}" for at in moments]


def moments(app: PaneApp) -> list[float]:
    return [float(text.rpartition(" ")[2]) for text in app.texts]


async def test_what_another_log_wrote_before_comes_before_though_it_arrives_later() -> None:
    app, now = PaneApp(), time.time() // 1000 * 1000 + 500
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.pane._early is None)
        app.batch(*written_at(now - 400, now - 398))
        await until(pilot, lambda: len(app.texts) == 2)
        # What a cluster held before the start, a moment after the files.
        app.batch(*written_at(now - 401, now - 399.5, now - 399), source="db")
        await until(pilot, lambda: moments(app) == [99.0, 100.0, 100.5, 101.0, 102.0])
        assert "held" in app.counts
        assert "older let go" not in app.counts


async def test_nothing_moves_under_who_has_moved_up() -> None:
    app, now = PaneApp(), time.time() // 1000 * 1000 + 500
    async with app.run_test(size=(80, 10)) as pilot:
        await until(pilot, lambda: app.pane._early is None)
        app.batch(*written_at(*(now - 400 + second for second in range(30))))
        await until(pilot, lambda: len(app.texts) == 30)
        await pilot.press("pageup")
        here, on_screen = app.view.cursor_line, app.view.lines_on_screen()
        app.batch(*written_at(now - 401), source="db")
        await until(pilot, lambda: len(app.texts) == 31)
        await pilot.pause(0.2)
        assert moments(app) == [99.0 + second for second in range(31)]
        assert app.view.cursor_line == here
        assert app.view.lines_on_screen() == on_screen


async def test_the_programs_colours_are_shown_or_not() -> None:
    app = PaneApp()
    async with app.run_test() as pilot:
        app.batch("INFO \x1b[35mpurple\x1b[0m")
        await until(pilot, lambda: len(app.texts) == 1)
        assert app.view._shown(app.view.first_number).spans
        await pilot.press("d")
        assert not app.view._shown(app.view.first_number).spans
        assert app.told == ["the programs' own colours are stripped"]


async def test_the_end_of_what_is_piped_is_said() -> None:
    app = PaneApp()
    async with app.run_test(size=(120, 24)) as pilot:
        app.batch("INFO x", following=(), ended="ended 10:00:00 UTC")
        await until(pilot, lambda: "app ended 10:00:00 UTC" in app.counts)
