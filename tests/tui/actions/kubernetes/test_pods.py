"""Deleting pods on the simulated cluster: exactly the pod that was seen, once."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from tests.tui.actions.kubernetes.conftest import done, pods, source_as
from tui.actions.action import GoneError, NotSentError, Phase, Risk, Sight
from tui.actions.kubernetes.pods import DeletePod, delete_request
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.resources import PODS
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.pods import Pod

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


def bare_pod(cluster: Cluster, name: str = "bare", namespace: str = "shop", **spec: Any) -> None:
    """Put a pod that nobody owns."""
    container = {"name": "app", "image": "registry.example/shop/bare:1"}
    annotations = spec.pop("annotations", {})
    obj = {
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}, "annotations": annotations},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 5, **spec},
        "status": {"phase": "Running"},
    }
    cluster.store.insert(PODS, obj)


async def found(source: KubernetesSource, name: str) -> Pod:
    async with asyncio.timeout(30):
        while True:
            await source.read()
            for pod in source.mirror.pods.facts.values():
                if pod.name == name:
                    return pod


async def test_a_pod_goes_and_its_owner_makes_another(source: KubernetesSource) -> None:
    pod, *others = pods(source, "api")
    verb = DeletePod(source)
    action = await verb.plan(delete_request(pod))
    assert action.risk is Risk.LOW
    assert "makes another" in action.after
    assert action.command.endswith(f"-n shop delete pod {pod.name}")
    assert (await source.connection.call("GET", f"/api/v1/namespaces/shop/pods/{pod.name}")).is_ok, "a plan only"
    look = await done(verb, action)
    assert look.phase is Phase.CONVERGED, look
    assert "ready" in look.detail
    listed = await source.connection.get("/api/v1/namespaces/shop/pods", [("labelSelector", "app=api")])
    uids = {item["metadata"]["uid"] for item in listed["items"]}
    assert pod.uid not in uids
    assert {other.uid for other in others} <= uids


async def test_a_pod_that_was_made_again_under_its_name_is_left_alone(
    cluster: Cluster, source: KubernetesSource
) -> None:
    bare_pod(cluster)
    pod, verb = await found(source, "bare"), DeletePod(source)
    action = await verb.plan(delete_request(pod))
    cluster.store.remove(PODS, "shop", "bare")
    bare_pod(cluster)
    assert (await verb.sight(action))[0] is Sight.GONE
    with pytest.raises(GoneError, match="another one now, under the same name"):
        await verb.execute(action)
    with pytest.raises(GoneError, match="another one under the same name"):
        await verb.plan(delete_request(pod))
    assert (await source.connection.call("GET", "/api/v1/namespaces/shop/pods/bare")).is_ok


async def test_a_pod_that_is_gone_is_said_to_be_gone(cluster: Cluster, source: KubernetesSource) -> None:
    bare_pod(cluster)
    pod, verb = await found(source, "bare"), DeletePod(source)
    action = await verb.plan(delete_request(pod))
    cluster.store.remove(PODS, "shop", "bare")
    with pytest.raises(GoneError, match="is gone"):
        await verb.execute(action)


@pytest.mark.parametrize(
    ("name", "spec", "grace_s", "risk", "words"),
    [
        ("bare", {}, None, Risk.HIGH, "nothing makes it again"),
        ("bare", {}, 0, Risk.HIGH, "by force"),
        ("dns", {"priorityClassName": "system-cluster-critical"}, None, Risk.HIGH, "cluster-critical"),
    ],
)
async def test_what_is_more_than_usual_has_its_reason(
    cluster: Cluster,
    source: KubernetesSource,
    name: str,
    spec: dict[str, Any],
    grace_s: int | None,
    risk: Risk,
    words: str,
) -> None:
    bare_pod(cluster, name, **spec)
    action = await DeletePod(source).plan(delete_request(await found(source, name), grace_s))
    assert action.risk is risk
    assert words in action.risk_reason


async def test_a_stateful_sets_pod_is_more_than_a_deployments(source: KubernetesSource) -> None:
    pod = next(pod for pod in source.mirror.pods.facts.values() if pod.owner and pod.owner.kind == "StatefulSet")
    action = await DeletePod(source).plan(delete_request(pod))
    assert action.risk is Risk.MEDIUM


async def test_what_lives_in_kube_system_is_cluster_critical(cluster: Cluster, source: KubernetesSource) -> None:
    bare_pod(cluster, "proxy", "kube-system")
    action = await DeletePod(source).plan(delete_request(await found(source, "proxy")))
    assert (action.risk, "kube-system" in action.risk_reason) == (Risk.HIGH, True)


async def test_the_mirror_of_a_static_pod_is_refused_because_it_would_come_back_at_once(
    cluster: Cluster, source: KubernetesSource
) -> None:
    bare_pod(cluster, "static", annotations={"kubernetes.io/config.mirror": "abc"})
    with pytest.raises(NotSentError, match="mirrors a static pod"):
        await DeletePod(source).plan(delete_request(await found(source, "static")))


async def test_a_pod_that_does_not_end_is_ended_by_force(cluster: Cluster, source: KubernetesSource) -> None:
    cluster.behaviours.set("shop", "api", "stubborn")
    pod, verb = pods(source, "api")[0], DeletePod(source)
    await verb.execute(await verb.plan(delete_request(pod, 600)))
    with pytest.raises(NotSentError, match=r"terminating already; by force"):
        await verb.plan(delete_request(pod))
    action = await verb.plan(delete_request(pod, 0))
    assert "--grace-period=0 --force" in action.command
    assert (await done(verb, action)).phase is Phase.CONVERGED


async def test_without_permission_the_plan_says_which_one_is_missing(cluster: Cluster, tmp_path: Path) -> None:
    viewer = source_as(cluster, tmp_path, "viewer")
    await viewer.read()
    try:
        action = await DeletePod(viewer).plan(delete_request(pods(viewer, "api")[0]))
        assert "delete on pods in shop" in action.permission
    finally:
        await viewer.close()


@pytest.mark.parametrize(("fault", "phase"), [(FaultKind.LOST, Phase.CONVERGED), (FaultKind.CUT, Phase.ABSENT)])
async def test_a_lost_answer_is_never_sent_again_and_looking_tells(
    cluster: Cluster, source: KubernetesSource, fault: FaultKind, phase: Phase
) -> None:
    pod, verb = pods(source, "api")[0], DeletePod(source)
    action = await verb.plan(delete_request(pod))
    struck = Fault(fault, verb="delete", times=5)
    cluster.server.faults.add(struck)
    began = time.time()
    with pytest.raises(SourceError):
        await verb.execute(action)
    assert struck.times == 4, "the client sent it once, although HTTP calls a DELETE idempotent"
    async with asyncio.timeout(30):
        while (look := await verb.look(action.sent(began))).phase is Phase.WAITING:
            await asyncio.sleep(0.05)
    assert look.phase is phase, look
