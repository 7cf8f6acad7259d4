"""Alerts and what was said of them in, the page out; and the page under a person's keys."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from textual.app import App
from textual.pilot import Pilot

from profiles.thresholds import Rule
from tests.tui.walkthroughs.fakes import Facts
from tui.alerting import Alerting, alert_page, silence_problem
from tui.alerts_screen import AlertPage, AlertsScreen
from tui.journal import Journal
from tui.journal.news import News
from tui.poller import Pollers
from tui.rules import Alert, Level, Rules, Silent, Trouble
from tui.sources.reading import Number, Reading
from tui.timeline.attended import ACK, Said
from tui.timeline.entry import Entry
from tui.walking import Walking
from widgets.dialogs import TextDialog
from widgets.live_table import LiveTable

WARN = Alert("redis:cache", "memory_percent", "", Level.WARN, 90.0, 85.0, 940.0)
CRITICAL = Alert("database:orders", "blocked", "", Level.CRITICAL, 12.0, 10.0, 940.0)
ON_IT = Said(ACK, "ann", "on it", 950.0, 9999.0, Level.CRITICAL)


def test_what_is_seen_to_stands_last_and_is_dimmed() -> None:
    page = alert_page(
        [(CRITICAL, ON_IT), (WARN, None)], 1000.0, [Silent("kubernetes:", "refused", 959.0)], ["UNSURE x", ""]
    )
    assert page.text().splitlines() == [
        "UNSURE x",
        "",
        "NO DATA  kubernetes refused for 41s",
        "WARN     redis:cache memory_percent = 90 % (threshold 85 %) for 60s",
        "CRITICAL database:orders blocked = 12 (threshold 10) for 60s, ack; acknowledged by ann: on it",
    ]
    assert [row.tone for row in page.rows] == ["warn", "warn", "dim"]


def test_an_alert_names_the_runbooks_it_offers() -> None:
    page = alert_page([(CRITICAL, None)], 1000.0, offered=lambda alert: ["Lock contention"])
    assert page.text().endswith("; runbook (enter): Lock contention")


def test_a_calm_page_says_so() -> None:
    assert alert_page([], 0.0).text() == "No alert is up, and every system answers."


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("1h", ""), ("30m planned failover", ""), ("soon", "a duration is"), ("5s", "between 1m and 7d"),
        ("400d", "between 1m and 7d"), ("", "a duration is"), (f"1h {'x' * 501}", "at most 500"),
    ],
)  # fmt: skip
def test_a_silence_has_a_time_and_a_note_of_sensible_length(typed: str, words: str) -> None:
    problem = silence_problem(typed)
    assert words in problem
    assert bool(problem) == bool(words)


class PageApp(App[None]):
    def __init__(self, page: Callable[[], AlertPage]) -> None:
        super().__init__()
        self.page = page
        self.asked: list[tuple[str, Trouble]] = []

    def on_mount(self) -> None:
        self.push_screen(
            AlertsScreen(
                self.page, lambda trouble: self.asked.append(("runbook", trouble)),
                lambda what, alert: self.asked.append((what, alert)), lambda: "",
            )
        )  # fmt: skip


async def test_each_key_is_about_the_alert_under_the_cursor_wherever_it_goes() -> None:
    said: dict[str, Said] = {}

    def page() -> AlertPage:
        return alert_page([(alert, said.get(alert.source)) for alert in (CRITICAL, WARN)], 1000.0)

    app = PageApp(page)
    async with app.run_test() as pilot:
        await pilot.press("A")
        said[CRITICAL.source] = ON_IT
        assert isinstance(app.screen, AlertsScreen)
        app.screen.draw()
        await pilot.press("X", "enter", "up", "Z")
    assert app.asked == [
        ("acknowledge", CRITICAL), ("take_back", CRITICAL), ("runbook", CRITICAL), ("silence", WARN),
    ]  # fmt: skip


async def test_what_does_not_answer_has_runbooks_but_cannot_be_acknowledged() -> None:
    gone = Silent("redis:cache", "refused", 991.0)
    app = PageApp(lambda: alert_page([], 1000.0, [gone], offered=lambda trouble: ["Cut off"]))
    async with app.run_test() as pilot:
        await pilot.press("A")
        table = app.screen.query_one(LiveTable)
        assert table.row_count == 1
        assert app.asked == []
        await pilot.press("enter")
        assert app.asked == [("runbook", gone)]
        text = app.page().text()
    assert text == "NO DATA  redis:cache refused for 9s; runbook (enter): Cut off"


class Nobody:
    """Has no runbooks."""

    def runbooks(self, trouble: Trouble) -> tuple[str, ...]:
        return ()


class AlertingApp(App[None]):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.rules = Rules({"database.blocked": Rule(warn=1)})
        self.told: list[str] = []
        self.announced: list[str] = []
        self.entries: list[Entry] = []
        journal = Journal(folder, "t", "dev")
        self.news = News(journal)
        self.journal = journal
        self.alerting = Alerting(
            self, Pollers(lambda reading: None, interval_s=None), self.rules, journal, self.news,
            cast("Walking", Nobody()), lambda text, tone: self.told.append(text), tuple,
            lambda text, tone: self.announced.append(text), lambda: self.entries, is_sandbox=False, bell="critical",
        )  # fmt: skip

    def judge(self, value: float, now: float) -> None:
        reading = Reading("database:orders", 2.0, Facts((Number("blocked", value),)))
        self.alerting.take(self.rules.judge(reading, now))

    def written(self) -> list[str]:
        return [str(entry["what"]) for entry in self.journal.entries()]


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await pilot.pause(0.01)


async def test_an_acknowledgement_reaches_the_others_and_ends_with_the_alert(tmp_path: Path) -> None:
    ours, theirs = AlertingApp(tmp_path), AlertingApp(tmp_path)
    async with ours.run_test() as pilot:
        for app in (ours, theirs):
            app.judge(3.0, 0.0)
        ours.alerting.open()
        await pilot.press("A", *"on it")
        await pilot.press("enter")
        await until(pilot, lambda: ours.alerting.split(time.time()) == ([], 1, 0))
        await theirs.news.fetch()
        assert theirs.alerting.split(time.time()) == ([], 1, 0)
        (row,) = theirs.alerting.page().rows
        assert row.more.endswith(": on it")
        ours.judge(0.0, 1.0)
        await until(pilot, lambda: ours.written() == ["ack", "unsilence"])
        await theirs.news.fetch()
        assert len(theirs.alerting.split(time.time())[0]) == 1, "seen there still, and nobody is on it any more"


async def test_what_cannot_be_put_on_record_is_said_and_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "dev").write_text("in the way")
    app = AlertingApp(tmp_path)
    async with app.run_test() as pilot:
        app.judge(3.0, 0.0)
        app.alerting.open()
        await pilot.press("Z", *"1h")
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.told))
        assert app.told[0].startswith("not on record: ")
        assert len(app.alerting.split(time.time())[0]) == 1


async def test_an_alert_that_comes_is_told_and_rings_but_not_what_was_up_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, rung = AlertingApp(tmp_path), []
    async with app.run_test() as pilot:
        monkeypatch.setattr(app, "bell", lambda: rung.append(1))
        app.judge(3.0, 0.0)
        assert app.announced == []
        monkeypatch.setattr("tui.alerting._QUIET_S", 0.0)
        app.judge(0.0, 1.0)
        app.judge(3.0, 2.0)
        (told,) = app.announced
        assert told.startswith("▲ WARN database:orders blocked = 3 (threshold 1)")
        assert told.endswith("a lists alerts")
        assert not rung, "a warning rings no bell"
        app.rules._rules = {"database.blocked": Rule(critical=1)}
        app.judge(0.0, 3.0)
        app.judge(3.0, 4.0)
        assert len(app.announced) == 2
        assert rung == [1]
        app.alerting.open()
        await pilot.press("A", *"on it")
        await pilot.press("enter")
        await until(pilot, lambda: app.alerting.split(time.time()) == ([], 1, 0))
        assert len(app.announced) == 2


async def test_h_shows_the_alerts_that_came_so_far(tmp_path: Path) -> None:
    app = AlertingApp(tmp_path)
    app.entries = [
        Entry("1", 0.0, "database:orders", "alert", "blocked = 3"),
        Entry("2", 60.0, "database:orders", "restart", "restarted"),
        Entry("3", 90.0, "redis:", "alert", "full"),
    ]
    async with app.run_test() as pilot:
        app.alerting.open()
        await pilot.press("h")
        await pilot.pause()
        assert isinstance(app.screen, TextDialog)
        assert app.alerting.history() == "00:01:30Z  redis  full\n00:00:00Z  database:orders  blocked = 3"
