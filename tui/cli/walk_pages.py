"""`opstui walk …` on plain standard output: the list, a run that nobody attends, a report."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from profiles.loader import load
from profiles.problems import Problem, ProfileError, nearest, visible
from profiles.schema import Profile
from tui.cli.headless import watching
from tui.journal import Journal, JournalError
from tui.journal.news import News
from tui.journal.place import journal_of
from tui.units import span
from tui.walking import keep, kept_path
from tui.walkthroughs.automatic import Finished, automatic, walk_automatically
from tui.walkthroughs.format import title_of
from tui.walkthroughs.loading import PlacedStep, Walks, Walkthrough, walks_of
from tui.walkthroughs.recorder import Recorder
from tui.walkthroughs.report import SIGNS, Reported, fact_words, markdown, moment, summary
from tui.walkthroughs.run import EXIT_CODES, Result, Run, Runs, overdue_s
from tui.walkthroughs.site import NOBODY, Subject, subjects

_USAGE: Final = 3
"""Exit status for wrong names, profiles and checklists: 2 means that a check has failed."""


class WalkError(click.ClickException):
    """Something is wrong with what was asked for."""

    exit_code = _USAGE


def table(profile: Profile) -> tuple[str, tuple[Problem, ...]]:
    """Return every checklist and runbook with its last run, and what is wrong with others. Raises WalkError."""
    walks, runs = walks_of(profile), _runs(journal_of(profile))
    rows = [(walk.name, walk.kind, walk.title, run_words(walk, runs, time.time())) for walk in walks.found]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [
        f"{name:{widths[0]}}  {kind:{widths[1]}}  {visible(title):{widths[2]}}  {visible(last)}".rstrip()
        for name, kind, title, last in rows
    ]
    return "\n".join(lines), walks.problems


def run_words(walk: Walkthrough, runs: Runs, now: float) -> str:
    """Return when it was walked last and how that went, and whether it is due."""
    last, open_run = runs.last_of(walk.name), runs.open_of(walk.name)
    told = []
    if open_run is not None:
        told.append(f"{open_run.state} since {moment(open_run.begun_at)} by {open_run.by}")
    if last is not None:
        told.append(f"{span(now - last.last_at)} ago {last.verdict.upper()} by {', '.join(last.people)}")
    late = overdue_s(walk, runs, now)
    if late is not None:
        told.append(f"OVERDUE by {span(late)}" if late else "OVERDUE, never walked")
    return "; ".join(told)


def problems(name: str, only: tuple[str, ...]) -> tuple[int, tuple[Problem, ...]]:
    """Return how many checklists and runbooks of a profile are right, and everything that is wrong. Raises WalkError.

    `only` are names or files; with files, the profile's names must fit too.
    """
    from tui.walkthroughs.loading import load_walk

    profile = profile_of(name)
    if not only:
        walks = walks_of(profile)
        return len(walks.found), walks.problems
    good, found = 0, list[Problem]()
    for each in only:
        kind: str = "runbook" if each in profile.runbooks else "checklist"
        try:
            load_walk(each, "runbook" if kind == "runbook" else "checklist", profile)
        except ProfileError as error:
            found += error.problems
        else:
            good += 1
    return good, tuple(found)


def run_automatically(
    profile: Profile, name: str, about: str | None, watch_s: float, output: str | None, form: str
) -> int:
    """Walk what needs nobody, tell each step, and return the exit status.

    Args:
        profile: what is watched.
        name: of the checklist.
        about: name of what it is about; None asks nobody and takes the only one there is.
        watch_s: seconds to watch the systems before the first step.
        output: file for the report; None keeps it with the others.
        form: `text` for the eye, `markdown` for the report itself.

    Raises:
        WalkError: no such checklist, or it cannot be put on record.
    """
    walk = _walk(walks_of(profile), name)
    if not list(automatic(walk)):
        raise WalkError(f"{name} has no step that needs nobody; walk it with: opstui walk run {name}")
    journal = journal_of(profile)
    try:
        finished, runs = asyncio.run(_automatic(walk, profile, journal, about, watch_s, is_told=form == "text"))
    except JournalError as error:
        raise WalkError(f"it cannot be put on record: {error}") from None
    text = report_text(walk, finished.run, runs, profile)
    if form == "markdown":
        click.echo(text, nl=False)
    else:
        click.echo(f"\n{visible(walk.title)}: {summary(finished.run)}")
        if finished.left:
            click.echo(f"left to a person: {len(finished.left)} of {len(walk.steps)} steps")
    click.echo(f"report: {_put(text, output, finished.run, profile)}", err=True)
    return EXIT_CODES[finished.run.verdict]


async def _automatic(
    walk: Walkthrough, profile: Profile, journal: Journal, about: str | None, watch_s: float, *, is_told: bool
) -> tuple[Finished, Runs]:
    news = News(journal)
    recorder = Recorder.of(journal, news)
    await news.fetch()
    if news.failure:
        raise JournalError(news.failure)

    def tell(placed: PlacedStep, result: Result) -> None:
        if is_told:
            click.echo("\n".join(step_lines(placed, result)))

    async with watching(profile, journal) as site:
        await site.anew([reading.source for reading in site.pollers.readings()])
        await asyncio.sleep(watch_s)
        subject = _subject(walk, about, subjects(walk.definition.about, site), profile)
        return await walk_automatically(walk, subject, site, recorder, tell), recorder.runs


def _subject(walk: Walkthrough, about: str | None, known: list[Subject], profile: Profile) -> Subject:
    if walk.definition.about is None:
        return NOBODY
    names = [subject.label for subject in known]
    if about is None and len(known) == 1:
        return known[0]
    if about and (subject := Subject.named(walk.definition.about, about, profile)) in known:
        return subject
    what = (
        f"there is no {walk.definition.about} {about}" if about else f"{walk.name} is about a {walk.definition.about}"
    )
    hint = nearest(about or "", names) or f"there are {', '.join(names[:20]) or 'none'}"
    raise WalkError(f"{what}: --about NAME; {hint}")


def step_lines(placed: PlacedStep, result: Result) -> Iterator[str]:
    """Yield a step as it was taken: mark, title, and the evidence that is not well."""
    yield f"{SIGNS[result.mark]} {result.mark.value:<8} {visible(title_of(placed.step))}"
    shown = [fact for fact in result.evidence if fact.mark is result.mark]
    for fact in shown[:5]:
        yield f"             {visible(fact_words(fact))}"
    if len(shown) > 5:
        yield f"             and {len(shown) - 5} more"


def report_text(walk: Walkthrough | None, run: Run, runs: Runs, profile: Profile) -> str:
    """Return a run's report."""
    before = runs.last_of(run.walk, before=run)
    reported = Reported(walk, run, before, runs.of(run.walk), profile.name, profile.environment, time.time())
    return markdown(reported)


def report(name: str, asked: str, output: str | None) -> None:
    """Write the report of a run: by its id, or the newest of a checklist's or runbook's. Raises WalkError."""
    profile = profile_of(name)
    walks, runs = walks_of(profile), _runs(journal_of(profile))
    run = next((run for run in runs.all if run.id.startswith(asked)), None) if len(asked) >= 6 else None
    if run is None:
        found = runs.of(asked)
        if not found:
            known = sorted({run.walk for run in runs.all})
            hint = nearest(asked, known) or (f"there are runs of {', '.join(known)}" if known else "nothing was walked")
            raise WalkError(f"there is no run of {visible(asked)}; {hint}")
        run = found[-1]
    text = report_text(walks.named(run.walk), run, runs, profile)
    if output is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"{_put(text, output, run, profile)}: {summary(run)}", err=True)


def _put(text: str, output: str | None, run: Run, profile: Profile) -> Path:
    path = Path(output) if output is not None else kept_path(run, profile)
    try:
        keep(text, path, is_shared=output is None and profile.state_dir is not None)
    except OSError as error:
        raise WalkError(f"{path}: {error.strerror}") from None
    return path


def profile_of(name: str) -> Profile:
    """Return the profile of that name or path. Raises WalkError with every problem of it."""
    try:
        return load(name).profile
    except ProfileError as error:
        raise WalkError(str(error)) from None


def _walk(walks: Walks, name: str) -> Walkthrough:
    if (walk := walks.named(name)) is not None:
        return walk
    if wrong := [problem for problem in walks.problems if name in str(problem.file or problem)]:
        raise WalkError("\n".join(map(str, wrong)))
    known = [walk.name for walk in walks.found]
    hint = nearest(name, known) or f"there are {', '.join(known)}"
    raise WalkError(f"the profile has no {visible(name)}; {hint}")


def _runs(journal: Journal) -> Runs:
    runs = Runs()
    try:
        runs.take(list(journal.entries()))
    except JournalError as error:
        raise WalkError(f"the journal cannot be read: {error}") from None
    return runs
