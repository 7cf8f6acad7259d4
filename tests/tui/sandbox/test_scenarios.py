"""Scenarios do what they say, asked from outside."""

import asyncio
import base64
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import yaml
from redis.asyncio import Redis

from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.errors import SandboxError
from tui.sandbox.scenarios.hostile import TEXT
from tui.sandbox.scenarios.lock_pileup import ACTIVE_ROOT, IDLE_ROOT, WAITERS

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

_WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
_LEFT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = ANY ($1) OR wait_event_type = 'Lock'"
_WAITERS_BELOW = """
WITH RECURSIVE waiters AS (
    SELECT pid FROM pg_stat_activity WHERE application_name = $1
    UNION
    SELECT a.pid FROM pg_stat_activity a JOIN waiters w ON w.pid = ANY (pg_blocking_pids(a.pid))
) SELECT count(*) - 1 FROM waiters
"""


async def eventually(asked: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], within_s: float = 20) -> Any:
    """Ask again and again until the answer is as wanted; fail with the last answer."""
    deadline = time.monotonic() + within_s
    while not wanted(answer := await asked()):
        assert time.monotonic() < deadline, f"still {answer!r} after {within_s} s"
        await asyncio.sleep(0.05)
    return answer


@pytest.fixture
async def session(sandbox: BlockingSandbox) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(sandbox.endpoints["postgres"])
    yield connection
    await connection.close()


@pytest.fixture
async def cache(sandbox: BlockingSandbox) -> AsyncIterator[Redis]:
    client = Redis.from_url(sandbox.endpoints["redis"], decode_responses=True)
    yield client
    await client.aclose()


async def pile_up(sandbox: BlockingSandbox, session: "asyncpg.Connection[asyncpg.Record]") -> None:
    sandbox.scenario("lock-pileup")
    await eventually(lambda: session.fetchval(_WAITERS_BELOW, IDLE_ROOT), lambda count: count == WAITERS[0])
    await eventually(lambda: session.fetchval(_WAITERS_BELOW, ACTIVE_ROOT), lambda count: count == WAITERS[1])


async def test_terminating_the_idle_root_frees_its_tree(
    sandbox: BlockingSandbox, session: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await pile_up(sandbox, session)
    root = await session.fetchrow("SELECT pid, state FROM pg_stat_activity WHERE application_name = $1", IDLE_ROOT)
    assert root is not None
    assert root["state"] == "idle in transaction"
    await session.fetchval("SELECT pg_cancel_backend($1)", root["pid"])
    assert await session.fetchval(_WAITERS_BELOW, IDLE_ROOT) == WAITERS[0]
    await session.fetchval("SELECT pg_terminate_backend($1)", root["pid"])
    await eventually(lambda: session.fetchval(_WAITERS), lambda waiting: waiting == WAITERS[1])


async def test_cancelling_the_active_root_frees_its_tree(
    sandbox: BlockingSandbox, session: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await pile_up(sandbox, session)
    await session.fetchval(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = $1", ACTIVE_ROOT
    )
    await eventually(lambda: session.fetchval(_WAITERS), lambda waiting: waiting == WAITERS[0])


async def test_calm_ends_the_pile_up_and_its_sessions(
    sandbox: BlockingSandbox, session: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await pile_up(sandbox, session)
    sandbox.scenario("calm")
    await eventually(lambda: session.fetchval(_LEFT, [IDLE_ROOT, ACTIVE_ROOT]), lambda count: count == 0)
    assert sandbox.running == "calm"


async def test_a_pile_up_that_ends_while_postgres_hangs_leaves_no_session(
    sandbox: BlockingSandbox, session: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await pile_up(sandbox, session)
    with sandbox.frozen("postgres"):
        sandbox.scenario("calm")
    await eventually(lambda: session.fetchval(_LEFT, [IDLE_ROOT, ACTIVE_ROOT]), lambda count: count == 0)


async def test_a_scenario_ends_by_itself(sandbox: BlockingSandbox) -> None:
    async def running() -> str:
        return sandbox.running

    sandbox.scenario("lock-pileup", duration_s=0.5)
    assert sandbox.running == "lock-pileup"
    await eventually(running, lambda name: name == "calm")


async def test_redis_full_reaches_the_limit_evicts_and_cleans_up(sandbox: BlockingSandbox, cache: Redis) -> None:
    before = (await cache.info("stats"))["evicted_keys"]

    async def evicted() -> int:
        return int((await cache.info("stats"))["evicted_keys"]) - int(before)

    async def exports() -> list[str]:
        return [key async for key in cache.scan_iter(match="export:*", count=1000)]

    sandbox.scenario("redis-full")
    await eventually(evicted, lambda count: count > 0, within_s=40)
    sandbox.scenario("calm")
    await eventually(exports, lambda keys: keys == [])


async def test_error_burst_takes_payments_down_and_back(sandbox: BlockingSandbox) -> None:
    log = Path(sandbox.endpoints["logs"]) / "payments.log"
    async with httpx.AsyncClient(trust_env=False) as client:

        async def health() -> int:
            return (await client.get(sandbox.endpoints["service_payments"])).status_code

        async def errors() -> int:
            return (await asyncio.to_thread(log.read_text)).count('"level":"ERROR"')

        before = await errors()
        sandbox.scenario("error-burst")
        await eventually(health, lambda status: status == 503)
        await eventually(errors, lambda count: count > before + 20)
        sandbox.scenario("calm")
        await eventually(health, lambda status: status == 200)


@contextlib.asynccontextmanager
async def kubernetes(sandbox: BlockingSandbox) -> AsyncIterator[httpx.AsyncClient]:
    config = yaml.safe_load(await asyncio.to_thread(Path(sandbox.endpoints["kubeconfig"]).read_text))
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    cluster = config["clusters"][0]["cluster"]
    trusted = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    async with httpx.AsyncClient(
        base_url=cluster["server"], headers=headers, verify=trusted, trust_env=False
    ) as client:
        yield client


async def test_crash_loop_breaks_a_release_of_the_api_and_brings_the_old_one_back(sandbox: BlockingSandbox) -> None:
    async with kubernetes(sandbox) as client:

        async def reasons() -> set[str]:
            pods = (await client.get("/api/v1/namespaces/shop/pods", params={"labelSelector": "app=api"})).json()
            statuses = [status for pod in pods["items"] for status in pod["status"].get("containerStatuses", ())]
            return {status["state"].get("waiting", {}).get("reason", "ready") for status in statuses}

        async def image() -> str:
            found = (await client.get("/apis/apps/v1/namespaces/shop/deployments/api")).json()
            return str(found["spec"]["template"]["spec"]["containers"][0]["image"])

        good = await image()
        sandbox.scenario("crash-loop")
        assert await image() != good
        await eventually(reasons, lambda found: "CrashLoopBackOff" in found, within_s=30)
        sandbox.scenario("calm")
        await eventually(image, lambda now: now == good)
        await eventually(reasons, lambda found: found == {"ready"}, within_s=30)


async def test_hostile_text_is_in_queries_pods_keys_logs_and_health(
    sandbox: BlockingSandbox, session: "asyncpg.Connection[asyncpg.Record]", cache: Redis
) -> None:
    sandbox.scenario("hostile")
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%' || $1 || '%' AND state = 'active'"
    await eventually(lambda: session.fetchval(query, TEXT), lambda count: count >= 1)
    await eventually(lambda: cache.exists(f"hostile:{TEXT}"), lambda count: count == 1)
    log = Path(sandbox.endpoints["logs"]) / "search.log"
    await eventually(lambda: asyncio.to_thread(log.read_text), lambda text: TEXT in text)
    async with httpx.AsyncClient(trust_env=False) as client:
        document = (await client.get(sandbox.endpoints["service_api"])).json()
    assert TEXT in document["components"]
    async with kubernetes(sandbox) as client:
        pod = (await client.get("/api/v1/namespaces/shop/pods/hostile")).json()
    assert pod["status"]["reason"] == TEXT


async def test_an_unknown_scenario_is_refused_with_the_names_there_are(sandbox: BlockingSandbox) -> None:
    with pytest.raises(SandboxError, match="lock-pileup"):
        sandbox.scenario("lock-pile")


async def test_the_load_comes_back_after_its_sessions_were_killed(
    sandbox: BlockingSandbox, session: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    killed = await session.fetch("SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    pids = [row["pid"] for row in killed]
    anew = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND pid <> ALL ($1::int[])"
    await eventually(lambda: session.fetchval(anew, pids), lambda count: count >= 3)


async def test_the_load_comes_back_after_postgres_was_stopped_and_continued(
    sandbox: BlockingSandbox, session: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    with sandbox.frozen("postgres"), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await asyncpg.connect(sandbox.endpoints["postgres_admin"])
    active = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state_change > $1"
    since = await session.fetchval("SELECT clock_timestamp()")
    await eventually(lambda: session.fetchval(active, since), lambda count: count >= 2)


async def test_a_stopped_postgres_shows_in_the_health_of_its_services(sandbox: BlockingSandbox) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:

        async def database() -> str:
            document = (await client.get(sandbox.endpoints["service_api"])).json()
            return str(document["components"]["db"]["status"])

        with sandbox.stopped("postgres"):
            await eventually(database, lambda status: status == "DOWN")
        await eventually(database, lambda status: status == "UP")


async def test_the_load_comes_back_after_redis_was_stopped_and_continued(
    sandbox: BlockingSandbox, cache: Redis
) -> None:
    async def reads() -> int:
        stats = await cache.info("stats")
        return int(stats["keyspace_hits"]) + int(stats["keyspace_misses"])

    with sandbox.frozen("redis"), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await cache.ping()
    await cache.connection_pool.disconnect()
    before = await reads()
    await eventually(reads, lambda now: now > before)
