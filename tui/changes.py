"""Requests on the screen: each led through its whole life beside everything else, and told about while it lasts."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from textual.app import App

from profiles.schema import Profile
from tui.actions.action import Action, Lasting, Request, Verb
from tui.actions.batch import Candidate, Result, perform_all
from tui.actions.ledger import Ledger, undo_request
from tui.actions.perform import Ask, Consent, Ending, Outcome, Performer
from tui.actions.recovery import abandoned, recover, sent_words
from tui.confirm import action_dialog, batch_dialog, consent, results_page, verb_and_target, watch_target
from tui.journal import Journal, JournalError, moment_of
from tui.journal.news import News
from tui.undoing import BACK, KEEP, choices, deed_of, temporary_dialog, undo_dialog
from widgets.cell import Tone
from widgets.dialogs import TextDialog

Tell = Callable[[str, Tone], None]
Ended = Sequence[tuple[Request, Outcome | None]]
"""What became of each request; None of one whose turn never came. Empty when we were interrupted."""
Done = Callable[[Ended], None]

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
        journal: Journal,
        news: News,
        tell: Tell,
        progress: Tell,
    ) -> None:
        self._app = app
        self._profile = profile
        self._verbs = verbs
        self._performer = performer
        self._journal = journal
        self._news = news
        self._tell, self._say_how_far = tell, progress
        self._under_way: dict[Request, str] = {}
        self._asking = asyncio.Lock()
        self.ledger = Ledger()
        """What the journal says of the changes so far, ours and others'."""
        news.subscribe(self.take)

    def __bool__(self) -> bool:
        return bool(self._under_way)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield what is under way and how far it is, for a dialog."""
        for request, what in self._under_way.items():
            yield "Under way", f"{self._named(request)}: {what}"

    def take(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Take in what was written into the journal, by us and by others."""
        for entry in entries:
            self.ledger.take(entry)
            if entry.get("what") == "intent":
                ago_s = time.time() - moment_of(entry)
                self._performer.guard.count(str(entry.get("action")), max(0.0, ago_s))

    # One target, or several

    def begin(self, requests: Sequence[Request], done: Done) -> None:
        """Start to lead requests through their life; `done` is told what became of each when they have ended."""
        for request in requests:
            if any(self._is_in_the_way(running, request) for running in self._under_way):
                self._tell(f"a change of {request.target} is already under way", "warn")
                return
        # Noted at once: the worker starts later, and a second key must not find the target free.
        self._under_way.update(dict.fromkeys(requests, "starting"))
        work = self._perform(requests[0]) if len(requests) == 1 else self._perform_all(requests)
        self._app.run_worker(self._led(work, requests, done), group="perform", exit_on_error=False)

    def _is_in_the_way(self, running: Request, request: Request) -> bool:
        verb = self._verbs.get((running.verb, running.target.source))
        is_stopping = isinstance(verb, Lasting) and verb.stopped_by == request.verb
        return running.target.is_same(request.target) and not is_stopping

    async def _led(self, work: Awaitable[Ended], requests: Sequence[Request], done: Done) -> None:
        ended: Ended = ()
        try:
            ended = await work
        finally:
            for request in requests:
                self._under_way.pop(request, None)
            done(ended)

    async def _perform(self, request: Request) -> Ended:
        outcome = await self._performer.perform(request, self._confirm, self._progress)
        self._report(request, outcome)
        return ((request, outcome),)

    def _report(self, request: Request, outcome: Outcome) -> None:
        words = f"{self._named(request)}: {outcome.ending.upper()}, {outcome.detail}"
        self._tell(words, _TONES.get(outcome.ending, "warn"))
        if outcome.ending is Ending.CONVERGED and outcome.sent is not None:
            self._app.run_worker(self._hold(outcome), group="hold", exit_on_error=False)

    async def _hold(self, outcome: Outcome) -> None:
        assert outcome.sent is not None  # noqa: S101 -- only what was sent is watched further
        later = await self._performer.hold(outcome.sent)
        if later is not None:
            self._report(outcome.sent.request, later)

    async def _perform_all(self, requests: Sequence[Request]) -> Ended:
        results = await perform_all(self._performer, requests, self._confirm_all, self._progress)
        for result in results:
            if result.outcome is not None and result.outcome.ending is Ending.CONVERGED:
                self._report(result.request, result.outcome)
        self._tell(*_batch_words(results))
        page = results_page(results, self._named)
        await self._app.push_screen_wait(TextDialog("What became of each", page, stem="changes"))
        return tuple((result.request, result.outcome) for result in results)

    # Asking

    async def _confirm(self, action: Action, ask: Ask) -> Consent | None:
        verb = self._verbs[action.request.verb, action.request.target.source]
        reading, now = self._performer.guard.reading_of(action.request.target.source), time.time()
        old_s = reading.age_s(now) if reading is not None and reading.is_stale(now) else None
        dialog = action_dialog(verb, action, ask, self._profile, old_s=old_s)
        # One question at a time: an answer must never be typed into a dialog that has just come over another.
        async with self._asking:
            watch = asyncio.create_task(watch_target(dialog, verb, action))
            try:
                return consent(ask, await self._app.push_screen_wait(dialog))
            finally:
                watch.cancel()

    async def _confirm_all(self, candidates: Sequence[Candidate], ask: Ask) -> Consent | None:
        request = candidates[0].request
        verb = self._verbs[request.verb, request.target.source]
        async with self._asking:
            dialog = batch_dialog(verb, candidates, ask, self._profile)
            return consent(ask, await self._app.push_screen_wait(dialog))

    def _progress(self, request: Request, what: str) -> None:
        if request in self._under_way:
            self._under_way[request] = what
        self._say_how_far(f"{self._named(request)}: {what}", "critical" if what.startswith("UNKNOWN") else "")

    def _named(self, request: Request) -> str:
        verb = self._verbs.get((request.verb, request.target.source))
        title = verb.title if verb else request.verb
        return verb_and_target(f"Undo: {title}" if request.undoes else title, request.target)

    # Taking back

    async def choose_undo(self, done: Done) -> None:
        """Ask which change is to be taken back, and lead that through its life."""
        await self._news.fetch()  # what ended a moment ago is what people take back most
        found = choices(self.ledger, time.time())
        if not found:
            self._tell("there is no change on record that could be taken back", "")
            return
        action = await self._app.push_screen_wait(undo_dialog(found))
        deed = deed_of(self.ledger, action) if action else None
        if action and deed is None:
            self._tell("somebody has taken that back meanwhile", "warn")
        if deed is None:
            return
        what: str | None = BACK
        if deed.is_temporary:
            what = await self._app.push_screen_wait(temporary_dialog(deed))
        if what == KEEP:
            await self._keep(deed.sent.id)
        elif what == BACK:
            self.begin([undo_request(deed)], done)

    async def _keep(self, action: str) -> None:
        try:
            await self._journal.append("kept", {"action": action})
        except JournalError as error:
            self._tell(f"it stays temporary: the journal cannot be written ({error})", "critical")
        else:
            self._tell("kept for good: it is no longer counted as temporary", "")

    # What an opstui that was killed has left behind

    async def recover(self) -> None:
        """Say which changes nobody knows the outcome of, and find out by reading."""
        deeds = abandoned(self.ledger)
        for deed in deeds:
            self._tell(f"{self._named(deed.sent.request)}: UNKNOWN, {sent_words(deed)}", "critical")
        for deed, outcome in await recover(self._performer, deeds, self._progress):
            self._report(deed.sent.request, outcome)


def _batch_words(results: Sequence[Result]) -> tuple[str, Tone]:
    done = sum(result.outcome is not None and result.outcome.ending is Ending.CONVERGED for result in results)
    never = sum(result.outcome is None for result in results)
    stopped = f", stopped before {never} of them" if never else ""
    return f"{done} of {len(results)} CONVERGED{stopped}", "ok" if done == len(results) else "warn"
