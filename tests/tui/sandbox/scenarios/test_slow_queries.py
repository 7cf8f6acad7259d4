"""Runaway reports are seen and slow the services down, until they are cancelled or terminated."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from profiles.systems import Database, Service
from tests.tui.sandbox.scenarios.play import eventually
from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.scenarios.slow_queries import REPORT, RUNAWAYS
from tui.sources.http import HttpSource
from tui.sources.postgres.facts import Session
from tui.sources.postgres.source import PostgresSource

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

_RUNAWAY = "FROM customers c, orders o, order_items i"


@pytest.fixture
async def database(sandbox: BlockingSandbox) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("shop", Database(dsn=sandbox.endpoints["postgres"]))
    yield source
    await source.close()


async def reports(database: PostgresSource) -> list[Session]:
    """Return the sessions of the report, the runaways first."""
    found = [session for session in (await database.read()).sessions if session.application == REPORT]
    return sorted(found, key=lambda session: _RUNAWAY not in session.query)


def are_running(sessions: list[Session]) -> bool:
    runaways = [session for session in sessions if session.is_active and _RUNAWAY in session.query]
    return len(runaways) == RUNAWAYS


async def act(sandbox: BlockingSandbox, function: str, pid: int) -> None:
    connection = await asyncpg.connect(sandbox.endpoints["postgres"])
    await connection.execute(f"SELECT {function}({pid})")
    await connection.close()


async def test_cancelling_or_terminating_every_runaway_ends_it(
    sandbox: BlockingSandbox, database: PostgresSource
) -> None:
    services = [HttpSource(name, Service(url=sandbox.endpoints[f"service_{name}"])) for name in ("orders", "api")]

    async def latencies() -> list[float]:
        return [(await service.read()).latency_ms or 0.0 for service in services]

    async def running() -> str:
        return sandbox.running

    async def pages() -> int:
        connection = await asyncpg.connect(sandbox.endpoints["postgres"])
        calls = await connection.fetchval(
            "SELECT coalesce(sum(calls), 0)::int FROM pg_stat_statements"
            " WHERE query LIKE '%AS payments%FROM orders o WHERE o.placed_at%'"
        )
        await connection.close()
        return int(calls)

    sandbox.scenario("slow-queries")
    first, second, *_ = await eventually(lambda: reports(database), are_running)
    await latencies()  # a source's first answer holds its own start
    assert min(await latencies()) > 100
    await eventually(pages, bool)
    await act(sandbox, "pg_cancel_backend", first.pid)
    await eventually(lambda: reports(database), lambda left: first.pid not in {session.pid for session in left})
    assert sandbox.running == "slow-queries"
    await act(sandbox, "pg_terminate_backend", second.pid)
    await eventually(running, lambda name: name == "calm")
    assert sandbox.failure == ""
    await eventually(lambda: reports(database), lambda left: not left)
    await eventually(latencies, lambda found: max(found) < 100)
    for service in services:
        await service.close()


async def test_calm_ends_the_reports(sandbox: BlockingSandbox, database: PostgresSource) -> None:
    sandbox.scenario("slow-queries")
    await eventually(lambda: reports(database), are_running)
    sandbox.scenario("calm")
    await eventually(lambda: reports(database), lambda left: left == [])
