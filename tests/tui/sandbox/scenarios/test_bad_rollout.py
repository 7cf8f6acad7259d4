"""A release that is ready and answers errors is told by its service and its log, and undone."""

from pathlib import Path
from typing import Any

import pytest

from tests.tui.sandbox.scenarios.play import eventually, playing
from tui.sandbox.cluster.client import APPS, SHOP, Client

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

ORDERS = f"{APPS}/deployments/orders"
ERRORS = "logs:services errors_per_s WARN"
BAD = {"service:orders state WARN", "service:orders latency_ratio WARN", ERRORS}


async def template(client: Client) -> Any:
    return (await client.get(ORDERS)).body["spec"]["template"]


async def test_undoing_the_rollout_ends_it(tmp_path: Path) -> None:
    async with playing(tmp_path, "bad-rollout") as play:
        bad = await template(play.client)
        await eventually(play.alerts, lambda up: up == BAD)
        pods = (await play.client.get(f"{SHOP}/pods?labelSelector=app=orders")).body["items"]
        assert all(pod["status"]["containerStatuses"][0]["ready"] for pod in pods)
        sets = (await play.client.get(f"{APPS}/replicasets?labelSelector=app=orders")).body["items"]
        (good,) = (s["spec"]["template"] for s in sets if image(s["spec"]["template"]) == "1.9.3")
        del good["metadata"]["labels"]["pod-template-hash"]
        assert image(bad) == "1.9.4"
        await play.client.patch(ORDERS, {"spec": {"template": good}})
        await eventually(play.is_over, bool)
        # The rate of errors is that of the last ten seconds.
        await eventually(play.alerts, lambda up: up <= {ERRORS})
        assert image(await template(play.client)) == "1.9.3"


async def test_without_a_cure_it_lasts_and_its_end_brings_the_old_release_back(tmp_path: Path) -> None:
    async with playing(tmp_path, "bad-rollout") as play:
        await eventually(play.alerts, lambda up: "service:orders state WARN" in up)
        await play.scenarios.end()
        assert image(await template(play.client)) == "1.9.3"
        await eventually(play.alerts, lambda up: up <= {ERRORS})


def image(template: Any) -> str:
    """Return the tag of the image in a template."""
    return str(template["spec"]["containers"][0]["image"]).rpartition(":")[2]
