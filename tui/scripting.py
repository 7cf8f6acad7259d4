"""Scripts of the profile on the screen: chosen, asked for like any change, and followed while they run."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from textual.app import App

from profiles.schema import Profile
from tui.actions.action import NO_SYSTEM, Request, Verb
from tui.actions.scripts import RUN_SCRIPT, RunScript, ScriptRun, script_request
from tui.sources.text import clean
from tui.units import span
from widgets.dialogs import Choice, ChooseDialog, TextDialog
from widgets.live_dialog import LiveDialog, LiveState

Begin = Callable[[Request], None]


class Scripting:
    """One profile's scripts."""

    def __init__(
        self,
        app: App[Any],
        profile: Profile,
        verbs: Mapping[tuple[str, str], Verb],
        refusal: Callable[[Request], str | None],
        begin: Begin,
    ) -> None:
        """Prepare.

        Args:
            app: shows the dialogs.
            profile: whose scripts.
            verbs: every verb, as soon as the systems are there.
            refusal: why a request cannot run now; None when it can.
            begin: leads a request through its life.
        """
        self._app, self._profile, self._verbs, self._refusal, self._begin = app, profile, verbs, refusal, begin

    def commands(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        """Yield title, meaning and beginning of each script, for the palette."""
        for name, script in self._profile.scripts.items():
            yield f"Run script: {script.title or name}", "asks before it runs", partial(self.run, name)

    async def choose(self) -> None:
        """Ask which script to run."""
        scripts = self._profile.scripts
        if not scripts:
            text = (
                "this profile declares no scripts; add: scripts: {NAME: {command: [PROGRAM, ARGUMENT], changes: true}}"
            )
            await self._app.push_screen_wait(TextDialog("Scripts", text))
            return
        choices = [
            Choice(name, script.title or name, self._refusal(script_request(name, script)) or f"{script.risk} risk")
            for name, script in scripts.items()
        ]
        name = await self._app.push_screen_wait(ChooseDialog("Run which script? It asks again before it runs", choices))
        if name is not None:
            self.run(name)

    def run(self, name: str) -> None:
        """Ask for a script to be run; its output is shown from its start on."""
        verb = self._verbs.get((RUN_SCRIPT, NO_SYSTEM))
        if isinstance(verb, RunScript):
            verb.started = partial(self._follow, verb)
        self._begin(script_request(name, self._profile.scripts[name]))

    def _follow(self, verb: RunScript, run: ScriptRun) -> None:
        title = f"Script {clean(run.title, limit=100)}"
        self._app.push_screen(LiveDialog(title, partial(state_of, run), partial(verb.kill, run)))


def state_of(run: ScriptRun) -> LiveState:
    """Return how a run is at this moment."""
    words = run.ended or f"runs for {span(max(0.0, time.time() - run.began_at))}"
    return LiveState(f"{words}, {run.count} lines", run.count, run.lines, run.is_over)
