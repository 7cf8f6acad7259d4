"""Moving through the Logs tab: to a time, an error, a match; what is not there is said, and every time has its day."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.pilot import Pilot

from profiles.schema import Profile
from tests.tui.panes.logs_app import LogsApp, until
from tui.panes import log_lines
from tui.panes.log_tally_page import asked
from tui.panes.logs import LogsPane
from tui.panes.pane import Desk
from tui.rules import Level
from tui.sources.errors import Unreachable
from tui.sources.logs import LogBatch
from tui.sources.logs.parse import LineParser
from tui.sources.logs.query import query
from tui.sources.logs.tally import values_of
from tui.sources.logs.times import typed_moment
from tui.sources.reading import Reading
from widgets.cell import cell_text
from widgets.dialogs import ChooseDialog
from widgets.live_table import LiveTable

NOW = datetime(2026, 11, 22, 8, 11, 24, tzinfo=UTC).timestamp()
_NAMES = {" ": "space", ":": "colon", "=": "equals_sign", ">": "greater_than_sign", "-": "minus"}


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("tui.panes.logs.SETTLE_S", 0.05)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class PaneApp(LogsApp):
    def __init__(self) -> None:
        profile = Profile.model_validate({"name": "x", "logs": {"app": "/x.log", "unit": {"command": ["no-such"]}}})
        super().__init__(LogsPane(Desk(profile, lambda: NOW, lambda *_: Level.OK, lambda _: None), id="logs"))

    @property
    def raw(self) -> str:
        return str(self.view.cursor_line.raw)

    @property
    def first_row(self) -> str:
        return "".join(segment.text for segment in self.view.render_line(0))

    async def add(self, pilot: Pilot[None], *texts: str, at: float = NOW - 60) -> None:
        parser, before = LineParser("app", "app.log"), self.view.line_count
        lines = [parser.parse(text, NOW)._replace(at=at + number) for number, text in enumerate(texts)]
        batch = LogBatch("app", tuple(lines), len(lines), 0, 0, 0.0, 0.0, ("/x.log",), ())
        self.pane.show(Reading("logs:app", 0.1, batch, taken_at=NOW))
        await until(pilot, lambda: self.view.line_count == before + len(texts))


async def typed(pilot: Pilot[None], key: str, text: str) -> None:
    await pilot.press(key, *(_NAMES.get(c, c) for c in text), "enter")


async def test_a_jump_says_where_it_went_and_when_there_is_nothing_at_that_time() -> None:
    async with (app := PaneApp()).run_test(size=(120, 30)) as pilot:
        await app.add(pilot, *(f"INFO {n}" for n in range(40)))
        await typed(pilot, "t", "08:10:30")
        await until(pilot, lambda: app.told)
        assert app.told.pop() == "the first line from 2026-11-22 08:10:30.000Z on: 2026-11-22 08:10:30.000Z"
        assert app.raw == "INFO 6"
        assert "at 2026-11-22 08:10:30.000Z" in app.words("title")
        await typed(pilot, "t", "08:11:20")
        await until(pilot, lambda: app.told)
        assert app.told.pop() == "nothing shown is as new as 2026-11-22 08:11:20.000Z; this is the newest"
        await typed(pilot, "t", "07:00")
        await until(pilot, lambda: app.told)
        assert app.told.pop().startswith("nothing shown is as old as 2026-11-22 07:00:00.000Z; this is the oldest")
        assert app.raw == "INFO 0"


def test_a_time_of_day_is_one_of_the_lines_where_these_are_of_another_day() -> None:
    oldest = datetime(2026, 11, 10, 6, 0, tzinfo=UTC).timestamp()
    newest = datetime(2026, 11, 12, 14, 0, tzinfo=UTC).timestamp()

    def meant(clock: str, *within: float) -> datetime:
        return datetime.fromtimestamp(typed_moment(clock, NOW, UTC, (within[0], within[1]) if within else None), UTC)

    assert meant("13:00", oldest, newest) == datetime(2026, 11, 12, 13, 0, tzinfo=UTC)
    assert meant("15:00", oldest, newest) == datetime(2026, 11, 11, 15, 0, tzinfo=UTC)
    assert meant("13:00") == datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
    assert meant("08:05", NOW - 600, NOW - 500) == datetime(2026, 11, 22, 8, 5, tzinfo=UTC)


def test_what_is_not_of_today_has_its_date() -> None:
    line = LineParser("app", "app.log").parse("x", NOW)

    def label(at: float, *, in_utc: bool = True) -> str:
        return log_lines.shown_line(line._replace(at=at), "", by_origin=False, in_utc=in_utc, now=NOW).label

    assert label(NOW) == "08:11:24   app"
    assert label(NOW - 86_400) == "11-21 08:11:24   app"
    assert label(NOW - 8.5 * 3600) == "11-21 23:41:24   app"
    assert label(NOW - 8.5 * 3600, in_utc=False) == "00:41:24   app"
    assert label(NOW - 400 * 86_400) == "2025-10-18 08:11:24   app"


def test_long_names_differ_by_their_ends() -> None:
    lines = [LineParser(f"payments-api-{n}", "x").parse("x", NOW) for n in (1, 2)]
    labels = [log_lines.shown_line(line, "", by_origin=False).label for line in lines]
    assert labels == ["08:11:24   payme…api-1", "08:11:24   payme…api-2"]


async def test_there_is_room_for_the_dates_of_older_lines() -> None:
    async with (app := PaneApp()).run_test(size=(80, 30)) as pilot:
        await app.add(pilot, "of the day before", at=NOW - 86_400)
        await app.add(pilot, *(f"INFO {n}" for n in range(60)))
        await pilot.press("g")
        await until(pilot, lambda: "11-21 08:11:24   app of the day before" in app.first_row)


async def test_times_of_filters_say_what_they_mean_in_whatever_zone_is_shown() -> None:
    async with (app := PaneApp()).run_test(size=(120, 30)) as pilot:
        await app.add(pilot, *(f"INFO {n}" for n in range(40)))
        await typed(pilot, "slash", "time >= 08:10:50")
        await until(pilot, lambda: app.view.visible_count == 14)
        assert app.words("stack") == "+ time >= 08:10:50 (11-22 08:10:50Z)"
        assert "14 shown, 26 hidden" in app.words("title")
        await pilot.press("z")
        assert app.words("stack") == "+ time >= 08:10:50 (11-22 09:10:50+01:00)"


async def test_no_error_before_or_behind_is_said() -> None:
    async with (app := PaneApp()).run_test(size=(120, 30)) as pilot:
        await app.add(pilot, "INFO a", "ERROR b", "INFO c", "ERROR d", "INFO e")
        await pilot.press("e")
        assert app.raw == "ERROR d"
        await pilot.press("e")
        assert app.raw == "ERROR b"
        await pilot.press("e")
        await until(pilot, lambda: app.told)
        assert app.told.pop().startswith("no error before this line among those shown")
        assert app.raw == "ERROR b"
        await pilot.press("right_square_bracket", "right_square_bracket")
        await until(pilot, lambda: app.told)
        assert app.told.pop() == "no error behind this line among those shown"


async def test_a_search_of_a_long_way_ends_at_what_was_wanted() -> None:
    async with (app := PaneApp()).run_test(size=(120, 30)) as pilot:
        await app.add(pilot, "ERROR far", *(f"INFO {n}" for n in range(60_000)), at=NOW - 70_000)
        looked: list[int] = []

        def is_wanted(line: Any) -> bool:
            looked.append(1)
            return bool(line.raw == "ERROR far")

        app.view.seek(is_wanted, -1)
        assert app.raw != "ERROR far" or len(looked) == 60_001
        await until(pilot, lambda: app.raw == "ERROR far")
        assert len(looked) == 60_001


async def test_words_are_found_without_hiding_anything() -> None:
    async with (app := PaneApp()).run_test(size=(120, 30)) as pilot:
        await pilot.press("n")
        await app.add(pilot, "INFO cart 1", "INFO b", "INFO cart 2", "INFO d", "INFO cart 3", "INFO f")
        await pilot.press("n")
        await until(pilot, lambda: app.told)
        assert app.told.pop() == "nothing is marked in the lines: / or ; types what to look for"
        await typed(pilot, "semicolon", "cart")
        await until(pilot, lambda: app.raw == "INFO cart 3")
        assert app.view.visible_count == 6
        await pilot.press("left_parenthesis")
        assert app.raw == "INFO cart 2"
        await pilot.press("n")
        assert app.raw == "INFO cart 3"
        await pilot.press("n")
        await until(pilot, lambda: app.told and app.told[-1] == "no match behind this line among those shown")
        await pilot.press("escape", "n")
        await until(pilot, lambda: app.told[-1].startswith("nothing is marked"))


async def test_a_log_that_cannot_be_read_says_so_among_the_sources() -> None:
    async with (app := PaneApp()).run_test(size=(120, 30)) as pilot:
        failed: Reading[LogBatch] = Reading("logs:unit", 0.1, error=Unreachable("no-such: No such file"))
        app.pane.show(failed)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog) and app.screen.query_one(LiveTable).row_count)
        await pilot.press("down")
        row = app.screen.query_one(LiveTable).cursor_row
        assert row is not None
        assert cell_text(row.cells[1]) == "shown, no-such: No such file"


async def test_why_no_line_passes_is_told_where_it_can_be() -> None:
    async with (app := PaneApp()).run_test(size=(120, 30)) as pilot:
        await app.add(pilot, '{"level":"info","status":500}', '{"level":"error","status":200}')
        await typed(pilot, "slash", "statsu = 500")
        await until(pilot, lambda: "; none has statsu" in app.first_row)
        await pilot.press("escape")
        await typed(pilot, "slash", "code=500")
        await until(pilot, lambda: "; taken as text; as a field: code = 500" in app.first_row)
        await pilot.press("escape", "v", "v", "v", "escape")
        await until(pilot, lambda: app.told and app.told[-1] == "every level and every source is shown")


async def test_late_lines_are_put_in_their_place_without_an_empty_screen() -> None:
    async with (app := PaneApp()).run_test(size=(80, 10)) as pilot:
        await app.add(pilot, "INFO b", "INFO c", at=NOW - 10)
        await pilot.pause(0.2)
        parser = LineParser("unit", "x")
        late = LogBatch("unit", (parser.parse("INFO a", NOW)._replace(at=NOW - 20),), 1, 0, 0, 0.0, 0.0, ("x",), ())
        app.pane.show(Reading("logs:unit", 0.1, late, taken_at=NOW))
        assert "no lines" not in app.first_row
        await until(pilot, lambda: [line.raw for line in app.view.visible_lines()] == ["INFO a", "INFO b", "INFO c"])


async def test_late_lines_are_put_in_their_place_under_a_cursor_that_has_moved() -> None:
    async with (app := PaneApp()).run_test(size=(80, 10)) as pilot:
        await app.add(pilot, "INFO b", "INFO c", at=NOW - 10)
        await pilot.press("up", "m")
        assert app.raw == "INFO b"
        late = LineParser("unit", "x").parse("INFO a", NOW)._replace(at=NOW - 20)
        batch = LogBatch("unit", (late,), 1, 0, 0, 0.0, 0.0, ("x",), ())
        app.pane.show(Reading("logs:unit", 0.1, batch, taken_at=NOW))
        await until(pilot, lambda: [line.raw for line in app.view.visible_lines()] == ["INFO a", "INFO b", "INFO c"])
        assert app.raw == "INFO b"
        assert [line.raw for line in app.view.marked_lines()] == ["INFO b"]


def test_a_packed_log_is_unpacked_by_hand() -> None:
    profile = Profile.model_validate({"name": "x", "logs": {"old": "/var/log/app.log.2.gz"}})
    assert log_lines.by_hand(profile.logs["old"], profile) == "zcat /var/log/app.log.2.gz"


async def test_a_value_of_the_line_under_the_cursor_becomes_a_filter() -> None:
    async with (app := PaneApp()).run_test(size=(120, 30)) as pilot:
        await app.add(pilot, *(f'{{"level":"info","request_id":"r-{n % 3}","n":{n}}}' for n in range(9)))
        await pilot.press("asterisk", *"request", "enter")
        await until(pilot, lambda: app.view.visible_count == 3)
        assert app.words("stack") == "+ request_id = r-2"


@pytest.mark.parametrize(
    "raw",
    [
        '{"level":"error","msg":"a \\"b\\" (c)","http":{"status":500},"path":"/x y"}',
        'level=warn msg="request \\"done\\"" took=1.5s id=7',
        '10.0.0.1 - bob [22/Nov/2026:08:11:24 +0000] "GET /x?a=1 HTTP/1.1" 404 5 "-" "x" rt=0.003',
        'Nov 22 08:11:24 web1 api[7]: {"level":"error","user":{"id":"u-1"}}',
        "2026-11-22 08:11:24 ERROR a.FooError: 10.0.0.9 refused",
    ],
)
def test_a_line_passes_every_filter_by_a_value_that_it_has(raw: str) -> None:
    line = LineParser("app", "app.log").parse(raw, NOW)
    for name, value in values_of(line):
        found = query(asked(name, value), NOW)
        assert found.error == ""
        assert found.test is not None
        assert found.test(line), asked(name, value)


async def test_no_mark_is_said_without_a_word_about_the_files() -> None:
    async with (app := PaneApp()).run_test(size=(120, 30)) as pilot:
        await app.add(pilot, "INFO a", "INFO b")
        await pilot.press("comma")
        await until(pilot, lambda: app.told)
        assert app.told == ["no mark before this line among those shown"]


async def test_a_pause_of_everything_stands_still_and_receives() -> None:
    async with (app := PaneApp()).run_test(size=(120, 10)) as pilot:
        await app.add(pilot, *(f"INFO {n}" for n in range(20)))
        app.pane.pause(True)
        await app.add(pilot, *(f"INFO {n}" for n in range(20, 30)))
        await until(pilot, lambda: "PAUSED 10 behind" in app.words("title"))
        app.pane.pause(False)
        assert app.words("title").startswith("following")
        await pilot.press("space")
        app.pane.pause(True)
        app.pane.pause(False)
        assert app.words("title").startswith("PAUSED")
