"""A CPU limit that holds its pods is told by their kubelets, felt in the service, and raised."""

from pathlib import Path

import pytest

from tests.tui.sandbox.scenarios.play import Play, eventually, playing
from tui.sandbox.cluster.client import APPS

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

SEARCH = f"{APPS}/deployments/search"


async def held(play: Play) -> float:
    """Return the greatest part of its periods so far in which a pod of search was held."""
    pods = play.cluster.serving("shop", "search")
    starts = [pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] for pod in pods]
    accounts = [
        play.cluster.usage.holding.account(pod, pod["spec"]["containers"][0], start)
        for pod, start in zip(pods, starts, strict=True)
    ]
    return max((account.held / account.periods for account in accounts if account.periods), default=0.0)


async def limit(play: Play, cpu: str) -> None:
    container = {"name": "app", "resources": {"limits": {"cpu": cpu}}}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    assert (await play.client.patch(SEARCH, body, "application/strategic-merge-patch+json")).status == 200


async def test_raising_the_limit_ends_it_and_a_little_more_does_not(tmp_path: Path) -> None:
    async with playing(tmp_path, "cpu-throttling") as play:
        await eventually(lambda: held(play), lambda share: share > 0.3)
        await eventually(play.alerts, lambda up: "service:search latency_ratio WARN" in up)
        await limit(play, "700m")
        await play.cluster.settled("shop", "search")
        assert play.running == "cpu-throttling"
        await limit(play, "1200m")
        await eventually(play.is_over, bool)
        await eventually(play.alerts, lambda up: not up)


async def test_its_end_lets_everything_go_as_before(tmp_path: Path) -> None:
    async with playing(tmp_path, "cpu-throttling") as play:
        await eventually(play.alerts, lambda up: "service:search latency_ratio WARN" in up)
        await play.scenarios.end()
        await eventually(play.alerts, lambda up: not up)
        assert ("shop", "search") not in play.cluster.usage.load
