"""A walk that nobody attends: what can be checked is checked, everything else is left to a person."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tui.journal import who
from tui.walkthroughs.evidence import evidence, verdict
from tui.walkthroughs.format import Check, kind_of
from tui.walkthroughs.judging import Asked
from tui.walkthroughs.loading import PlacedStep, Walkthrough
from tui.walkthroughs.recorder import Recorder
from tui.walkthroughs.run import Result, Run
from tui.walkthroughs.site import Site, Subject


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run went that nobody attended."""

    run: Run
    left: tuple[PlacedStep, ...]
    """Steps that only a person can take."""


def automatic(walk: Walkthrough) -> Iterator[tuple[PlacedStep, Check]]:
    """Yield the steps that need nobody: where they stand, and what they check."""
    for placed in walk.steps:
        if isinstance(placed.step, Check) and not placed.step.confirm:
            yield placed, placed.step


async def walk_automatically(
    walk: Walkthrough, subject: Subject, site: Site, recorder: Recorder, tell: Callable[[PlacedStep, Result], None]
) -> Finished:
    """Take every step that needs nobody, and put each on record.

    Args:
        walk: the checklist or runbook.
        subject: what it is about.
        site: where evidence is found.
        recorder: where it is put on record.
        tell: called with each step as it was taken.

    Raises:
        JournalError: a step could not be put on record.
    """
    last = recorder.runs.last_of(walk.name)
    run = await recorder.begin(walk, str(subject), is_automatic=True)
    taken: set[str] = set()
    for placed, check in automatic(walk):
        facts = await evidence(Asked(check, subject, last.last_at if last else None), site)
        result = Result(placed.id, verdict(facts), site.now(), who(), facts, kind=kind_of(check))
        run = await recorder.record(run, placed, result)
        taken.add(placed.id)
        tell(placed, result)
    run = await recorder.end(run, is_whole=True)
    return Finished(run, tuple(placed for placed in walk.steps if placed.id not in taken))
