"""CronJobs on the simulated cluster: suspended, let go on, run now."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tui.actions.kubernetes.conftest import done, patch, source_as, workload
from tui.actions.action import NotSentError, Phase, Request, Risk, Sight
from tui.actions.kubernetes.change import workload_target
from tui.actions.kubernetes.cronjob import (
    UNSUSPEND,
    ResumeCronJob,
    RunJob,
    SuspendCronJob,
    run_request,
    suspend_request,
)
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sandbox.cluster.resources import CRONJOBS
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.fields import part, parts
from tui.sources.kubernetes.workloads import Workload

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_PATH = "/apis/batch/v1/namespaces/payments/cronjobs/settlement"
_JOBS = "/apis/batch/v1/namespaces/payments/jobs"


def settlement(source: KubernetesSource) -> Workload:
    return workload(source, "settlement", "payments")


async def jobs(source: KubernetesSource) -> set[str]:
    listed = await source.connection.get(_JOBS)
    return {item["metadata"]["name"] for item in parts(listed, "items")}


async def test_a_cron_job_is_suspended_for_a_while_and_goes_on(source: KubernetesSource) -> None:
    verb, request = SuspendCronJob(source), suspend_request(settlement(source))
    assert (request.verb, request.temporary_s) == ("suspend", 0.0)
    action = await verb.plan(request)
    assert action.preview == ("~ spec.suspend: False → True",)
    assert action.command.endswith("""patch cronjob settlement -p '{"spec":{"suspend":true}}\'""")
    assert (await done(verb, action)).phase is Phase.CONVERGED
    assert part(await source.fetch("CronJob", "payments", "settlement"), "spec")["suspend"] is True
    assert action.inverse is not None
    back = await ResumeCronJob(source).plan(replace(action.inverse, undoes=action.id))
    assert any("missed while suspended" in line for line in back.impact)
    assert (await done(ResumeCronJob(source), back)).phase is Phase.CONVERGED
    assert part(await source.fetch("CronJob", "payments", "settlement"), "spec")["suspend"] is False


async def test_each_refuses_what_is_so_already_and_what_moved_stops_the_write(source: KubernetesSource) -> None:
    going_on = Request(UNSUSPEND, workload_target(settlement(source)))
    with pytest.raises(NotSentError, match="is not suspended"):
        await ResumeCronJob(source).plan(going_on)
    await patch(source, {"spec": {"suspend": True}}, _PATH)
    with pytest.raises(NotSentError, match="is suspended already"):
        await SuspendCronJob(source).plan(suspend_request(settlement(source)))
    action = await ResumeCronJob(source).plan(going_on)
    await patch(source, {"spec": {"suspend": False}}, _PATH)
    assert await ResumeCronJob(source).sight(action) == (Sight.CHANGED, "it is not suspended")
    with pytest.raises(NotSentError, match="has moved on: it is not suspended"):
        await ResumeCronJob(source).execute(action)


async def test_only_cron_jobs_are_suspended_or_run(source: KubernetesSource) -> None:
    other = workload_target(workload(source))
    with pytest.raises(NotSentError, match="Suspend is not for a deployment: only for CronJob"):
        await SuspendCronJob(source).plan(Request("suspend", other))
    with pytest.raises(NotSentError, match="Run is not for a deployment"):
        await RunJob(source).plan(Request("run-job", other))


async def test_a_job_of_it_runs_now_and_belongs_to_it(source: KubernetesSource) -> None:
    verb, before = RunJob(source), await jobs(source)
    action = await verb.plan(run_request(settlement(source)))
    assert await jobs(source) == before, "a plan creates nothing"
    name = action.evidence["job"]
    assert action.command.endswith(f"create job {name} --from=cronjob/settlement")
    assert (await done(verb, action)).phase is Phase.CONVERGED
    job = await source.fetch("Job", "payments", name)
    assert part(job, "metadata")["ownerReferences"][0]["uid"] == settlement(source).uid
    assert part(job, "metadata", "annotations")["cronjob.kubernetes.io/instantiate"] == "manual"
    assert action.inverse is None


async def test_a_job_that_fails_is_not_converged(cluster: Cluster, source: KubernetesSource) -> None:
    cluster.behaviours.set("payments", "settlement", "fails")
    verb = RunJob(source)
    look = await done(verb, await verb.plan(run_request(settlement(source))))
    assert (look.phase, "failed: BackoffLimitExceeded" in look.detail) == (Phase.NOT_CONVERGED, True)


@pytest.mark.parametrize(("kind", "found"), [(FaultKind.LOST, True), (FaultKind.CUT, False)])
async def test_a_job_whose_answer_was_lost_is_found_by_its_name(
    cluster: Cluster, source: KubernetesSource, kind: FaultKind, found: bool
) -> None:
    verb = RunJob(source)
    action = await verb.plan(run_request(settlement(source)))
    cluster.server.faults.add(fault := Fault(kind, verb="create", times=2, path=_JOBS))
    with pytest.raises(SourceError):
        await verb.execute(action)
    assert fault.times == 1, "sent once"
    assert (action.evidence["job"] in await jobs(source)) is found
    phase = (await verb.look(action.sent(0.0))).phase
    assert phase in ((Phase.WAITING, Phase.CONVERGED) if found else (Phase.ABSENT,))


async def test_a_cron_job_that_changed_or_was_made_again_runs_nothing(
    cluster: Cluster, source: KubernetesSource
) -> None:
    verb, before = RunJob(source), await jobs(source)
    action = await verb.plan(run_request(settlement(source)))
    await patch(source, {"spec": {"jobTemplate": {"spec": {"backoffLimit": 5}}}}, _PATH)
    with pytest.raises(NotSentError, match=r"job template changed.*backoffLimit"):
        await verb.execute(action)
    again = cluster.store.get(CRONJOBS, "payments", "settlement")
    cluster.store.remove(CRONJOBS, "payments", "settlement")
    again["metadata"] = {"name": "settlement", "namespace": "payments"}
    cluster.store.insert(CRONJOBS, again)
    with pytest.raises(NotSentError, match="another one under the same name"):
        await verb.execute(action)
    async with asyncio.timeout(30):
        assert not {name for name in await jobs(source) - before if name == action.evidence["job"]}


async def test_a_policy_that_forbids_two_at_once_makes_it_a_high_risk(source: KubernetesSource) -> None:
    await patch(source, {"spec": {"concurrencyPolicy": "Forbid"}}, _PATH)
    verb = RunJob(source)
    first = await verb.plan(run_request(settlement(source)))
    assert first.risk is Risk.MEDIUM
    await verb.execute(first)
    async with asyncio.timeout(30):
        while (second := await verb.plan(run_request(settlement(source)))).risk is not Risk.HIGH:
            await asyncio.sleep(0.02)
    assert "concurrencyPolicy Forbid does not hold" in second.risk_reason


async def test_without_permission_nothing_is_tried(cluster: Cluster, tmp_path: Path) -> None:
    source = source_as(cluster, tmp_path, "viewer")
    await source.read()
    try:
        action = await RunJob(source).plan(run_request(settlement(source)))
        assert "needs create on jobs in payments" in action.permission
        action = await SuspendCronJob(source).plan(suspend_request(settlement(source)))
        assert "needs patch on cronjobs in payments" in action.permission
    finally:
        await source.close()
