"""The life of simulated pods, seen through kubectl's own columns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.kubelet import back_off_s
from tui.sandbox.cluster.pod_cells import pod_cells
from tui.sandbox.cluster.resources import EVENTS, NODES, PODS
from tui.sandbox.cluster.shapes import BEHAVIOUR


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(demo=False, speed=50) as cluster:
        yield cluster


def start(cluster: Cluster, behaviour: str, **spec: Any) -> None:
    container = {"name": "app", "image": "registry.example/p:1.0.0"}
    probed = container | {"readinessProbe": {"httpGet": {"path": "/", "port": 80}}}
    cluster.store.insert(
        PODS,
        {
            "metadata": {
                "name": "p",
                "namespace": "shop",
                "labels": {"app": "p"},
                "annotations": {BEHAVIOUR: behaviour},
            },
            "spec": {"containers": [probed], "restartPolicy": "Always", **spec},
            "status": {"phase": "Pending"},
        },
    )


class Seen:
    """Every READY and STATUS that a pod passed through."""

    def __init__(self, cluster: Cluster) -> None:
        self.cells: list[tuple[str, str]] = []
        self.restarts = 0
        self._cluster = cluster
        cluster.store.listen(PODS, lambda change: self._see(change.entry.thing))

    def _see(self, pod: dict[str, Any]) -> None:
        _, ready, status, restarts, *_ = pod_cells(pod, self._cluster.clock.now())
        self.restarts = int(restarts.split()[0])
        if (ready, status) not in self.cells[-1:]:
            self.cells.append((ready, status))


def reasons(cluster: Cluster) -> list[str]:
    events = sorted(cluster.store.things(EVENTS, "shop"), key=lambda e: int(e["metadata"]["resourceVersion"]))
    return [e["reason"] for e in events]


async def test_a_healthy_pod_comes_up_and_says_so_in_events(cluster: Cluster) -> None:
    seen = Seen(cluster)
    start(cluster, "healthy")
    await cluster.until(lambda: ("1/1", "Running") in seen.cells)
    assert seen.cells == [("0/1", "Pending"), ("0/1", "ContainerCreating"), ("0/1", "Running"), ("1/1", "Running")]
    assert reasons(cluster) == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]


async def test_init_containers_come_first(cluster: Cluster) -> None:
    seen = Seen(cluster)
    inits = [{"name": "one", "image": "i:1"}, {"name": "two", "image": "i:1"}]
    start(cluster, "healthy", initContainers=inits)
    await cluster.until(lambda: ("1/1", "Running") in seen.cells)
    words = [status for _, status in seen.cells]
    assert words[1:4] == ["Init:0/2", "Init:1/2", "PodInitializing"]


@pytest.mark.parametrize(
    ("behaviour", "path"),
    [
        ("crash-loop", ["Running", "Error", "CrashLoopBackOff", "Running"]),
        ("oom", ["Running", "OOMKilled", "CrashLoopBackOff", "Running"]),
        ("image-pull", ["ErrImagePull", "ImagePullBackOff", "ErrImagePull"]),
        ("config-error", ["CreateContainerConfigError"]),
        ("unready", ["Running"]),
        ("pending", ["Pending"]),
    ],
)
async def test_troubled_pods_pass_through_the_words_of_their_trouble(
    cluster: Cluster, behaviour: str, path: list[str]
) -> None:
    seen = Seen(cluster)
    start(cluster, behaviour)

    def has_passed() -> bool:
        words = iter(status for _, status in seen.cells)
        return all(word in words for word in path)

    await cluster.until(has_passed)
    if behaviour in ("crash-loop", "oom"):
        assert seen.restarts >= 1
    if behaviour == "unready":
        await cluster.until(lambda: "Unhealthy" in reasons(cluster))
        assert ("1/1", "Running") not in seen.cells
    if behaviour == "pending":
        await cluster.until(lambda: "FailedScheduling" in reasons(cluster))


async def test_a_pod_that_may_end_completes(cluster: Cluster) -> None:
    seen = Seen(cluster)
    start(cluster, "completes", restartPolicy="Never")
    await cluster.until(lambda: ("0/1", "Completed") in seen.cells)


async def test_events_that_repeat_count_up(cluster: Cluster) -> None:
    start(cluster, "unready")
    await cluster.until(lambda: any(e.get("count", 0) >= 3 for e in cluster.store.things(EVENTS, "shop")))
    assert reasons(cluster).count("Unhealthy") == 1


async def test_a_stubborn_pod_lasts_as_long_as_its_grace(cluster: Cluster) -> None:
    seen = Seen(cluster)
    start(cluster, "stubborn", terminationGracePeriodSeconds=20)
    await cluster.until(lambda: ("1/1", "Running") in seen.cells)
    began = cluster.clock.now()
    cluster.store.modify(
        PODS,
        "shop",
        "p",
        lambda p: p["metadata"].update(deletionTimestamp=cluster.clock.stamp(), deletionGracePeriodSeconds=20),
    )
    await cluster.until(lambda: cluster.store.find(PODS, "shop", "p") is None)
    assert (cluster.clock.now() - began).total_seconds() * cluster.clock.speed >= 20
    assert ("1/1", "Terminating") in seen.cells


async def test_a_pod_whose_status_somebody_wrote_is_left_alone(cluster: Cluster) -> None:
    status = {"phase": "Failed", "reason": "Evicted"}
    spec = {"containers": [{"name": "app"}]}
    cluster.store.insert(PODS, {"metadata": {"name": "q", "namespace": "shop"}, "spec": spec, "status": status})
    seen = Seen(cluster)
    start(cluster, "healthy")
    await cluster.until(lambda: ("1/1", "Running") in seen.cells)
    assert cluster.store.get(PODS, "shop", "q")["status"] == status


async def test_a_cordoned_cluster_schedules_when_a_node_opens(cluster: Cluster) -> None:
    for node in list(cluster.store.things(NODES)):
        name = node["metadata"]["name"]
        cluster.store.modify(NODES, "", name, lambda copy: copy["spec"].update(unschedulable=True))
    start(cluster, "healthy")
    await cluster.until(lambda: "FailedScheduling" in reasons(cluster))
    cluster.store.modify(NODES, "", "node-2", lambda copy: copy["spec"].pop("unschedulable"))
    await cluster.until(lambda: cluster.store.get(PODS, "shop", "p")["spec"].get("nodeName") == "node-2")


async def test_a_silent_node_is_not_ready_and_its_pods_neither() -> None:
    async with Cluster(speed=200) as cluster:
        cluster.node_down("node-3")
        pod = next(p for p in cluster.store.things(PODS, "shop") if p["spec"]["nodeName"] == "node-3")
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        assert pod_cells(pod, cluster.clock.now())[2] == "Running"
        await cluster.until(lambda: "deletionTimestamp" in cluster.store.get(PODS, *key)["metadata"])
        cluster.node_up("node-3")
        await cluster.until(lambda: cluster.store.find(PODS, *key) is None)


def test_the_back_off_doubles_up_to_five_minutes() -> None:
    assert [back_off_s(n) for n in range(7)] == [10, 20, 40, 80, 160, 300, 300]
