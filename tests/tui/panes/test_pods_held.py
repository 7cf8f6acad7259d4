"""How often CPU limits hold pods, in the Pods tab: filled while somebody looks, on the simulated cluster."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from profiles.systems import Kubernetes
from tests.tui.panes.test_pods import light, pod, pod_cells
from tests.tui.panes.test_pods_browser import _App, cluster, page_of, running, until
from tui.panes import pods_rows
from tui.panes.pods_rows import Holding
from tui.sandbox.cluster.cluster import Cluster
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.throttling import KubeletThrottling
from tui.sources.reading import Reading
from widgets.cell import Cell, cell_text
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

__all__ = ["cluster"]

_KUBERNETES = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


@pytest.mark.parametrize(
    ("told", "shown", "tone"),
    [
        (None, "", ""),
        (Holding(None, has_limit=False), "–", ""),
        (Holding(None, has_limit=True), "…", ""),
        (Holding(0.0, has_limit=True), "0 %", ""),
        (Holding(24.9, has_limit=True), "25 %", ""),
        (Holding(40.0, has_limit=True), "40 %", "warn"),
    ],
)
def test_a_row_says_how_often_its_pod_was_held(told: Holding | None, shown: str, tone: str) -> None:
    row = pods_rows.pod_row(pod("ledger-"), replace(light(), holding=lambda _: told))
    index = [column.key for column in pods_rows.pod_columns(80)].index("held")
    cell = row.cells[index]
    assert pod_cells(row)["held"] == shown
    assert (cell.tone if isinstance(cell, Cell) else "") == tone
    assert row.sort is not None
    assert row.sort[index] == (told.percent if told is not None else None)


@pytest.fixture(params=["admin"])
async def source(cluster: Cluster, tmp_path: Path, request: Any) -> AsyncIterator[KubernetesSource]:
    path = cluster.write_kubeconfig(tmp_path / "config", request.param)
    made = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={})
    made.throttling = KubeletThrottling(made.connection, every_s=0.2)
    yield made
    await made.close()


def held_of(app: _App, one: Pod) -> str:
    table = app.pane.table
    index = [column.key for column in table.columns].index("held")
    row = table.row(one.uid)
    return cell_text(row.cells[index]) if row is not None else "gone"


async def looking(app: _App, pilot: Pilot[None], holds: Any) -> None:
    """Have the tab's seconds pass, with readings that are fresh, until something holds."""
    async with asyncio.timeout(30):
        while not holds():
            pass_a_second(app)
            await pilot.pause(0.02)


def pass_a_second(app: _App) -> None:
    app.pane.show(Reading("kubernetes:", 0.25, app.seen, taken_at=app.desk.now()))
    app.pane.tick()


def gateway(app: _App) -> Pod:
    return next(p for p in app.seen.pods.values() if p.name.startswith("gateway-"))


class TestOnACluster:
    """The tab before a cluster whose kubelets tell, or do not."""

    pytestmark = _KUBERNETES

    async def test_the_view_of_usage_fills_its_column_by_itself_and_asks_no_more_once_it_is_left(
        self,
        cluster: Cluster,
        source: KubernetesSource,
    ) -> None:
        asked = cluster.kubelet_pages.asked
        async with running(source, (140, 60)) as (app, pilot):
            for _ in range(5):
                pass_a_second(app)
            assert not asked, "nobody looks at it"
            cluster.throttle("shop", "gateway", 0.4)
            await pilot.press("w")
            await looking(app, pilot, lambda: len(asked) == 3)
            await looking(app, pilot, lambda: held_of(app, gateway(app)) in ("39 %", "40 %", "41 %"))
            orders = next(p for p in app.seen.pods.values() if p.name.startswith("orders-"))
            await looking(app, pilot, lambda: held_of(app, orders) == "–")
            for leaving in ("w", "tab"):
                await pilot.press(leaving)
                await until(pilot, lambda: not any(node.is_asked for node in source.throttling._nodes.values()))
                before = asked.total()
                for _ in range(5):
                    app.later += 60
                    pass_a_second(app)
                    await pilot.pause()
                assert asked.total() == before
                await pilot.press("shift+tab" if leaving == "tab" else "w")
                await looking(app, pilot, lambda: asked.total() > before)  # noqa: B023 — called at once

    async def test_only_nodes_of_pods_on_the_screen_are_asked(
        self,
        cluster: Cluster,
        source: KubernetesSource,
    ) -> None:
        async with running(source, (140, 60)) as (app, pilot):
            await pilot.press("w")
            app.pane.table.filter_text = gateway(app).name
            await until(pilot, lambda: app.pane.table.visible_count == 1)
            await looking(app, pilot, lambda: cluster.kubelet_pages.asked.total() >= 2)
            assert set(cluster.kubelet_pages.asked) == {gateway(app).node}

    @pytest.mark.parametrize("source", ["viewer"], indirect=True)
    async def test_without_the_right_the_view_says_why_it_is_empty_and_what_helps(
        self,
        cluster: Cluster,
        source: KubernetesSource,
    ) -> None:
        async with running(source, (140, 60)) as (app, pilot):
            bar = app.query_one(NoticeBar)
            assert "HELD" not in bar.text
            await pilot.press("w")
            await looking(app, pilot, lambda: "HELD" in bar.text)
            assert "HELD: this account may not get nodes/proxy" in bar.text
            assert "a metric of the profile tells it too, and t looks inside one pod" in bar.text
            assert held_of(app, gateway(app)) == ""
            await pilot.press("w")
            await looking(app, pilot, lambda: "HELD" not in bar.text)
            assert not cluster.kubelet_pages.asked

    async def test_a_node_that_does_not_answer_is_named_and_the_others_tell(
        self,
        cluster: Cluster,
        source: KubernetesSource,
    ) -> None:
        async with running(source, (140, 60)) as (app, pilot):
            cluster.misbehave("503", f"/api/v1/nodes/{gateway(app).node}/proxy")
            await pilot.press("w")
            bar = app.query_one(NoticeBar)
            await looking(app, pilot, lambda: f"HELD: 1 of 3 nodes do not tell: {gateway(app).node}" in bar.text)
            others = [p for p in app.seen.pods.values() if p.name.startswith("gateway-")]
            elsewhere = next(p for p in others if p.node != gateway(app).node)
            await looking(app, pilot, lambda: held_of(app, elsewhere).endswith("%"))
            assert held_of(app, gateway(app)) == ""

    async def test_a_containers_line_and_its_page_say_what_it_means(
        self,
        cluster: Cluster,
        source: KubernetesSource,
    ) -> None:
        async with running(source, (200, 50)) as (app, pilot):
            one = gateway(app)
            cluster.throttle("shop", "gateway", 0.4)
            app.pane.table.seek(one.uid)
            await until(pilot, lambda: app.pane.table.cursor_key == one.uid)
            await pilot.press("enter")
            await until(pilot, lambda: app.pane.view == "containers")
            line = app.query_one("#containers-under", SegmentLine)
            await looking(app, pilot, lambda: "in the last" in line.words)
            assert set(cluster.kubelet_pages.asked) == {one.node}, "of one pod, one node"
            assert "held by its CPU limit in 40.0 % of its periods, " in line.words
            assert "That is often: requests wait while it is held." in line.words
            cells = [cell_text(cell) for cell in app.pane.table.row("app").cells]  # type: ignore[union-attr]  # it is there
            assert cells[8] in ("39 %", "40 %", "41 %")
            page = await page_of(app, pilot, "d")
            assert "  app: in 40.0 % of its periods, " in page
            assert "    That is often: requests wait while it is held. Raise the limit, or run more replicas." in page
            assert f"/api/v1/nodes/{one.node}/proxy/metrics/cadvisor" in app.pane.by_hand()
