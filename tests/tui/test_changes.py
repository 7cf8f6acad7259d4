"""Changes on the screen, led through dialogs with a verb of a few lines."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.actions.scripted import REQUEST, TARGET, Bench, Scripted
from tui.actions.action import Action, Look, Phase, Request, Risk, Step
from tui.actions.perform import Ending
from tui.changes import Changes
from tui.journal.news import News
from widgets.cell import Tone, cell_text
from widgets.confirm_dialog import ConfirmDialog
from widgets.dialogs import ChooseDialog, TextDialog
from widgets.live_table import LiveTable
from widgets.log_view import LogView


class Screen(App[None]):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.bench = Bench(folder, verb=Scripted(risk=Risk.LOW, inverse=replace(REQUEST, wanted={"back": 1})))
        self.told: list[tuple[str, Tone]] = []
        self.done = 0
        performer, journal = self.bench.performer, self.bench.journal
        self.news = News(journal)
        self.changes = Changes(
            self, self.bench.profile, performer.verbs, performer, journal, self.news, self.tell, self.tell
        )

    def tell(self, text: str, tone: Tone) -> None:
        self.told.append((text, tone))

    def begin(self, *requests: Request) -> None:
        self.changes.begin(requests, lambda ended: self.count())

    def count(self) -> None:
        self.done += 1


@pytest.fixture
def app(tmp_path: Path) -> Screen:
    return Screen(tmp_path)


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await pilot.pause(0.01)


async def listening(pilot: Pilot[None], kind: type[ConfirmDialog] = ConfirmDialog) -> ConfirmDialog:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))
    dialog = pilot.app.screen
    assert isinstance(dialog, ConfirmDialog)
    await until(pilot, lambda: "closes in" in str(dialog.query_one("#hint", Static).content))
    return dialog


def choices(app: Screen) -> list[tuple[str, ...]]:
    table = app.screen.query_one(LiveTable)
    rows = [table.row(key) for key in table.visible_keys]
    return [tuple(map(cell_text, row.cells)) for row in rows if row is not None]


async def test_one_request_is_asked_about_sent_and_reported(app: Screen) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.begin(REQUEST)
        assert bool(app.changes)
        await listening(pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.done)
        assert app.bench.verb.sent == ["4711"]
        assert app.told[-1] == ("Cancel query of backend shop/4711: CONVERGED, gone", "ok")
        assert not app.changes


async def test_a_second_change_of_the_same_target_is_refused_while_one_is_under_way(app: Screen) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.begin(REQUEST)
        app.begin(replace(REQUEST, seen={"other": 1}))
        assert "already under way" in app.told[-1][0]
        await listening(pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.done)
        assert app.bench.verb.sent == ["4711"]


class Endless(Scripted):
    """Goes on until somebody stops it."""

    stopped_by = "stop-it"

    async def steps(self, action: Action) -> AsyncGenerator[Step, None]:
        while "stopped" not in self.sent:
            yield Step("going on")
            await asyncio.sleep(0.01)


async def test_only_what_stops_a_change_that_goes_on_may_come_in_its_way(app: Screen) -> None:
    lasting, stop = Endless(), replace(REQUEST, verb="stop-it")
    verbs = app.changes._verbs
    assert isinstance(verbs, dict)
    verbs["cancel-query", "database:orders"] = lasting
    verbs["stop-it", "database:orders"] = Scripted("stop-it", "Stop it")
    async with app.run_test(size=(100, 30)) as pilot:
        app.begin(REQUEST)
        await listening(pilot)
        await pilot.press("y")
        await until(pilot, lambda: any("going on" in text for text, _ in app.told))
        app.begin(replace(REQUEST, seen={"other": 1}))
        assert "already under way" in app.told[-1][0]
        app.begin(stop)
        await listening(pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.done == 1)
        lasting.sent.append("stopped")
        await until(pilot, lambda: app.done == 2)


async def test_several_are_listed_confirmed_by_their_number_and_told_one_by_one(app: Screen) -> None:
    requests = [replace(REQUEST, target=replace(TARGET, name=name, identity={"pid": name})) for name in ("1", "2", "3")]
    async with app.run_test(size=(100, 30)) as pilot:
        app.begin(*requests)
        await listening(pilot)
        await pilot.press("2", "enter")
        assert "Refused" in str(app.screen.query_one("#said", Static).content)
        await pilot.press("backspace", "3", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        await pilot.pause()
        lines = [line.text for line in app.screen.query_one(LogView).visible_lines()]
        assert sum("CONVERGED" in line for line in lines) == 3
        assert app.bench.verb.sent == ["1", "2", "3"]
        assert ("3 of 3 CONVERGED", "ok") in app.told
        await pilot.press("escape")
        await until(pilot, lambda: app.done)


async def test_a_change_is_taken_back_through_the_same_dialog_and_only_once(app: Screen) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.begin(REQUEST)
        await listening(pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.done)
        app.run_worker(app.changes.choose_undo(lambda ended: app.count()))
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.pause()
        assert choices(app)[0][0] == "cancel-query 4711"
        await pilot.press("enter")
        await listening(pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.done == 2)
        assert app.told[-1][0].startswith("Undo: Cancel query")
        assert [entry.get("undoes", "") != "" for entry in app.bench.journal.entries()] == [False] * 3 + [True] * 3


async def test_with_nothing_to_take_back_nobody_is_asked(app: Screen) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await app.changes.choose_undo(lambda ended: app.count())
        await pilot.pause()
        assert app.told == [("there is no change on record that could be taken back", "")]


async def test_a_temporary_change_is_counted_until_it_is_kept(app: Screen) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        app.begin(replace(REQUEST, temporary_s=1800.0))
        await listening(pilot)
        await pilot.press("y")
        await until(pilot, lambda: app.done)
        await app.news.fetch()
        assert len(app.changes.ledger.temporary) == 1
        app.run_worker(app.changes.choose_undo(lambda ended: app.count()))
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.pause()
        assert "due in 29m" in choices(app)[0][1]
        first = app.screen
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog) and app.screen is not first)
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.told[-1][0].startswith("kept for good"))
        await app.news.fetch()
        assert not app.changes.ledger.temporary


async def test_what_a_killed_opstui_left_behind_is_said_and_resolved(app: Screen, tmp_path: Path) -> None:
    killed = Bench(tmp_path / "killed")
    await killed.run()
    intent = next(entry for entry in killed.journal.entries() if entry["what"] == "intent")
    async with app.run_test(size=(100, 30)):
        app.changes.take([{**intent, "born": 0.0}])
        await app.changes.recover()
        assert app.told[0][0].startswith("Cancel query of backend shop/4711: UNKNOWN, sent at 20")
        assert app.told[0][1] == "critical"
        assert app.told[-1][0].startswith("Cancel query of backend shop/4711: CONVERGED, sent at 20")
        assert app.bench.verb.sent == []


async def test_a_change_that_regresses_later_is_told_in_red(app: Screen) -> None:
    app.bench.verb.hold_s = 60.0
    app.bench.verb.looks = [Look(Phase.CONVERGED, "there"), Look(Phase.ABSENT, "an autoscaler set 3")]
    async with app.run_test(size=(100, 30)) as pilot:
        app.begin(REQUEST)
        await listening(pilot)
        await pilot.press("y")
        await until(pilot, lambda: Ending.REGRESSED.upper() in app.told[-1][0])
        assert app.told[-1][1] == "critical"


async def test_what_others_sent_counts_against_the_limit_of_a_minute(app: Screen, tmp_path: Path) -> None:
    other = Bench(tmp_path / "other")
    await other.run()
    app.changes.take(list(other.journal.entries()))
    assert app.bench.guard.sent_lately == 1
