"""Many pods, many changes, and the calm that costs nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import Client
from tui.sandbox.cluster.resources import DEPLOYMENTS, PODS


async def test_bulk_pods_are_running_big_and_stay_as_they_are() -> None:
    async with Cluster(demo=False, speed=100) as cluster:
        await cluster.populate(pods=240)
        pods = cluster.store.entries(PODS)
        assert len(pods) == 240
        assert all(2_000 < len(entry.encoded) < 8_000 for entry in pods)
        versions = [entry.version for entry in pods]
        service = cluster.store.entries(DEPLOYMENTS)[0].key
        await cluster.settled(*service)
        async with Client(cluster) as client:
            assert len((await client.get("/api/v1/pods?labelSelector=app%3Dservice-009")).names) == 15
        assert [entry.version for entry in cluster.store.entries(PODS)] == versions


async def test_churn_changes_so_many_pods_a_second() -> None:
    async with Cluster(demo=False) as cluster, Client(cluster) as client:
        await cluster.populate(pods=50)
        path = f"/api/v1/pods?watch=true&resourceVersion={cluster.store.version}"
        churn = cluster.churn(200)
        seen = 0
        async with asyncio.timeout(30), aclosing(client.events(path)) as events:
            async for event in events:
                assert event["type"] == "MODIFIED"
                seen += 1
                if seen == 100:
                    break
        await churn.stop()
        made = churn.changes
        await asyncio.sleep(0)
        assert made == churn.changes >= 100


async def test_the_calm_demo_changes_next_to_nothing() -> None:
    async with Cluster() as cluster:
        before = cluster.store.version
        async with Client(cluster) as client:
            for _ in range(20):
                await client.get("/apis/metrics.k8s.io/v1beta1/pods")
        assert cluster.store.version - before <= 10


async def test_the_same_seed_makes_the_same_names() -> None:
    names = []
    for _ in range(2):
        async with Cluster(seed=7) as cluster:
            names.append([e.key for e in cluster.store.entries(PODS) if "report" not in e.key[1]])
    assert names[0] == names[1]


@pytest.mark.live
@pytest.mark.xdist_group("cluster")
async def test_it_runs_alone_until_it_is_told_to_stop(tmp_path: Path) -> None:
    config = tmp_path / "config"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui.sandbox.cluster", "--kubeconfig", str(config), "--pods", "25", "--churn", "5",
        stdout=asyncio.subprocess.PIPE, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[4])},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert (await process.stdout.readline()).startswith(b"https://127.0.0.1:")
    assert "current-context: sandbox" in config.read_text()
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(30):
        assert await process.wait() == 0
