"""Scripts on the screen: offered by name, followed in a window that may be closed without ending them."""

import asyncio

from textual.app import App

from profiles.schema import Profile
from tui.actions.action import NO_SYSTEM, Request
from tui.actions.scripts import RUN_SCRIPT, RunScript, ScriptRun
from tui.scripting import Scripting, state_of
from widgets.live_dialog import LiveDialog
from widgets.log_view import LogView

PROFILE = Profile.model_validate(
    {"name": "t", "environment": "dev", "scripts": {"flush": {"command": ["true"], "title": "Flush the CDN"}}}
)


class Bare(App[None]):
    """Nothing but dialogs."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[Request] = []
        self.verb = RunScript(PROFILE)
        verbs = {(RUN_SCRIPT, NO_SYSTEM): self.verb}
        self.scripting = Scripting(self, PROFILE, verbs, lambda request: None, self.begun.append)


async def test_every_script_is_a_command_of_the_palette() -> None:
    app = Bare()
    async with app.run_test():
        ((title, _, run),) = app.scripting.commands()
        assert title == "Run script: Flush the CDN"
        run()
        assert [request.target.name for request in app.begun] == ["flush"]


async def test_the_window_follows_a_run_and_kills_it_only_at_the_second_press() -> None:
    app, killed = Bare(), []
    run = ScriptRun("flush", "Flush the CDN", 0.0)
    async with app.run_test(size=(80, 24)) as pilot:
        dialog = LiveDialog("Script", lambda: state_of(run), lambda: killed.append(1))
        app.push_screen(dialog)
        await pilot.pause()
        run.hear(b"one\ntwo [b]\n")
        dialog.tick()
        await pilot.pause()
        shown = [line.text for line in dialog.query_one(LogView).visible_lines()]
        assert shown == ["one", "two [b]"]
        await pilot.press("K")
        assert killed == []
        await pilot.press("K")
        assert killed == [1]
        run.end("exit code 0", 0)
        await pilot.press("K")
        assert killed == [1]
        await pilot.press("escape")
        assert app.screen is not dialog


async def test_a_run_that_begins_opens_its_window() -> None:
    app = Bare()
    async with app.run_test(size=(80, 24)) as pilot:
        app.scripting.run("flush")
        action = await app.verb.plan(app.begun[0])
        await app.verb.execute(action)
        await pilot.pause()
        assert isinstance(app.screen, LiveDialog)
        async with asyncio.timeout(30):
            while (await app.verb.look(action.sent(0.0))).phase.value == "waiting":
                await asyncio.sleep(0.01)
