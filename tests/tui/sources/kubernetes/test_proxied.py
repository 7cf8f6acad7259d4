"""A workload's pods asked for their health by the API server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from profiles.systems import Kubernetes
from tui.sandbox.cluster import Cluster
from tui.sources.errors import Denied, Unreachable
from tui.sources.health import State
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.proxied import ask_pods

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]
WORKLOAD = "payments/deployment/payments"


def healthy(app: str) -> tuple[int, dict[str, Any]] | None:
    return (200, {"status": "UP"}) if app == "payments" else None


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    cluster = Cluster(tls=True)
    await cluster.start()
    cluster.proxy.health = healthy
    yield cluster
    await cluster.stop()


async def reading(cluster: Cluster, folder: Path, user: str = "admin") -> KubernetesSource:
    file = cluster.write_kubeconfig(folder / "config", user)
    source = KubernetesSource(Kubernetes(kubeconfig=str(file)))
    async with asyncio.timeout(20):
        while not await _sees_owners(source):
            pass
    return source


async def _sees_owners(source: KubernetesSource) -> bool:
    try:
        return (await source.read()).sees("pods", "replicasets")
    except Unreachable:  # a machine so busy that a heartbeat was late: opstui itself would read again, too
        return False


async def test_each_pod_answers_for_itself(cluster: Cluster, tmp_path: Path) -> None:
    source = await reading(cluster, tmp_path)
    try:
        pods = await ask_pods(source, WORKLOAD, "8080/health", 5)
        assert [(pod.state, pod.status_code) for pod in pods] == [(State.OK, 200)] * 3
        assert pods[0].pod.startswith("payments-")
        cluster.wedge("payments", "payments")
        assert {(pod.state, pod.status_code) for pod in await ask_pods(source, WORKLOAD, "8080/health", 5)} == {
            (State.DOWN, 503)
        }
    finally:
        await source.close()


async def test_a_port_where_nothing_listens_is_told_in_the_servers_words(cluster: Cluster, tmp_path: Path) -> None:
    source = await reading(cluster, tmp_path)
    try:
        pods = await ask_pods(source, WORKLOAD, "9999/health", 5)
        assert {pod.status_code for pod in pods} == {None}
        assert all("connect: connection refused" in pod.reason for pod in pods)
        assert await ask_pods(source, "shop/deployment/none", "8080", 5) == []
    finally:
        await source.close()


async def test_who_may_not_is_told_what_to_ask_for(cluster: Cluster, tmp_path: Path) -> None:
    source = await reading(cluster, tmp_path, "viewer")
    try:
        with pytest.raises(Denied, match="grant get on pods/proxy in payments"):
            await ask_pods(source, WORKLOAD, "8080/health", 5)
    finally:
        await source.close()
