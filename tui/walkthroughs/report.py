"""A run as Markdown to hand on: summary, what failed, every step with its evidence, who, when. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tui.sources.masking import without_secrets
from tui.timeline.markdown import escaped, table
from tui.units import span
from tui.walkthroughs.format import kind_of, title_of
from tui.walkthroughs.loading import PlacedStep, Walkthrough
from tui.walkthroughs.run import Fact, Mark, Result, Run, State, way

SIGNS: Final = {
    Mark.PASSED: "✓",
    Mark.WARNING: "▲",
    Mark.FAILED: "✗",
    Mark.UNKNOWN: "?",
    Mark.SKIPPED: "–",
    Mark.DONE: "·",
}
"""One character for each mark; a word always stands beside it."""
_TREND: Final = 10


@dataclass(frozen=True, slots=True)
class Reported:
    """Everything a report is made of."""

    walk: Walkthrough | None
    """None when the checklist is no longer in the profile: then the record alone tells."""
    run: Run
    before: Run | None
    """The whole run before it; None when there was none."""
    runs: Sequence[Run]
    """Every run of the same walk, oldest first."""
    profile: str
    environment: str
    now: float


def markdown(reported: Reported) -> str:
    """Return the report."""
    parts = [*_head(reported), *_bad(reported), *_difference(reported), *_steps(reported), *_trend(reported)]
    return "\n\n".join(parts) + "\n"


def summary(run: Run) -> str:
    """Return a run in a line: `FAILED: 2 failed, 1 unknown, 9 passed`."""
    counts = run.counts()
    told = ", ".join(f"{count} {mark.value}" for mark, count in counts.items())
    return f"{run.verdict.value.upper()}: {told}" if counts else "nothing was taken"


def duration(run: Run) -> str:
    """Return how long a run took, from its beginning to the newest entry about it."""
    return span(run.last_at - run.begun_at)


def _head(reported: Reported) -> Iterator[str]:
    run = reported.run
    yield f"# {escaped(run.title)}: {run.verdict.value}"
    if reported.environment == "sandbox":
        yield "> **SANDBOX**: an exercise on opstui's own servers. Nothing in it is about production."
    state = {State.ENDED: "ended", State.PAUSED: "PAUSED, not ended", State.UNDER_WAY: "UNDER WAY, not ended"}[
        run.state
    ]
    if run.state is State.ENDED and not run.is_whole:
        state = "ended early: not every step was taken"
    facts = [
        ("Result", escaped(summary(run))),
        ("Profile", escaped(f"{reported.profile} ({reported.environment})")),
        *([("About", escaped(run.subject))] if run.subject else []),
        ("Begun", f"{moment(run.begun_at)} by {escaped(run.by)}"),
        ("State", f"{state}, {moment(run.last_at)}, after {duration(run)}"),
        ("People", escaped(", ".join(run.people)) + (" (automatic: nobody attended)" if run.is_automatic else "")),
        ("Run", f"`{run.id}`"),
    ]
    if reported.walk is not None and reported.walk.digest != run.digest:
        facts.append(("Note", "the checklist was edited since this run began"))
    yield "\n".join(f"- **{label}**: {value}" for label, value in facts)


def _bad(reported: Reported) -> Iterator[str]:
    run = reported.run
    bad = [result for result in run.results.values() if result.mark in (Mark.FAILED, Mark.UNKNOWN, Mark.WARNING)]
    overridden = [result for result in run.results.values() if result.is_override]
    if bad or overridden:
        yield "## What needs somebody"
        lines = [f"- {SIGNS[r.mark]} **{r.mark.value}** {escaped(_title(reported, r.step))}{_because(r)}" for r in bad]
        lines += [
            f"- {SIGNS[r.mark]} **{r.mark.value} against the evidence** {escaped(_title(reported, r.step))}"
            f" by {escaped(r.by)}: {escaped(_masked(r.note))}"
            for r in overridden
        ]
        yield "\n".join(lines)


def _because(result: Result) -> str:
    worst = next((fact for fact in result.evidence if fact.mark is result.mark), None)
    said = result.note or (fact_words(worst) if worst is not None else result.answer)
    return f": {escaped(_masked(said))}" if said else ""


def fact_words(fact: Fact) -> str:
    """Return evidence in a line: `shop blocked 11 (warn 1, critical 10): 11 sessions wait`."""
    told = " ".join(filter(None, (fact.what, fact.value)))
    told += f" ({fact.threshold})" if fact.threshold else ""
    return f"{told}: {fact.detail}" if fact.detail else told


def _difference(reported: Reported) -> Iterator[str]:
    before, run = reported.before, reported.run
    if before is None:
        return
    yield f"## Since the last run ({moment(before.begun_at)}, {escaped(before.by)})"
    lines = []
    for step, result in run.results.items():
        earlier = before.results.get(step)
        if earlier is not None and earlier.mark is not result.mark:
            lines.append(f"- {escaped(_title(reported, step))}: {earlier.mark.value} → **{result.mark.value}**")
        known = {fact.what: fact for fact in earlier.evidence} if earlier is not None else {}
        for fact in result.evidence:
            was = known.get(fact.what)
            if was is not None and fact.number is not None and was.number is not None and was.value != fact.value:
                lines.append(f"- {escaped(fact.what)}: {escaped(was.value)} → {escaped(fact.value)}")
    yield "\n".join(lines) or "Nothing differs."


def _steps(reported: Reported) -> Iterator[str]:
    run = reported.run
    steps = way(reported.walk, run) if reported.walk is not None else ()
    section = ""
    for placed in steps:
        if placed.section != section:
            section = placed.section
            yield f"## {escaped(section)}"
        result = run.results.get(placed.id)
        if result is None:
            yield f"### ☐ {escaped(title_of(placed.step))}\n\nnot taken ({_kind_words(placed)})"
        else:
            yield from _step(title_of(placed.step), result)
    known = {placed.id for placed in steps}
    for step, result in run.results.items():
        if step not in known:
            yield from _step(step, result)


def _kind_words(placed: PlacedStep) -> str:
    return {"check": "a check", "act": "an action", "ask": "a question"}.get(kind_of(placed.step), kind_of(placed.step))


def _step(title: str, result: Result) -> Iterator[str]:
    override = ", against the evidence" if result.is_override else ""
    yield f"### {SIGNS[result.mark]} {escaped(title)}: {result.mark.value}{override}"
    facts = [f"- {moment(result.at)} by {escaped(result.by)}"]
    given = (("Answer", result.answer), ("Note", result.note))
    facts += [f"- {label}: {escaped(_masked(said))}" for label, said in given if said]
    facts += [f"- kept: {escaped(path)} has {number} replicas" for path, number in result.remembered.items()]
    yield "\n".join(facts)
    if result.evidence:
        titles = ("", "what", "value", "threshold", "read", "detail")
        yield table(titles, (_cells(fact, result.at) for fact in result.evidence))


def _cells(fact: Fact, at: float) -> tuple[str, ...]:
    read = "" if fact.at is None else f"{max(0.0, at - fact.at):.0f} s before"
    said = (fact.what, fact.value, fact.threshold)
    return (SIGNS[fact.mark], *(_masked(each) for each in said), read, _masked(fact.detail))


def _trend(reported: Reported) -> Iterator[str]:
    ended = [run for run in reported.runs if run.state is State.ENDED][-_TREND:]
    if len(ended) > 1:
        yield f"## The last {len(ended)} runs"
        rows = [(moment(r.begun_at), r.by, duration(r), f"{SIGNS[r.verdict]} {summary(r)}") for r in reversed(ended)]
        yield table(("begun", "by", "took", "result"), rows)


def _title(reported: Reported, step: str) -> str:
    placed = reported.walk.step(step) if reported.walk is not None else None
    return title_of(placed.step) if placed is not None else step


def moment(at: float) -> str:
    """Return a time in UTC, with the zone."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%SZ}"


def _masked(text: str) -> str:
    return without_secrets(text)
