"""A worker takes every session of the server, until its pods or its sessions are ended."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from profiles.systems import Database, Service
from tests.tui.sandbox.scenarios.play import eventually
from tests.tui.sandbox.test_scenarios import kubernetes
from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.scenarios.pool_exhaustion import DEPLOYMENT
from tui.sources.health import State
from tui.sources.http import HttpSource
from tui.sources.postgres.source import PostgresSource

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

_DEPLOYMENT = f"/apis/apps/v1/namespaces/shop/deployments/{DEPLOYMENT}"


@pytest.fixture
async def database(sandbox: BlockingSandbox) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("shop", Database(dsn=sandbox.endpoints["postgres"]))
    await source.read()  # connected before nobody gets a place any more
    yield source
    await source.close()


@pytest.fixture
async def orders(sandbox: BlockingSandbox) -> AsyncIterator[HttpSource]:
    source = HttpSource("orders", Service(url=sandbox.endpoints["service_orders"]))
    yield source
    await source.close()


async def used_percent(database: PostgresSource) -> float:
    return (await database.read()).connections.percent


async def leaked(database: PostgresSource) -> list[int]:
    """Return the pids of the worker's sessions."""
    return [session.pid for session in (await database.read()).sessions if session.application == DEPLOYMENT]


async def test_scaling_the_worker_to_none_gives_the_sessions_back(
    sandbox: BlockingSandbox, database: PostgresSource, orders: HttpSource
) -> None:
    async def state() -> State:
        return (await orders.read()).state

    async def is_refused() -> bool:
        try:
            await (await asyncpg.connect(sandbox.endpoints["postgres"])).close()
        except asyncpg.TooManyConnectionsError:
            return True
        return False

    log = Path(sandbox.endpoints["logs"]) / "orders.log"
    sandbox.scenario("pool-exhaustion")
    await eventually(lambda: used_percent(database), lambda percent: percent >= 95, within_s=90)
    await eventually(state, lambda found: found == State.DOWN, within_s=60)
    assert "remaining connection slots are reserved" in log.read_text()
    await eventually(is_refused, bool)
    async with kubernetes(sandbox) as client:
        patch = {"content-type": "application/merge-patch+json"}
        scaled = await client.patch(_DEPLOYMENT, content='{"spec": {"replicas": 0}}', headers=patch)
        assert scaled.status_code == 200
        await eventually(lambda: leaked(database), lambda pids: pids == [])
        await eventually(state, lambda found: found == State.OK)
        assert await used_percent(database) < 50
        sandbox.scenario("calm")

        async def answer() -> int:
            return (await client.get(_DEPLOYMENT)).status_code

        await eventually(answer, lambda status: status == 404)


async def test_what_was_terminated_is_not_leaked_again(sandbox: BlockingSandbox, database: PostgresSource) -> None:
    sandbox.scenario("pool-exhaustion")
    await eventually(lambda: leaked(database), lambda pids: len(pids) >= 10)
    connection = await asyncpg.connect(sandbox.endpoints["postgres"])
    terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"

    async def left() -> list[int]:
        await connection.execute(terminate, DEPLOYMENT)
        return await leaked(database)

    await eventually(left, lambda pids: pids == [])
    # As many looks as the worker would need to open more.
    assert [await leaked(database) for _ in range(60)] == [[]] * 60
    assert (sandbox.running, sandbox.failure) == ("pool-exhaustion", "")
    await connection.close()


async def test_calm_takes_the_worker_and_its_sessions_away(sandbox: BlockingSandbox, database: PostgresSource) -> None:
    sandbox.scenario("pool-exhaustion")
    await eventually(lambda: leaked(database), lambda pids: len(pids) >= 5)
    sandbox.scenario("calm")
    await eventually(lambda: leaked(database), lambda pids: pids == [])
    async with kubernetes(sandbox) as client:
        assert (await client.get(_DEPLOYMENT)).status_code == 404
