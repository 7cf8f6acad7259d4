"""What kubelets of the simulated cluster say through the API server: their cAdvisor metrics."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import SHOP, Client

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("cluster")]

PAGE = "/api/v1/nodes/node-1/proxy/metrics/cadvisor"
_PERIODS = re.compile(
    r'container_cpu_cfs_(throttled_)?periods_total\{.*namespace="shop",pod="(gateway-[^"]+)"\} (\d+) \d{13}'
)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


def counts(page: str) -> dict[str, int]:
    """Return what the gateway's pods counted: periods, and `throttled_` ones, by that word and the pod."""
    return {f"{word}{pod}": int(count) for word, pod, count in _PERIODS.findall(page)}


async def test_a_page_has_families_with_their_types_and_only_what_has_a_limit_is_throttled(cluster: Cluster) -> None:
    async with Client(cluster) as client:
        answer = await client.get(PAGE)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert "# TYPE container_cpu_cfs_periods_total counter\n" in answer.body
        assert 'namespace="shop",pod="api-' in answer.body
        limited = [line for line in answer.body.splitlines() if line.startswith("container_cpu_cfs_")]
        assert {re.search(r'pod="([a-z]+)-', line)[1] for line in limited} <= {"gateway", "search", "payments"}  # type: ignore[index]  # each has one
        assert cluster.kubelet_pages.asked == {"node-1": 1}


async def test_counters_only_grow_and_by_the_share_that_is_asked_for(cluster: Cluster) -> None:
    async with Client(cluster) as client:
        first = counts((await client.get(PAGE)).body)
        (pod,) = (name for name in first if not name.startswith("throttled_"))
        cluster.throttle("shop", "gateway", 0.25)
        later = first
        while later[pod] < first[pod] + 100:
            later = counts((await client.get(PAGE)).body)
        periods, held = later[pod] - first[pod], later[f"throttled_{pod}"] - first[f"throttled_{pod}"]
        assert held == pytest.approx(periods / 4, abs=3)
        cluster.throttle("shop", "gateway", None)
        assert counts((await client.get(PAGE)).body)[f"throttled_{pod}"] >= later[f"throttled_{pod}"], "never less"


async def test_a_look_inside_reads_the_same_account(cluster: Cluster) -> None:
    from tui.sandbox.cluster.containers import inside

    async with Client(cluster) as client:
        told = counts((await client.get(PAGE)).body)
        (name,) = (pod for pod in told if not pod.startswith("throttled_"))
        pod = next(p for p in cluster.pods("shop", "gateway") if p["metadata"]["name"] == name)
        files = inside(cluster.store, cluster.usage, pod, "app").files
        (stat,) = (text for path, text in files.items() if path.endswith("cpu.stat"))
        found = re.search(r"nr_periods (\d+)", stat)
        assert found is not None
        assert 0 <= int(found[1]) - told[name] < 2000


async def test_who_may_not_is_refused_and_a_kubelet_that_is_down_does_not_answer(cluster: Cluster) -> None:
    async with Client(cluster, "viewer") as viewer, Client(cluster, "shop-only") as other, Client(cluster) as admin:
        for client in (viewer, other):
            answer = await client.get(PAGE)
            assert answer.status == 403
            assert 'cannot get resource "nodes/proxy" in API group ""' in answer.message
        assert (await viewer.get(f"{SHOP}/pods")).status == 200
        assert (await admin.get("/api/v1/nodes/node-9/proxy/metrics/cadvisor")).status == 404
        assert (await admin.get("/api/v1/nodes/node-1/proxy/pods")).status == 404
        cluster.node_down("node-1")
        answer = await admin.get(PAGE)
        assert answer.status == 503
        assert "no route to host" in answer.message
        assert not cluster.kubelet_pages.asked
