"""Which watches stand while a tab is open, hidden, or nobody looks at all: by the simulated cluster's own count."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from profiles.schema import Profile
from tui.app import OpsApp
from tui.check.selection import kinds_to_watch, selected
from tui.cli.check_page import check
from tui.journal import Journal
from tui.panes.pods import PodsPane
from tui.panes.tabs import DATABASE, PODS, SERVICES, TABS, TIMELINE
from tui.sandbox.cluster.cluster import Cluster
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.demand import EVERYTHING, OF_METRICS, WORKLOADS
from tui.timeline.kubernetes import TOLD_OF
from tui.wishes import Wishes
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


RULES = {f"kubernetes.{metric}": {"warn": 1} for metric in OF_METRICS}


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20, bookmark_s=0.1) as running:
        yield running


def profile_of(cluster: Cluster, folder: Path, **more: Any) -> Profile:
    path = cluster.write_kubeconfig(folder / "config")
    return Profile.model_validate({"name": "t", "environment": "dev", "kubernetes": {"kubeconfig": str(path)}, **more})


async def until(pilot: Pilot[int], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause(0.02)


async def test_the_pods_tab_has_everything_watched_and_hidden_only_what_the_timeline_tells_of(
    cluster: Cluster, tmp_path: Path
) -> None:
    profile = profile_of(cluster, tmp_path)
    journal = Journal(tmp_path, profile.name, profile.environment)
    app = OpsApp(profile, journal=journal, log_file=str(tmp_path / "log"), wishes=Wishes(), sandbox=None)

    def watched() -> set[str]:
        return set(+cluster.server.watched)

    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press(key(TIMELINE))
        await until(pilot, lambda: app._pollers.source("kubernetes:"))
        source = app._pollers.source("kubernetes:")
        assert isinstance(source, KubernetesSource)
        source.demand.grace_s = 0.0
        await until(pilot, lambda: watched() == set(TOLD_OF))
        await pilot.press(key(PODS))
        await until(pilot, lambda: watched() == EVERYTHING)
        await pilot.press(key(TIMELINE))
        await until(pilot, lambda: watched() == set(TOLD_OF))
        for tab in (SERVICES, DATABASE):
            await pilot.press(key(tab))
            await until(pilot, lambda: watched() == {*TOLD_OF, "replicasets"})
        assert max(cluster.server.watched.values()) == 1


def key(tab: object) -> str:
    return str(1 + [*TABS].index(tab))  # type: ignore[arg-type]  # one of them


async def test_rows_from_before_are_dim_and_show_their_age_until_a_fresh_list_came(
    cluster: Cluster, tmp_path: Path
) -> None:
    profile = profile_of(cluster, tmp_path)
    journal = Journal(tmp_path, profile.name, profile.environment)
    app = OpsApp(profile, journal=journal, log_file=str(tmp_path / "log"), wishes=Wishes(), sandbox=None)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press(key(PODS))
        await until(pilot, lambda: app.query(PodsPane) and app.query_one(PodsPane).table.visible_count > 5)
        pane, source = app.query_one(PodsPane), app._pollers.source("kubernetes:")
        assert isinstance(source, KubernetesSource)
        assert not pane.table.stale
        source.demand.grace_s = 0.0
        rows = set(pane.table.visible_keys)
        for who in ("the timeline", "the rules", "the screen"):
            source.need(who, ["nodes"])
        await until(pilot, lambda: pane.table.stale)
        assert set(pane.table.visible_keys) == rows
        await until(pilot, lambda: "pods" not in +cluster.server.watched)
        await until(pilot, lambda: "age <" not in app.query_one("#pods-title", SegmentLine).text)
        source.need("the screen", EVERYTHING)
        await until(pilot, lambda: not pane.table.stale)
        await until(pilot, lambda: not app.query_one(PodsPane).query_one(NoticeBar).text)


def test_what_is_judged_says_what_is_watched(tmp_path: Path) -> None:
    profile = Profile.model_validate(
        {
            "name": "t",
            "kubernetes": "k",
            "rules": RULES,
            "required": {"replicas": {"shop/deployment/api": 2}, "config_maps": {"a/b": []}},
        }
    )

    def kinds(*only: str) -> frozenset[str]:
        return kinds_to_watch(selected(profile, ["kubernetes:"], only), "kubernetes:")

    assert kinds("kubernetes.nodes_not_ready") == {"nodes"}
    assert kinds("kubernetes.jobs_failed", "kubernetes.crash_loops") == {"jobs", "pods"}
    assert kinds("required.config_maps") == frozenset(), "each is read by itself"
    assert kinds("required.replicas") == {"replicasets", "jobs", "cronjobs", *WORKLOADS}
    assert kinds() >= {"pods", "nodes"}


async def test_a_check_watches_only_what_it_judges(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = profile_of(cluster, tmp_path, rules=RULES, required={"config_maps": {"shop/kube-root-ca.crt": []}})
    for only, watched in (
        ("kubernetes.nodes_not_ready", {"nodes"}),
        ("kubernetes.workloads_unavailable", set(WORKLOADS)),
        ("required.config_maps", set()),
    ):
        async with asyncio.timeout(30):
            while cluster.server.watchers:  # it hears of who has left with its next bookmark
                await asyncio.sleep(0.01)
        cluster.server.watched.clear()
        status = await asyncio.to_thread(check, profile, (only,), "json", 20.0, None)
        assert status in (0, 1, 2), capsys.readouterr().out
        assert json.loads(capsys.readouterr().out)["checks"]
        assert set(cluster.server.watched) == watched
