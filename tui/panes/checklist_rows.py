"""Checklists, runbooks and their steps as rows and sentences. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from profiles.schema import Profile
from tui.panes.failing import clock
from tui.units import span
from tui.walkthroughs.format import (
    Act,
    Branch,
    Call,
    Check,
    Look,
    Note,
    Question,
    Remember,
    Step,
    Tell,
    Wait,
    kind_of,
    title_of,
)
from tui.walkthroughs.guide import Guide, Live
from tui.walkthroughs.loading import PlacedStep, Walkthrough
from tui.walkthroughs.report import SIGNS, summary
from tui.walkthroughs.run import Fact, Mark, Result, Run, State
from widgets.cell import Cell, Column, Row, Tone
from widgets.fitting import width_of

TONES: Final[dict[Mark, Tone]] = {
    Mark.PASSED: "ok",
    Mark.WARNING: "warn",
    Mark.FAILED: "critical",
    Mark.UNKNOWN: "critical",
    Mark.SKIPPED: "dim",
    Mark.DONE: "",
}
WALKS: Final = (
    Column("due", "DUE", 8),
    Column("title", "CHECKLIST OR RUNBOOK", min_width=30, max_width=40),
    Column("last", "LAST RUN", 24, priority=1),
    Column("trend", "RUNS", 10, priority=2),
    Column("when", "WHEN", min_width=20, priority=3),
)
STEPS: Final = (Column("mark", "", 1), Column("title", "STEP"))
_WHAT: Final = (12, 44)
_VALUE: Final = (6, 30)
_TREND: Final = 10
_ENTER: Final[dict[type[Step], str]] = {
    Look: "open the tab, and go on",
    Question: "answer",
    Branch: "answer, and go on there",
    Act: "prepare the change; nothing is sent before you confirm it",
    Remember: "keep the numbers, and go on",
    Note: "write it down, and go on",
    Call: "called, go on",
    Tell: "prepare it; nothing is sent before you confirm it",
    Wait: "wait for it",
}


def walk_row(walk: Walkthrough, guide: Guide, late: float | None, now: float) -> Row:
    """Return a checklist or runbook with its last run."""
    runs, open_run, last = guide.runs_of(walk), guide.open_run(walk), guide.last_run(walk)
    due: str | Cell = Cell(walk.kind, "dim")
    if open_run is not None:
        due = Cell("PAUSED" if open_run.state is State.PAUSED else "GOES ON", "accent")
    elif late is not None:
        due = Cell(f"{span(late)} late" if late else "due", "warn")
    told: str | Cell = Cell("never", "dim")
    if last is not None:
        told = Cell(f"{SIGNS[last.verdict]} {last.verdict.value} {span(now - last.last_at)} ago", TONES[last.verdict])
    return Row(
        (due, walk.title, told, trend(runs), Cell(walk.definition.when or "", "dim")),
        haystack=" ".join((walk.name, *walk.definition.symptoms)),
    )


def trend(runs: Sequence[Run]) -> str:
    """Return how the last runs went, oldest first, a character each."""
    return "".join(SIGNS[run.verdict] for run in runs if run.state is State.ENDED)[-_TREND:]


def step_rows(steps: Sequence[PlacedStep], run: Run, at: str) -> dict[str, Row]:
    """Return the steps on the way, each section's title before its first."""
    rows: dict[str, Row] = {}
    section = ""
    for placed in steps:
        if placed.section != section:
            section = placed.section
            rows[f"section {placed.number}"] = Row((Cell(""), Cell(section, "accent")))
        result = run.results.get(placed.id)
        mark = Cell(SIGNS[result.mark], TONES[result.mark]) if result is not None else Cell("☐", "dim")
        title = f"{title_of(placed.step)}" + (" (against the evidence)" if result and result.is_override else "")
        rows[placed.id] = Row((mark, Cell(f" {title}", "accent" if placed.id == at else "")))
    return rows


def fact_columns(facts: Sequence[Fact]) -> tuple[Column, ...]:
    """Return the columns of evidence, as wide as this evidence needs."""

    def width(texts: Iterable[str], bounds: tuple[int, int]) -> int:
        return min(bounds[1], max(bounds[0], *map(width_of, texts), 0))

    return (
        Column("mark", "", 1),
        Column("what", "EVIDENCE", width((fact.what for fact in facts), _WHAT)),
        Column("value", "VALUE", width((fact.value for fact in facts), _VALUE)),
        Column("threshold", "HELD AGAINST", width((fact.threshold for fact in facts), (12, 26)), priority=2),
        Column("age", "READ", 5, "right", priority=1),
        Column("detail", "DETAIL"),
    )


def fact_rows(facts: Sequence[Fact], now: float) -> dict[int, Row]:
    """Return evidence, in its own order."""
    rows: dict[int, Row] = {}
    for number, fact in enumerate(facts):
        tone = TONES[fact.mark]
        read = span(now - fact.at) if fact.at is not None else ""
        value = fact.value or ("?" if fact.mark is Mark.UNKNOWN else "")
        rows[number] = Row(
            (Cell(SIGNS[fact.mark], tone), fact.what, Cell(value, tone), fact.threshold, read, fact.detail)
        )
    return rows


def head_words(guide: Guide, run: Run, now: float) -> list[str]:
    """Return which walk is open, how far it is, and since when."""
    steps = guide.steps
    taken = sum(placed.id in run.results for placed in steps)
    told = [run.title, *([run.subject] if run.subject else []), f"{taken} of {len(steps)} taken"]
    if run.state is State.ENDED:
        return [*told, f"ended {clock(run.last_at)}", summary(run)]
    return [*told, f"begun {clock(run.begun_at)} by {run.by} ({span(now - run.begun_at)})"]


def step_words(placed: PlacedStep, count: int, profile: Profile, note: str) -> str:
    """Return the step that is looked at: number, section, title, and why."""
    step = placed.step
    kind = {"ask": "question", "act": "ACTION"}.get(kind_of(step), kind_of(step))
    lines = [f"{placed.number}/{count} {placed.section} · {kind}", title_of(step)]
    if isinstance(step, Call) and (contact := profile.contacts.get(step.call)) is not None:
        told = (contact.who, contact.phone, contact.chat, contact.mail, contact.url, contact.when)
        lines[1] = " · ".join(filter(None, told))
    if isinstance(step, Tell) and (hook := profile.hooks.get(step.tell)) is not None:
        lines[1] = hook.title or step.tell
    lines += [text for text in (step.why, step.link, f"note: {note}" if note else "") if text]
    return "\n".join(lines)


def hint_words(placed: PlacedStep, live: Live, result: Result | None, now: float) -> tuple[str, Tone]:
    """Return what stands about the step, and what Enter does."""
    step = placed.step
    again = ""
    if result is not None:
        judged = f"{result.mark.value} against the evidence" if result.is_override else result.mark.value
        note = f"{result.note}; " if result.note else ""
        again = f"{judged} by {result.by} at {clock(result.at)}; {note}"
    if live.waiting_since is not None:
        left = step.deadline - (now - live.waiting_since) if isinstance(step, Wait) else 0.0
        return f"waiting, {span(max(0.0, left))} left; esc leaves it", "accent"
    if isinstance(step, Check):
        if live.verdict is None:
            return f"{again}reading the evidence", "dim"
        agree = "agree to" if step.confirm else "record"
        return f"{again}{live.verdict.upper()} by the evidence; enter: {agree} it, o: judge otherwise", TONES[
            live.verdict
        ]
    if isinstance(step, Wait) and live.verdict is Mark.PASSED:
        return f"{again}it is well already; enter: go on", "ok"
    return f"{again}enter: {_ENTER[type(step)]}", TONES[result.mark] if result is not None else ""


def ended_words(run: Run) -> str:
    """Return what is said when every step was taken."""
    return f"every step was taken: {summary(run)}; enter: end it and write the report"
