"""Logs of simulated pods: computed, never kept, yet always the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import SHOP, Client
from tui.sandbox.cluster.clock import parse_time, stamp
from tui.sandbox.cluster.loglines import KEPT, Run
from tui.sandbox.cluster.resources import PODS

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as cluster:
        yield cluster


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    async with Client(cluster) as client:
        yield client


def log(cluster: Cluster, app: str, query: str = "", namespace: str = "shop") -> str:
    running = (pod for pod in cluster.pods(namespace, app) if pod["status"]["phase"] == "Running")
    name = next(running)["metadata"]["name"]
    return f"/api/v1/namespaces/{namespace}/pods/{name}/log?{query}"


async def test_the_tail_is_the_end_of_the_whole(cluster: Cluster, client: Client) -> None:
    cluster.logs.rates["shop", "gateway"] = 0.01
    whole = (await client.get(log(cluster, "gateway", "timestamps=true"))).body.splitlines()
    tail = (await client.get(log(cluster, "gateway", "timestamps=true&tailLines=5"))).body.splitlines()
    assert tail == whole[-5:]
    moments = [parse_time(line.partition(" ")[0][:26] + "Z") for line in whole]
    assert moments == sorted(moments, key=lambda m: m or NOW)
    assert json.loads(tail[0].partition(" ")[2])["app"] == "gateway"


async def test_since_leaves_out_what_is_older(cluster: Cluster, client: Client) -> None:
    since = cluster.clock.now() - timedelta(seconds=60)
    body = (await client.get(log(cluster, "search", f"timestamps=true&sinceTime={stamp(since)}"))).body
    assert 20 <= len(body.splitlines()) <= 35
    assert body.splitlines()[0] >= stamp(since)[:19]


async def test_a_followed_log_goes_on_and_ends_with_its_pod(cluster: Cluster, client: Client) -> None:
    cluster.logs.rates["shop", "orders"] = 50.0
    path = log(cluster, "orders", "follow=true&tailLines=1&timestamps=true")
    seen: list[str] = []
    async with asyncio.timeout(30), aclosing(client.lines(path)) as lines:
        async for line in lines:
            seen.append(line)
            if len(seen) == 20:
                name = path.split("/")[-2]
                await client.ask("DELETE", f"{SHOP}/pods/{name}")
    assert len(seen) >= 20
    assert len(set(seen)) == len(seen)


async def test_the_last_run_of_a_crashed_container_can_be_read(cluster: Cluster, client: Client) -> None:
    cluster.crash_loop("shop", "orders", how="in-place")
    path = log(cluster, "orders", "previous=true")
    assert (await client.get(path)).status == 400
    name = path.split("/")[-2]

    def has_restarted() -> bool:
        return bool(cluster.store.get(PODS, "shop", name)["status"]["containerStatuses"][0]["restartCount"])

    await cluster.until(has_restarted)
    lines = (await client.get(path)).body.splitlines()
    assert "cannot reach database" in lines[-2]


async def test_with_two_containers_one_must_be_named(cluster: Cluster, client: Client) -> None:
    refused = await client.get(log(cluster, "payments", namespace="payments"))
    assert refused.status == 400
    assert refused.message.endswith("choose one of: [app proxy]")
    assert (await client.get(log(cluster, "payments", "container=proxy", "payments"))).status == 200
    assert (await client.get(log(cluster, "payments", "container=none", "payments"))).status == 400


def run(**more: float) -> Run:
    return Run("gateway", "app", "seed", NOW - timedelta(days=80), per_s=more.get("per_s", 2.0))


def test_a_line_is_the_same_whenever_it_is_read() -> None:
    early = dict(run().lines(NOW, tail=50))
    late = dict(run().lines(NOW + timedelta(seconds=5), tail=200))
    assert early.items() <= late.items()


def test_old_lines_are_rotated_away() -> None:
    assert len(list(run().lines(NOW))) == KEPT


def test_the_next_line_is_the_one_that_comes_next() -> None:
    following = run().next_moment(NOW)
    assert [m for m, _ in run().lines(following, since=NOW) if m > NOW] == [following]
