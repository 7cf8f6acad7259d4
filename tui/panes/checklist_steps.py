"""What the steps of a walk ask for: evidence, answers, looks, notes; targets and values, then the change."""

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any, Final

from textual.message import Message

from tui.actions.action import Request
from tui.actions.asking import replicas_problem
from tui.actions.hooks import tell_request
from tui.actions.perform import Ending, Outcome
from tui.journal import JournalError
from tui.panes.pane import Pane
from tui.panes.tabs import PODS
from tui.sources.errors import SourceError
from tui.walkthroughs.format import Act, Check, Look, Note, Remember, Tell, Wait, title_of
from tui.walkthroughs.guide import Guide, answers_of
from tui.walkthroughs.loading import PlacedStep
from tui.walkthroughs.run import Mark, Run, State
from tui.walkthroughs.targets import Asked, Candidate, asks_for, candidates
from widgets.dialogs import Choice, ChooseDialog, InputDialog

_MARKS: Final = (Mark.PASSED, Mark.WARNING, Mark.FAILED, Mark.SKIPPED)
_ASKED: Final = {"replicas": "how many replicas", "value": "to what value"}

Results = Sequence[tuple[Request, Outcome | None]]


class Steps(Pane):
    """A tab on which a walk is led: what each kind of step asks for, and how it is put on record."""

    class Reported(Message):
        """The report of a run is to be written to a file."""

        def __init__(self, run: Run) -> None:
            super().__init__()
            self.run = run

    @property
    def guide(self) -> Guide | None:
        """Who leads; None until everything has begun."""
        return self.desk.guide()

    async def take_step(self, guide: Guide, placed: PlacedStep) -> None:
        """Do what a step asks for."""
        step = placed.step
        if isinstance(step, Check):
            if guide.live.verdict is None:
                self.post_message(self.Told("the evidence is still being read", "warn"))
                return
            await self.on_record(guide.take(guide.live.verdict))
        elif isinstance(step, Wait):
            await self._wait(guide, step)
        elif isinstance(step, Look):
            await self._look(guide, step)
        elif isinstance(step, Remember):
            await self.on_record(guide.remember(step))
        elif isinstance(step, Act | Tell):
            await self._act(guide, placed)
        elif isinstance(step, Note):
            text = await self._ask(step.note, "what you did, or saw; it may be left empty", is_needed=False)
            if text is not None:
                await self.on_record(guide.take(Mark.DONE, note=text))
        elif answers := answers_of(placed):
            await self._answer(guide, placed, answers)
        else:
            await self.on_record(guide.take(Mark.DONE))

    async def _wait(self, guide: Guide, step: Wait) -> None:
        self.stop_reading()
        found = await guide.wait(step)
        if found in (Mark.PASSED, Mark.SKIPPED):
            await self.on_record(guide.take(found))
        else:
            words = f"{found.value}: not well within the time; enter waits again, o or s goes on"
            self.post_message(self.Told(words, "critical"))

    async def _look(self, guide: Guide, step: Look) -> None:
        subject = guide.subject
        name = subject.name.rpartition("/")[2]
        filter_text = (step.filter or "").replace("{subject}", name)
        source = str(subject) if subject.kind in ("database", "redis") else ""
        if step.open == PODS.title and subject.workload(self.desk.profile):
            (source,) = subject.clusters(self.desk.profile)
        await self.on_record(guide.take(Mark.DONE))
        self.post_message(self.Looked(step.open, step.view or "", filter_text, source))

    async def _answer(self, guide: Guide, placed: PlacedStep, answers: Sequence[str]) -> None:
        choices = [Choice(answer, answer) for answer in answers]
        dialog = ChooseDialog(title_of(placed.step), choices, is_answer=True)
        if (chosen := await self.app.push_screen_wait(dialog)) is not None:
            await self.on_record(guide.answer(chosen))

    async def _ask(self, title: str, placeholder: str, *, is_needed: bool = True) -> str | None:
        def problem(typed: str) -> str:
            return "" if typed.strip() or not is_needed else "type something, or leave with esc"

        typed = await self.app.push_screen_wait(InputDialog(title, placeholder=placeholder, problem=problem))
        return typed.strip() if typed is not None else None

    async def on_record(self, work: Awaitable[Any]) -> bool:
        """Do what puts something on record, and say so when that cannot be done."""
        try:
            await work
        except JournalError as error:
            self.post_message(self.Told(f"NOT on record, the walk stays where it is: {error}", "critical"))
            return False
        return True

    def action_move(self, steps: int) -> None:
        """Look at the next step, or the one before."""
        if self.guide is not None and not self.guide.move(steps):
            self.post_message(self.Told("there is no step beyond this one"))

    def action_read(self) -> None:
        """Read the evidence again."""
        if self.guide is not None:
            self.begin(self.guide.read())

    def action_note(self) -> None:
        """Ask for a note."""
        self.run_worker(self._note(), group="walk", exclusive=True, exit_on_error=False)

    async def _note(self) -> None:
        guide = self.guide
        if guide is not None and (text := await self._ask("Note", "it goes on record with the step")) is not None:
            guide.note("; ".join(filter(None, (guide.kept_note, text))))

    def action_skip(self) -> None:
        """Skip the step, with a note."""
        self.run_worker(self._judge(Mark.SKIPPED), group="walk", exclusive=True, exit_on_error=False)

    def action_override(self) -> None:
        """Judge otherwise than the evidence, with a note."""
        self.run_worker(self._judge(None), group="walk", exclusive=True, exit_on_error=False)

    async def _judge(self, mark: Mark | None) -> None:
        guide = self.guide
        if guide is None or (run := guide.run) is None or run.state is State.ENDED:
            return
        if mark is None:
            chosen = await self.app.push_screen_wait(
                ChooseDialog("How did it go? A note is asked for", [Choice(each, each.value) for each in _MARKS])
            )
            if chosen is None:
                return
            mark = Mark(chosen)
        note = await self._ask(f"{mark.value}: why?", "it goes on record with your name")
        if note is not None:
            is_override = mark is not Mark.SKIPPED and guide.live.verdict not in (None, mark)
            await self.on_record(guide.take(mark, note=note, is_override=is_override))

    # Changes

    async def _act(self, guide: Guide, placed: PlacedStep) -> None:
        """Find the targets of a step, have one chosen or all, and ask for the change."""
        step = placed.step
        if isinstance(step, Tell):
            await self._tell(guide, placed, step)
        if not isinstance(step, Act):
            return
        typed = await self._typed(step)
        if typed is None:
            return
        run = guide.run
        asked = Asked(step, guide.subject, dict(run.remembered) if run is not None else {}, typed)
        try:
            found = await self.patiently(candidates(asked, guide.site), "what it could be done to")
        except SourceError as error:
            self.post_message(self.Told(f"{title_of(step)}: {error}", "warn"))
            return
        if not found:
            words = f"nothing is there to {step.verb} ({step.pick}); s skips the step, with a note"
            self.post_message(self.Told(words, "warn"))
            return
        self._request(guide, placed, await self._chosen(step, found))

    async def _tell(self, guide: Guide, placed: PlacedStep, step: Tell) -> None:
        hook = self.desk.profile.hooks.get(step.tell)
        if hook is None:
            self.post_message(self.Told(f"the profile has no hook {step.tell}", "warn"))
            return
        words = await self._ask(hook.title or step.tell, "what they must know; what looks like a secret is taken out")
        if words is not None:
            self._request(guide, placed, [tell_request(step.tell, hook, words)])

    def _request(self, guide: Guide, placed: PlacedStep, requests: Sequence[Request]) -> None:
        if not requests or (run := guide.run) is None:
            return
        if (
            why := next((why for request in requests if (why := self.desk.refusal(request)) is not None), None)
        ) is not None:
            self.post_message(self.Told(why, "warn"))
            return
        self.post_message(self.Requested(requests, partial(self._ended, guide, run.id, placed.id)))

    async def _typed(self, step: Act) -> str | None:
        """Return what the person gives where the step asks; empty where it does not, None when they gave nothing."""
        what = asks_for(step)
        if not what:
            return ""
        problem = replicas_problem if what == "replicas" else lambda typed: "" if typed.strip() else "type a value"
        dialog = InputDialog(f"{title_of(step)}: {_ASKED[what]}?", placeholder=what, problem=problem)
        typed: str | None = await self.app.push_screen_wait(dialog)
        return typed.strip() if typed is not None else None

    async def _chosen(self, step: Act, found: Sequence[Candidate]) -> list[Request]:
        if step.all or len(found) == 1:
            return [candidate.request for candidate in found]
        choices = [Choice(candidate.key, candidate.label, candidate.note) for candidate in found]
        key = await self.app.push_screen_wait(ChooseDialog(f"{title_of(step)}: which?", choices))
        return [candidate.request for candidate in found if candidate.key == key]

    def _ended(self, guide: Guide, run: str, step: str, results: Results) -> None:
        if any(outcome is not None and outcome.ending is not Ending.CANCELLED for _, outcome in results):
            self.run_worker(self._acted(guide, run, step, results), group="acted", exit_on_error=False)

    async def _acted(self, guide: Guide, run: str, step: str, results: Results) -> None:
        await self.on_record(guide.acted(run, step, results))
