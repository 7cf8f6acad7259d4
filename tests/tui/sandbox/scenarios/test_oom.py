"""A leaking release fills its memory and is killed, again and again, until it is undone."""

from pathlib import Path
from typing import Any

import pytest

from tests.tui.sandbox.scenarios.play import Play, eventually, playing
from tui.sandbox.cluster.client import APPS, SHOP

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

SEARCH = f"{APPS}/deployments/search"
GOOD, BAD = "registry.example/shop/search:0.9.12", "registry.example/shop/search:0.9.13"
LIMIT_KI = 512 * 1024


async def run_image(play: Play, image: str) -> None:
    container = {"name": "app", "image": image}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    answer = await play.client.patch(SEARCH, body, "application/strategic-merge-patch+json")
    assert answer.status == 200


async def killed(play: Play) -> set[str]:
    """Return the uids of the present pods with a container that was killed for its memory."""
    pods = (await play.client.get(f"{SHOP}/pods?labelSelector=app=search")).body["items"]
    return {pod["metadata"]["uid"] for pod in pods for s in pod["status"].get("containerStatuses", ()) if is_killed(s)}


def is_killed(status: Any) -> bool:
    ended = status["lastState"].get("terminated", {})
    return bool(status["image"] == BAD and (ended.get("reason"), ended.get("exitCode")) == ("OOMKilled", 137))


async def fullest(play: Play) -> float:
    """Return the memory of the pod that uses most, as a part of its limit."""
    items = (await play.client.get("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods")).body["items"]
    used = [p["containers"][0]["usage"]["memory"] for p in items if p["metadata"]["labels"]["app"] == "search"]
    return max((int(text.removesuffix("Ki")) for text in used), default=0) / LIMIT_KI


async def test_a_restart_is_a_respite_and_undoing_the_rollout_ends_it(tmp_path: Path) -> None:
    async with playing(tmp_path, "oom") as play:
        await eventually(lambda: fullest(play), lambda part: part > 0.8)
        first = await eventually(lambda: killed(play), lambda uids: len(uids) == 2)
        crashing = {"kubernetes: pods_failing WARN", "kubernetes: crash_loops WARN", "service:search state CRITICAL"}
        await eventually(play.alerts, lambda up: up >= crashing)
        restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
        await play.client.patch(SEARCH, {"spec": {"template": {"metadata": {"annotations": restarted}}}})
        await eventually(lambda: killed(play), lambda uids: len(uids - first) == 2)
        assert play.running == "oom"
        await run_image(play, GOOD)
        await eventually(play.is_over, bool)
        await eventually(play.alerts, lambda up: not up)
        assert await fullest(play) < 0.8


async def test_without_a_cure_it_lasts_and_its_end_brings_the_old_release_back(tmp_path: Path) -> None:
    async with playing(tmp_path, "oom") as play:
        await eventually(lambda: killed(play), bool)
        await play.scenarios.end()
        assert (await play.client.get(SEARCH)).body["spec"]["template"]["spec"]["containers"][0]["image"] == GOOD
        await eventually(play.alerts, lambda up: not up)
