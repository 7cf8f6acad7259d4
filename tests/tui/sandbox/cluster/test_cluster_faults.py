"""The simulated cluster misbehaves as it is told, and behaves again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import SHOP, Client

PODS = f"{SHOP}/pods"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster() as cluster:
        yield cluster


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    async with Client(cluster) as client:
        yield client


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("401", "Unauthorized"),
        ("403", "Forbidden"),
        ("409", "Conflict"),
        ("410", "Expired"),
        ("429", "TooManyRequests"),
        ("500", "InternalError"),
        ("503", "ServiceUnavailable"),
    ],
)
async def test_a_refusal_lasts_until_cleared(cluster: Cluster, client: Client, kind: str, reason: str) -> None:
    cluster.misbehave(kind, PODS, "list")
    answer = await client.get(PODS)
    assert (str(answer.status), answer.body["reason"]) == (kind, reason)
    assert (await client.get(f"{SHOP}/services")).status == 200
    cluster.clear()
    assert (await client.get(PODS)).status == 200


async def test_a_counted_fault_wears_off(cluster: Cluster, client: Client) -> None:
    cluster.misbehave("503", times=2)
    assert [(await client.get(PODS)).status for _ in range(3)] == [503, 503, 200]


async def test_too_many_requests_says_when_to_come_again(cluster: Cluster, client: Client) -> None:
    cluster.misbehave("429", retry_after_s=7)
    assert (await client.get(PODS)).headers["Retry-After"] == "7"


async def test_a_proxy_speaks_html(cluster: Cluster, client: Client) -> None:
    cluster.misbehave("html")
    answer = await client.get(PODS)
    assert (answer.status, answer.headers["Content-Type"]) == (502, "text/html")
    assert "Bad Gateway" in answer.body


async def test_a_slow_answer_comes_late(cluster: Cluster, client: Client) -> None:
    cluster.misbehave("slow", delay_s=0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await client.get(PODS)).status == 200
    assert loop.time() - began >= 0.2


async def test_a_silent_server_answers_once_it_is_cleared(cluster: Cluster, client: Client) -> None:
    cluster.misbehave("silent")
    task = asyncio.create_task(client.get(PODS))
    done, _ = await asyncio.wait([task], timeout=0.2)
    assert not done
    cluster.clear()
    assert (await task).status == 200


async def test_a_cut_connection_is_no_answer(cluster: Cluster, client: Client) -> None:
    cluster.misbehave("cut", verb="list")
    with pytest.raises(aiohttp.ClientError):
        await client.get(PODS)


async def test_a_restarted_server_has_the_same_address_and_objects(cluster: Cluster, client: Client) -> None:
    names = (await client.get(PODS)).names
    url = cluster.url
    await cluster.restart_server()
    assert cluster.url == url
    assert (await client.get(PODS)).names == names
