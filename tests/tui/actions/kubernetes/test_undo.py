"""Going back to an earlier template on the simulated cluster."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.tui.actions.kubernetes.conftest import API, done, patch, recreate, workload
from tui.actions.action import NotSentError, Phase, Request, Sight
from tui.actions.kubernetes.undo import UndoRollout, undo_request
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import part, parts, text
from tui.sources.kubernetes.revisions import Revision, revisions

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_NEW = "registry.example/shop/api:9.9.9"


async def image(source: KubernetesSource, kind: str = "Deployment", name: str = "api") -> str:
    obj = await source.fetch(kind, "shop", name)
    return text(parts(part(obj, "spec", "template", "spec"), "containers")[0], "image")


async def known(source: KubernetesSource, kind: str = "Deployment", name: str = "api") -> tuple[Revision, ...]:
    return await revisions(source.connection, await source.fetch(kind, "shop", name))


async def release(source: KubernetesSource, path: str = API, kind: str = "Deployment", name: str = "api") -> None:
    """Roll a new image out, and wait until the controller keeps a revision of it."""
    obj = await source.fetch(kind, "shop", name)
    template: dict[str, Any] = dict(part(obj, "spec", "template"))
    containers = [{**container, "image": _NEW} for container in parts(part(template, "spec"), "containers")]
    await patch(source, {"spec": {"template": {"spec": {"containers": containers}}}}, path)
    async with asyncio.timeout(30):
        while not any(found.is_current and _NEW in found.images for found in await known(source, kind, name)):
            await asyncio.sleep(0.05)


async def request_to_previous(source: KubernetesSource) -> Request:
    current, previous, *_ = await known(source)
    assert current.is_current
    return undo_request(workload(source), previous, current)


@pytest.fixture
async def released(source: KubernetesSource) -> KubernetesSource:
    await release(source)
    return source


async def test_the_previous_template_comes_back_and_its_difference_is_shown_first(released: KubernetesSource) -> None:
    verb, old = UndoRollout(released), (await known(released))[1].images[0]
    action = await verb.plan(await request_to_previous(released))
    assert any(line.endswith(f".image: {_NEW} → {old}") for line in action.preview)
    assert f"--to-revision={action.request.wanted['revision']}" in action.command
    assert await image(released) == _NEW, "a plan changes nothing"
    assert (await done(verb, action)).phase is Phase.CONVERGED
    assert await image(released) == old


async def test_going_back_is_taken_back_by_going_to_the_revision_it_had(released: KubernetesSource) -> None:
    verb = UndoRollout(released)
    action = await verb.plan(await request_to_previous(released))
    assert (await done(verb, action)).phase is Phase.CONVERGED
    assert action.inverse is not None
    back = await verb.plan(replace(action.inverse, undoes=action.id))
    assert (await done(verb, back)).phase is Phase.CONVERGED
    assert await image(released) == _NEW


async def test_taking_it_back_is_refused_when_somebody_has_changed_the_template_since(
    released: KubernetesSource,
) -> None:
    verb = UndoRollout(released)
    action = await verb.plan(await request_to_previous(released))
    await done(verb, action)
    await patch(released, {"spec": {"template": {"metadata": {"annotations": {"team": "shop"}}}}})
    assert action.inverse is not None
    with pytest.raises(NotSentError, match="has changed since"):
        await verb.plan(action.inverse)


async def test_a_template_that_moved_after_the_plan_stops_the_write(released: KubernetesSource) -> None:
    verb = UndoRollout(released)
    action = await verb.plan(await request_to_previous(released))
    await patch(released, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 77}}}})
    seen, what = await verb.sight(action)
    assert (seen, "terminationGracePeriodSeconds" in what) == (Sight.CHANGED, True)
    with pytest.raises(NotSentError, match=r"has moved on: its template changed: .*terminationGracePeriodSeconds"):
        await verb.execute(action)
    assert await image(released) == _NEW


async def test_another_deployment_of_the_same_name_is_left_alone(released: KubernetesSource) -> None:
    verb = UndoRollout(released)
    action = await verb.plan(await request_to_previous(released))
    await recreate(released)
    with pytest.raises(NotSentError, match="another one under the same name"):
        await verb.execute(action)


async def test_what_cannot_be_gone_back_to_says_why(released: KubernetesSource) -> None:
    verb, (current, previous, *_) = UndoRollout(released), await known(released)
    seen = workload(released)
    with pytest.raises(NotSentError, match="already has the template of revision"):
        await verb.plan(undo_request(seen, current, current))
    with pytest.raises(NotSentError, match=r"revision .* is gone \(revisionHistoryLimit\)"):
        await verb.plan(undo_request(seen, replace(previous, uid="no-such"), current))
    await patch(released, {"spec": {"paused": True}})
    with pytest.raises(NotSentError, match="paused: resume its rollout first"):
        await verb.plan(undo_request(seen, previous, current))


async def test_a_stateful_set_goes_back_by_its_controller_revisions(source: KubernetesSource) -> None:
    before = await image(source, "StatefulSet", "queue")
    await release(source, "/apis/apps/v1/namespaces/shop/statefulsets/queue", "StatefulSet", "queue")
    verb, (current, previous, *_) = UndoRollout(source), await known(source, "StatefulSet", "queue")
    action = await verb.plan(undo_request(workload(source, "queue"), previous, current))
    assert (await done(verb, action)).phase is Phase.CONVERGED
    assert await image(source, "StatefulSet", "queue") == before
