"""Only what somebody needs is watched, and what was watched before is never taken for the present."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from profiles.systems import Kubernetes
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSnapshot, KubernetesSource
from tui.sources.kubernetes.demand import EVERYTHING, OF_METRICS, WORKLOADS, Demand

_API = "/apis/apps/v1/namespaces/shop/deployments/api"


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_before_anybody_has_said_what_they_need_everything_is() -> None:
    assert Demand().wanted == EVERYTHING


def test_what_the_last_one_needed_lasts_for_the_grace_time_and_no_longer() -> None:
    clock = _Clock()
    demand = Demand(clock)
    demand.need("one", ["pods", "nodes"])
    demand.need("other", ["pods"])
    assert demand.wanted == {"pods", "nodes"}, "the first to speak ends what nobody asked for, at once"
    demand.need("one", [])
    clock.now = demand.grace_s - 1
    assert demand.wanted == {"pods", "nodes"}
    clock.now = demand.grace_s
    assert demand.wanted == {"pods"}
    demand.need("other", [])
    clock.now += 1
    demand.need("other", ["pods"])
    clock.now += demand.grace_s
    assert demand.wanted == {"pods"}, "needed again is needed"


def test_use_outlasts_every_need_and_ends_by_itself() -> None:
    clock = _Clock()
    demand = Demand(clock)
    demand.need("one", [])
    demand.use(["events"])
    assert demand.wanted == {"events"}
    clock.now = demand.grace_s
    assert demand.wanted == frozenset()


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20, bookmark_s=0.1) as running:
        yield running


@pytest.fixture
async def source(cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesSource]:
    path = cluster.write_kubeconfig(tmp_path / "config")
    made = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={}, heartbeat_s=0.2)
    made.connection.reopen_s = 0.1
    yield made
    await made.close()


async def _until(source: KubernetesSource, holds: Callable[[KubernetesSnapshot], object]) -> KubernetesSnapshot:
    async with asyncio.timeout(30):
        while not holds(snapshot := await source.read()):
            pass
    return snapshot


async def _watched(source: KubernetesSource, cluster: Cluster, resources: set[str]) -> KubernetesSnapshot:
    """Read until the API server has exactly these watches open, one of each; bookmarks tell it who has left."""
    return await _until(source, lambda _: +cluster.server.watched == dict.fromkeys(resources, 1))


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
class TestWatches:
    """On the simulated cluster, by its own count of open watches."""

    @pytest.mark.parametrize("metric", OF_METRICS)
    async def test_a_number_is_counted_from_the_kinds_it_is_said_to_be_counted_from(
        self, cluster: Cluster, source: KubernetesSource, metric: str
    ) -> None:
        kinds = set(OF_METRICS[metric])
        source.need("a rule", kinds)
        await _watched(source, cluster, kinds)
        snapshot = await _until(source, lambda seen: seen.sees(*kinds))
        counted = {number.metric for number in snapshot.numbers() if not number.is_absent}
        of_what_is_bad = {"pod_restarts", "workload_pods_missing"}
        assert metric in counted | of_what_is_bad
        assert all(set(OF_METRICS[name]) <= kinds for name in counted)

    async def test_they_follow_the_need_and_come_and_go_with_it(
        self, cluster: Cluster, source: KubernetesSource
    ) -> None:
        source.demand.grace_s = 0.3
        source.need("the timeline", ["pods", "nodes"])
        await _watched(source, cluster, {"pods", "nodes"})
        source.need("the screen", ["pods", "replicasets"])
        await _watched(source, cluster, {"pods", "nodes", "replicasets"})
        source.need("the screen", [])
        await _watched(source, cluster, {"pods", "nodes"})
        source.need("the timeline", [])
        await _watched(source, cluster, set())
        assert (await source.read()).pods, "what was seen stays"

    async def test_nothing_needed_is_no_failure_and_no_all_clear(
        self, cluster: Cluster, source: KubernetesSource
    ) -> None:
        source.need("nobody", [])
        snapshot = await source.read()
        assert cluster.server.watchers == 0
        assert snapshot.notes == ()
        assert all(number.is_absent for number in snapshot.numbers())
        assert not snapshot.sees("pods")

    async def test_rows_from_before_are_there_at_once_and_told_by_their_age_until_a_fresh_list_came(
        self, cluster: Cluster, source: KubernetesSource
    ) -> None:
        source.demand.grace_s = 0.0
        before = await source.read()
        assert before.kept_from("pods") is None
        source.need("a rule", ["nodes"])
        snapshot = await _watched(source, cluster, {"nodes"})
        assert snapshot.kept_from("pods") is not None
        assert snapshot.pods.keys() == before.pods.keys()
        assert all(number.is_absent for number in snapshot.numbers() if OF_METRICS[number.metric] == ("pods",))
        body = {"spec": {"replicas": 1}}
        patched = await source.connection.call("PATCH", _API, body=body, content_type="application/merge-patch+json")
        assert patched.is_ok
        cluster.server.faults.add(held := Fault(FaultKind.SLOW, "/api/v1/pods", "watch", delay_s=60))
        source.need("the screen", ["pods"])
        snapshot = await source.read()
        assert snapshot.pods.keys() == before.pods.keys(), "from before, as the list has not come yet"
        assert snapshot.kept_from("pods") is not None
        assert "pods: loading" in snapshot.notes
        assert not snapshot.sees("pods")
        held.released.set()
        cluster.server.faults.clear()
        await _until(source, lambda seen: seen.kept_from("pods") is None and seen.sees("pods"))
        await _until(source, lambda seen: sum(pod.labels.get("app") == "api" for pod in seen.pods.values()) == 1)

    async def test_what_is_needed_in_a_hurry_is_at_hand_and_whole(
        self, cluster: Cluster, source: KubernetesSource
    ) -> None:
        source.need("the timeline", ["pods"])
        await _watched(source, cluster, {"pods"})
        assert not source.mirror.replica_sets.facts
        await source.at_hand("replicasets", *WORKLOADS)
        assert source.mirrors("replicasets", "shop")
        assert any(
            one.owner is not None and one.owner.name == "api" for one in source.mirror.replica_sets.facts.values()
        )
        await _watched(source, cluster, {"pods", "replicasets", *WORKLOADS})

    async def test_another_clusters_rows_are_not_kept(self, cluster: Cluster, tmp_path: Path) -> None:
        path = tmp_path / "kubeconfig"
        source = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={}, heartbeat_s=0.2)
        source.connection.reopen_s, source.demand.grace_s = 0.1, 0.0
        try:
            async with Cluster(seed=1, bookmark_s=0.1) as old:
                old.write_kubeconfig(path)
                await source.read()
                source.need("a rule", ["nodes"])
                assert (await _watched(source, old, {"nodes"})).pods
            cluster.write_kubeconfig(path)

            async def seen() -> KubernetesSnapshot | None:
                try:
                    return await source.read()
                except SourceError:
                    return None

            async with asyncio.timeout(30):
                while (snapshot := await seen()) is None or snapshot.pods:
                    pass
            assert snapshot.kept_from("pods") is None
        finally:
            await source.close()
