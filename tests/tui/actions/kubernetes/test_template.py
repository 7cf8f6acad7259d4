"""Images, variables and resources of containers on the simulated cluster."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tui.actions.kubernetes.conftest import API, done, patch, recreate, source_as, workload
from tui.actions.action import Action, NotSentError, Phase, Request, Risk, Sight
from tui.actions.kubernetes.environment import SetEnv, env_request
from tui.actions.kubernetes.image import SET_IMAGE, SetImage
from tui.actions.kubernetes.resources import SET_RESOURCES, SetResources
from tui.actions.kubernetes.template import template_request
from tui.actions.kubernetes.undo import UndoRollout
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import part, parts

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_NEW = "registry.example/shop/api:2.15.0"


def to_image(source: KubernetesSource, image: str = _NEW, name: str = "api") -> Request:
    return template_request(SET_IMAGE, workload(source, name), {"container": "app", "image": image})


async def container(source: KubernetesSource, name: str = "api") -> Mapping[str, Any]:
    return parts(part(await source.fetch("Deployment", "shop", name), "spec", "template", "spec"), "containers")[0]


async def taken_back(source: KubernetesSource, action: Action, receipt: Mapping[str, Any]) -> Action:
    """Plan the inverse as the ledger would, with what the server wrote."""
    assert action.inverse is not None
    seen = {key: receipt.get(key, value) for key, value in action.inverse.seen.items()}
    return await UndoRollout(source).plan(replace(action.inverse, seen=seen, undoes=action.id))


async def test_an_image_is_set_shown_first_and_taken_back_by_its_revision(source: KubernetesSource) -> None:
    verb, old = SetImage(source), (await container(source))["image"]
    action = await verb.plan(to_image(source))
    assert f'~ spec.template.spec.containers["app"].image: {old} → {_NEW}' in action.preview
    assert action.command.endswith(f"-n shop set image deployment/api app={_NEW}")
    assert (await container(source))["image"] == old, "a plan changes nothing"
    assert (await done(verb, action)).phase is Phase.CONVERGED
    assert (await container(source))["image"] == _NEW
    back = await taken_back(source, action, {})
    assert (await done(UndoRollout(source), back)).phase is Phase.CONVERGED
    assert (await container(source))["image"] == old


async def test_taking_an_image_back_is_refused_when_the_template_is_no_longer_ours(source: KubernetesSource) -> None:
    verb = SetImage(source)
    action = await verb.plan(to_image(source))
    receipt = await verb.execute(action)
    await patch(source, {"spec": {"template": {"metadata": {"annotations": {"team": "shop"}}}}})
    with pytest.raises(NotSentError, match="has changed since"):
        await taken_back(source, action, receipt.evidence)


async def test_only_a_tag_means_another_version_of_the_same_image(source: KubernetesSource) -> None:
    from tui.actions.kubernetes.typed import image_of

    was = (await container(source))["image"]
    assert image_of(":2.15.0", was) == _NEW
    assert image_of("localhost:5000/api", was) == "localhost:5000/api"
    assert image_of(":3", "localhost:5000/api@sha256:" + "a" * 64) == "localhost:5000/api:3"


async def test_an_image_without_a_version_or_of_another_repository_is_said_to_be(source: KubernetesSource) -> None:
    action = await SetImage(source).plan(to_image(source, "registry.example/other/api"))
    assert any("no version in it" in line for line in action.impact)
    assert any("another repository" in line for line in action.impact)


@pytest.mark.parametrize("image", ["", "api:1 2", "-rf", "registry.example/shop/api:2.14.0", "a\x1b[31m", "UPPER:1"])
async def test_what_is_no_other_image_is_refused(source: KubernetesSource, image: str) -> None:
    with pytest.raises(NotSentError, match=r"an image: |has this image already"):
        await SetImage(source).plan(to_image(source, image))


async def test_an_image_that_nobody_can_pull_does_not_converge_and_names_the_pods(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb = SetImage(source)
    cluster.behaviours.set_image(_NEW, "image-pull")
    action = await verb.plan(to_image(source))
    receipt, began = await verb.execute(action), time.time()
    for _ in range(100):
        await source.read()
        look = await verb.look(action.sent(began).learned(receipt))
        assert look.phase is Phase.WAITING, look
        if "ImagePullBackOff: api-" in look.detail:
            return
    pytest.fail(look.detail)


async def test_a_template_that_moved_after_the_plan_stops_the_write(source: KubernetesSource) -> None:
    verb = SetImage(source)
    action = await verb.plan(to_image(source))
    await patch(source, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 77}}}})
    assert (await verb.sight(action))[0] is Sight.CHANGED
    with pytest.raises(NotSentError, match=r"has moved on: its template changed: .*terminationGracePeriodSeconds"):
        await verb.execute(action)
    assert (await container(source))["image"] != _NEW


async def test_another_deployment_of_the_same_name_keeps_its_image(source: KubernetesSource) -> None:
    verb = SetImage(source)
    action = await verb.plan(to_image(source))
    await recreate(source)
    with pytest.raises(NotSentError, match="another one under the same name"):
        await verb.execute(action)
    assert (await container(source))["image"] != _NEW


@pytest.mark.parametrize(("kind", "phases"), [
    (FaultKind.LOST, (Phase.WAITING, Phase.CONVERGED)), (FaultKind.CUT, (Phase.ABSENT,)),
])  # fmt: skip
async def test_what_became_of_a_write_without_an_answer_is_found_by_reading(
    cluster: Cluster, source: KubernetesSource, kind: FaultKind, phases: tuple[Phase, ...]
) -> None:
    verb = SetImage(source)
    action = await verb.plan(to_image(source))
    cluster.server.faults.add(fault := Fault(kind, verb="patch", times=2))
    with pytest.raises(SourceError):
        await verb.execute(action)
    assert fault.times == 1, "sent once"
    assert (await verb.look(action.sent(0.0))).phase in phases


async def test_without_permission_nothing_is_tried(cluster: Cluster, tmp_path: Path) -> None:
    source = source_as(cluster, tmp_path, "viewer")
    await source.read()
    try:
        action = await SetImage(source).plan(to_image(source))
        assert "needs patch on deployments in shop" in action.permission
        assert action.preview == ("no preview: not permitted",)
    finally:
        await source.close()


async def test_what_cannot_get_another_image_says_why(source: KubernetesSource) -> None:
    seen = workload(source)
    with pytest.raises(NotSentError, match="has no container nope"):
        await SetImage(source).plan(template_request(SET_IMAGE, seen, {"container": "nope", "image": _NEW}))
    await patch(source, {"spec": {"paused": True}})
    with pytest.raises(NotSentError, match="paused: resume its rollout first"):
        await SetImage(source).plan(to_image(source))


# Variables


async def test_a_variable_is_added_changed_and_taken_away(source: KubernetesSource) -> None:
    verb = SetEnv(source)
    for typed, before, after in (
        ("LOG_LEVEL=info", "LOG_LEVEL is not set", "LOG_LEVEL=info"),
        ("LOG_LEVEL=debug, x=y", "LOG_LEVEL=info", "LOG_LEVEL=debug, x=y"),
        ("LOG_LEVEL-", "LOG_LEVEL=debug, x=y", "LOG_LEVEL is not set"),
    ):
        action = await verb.plan(env_request(workload(source), "app", typed))
        assert (action.before, action.after) == (before, after)
        await verb.execute(action)
    assert "LOG_LEVEL" not in str((await container(source)).get("env"))


async def test_a_variable_set_for_a_while_is_temporary_and_taken_back(source: KubernetesSource) -> None:
    verb, before = SetEnv(source), await container(source)
    request = env_request(workload(source), "app", "LOG_LEVEL=debug", 1800.0)
    assert (request.temporary_s, request.target.scope["variable"]) == (1800.0, "LOG_LEVEL")
    action = await verb.plan(request)
    receipt = await verb.execute(action)
    assert {"name": "LOG_LEVEL", "value": "debug"} in (await container(source))["env"]
    await UndoRollout(source).execute(await taken_back(source, action, receipt.evidence))
    assert await container(source) == before


@pytest.mark.parametrize("typed", [
    "DB_PASSWORD=hunter2", "API_KEY=x", "UPSTREAM=postgresql://shop:hunter2@db/shop",
    "X=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "HEADER=Authorization: Bearer abcdefgh12345678",
])  # fmt: skip
async def test_what_looks_like_a_secret_is_refused_with_the_remedy(source: KubernetesSource, typed: str) -> None:
    with pytest.raises(NotSentError, match="Put it into a Secret") as caught:
        await SetEnv(source).plan(env_request(workload(source), "app", typed))
    assert typed.partition("=")[2] not in str(caught.value)


async def test_a_variable_that_is_a_reference_is_not_overwritten(source: KubernetesSource) -> None:
    reference = {"secretKeyRef": {"name": "database", "key": "url"}}
    containers = [{**await container(source), "env": [{"name": "DATABASE", "valueFrom": reference}]}]
    await patch(source, {"spec": {"template": {"spec": {"containers": containers}}}})
    with pytest.raises(NotSentError, match="DATABASE is read from Secret database, key url"):
        await SetEnv(source).plan(env_request(workload(source), "app", "DATABASE=x"))
    with pytest.raises(NotSentError, match="has no variable NOPE of its own"):
        await SetEnv(source).plan(env_request(workload(source), "app", "NOPE-"))


# Resources


def to_resources(source: KubernetesSource, amounts: Mapping[str, str | None], namespace: str = "shop") -> Request:
    name = "api" if namespace == "shop" else "payments"
    return template_request(SET_RESOURCES, workload(source, name, namespace), {"container": "app", **amounts})


async def test_only_the_amounts_that_were_named_change(source: KubernetesSource) -> None:
    verb, before = SetResources(source), (await container(source))["resources"]
    action = await verb.plan(to_resources(source, {"limits.memory": "2Gi"}))
    assert action.command.endswith("set resources deployment/api -c app --limits=memory=2Gi")
    assert action.risk is Risk.MEDIUM
    assert (await done(verb, action)).phase is Phase.CONVERGED
    assert (await container(source))["resources"] == {
        **before, "limits": {**before.get("limits", {}), "memory": "2Gi"}
    }  # fmt: skip
    action = await verb.plan(to_resources(source, {"limits.memory": "1Gi"}))
    assert any("OOMKilled" in line for line in action.impact)


async def test_more_than_any_node_has_or_a_quota_allows_is_a_high_risk(source: KubernetesSource) -> None:
    verb = SetResources(source)
    action = await verb.plan(to_resources(source, {"requests.cpu": "64"}))
    assert (action.risk, "stay Pending" in action.risk_reason) == (Risk.HIGH, True)
    action = await verb.plan(to_resources(source, {"limits.memory": "7Gi"}, "payments"))
    assert (action.risk, "ResourceQuota payments" in action.risk_reason) == (Risk.HIGH, True)


@pytest.mark.parametrize(("amounts", "words"), [
    ({"limits.memory": "512"}, "was a unit"),
    ({"requests.memory": "2Gi", "limits.memory": "1Gi"}, "more than its limit"),
    ({"requests.memory": "900Gi"}, "more than its limit"),
    ({"limits.gpu": "1"}, "requests.cpu"),
    ({"limits.cpu": "much"}, "an amount is written"),
    ({}, "like requests.cpu"),
])  # fmt: skip
async def test_amounts_that_make_no_sense_are_refused(
    source: KubernetesSource, amounts: Mapping[str, str | None], words: str
) -> None:
    with pytest.raises(NotSentError, match=words):
        await SetResources(source).plan(to_resources(source, amounts))


async def test_what_is_taken_away_is_gone_and_what_is_so_already_is_refused(source: KubernetesSource) -> None:
    verb, before = SetResources(source), (await container(source))["resources"]
    name, amount = next(iter(before["requests"].items()))
    with pytest.raises(NotSentError, match="has it so already"):
        await verb.plan(to_resources(source, {f"requests.{name}": amount}))
    await verb.execute(await verb.plan(to_resources(source, {f"requests.{name}": None})))
    assert name not in (await container(source))["resources"]["requests"]
    assert API.endswith("api")
