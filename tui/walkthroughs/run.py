"""What the journal says of walks: which are under way, how each step went, who did what. Pure: entries in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from tui.journal.journal import moment_of
from tui.sources.masking import without_secrets
from tui.sources.text import clean
from tui.timeline.record import who, words
from tui.walkthroughs.format import Branch
from tui.walkthroughs.loading import PlacedStep, Walkthrough

WALK: Final = "walk"
"""`what` of the journal's lines about walks."""


RUNBOOK: Final = "runbook"
_FINDINGS: Final = ("check", "look", "note", "call", "branch")
"""Kinds of steps that find out, in a runbook."""


class Mark(StrEnum):
    """How a step went."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be told; never a pass."""
    SKIPPED = "skipped"
    """A person left it out, or there is nothing to judge here."""
    DONE = "done"
    """Looked at, called, noted: nothing that could fail."""


WORST_FIRST: Final = (Mark.FAILED, Mark.UNKNOWN, Mark.WARNING, Mark.PASSED, Mark.SKIPPED, Mark.DONE)
"""In which order people need to see them; the first four are verdicts."""
EXIT_CODES: Final = {Mark.PASSED: 0, Mark.WARNING: 1, Mark.FAILED: 2, Mark.UNKNOWN: 3, Mark.SKIPPED: 0, Mark.DONE: 0}
"""Verdict → exit status of what runs without a screen."""


def worst(marks: Sequence[Mark]) -> Mark:
    """Return the worst of marks: failed, unknown, warned, passed; SKIPPED when nothing was judged."""
    return next((mark for mark in WORST_FIRST[:4] if mark in marks), Mark.SKIPPED)


@dataclass(frozen=True, slots=True)
class Fact:
    """One piece of evidence."""

    what: str
    """What was read: `shop connections_percent`."""
    value: str
    """In its unit; empty when it could not be read."""
    mark: Mark
    threshold: str = ""
    """What it was held against, in words: `warn 85, critical 95`."""
    at: float | None = None
    """`time.time()` when the system was last known good with it; None when it never was."""
    detail: str = ""
    """Why it is not well, in the system's words."""
    number: float | None = None
    """The value as a number, for trends; None where it is none."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one step went, the last time it was taken."""

    step: str
    """`id` of the step."""
    mark: Mark
    at: float
    by: str
    """Who: the login, and the one behind `sudo`."""
    evidence: tuple[Fact, ...] = ()
    """What was known before the verdict."""
    note: str = ""
    answer: str = ""
    """To a question or a branch."""
    is_override: bool = False
    """Whether a person judged otherwise than the evidence."""
    remembered: Mapping[str, int] = field(default_factory=dict)
    """Replicas by `namespace/kind/name`, for a later step."""
    kind: str = ""
    """What kind of step it is: `check`, `act`…"""


class State(StrEnum):
    """Where a run stands."""

    UNDER_WAY = "under way"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Run:
    """One walk through a checklist or runbook."""

    id: str
    walk: str
    """Name of the checklist or runbook."""
    title: str
    kind: str
    digest: str
    """`Walkthrough.digest` when it began."""
    subject: str
    """What it is about: `service:payments`; empty when nothing."""
    begun_at: float
    by: str
    """Who began it."""
    is_automatic: bool
    """Whether nobody attended (`--auto`)."""
    results: Mapping[str, Result] = field(default_factory=dict)
    """By step; of a step that was taken again, the newest."""
    people: tuple[str, ...] = ()
    """Everybody who took part, in the order of their first deed."""
    state: State = State.UNDER_WAY
    at_step: str = ""
    """Where it was left, when it was paused."""
    last_at: float = 0.0
    """When something was last put on record."""
    is_whole: bool = True
    """Whether it ended because every step was taken; False: somebody ended it early."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """How the steps went that were taken."""
        return tuple(result.mark for result in self.results.values())

    @property
    def verdict(self) -> Mark:
        """The worst mark of its steps; of a runbook's, those that say whether the trouble has ended.

        What a runbook checks is what is wrong: that it was found wrong is no failure of the run.
        """
        results = self.results.values()
        return worst([one.mark for one in results if self.kind != RUNBOOK or one.kind not in _FINDINGS])

    def counts(self) -> dict[Mark, int]:
        """Return how many steps have each mark; those that none has are left out."""
        return {mark: self.marks.count(mark) for mark in Mark if mark in self.marks}

    @property
    def remembered(self) -> Mapping[str, int]:
        """Every number of replicas that was kept."""
        return {path: number for result in self.results.values() for path, number in result.remembered.items()}


def way(walk: Walkthrough, run: Run) -> tuple[PlacedStep, ...]:
    """Return the steps on the way of this run: those that an answered branch passes over are left out."""
    return tuple(_way(walk, run))


def _way(walk: Walkthrough, run: Run) -> Iterator[PlacedStep]:
    until: str | None = None
    for placed in walk.steps:
        if until is not None and placed.id != until:
            continue
        until = None
        yield placed
        result = run.results.get(placed.id)
        until = placed.step.then
        if isinstance(placed.step, Branch) and result is not None:
            until = placed.step.answers.get(result.answer)


def next_step(walk: Walkthrough, run: Run, after: str = "") -> PlacedStep | None:
    """Return the first step on the way that was not taken, behind `after` if there is any; None when all were."""
    steps = way(walk, run)
    passed = next((index + 1 for index, placed in enumerate(steps) if placed.id == after), 0)
    ahead = [*steps[passed:], *steps[:passed]]
    return next((placed for placed in ahead if placed.id not in run.results), None)


# The journal's lines


def begun_entry(walk: Walkthrough, run: str, subject: str, *, is_automatic: bool) -> dict[str, Any]:
    """Return the line with which a run begins."""
    return {
        "run": run, "event": "begun", "walk": walk.name, "title": walk.title, "kind": walk.kind,
        "digest": walk.digest, "subject": subject, "automatic": is_automatic,
    }  # fmt: skip


def result_entry(run: Run, result: Result, title: str) -> dict[str, Any]:
    """Return the line that puts on record how a step went."""
    entry: dict[str, Any] = {
        "run": run.id, "event": "step", "walk": run.walk, "step": result.step, "title": title,
        "kind": result.kind, "mark": result.mark.value, "evidence": [_plain(fact) for fact in result.evidence],
    }  # fmt: skip
    for key in ("note", "answer", "is_override", "remembered"):
        if value := getattr(result, key):
            entry[key] = without_secrets(value) if key == "note" else value
    return entry


def event_entry(run: Run, event: str, **more: Any) -> dict[str, Any]:
    """Return another line about a run: `paused`, `resumed`, `ended`."""
    return {"run": run.id, "event": event, "walk": run.walk, "title": run.title, **more}


def _plain(fact: Fact) -> dict[str, Any]:
    # Evidence may hold others' words, such as a line of a log; nothing that looks like a secret goes on record.
    found = {key: value for key, value in asdict(fact).items() if value not in ("", None)}
    return {key: without_secrets(value) if isinstance(value, str) else value for key, value in found.items()}


class Runs:
    """Keeps account of every run, by the journal's entries: ours and everybody else's on the same journal."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self.revision = 0
        """Counts what was taken in."""

    def take(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Take in entries, oldest first; what is of no concern, or cannot be read, changes nothing."""
        for entry in entries:
            if entry.get("what") == WALK:
                self._take(entry)

    def _take(self, entry: Mapping[str, Any]) -> None:
        id_, at, by = words(entry, "run"), moment_of(entry), who(entry)
        if not id_ or not at:
            return
        self.revision += 1
        event = entry.get("event")
        if event == "begun":
            self._runs[id_] = Run(
                id=id_,
                walk=words(entry, "walk"),
                title=words(entry, "title"),
                kind=words(entry, "kind"),
                digest=words(entry, "digest"),
                subject=words(entry, "subject"),
                begun_at=at,
                by=by,
                is_automatic=entry.get("automatic") is True,
                people=(by,),
                last_at=at,
            )
            return
        if (run := self._runs.get(id_)) is None:
            return
        run = replace(run, last_at=at, people=run.people if by in run.people else (*run.people, by))
        match event:
            case "step":
                result = _result(entry, at, by)
                if result is not None:
                    state = run.state if run.state is State.ENDED else State.UNDER_WAY
                    run = replace(run, results={**run.results, result.step: result}, state=state, at_step=result.step)
            case "paused":
                run = replace(run, state=State.PAUSED, at_step=words(entry, "step"))
            case "resumed":
                run = replace(run, state=State.UNDER_WAY)
            case "ended":
                run = replace(run, state=State.ENDED, is_whole=entry.get("whole") is True)
            case _:
                return
        self._runs[id_] = run

    def get(self, id_: str) -> Run | None:
        """Return the run of that id."""
        return self._runs.get(id_)

    @property
    def all(self) -> tuple[Run, ...]:
        """Every run, the one that began first first."""
        return tuple(self._runs.values())

    def of(self, walk: str) -> tuple[Run, ...]:
        """Return the runs of one checklist or runbook, oldest first."""
        return tuple(run for run in self.all if run.walk == walk)

    def open_of(self, walk: str) -> Run | None:
        """Return the newest run of it that has not ended."""
        return next((run for run in reversed(self.of(walk)) if run.state is not State.ENDED), None)

    def last_of(self, walk: str, before: Run | None = None) -> Run | None:
        """Return the newest run of it that was walked whole; of those that began before another, if one is given."""
        found = [run for run in self.of(walk) if run.state is State.ENDED and run.is_whole]
        if before is not None:
            found = [run for run in found if run.begun_at < before.begun_at]
        return found[-1] if found else None


def overdue_s(walk: Walkthrough, runs: Runs, now: float) -> float | None:
    """Return for how long a checklist has been due; None when it is not, or never by itself.

    One that was never walked is due from the beginning, for no time that could be told: 0.
    """
    every = walk.definition.every
    if every is None:
        return None
    last = runs.last_of(walk.name)
    if last is None:
        return 0.0
    late = now - last.last_at - every
    return late if late > 0 else None


def _result(entry: Mapping[str, Any], at: float, by: str) -> Result | None:
    step = words(entry, "step")
    try:
        mark = Mark(str(entry.get("mark")))
    except ValueError:
        return None
    if not step:
        return None
    found, kept = entry.get("evidence"), entry.get("remembered")
    facts = [_fact(each) for each in found] if isinstance(found, list) else []
    numbers = kept.items() if isinstance(kept, Mapping) else ()
    return Result(
        step=step,
        mark=mark,
        at=at,
        by=by,
        evidence=tuple(fact for fact in facts if fact is not None),
        note=words(entry, "note"),
        answer=words(entry, "answer"),
        is_override=entry.get("is_override") is True,
        remembered={clean(path): number for path, number in numbers if type(number) is int and number >= 0},
        kind=words(entry, "kind"),
    )


def _fact(found: Any) -> Fact | None:
    if not isinstance(found, Mapping):
        return None
    try:
        mark = Mark(str(found.get("mark")))
    except ValueError:
        return None
    at, number = found.get("at"), found.get("number")
    return Fact(
        what=words(found, "what"),
        value=words(found, "value"),
        mark=mark,
        threshold=words(found, "threshold"),
        at=float(at) if isinstance(at, int | float) else None,
        detail=words(found, "detail"),
        number=float(number) if isinstance(number, int | float) else None,
    )
