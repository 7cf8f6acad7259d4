"""Cordon, uncordon, drain and evict on the simulated cluster."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tui.actions.kubernetes.conftest import done, patch, pods, source_as, until
from tests.tui.actions.scripted import Bench
from tui.actions.action import Action, Look, NotSentError, Phase, Request, Risk, Sight, Step, Verb
from tui.actions.kubernetes.cordon import UNCORDON, Cordon, Uncordon, cordon_request, node_target
from tui.actions.kubernetes.drain import DrainNode, drain_request
from tui.actions.kubernetes.evict import EvictPod, evict_request
from tui.actions.kubernetes.leaving import leaving
from tui.actions.perform import Ending, Outcome, Performer
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.resources import NODES, PODS
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import part, parts
from tui.sources.kubernetes.nodes import Node

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_BUDGETS = "/apis/policy/v1/namespaces/{}/poddisruptionbudgets/{}"


def node(source: KubernetesSource, name: str = "") -> Node:
    found = sorted(source.mirror.nodes.facts.values(), key=lambda one: one.name)
    return next(one for one in found if one.name == name or not name)


async def spec(source: KubernetesSource, name: str) -> Mapping[str, Any]:
    return part(await source.fetch("Node", "", name), "spec")


async def on_node(source: KubernetesSource, name: str) -> list[str]:
    listed = await source.connection.get("/api/v1/pods", [("fieldSelector", f"spec.nodeName={name}")])
    return [one.path for one in leaving(parts(listed, "items")).leavers]


async def without_bare(source: KubernetesSource) -> Node:
    """Return a node after its bare pods were deleted by hand, and the budget that allows nothing lifted."""
    chosen = node(source)
    await patch(source, {"spec": {"maxUnavailable": 1}}, _BUDGETS.format("payments", "ledger"))
    listed = await source.connection.get("/api/v1/pods")
    for one in leaving(parts(listed, "items")).leavers:
        if one.is_bare:
            await source.connection.call("DELETE", f"/api/v1/namespaces/{one.namespace}/pods/{one.name}")
    return chosen


# Cordon and uncordon


async def test_a_cordon_is_temporary_keeps_pods_off_and_is_taken_back(source: KubernetesSource) -> None:
    verb, chosen = Cordon(source), node(source)
    request = cordon_request(chosen)
    assert (request.verb, request.temporary_s) == ("cordon", 0.0)
    action = await verb.plan(request)
    assert action.preview == ("+ spec.unschedulable: True",)
    assert action.command.endswith(f"cordon {chosen.name}")
    assert any("other nodes are ready" in line for line in action.impact)
    assert (await done(verb, action)).phase is Phase.CONVERGED
    assert (await spec(source, chosen.name))["unschedulable"] is True
    assert action.inverse is not None
    back = await Uncordon(source).plan(replace(action.inverse, undoes=action.id))
    assert (await done(Uncordon(source), back)).phase is Phase.CONVERGED
    assert "unschedulable" not in await spec(source, chosen.name)


async def test_each_refuses_what_is_so_already_and_what_moved_stops_the_write(source: KubernetesSource) -> None:
    chosen = node(source)
    with pytest.raises(NotSentError, match="is not cordoned"):
        await Uncordon(source).plan(Request(UNCORDON, node_target(chosen)))
    action = await Cordon(source).plan(cordon_request(chosen))
    await patch(source, {"spec": {"unschedulable": True}}, f"/api/v1/nodes/{chosen.name}")
    assert await Cordon(source).sight(action) == (Sight.CHANGED, "it is cordoned")
    with pytest.raises(NotSentError, match="is cordoned already"):
        await Cordon(source).plan(cordon_request(chosen))
    back = await Uncordon(source).plan(Request(UNCORDON, node_target(chosen)))
    await patch(source, {"spec": {"unschedulable": None}}, f"/api/v1/nodes/{chosen.name}")
    with pytest.raises(NotSentError, match="has moved on: it is not cordoned"):
        await Uncordon(source).execute(back)


async def test_the_last_node_that_takes_pods_is_a_high_risk(source: KubernetesSource) -> None:
    first, *others = sorted(source.mirror.nodes.facts.values(), key=lambda one: one.name)
    for other in others:
        await patch(source, {"spec": {"unschedulable": True}}, f"/api/v1/nodes/{other.name}")

    async def is_seen() -> bool:
        return sum(one.takes_pods for one in source.mirror.nodes.facts.values()) == 1

    await until(is_seen)
    action = await Cordon(source).plan(cordon_request(first))
    assert (action.risk, "stay Pending" in action.risk_reason) == (Risk.HIGH, True)


async def test_a_node_made_again_under_the_name_is_left_alone(cluster: Cluster, source: KubernetesSource) -> None:
    chosen = node(source)
    action = await Cordon(source).plan(cordon_request(chosen))
    again = cluster.store.get(NODES, "", chosen.name)
    cluster.store.remove(NODES, "", chosen.name)
    again["metadata"] = {"name": chosen.name, "labels": again["metadata"]["labels"]}
    cluster.store.insert(NODES, again)
    with pytest.raises(NotSentError, match="another one under the same name"):
        await Cordon(source).execute(action)
    assert "unschedulable" not in await spec(source, chosen.name)


@pytest.mark.parametrize(("kind", "phase"), [(FaultKind.LOST, Phase.CONVERGED), (FaultKind.CUT, Phase.ABSENT)])
async def test_what_became_of_a_cordon_without_an_answer_is_found_by_reading(
    cluster: Cluster, source: KubernetesSource, kind: FaultKind, phase: Phase
) -> None:
    action = await Cordon(source).plan(cordon_request(node(source)))
    cluster.server.faults.add(Fault(kind, verb="patch", times=1))
    with pytest.raises(SourceError):
        await Cordon(source).execute(action)
    assert (await Cordon(source).look(action.sent(0.0))).phase is phase


@pytest.mark.parametrize("user", ["viewer", "shop-only"])
async def test_without_permission_it_is_said_which_one_is_missing(cluster: Cluster, tmp_path: Path, user: str) -> None:
    source, admin = source_as(cluster, tmp_path, user), source_as(cluster, tmp_path)
    await admin.read()
    await source.read()
    try:
        request = cordon_request(node(admin))
        if user == "viewer":
            action = await Cordon(source).plan(request)
            assert action.permission.startswith("not permitted: it needs patch on nodes (cluster-wide)")

        async def is_known() -> bool:
            return bool(Cordon(source).forbidden(request))

        await until(is_known)
    finally:
        await source.close()
        await admin.close()


# Evict


async def test_a_pod_is_evicted_and_made_again(source: KubernetesSource) -> None:
    verb, pod = EvictPod(source), pods(source, "api")[0]
    action = await verb.plan(evict_request(pod))
    assert action.preview == ("the server's dry run accepts it",)
    assert "/eviction" in action.command
    assert (await done(verb, action)).phase is Phase.CONVERGED
    answer = await source.connection.call("GET", f"/api/v1/namespaces/shop/pods/{pod.name}")
    assert answer.status == 404


async def test_a_budget_that_allows_nothing_refuses_at_the_plan_and_at_the_write(source: KubernetesSource) -> None:
    verb = EvictPod(source)
    with pytest.raises(NotSentError, match="disruption budget ledger needs 2 healthy pods and has 2"):
        await verb.plan(evict_request(pods(source, "ledger")[0]))
    action = await verb.plan(evict_request(pods(source, "gateway")[0]))
    assert any("it is asked again when this is sent" in line for line in action.impact)
    await patch(source, {"spec": {"minAvailable": 3}}, _BUDGETS.format("shop", "gateway"))
    with pytest.raises(NotSentError, match=r"does not allow it now.*nothing was changed"):
        await verb.execute(action)


async def test_a_server_that_is_busy_is_no_disruption_budget(cluster: Cluster, source: KubernetesSource) -> None:
    verb = EvictPod(source)
    action = await verb.plan(evict_request(pods(source, "api")[0]))
    cluster.server.faults.add(Fault(FaultKind.TOO_MANY, verb="create", times=1, path="/api/v1/namespaces/shop/pods/"))
    with pytest.raises(NotSentError, match="too many requests"):
        await verb.execute(action)


async def test_an_eviction_without_an_answer_is_found_by_reading(cluster: Cluster, source: KubernetesSource) -> None:
    verb = EvictPod(source)
    action = await verb.plan(evict_request(pods(source, "api")[0]))
    fault = Fault(FaultKind.LOST, verb="create", times=2, path="/api/v1/namespaces/shop/pods/")
    cluster.server.faults.add(fault)
    with pytest.raises(SourceError):
        await verb.execute(action)
    assert fault.times == 1, "sent once"
    look = await verb.look(action.sent(time.time()))
    assert look.phase in (Phase.WAITING, Phase.CONVERGED)


# Drain


async def steps(verb: DrainNode, action: Action) -> list[Step]:
    async with asyncio.timeout(30):
        return [step async for step in verb.steps(action)]


def quick(source: KubernetesSource) -> DrainNode:
    return DrainNode(source, pause=lambda seconds: asyncio.sleep(0.05))


async def test_a_drain_empties_the_node_and_leaves_daemons(source: KubernetesSource) -> None:
    chosen = await without_bare(source)
    verb = quick(source)
    action = await verb.plan(drain_request(chosen))
    assert action.risk is Risk.HIGH
    assert all("may go now" in line for line in action.preview)
    assert action.command.endswith(f"drain {chosen.name} --ignore-daemonsets")
    assert await on_node(source, chosen.name), "a plan changes nothing"
    assert "unschedulable" not in await spec(source, chosen.name)
    receipt = await verb.execute(action)
    told = await steps(verb, action)
    assert sum(step.is_change for step in told) == len(action.evidence["pods"])
    assert told[-1].text.startswith(f"{len(action.evidence['pods'])} of {len(action.evidence['pods'])} gone")
    assert await on_node(source, chosen.name) == []
    assert await verb.look(action.sent(0.0).learned(receipt)) == Look(
        Phase.CONVERGED, "cordoned and empty; 1 of DaemonSets stay"
    )
    assert action.inverse is not None
    assert action.inverse.verb == UNCORDON


async def test_a_pod_whose_budget_allows_nothing_is_waited_for_and_named(source: KubernetesSource) -> None:
    await without_bare(source)
    await patch(source, {"spec": {"maxUnavailable": 0}}, _BUDGETS.format("payments", "ledger"))
    held = pods(source, "ledger")[0]
    verb = quick(source)
    action = await verb.plan(drain_request(node(source, held.node)))
    assert any(f"{held.path}: waits: The disruption budget ledger" in line for line in action.preview)
    assert any("PodDisruptionBudget payments/ledger allows 0 now" in line for line in action.impact)
    await verb.execute(action)
    waited = False
    async with asyncio.timeout(30):
        async for step in verb.steps(action):
            if not waited and f"{held.path} waits" in step.text and not step.is_change:
                waited = True
                look = await verb.look(action.sent(0.0))
                assert (look.phase, held.path in look.detail) == (Phase.NOT_CONVERGED, True)
                await patch(source, {"spec": {"maxUnavailable": 1}}, _BUDGETS.format("payments", "ledger"))
    assert waited
    assert await on_node(source, str(held.node)) == []


async def test_uncordoning_it_elsewhere_stops_a_drain(source: KubernetesSource) -> None:
    await without_bare(source)
    await patch(source, {"spec": {"maxUnavailable": 0}}, _BUDGETS.format("payments", "ledger"))
    held = pods(source, "ledger")[0]
    verb = quick(source)
    action = await verb.plan(drain_request(node(source, held.node)))
    await verb.execute(action)
    last = ""
    async with asyncio.timeout(30):
        async for step in verb.steps(action):
            last = step.text
            if f"{held.path} waits" in step.text:
                await patch(source, {"spec": {"unschedulable": None}}, f"/api/v1/nodes/{held.node}")
    assert last == "somebody has uncordoned it: nobody is evicted any more"
    assert held.path in await on_node(source, str(held.node))
    assert (await verb.look(action.sent(0.0))).phase is Phase.ABSENT


async def test_a_pod_that_nothing_makes_again_stops_a_drain_before_it_begins(
    cluster: Cluster, source: KubernetesSource
) -> None:
    chosen = await without_bare(source)
    path = f"/api/v1/namespaces/shop/pods/{pods(source, 'api')[0].name}"
    bare: dict[str, Any] = dict(await source.connection.get(path))
    bare["metadata"] = {"name": "bare", "namespace": "shop"}
    bare["spec"] = {**bare["spec"], "nodeName": chosen.name}
    cluster.store.insert(PODS, bare)
    with pytest.raises(NotSentError, match="nothing makes shop/bare again"):
        await quick(source).plan(drain_request(chosen))


async def test_a_server_that_is_away_for_a_moment_does_not_end_a_drain(
    cluster: Cluster, source: KubernetesSource
) -> None:
    chosen = await without_bare(source)
    verb = quick(source)
    action = await verb.plan(drain_request(chosen))
    await verb.execute(action)
    cluster.server.faults.add(Fault(FaultKind.UNAVAILABLE, verb="list", times=2, path="/api/v1/pods"))
    cluster.server.faults.add(Fault(FaultKind.LOST, verb="create", times=1, path="/api/v1/namespaces/"))
    told = await steps(verb, action)
    assert any("not seen for a moment" in step.text for step in told)
    assert await on_node(source, chosen.name) == []


async def test_a_drain_is_led_through_its_life_and_every_eviction_stands_on_record(
    source: KubernetesSource, tmp_path: Path
) -> None:
    chosen = await without_bare(source)
    bench, verb = Bench(tmp_path / "journal"), quick(source)
    verbs: dict[tuple[str, str], Verb] = {("drain", source.name): verb}
    told: list[str] = []
    performer = Performer(bench.profile, verbs, bench.guard, bench.journal, pause=lambda seconds: asyncio.sleep(0.02))
    outcome = await performer.perform(drain_request(chosen), bench.confirm, lambda request, what: told.append(what))
    assert isinstance(outcome, Outcome)
    assert outcome.ending is Ending.CONVERGED, outcome.detail
    assert any("gone" in what for what in told)
    whats = [entry["what"] for entry in bench.journal.entries()]
    assert whats.count("step") >= 1
    assert (whats[0], whats[-1]) == ("intent", "outcome")
    evicted = {entry["detail"] for entry in bench.journal.entries() if entry["what"] == "step"}
    assert all(detail.startswith("evicted ") for detail in evicted)


async def test_disarming_stops_a_drain_and_what_is_left_is_said(source: KubernetesSource, tmp_path: Path) -> None:
    await without_bare(source)
    await patch(source, {"spec": {"maxUnavailable": 0}}, _BUDGETS.format("payments", "ledger"))
    held = pods(source, "ledger")[0]
    bench, verb = Bench(tmp_path / "journal"), quick(source)
    bench.guard.read_only = True
    bench.guard.arm(600, "anna")
    told: list[str] = []

    def progress(request: Request, what: str) -> None:
        told.append(what)
        if f"{held.path} waits" in what:
            bench.guard.disarm()

    verbs: dict[tuple[str, str], Verb] = {("drain", source.name): verb}
    performer = Performer(bench.profile, verbs, bench.guard, bench.journal, pause=lambda seconds: asyncio.sleep(0.02))
    outcome = await performer.perform(drain_request(node(source, held.node)), bench.confirm, progress)
    assert "it goes no further: somebody has disarmed" in told
    assert outcome.ending is Ending.NOT_CONVERGED
    assert f"nobody evicts {held.path} any more" in outcome.detail
    assert held.path in await on_node(source, str(held.node))
