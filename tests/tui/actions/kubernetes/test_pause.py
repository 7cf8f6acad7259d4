"""Pausing and resuming rollouts on the simulated cluster."""

from dataclasses import replace

import pytest

from tests.tui.actions.kubernetes.conftest import done, patch, recreate, workload
from tui.actions.action import NotSentError, Phase, Sight
from tui.actions.kubernetes.pause import PauseRollout, ResumeRollout, pause_request
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import part

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


async def is_paused(source: KubernetesSource) -> bool:
    return part(await source.fetch("Deployment", "shop", "api"), "spec").get("paused") is True


async def test_a_rollout_is_paused_and_that_is_temporary_and_taken_back(source: KubernetesSource) -> None:
    verb = PauseRollout(source)
    request = pause_request(workload(source))
    assert request.temporary_s == 0.0
    action = await verb.plan(request)
    assert action.preview == ("+ spec.paused: True",)
    assert (await done(verb, action)).phase is Phase.CONVERGED
    assert await is_paused(source)
    assert action.inverse is not None
    resume = ResumeRollout(source)
    back = await resume.plan(replace(action.inverse, undoes=action.id))
    assert (await done(resume, back)).phase is Phase.CONVERGED
    assert not await is_paused(source)


async def test_each_refuses_what_is_so_already(source: KubernetesSource) -> None:
    request = pause_request(workload(source))
    with pytest.raises(NotSentError, match="is not paused"):
        await ResumeRollout(source).plan(replace(request, verb="resume-rollout"))
    await patch(source, {"spec": {"paused": True}})
    with pytest.raises(NotSentError, match="is paused already"):
        await PauseRollout(source).plan(request)


async def test_a_resume_that_somebody_else_did_meanwhile_stops_the_write(source: KubernetesSource) -> None:
    await patch(source, {"spec": {"paused": True}})
    verb = ResumeRollout(source)
    action = await verb.plan(replace(pause_request(workload(source)), verb="resume-rollout"))
    await patch(source, {"spec": {"paused": False}})
    assert await verb.sight(action) == (Sight.CHANGED, "it is not paused")
    with pytest.raises(NotSentError, match="has moved on: it is not paused"):
        await verb.execute(action)


async def test_another_deployment_of_the_same_name_is_not_paused(source: KubernetesSource) -> None:
    verb = PauseRollout(source)
    action = await verb.plan(pause_request(workload(source)))
    await recreate(source)
    with pytest.raises(NotSentError, match="another one under the same name"):
        await verb.execute(action)
    assert not await is_paused(source)


async def test_a_pause_whose_answer_was_lost_is_found_by_looking(cluster: Cluster, source: KubernetesSource) -> None:
    verb = PauseRollout(source)
    action = await verb.plan(pause_request(workload(source)))
    cluster.server.faults.add(Fault(FaultKind.LOST, verb="patch", times=1))
    with pytest.raises(SourceError):
        await verb.execute(action)
    assert (await verb.look(action.sent(0.0))).phase in (Phase.WAITING, Phase.CONVERGED)


async def test_a_pause_that_was_cut_off_before_it_arrived_is_found_absent(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb = PauseRollout(source)
    action = await verb.plan(pause_request(workload(source)))
    cluster.server.faults.add(Fault(FaultKind.CUT, verb="patch", times=1))
    with pytest.raises(SourceError):
        await verb.execute(action)
    assert (await verb.look(action.sent(0.0))).phase is Phase.ABSENT
