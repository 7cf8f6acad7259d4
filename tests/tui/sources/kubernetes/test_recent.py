"""What changed of late: told by the objects themselves, to who has just come."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from profiles.systems import Kubernetes
from tui.sandbox.cluster.cluster import Cluster
from tui.sources.kubernetes import KubernetesSnapshot, KubernetesSource
from tui.sources.kubernetes.pods import Health
from tui.sources.kubernetes.recent import Change, images_words, parse_config, read_configs, recent
from tui.sources.kubernetes.workloads import parse_workload

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_API = "/apis/apps/v1/namespaces/shop/deployments/api"
_MERGE, _STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


@pytest.fixture
async def source(cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesSource]:
    path = cluster.write_kubeconfig(tmp_path / "config")
    made = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={})
    yield made
    await made.close()


async def _changes(source: KubernetesSource, holds: Callable[[tuple[Change, ...]], bool]) -> tuple[Change, ...]:
    since = time.time() - 900
    async with asyncio.timeout(30):
        while not holds(found := recent(await source.read(), since)):
            pass
    return found


async def _patch(source: KubernetesSource, path: str, body: object, form: str = _MERGE) -> None:
    answer = await source.connection.call("PATCH", path, body=body, content_type=form)
    assert answer.is_ok, answer.message


def _of(found: tuple[Change, ...], what: str) -> list[Change]:
    return [change for change in found if change.what == what]


async def test_a_settled_cluster_tells_of_nothing(source: KubernetesSource) -> None:
    assert recent(await source.read(), time.time() - 900) == ()


async def test_a_rollout_names_the_image_before_and_after(source: KubernetesSource) -> None:
    await source.read()
    image = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "registry.example/shop/api:3"}]}}}}
    await _patch(source, _API, image, _STRATEGIC)
    found = await _changes(source, lambda found: bool(_of(found, "rollout")))
    (rollout,) = _of(found, "rollout")
    assert rollout.about == "deployment/shop/api"
    assert rollout.words == ("revision 13: app 3 (was 2.14.0) of registry.example/shop/api")
    assert not _of(found, "scale"), "what a rollout scales is part of it"


async def test_a_stateful_sets_rollout_is_known_by_its_revision(source: KubernetesSource) -> None:
    await source.read()
    since = time.time() - 900
    assert (await read_configs(source.connection, (), since)).changes == ()
    restart = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
    await _patch(source, "/apis/apps/v1/namespaces/shop/statefulsets/queue", restart, _STRATEGIC)
    async with asyncio.timeout(30):
        while not (found := (await read_configs(source.connection, (), since)).changes):
            await asyncio.sleep(0.05)
    assert [(change.what, change.about) for change in found] == [("rollout", "statefulset/shop/queue")]


async def test_scaling_is_told_without_a_rollout(source: KubernetesSource) -> None:
    await source.read()
    await _patch(source, _API, {"spec": {"replicas": 6}})
    found = await _changes(source, lambda found: bool(_of(found, "scale")))
    assert _of(found, "scale")[0].about == "deployment/shop/api"
    assert "from 4 to 6" in _of(found, "scale")[0].words


async def test_an_oom_kill_is_known_from_the_last_state(cluster: Cluster, source: KubernetesSource) -> None:
    await source.read()
    cluster.behaviours.set("shop", "api", "oom")
    await _patch(source, _API, {"spec": {"replicas": 5}})
    found = await _changes(source, lambda found: bool(_of(found, "OOM kill")))
    kill = _of(found, "OOM kill")[0]
    assert kill.about.startswith("pod/shop/api-")
    assert kill.is_bad
    assert kill.words.startswith("OOMKilled")


async def test_a_node_that_fell_silent_is_news_without_an_event_and_its_pods_serve_nobody(
    cluster: Cluster, source: KubernetesSource
) -> None:
    before = await source.read()
    cluster.node_down("node-2")
    found = await _changes(source, lambda found: bool(_of(found, "node")))
    (change,) = _of(found, "node")
    assert (change.about, change.words, change.is_bad) == ("node/node-2", "NotReady", True)
    on_it = {pod.uid for pod in before.pods.values() if pod.node == "node-2" and pod.health is Health.FINE}
    assert on_it
    async with asyncio.timeout(15):
        while not all(pod.health is not Health.FINE for pod in (await source.read()).pods.values() if pod.uid in on_it):
            pass
    pods = [pod for pod in (await source.read()).pods.values() if pod.uid in on_it and pod.status == "Running"]
    assert all(pod.is_held_back for pod in pods)
    cluster.node_up("node-2")
    found = await _changes(source, lambda found: not _of(found, "node")[0].is_bad)
    assert _of(found, "node")[0].words == "Ready"


async def test_what_was_before_is_left_out(source: KubernetesSource) -> None:
    snapshot: KubernetesSnapshot = await source.read()
    everything = recent(snapshot, time.time() - 10_800)
    assert everything
    assert [change.at for change in everything] == sorted((change.at for change in everything), reverse=True)
    assert recent(snapshot, time.time()) == ()


async def test_a_written_configmap_says_by_whom_and_no_value_is_asked_for(source: KubernetesSource) -> None:
    await source.read()
    since = time.time() - 900
    assert (await read_configs(source.connection, (), since)).changes == ()
    await _patch(source, "/api/v1/namespaces/shop/configmaps/settings", {"data": {"LOG_LEVEL": "debug"}})
    found = await read_configs(source.connection, (), since)
    assert [(change.about, change.words) for change in found.changes] == [
        ("configmap/shop/settings", "changed by opstui")
    ]
    assert recent(await source.read(), since, found)[0] == found.changes[0]


async def test_what_may_not_be_looked_at_is_named(cluster: Cluster, tmp_path: Path) -> None:
    path = cluster.write_kubeconfig(tmp_path / "shop", "shop-only")
    source = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={})
    found = await read_configs(source.connection, ("shop", "payments"), 0.0)
    assert "configmaps: forbidden in payments" in found.missing
    assert {change.about.split("/")[1] for change in found.changes} <= {"shop"}
    await source.close()


def test_an_image_is_told_by_its_tag_where_only_that_changed() -> None:
    new = parse_workload("ReplicaSet", _with_images("r.example:5000/api:3", "busybox", "proxy@sha256:12"))
    old = parse_workload("ReplicaSet", _with_images("r.example:5000/api:2", "busybox", "proxy@sha256:11"))
    assert images_words(new, old) == "c0 3 (was 2) of r.example:5000/api, c2 12 (was 11) of proxy@sha256"
    assert images_words(old, old) == "another template, the same images as revision 0"
    fewer = parse_workload("ReplicaSet", _with_images("other/api:2"))
    assert images_words(fewer, old) == "c0 other/api:2 (was r.example:5000/api:2), c1 is gone, c2 is gone"


def _with_images(*images: str) -> dict[str, Any]:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def test_the_moment_of_a_config_is_its_newest_write() -> None:
    metadata = {
        "namespace": "shop", "name": "x", "creationTimestamp": "2026-11-22T04:00:00Z",
        "managedFields": [
            {"manager": "helm", "time": "2026-11-22T04:00:00Z"},
            {"manager": "kubectl-edit", "time": "2026-11-22T05:00:00Z"},
        ],
    }  # fmt: skip
    found = parse_config("configmap", {"metadata": metadata})
    assert found is not None
    assert found.words == "changed by kubectl-edit"
    created = parse_config("configmap", {"metadata": {**metadata, "managedFields": metadata["managedFields"][:1]}})
    assert created is not None
    assert created.words == "created by helm"
    assert parse_config("configmap", {"metadata": {}}) is None
