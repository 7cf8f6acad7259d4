"""Restart and scale on the simulated cluster, which answers as a real API server was recorded to."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tui.actions.kubernetes.conftest import API, done, patch, recreate, source_as, workload
from tui.actions.action import Look, NotSentError, Phase, Request, Risk, Sight, Target
from tui.actions.kubernetes.restart import RestartWorkload, restart_request
from tui.actions.kubernetes.scale import ScaleWorkload, scale_request
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import Denied, SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.credentials import Credentials
from tui.sources.kubernetes.fields import part
from tui.sources.kubernetes.workloads import parse_workload

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


async def test_a_restarted_deployment_converges_on_new_pods(source: KubernetesSource) -> None:
    verb = RestartWorkload(source)
    seen = workload(source)
    before = {pod.name for pod in source.mirror.pods.facts.values() if pod.labels.get("app") == "api"}
    action = await verb.plan(restart_request(seen))
    assert action.permission == ""
    assert any("restartedAt" in line for line in action.preview)
    assert "kubectl.kubernetes.io/restartedAt" not in str(await source.fetch("Deployment", "shop", "api"))
    assert action.command.endswith("-n shop rollout restart deployment/api")
    assert "--context" in action.command
    look = await done(verb, action)
    assert look.phase is Phase.CONVERGED, look
    listed = await source.connection.get("/api/v1/namespaces/shop/pods", [("labelSelector", "app=api")])
    now = {item["metadata"]["name"] for item in listed["items"] if "deletionTimestamp" not in item["metadata"]}
    assert len(now) == seen.desired
    assert not now & before


async def test_a_restart_leaves_the_other_template_annotations_alone(source: KubernetesSource) -> None:
    await patch(source, {"spec": {"template": {"metadata": {"annotations": {"team": "shop"}}}}})
    verb = RestartWorkload(source)
    await verb.execute(await verb.plan(restart_request(workload(source))))
    obj = await source.fetch("Deployment", "shop", "api")
    annotations = part(obj, "spec", "template", "metadata", "annotations")
    assert annotations["team"] == "shop"
    assert "kubectl.kubernetes.io/restartedAt" in annotations


async def test_scaling_changes_only_the_replicas_and_says_how_to_go_back(source: KubernetesSource) -> None:
    verb, seen = ScaleWorkload(source), workload(source)
    action = await verb.plan(scale_request(seen, seen.desired + 1))
    assert action.preview == (f"~ spec.replicas: {seen.desired} → {seen.desired + 1}",)
    assert action.undo == f"scale back to {seen.desired}"
    assert action.risk is Risk.MEDIUM
    look = await done(verb, action)
    assert look == Look(Phase.CONVERGED, f"{seen.desired + 1} of {seen.desired + 1} ready")


async def test_scaling_to_nothing_is_a_high_risk(source: KubernetesSource) -> None:
    action = await ScaleWorkload(source).plan(scale_request(workload(source), 0))
    assert action.risk is Risk.HIGH
    assert "nothing will serve" in action.risk_reason


async def test_a_workload_can_be_scaled_to_nothing_and_back(source: KubernetesSource) -> None:
    verb = ScaleWorkload(source)
    down = await verb.plan(scale_request(workload(source), 0))
    assert (await done(verb, down)) == Look(Phase.CONVERGED, "no pods left")
    listed = await source.connection.get("/api/v1/namespaces/shop/pods", [("labelSelector", "app=api")])
    assert all("deletionTimestamp" in item["metadata"] for item in listed["items"])
    up = await verb.plan(scale_request(workload(source), 2))
    assert up.before.startswith("0 replicas")
    assert (await done(verb, up)).phase is Phase.CONVERGED


@pytest.mark.parametrize("user", ["viewer"])
async def test_without_permission_the_plan_says_which_one_is_missing(
    cluster: Cluster, tmp_path: Path, user: str
) -> None:
    source = source_as(cluster, tmp_path, user)
    await source.read()
    try:
        action = await ScaleWorkload(source).plan(scale_request(workload(source), 9))
        assert "patch on deployments/scale in shop" in action.permission
        action = await RestartWorkload(source).plan(restart_request(workload(source)))
        assert "patch on deployments in shop" in action.permission
    finally:
        await source.close()


async def test_a_403_that_comes_only_with_the_write_is_certainly_not_sent(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb = RestartWorkload(source)
    action = await verb.plan(restart_request(workload(source)))
    cluster.server.faults.add(Fault(FaultKind.FORBIDDEN, verb="patch"))
    with pytest.raises(NotSentError, match="forbidden"):
        await verb.execute(action)


async def test_replicas_that_moved_since_the_plan_stop_the_write(source: KubernetesSource) -> None:
    verb, seen = ScaleWorkload(source), workload(source)
    action = await verb.plan(scale_request(seen, seen.desired + 3))
    await patch(source, {"spec": {"replicas": seen.desired + 1}})
    assert await verb.sight(action) == (Sight.CHANGED, f"replicas {seen.desired} → {seen.desired + 1}")
    with pytest.raises(NotSentError, match=f"replicas {seen.desired} → {seen.desired + 1}"):
        await verb.execute(action)
    found = parse_workload("Deployment", await source.fetch("Deployment", "shop", "api"))
    assert found.desired == seen.desired + 1


async def test_a_restart_that_somebody_else_did_meanwhile_stops_the_write(source: KubernetesSource) -> None:
    verb = RestartWorkload(source)
    action = await verb.plan(restart_request(workload(source)))
    annotation = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    await patch(source, {"spec": {"template": {"metadata": {"annotations": annotation}}}})
    with pytest.raises(NotSentError, match="restarted at 2026-01-01"):
        await verb.execute(action)


@pytest.mark.parametrize("when", ["before the plan", "after the plan"])
async def test_another_workload_of_the_same_name_is_left_alone(source: KubernetesSource, when: str) -> None:
    verb, request = RestartWorkload(source), restart_request(workload(source))
    if when == "before the plan":
        await recreate(source)
        with pytest.raises(NotSentError, match="another one under the same name"):
            await verb.plan(request)
        return
    action = await verb.plan(request)
    await recreate(source)
    assert (await verb.sight(action))[0] is Sight.GONE
    with pytest.raises(NotSentError, match="another one under the same name"):
        await verb.execute(action)
    assert "restartedAt" not in str(await source.fetch("Deployment", "shop", "api"))


async def test_a_workload_that_is_gone_is_said_to_be_gone(source: KubernetesSource) -> None:
    verb, request = ScaleWorkload(source), scale_request(workload(source), 1)
    action = await verb.plan(request)
    assert (await source.connection.call("DELETE", API)).is_ok
    async with asyncio.timeout(30):
        while (await verb.sight(action))[0] is not Sight.GONE:
            await asyncio.sleep(0.05)
    with pytest.raises(NotSentError, match="is gone"):
        await verb.execute(action)
    with pytest.raises(NotSentError, match="is gone"):
        await verb.plan(request)


async def test_a_connection_cut_after_sending_is_unknown_and_never_sent_again(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb = RestartWorkload(source)
    action = await verb.plan(restart_request(workload(source)))
    cut = Fault(FaultKind.CUT, verb="patch", times=5)
    cluster.server.faults.add(cut)
    with pytest.raises(SourceError, match="cut"):
        await verb.execute(action)
    assert cut.times == 4


async def test_a_server_error_after_sending_is_unknown(cluster: Cluster, source: KubernetesSource) -> None:
    verb = RestartWorkload(source)
    action = await verb.plan(restart_request(workload(source)))
    failing = Fault(FaultKind.INTERNAL, verb="patch", times=5)
    cluster.server.faults.add(failing)
    with pytest.raises(SourceError, match="500"):
        await verb.execute(action)
    assert failing.times == 4


async def test_a_server_that_is_not_there_was_certainly_not_sent_anything(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb = RestartWorkload(source)
    action = await verb.plan(restart_request(workload(source)))
    await cluster.stop()
    with pytest.raises(NotSentError, match="nothing was sent"):
        await verb.execute(action)


async def test_credentials_that_cannot_be_had_were_certainly_not_sent_with(
    source: KubernetesSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    verb = RestartWorkload(source)
    action = await verb.plan(restart_request(workload(source)))

    async def refuse(credentials: Credentials) -> str:
        raise Denied("credential plugin aws failed")

    monkeypatch.setattr(Credentials, "authorization", refuse)
    with pytest.raises(NotSentError, match="nothing was sent: credential plugin aws failed"):
        await verb.execute(action)


async def test_pods_that_crash_during_a_rollout_are_named(cluster: Cluster, source: KubernetesSource) -> None:
    verb = RestartWorkload(source)
    action = await verb.plan(restart_request(workload(source)))
    cluster.behaviours.set("shop", "api", "crash-loop")
    began = time.time()
    receipt = await verb.execute(action)
    async with asyncio.timeout(30):
        while "CrashLoopBackOff: api-" not in (look := await verb.look(action.sent(began).learned(receipt))).detail:
            await source.read()
    assert look.phase is Phase.WAITING
    assert "updated" in look.detail


async def test_replicas_that_an_autoscaler_sets_afterwards_are_not_ours_any_more(source: KubernetesSource) -> None:
    verb, seen = ScaleWorkload(source), workload(source)
    action = await verb.plan(scale_request(seen, seen.desired + 1))
    receipt = await verb.execute(action)
    await patch(source, {"spec": {"replicas": seen.desired}})
    assert (await verb.look(action.sent(time.time()).learned(receipt))).phase is Phase.ABSENT


async def test_scaling_back_is_refused_when_the_replicas_are_no_longer_ours(source: KubernetesSource) -> None:
    verb, seen = ScaleWorkload(source), workload(source)
    action = await verb.plan(scale_request(seen, seen.desired + 1))
    await verb.execute(action)
    assert action.inverse is not None
    back = replace(action.inverse, undoes=action.id)
    assert (await verb.plan(back)).request.wanted == {"replicas": seen.desired}
    await patch(source, {"spec": {"replicas": seen.desired + 4}})
    with pytest.raises(NotSentError, match="no longer ours to take back"):
        await verb.plan(back)


async def test_scaling_below_half_or_below_a_disruption_budget_is_a_high_risk(source: KubernetesSource) -> None:
    verb, seen = ScaleWorkload(source), workload(source)
    await patch(source, {"spec": {"replicas": 9}})
    action = await verb.plan(scale_request(seen, 4))
    assert (action.risk, action.risk_reason) == (Risk.HIGH, "less than half of 9")
    await patch(source, {"spec": {"replicas": 3}})
    budget = {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "api"}}},
    }  # fmt: skip
    path = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
    await source.connection.call("POST", path, body=budget)
    async with asyncio.timeout(30):
        while (action := await verb.plan(scale_request(seen, 2))).risk is not Risk.HIGH:
            await asyncio.sleep(0.05)
    assert action.risk_reason == "a PodDisruptionBudget wants 3 healthy"


async def test_a_kubeconfig_that_leads_to_another_cluster_meanwhile_stops_the_write(
    cluster: Cluster, source: KubernetesSource, tmp_path: Path
) -> None:
    verb = RestartWorkload(source)
    action = await verb.plan(restart_request(workload(source)))
    async with Cluster(speed=20, seed=7) as other:
        other.write_kubeconfig(tmp_path / "admin.kubeconfig", "admin")
        await source.connection.close()
        with pytest.raises(NotSentError, match="another cluster answers"):
            await verb.execute(action)
        # By now it is known which cluster answers, and shown: the uid inside the write still tells the two apart.
        with pytest.raises(NotSentError, match="another one under the same name"):
            await verb.execute(action)
        assert "restartedAt" not in str(await source.fetch("Deployment", "shop", "api"))


async def test_a_change_whose_answer_was_lost_is_found_by_looking(cluster: Cluster, source: KubernetesSource) -> None:
    restart, scale = RestartWorkload(source), ScaleWorkload(source)
    for verb, request in (
        (restart, restart_request(workload(source))),
        (scale, scale_request(workload(source), workload(source).desired + 1)),
    ):
        action = await verb.plan(request)
        assert (await verb.look(action.sent(time.time()))).phase is Phase.ABSENT
        cluster.server.faults.add(Fault(FaultKind.LOST, verb="patch", times=1))
        with pytest.raises(SourceError):
            await verb.execute(action)
        assert (await verb.look(action.sent(time.time()))).phase in (Phase.WAITING, Phase.CONVERGED)


async def test_what_cannot_be_changed_says_why(source: KubernetesSource) -> None:
    seen = workload(source)
    with pytest.raises(NotSentError, match="already has"):
        await ScaleWorkload(source).plan(scale_request(seen, seen.desired))
    replica_set = next(found for found in source.mirror.replica_sets.facts.values() if found.name.startswith("api-"))
    with pytest.raises(NotSentError, match="belongs to deployment api"):
        await ScaleWorkload(source).plan(scale_request(replica_set, 9))
    job = Request("restart", Target("kubernetes:", "job", "x", "shop", {"uid": "1"}))
    with pytest.raises(NotSentError, match="Restart is not for a job"):
        await RestartWorkload(source).plan(job)
    await patch(source, {"spec": {"paused": True}})
    with pytest.raises(NotSentError, match="paused"):
        await RestartWorkload(source).plan(restart_request(seen))
