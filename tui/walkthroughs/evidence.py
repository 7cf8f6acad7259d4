"""What a step asks for → evidence: each value with its threshold, its time and the verdict that follows from it.

What cannot be read is unknown, and unknown is never a pass.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from profiles.thresholds import Rule
from tui.rules import applies
from tui.sources.errors import SourceError
from tui.sources.postgres.source import PostgresSource
from tui.sources.redis import RedisSource
from tui.units import amount, span
from tui.walkthroughs.evidence_cluster import pods, rollout
from tui.walkthroughs.evidence_logs import logs
from tui.walkthroughs.evidence_past import over_time
from tui.walkthroughs.evidence_record import recorded
from tui.walkthroughs.evidence_scripts import script
from tui.walkthroughs.format import Condition
from tui.walkthroughs.judgements import decided, judgements
from tui.walkthroughs.judging import MARKS, Asked, Value, mark_of, name_of, silence, sources_of, what_of
from tui.walkthroughs.run import WORST_FIRST, Fact, Mark, worst
from tui.walkthroughs.site import Site

_MOST_FACTS: Final = 40
"""Pieces of evidence that are kept of one step; the worst come first."""
_PATIENCE_S: Final = 10.0


async def evidence(asked: Asked, site: Site) -> tuple[Fact, ...]:
    """Read what a step asks for, and judge it; the worst first. Never raises for what the systems do."""
    facts = [fact async for fact in _READERS[asked.condition.what](asked, site)]
    if not facts:
        facts = [Fact(_words(asked.condition), "", Mark.SKIPPED, detail="nothing here to judge")]
    facts.sort(key=lambda fact: WORST_FIRST.index(fact.mark))
    if len(facts) > _MOST_FACTS:
        rest = facts[_MOST_FACTS:]
        marks = {mark: sum(fact.mark is mark for fact in rest) for mark in WORST_FIRST}
        told = ", ".join(f"{count} {mark}" for mark, count in marks.items() if count)
        facts = [*facts[:_MOST_FACTS], Fact(f"{len(rest)} more", told, worst([fact.mark for fact in rest]))]
    return tuple(facts)


def verdict(facts: Sequence[Fact]) -> Mark:
    """Return what follows from evidence: its worst mark."""
    return worst([fact.mark for fact in facts])


def _words(condition: Condition) -> str:
    value = getattr(condition, condition.what)
    return value if isinstance(value, str) and len(value) < 80 else condition.what


# Numbers that the systems report


async def _rule(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    name = str(asked.condition.rule)
    rule = site.profile.thresholds.get(name)
    kind, _, metric = name.partition(".")
    if rule is None:
        yield Fact(name, "", Mark.SKIPPED, detail="the profile has taken this rule away: nothing to judge")
        return
    sources = [source for source in sources_of(asked, kind, site) if applies(source, name, rule)]
    await site.anew(sources)
    await decided(sources, metric, rule, site)
    for source in sources:
        for fact in _judged(source, metric, rule, site, uses_for=True):
            yield fact


async def _number(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    kind, _, metric = str(asked.condition.number).partition(".")
    sources = [f"metric:{metric}"] if kind == "metric" else sources_of(asked, kind, site)
    await site.anew(sources)
    judge = _judged if asked.condition.over is None else over_time
    for source in sources:
        for fact in judge(source, metric, asked.condition, site):
            yield fact


def _judged(
    source: str, metric: str, bounds: Rule | Condition, site: Site, *, uses_for: bool = False
) -> Iterator[Fact]:
    what, well, at = what_of(source, metric), 0, None
    for one in judgements(source, metric, bounds, site, uses_for=uses_for):
        if one.mark is Mark.PASSED and one.object:
            well, at = well + 1, one.at
            continue
        about = f"{what} {one.object}".strip()
        value = "" if one.value is None else amount(metric, one.value, one.unit)
        yield Fact(about, value, one.mark, one.threshold, one.at, number=one.value, detail=one.detail)
    if well:
        yield Fact(what, f"{well} well", Mark.PASSED, at=at)


async def _alerts(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    names = [reading.source for reading in site.pollers.readings()]
    for reading in await site.anew(names):
        if (silent := silence(reading, site)) is not None and silent[0] is not Mark.SKIPPED:
            yield Fact(name_of(reading.source), "", silent[0], at=reading.taken_at, detail=silent[1])
    for alert in site.rules.alerts:
        what = what_of(alert.source, alert.metric, alert.object)
        value, threshold = (amount(alert.metric, value, alert.unit) for value in (alert.value, alert.threshold))
        age = f"up for {span(site.now() - alert.since)}"
        yield Fact(what, value, MARKS[alert.level], threshold, site.now(), age, alert.value)
    if not site.rules.alerts:
        yield Fact("alerts", "none is up", Mark.PASSED, at=site.now())


# Readings of one value


async def _sql(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    for name in sources_of(asked, "database", site):
        source = site.pollers.source(name)
        if isinstance(source, PostgresSource):
            yield await _value(source.value(str(asked.condition.sql)), name, asked, site)


async def _redis(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    for name in sources_of(asked, "redis", site):
        source = site.pollers.source(name)
        if isinstance(source, RedisSource):
            yield await _value(source.value(*(asked.condition.redis or ())), name, asked, site)


async def _value(reading: Any, source: str, asked: Asked, site: Site) -> Fact:
    what = f"{name_of(source)} {asked.condition.what}"
    if asked.condition.what == "redis":
        what = f"{name_of(source)} {' '.join(asked.condition.redis or ())}"
    try:
        async with asyncio.timeout(_PATIENCE_S):
            value: Value = await reading
    except SourceError as error:
        return Fact(what, "", Mark.UNKNOWN, detail=str(error))
    except TimeoutError:
        return Fact(what, "", Mark.UNKNOWN, detail=f"no answer within {_PATIENCE_S:g} s")
    mark, threshold = mark_of(value, asked.condition)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    shown = "NULL" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return Fact(what, shown, mark, threshold, site.now(), number=float(value) if is_number and value is not None
                else None)  # fmt: skip


_READERS: Final[Mapping[str, Callable[[Asked, Site], AsyncIterator[Fact]]]] = {
    "rule": _rule,
    "number": _number,
    "alerts": _alerts,
    "sql": _sql,
    "redis": _redis,
    "rollout": rollout,
    "pods": pods,
    "logs": logs,
    "script": script,
    "recorded": recorded,
}
