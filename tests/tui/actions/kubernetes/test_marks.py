"""Labels and annotations on the simulated cluster."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.actions.kubernetes.conftest import API, done, patch, pods, recreate, workload
from tui.actions.action import NotSentError, Phase, Risk, Sight
from tui.actions.kubernetes.marks import Annotate, Label, mark_request
from tui.actions.kubernetes.typed import (
    image_problem,
    mark,
    mark_problem,
    resources_problem,
    variable,
    variable_problem,
)
from tui.sandbox.cluster.client import APPS
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.resources import STATEFULSETS
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import part

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


async def marks(source: KubernetesSource, name: str = "labels") -> Mapping[str, Any]:
    return part(await source.fetch("Deployment", "shop", "api"), "metadata", name)


async def test_a_label_is_set_changed_taken_away_and_each_taken_back(source: KubernetesSource) -> None:
    verb, before = Label(source), dict(await marks(source))
    for typed, told in (
        ("team=shop", "no team → team=shop"),
        ("team=core", "team=shop → team=core"),
        ("team-", "team=core → no team"),
    ):
        action = await verb.plan(mark_request("label", workload(source), typed))
        assert f"{action.before} → {action.after}" == told
        kept = dict(await marks(source))
        assert (await done(verb, action)).phase is Phase.CONVERGED
        changed = dict(await marks(source))
        assert action.inverse is not None
        back = await verb.plan(replace(action.inverse, undoes=action.id))
        assert (await done(verb, back)).phase is Phase.CONVERGED
        assert dict(await marks(source)) == kept
        again = await verb.plan(mark_request("label", workload(source), typed))
        await verb.execute(again)
        assert dict(await marks(source)) == changed
    assert dict(await marks(source)) == before


async def test_taking_a_label_back_is_refused_when_it_is_no_longer_ours(source: KubernetesSource) -> None:
    verb = Label(source)
    action = await verb.plan(mark_request("label", workload(source), "team=shop"))
    await verb.execute(action)
    await patch(source, {"metadata": {"labels": {"team": "other"}}})
    assert action.inverse is not None
    with pytest.raises(NotSentError, match="no longer ours to take back"):
        await verb.plan(replace(action.inverse, undoes=action.id))


@pytest.mark.parametrize("there", [True, False])
async def test_a_label_that_moved_after_the_plan_stops_the_write(source: KubernetesSource, there: bool) -> None:
    if there:
        await patch(source, {"metadata": {"labels": {"team": "shop"}}})
    action = await Label(source).plan(mark_request("label", workload(source), "team=core"))
    await patch(source, {"metadata": {"labels": {"team": "other"}}})
    assert (await Label(source).sight(action))[0] is Sight.CHANGED
    with pytest.raises(NotSentError, match=r"has moved on: .* → team=other"):
        await Label(source).execute(action)
    assert (await marks(source))["team"] == "other"


async def test_another_label_that_moved_is_said_where_the_key_is_new(source: KubernetesSource) -> None:
    action = await Label(source).plan(mark_request("label", workload(source), "team=core"))
    await patch(source, {"metadata": {"labels": {"tier": "web"}}})
    words = "its labels changed: + tier: web"
    assert await Label(source).sight(action) == (Sight.CHANGED, words)
    with pytest.raises(NotSentError, match=re.escape(f"has moved on: {words}; nothing was changed")):
        await Label(source).execute(action)


async def test_where_there_are_no_annotations_one_set_in_the_same_moment_is_not_lost(
    cluster: Cluster, source: KubernetesSource
) -> None:
    queue = workload(source, "queue")
    cluster.store.modify(STATEFULSETS, "shop", "queue", lambda copy: copy["metadata"].pop("annotations", None))
    verb = Annotate(source)
    action = await verb.plan(mark_request("annotate", queue, "why=ops"))
    await patch(source, {"metadata": {"annotations": {"other": "one"}}}, f"{APPS}/statefulsets/queue")
    with pytest.raises(NotSentError, match="has moved on: its annotations changed"):
        await verb.execute(action)
    found = await source.fetch("StatefulSet", "shop", "queue")
    assert part(found, "metadata", "annotations") == {"other": "one"}


async def test_another_deployment_of_the_same_name_gets_no_label(source: KubernetesSource) -> None:
    action = await Label(source).plan(mark_request("label", workload(source), "team=core"))
    await recreate(source)
    with pytest.raises(NotSentError, match="another one under the same name"):
        await Label(source).execute(action)
    assert "team" not in await marks(source)


async def test_a_pods_label_that_its_owner_selects_by_is_a_high_risk(source: KubernetesSource) -> None:
    pod = pods(source, "api")[0]
    action = await Label(source).plan(mark_request("label", pod, "app=quarantined"))
    assert (action.risk, "lets this pod go and makes another" in action.risk_reason) == (Risk.HIGH, True)
    action = await Label(source).plan(mark_request("label", pod, "looked-at-by=me"))
    assert action.risk is Risk.MEDIUM


async def test_a_node_and_a_key_with_a_slash_are_annotated(source: KubernetesSource) -> None:
    node = next(iter(source.mirror.nodes.facts.values()))
    verb = Annotate(source)
    action = await verb.plan(mark_request("annotate", node, "example.com/why=disk is slow; ask ops"))
    assert action.command.endswith(f"annotate node {node.name} 'example.com/why=disk is slow; ask ops'")
    assert (await done(verb, action)).phase is Phase.CONVERGED
    found = part(await source.fetch("Node", "", node.name), "metadata", "annotations")
    assert found["example.com/why"] == "disk is slow; ask ops"


async def test_an_old_value_that_may_be_a_secret_is_neither_shown_nor_kept(source: KubernetesSource) -> None:
    await patch(source, {"metadata": {"annotations": {"hook": "https://me:hunter2@example.com"}}})
    action = await Annotate(source).plan(mark_request("annotate", workload(source), "hook=none"))
    assert action.inverse is None
    assert "hunter2" not in f"{action.before}{action.undo}{action.inverse}"


@pytest.mark.parametrize(("kind", "phase"), [(FaultKind.LOST, Phase.CONVERGED), (FaultKind.CUT, Phase.ABSENT)])
async def test_what_became_of_a_label_without_an_answer_is_found_by_reading(
    cluster: Cluster, source: KubernetesSource, kind: FaultKind, phase: Phase
) -> None:
    action = await Label(source).plan(mark_request("label", workload(source), "team=core"))
    cluster.server.faults.add(Fault(kind, verb="patch", times=1, path=API))
    with pytest.raises(SourceError):
        await Label(source).execute(action)
    assert (await Label(source).look(action.sent(0.0))).phase is phase


@pytest.mark.parametrize("typed", ["", "team", "=x", "-", "-team=x", "a b=c", "team=has space", "team=" + "x" * 64,
                                   "/team=x", "UPPER/team=x", "team=\x1b[31m"])  # fmt: skip
async def test_what_is_no_label_is_refused(source: KubernetesSource, typed: str) -> None:
    with pytest.raises(NotSentError):
        await Label(source).plan(mark_request("label", workload(source), typed))


# What people type, whatever it is


@given(st.text())
def test_nothing_that_is_typed_raises(typed: str) -> None:
    for problem in (
        image_problem(typed),
        variable_problem(typed),
        resources_problem(typed),
        mark_problem(typed, is_label=True),
        mark_problem(typed, is_label=False),
    ):
        assert isinstance(problem, str)
    mark(typed)
    variable(typed)


@given(st.from_regex(r"[A-Z_]{1,12}", fullmatch=True), st.text(alphabet="abc =,:/-_", max_size=30))
def test_a_variable_is_what_stands_before_and_behind_the_first_equals_sign(name: str, value: str) -> None:
    assert variable(f"{name}={value}") == (name, value)
    assert variable(f"{name}-") == (name, None)
