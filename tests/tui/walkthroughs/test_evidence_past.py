"""Numbers over a while, as evidence."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.tui.walkthroughs.fakes import System, site_of
from tui.sources.errors import Unreachable
from tui.sources.history import Past
from tui.sources.metrics.facts import MetricSnapshot, MetricValue
from tui.walkthroughs.evidence import evidence
from tui.walkthroughs.format import Check
from tui.walkthroughs.judging import Asked
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import NOBODY, Site


async def facts(site: Site, **check: Any) -> tuple[Fact, ...]:
    return await evidence(Asked(Check.model_validate({"check": "c", **check}), NOBODY, None), site)


def remember(site: Site, seconds: int, *values: float) -> None:
    """Let the site have seen these values, one a minute, before the oldest that it saw itself."""
    kept = site.numbers.get("host:", "cpu_percent")
    assert kept is not None
    began = time.time() - seconds + 30  # the clock goes on while the test reads
    kept.past.fill([(began + n * 60, value) for n, value in enumerate(values)])


@pytest.mark.parametrize(
    ("of", "value", "mark"),
    [
        ("max", "max 96 %", Mark.FAILED),
        ("average", "average 50 %", Mark.PASSED),
        ("min", "min 10 %", Mark.PASSED),
        ("p95", "p95 50 %", Mark.PASSED),
    ],
)
async def test_the_figure_asked_for_is_judged_and_the_others_are_told(
    tmp_path: Path, of: str, value: str, mark: Mark
) -> None:
    async with site_of(tmp_path, System("host:", {"cpu_percent": 50})) as site:
        await facts(site, number="host.cpu_percent", warn=85)
        remember(site, 3600, 10, 96, *([50] * 50))
        (fact,) = await facts(site, number="host.cpu_percent", over="1h", of=of, warn=85, critical=95)
    assert fact.value == value
    assert fact.mark is mark
    assert "min 10 %" in fact.detail
    assert "over 59m" in fact.detail


async def test_all_is_well_cannot_be_told_of_a_few_minutes(tmp_path: Path) -> None:
    async with site_of(tmp_path, System("host:", {"cpu_percent": 50})) as site:
        await facts(site, number="host.cpu_percent", warn=85)
        remember(site, 600, *([50] * 9))
        (fact,) = await facts(site, number="host.cpu_percent", over="24h", warn=85)
        assert fact.mark is Mark.UNKNOWN
        assert "only, not 24h" in fact.detail or "only, not 1d" in fact.detail
        (fact,) = await facts(site, number="host.cpu_percent", over="24h", warn=40)
        assert fact.mark is Mark.WARNING, "what is not well is not well, however short it was watched"


async def test_a_metric_brings_what_prometheus_kept(tmp_path: Path) -> None:
    past, now = Past(), time.time()
    for n in range(480):
        past.add(now - 86_400 + n * 180, 2.0)
    snapshot = MetricSnapshot(
        "errors", "Errors", "%", "prometheus main", "q", (MetricValue("", 2.0),), history={"": past}
    )

    class Metrics(System):
        async def read(self) -> Any:
            return snapshot

    metrics = {"errors": {"prometheus": "q", "unit": "%"}}
    async with site_of(tmp_path, Metrics("metric:errors"), prometheus={"main": "http://p"}, metrics=metrics) as site:
        (fact,) = await facts(site, number="metric.errors", over="24h", of="average", warn=5)
    assert (fact.what, fact.value, fact.mark) == ("errors", "average 2 %", Mark.PASSED)


async def test_a_system_that_is_silent_is_unknown(tmp_path: Path) -> None:
    async with site_of(tmp_path, System("host:", error=Unreachable("gone"))) as site:
        (fact,) = await facts(site, number="host.cpu_percent", over="1h", warn=85)
    assert (fact.mark, fact.detail) == (Mark.UNKNOWN, "gone")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"rule": "host.cpu_percent", "over": "1h"}, "over belongs to number"),
        ({"number": "host.cpu_percent", "warn": 1, "of": "max"}, "of belongs to over"),
        ({"number": "host.cpu_percent", "warn": 1, "over": "2d"}, "less than or equal to 86400"),
    ],
)
def test_what_makes_no_sense_is_refused(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Check.model_validate({"check": "c", **entry})
