"""Leads a person through walks: where they stand, what the evidence says, what is put on record. Knows no screen."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tui.actions.action import Request
from tui.actions.perform import Ending, Outcome
from tui.journal import who
from tui.walkthroughs.evidence import evidence, verdict
from tui.walkthroughs.evidence_cluster import remembered as replicas
from tui.walkthroughs.format import Branch, Check, Condition, Question, Remember, Wait, kind_of
from tui.walkthroughs.judging import Asked
from tui.walkthroughs.loading import PlacedStep, Walks, Walkthrough, walks_of
from tui.walkthroughs.recorder import Recorder
from tui.walkthroughs.report import Reported, markdown
from tui.walkthroughs.run import Fact, Mark, Result, Run, State, next_step, overdue_s, way, worst
from tui.walkthroughs.site import KUBERNETES, Site, Subject, broken_workloads, subject_of_alert, subjects

_WAIT_PAUSE_S: Final = 1.0
_OVERDUE_S: Final = 15.0
"""How old what is said to be due may be."""
_ACTED: Final[Mapping[Ending, Mark]] = {
    Ending.CONVERGED: Mark.PASSED,
    Ending.NOT_CONVERGED: Mark.FAILED,
    Ending.REGRESSED: Mark.FAILED,
    Ending.UNKNOWN: Mark.UNKNOWN,
    Ending.ABSENT: Mark.FAILED,
    Ending.NOT_SENT: Mark.FAILED,
    Ending.REFUSED: Mark.FAILED,
}
"""How an action's end marks its step."""
_NOTHING_SENT: Final = (Ending.CANCELLED, Ending.REFUSED, Ending.NOT_SENT)
"""Endings after which it may simply be tried again."""


@dataclass(frozen=True, slots=True)
class Live:
    """What is known of a step that is being looked at."""

    facts: tuple[Fact, ...] = ()
    is_reading: bool = False
    waiting_since: float | None = None
    """`time.time()` since when a person waits for it; None when nobody does."""

    @property
    def verdict(self) -> Mark | None:
        """What follows from the evidence; None before there is any."""
        return verdict(self.facts) if self.facts else None


class Guide:
    """At most one walk at a time on this screen; others may be under way, or paused, on the same journal."""

    def __init__(self, site: Site, recorder: Recorder) -> None:
        """Prepare; nothing is read yet.

        Args:
            site: where evidence and targets are found.
            recorder: where walks are put on record.
        """
        self.site = site
        self._recorder = recorder
        self.watcher: Callable[[], None] = lambda: None
        """Called when something else is to be shown; whoever shows it sets it."""
        self.walks = Walks((), ())
        """Every checklist and runbook; none until `load`."""
        self.is_loaded = False
        self.walk: Walkthrough | None = None
        """The one that is open; None when none is."""
        self._run_id = ""
        self.at = ""
        """Id of the step that is looked at."""
        self.live = Live()
        self._kept_note = ""
        self._overdue: tuple[object, tuple[tuple[Walkthrough, float], ...]] = (None, ())
        """When it was found out last, and what was due; asked with every frame."""

    # What there is

    async def load(self) -> None:
        """Read the checklists and runbooks of the profile, once."""
        if not self.is_loaded:
            self.walks = await asyncio.to_thread(walks_of, self.site.profile)
            self.is_loaded = True
            self.watcher()

    def runs_of(self, walk: Walkthrough) -> Sequence[Run]:
        """Return the runs of one checklist or runbook, oldest first."""
        return self._recorder.runs.of(walk.name)

    def open_run(self, walk: Walkthrough) -> Run | None:
        """Return the run of it that can be resumed."""
        return self._recorder.runs.open_of(walk.name)

    def last_run(self, walk: Walkthrough) -> Run | None:
        """Return the newest run of it that was walked whole."""
        return self._recorder.runs.last_of(walk.name)

    def overdue(self) -> tuple[tuple[Walkthrough, float], ...]:
        """Return the checklists that are due, with the seconds since when; 0 for one that was never walked."""
        now, runs = self.site.now(), self._recorder.runs
        state = (runs.revision, len(self.walks.found), now // _OVERDUE_S)
        if self._overdue[0] != state:
            found = [(walk, overdue_s(walk, runs, now)) for walk in self.walks.found]
            self._overdue = (state, tuple((walk, late) for walk, late in found if late is not None))
        return self._overdue[1]

    def offered(self, source: str, metric: str) -> tuple[Walkthrough, ...]:
        """Return the runbooks that a system's alert offers, or with `NO_DATA` as the metric that it does not answer."""
        rule = f"{source.partition(':')[0]}.{metric}"
        return tuple(walk for walk in self.walks.found if rule in walk.definition.alerts)

    def subjects(self, walk: Walkthrough, source: str = "") -> Sequence[Subject]:
        """Return what a walk may be about; nothing where it is about nothing in particular.

        With the cluster of an alert as `source`, nothing of another cluster.
        """
        found, profile = subjects(walk.definition.about, self.site), self.site.profile
        is_of_cluster = source.startswith(KUBERNETES)
        return [one for one in found if source in one.clusters(profile)] if is_of_cluster else found

    def subject_of(self, walk: Walkthrough, source: str, about: str) -> Subject | None:
        """Return what a runbook that an alert offers is about; None when that must be asked."""
        found = subject_of_alert(walk.definition.about, source, about)
        if found is not None or not source.startswith(KUBERNETES):
            return found
        # An alert about a cluster counts; where it can only mean one thing that runs there, that one is meant.
        broken = {workload.path for workload in broken_workloads(self.site.cluster(source))}
        likely = [one for one in self.subjects(walk, source) if one.workload(self.site.profile) in broken]
        return likely[0] if len(likely) == 1 else None

    # The walk that is open

    @property
    def run(self) -> Run | None:
        """The run that is open, as it is on record; None when none is."""
        return self._recorder.runs.get(self._run_id)

    @property
    def steps(self) -> tuple[PlacedStep, ...]:
        """The steps on its way."""
        run = self.run
        return way(self.walk, run) if self.walk is not None and run is not None else ()

    @property
    def step(self) -> PlacedStep | None:
        """The step that is looked at."""
        return self.walk.step(self.at) if self.walk is not None else None

    @property
    def subject(self) -> Subject:
        """What the run is about."""
        return Subject.read(self.run.subject if self.run is not None else "")

    async def begin(self, walk: Walkthrough, subject: Subject) -> None:
        """Begin a run and open it. Raises JournalError."""
        self._open(walk, await self._recorder.begin(walk, str(subject)))

    async def resume(self, walk: Walkthrough, run: Run) -> None:
        """Open a run that somebody began; puts on record who goes on with it. Raises JournalError."""
        self._open(walk, await self._recorder.resume(run) if run.state is not State.ENDED else run)

    def _open(self, walk: Walkthrough, run: Run) -> None:
        self.walk, self._run_id = walk, run.id
        paused_at = walk.step(run.at_step)
        is_open = paused_at is not None and run.at_step not in run.results
        first = paused_at if is_open else next_step(walk, run)
        self.go(first.id if first is not None else walk.steps[-1].id)

    def go(self, step: str) -> None:
        """Look at another step."""
        self.at, self.live, self._kept_note = step, Live(), ""
        self.watcher()

    def move(self, steps: int) -> bool:
        """Look at a step further on, or back; tell whether there is one."""
        ids = [placed.id for placed in self.steps]
        index = (ids.index(self.at) if self.at in ids else 0) + steps
        if not 0 <= index < len(ids):
            return False
        self.go(ids[index])
        return True

    def close(self) -> None:
        """Close the walk on this screen; the record stays as it is."""
        self.walk, self._run_id, self.at, self.live = None, "", "", Live()
        self.watcher()

    async def pause(self) -> None:
        """Leave the run where it is, for another time or another person. Raises JournalError."""
        run = self.run
        if run is not None and run.state is not State.ENDED:
            await self._recorder.pause(run, self.at)
        self.close()

    async def end(self, *, is_whole: bool) -> Run | None:
        """Put on record that the run is over, and return it. Raises JournalError."""
        run = self.run
        return await self._recorder.end(run, is_whole=is_whole) if run is not None else None

    # Evidence

    def asked(self, condition: Condition) -> Asked:
        """Return what a step of the open run asks for."""
        last = self._recorder.runs.last_of(self.walk.name, before=self.run) if self.walk is not None else None
        return Asked(condition, self.subject, last.last_at if last is not None else None)

    async def read(self) -> None:
        """Read the evidence of the step that is looked at."""
        placed = self.step
        if placed is None or not isinstance(placed.step, Check | Wait):
            return
        self._show(placed.id, is_reading=True)
        facts = await evidence(self.asked(placed.step), self.site)
        self._show(placed.id, facts=facts, is_reading=False)

    async def wait(self, step: Wait) -> Mark:
        """Wait until `step`, which is looked at, is well, or its deadline has passed; return how it went."""
        id_, began = self.at, time.monotonic()
        self._show(id_, waiting_since=self.site.now())
        try:
            while True:
                facts = await evidence(self.asked(step), self.site)
                self._show(id_, facts=facts)
                found = verdict(facts)
                if found in (Mark.PASSED, Mark.SKIPPED) or time.monotonic() - began >= step.deadline:
                    return found
                await self.site.pause(_WAIT_PAUSE_S)
        finally:
            self._show(id_, waiting_since=None)

    def _show(self, step: str, **what: Any) -> None:
        if step == self.at:
            self.live = replace(self.live, **what)
            self.watcher()

    def report(self, run: Run) -> str:
        """Return the report of a run, as Markdown."""
        walk, runs, profile = self.walks.named(run.walk), self._recorder.runs, self.site.profile
        before = runs.last_of(run.walk, before=run)
        return markdown(
            Reported(walk, run, before, runs.of(run.walk), profile.name, profile.environment, self.site.now())
        )

    # How steps went

    def note(self, text: str) -> None:
        """Keep a note for the step that is looked at, until it is taken."""
        self._kept_note = text
        self.watcher()

    @property
    def kept_note(self) -> str:
        """The note that goes on record with the step; empty when there is none."""
        return self._kept_note

    async def take(
        self,
        mark: Mark,
        *,
        note: str = "",
        answer: str = "",
        is_override: bool = False,
        more: Sequence[Fact] = (),
        remembered: Mapping[str, int] | None = None,
    ) -> None:
        """Put on record how the step that is looked at went, and go on to the next.

        Raises:
            JournalError: it is not on record, and the walk stays where it is.
        """
        run, placed, walk = self.run, self.step, self.walk
        if run is None or placed is None or walk is None:
            return
        notes = "; ".join(filter(None, (self._kept_note, note)))
        facts, kind = (*self.live.facts, *more), kind_of(placed.step)
        now, kept = self.site.now(), remembered or {}
        await self._record(
            walk, run, placed, Result(placed.id, mark, now, who(), facts, notes, answer, is_override, kept, kind)
        )

    async def _record(self, walk: Walkthrough, run: Run, placed: PlacedStep, result: Result) -> None:
        """Put a result on record; go on to the next step where this one is still looked at."""
        run = await self._recorder.record(run, placed, result)
        following = next_step(walk, run, after=placed.id)
        if (self._run_id, self.at) == (run.id, placed.id) and following is not None:
            self.go(following.id)
        else:
            self.watcher()

    async def answer(self, answer: str) -> None:
        """Put an answer on record; as `take`."""
        placed = self.step
        if placed is not None and isinstance(placed.step, Question):
            well = placed.step.well
            await self.take(Mark.PASSED if answer in well or not well else Mark.FAILED, answer=answer)
        else:
            await self.take(Mark.DONE, answer=answer)

    async def remember(self, step: Remember) -> None:
        """Keep the replicas that `step`, which is looked at, names; as `take`."""
        facts, kept = replicas(step, self.subject, self.site)
        mark = Mark.DONE if kept and len(kept) == len(facts) else Mark.UNKNOWN
        await self.take(mark, more=facts, remembered=kept)

    async def acted(self, run_id: str, step: str, results: Sequence[tuple[Request, Outcome | None]]) -> None:
        """Put on record how the changes of a step went; where nothing was sent it stays open.

        Whoever asked for them may look at another step, or at another walk, by now.

        Raises:
            JournalError: it is not on record.
        """
        run = self._recorder.runs.get(run_id)
        walk = self.walks.named(run.walk) if run is not None else None
        placed = walk.step(step) if walk is not None else None
        if run is None or walk is None or placed is None:
            return
        if all(outcome is None or outcome.ending in _NOTHING_SENT for _, outcome in results):
            return
        now = self.site.now()
        facts = tuple(_fact(request, outcome, now) for request, outcome in results)
        note = self._kept_note if (self._run_id, self.at) == (run_id, step) else ""
        mark = worst([fact.mark for fact in facts])
        result = Result(step, mark, now, who(), facts, note, kind=kind_of(placed.step))
        await self._record(walk, run, placed, result)


def _fact(request: Request, outcome: Outcome | None, now: float) -> Fact:
    what = f"{request.verb} {request.target}"
    if outcome is None:
        return Fact(what, "never its turn", Mark.FAILED, at=now)
    mark = _ACTED.get(outcome.ending, Mark.FAILED)
    return Fact(what, outcome.ending.upper(), mark, at=now, detail=outcome.detail)


def is_automatic(placed: PlacedStep) -> bool:
    """Tell whether a step's evidence is read by itself as soon as it is looked at."""
    return isinstance(placed.step, Check | Wait)


def answers_of(placed: PlacedStep) -> tuple[str, ...]:
    """Return what may be answered to a step; nothing when it is no question."""
    if isinstance(placed.step, Question | Branch):
        return tuple(placed.step.answers)
    return ()
