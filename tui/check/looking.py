"""Systems are asked until every number that a rule judges is there, or cannot be expected any more; then judged."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from tui.check.checks import PROBE, RULE, Check, Report
from tui.check.required import required_checks
from tui.check.required_cluster import CONFIG_MAPS, VARIABLES, required_settings
from tui.check.selection import Selection
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.reading import Reading
from tui.sources.text import clean
from tui.units import amount
from tui.walkthroughs.judgements import decided, judgements
from tui.walkthroughs.judging import silence
from tui.walkthroughs.run import Mark
from tui.walkthroughs.site import Site

INTERVAL_S: Final = 1.0
"""Between two readings of a system: far enough apart for a rate, near enough for an answer within three seconds."""
_OF_CLUSTER: Final = (CONFIG_MAPS, VARIABLES)
_READINGS: Final = 2
"""A rate and a latency need two; what two do not hold is not reported by this system."""


class Answers:
    """Counts what came from each system, until nothing is missing."""

    def __init__(self, selection: Selection) -> None:
        self._metrics = {source: selection.metrics(source) for source in selection.sources}
        self._open = set(self._metrics)
        self._taken: Counter[str] = Counter()
        self._complete = asyncio.Event()

    def take(self, reading: Reading[Any]) -> None:
        """Take a reading."""
        self._taken[reading.source] += 1
        if self._is_enough(reading):
            self._open.discard(reading.source)
            if not self._open:
                self._complete.set()

    def _is_enough(self, reading: Reading[Any]) -> bool:
        if isinstance(reading.snapshot, ServiceSnapshot) and reading.snapshot.is_partial and reading.error is None:
            return False
        if reading.error is not None or reading.snapshot is None or self._taken[reading.source] >= _READINGS:
            return True
        found = {number.metric for number in reading.snapshot.numbers() if not number.is_absent}
        return self._metrics.get(reading.source, frozenset()) <= found

    async def wait(self, timeout_s: float) -> None:
        """Return when nothing is missing, and in any case after `timeout_s` seconds."""
        if self._open:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._complete.wait()
            except TimeoutError:
                return


async def look(
    site: Site, selection: Selection, answers: Answers, *, timeout_s: float, watch_s: float | None = None
) -> Report:
    """Wait for the systems and judge them.

    Args:
        site: whose pollers read them already.
        selection: what is to be judged.
        answers: takes every reading of these pollers.
        timeout_s: seconds that systems may take to answer.
        watch_s: seconds to watch them before they are judged; a rule with `for` must then have held for so long, as
            with alerts. None judges at once, whatever rules ask for.
    """
    began = time.monotonic()
    await answers.wait(timeout_s)
    if watch_s is not None:
        await site.pause(max(0.0, watch_s - (time.monotonic() - began)))
        async with asyncio.TaskGroup() as group:
            for source, name, rule in selection.rules:
                group.create_task(decided([source], name.partition(".")[2], rule, site))
    checks = (
        *_checks(site, selection, timeout_s, uses_for=watch_s is not None),
        *await _settings(site, selection),
    )
    profile = site.profile
    return Report(profile.name, profile.environment, site.now(), time.monotonic() - began, checks)


def _checks(site: Site, selection: Selection, timeout_s: float, *, uses_for: bool) -> Iterator[Check]:
    for reading in site.pollers.readings():
        source = reading.source
        if source in selection.probes:
            yield _probe(reading, site, timeout_s)
        for _, name, rule in (meant for meant in selection.rules if meant[0] == source):
            metric = name.partition(".")[2]
            for one in judgements(source, metric, rule, site, uses_for=uses_for):
                yield Check(
                    RULE,
                    name,
                    source,
                    one.mark,
                    clean(one.object, limit=300),
                    one.value,
                    "" if one.value is None else amount(metric, one.value, one.unit),
                    rule.warn,
                    rule.critical,
                    one.threshold,
                    rule.for_,
                    _age(one.at, site),
                    _late(reading, timeout_s) or clean(one.detail or _why(reading, metric, one.object), limit=500),
                )
        for _, name in (meant for meant in selection.required if meant[0] == source and meant[1] not in _OF_CLUSTER):
            for check in required_checks(source, name, site):
                late = _late(reading, timeout_s)
                yield replace(check, age_s=_age(reading.taken_at, site), detail=late or check.detail)


async def _settings(site: Site, selection: Selection) -> list[Check]:
    """Return what is required of a cluster's configuration, which nothing watches."""
    meant = [(source, name) for source, name in selection.required if name in _OF_CLUSTER]
    found = await asyncio.gather(*(required_settings(source, name, site) for source, name in meant))
    return [check for checks in found for check in checks]


def _probe(reading: Reading[Any], site: Site, timeout_s: float) -> Check:
    name = f"{reading.kind}.answers"
    silent = silence(reading, site) or _partly_silent(reading.snapshot)
    mark, detail = silent or (Mark.PASSED, "")
    took = reading.took_s if mark is Mark.PASSED else None
    shown = "" if took is None else f"{took * 1000:.0f} ms"
    detail = _late(reading, timeout_s) or clean(detail, limit=500)
    age = _age(reading.taken_at, site)
    return Check(PROBE, name, reading.source, mark, value=took, shown=shown, age_s=age, detail=detail)


def _partly_silent(snapshot: Any) -> tuple[Mark, str] | None:
    """Return why a reading that went well holds no whole answer; None when it does."""
    if isinstance(snapshot, ServiceSnapshot) and snapshot.status_code is None:
        return Mark.UNKNOWN, snapshot.reason
    if isinstance(snapshot, KubernetesSnapshot) and not snapshot.sees("pods"):
        return Mark.UNKNOWN, "; ".join(snapshot.notes)
    return None


def _why(reading: Reading[Any], metric: str, probe: str) -> str:
    """Return why a probe is not well; empty of any other number."""
    if metric != "probe_state" or not isinstance(reading.snapshot, ServiceSnapshot):
        return ""
    return next((one.reason for one in reading.snapshot.probes if one.name == probe), "")


def _late(reading: Reading[Any], timeout_s: float) -> str:
    is_silent = reading.error is None and reading.snapshot is None
    return f"no answer within {timeout_s:g} s" if is_silent else ""


def _age(at: float | None, site: Site) -> float | None:
    return None if at is None else max(0.0, site.now() - at)
