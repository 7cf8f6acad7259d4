"""Evidence and targets on the sandbox: real PostgreSQL and Valkey, the simulated cluster."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from profiles.loader import load
from tests.tui.walkthroughs.fakes import walk_of
from tui.actions.action import Request
from tui.cli.headless import watching
from tui.journal import Journal
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import SourceError
from tui.walkthroughs.evidence import evidence, verdict
from tui.walkthroughs.format import Act, Check
from tui.walkthroughs.judging import Asked
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import NOBODY, Place, Site, Subject, subjects
from tui.walkthroughs.targets import Asked as ActAsked
from tui.walkthroughs.targets import Candidate, candidates

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

API = Subject("workload", "shop/deployment/api")


@pytest.fixture
async def site(sandbox: BlockingSandbox, tmp_path: Path) -> AsyncIterator[Site]:
    profile = load("demo", sandbox=sandbox.endpoints).profile
    async with watching(profile, Journal(tmp_path, "demo", "sandbox")) as site:
        await site.anew([reading.source for reading in site.pollers.readings()])
        yield site
    await no_socket_left()


async def no_socket_left() -> None:
    """Wait until every socket that was closed has been let go: the loop of a test ends at once."""
    loop: Any = asyncio.get_running_loop()
    async with asyncio.timeout(30):
        while len(loop._selector.get_map()) > 1:  # its own pipe stays
            await asyncio.sleep(0.01)


async def facts(site: Site, subject: Subject = NOBODY, **check: Any) -> tuple[Fact, ...]:
    return await evidence(Asked(Check.model_validate({"check": "c", **check}), subject), site)


async def found(site: Site, subject: Subject = NOBODY, typed: str = "", **act: Any) -> tuple[Candidate, ...]:
    asked = ActAsked(Act.model_validate({"act": "a", **act}), subject, {"shop/deployment/api": 7}, typed)
    return await candidates(asked, site)


@pytest.mark.parametrize(
    ("check", "mark", "value"),
    [
        ({"sql": "SELECT count(*) FROM pg_class", "at_least": 1}, Mark.PASSED, None),
        ({"sql": "SELECT 'on'", "is": "on"}, Mark.PASSED, "on"),
        ({"sql": "SELECT true", "is": True}, Mark.PASSED, "True"),
        ({"sql": "SELECT length(pg_read_file('PG_VERSION'))", "warn": 1}, Mark.UNKNOWN, ""),
        ({"sql": "SELECT NULL::int", "at_least": 1}, Mark.UNKNOWN, "NULL"),
        ({"sql": "SELECT 1.5::numeric", "warn": 1, "critical": 2}, Mark.WARNING, "1.5"),
        ({"sql": "SELECT 1 FROM products", "warn": 1}, Mark.UNKNOWN, ""),
        ({"sql": "SELECT 1; SELECT 2", "warn": 1}, Mark.UNKNOWN, ""),
        ({"sql": "DELETE FROM public.products", "warn": 1}, Mark.UNKNOWN, ""),
        ({"sql": "SELECT pg_sleep(60)", "warn": 1}, Mark.UNKNOWN, ""),
        ({"redis": ["PING"], "is": "PONG"}, Mark.PASSED, "PONG"),
        ({"redis": ["INFO", "rdb_last_bgsave_status"], "is": "ok"}, Mark.PASSED, "ok"),
        ({"redis": ["llen", "no-such-queue"], "warn": 1}, Mark.PASSED, "0"),
        ({"redis": ["FLUSHALL"], "warn": 1}, Mark.UNKNOWN, ""),
        ({"redis": ["KEYS", "*"], "warn": 1}, Mark.UNKNOWN, ""),
        ({"redis": ["INFO", "no_such_field"], "warn": 1}, Mark.UNKNOWN, ""),
        ({"pods": "none failing"}, Mark.PASSED, None),
        ({"rollout": ["shop/deployment/*"]}, Mark.PASSED, None),
        ({"rollout": ["shop/deployment/nowhere"]}, Mark.UNKNOWN, ""),
        ({"rollout": ["{subject}"]}, Mark.UNKNOWN, ""),
        ({"number": "service.latency_ms", "critical": 100_000, "on": ["api"]}, Mark.PASSED, None),
    ],
)
async def test_what_is_read_is_judged_and_what_cannot_be_is_unknown(
    site: Site, check: dict[str, Any], mark: Mark, value: str | None
) -> None:
    result = await facts(site, **check)
    assert verdict(result) is mark, result
    assert value is None or result[0].value == value
    assert result[0].value or result[0].detail, "it says something"


async def test_the_own_reading_goes_on_after_a_statement_that_failed(site: Site) -> None:
    await facts(site, sql="SELECT nonsense", warn=1)
    (reading,) = await site.anew(["database:shop"])
    assert reading.error is None


async def test_a_service_runs_as_its_workload(site: Site) -> None:
    (fact,) = await facts(site, Subject("service", "payments"), rollout=["{subject}"])
    assert (fact.what, fact.mark) == ("payments/deployment/payments", Mark.PASSED)


async def test_what_a_walk_may_be_about_is_what_there_is(site: Site) -> None:
    assert Subject("service", "gateway") in subjects("service", site)
    assert API in subjects("workload", site)
    assert subjects("database", site) == [Subject("database", "shop")]
    assert subjects(None, site) == []
    assert walk_of({"note": "x"}).definition.about is None


# Targets


def request(candidates: tuple[Candidate, ...]) -> Request:
    (candidate,) = candidates
    return candidate.request


async def test_a_workload_is_scaled_as_it_was_remembered_typed_or_written(site: Site) -> None:
    scale: dict[str, Any] = {"verb": "scale", "pick": "subject"}
    assert request(await found(site, API, **scale, replicas="remembered")).wanted == {"replicas": 7}
    assert request(await found(site, API, "5", **scale, replicas="asked")).wanted == {"replicas": 5}
    assert request(await found(site, API, **scale, replicas=0)).wanted == {"replicas": 0}
    now = site.workload(Place("kubernetes:", API.name))
    assert now is not None
    assert await found(site, API, **scale, replicas=now.desired) == (), "it has that many already"


async def test_named_workloads_are_found_by_pattern(site: Site) -> None:
    act: dict[str, Any] = {"verb": "restart", "pick": "named", "workloads": ["payments/*/pay*", "shop/deployment/api"]}
    assert [each.label for each in await found(site, **act)] == ["payments/deployment/payments", API.name]


async def test_roots_are_found_with_who_waits_for_them_and_only_running_ones_can_be_cancelled(
    site: Site, sandbox: BlockingSandbox
) -> None:
    sandbox.scenario("lock-pileup")
    while verdict(await facts(site, rule="database.blocked")) is not Mark.FAILED:
        pass  # each look waits for a new reading
    roots = await found(site, verb="terminate-backend", pick="root blockers")
    assert ["wait for it" in each.label for each in roots] == [True, True]
    (cancellable,) = await found(site, verb="cancel-query", pick="root blockers")
    assert "reprice-job" in cancellable.label
    longest: tuple[Candidate, ...] = ()
    while not longest:
        longest = await found(site, verb="cancel-query", pick="longest", application="reprice-job")
    assert [each.key for each in longest] == [cancellable.key]
    idle = await found(site, verb="terminate-matching", pick="matching", matching="idle in transaction > 1s")
    assert "batch-import" in idle[0].label
    assert idle[0].request.wanted == {"state": "idle in transaction", "longer_than_s": 1.0}


async def test_a_setting_is_set_from_the_value_it_has(site: Site) -> None:
    act: dict[str, Any] = {"verb": "config-set", "pick": "named", "setting": "maxmemory-policy", "value": "noeviction"}
    (candidate,) = await found(site, **act, temporary="4h")
    assert candidate.request.seen == {"value": "allkeys-lfu"}
    assert (candidate.request.wanted, candidate.request.temporary_s) == ({"value": "noeviction"}, 14400.0)
    with pytest.raises(SourceError, match="no setting nonsense"):
        await found(site, verb="config-set", pick="named", setting="nonsense", value="1")
    clients = await found(site, verb="kill-client", pick="biggest")
    assert clients
    assert "opstui" not in {each.label.split(" ")[1] for each in clients}
