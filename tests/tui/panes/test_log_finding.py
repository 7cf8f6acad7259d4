"""Finding in the Logs tab: stacked filters, context, folds, marks, times, and what the visible lines say together."""

import gzip
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from profiles.places import state_folder
from profiles.schema import Profile
from tests.tui.panes.logs_app import LogsApp, until
from tui.panes import log_lines, log_saved
from tui.panes.log_filter_page import FilterPage
from tui.panes.log_saved import Saved
from tui.panes.log_tally_page import TallyPage, asked
from tui.panes.logs import LogsPane
from tui.panes.pane import Desk
from tui.rules import Level
from tui.sources.logs import LogBatch, LogLine, LogsSource
from tui.sources.logs.parse import LineParser
from tui.sources.logs.query import query
from tui.sources.logs.stack import new_filter
from tui.sources.reading import Reading
from widgets.cell import cell_text
from widgets.dialogs import ChooseDialog, TextDialog
from widgets.live_table import LiveTable
from widgets.log_view import LogView

NOW = 1_795_335_084.0
"""2026-11-22 08:11:24 UTC."""

SLOW = '{"level":"info","endpoint":"/login","took_ms":1500}'
FAST = '{"level":"info","endpoint":"/login","took_ms":12}'
FAILED = '{"level":"error","endpoint":"/cart","took_ms":900}'
TRACE = ("2026-11-22T08:11:20Z ERROR a.FooError: x", "\tat a.b(c:1)", "\tat a.c(c:2)")


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("tui.panes.logs.SETTLE_S", 0.05)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class CopyingPane(LogsPane):
    def __init__(self, desk: Desk, copied: list[str]) -> None:
        super().__init__(desk, id="logs")
        self._copied = copied

    def copy(self, text: str) -> None:
        self._copied.append(text)


class PaneApp(LogsApp):
    def __init__(self, **filters: Any) -> None:
        profile = Profile.model_validate({"name": "x", "logs": {"app": "/x.log"}, "filters": filters})
        self.copied: list[str] = []
        self._parser = LineParser("app", "app.log")
        super().__init__(CopyingPane(Desk(profile, lambda: NOW, lambda *_: Level.OK, lambda _: None), self.copied))

    def add(self, *texts: str, at: float | None = None) -> None:
        lines: list[LogLine] = [self._parser.parse(text, NOW) for text in texts]
        if at is not None:
            lines = [line._replace(at=at) for line in lines]
        batch = LogBatch("app", tuple(lines), len(lines), 0, 0, 0.0, 0.0, ("/x.log",), ())
        self.pane.show(Reading("logs:app", 0.1, batch, taken_at=NOW))


async def typed(pilot: Pilot[None], key: str, text: str) -> None:
    await pilot.press(key, *(_NAMES.get(c, c) for c in text), "enter")


_NAMES = {" ": "space", ">": "greater_than_sign", "=": "equals_sign", "_": "underscore", "/": "slash", ":": "colon",
          "(": "left_parenthesis", ")": "right_parenthesis", "{": "left_curly_bracket", "}": "right_curly_bracket",
          "~": "tilde", ".": "full_stop", "*": "asterisk", "+": "plus", "$": "dollar_sign"}  # fmt: skip


async def test_filters_stack_while_lines_pour_in_and_each_can_be_turned_off() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add(SLOW, FAST, FAILED, "plain took_ms")
        await until(pilot, lambda: len(app.raws) == 4)
        await typed(pilot, "slash", "took_ms > 100")
        await typed(pilot, "x", "endpoint = /cart")
        await until(pilot, lambda: app.raws == [SLOW])
        assert app.words("stack") == "+ took_ms > 100  - endpoint = /cart"
        app.add(SLOW, FAST)
        await until(pilot, lambda: app.raws == [SLOW, SLOW])
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, FilterPage))
        await pilot.press("space", "q")
        await until(pilot, lambda: app.raws == [SLOW, FAST, "plain took_ms", SLOW, FAST])
        assert app.words("stack") == "+ took_ms > 100 (off)  - endpoint = /cart"
        await pilot.press("escape")
        await until(pilot, lambda: len(app.raws) == 6)
        assert app.words("stack") == "+ took_ms > 100 (off)  - endpoint = /cart (off)"


async def test_a_message_comes_and_goes_whole_while_its_lines_pour_in() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add("2026-11-22T08:11:20Z ERROR order failed")
        await until(pilot, lambda: len(app.raws) == 1)
        await typed(pilot, "slash", "timeout")
        await until(pilot, lambda: app.raws == [])
        app.add("\tat a.b(c:1)")
        app.add("Caused by: java.net.SocketTimeoutException: x", "2026-11-22T08:11:21Z INFO fine")
        whole = [
            "2026-11-22T08:11:20Z ERROR order failed",
            "    at a.b(c:1)",
            "Caused by: java.net.SocketTimeoutException: x",
        ]
        await until(pilot, lambda: app.raws == whole)
        await typed(pilot, "x", "django")
        app.add("2026-11-22T08:11:22Z ERROR timeout")
        await until(pilot, lambda: len(app.raws) == 4)
        app.add('    File "django.py"')
        await until(pilot, lambda: app.raws == whole)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.raws) == 6)


async def test_errors_are_counted_by_the_type_that_a_later_line_names() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add("2026-11-22T08:11:20Z ERROR order failed", "java.net.SocketTimeoutException: x", "\tat a.b(c:1)")
        await until(pilot, lambda: len(app.raws) == 3)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press(*"exception", "enter")
        await until(pilot, lambda: isinstance(app.screen, TallyPage))
        counts = app.screen.query_one("#counts")
        await until(pilot, lambda: "1 messages, 1 with it" in str(counts.render()))
        app.add("ValueError: y")
        app.add("2026-11-22T08:11:21Z ERROR b.FooError: z")
        await until(pilot, lambda: "2 messages, 2 with it, 2 different" in str(counts.render()))


async def test_a_filter_that_would_hold_up_every_key_is_turned_off_and_said() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add(*(["INFO " + "abcdefgh" * 60 + "?"] * 3_000))
        await until(pilot, lambda: len(app.raws) == 3_000)
        began = time.process_time()
        await typed(pilot, "slash", "(.*a){12}$")
        await until(pilot, lambda: "(too slow)" in app.words("stack"))
        app.add(*(["INFO " + "abcdefgh" * 60 + "?"] * 3_000))
        await until(pilot, lambda: len(app.raws) == 6_000)
        assert time.process_time() - began < 4


async def test_filters_are_kept_under_a_name_and_fetched_again() -> None:
    async with (app := PaneApp(failures={"show": "level = error", "warn": 5})).run_test(size=(100, 30)) as pilot:
        app.add(SLOW, FAST, FAILED)
        await typed(pilot, "slash", "took_ms > 100")
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, FilterPage))
        await pilot.press("s", *"slow", "enter")
        await until(pilot, lambda: [one.name for one in log_saved.own()] == ["slow"])
        await until(pilot, lambda: isinstance(app.screen, FilterPage))
        await pilot.press("d", "down", "space")  # the filter in force goes, and the kept one comes in its place
        await until(pilot, lambda: "took_ms" in app.words("stack"))
        await pilot.press("q")
        assert app.words("stack") == "+ took_ms > 100"
    file = state_folder() / "log-filters.json"
    assert os.stat(file).st_mode & 0o777 == 0o600


async def test_the_profiles_filters_are_offered_and_not_let_go() -> None:
    async with (app := PaneApp(failures={"show": "level = error", "warn": 5})).run_test(size=(100, 30)) as pilot:
        app.add(SLOW, FAST, FAILED)
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, FilterPage))
        await pilot.press("d", "enter", "q")
        await until(pilot, lambda: app.raws == [FAILED])


def test_what_is_kept_survives_a_broken_file_and_goes_into_a_profile(tmp_path: Path) -> None:
    assert log_saved.own(tmp_path) == []
    for text in ("{", "[]", '{"x": 3, "y": {"show": 7}, "z": {"show": ["a", 5]}}', "[" * 100_000):
        (tmp_path / "log-filters.json").write_text(text)
        assert [one.show for one in log_saved.own(tmp_path)] in ([], [("a",)])
    kept = Saved("Login failures!", ("event = login_failed",), ("test",), is_own=True)
    log_saved.keep([kept], tmp_path)
    assert log_saved.own(tmp_path) == [kept]
    import yaml

    loaded = yaml.safe_load(log_saved.for_profile(kept))
    made = Profile.model_validate({"name": "x", **loaded})
    assert made.filters["login_failures_"].show == ["event = login_failed"]


async def test_the_lines_around_one_are_shown_and_hidden_again() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add(*(f"INFO before {n}" for n in range(100)), FAILED, *(f"INFO after {n}" for n in range(100)))
        await typed(pilot, "slash", "endpoint = /cart")
        await until(pilot, lambda: app.raws == [FAILED])
        await pilot.press("u")
        await until(pilot, lambda: len(app.raws) == 201)
        assert app.view.cursor_line.raw == FAILED
        shown = app.view.lines_on_screen()
        assert any("before 99" in line for line in shown)
        assert any("after 0" in line for line in shown)
        assert "unfiltered" in app.words("stack")
        await pilot.press("u")
        await until(pilot, lambda: app.raws == [FAILED])
        assert app.view.cursor_line.raw == FAILED


async def test_traces_and_repeats_are_folded_and_the_page_has_the_whole_trace() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add("INFO order 1 placed", "INFO order 22 placed", *TRACE, *TRACE, "INFO order 3 placed", at=NOW)
        await until(pilot, lambda: len(app.raws) == 9)
        await pilot.press("r")
        await until(pilot, lambda: app.view.rows == 3)
        assert [line.partition(" app ")[2] for line in app.view.lines_on_screen()] == [
            "(+1) INFO order 1 placed", "(+5) ERROR a.FooError: x", "INFO order 3 placed",
        ]  # fmt: skip
        assert app.view.visible_count == 9
        await pilot.press("e", "enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        page = "\n".join(line.text for line in app.screen.query_one(LogView).visible_lines())
        assert page.endswith(f"{TRACE[0]}\n    at a.b(c:1)\n    at a.c(c:2)")


CAUSED = (
    "2026-11-22T08:11:20Z ERROR order failed",
    "    at a.b(c:1)",
    "Caused by: a.TimeoutError: x",
)


async def choose(app: PaneApp, pilot: Pilot[None], words: str) -> None:
    copied = len(app.copied)
    await pilot.press("y")
    await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
    await pilot.press(*(_NAMES.get(letter, letter) for letter in words), "enter")
    await until(pilot, lambda: len(app.copied) > copied)


async def test_any_line_of_a_message_leads_to_all_of_it() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add("INFO one", *CAUSED, "INFO two")
        await until(pilot, lambda: len(app.raws) == 5)
        await pilot.press("g", "down", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        page = "\n".join(line.text for line in app.screen.query_one(LogView).visible_lines())
        assert page.endswith("\n".join(["LINE", CAUSED[1], "", "MESSAGE", *CAUSED]))
        await pilot.press("escape")
        await choose(app, pilot, "whole message")
        assert app.copied[-1] == "\n".join(CAUSED)
        await pilot.press("m")
        await choose(app, pilot, "with their")
        assert [line.split("app.log ")[1] for line in app.copied[-1].splitlines()] == list(CAUSED)
        await pilot.press("c")
        assert app.copied[-1] == CAUSED[1]
        await pilot.press("r", "c")
        assert app.copied[-1] == "\n".join(CAUSED)


async def test_the_next_match_is_found_within_what_is_folded() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add("INFO one", *CAUSED, "INFO two", *CAUSED, "INFO three")
        await until(pilot, lambda: len(app.raws) == 9)
        await pilot.press("r")
        await typed(pilot, "slash", "line ~ Timeout or level = info")
        await until(pilot, lambda: app.view.rows == 5)
        await pilot.press("g", "n")
        assert (app.view.cursor_line.raw, app.view.cursor_number) == (CAUSED[0], 1)
        await pilot.press("n")
        assert app.view.cursor_number == 5


async def test_a_time_is_gone_to_and_shown_in_either_zone() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        for second in range(60):
            app.add(f"INFO {second}", at=NOW - 60 + second)
        await until(pilot, lambda: len(app.raws) == 60)
        await typed(pilot, "t", "08:10:44")
        await until(pilot, lambda: bool(app.view.cursor_line and app.view.cursor_line.raw == "INFO 20"))
        assert "UTC" in app.words("title")
        await pilot.press("z")
        assert "CET +01:00" in app.words("title")
        assert app.view.lines_on_screen()[0].startswith("09:10:")
        await typed(pilot, "t", "09:10:54")
        await until(pilot, lambda: app.view.cursor_line.raw == "INFO 30")


async def test_marks_are_gone_to_and_copied() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add(*(f"INFO {n}" for n in range(10)))
        await until(pilot, lambda: len(app.raws) == 10)
        await pilot.press("g", "m", "down", "down", "m", "G", "comma")
        assert app.view.cursor_line.raw == "INFO 2"
        await pilot.press("comma")
        assert app.view.cursor_line.raw == "INFO 0"
        await pilot.press("full_stop")
        assert app.view.cursor_line.raw == "INFO 2"
        assert "2 marked" in app.words("title")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press(*"marked", "enter")
        await until(pilot, lambda: bool(app.copied))
    assert [line.rpartition(" ")[2] for line in app.copied[0].splitlines()] == ["0", "2"]


async def test_a_field_of_the_line_is_copied() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        app.add(FAILED)
        await until(pilot, lambda: len(app.raws) == 1)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press(*"endpoint", "enter")
        await until(pilot, lambda: app.copied == ["/cart"])


async def test_the_values_of_a_field_are_counted_and_lead_to_a_filter() -> None:
    async with (app := PaneApp()).run_test(size=(100, 40)) as pilot:
        app.add(*[SLOW, FAST, FAILED] * 100)
        await until(pilot, lambda: len(app.raws) == 300)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press(*"endpoint", "enter")
        await until(pilot, lambda: isinstance(app.screen, TallyPage) and app.screen.query_one(LiveTable).row_count == 2)
        assert isinstance(app.screen, TallyPage)
        assert "300 messages" in str(app.screen.query_one("#counts").render())
        app.add(*[FAILED] * 200)
        await until(pilot, lambda: "500 messages" in str(app.screen.query_one("#counts").render()))
        await pilot.press("enter")
        await until(pilot, lambda: app.words("stack") == "+ endpoint = /cart")
        assert len(app.raws) == 300


async def test_the_average_and_p95_of_a_number_are_told() -> None:
    async with (app := PaneApp()).run_test(size=(100, 40)) as pilot:
        app.add(*(f'{{"took_ms":{n}}}' for n in range(1, 101)))
        await until(pilot, lambda: len(app.raws) == 100)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press(*"took", "enter")
        await until(pilot, lambda: isinstance(app.screen, TallyPage) and bool(app.screen.query("#figures")))
        await until(pilot, lambda: "p95 95" in str(app.screen.query_one("#figures").render()))
        assert "average 50.5" in str(app.screen.query_one("#figures").render())


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("endpoint", SLOW),
        ("message", "2026-11-22T08:11:20Z INFO order 17 (a/b) placed in 3.5 ms [x]"),
        ("msg", 'level=info msg="a (b) \\"c\\" / d"'),
        ("msg", '{"msg":"' + "long [x] " * 40 + '"}'),
        ("$3", "a b (c) d"),
    ],
)
def test_the_filter_that_a_value_leads_to_means_its_lines(field: str, raw: str) -> None:
    from tui.sources.logs.tally import Tally

    line = LineParser("app", "app.log").parse(raw, NOW)
    counted = Tally(field)
    counted.add([[line]])
    (value,) = counted.top(1)
    test = query(asked(field, value.text), NOW).test
    assert test is not None
    assert test(line)
    assert not test(LineParser("app", "app.log").parse("other", NOW))


class OlderApp(PaneApp):
    """The tab beside a real file that was long there."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        profile = Profile.model_validate({"name": "x", "logs": {"app": str(log)}})
        self.source = LogsSource("app", profile.logs["app"])
        sources = {"logs:app": self.source}
        desk = Desk(profile, lambda: NOW, lambda *_: Level.OK, lambda _: None, source=sources.get)
        self.pane = CopyingPane(desk, self.copied)

    async def read(self) -> None:
        self.pane.show(Reading("logs:app", 0.1, await self.source.read(), taken_at=NOW))


async def test_the_files_are_searched_back_for_what_passes_the_filters(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    texts = [
        f"2026-11-22T08:{n // 60 % 60:02}:{n % 60:02}Z {'ERROR' if n % 7 == 0 else 'INFO'} {n}" for n in range(3_000)
    ]
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress("".join(f"{text}\n" for text in texts[:1_000]).encode()))
    log.write_text("".join(f"{text}\n" for text in texts[1_000:]))
    async with (app := OlderApp(log)).run_test(size=(100, 30)) as pilot:
        while app.source.past() is None or not app.source.has_caught_up:
            await app.read()
        await app.read()
        await until(pilot, lambda: len(app.raws) == 200)
        await typed(pilot, "slash", "ERROR")
        errors = [text for text in texts if "ERROR" in text]
        await pilot.press("less_than_sign")
        await until(pilot, lambda: any("older lines" in text for text in app.told))
        assert app.raws == errors
        await pilot.press("escape")
        await until(pilot, lambda: len(app.raws) == 200 + 1 + sum("ERROR" in text for text in texts[:2_800]))
        (boundary,) = [raw for raw in app.raws if raw.startswith("opstui:")]
        assert boundary.startswith("opstui: older lines above were read through filters")
        await pilot.press("less_than_sign")
        await until(pilot, lambda: app.raws == texts)
        await app.source.close()


async def test_a_log_that_is_no_file_cannot_be_read_back() -> None:
    async with (app := PaneApp()).run_test(size=(100, 30)) as pilot:
        await pilot.press("less_than_sign")
        assert app.told == ["only files can be read back, and none of the logs shown is one"]


async def test_the_sources_are_told_with_curves_of_their_rates_and_what_is_missing() -> None:
    async with (app := PaneApp()).run_test(size=(130, 30)) as pilot:
        line = LineParser("app", "a.log").parse("x", NOW)
        for lines_per_s, errors_per_s in ((10.0, 0.0), (20.0, 0.0), (80.0, 5.0)):
            batch = LogBatch("app", (line,), 7, 3, 0, lines_per_s, errors_per_s, ("/x.log",), (), 1)
            app.pane.show(Reading("logs:app", 0.1, batch, taken_at=NOW))
            app.pane.tick()
        assert "1 gap" in app.words("title")
        await pilot.press("o")
        await until(
            pilot, lambda: isinstance(app.screen, ChooseDialog) and app.screen.query_one(LiveTable).row_count == 1
        )
        row = app.screen.query_one(LiveTable).cursor_row
        assert row is not None
        words = cell_text(row.cells[1])
        assert words.startswith(
            "shown, 80 lines/s ▂▃██, errors 5/s ▁▁██, 3 dropped: too fast, 1 gap, 7 lines, 1 followed"
        )


def test_only_lines_of_the_same_place_are_folded() -> None:
    one, again, trace = (LineParser("app", "a.log").parse(text, NOW) for text in ("ERROR x 1", "ERROR x 2", "ERROR y"))
    other = LineParser("app", "b.log").parse("ERROR x 1", NOW)
    assert log_lines.joins(one, again)
    assert not log_lines.joins(one, other)
    assert not log_lines.joins(one, trace)


def test_a_filter_by_time_is_of_the_zone_that_is_shown() -> None:
    from zoneinfo import ZoneInfo

    one = new_filter("time >= 09:11", NOW, zone=ZoneInfo("Europe/Berlin"))
    predicate = one.predicate()
    assert predicate is not None
    parser = LineParser("app", "a.log")
    assert predicate(parser.parse("x", NOW))
    assert not predicate(parser.parse("x", NOW)._replace(at=NOW - 25))
