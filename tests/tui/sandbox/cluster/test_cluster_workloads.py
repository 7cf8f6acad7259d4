"""The controllers of the simulated cluster: rollouts, sets, jobs, autoscalers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.pod_cells import pod_cells
from tui.sandbox.cluster.resources import (
    AUTOSCALERS,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    NODES,
    PODS,
    REPLICASETS,
    STATEFULSETS,
    Object,
)
from tui.sandbox.cluster.shapes import BEHAVIOUR, is_active, is_ready


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=50) as cluster:
        yield cluster


def deployment(cluster: Cluster, name: str) -> Object:
    return cluster.store.get(DEPLOYMENTS, "shop", name)


def set_image(cluster: Cluster, name: str, image: str) -> None:
    def change(copy: Object) -> None:
        copy["spec"]["template"]["spec"]["containers"][0]["image"] = image

    cluster.store.modify(DEPLOYMENTS, "shop", name, change)


def progress(cluster: Cluster, name: str) -> tuple[str, str]:
    conditions = deployment(cluster, name)["status"]["conditions"]
    found = next(c for c in conditions if c["type"] == "Progressing")
    return found["status"], found["reason"]


def is_rolled_out(cluster: Cluster, name: str) -> bool:
    thing = deployment(cluster, name)
    status, wanted = thing["status"], thing["spec"]["replicas"]
    counts = {status.get(n, 0) for n in ("replicas", "updatedReplicas", "availableReplicas")}
    return status["observedGeneration"] == thing["metadata"]["generation"] and counts == {wanted}


async def test_a_roll_stays_within_its_bounds(cluster: Cluster) -> None:
    totals: set[int] = set()
    ready: set[int] = set()

    def look(_: Any) -> None:
        active = [p for p in cluster.pods("shop", "api") if is_active(p)]
        totals.add(len(active))
        ready.add(sum(is_ready(p) for p in active))

    cluster.store.listen(PODS, look)
    set_image(cluster, "api", "registry.example/shop/api:2.15.0")
    await cluster.settled("shop", "api")
    await cluster.until(lambda: is_rolled_out(cluster, "api"))
    assert max(totals) == 5  # 4 and a surge of 25 %
    assert min(ready) >= 3  # 4 less 25 %
    assert progress(cluster, "api") == ("True", "NewReplicaSetAvailable")
    events = [e["message"] for e in cluster.store.things(EVENTS, "shop") if e["reason"] == "ScalingReplicaSet"]
    assert any(message.startswith("Scaled up replica set api-") for message in events)


async def test_recreate_leaves_a_gap(cluster: Cluster) -> None:
    cluster.store.modify(DEPLOYMENTS, "shop", "api", lambda d: d["spec"].update(strategy={"type": "Recreate"}))
    both: list[set[str]] = []

    def look(_: Any) -> None:
        images = {p["spec"]["containers"][0]["image"] for p in cluster.pods("shop", "api")}
        both.append(images)

    cluster.store.listen(PODS, look)
    set_image(cluster, "api", "registry.example/shop/api:2.15.0")
    await cluster.settled("shop", "api")
    await cluster.until(lambda: is_rolled_out(cluster, "api"))
    assert max(len(images) for images in both) == 1


async def test_a_paused_deployment_does_not_roll(cluster: Cluster) -> None:
    cluster.store.modify(DEPLOYMENTS, "shop", "api", lambda d: d["spec"].update(paused=True))
    set_image(cluster, "api", "registry.example/shop/api:2.15.0")
    await cluster.settled("shop", "api")
    assert progress(cluster, "api") == ("Unknown", "DeploymentPaused")
    assert {p["spec"]["containers"][0]["image"] for p in cluster.pods("shop", "api")} == {
        "registry.example/shop/api:2.14.0"
    }
    cluster.store.modify(DEPLOYMENTS, "shop", "api", lambda d: d["spec"].pop("paused"))
    await cluster.until(lambda: is_rolled_out(cluster, "api") and progress(cluster, "api")[0] == "True")


async def test_a_crashing_release_stalls_and_going_back_heals_it(cluster: Cluster) -> None:
    cluster.store.modify(DEPLOYMENTS, "shop", "api", lambda d: d["spec"].update(progressDeadlineSeconds=90))
    cluster.crash_loop("shop", "api")
    cluster.crash_loop("shop", "api")  # twice is as good as once
    await cluster.until(lambda: progress(cluster, "api") == ("False", "ProgressDeadlineExceeded"))
    words = [pod_cells(p, cluster.clock.now())[2] for p in cluster.pods("shop", "api")]
    assert words.count("Running") >= 3
    assert any(r["metadata"]["name"].startswith("api-") for r in cluster.store.things(REPLICASETS, "shop"))
    cluster.heal("shop", "api")
    await cluster.until(lambda: is_rolled_out(cluster, "api") and progress(cluster, "api")[0] == "True")
    revision = deployment(cluster, "api")["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
    assert revision == "14"  # 12 before, 13 the bad one, 14 the old one again


async def test_pods_can_begin_to_crash_where_they_stand(cluster: Cluster) -> None:
    cluster.crash_loop("shop", "orders", how="in-place")
    uids = {p["metadata"]["uid"] for p in cluster.pods("shop", "orders")}

    def restarts() -> list[int]:
        return [p["status"]["containerStatuses"][0]["restartCount"] for p in cluster.pods("shop", "orders")]

    await cluster.until(lambda: min(restarts()) >= 2)
    cluster.heal("shop", "orders")
    await cluster.until(lambda: is_rolled_out(cluster, "orders"))
    assert {p["metadata"]["uid"] for p in cluster.pods("shop", "orders")} == uids


async def test_old_revisions_are_kept_up_to_their_limit(cluster: Cluster) -> None:
    cluster.store.modify(DEPLOYMENTS, "shop", "search", lambda d: d["spec"].update(revisionHistoryLimit=1))
    for tag in ("1.0.0", "1.1.0"):
        set_image(cluster, "search", f"registry.example/shop/search:{tag}")
        await cluster.settled("shop", "search")
        await cluster.until(lambda: is_rolled_out(cluster, "search"))

    def left() -> int:
        uid = deployment(cluster, "search")["metadata"]["uid"]
        return len(cluster.store.owned_by(uid, REPLICASETS))

    await cluster.until(lambda: left() == 2)


async def test_a_stateful_set_rolls_from_the_last_to_the_first(cluster: Cluster) -> None:
    gone: list[str] = []

    def look(change: Any) -> None:
        if change.type == "DELETED" and change.entry.key[1].startswith("queue-"):
            gone.append(change.entry.key[1])

    cluster.store.listen(PODS, look)
    cluster.store.modify(
        STATEFULSETS, "shop", "queue", lambda s: s["spec"]["template"]["metadata"].update(annotations={"a": "b"})
    )

    def is_done() -> bool:
        status = cluster.store.get(STATEFULSETS, "shop", "queue")["status"]
        return bool(status["currentRevision"] == status["updateRevision"]) and len(gone) == 3

    await cluster.until(is_done)
    assert gone == ["queue-2", "queue-1", "queue-0"]


async def test_a_stateful_set_shrinks_from_the_end(cluster: Cluster) -> None:
    cluster.store.modify(STATEFULSETS, "shop", "queue", lambda s: s["spec"].update(replicas=1))
    await cluster.until(lambda: [p["metadata"]["name"] for p in cluster.pods("shop", "queue")] == ["queue-0"])


async def test_a_daemon_set_has_a_pod_on_every_node(cluster: Cluster) -> None:
    node = cluster.store.get(NODES, "", "node-3")
    fresh = {**node, "metadata": {"name": "node-4", "labels": {}}}
    cluster.store.insert(NODES, fresh)
    await cluster.until(
        lambda: cluster.store.get(DAEMONSETS, "monitoring", "node-agent")["status"].get("numberReady") == 4
    )
    nodes = {p["spec"]["nodeName"] for p in cluster.pods("monitoring", "node-agent")}
    assert nodes == {"node-1", "node-2", "node-3", "node-4"}


def job(name: str, behaviour: str, **spec: Any) -> Object:
    template = {
        "metadata": {"annotations": {BEHAVIOUR: behaviour}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "registry.example/j:1"}]},
    }
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"template": template, **spec}}


def ended(cluster: Cluster, name: str) -> list[str]:
    found = cluster.store.get(JOBS, "shop", name)
    return [c["type"] for c in (found.get("status") or {}).get("conditions") or ()]


async def test_a_job_runs_until_it_has_its_completions(cluster: Cluster) -> None:
    cluster.store.insert(JOBS, job("j", "completes", completions=3, parallelism=2, backoffLimit=1))
    await cluster.until(lambda: "Complete" in ended(cluster, "j"))
    assert cluster.store.get(JOBS, "shop", "j")["status"]["succeeded"] == 3


async def test_a_job_gives_up_after_its_limit(cluster: Cluster) -> None:
    cluster.store.insert(JOBS, job("j", "fails", completions=1, parallelism=1, backoffLimit=1))
    await cluster.until(lambda: "Failed" in ended(cluster, "j"))
    assert cluster.store.get(JOBS, "shop", "j")["status"]["failed"] == 2


async def test_a_cron_job_starts_what_is_due_and_keeps_three(cluster: Cluster) -> None:
    cluster.store.modify(CRONJOBS, "shop", "report", lambda c: c["spec"].update(schedule="* * * * *"))
    cluster.store.modify(
        CRONJOBS, "shop", "report", lambda c: c["status"].update(lastScheduleTime="2020-01-01T00:00:00Z")
    )
    uid = cluster.store.get(CRONJOBS, "shop", "report")["metadata"]["uid"]
    # The schedule it came with, every ten minutes, may have started this very minute's job just before.
    recent = (datetime.now(UTC) - timedelta(seconds=90)).isoformat()
    before = {
        j["metadata"]["name"] for j in cluster.store.owned_by(uid, JOBS) if j["metadata"]["creationTimestamp"] < recent
    }

    def fresh() -> set[str]:
        return {j["metadata"]["name"] for j in cluster.store.owned_by(uid, JOBS)} - before

    await cluster.until(lambda: bool(fresh()))
    name = fresh().pop()
    await cluster.until(lambda: "Complete" in ended(cluster, name))
    await cluster.until(lambda: len(cluster.store.owned_by(uid, JOBS)) == 3)


async def test_an_autoscaler_follows_the_load() -> None:
    async with Cluster(speed=400) as cluster:
        cluster.usage.load["shop", "search"] = 4.0
        await cluster.until(lambda: deployment(cluster, "search")["spec"]["replicas"] >= 4)
        # Less than usual: with it three pods whose waves even each other out would stay three for ever.
        cluster.usage.load["shop", "search"] = 0.6
        await cluster.until(lambda: deployment(cluster, "search")["spec"]["replicas"] == 2)
        status = cluster.store.get(AUTOSCALERS, "shop", "search")["status"]
    assert 10 < status["currentMetrics"][0]["resource"]["current"]["averageUtilization"] < 60
