"""Down in the Pods tab: a workload's revisions, their pods, the containers; a rollout while it goes on."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from profiles.logs import LogSource
from tests.tui.panes.test_pods import NOW, snapshot
from tests.tui.panes.test_pods_browser import _App, cluster, names, page_of, running, source, until
from tui.actions.perform import Ending, Outcome
from tui.panes import pods_rollout_rows
from tui.panes.pods_containers import container_row, line_of
from tui.panes.pods_held import Account, Accounts, held_lines
from tui.panes.pods_logs import followed_by, logs_page
from tui.panes.pods_rollout_rows import Known
from tui.sandbox.cluster.cluster import Cluster
from tui.sources.errors import Unreachable
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.containers import parse_containers
from tui.sources.kubernetes.events import Event
from tui.sources.kubernetes.exec import Place
from tui.sources.kubernetes.inside import Throttling
from tui.sources.kubernetes.metrics import Usage
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.recent_logs import ContainerLog
from tui.sources.kubernetes.revisions import Revision
from tui.sources.kubernetes.rollouts import parse_rollout
from tui.sources.kubernetes.workloads import Workload
from tui.sources.logs.parse import LineParser
from tui.sources.logs.query import query
from tui.sources.metrics.facts import MetricSnapshot, MetricValue
from tui.sources.reading import Reading
from widgets.cell import Cell, LateCell, cell_text
from widgets.dialogs import TextDialog
from widgets.log_view import LogView
from widgets.segment_line import SegmentLine

__all__ = ["cluster", "source"]

_ZOO = Path(__file__).parents[2] / "fixtures" / "kubernetes-zoo"
_ORDERS = "/apis/apps/v1/namespaces/shop/deployments/orders"


def recorded(kind: str, name: str) -> Any:
    rows = json.loads((_ZOO / f"{kind}.json").read_text())["rows"]
    return next(row["object"] for row in rows if row["object"]["metadata"]["name"].startswith(name))


def workload(name: str) -> Workload:
    return next(w for w in snapshot().workloads.values() if w.name == name and w.kind == "Deployment")


def known(name: str, *revisions: Revision) -> Known:
    return Known(parse_rollout("Deployment", recorded("deployments", name)), revisions)


def revision(number: int, uid: str, *, is_current: bool, image: str = "registry/shop/web:1") -> Revision:
    return Revision(number, f"web-{number}", uid, NOW - 60, "", (image,), {}, is_current=is_current)


def head(found: Known) -> list[str]:
    return [" ".join(s.text for s in line) for line in pods_rollout_rows.head(found.rollout, [], NOW)]


def test_pods_stand_under_the_revision_they_were_made_from() -> None:
    images = workload("images")
    owners = {p.owner.uid for p in snapshot().pods.values() if p.owner and p.name.startswith("images-")}
    (uid,) = owners
    found = known("images", revision(2, uid, is_current=True), revision(1, "old", is_current=False))
    waiting = min((p for p in snapshot().pods.values() if p.name.startswith("images-")), key=lambda p: p.name)
    events = {
        str(at): Event(str(at), waiting.namespace, kind, "Failed", "", waiting.uid, message, 1, None, at, "kubelet")
        for at, kind, message in ((1.0, "Warning", "older"), (2.0, "Warning", "no such tag"), (3.0, "Normal", "newest"))
    }
    seen = replace(snapshot(), events=events)
    rows = pods_rollout_rows.rows(images, found, seen, NOW, lambda pod: True)
    told = [[cell_text(cell).strip() for cell in row.cells] for row in rows.values()]
    assert [line[0].split("-")[0] for line in told] == ["2  now", "images", "images", "1"]
    assert told[0][1:3] == ["0/2", "rolling out"]
    assert told[1][2] in ("ImagePullBackOff", "ErrImagePull")
    assert told[1][4].startswith("Failed: no such tag"), "the newest warning says why"
    only_bad = pods_rollout_rows.rows(images, found, snapshot(), NOW, lambda pod: False)
    assert list(only_bad) == [uid, "old"]


def test_what_holds_a_rollout_up_stands_above_it() -> None:
    words, counts, why = head(known("over-quota"))
    assert words.startswith("STUCK Waiting for deployment")
    assert "8 updated" in counts
    assert "exceeded quota" in why
    obj = recorded("deployments", "images")
    condition = next(one for one in obj["status"]["conditions"] if one["type"] == "Progressing")
    rollout = parse_rollout("Deployment", obj)
    assert rollout.gives_up_at is not None
    lines = pods_rollout_rows.head(rollout, [], rollout.gives_up_at - 30)
    assert lines[2][0].text == "gives up in 30s unless something moves"
    assert lines[2][0].tone == "warn"
    assert condition["reason"] in " ".join(s.text for s in lines[2])


def test_a_container_tells_why_it_waits_and_how_it_ended_before() -> None:
    containers = parse_containers(recorded("pods", "fraud-scorer"))
    row = container_row(containers[0], Usage(0.1, 64 * 1024**2), None, NOW)
    told = " ".join(cell_text(cell) for cell in row.cells)
    assert "CrashLoopBackOff" in told
    more = " ".join(segment.text for segment in line_of(containers[0], None, NOW))
    assert "before: OOMKilled, exit code 137" in more
    assert f"now: {containers[0].message}" in more, "two ends beside each other must not be taken for one"
    assert "T: a shell" not in more, "it waits to be started again: nobody can look into it"
    assert "m: what it said last" in more
    running = " ".join(s.text for s in line_of(replace(containers[0], state="Running"), None, NOW))
    assert "t: from inside · T: a shell" in running
    assert containers[0].message in more
    bounded = replace(containers[0], memory_limit_bytes=64 * 1024**2, cpu_limit_cores=0.2, cpu_request_cores=0.1)
    cells = [cell_text(cell) for cell in container_row(bounded, Usage(0.1, 60 * 1024**2), None, NOW).cells]
    assert cells[5:12] == ["100m", "100 %", "50 %", "t looks", "60.0 MiB", "23 %", "94 %"]


def test_how_often_a_limit_holds_a_container_is_told_with_where_it_is_from() -> None:
    (container, *_) = parse_containers(recorded("pods", "fraud-scorer"))
    account = Account(NOW - 120, Throttling(100, 30, 2.0, 2), Throttling(15, 1, 0.1, 2))
    cells = container_row(container, None, account, NOW).cells
    assert cells[8] == Cell("30 %", "warn")
    assert account.words(NOW) == "in 30.0 % of its periods, 1 of 15 just then (cpu.stat, 2m ago)"
    pod = next(p for p in snapshot().pods.values() if p.name.startswith("fraud-scorer"))
    values = [
        MetricValue(f"container=app namespace={pod.namespace} pod={pod.name}", 0.25),
        MetricValue(f"namespace=elsewhere pod={pod.name}", 0.5),
        MetricValue(f"pod={pod.name}-2", 0.75),
    ]
    metric = MetricSnapshot(
        "held", "Held", "", "prometheus main", "rate(container_cpu_cfs_throttled_x[5m])", tuple(values)
    )
    other = replace(metric, query="up")
    readings = [Reading("metric:held", 15.0, metric), Reading("metric:up", 15.0, other), Reading("metric:x", 15.0)]
    obj = recorded("pods", "fraud-scorer")
    lines = "\n".join(held_lines(pod, obj, Accounts(), readings, NOW))
    assert "app: 0.25 (Held, prometheus main)" in lines
    assert "0.5" not in lines
    assert "0.75" not in lines
    known = Accounts()
    known.note(Place(pod.namespace, pod.name, pod.uid, container.name), account)
    assert "in 30.0 % of its periods" in "\n".join(held_lines(pod, obj, known, [], NOW))


async def keep_reading(app: _App, pilot: Pilot[None], holds: Any) -> None:
    """Show readings until something holds: what is stale is not drawn anew."""
    async with asyncio.timeout(20):
        while not holds():
            await app.read()
            await pilot.pause()


async def at(app: _App, pilot: Pilot[None], view: str) -> None:
    await keep_reading(app, pilot, lambda: app.pane.view == view and app.pane.table.visible_count)


async def opened(app: _App, pilot: Pilot[None], name: str) -> Workload:
    found = next(w for w in app.seen.workloads.values() if w.name == name)
    app.pane.open_view("workloads")
    await until(pilot, lambda: app.pane.table.visible_count)
    app.pane.table.cursor_key = found.uid
    await pilot.press("enter")
    await at(app, pilot, "rollout")
    return found


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_down_from_a_workload_to_a_container_and_back(source: KubernetesSource) -> None:
    async with running(source, (80, 24)) as (app, pilot):
        orders = await opened(app, pilot, "orders")
        pane = app.pane
        assert "DONE" in str(app.query_one("#rollout-words", SegmentLine).text)
        assert "Deployment/orders" in str(app.query_one("#pods-views", SegmentLine).text)
        current, *old = pane.rollouts.revisions
        await pilot.press("n")
        await until(pilot, lambda: "all of it is in namespace shop" in app.told[-1])
        assert pane.choice.namespace == ""
        await pilot.press("G", "enter")
        assert pane.view == "rollout"
        await until(pilot, lambda: f"revision {old[-1].number} has no pods" in app.told[-1])
        await pilot.press("g", "enter")
        await keep_reading(app, pilot, lambda: pane.view == "pods" and pane.table.visible_count == 3)
        assert pane.choice.words() == ("pods of Deployment/orders", f"revision {current.number}")
        await pilot.press("enter")
        await at(app, pilot, "containers")
        assert names(pane.table, 0) == {"app"}
        await keep_reading(app, pilot, lambda: names(pane.table, 5) != {"–"})
        assert isinstance(pane.current, Pod)
        strip = str(app.query_one("#pods-views", SegmentLine).text)
        assert f" Pod/{pane.current.name} " in strip, "whole, whatever other views have to go"
        assert "top pod" in pane.by_hand()
        for view, key in (("pods", None), ("rollout", current.uid), ("workloads", orders.uid)):
            await pilot.press("escape")
            await at(app, pilot, view)
            if key is not None:
                await until(pilot, lambda key=key: pane.table.cursor_key == key)  # type: ignore[misc]  # bound now
        assert "Deployment/orders" not in str(app.query_one("#pods-views", SegmentLine).text)


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_two_marked_revisions_are_compared_and_one_is_gone_back_to(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        orders = await opened(app, pilot, "orders")
        pane = app.pane
        current, older = pane.rollouts.revisions[:2]
        page = await page_of(app, pilot, "d")
        assert f"What it changed, compared with {older.number}:" in page
        assert "+    image: registry.example/shop/orders:1.9.3" in page
        pane.table.marked = {current.uid, older.uid}
        page = await page_of(app, pilot, "d")
        assert page.startswith(f"- revision {older.number}")
        assert "-    image: registry.example/shop/orders:1.9.2" in page
        pane.table.marked = set()
        pane.table.cursor_key = older.uid
        await pilot.press("B")
        await until(pilot, lambda: app.asked)
        (request,) = app.asked[0].requests
        assert (request.verb, request.target.identity["uid"]) == ("undo-rollout", orders.uid)
        assert request.wanted["revision_uid"] == older.uid


async def change_image(source: KubernetesSource, image: str) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}
    form = "application/strategic-merge-patch+json"
    assert (await source.connection.call("PATCH", _ORDERS, body=body, content_type=form)).is_ok


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_a_rollout_is_opened_by_its_change_and_followed_to_its_end(
    cluster: Cluster, source: KubernetesSource
) -> None:
    async with running(source) as (app, pilot):
        orders = next(w for w in app.seen.workloads.values() if w.name == "orders")
        app.pane.open_view("workloads")
        await until(pilot, lambda: app.pane.table.visible_count)
        app.pane.table.cursor_key = orders.uid
        await pilot.press("R")
        await pilot.pause()
        assert app.pane.view == "workloads", "nothing has changed yet"
        cluster.behaviours.set_image("registry.example/shop/orders:broken", "image-pull")
        await change_image(source, "registry.example/shop/orders:broken")
        await keep_reading(app, pilot, lambda: app.pane.view == "rollout")
        words = app.query_one("#rollout-words", SegmentLine)
        await keep_reading(app, pilot, lambda: "1 out of 3 new replicas" in str(words.text))
        assert str(words.text).startswith("ROLLING OUT")
        await keep_reading(app, pilot, lambda: names(app.pane.table, 2) & {"ImagePullBackOff", "ErrImagePull"})
        await keep_reading(app, pilot, lambda: any("not found" in one for one in names(app.pane.table, 4)))
        await change_image(source, "registry.example/shop/orders:1.9.3")
        await keep_reading(app, pilot, lambda: str(words.text).startswith("DONE"))


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
@pytest.mark.parametrize("why", ["moved", "cancelled"])
async def test_nobody_is_led_to_a_rollout_that_they_did_not_begin_or_left(source: KubernetesSource, why: str) -> None:
    async with running(source) as (app, pilot):
        orders = next(w for w in app.seen.workloads.values() if w.name == "orders")
        app.pane.open_view("workloads")
        await until(pilot, lambda: app.pane.table.visible_count)
        app.pane.table.cursor_key = orders.uid
        await pilot.press("R")
        await until(pilot, lambda: app.asked)
        if why == "moved":
            await pilot.press("down")
        else:
            app.asked[0].ended([(app.asked[0].requests[0], Outcome(Ending.CANCELLED, ""))])
        await change_image(source, "registry.example/shop/orders:1.9.4")
        await keep_reading(app, pilot, lambda: app.seen.workloads[orders.uid].generation > orders.generation)
        assert app.pane.view == "workloads"


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_another_workload_of_the_same_name_is_not_taken_for_it(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        orders = await opened(app, pilot, "orders")
        app.pane.rollouts.subject = replace(orders, uid="another")
        app.later += 6
        await app.read()
        await keep_reading(app, pilot, lambda: "another one made of that name" in app.pane.rollouts.notice)
        assert app.pane.rollouts.stale
        words = app.query_one("#rollout-words", SegmentLine)
        await keep_reading(app, pilot, lambda: str(words.text).startswith("as it was last seen:"))


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_nothing_of_a_rollout_looks_live_while_the_cluster_is_silent_and_all_of_it_right_after(
    cluster: Cluster, source: KubernetesSource
) -> None:
    async with running(source, (80, 24)) as (app, pilot):
        await opened(app, pilot, "orders")
        words = app.query_one("#rollout-words", SegmentLine)
        await keep_reading(app, pilot, lambda: str(words.text).startswith("DONE"))
        # The object is asked for and never answered: what waits for it must not wait on when the cluster is back.
        cluster.misbehave("silent", _ORDERS, "get")
        app.later += 6
        await app.read()
        good = Reading("kubernetes:", 0.25, app.seen, taken_at=app.desk.now())
        app.pane.show(replace(good, error=Unreachable("no answer"), failing_since=app.desk.now()))
        assert str(words.text).startswith("as it was last seen:"), "before its own reading has failed"
        assert {segment.tone for segment in app.query_one("#rollout-counts", SegmentLine).segments} <= {"dim"}
        cluster.server.faults.forget()
        async with asyncio.timeout(8):  # less than what was swallowed is waited for
            await keep_reading(app, pilot, lambda: str(words.text).startswith("DONE"))


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_no_row_has_a_curve_where_there_is_no_room_for_one(source: KubernetesSource) -> None:
    async with running(source, (80, 24)) as (app, pilot):
        await until(pilot, lambda: app.pane.table.visible_count)
        index = [column.key for column in app.pane.table.columns].index("cpu_trend")

        def curves() -> int:
            rows = [app.pane.table.row(key) for key in app.pane.table.visible_keys]
            return sum(isinstance(row.cells[index], LateCell) for row in rows if row is not None)

        await keep_reading(app, pilot, lambda: len(source.trends))
        assert curves() == 0
        await pilot.press("w")
        await until(pilot, curves)
        await pilot.press("w")
        await until(pilot, lambda: curves() == 0)


def test_the_run_before_a_restart_speaks_first_and_the_logs_tab_is_named() -> None:
    logs = [
        ContainerLog("api-1", "app", False, "2026-11-22T10:00:01.123456789Z up\n2026-11-22T10:00:02Z ready"),
        ContainerLog("api-1", "app", True, "\n".join(f"line {number}" for number in range(200))),
        ContainerLog("api-1", "proxy", True, "", "previous terminated container not found"),
        ContainerLog("api-1", "proxy", False, "", "container is waiting to start"),
    ]
    page = logs_page(logs, ["api"])
    assert page.startswith("The Logs tab follows it as api.\n\n== app, the run before its last restart, the last 80 of")
    assert "line 119\n" not in page
    assert page.index("line 199") < page.index("10:00:02Z ready")
    assert "not found" not in page
    assert "== app, its newest run, from 2026-11-22\n10:00:01Z up\n" in page
    assert page.endswith("== proxy, its newest run\n(container is waiting to start)")


def test_a_pod_is_followed_by_what_the_profile_says_of_its_workload_labels_or_name() -> None:
    pod = next(p for p in snapshot().pods.values() if p.name.startswith("web-") and p.owner)
    sources = {
        "workload": LogSource(workload="deployment/web", namespace=pod.namespace),
        "other": LogSource(workload="deployment/web", namespace="elsewhere"),
        "labels": LogSource(pods="app=web", namespace=pod.namespace),
        "not": LogSource(pods="app=api", namespace=pod.namespace),
        "name": LogSource(pod="web-*", namespace=pod.namespace),
        "file": LogSource(file="/var/log/x"),
    }
    assert list(followed_by(pod, snapshot().workload_of(pod), sources)) == ["workload", "labels", "name"]


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_from_a_pods_last_lines_f_leads_to_its_own_in_the_logs_tab(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        pod = next(p for p in app.seen.pods.values() if p.name.startswith("api-"))
        entry = LogSource(pods="app=api", namespace="shop")
        elsewhere = LogSource(pods="app=api", namespace="shop", cluster="another")
        app.pane.desk = replace(
            app.pane.desk, profile=app.desk.profile.model_copy(update={"logs": {"other": elsewhere, "api-pods": entry}})
        )
        await until(pilot, lambda: pod.uid in app.pane.table.visible_keys)
        app.pane.table.cursor_key = pod.uid
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, TextDialog) and app.screen.query(LogView))
        assert "f follow in Logs" in str(app.screen.query_one("#hint", Static).content)
        await pilot.press("f")
        await until(pilot, lambda: app.looked)
        (looked,) = app.looked
        assert (looked.title, looked.told) == ("Logs", "2 goes back to the pods")
        passes = query(looked.filter_text, NOW).test
        assert passes is not None
        origins = [("api-pods", f"{pod.name}/app"), ("api-pods", f"{pod.name}0/app"), ("other", f"{pod.name}/app")]
        assert [passes(LineParser(*where, UTC).parse("up", NOW)) for where in origins] == [True, False, False]


@pytest.mark.live
@pytest.mark.xdist_group("kubernetes")
async def test_m_shows_what_a_container_said_before_it_was_restarted(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        pod = next(p for p in app.seen.pods.values() if p.restarts and p.namespace == "shop")
        await until(pilot, lambda: pod.uid in app.pane.table.visible_keys)
        app.pane.table.cursor_key = pod.uid
        page = await page_of(app, pilot, "m")
        assert f"== {pod.container_names[0]}, its newest run" in page
        above = app.seen.workload_of(pod)
        assert above is not None
        assert f"{above.name}: {{workload: {above.kind.lower()}/{above.name}, namespace: shop}}" in page
        assert app.looked == [], "no log of the profile follows it"
        await pilot.press("enter")
        await at(app, pilot, "containers")
        assert f"== {pod.container_names[0]}, its newest run" in await page_of(app, pilot, "m")
