"""A database and a Redis through pods: the sandbox's real servers behind its simulated cluster."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from profiles.schema import Profile
from tui.pins import findings
from tui.sandbox.blocking import BlockingSandbox
from tui.sources import redis_connection
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.kubernetes import KubernetesSource
from tui.sources.postgres import connection as postgres_connection
from tui.sources.postgres.source import PostgresSource
from tui.sources.reading import Reading
from tui.sources.redis import RedisSource
from tui.systems import systems_of

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

POSTGRES = {"service": "shop/postgres", "port": 5432}
REDIS = {"workload": "shop/statefulset/redis", "port": 6379}


def profile(sandbox: BlockingSandbox, user: str = "kubeconfig", /, **more: Any) -> Profile:
    ends = sandbox.endpoints
    values = {
        "name": "t",
        "environment": "dev",
        "kubernetes": {"kubeconfig": ends[user]},
        "databases": {"shop": {"dsn": "postgresql://opstui@db.internal/shop", "via": POSTGRES}},
        "redis": {"cache": {"url": "redis://cache.internal:6379", "via": REDIS}},
    }
    return Profile.model_validate({**values, **more})


@asynccontextmanager
async def opened(found: Profile) -> AsyncIterator[tuple[KubernetesSource, PostgresSource, RedisSource]]:
    sources = systems_of(found).sources
    cluster = next(one for one in sources if isinstance(one, KubernetesSource))
    database = next(one for one in sources if isinstance(one, PostgresSource))
    cache = next(one for one in sources if isinstance(one, RedisSource))
    try:
        yield cluster, database, cache
    finally:
        for source in (database, cache, cluster):
            await source.close()


async def again(source: PostgresSource | RedisSource, holds: Callable[[Any], bool] = lambda found: True) -> Any:
    """Read until it works, as the poller does."""
    async with asyncio.timeout(40):
        while True:
            try:
                if holds(found := await source.read()):
                    return found
            except SourceError:
                await asyncio.sleep(0.1)


async def ever(source: PostgresSource) -> None:
    while True:
        await source.read()


async def test_both_are_read_through_their_pods(sandbox: BlockingSandbox) -> None:
    async with opened(profile(sandbox)) as (_, database, cache):
        found = await database.read()
        assert (found.server.database, found.server.role) == ("shop", "opstui")
        assert await database.value("SELECT 7") == 7.0
        assert (await cache.read()).server.version
        by_hand = await database.psql()
        assert "-n shop port-forward service/postgres 5432:5432 & psql" in by_hand
        assert "host=127.0.0.1 port=5432" in by_hand


async def test_an_action_has_a_connection_of_its_own_through_the_same_forward(sandbox: BlockingSandbox) -> None:
    async with opened(profile(sandbox)) as (_, database, cache):
        await database.read()
        async with database.for_action() as link:
            assert await link.connection.fetchval("SELECT 1") == 1
        async with cache.for_action() as connection:
            assert await connection.ask([("PING",)]) in ([b"PONG"], ["PONG"])
        link = await database.for_writing()
        assert await link.connection.fetchval("SELECT 2") == 2
        database.give_back(link)


async def test_who_forgets_the_way_through_the_pod_reaches_nothing(sandbox: BlockingSandbox) -> None:
    found = profile(sandbox)
    with pytest.raises(Unreadable, match="behind a pod"):
        await postgres_connection.connect(found.databases["shop"], "x")
    with pytest.raises(Unreadable, match="behind a pod"):
        await redis_connection.connect(found.redis["cache"])


async def test_a_pod_that_is_replaced_costs_one_reading(sandbox: BlockingSandbox) -> None:
    async with opened(profile(sandbox)) as (cluster, database, _):
        await database.read()
        path = "/api/v1/namespaces/shop/pods/postgres-0"
        before = (await cluster.connection.get(path))["metadata"]["uid"]
        answer = await cluster.connection.call("DELETE", path, body={"gracePeriodSeconds": 0})
        assert answer.is_ok
        async with asyncio.timeout(40):
            with pytest.raises(SourceError):
                await ever(database)
        await again(database)
        assert (await cluster.connection.get(path))["metadata"]["uid"] != before


async def test_whoever_answers_behind_the_pod_is_compared_with_the_pins_each_time(sandbox: BlockingSandbox) -> None:
    pinned = {"postgres": {"shop": {"system_identifier": 7312345678901234567}}}
    found = profile(sandbox, identity=pinned)
    async with opened(found) as (_, database, _cache):
        snapshot = await again(database)
        reading = Reading(database.name, 2.0, snapshot, taken_at=0.0)
        (finding,) = findings(found.identity, lambda name: reading)
        assert finding.is_mismatch


async def test_why_there_is_no_way_is_told_in_the_clusters_words(sandbox: BlockingSandbox) -> None:
    async with opened(profile(sandbox, "kubeconfig_viewer")) as (_, database, cache):
        for source in (database, cache):
            with pytest.raises(Denied, match="pods/portforward"):
                await source.read()
    elsewhere: dict[str, Any] = {
        "databases": {"shop": {"dsn": "dbname=shop user=opstui", "via": {**POSTGRES, "service": "shop/no"}}}
    }
    async with opened(profile(sandbox, **elsewhere)) as (_, database, _cache):
        with pytest.raises(SourceError, match='"no" not found'):
            await database.read()
    wrong: dict[str, Any] = {"redis": {"cache": {"url": "redis://x", "via": {**REDIS, "port": 6380}}}}
    async with opened(profile(sandbox, **wrong)) as (_, _database, cache):
        with pytest.raises(Unreachable, match="connect: connection refused"):
            await cache.read()


async def test_tls_that_is_promised_is_never_left_away_through_a_pod(sandbox: BlockingSandbox) -> None:
    # The servers of the sandbox offer none; tests/tui/sources/test_via_tls.py has some that do.
    strict: dict[str, Any] = {
        "databases": {"shop": {"dsn": "postgresql://opstui@db.internal/shop?sslmode=require", "via": POSTGRES}},
        "redis": {"cache": {"url": "rediss://cache.internal", "via": REDIS}},
    }
    async with opened(profile(sandbox, **strict)) as (_, database, cache):
        with pytest.raises(Denied, match="offers no TLS, and the dsn asks for it"):
            await database.read()
        with pytest.raises(SourceError):
            await cache.read()
    strict["databases"]["shop"]["dsn"] = "postgresql://opstui@db.internal/shop?sslmode=verify-ca"
    async with opened(profile(sandbox, **strict)) as (_, database, _cache):
        with pytest.raises(Unreadable, match="needs the CA"):
            await database.read()


@pytest.mark.parametrize(
    "via",
    [
        {"port": 5432},
        {"pod": "shop/a", "service": "shop/b", "port": 5432},
        {"pod": "a", "port": 5432},
        {"workload": "shop/cronjob/a", "port": 5432},
        {"pod": "shop/a", "port": 70000},
    ],
)
def test_a_way_names_one_thing_and_a_port(via: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate({"name": "t", "kubernetes": "c", "databases": {"d": {"dsn": "dbname=d", "via": via}}})


def test_a_way_needs_a_cluster() -> None:
    with pytest.raises(ValidationError, match="needs kubernetes"):
        Profile.model_validate({"name": "t", "redis": {"d": {"url": "redis://d", "via": {"pod": "a/b", "port": 1}}}})
