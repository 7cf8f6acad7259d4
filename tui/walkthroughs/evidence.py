"""What a step asks for → evidence: each value with its threshold, its time and the verdict that follows from it.

What cannot be read is unknown, and unknown is never a pass.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from profiles.schema import Rule
from tui.rules import Level, judged
from tui.sources.errors import SourceError
from tui.sources.postgres.source import PostgresSource
from tui.sources.reading import Number, Reading
from tui.sources.redis import RedisSource
from tui.units import amount, span
from tui.walkthroughs.evidence_cluster import pods, rollout
from tui.walkthroughs.evidence_logs import logs
from tui.walkthroughs.evidence_record import recorded
from tui.walkthroughs.evidence_scripts import script
from tui.walkthroughs.format import Condition
from tui.walkthroughs.judging import MARKS, Asked, Value, mark_of, name_of, silence, sources_of
from tui.walkthroughs.run import Fact, Mark, worst
from tui.walkthroughs.site import Site

_PENDING_STEP_S: Final = 0.5
_PENDING_MORE_S: Final = 3.0
"""Beyond a rule's `for`: how long until the reading that decides has come."""
_MOST_FACTS: Final = 40
"""Pieces of evidence that are kept of one step; the worst come first."""
_PATIENCE_S: Final = 10.0


async def evidence(asked: Asked, site: Site) -> tuple[Fact, ...]:
    """Read what a step asks for, and judge it; the worst first. Never raises for what the systems do."""
    facts = [fact async for fact in _READERS[asked.condition.what](asked, site)]
    if not facts:
        facts = [Fact(_words(asked.condition), "", Mark.SKIPPED, detail="nothing here to judge")]
    order = [Mark.FAILED, Mark.UNKNOWN, Mark.WARNING, Mark.PASSED, Mark.SKIPPED, Mark.DONE]
    facts.sort(key=lambda fact: order.index(fact.mark))
    if len(facts) > _MOST_FACTS:
        rest = facts[_MOST_FACTS:]
        marks = {mark: sum(fact.mark is mark for fact in rest) for mark in order}
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
    rule = site.profile.rules.get(name)
    kind, _, metric = name.partition(".")
    if rule is None:
        yield Fact(name, "", Mark.SKIPPED, detail="the profile has taken this rule away: nothing to judge")
        return
    sources = [
        source for source in sources_of(asked, kind, site) if not rule.only or source.partition(":")[2] in rule.only
    ]
    await site.anew(sources)
    await _decided(sources, metric, rule, site)
    for source in sources:
        for fact in _judged(source, metric, rule, site, uses_for=True):
            yield fact


async def _decided(sources: Sequence[str], metric: str, rule: Rule, site: Site) -> None:
    """Wait while a number is beyond its threshold, but not for as long as the rule asks."""
    until = time.monotonic() + rule.for_ + _PENDING_MORE_S
    while rule.for_ and time.monotonic() < until and any(_is_pending(source, metric, rule, site) for source in sources):
        await site.pause(_PENDING_STEP_S)


def _is_pending(source: str, metric: str, rule: Rule, site: Site) -> bool:
    numbers = _numbers(site.pollers.reading(source), metric)
    return any(
        judged(number.value, rule)[0] is not Level.OK and site.rules.level(source, metric, number.object) is Level.OK
        for number in numbers
    )


def _numbers(reading: Reading[Any] | None, metric: str) -> list[Number]:
    if reading is None or reading.snapshot is None or reading.error is not None:
        return []
    return [number for number in reading.snapshot.numbers() if number.metric == metric]


async def _number(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    kind, _, metric = str(asked.condition.number).partition(".")
    sources = sources_of(asked, kind, site)
    await site.anew(sources)
    for source in sources:
        for fact in _judged(source, metric, asked.condition, site):
            yield fact


def _judged(
    source: str, metric: str, bounds: Rule | Condition, site: Site, *, uses_for: bool = False
) -> Iterator[Fact]:
    reading, name = site.pollers.reading(source), name_of(source)
    what = f"{name} {metric}".strip()
    if (silent := silence(reading, site)) is not None:
        yield Fact(what, "", silent[0], at=reading.taken_at if reading else None, detail=silent[1])
        return
    assert reading is not None  # noqa: S101 -- silence is what is said of no reading
    numbers = _numbers(reading, metric)
    if not numbers:
        yield Fact(what, "", Mark.SKIPPED, at=reading.taken_at, detail="not reported: nothing to judge")
    well = 0
    for number in numbers:
        mark, threshold = mark_of(number.value, bounds)
        if uses_for and mark is not Mark.PASSED:
            mark = MARKS[site.rules.level(source, metric, number.object)]
        if mark is Mark.PASSED and number.object:
            well += 1
            continue
        yield Fact(
            f"{what} {number.object}".strip(),
            amount(metric, number.value),
            mark,
            threshold,
            reading.taken_at,
            number=number.value,
            detail=_reason(reading, metric),
        )
    if well:
        yield Fact(what, f"{well} well", Mark.PASSED, at=reading.taken_at)


def _reason(reading: Reading[Any], metric: str) -> str:
    """Return what a service says about its state: the number alone says little."""
    return str(getattr(reading.snapshot, "reason", "")) if metric == "state" else ""


async def _alerts(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    names = [reading.source for reading in site.pollers.readings()]
    for reading in await site.anew(names):
        if (silent := silence(reading, site)) is not None and silent[0] is not Mark.SKIPPED:
            yield Fact(name_of(reading.source), "", silent[0], at=reading.taken_at, detail=silent[1])
    for alert in site.rules.alerts:
        what = f"{name_of(alert.source)} {alert.metric} {alert.object}".strip()
        value, threshold = amount(alert.metric, alert.value), amount(alert.metric, alert.threshold)
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
