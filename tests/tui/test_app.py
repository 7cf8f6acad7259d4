"""The frame around the panes, on a profile that names no system but the host."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from profiles.schema import Profile
from tui.alerts_screen import AlertsScreen
from tui.app import OpsApp
from tui.journal import Journal, who
from tui.panes.pane import Pane
from tui.panes.tabs import RESOURCES, TABS, Tab
from tui.panes.timeline import Entries
from tui.wishes import Wishes
from widgets.confirm_dialog import ConfirmDialog
from widgets.dialogs import InputDialog, TextDialog
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine


@pytest.fixture
def make_app(tmp_path: Path) -> Callable[..., OpsApp]:
    def make(environment: str = "dev", sandbox: Any = None, more: Any = None, **options: Any) -> OpsApp:
        profile = Profile.model_validate({"name": "t", "environment": environment, **(more or {})})
        journal = Journal(tmp_path, profile.name, profile.environment)
        return OpsApp(
            profile, journal=journal, log_file=str(tmp_path / "log"), wishes=Wishes(**options), sandbox=sandbox
        )

    return make


def line(app: OpsApp, name: str) -> str:
    return app.screen_stack[0].query_one(f"#{name}", SegmentLine).text


def told(app: OpsApp) -> str:
    return app.screen_stack[0].query_one("#told", NoticeBar).text


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await pilot.pause(0.02)


async def test_every_number_opens_its_tab(make_app: Callable[..., OpsApp]) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        for number, tab in enumerate(TABS, 1):
            await pilot.press(str(number))
            shown = [child for child in app.query_one("#panes").children if child.display]
            assert [type(child) for child in shown] == [tab.pane()]


async def test_text_that_comes_in_one_burst_with_the_slash_runs_no_command(make_app: Callable[..., OpsApp]) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("6")
        for character in "/pawq":
            key = "slash" if character == "/" else character
            app.post_message(events.Key(key, character))
        field = "FilterBar Input"
        await until(pilot, lambda: any(bar.value == "pawq" for bar in app.query(field)))  # type: ignore[attr-defined]  # Input
        assert "PAUSED" not in line(app, "status")
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: str(tab.title))
async def test_keys_that_come_in_one_burst_with_the_number_of_a_tab_are_for_that_tab(tmp_path: Path, tab: Tab) -> None:
    kubernetes = {"kubeconfig": str(tmp_path / "none")}
    names = {"kubernetes": kubernetes, "databases": {"shop": "host=/none"}, "redis": {"cache": "unix:///none"}}
    logs = {"app": {"file": str(tmp_path / "app.log")}}
    services = {"api": {"url": "http://127.0.0.1:9/"}}
    profile = Profile.model_validate({"name": "t", "environment": "dev", "services": services, "logs": logs, **names})
    app = OpsApp(profile, journal=Journal(tmp_path, "t", "dev"), log_file=str(tmp_path / "log"), wishes=Wishes())
    number = TABS.index(tab) + 1
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press(str(number), "7" if number != 7 else "6")
        for character in f"{number}/pawq":
            app.post_message(events.Key("slash" if character == "/" else character, character))
        await until(pilot, lambda: bool(app.query("FilterBar Input")) and "pawq" in typed(app).values())
        assert [pane for pane, text in typed(app).items() if text] == [f"pane-{number}"]
        assert app.focused is not None
        assert app.query_one(f"#pane-{number}") in app.focused.ancestors


def typed(app: OpsApp) -> dict[str, str]:
    """Return what stands in the filter of every pane that was made."""
    return {pane.id or "": "".join(bar.value for bar in pane.query("FilterBar Input").results(Input)) for pane in
            app.query("#panes > *")}  # fmt: skip


async def test_a_production_session_starts_read_only_arms_and_disarms(make_app: Callable[..., OpsApp]) -> None:
    app = make_app("prod")
    async with app.run_test(size=(120, 30)) as pilot:
        assert "!! PROD !!" in line(app, "status")
        assert "READ-ONLY" in line(app, "status")
        await pilot.press("W")
        assert "ARMED" in line(app, "status")
        assert "10 min" in told(app)
        await pilot.press("W")
        assert "READ-ONLY" in line(app, "status")


async def test_a_cluster_that_is_read_only_is_armed_for_where_the_rest_is_writable(
    make_app: Callable[..., OpsApp],
) -> None:
    guards = {"us": {"read_only": True}, "ap": {"locked": True}}
    clusters = {name: {"context": name, "kubeconfig": "/dev/null", "guards": own} for name, own in guards.items()}
    app = make_app(more={"clusters": clusters})
    async with app.run_test(size=(140, 30)) as pilot:
        assert "WRITABLE, not us, ap" in line(app, "status")
        await pilot.press("2")
        assert "READ-ONLY UNTIL ARMED" in app.query_one("#pods-title", SegmentLine).text
        await pilot.press("W")
        assert "armed for 10 min" in told(app)
        assert ", not ap" in line(app, "status")
        assert "not us" not in line(app, "status")
        await pilot.press("W")
        assert "disarmed" in told(app)
        assert "WRITABLE, not us, ap" in line(app, "status")


async def test_read_only_on_the_command_line_cannot_be_armed(make_app: Callable[..., OpsApp]) -> None:
    app = make_app(read_only=True)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("W")
        assert "without --read-only" in told(app)
        assert not app.guard.can_write


async def test_a_shared_screen_starts_unarmed_and_shows_the_last_key_and_who_armed(
    make_app: Callable[..., OpsApp],
) -> None:
    app = make_app(share=True)
    async with app.run_test(size=(140, 30)) as pilot:
        assert "READ-ONLY" in line(app, "status")
        await pilot.press("6")
        assert "SHARED 6" in line(app, "status")
        await pilot.press("W")
        assert f"by {who()}" in line(app, "status")
        assert "SHARED W" in line(app, "status")


async def test_arming_and_disarming_are_on_record(make_app: Callable[..., OpsApp], tmp_path: Path) -> None:
    app = make_app("prod")
    async with app.run_test(size=(140, 30)) as pilot:
        await pilot.press("W", "W")
        await until(pilot, lambda: len(on_record(tmp_path, app)) == 2)
    assert [entry["what"] for entry in on_record(tmp_path, app)] == ["armed", "disarmed"]


async def test_with_nothing_to_take_back_capital_u_says_so(make_app: Callable[..., OpsApp]) -> None:
    app = make_app()
    async with app.run_test(size=(140, 30)) as pilot:
        await pilot.press("U")
        await until(pilot, lambda: "no change on record" in told(app))


async def test_leaving_production_asks_and_leaving_others_does_not(make_app: Callable[..., OpsApp]) -> None:
    app = make_app("prod")
    async with app.run_test() as pilot:
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert app.return_code is None
    app = make_app("dev")
    async with app.run_test() as pilot:
        await pilot.press("q")
        await until(pilot, lambda: app.return_code == 0)


async def test_pausing_is_seen_and_undone(make_app: Callable[..., OpsApp]) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("p")
        assert "PAUSED" in line(app, "status")
        await pilot.press("p")
        assert "PAUSED" not in line(app, "status")


async def test_the_pace_of_a_tab_changes_by_steps(make_app: Callable[..., OpsApp]) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: bool(app._pollers.readings()))
        await pilot.press("6", "plus")
        assert "every 1 s" in told(app)
        await pilot.press("minus", "minus")
        assert "every 5 s" in told(app)
        await pilot.press("5", "plus")
        assert "live anyway" in told(app)


async def test_keys_alerts_and_by_hand_open_a_page(make_app: Callable[..., OpsApp]) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        for key in ("question_mark", "a", "b"):
            await pilot.press(key)
            assert isinstance(app.screen, AlertsScreen if key == "a" else TextDialog)
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_the_palette_offers_every_command_and_the_scenarios_of_a_sandbox(
    make_app: Callable[..., OpsApp],
) -> None:
    played: list[str] = []

    class Scenario:
        meaning = "things break"

    class Sandbox:
        scenarios: ClassVar[dict[str, Scenario]] = {"crash": Scenario()}

        async def scenario(self, name: str) -> None:
            played.append(name)

    app = make_app("sandbox", sandbox=Sandbox())
    async with app.run_test(size=(120, 30)) as pilot:
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert {"Quit", "Alerts", "Pause", "By hand", "Scenario: crash"} <= commands.keys()
        commands["Scenario: crash"].callback()
        await until(pilot, lambda: played == ["crash"])


@pytest.mark.parametrize("method", ["show", "tick", "draw"])
async def test_a_tab_that_cannot_be_drawn_says_so_and_ends_nothing(
    make_app: Callable[..., OpsApp], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def fail(*facts: object) -> None:
        raise ZeroDivisionError("odd data")

    monkeypatch.setattr(RESOURCES.pane(), method, fail)
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: "Resources could not be drawn" in told(app))
        await pilot.resize_terminal(100, 24)
        await pilot.press("tab", "1")
        assert app.query_one("#pane-1").display


async def test_what_a_person_asked_for_and_failed_is_said(make_app: Callable[..., OpsApp]) -> None:
    class Crash:
        meaning = "nothing goes on"

    class Sandbox:
        scenarios: ClassVar[dict[str, Crash]] = {"crash": Crash()}

        async def scenario(self, name: str) -> None:
            raise OSError("the sandbox has ended")

    app = make_app("sandbox", sandbox=Sandbox())
    async with app.run_test(size=(120, 30)) as pilot:
        (begin,) = [one.callback for one in app.get_system_commands(app.screen) if one.title == "Scenario: crash"]
        begin()
        await until(pilot, lambda: "the sandbox has ended" in told(app))


def on_record(tmp_path: Path, app: OpsApp) -> list[dict[str, Any]]:
    journal = Journal(tmp_path, app.profile.name, app.profile.environment)
    return [entry for entry in journal.entries() if entry["what"] not in ("opened", "closed")]


async def test_a_note_is_on_record_and_at_once_in_the_timeline(make_app: Callable[..., OpsApp], tmp_path: Path) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: bool(app.timekeeper.timeline))
        await pilot.press("7", "N")
        await until(pilot, lambda: isinstance(app.screen, InputDialog))
        await pilot.press("enter")
        assert isinstance(app.screen, InputDialog), "nothing is no note"
        await pilot.press(*"rolled back", "enter")
        await until(pilot, lambda: "noted" in told(app))
        (note,) = on_record(tmp_path, app)
        assert (note["what"], note["text"]) == ("note", "rolled back")
        assert note["about"].startswith("Timeline: ")
        table = app.query_one(Entries)
        await until(pilot, lambda: table.cursor_row is not None and "rolled back" in str(table.cursor_row.cells))


async def test_a_note_that_cannot_be_kept_is_said_not_to_be(make_app: Callable[..., OpsApp], tmp_path: Path) -> None:
    (tmp_path / "dev").touch()
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "NOT on record" in told(app))
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, InputDialog))
        await pilot.press("x", "enter")
        await until(pilot, lambda: "NOT on record" in told(app))
        await pilot.press("7")
        await until(pilot, lambda: "the timeline's own file" in " ".join(app.timekeeper.timeline.troubles.values()))


async def test_a_snapshot_of_a_tab_is_on_record_as_text(make_app: Callable[..., OpsApp], tmp_path: Path) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: app.deck.pane is not None and "cpu" in app.deck.pane.as_text())
        await pilot.press("P")
        await until(pilot, lambda: "a snapshot of Resources" in told(app))
        (found,) = on_record(tmp_path, app)
        assert (found["what"], found["title"]) == ("snapshot", "Resources")
        assert "cpu" in found["text"]
        assert len(found["text"].encode()) <= 8 * 1024 + 3


async def test_opening_closing_and_pausing_are_told_and_the_timeline_goes_on_after_a_restart(
    make_app: Callable[..., OpsApp],
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: bool(app.timekeeper.timeline))
        await pilot.press("p")
    again = make_app()
    async with again.run_test(size=(120, 30)) as pilot:
        timeline = again.timekeeper.timeline
        await until(pilot, lambda: sum(row.what == "opened" for row in timeline.rows()) == 2)
        assert [row.what for row in timeline.rows()] == ["opened", "paused", "closed", "opened"]


async def test_jumping_opens_the_tab_and_stays_where_it_was_when_the_thing_is_gone(
    make_app: Callable[..., OpsApp],
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("7")
        app.post_message(Pane.Jumped("host:", "cpu_percent", 0.0))
        await until(pilot, lambda: app.deck.active == 5)
        await pilot.press("7")
        app.post_message(Pane.Jumped("redis:gone", "client/7", 0.0))
        await until(pilot, lambda: "client/7 is gone: Redis has it no longer" in told(app))
        assert app.deck.active == 6


async def test_the_report_is_written_with_every_open_tab(
    make_app: Callable[..., OpsApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("6", "7", "w")
        await until(pilot, lambda: "the incident report" in told(app))
    (path,) = tmp_path.glob("t-incident-*.md")
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert "# Incident report: t" in text
    assert "### Resources" in text
