"""The sandbox as its users see it."""

import asyncio
import json
import os
import stat
import urllib.error
import urllib.request
from collections.abc import Callable

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.errors import SandboxError
from tui.sandbox.stack import START_S

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


def health(url: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 -- a loopback URL of the sandbox
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_it_says_how_long_the_start_took(
    sandbox: BlockingSandbox, record_property: Callable[[str, object], None]
) -> None:
    record_property("started_in_s", sandbox.started_in_s)
    print(f"up in {sandbox.started_in_s} s")  # noqa: T201 -- the measured figure, seen with -s
    assert 0 < sandbox.started_in_s < START_S


def test_the_folder_is_private(sandbox: BlockingSandbox) -> None:
    assert stat.S_IMODE(os.stat(sandbox.endpoints["base"]).st_mode) == 0o700


def test_servers_do_not_run_as_root(sandbox: BlockingSandbox) -> None:
    for pid in sandbox.pids.values():
        assert psutil.Process(pid).uids().real != 0


async def test_opstui_may_monitor_and_signal_but_is_no_superuser(sandbox: BlockingSandbox) -> None:
    connection = await asyncpg.connect(sandbox.endpoints["postgres"])
    row = await connection.fetchrow(
        "SELECT rolsuper, pg_has_role('pg_monitor', 'USAGE') AS monitor,"
        " pg_has_role('pg_signal_backend', 'USAGE') AS signal FROM pg_roles WHERE rolname = current_user"
    )
    await connection.close()
    assert row is not None
    assert dict(row) == {"rolsuper": False, "monitor": True, "signal": True}


async def test_slow_queries_can_be_seen(sandbox: BlockingSandbox) -> None:
    connection = await asyncpg.connect(sandbox.endpoints["postgres"])
    assert await connection.fetchval("SELECT count(*) FROM pg_stat_statements") > 0
    await connection.close()


async def test_redis_has_the_limit_of_64_megabytes(sandbox: BlockingSandbox) -> None:
    client = Redis.from_url(sandbox.endpoints["redis"], decode_responses=True)
    assert (await client.info("memory"))["maxmemory"] == 64 * 1024 * 1024
    await client.aclose()


async def test_a_component_changed_at_run_time_shows_in_its_service(sandbox: BlockingSandbox) -> None:
    url = sandbox.endpoints["service_orders"]
    sandbox.set_component("orders", "db", "DOWN")
    try:
        status, document = await asyncio.to_thread(health, url)
    finally:
        sandbox.set_component("orders", "db", "")
    assert (status, document["status"]) == (503, "DOWN")
    # The load may still be on its way back to a server that a test before this one had stopped.
    async with asyncio.timeout(20):
        while (await asyncio.to_thread(health, url))[0] != 200:
            await asyncio.sleep(0.1)


async def test_search_answers_200_while_its_body_says_degraded(sandbox: BlockingSandbox) -> None:
    status, document = await asyncio.to_thread(health, sandbox.endpoints["service_search"])
    assert (status, document["status"]) == (200, "degraded")


async def test_an_unknown_service_is_refused_by_name(sandbox: BlockingSandbox) -> None:
    with pytest.raises(SandboxError, match="no service 'odrers'"):
        sandbox.set_component("odrers", "db", "DOWN")
