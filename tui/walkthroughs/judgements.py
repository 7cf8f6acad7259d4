"""A system's numbers against bounds: the one way in which steps and `opstui check` judge them."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from profiles.thresholds import Rule
from tui.rules import Level, judged
from tui.sources.reading import Number, Reading
from tui.walkthroughs.format import Condition
from tui.walkthroughs.judging import MARKS, mark_of, silence
from tui.walkthroughs.run import Mark
from tui.walkthroughs.site import Site

_PENDING_STEP_S: Final = 0.5
_PENDING_MORE_S: Final = 3.0
"""Beyond a rule's `for`: how long until the reading that decides has come."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One number of a system, or the reason why there is none."""

    mark: Mark
    object: str = ""
    """What in the system the number belongs to; empty for the system as a whole."""
    value: float | None = None
    """In the metric's own unit; None when there is none."""
    threshold: str = ""
    """What it was held against, in words: `warn 85, critical 95`; empty when there is no number."""
    at: float | None = None
    """`time.time()` when the system was last known good; None when it never was."""
    unit: str = ""
    """What `value` counts, where the metric's name does not tell."""
    detail: str = ""
    """Why it is not well, or cannot be judged, in the system's words."""


def judgements(
    source: str, metric: str, bounds: Rule | Condition, site: Site, *, uses_for: bool = False
) -> Iterator[Judgement]:
    """Yield how each number of that metric is: one for the reason when there is none.

    Args:
        source: name of the source that reports it.
        metric: as the source calls it, without the kind.
        bounds: what it is held against.
        site: where readings are found.
        uses_for: whether it must have held for as long as the rule asks, as with alerts.
    """
    reading = site.pollers.reading(source)
    silent = silence(reading, site)
    if reading is None or silent is not None:
        mark, why = silent or (Mark.UNKNOWN, "")
        yield Judgement(mark, at=reading.taken_at if reading else None, detail=why)
        return
    numbers = numbers_of(reading, metric)
    if not numbers:
        yield Judgement(Mark.SKIPPED, at=reading.taken_at, detail="not reported: nothing to judge")
    for number in numbers:
        if number.is_absent:
            yield Judgement(Mark.UNKNOWN, number.object, at=reading.taken_at, detail=_absence(reading))
            continue
        mark, threshold = mark_of(number.value, bounds)
        if uses_for and mark is not Mark.PASSED:
            mark = MARKS[site.rules.level(source, metric, number.object)]
        yield Judgement(
            mark, number.object, number.value, threshold, reading.taken_at, number.unit, _reason(reading, metric)
        )


def numbers_of(reading: Reading[Any] | None, metric: str) -> list[Number]:
    """Return a system's numbers of that metric; none when its newest attempt failed."""
    if reading is None or reading.snapshot is None or reading.error is not None:
        return []
    return [number for number in reading.snapshot.numbers() if number.metric == metric]


async def decided(sources: Sequence[str], metric: str, rule: Rule, site: Site) -> None:
    """Wait while a number is beyond its threshold, but not for as long as the rule asks."""
    until = time.monotonic() + rule.for_ + _PENDING_MORE_S
    while rule.for_ and time.monotonic() < until and any(_is_pending(source, metric, rule, site) for source in sources):
        await site.pause(_PENDING_STEP_S)


def _is_pending(source: str, metric: str, rule: Rule, site: Site) -> bool:
    return any(
        judged(number.value, rule)[0] is not Level.OK and site.rules.level(source, metric, number.object) is Level.OK
        for number in numbers_of(site.pollers.reading(source), metric)
    )


def _absence(reading: Reading[Any]) -> str:
    """Return why a number that should be there is not, in the system's words where it has some."""
    snapshot = reading.snapshot
    told = str(getattr(snapshot, "reason", "")) or "; ".join(getattr(snapshot, "notes", ()))
    return told or "cannot be read at present"


def _reason(reading: Reading[Any], metric: str) -> str:
    """Return what a service says about its state: the number alone says little."""
    return str(getattr(reading.snapshot, "reason", "")) if metric == "state" else ""
