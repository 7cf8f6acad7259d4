"""Requests on the screen: each led through its whole life beside everything else, and told about while it lasts."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from textual.app import App

from profiles.schema import Profile
from tui.actions.action import Action, Request, Verb
from tui.actions.perform import Ask, Consent, Ending, Performer
from tui.confirm import action_dialog, consent, verb_and_target, watch_target
from widgets.cell import Tone

Tell = Callable[[str, Tone], None]

_TONES: dict[Ending, Tone] = {
    Ending.CONVERGED: "ok",
    Ending.NOT_CONVERGED: "critical",
    Ending.REGRESSED: "critical",
    Ending.UNKNOWN: "critical",
}


class Changes:
    """Asks, performs and reports; at most one change of a target at a time."""

    def __init__(
        self,
        app: App[Any],
        profile: Profile,
        verbs: Mapping[tuple[str, str], Verb],
        performer: Performer,
        tell: Tell,
    ) -> None:
        self._app = app
        self._profile = profile
        self._verbs = verbs
        self._performer = performer
        self._tell = tell
        self._under_way: dict[Request, str] = {}
        self._asking = asyncio.Lock()

    def __bool__(self) -> bool:
        return bool(self._under_way)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield what is under way and how far it is, for a dialog."""
        for request, what in self._under_way.items():
            yield "Under way", f"{self._named(request)}: {what}"

    def begin(self, request: Request, done: Callable[[], None]) -> None:
        """Start to lead a request through its life; `done` is called when it has ended."""
        if any(running.target == request.target for running in self._under_way):
            self._tell(f"a change of {request.target} is already under way", "warn")
            return
        # Noted at once: the worker starts later, and a second key must not find the target free.
        self._under_way[request] = "starting"
        self._app.run_worker(self._perform(request, done), group="perform", exit_on_error=False)

    async def _perform(self, request: Request, done: Callable[[], None]) -> None:
        try:
            outcome = await self._performer.perform(request, self._confirm, self._progress)
        finally:
            del self._under_way[request]
        words = f"{self._named(request)}: {outcome.ending.upper()}, {outcome.detail}"
        self._tell(words, _TONES.get(outcome.ending, "warn"))
        done()

    async def _confirm(self, action: Action, ask: Ask) -> Consent | None:
        verb = self._verbs[action.request.verb, action.request.target.source]
        dialog = action_dialog(verb, action, ask, self._profile)
        # One question at a time: an answer must never be typed into a dialog that has just come over another.
        async with self._asking:
            watch = asyncio.create_task(watch_target(dialog, verb, action))
            try:
                return consent(ask, await self._app.push_screen_wait(dialog))
            finally:
                watch.cancel()

    def _progress(self, request: Request, what: str) -> None:
        self._under_way[request] = what
        self._tell(f"{self._named(request)}: {what}", "")

    def _named(self, request: Request) -> str:
        verb = self._verbs.get((request.verb, request.target.source))
        return verb_and_target(verb.title if verb else request.verb, request.target)
