"""A wedged service is down until its pods are new ones."""

from pathlib import Path

import pytest

from tests.tui.sandbox.scenarios.play import eventually, playing
from tui.sandbox.cluster.client import Client

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

PAYMENTS = "/apis/apps/v1/namespaces/payments/deployments/payments"
PODS = "/api/v1/namespaces/payments/pods"
DOWN = {"service:payments state CRITICAL", "kubernetes: workloads_unavailable WARN"}


async def ready(client: Client) -> list[bool]:
    """Return whether the first container of each pod of payments is ready; all must be running."""
    pods = (await client.get(f"{PODS}?labelSelector=app=payments")).body["items"]
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    return [pod["status"]["containerStatuses"][0]["ready"] for pod in pods]


async def test_a_restart_of_the_wedged_workload_ends_it(tmp_path: Path) -> None:
    async with playing(tmp_path, "failing-service") as play:
        assert await ready(play.client) == [False, False, False]
        await eventually(play.alerts, lambda up: up == DOWN)
        restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
        await play.client.patch(PAYMENTS, {"spec": {"template": {"metadata": {"annotations": restarted}}}})
        await eventually(play.is_over, bool)
        await eventually(play.alerts, lambda up: not up)


async def test_every_deleted_pod_helps_and_the_last_one_ends_it(tmp_path: Path) -> None:
    async with playing(tmp_path, "failing-service") as play:
        await eventually(play.alerts, lambda up: up == DOWN)
        first, *others = (await play.client.get(f"{PODS}?labelSelector=app=payments")).names
        await play.client.ask("DELETE", f"{PODS}/{first}")
        await eventually(play.alerts, lambda up: "service:payments state WARN" in up)
        for name in others:
            await play.client.ask("DELETE", f"{PODS}/{name}")
        await eventually(play.is_over, bool)
        await eventually(play.alerts, lambda up: not up)


async def test_without_a_cure_it_lasts_and_its_end_heals_the_same_pods(tmp_path: Path) -> None:
    async with playing(tmp_path, "failing-service") as play:
        before = (await play.client.get(f"{PODS}?labelSelector=app=payments")).names
        await eventually(play.alerts, lambda up: up == DOWN)
        await play.scenarios.end()
        await eventually(play.alerts, lambda up: not up)
        assert (await play.client.get(f"{PODS}?labelSelector=app=payments")).names == before
