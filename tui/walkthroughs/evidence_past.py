"""What a number was over a while, as evidence: from what opstui watched, and from what Prometheus kept."""

from collections.abc import Iterator, Mapping
from typing import Final

from tui.numbers import Summary, summary
from tui.sources.history import Past
from tui.sources.metrics.facts import MetricSnapshot
from tui.units import amount, span
from tui.walkthroughs.format import Condition
from tui.walkthroughs.judgements import numbers_of
from tui.walkthroughs.judging import mark_of, silence, what_of
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import Site

_ENOUGH: Final = 0.5
"""Of less than this part of the time asked for, nothing well can be said."""
_FIGURES: Final[Mapping[str, str]] = {"average": "mean", "max": "greatest", "min": "least", "p95": "p95"}


def over_time(source: str, metric: str, condition: Condition, site: Site) -> Iterator[Fact]:
    """Yield each number of that metric over the time that the condition asks for.

    What is not well is not well however short it was watched; that all is well cannot be told of less than half of
    that time.
    """
    reading, what = site.pollers.reading(source), what_of(source, metric)
    if (silent := silence(reading, site)) is not None or reading is None:
        mark, why = silent or (Mark.UNKNOWN, "")
        yield Fact(what, "", mark, at=reading.taken_at if reading is not None else None, detail=why)
        return
    numbers = numbers_of(reading, metric)
    if not numbers:
        yield Fact(what, "", Mark.SKIPPED, at=reading.taken_at, detail="not reported: nothing to judge")
    span_s = condition.over or 0.0
    for number in numbers:
        past = _past(source, metric, number.object, reading.snapshot, site)
        found = summary(past, site.now(), span_s) if past is not None else None
        about = what_of(source, metric, number.object)
        if found is None:
            yield Fact(about, "", Mark.UNKNOWN, at=reading.taken_at, detail="it was not watched")
            continue
        value = float(getattr(found, _FIGURES[condition.of]))
        mark, threshold = mark_of(value, condition)
        watched = f"{_others(found, metric, number.unit)}; over {span(found.span_s)}"
        if found.span_s < _ENOUGH * span_s:
            watched += f" only, not {span(span_s)}"
            mark = Mark.UNKNOWN if mark is Mark.PASSED else mark
        shown = f"{condition.of} {amount(metric, value, number.unit)}"
        yield Fact(about, shown, mark, threshold, reading.taken_at, number=value, detail=watched)


def _past(source: str, metric: str, object_: str, snapshot: object, site: Site) -> Past | None:
    """Return a number's past: a metric keeps its own, with what Prometheus knew before opstui came."""
    if isinstance(snapshot, MetricSnapshot):
        return snapshot.history.get(object_)
    kept = site.numbers.get(source, metric, object_)
    return kept.past if kept is not None else None


def _others(found: Summary, metric: str, unit: str) -> str:
    figures = (("min", found.least), ("average", found.mean), ("max", found.greatest), ("p95", found.p95))
    return ", ".join(f"{name} {amount(metric, value, unit)}" for name, value in figures)
