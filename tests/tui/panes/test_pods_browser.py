"""The Pods tab beyond the watches: any kind, what changed, down and up. On the simulated cluster."""

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from profiles.schema import Profile
from profiles.systems import Kubernetes, SavedView
from tui.panes.pane import Desk, Pane
from tui.panes.pods import PodsPane
from tui.rules import Level
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import Unreachable
from tui.sources.kubernetes import KubernetesSnapshot, KubernetesSource
from tui.sources.kubernetes.demand import EVERYTHING
from tui.sources.reading import Reading
from widgets.cell import cell_text
from widgets.dialogs import ChooseDialog, TextDialog
from widgets.live_table import LiveTable
from widgets.log_view import LogView
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


class _App(App[None]):
    """The smallest app that can hold the tab, with a cluster behind it."""

    def __init__(self, source: KubernetesSource) -> None:
        super().__init__()
        self.kubernetes = source
        self.told: list[str] = []
        self.looked: list[Pane.Looked] = []
        self.asked: list[Pane.Requested] = []
        self.later = 0.0
        profile = Profile(name="t", environment="dev", kubernetes=Kubernetes(context="sandbox"))
        self.desk = Desk(
            profile, lambda: time.time() + self.later, lambda *_: Level.OK, lambda _: None, lambda name: source
        )

    def compose(self) -> ComposeResult:
        yield PodsPane(self.desk, id="pods")

    @property
    def pane(self) -> PodsPane:
        return self.query_one(PodsPane)

    @property
    def seen(self) -> KubernetesSnapshot:
        """What the tab was shown last."""
        assert self.pane.snapshot is not None
        return self.pane.snapshot

    async def read(self) -> None:
        snapshot = await self.kubernetes.read()
        self.pane.show(Reading("kubernetes:", 0.25, snapshot, taken_at=self.desk.now()))

    def on_pane_requested(self, message: Pane.Requested) -> None:
        self.asked.append(message)

    def on_pane_looked(self, message: Pane.Looked) -> None:
        self.looked.append(message)

    def on_pane_taken_back(self, message: Pane.TakenBack) -> None:
        self.told.remove(message.text)

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


@pytest.fixture
async def source(cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesSource]:
    path = cluster.write_kubeconfig(tmp_path / "config")
    made = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={})
    yield made
    await made.close()


@asynccontextmanager
async def running(
    source: KubernetesSource, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[_App, Pilot[None]]]:
    app = _App(source)
    async with app.run_test(size=size) as pilot:
        # On a busy machine a first reading may come before every list: owners are told by another one than pods.
        async with asyncio.timeout(20):
            await app.read()
            while not app.seen.sees(*EVERYTHING):
                await app.read()
        app.pane.focus_first()
        await pilot.pause()
        yield app, pilot


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await pilot.pause(0.01)


async def at_kind(app: _App, pilot: Pilot[None], typed: str) -> LiveTable:
    await pilot.press("r")
    await until(pilot, lambda: isinstance(app.screen, ChooseDialog) and app.screen.focused)
    app.screen.query_one(Input).value = typed
    await until(pilot, lambda: app.screen.query_one(LiveTable).visible_count in (1, 2))
    await pilot.press("down", "up", "enter")
    await until(pilot, lambda: not isinstance(app.screen, ChooseDialog))
    return app.pane.table


async def page_of(app: _App, pilot: Pilot[None], key: str) -> str:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, TextDialog) and app.screen.query(LogView))
    page = app.screen.query_one(LogView)
    await until(pilot, lambda: page.size.height)
    text: str = app.screen._text  # type: ignore[attr-defined]  # whole, however long
    await pilot.press("escape")
    return text


def names(table: LiveTable, column: int = 1) -> set[str]:
    rows = [table.row(key) for key in table.visible_keys]
    return {cell_text(row.cells[column]) for row in rows if row is not None}


def strip(app: _App) -> str:
    return str(app.query_one("#pods-views", SegmentLine).text)


async def test_any_kind_is_found_by_its_short_name_and_shown_by_the_servers_table(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        table = await at_kind(app, pilot, "certs")
        await until(pilot, lambda: table.row_count == 3)
        assert [column.title for column in table.columns] == [
            "NAMESPACE",
            "NAME",
            "READY",
            "SECRET",
            "ISSUER",
            "STATUS",
            "AGE",
        ]
        assert names(table) == {"legacy-tls", "shop-tls", "webhooks-tls"}
        await pilot.press("f")
        await until(pilot, lambda: names(table) == {"legacy-tls", "webhooks-tls"})
        await pilot.press("f")
        table = await at_kind(app, pilot, "svc")
        await until(pilot, lambda: "gateway" in names(table))
        assert "False" not in names(table, 2)


async def test_enter_leads_from_a_service_and_from_a_namespace_to_pods(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        table = await at_kind(app, pilot, "svc")
        await until(pilot, lambda: "gateway" in names(table))
        table.cursor_key = next(key for key in table.visible_keys if cell_text(table.row(key).cells[1]) == "gateway")  # type: ignore[union-attr]  # visible
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == "pods" and app.pane.table.visible_count == 3)
        assert {name.rpartition("-")[0].rpartition("-")[0] for name in names(app.pane.table)} == {"gateway"}
        assert app.pane.choice.namespace == "shop"
        await pilot.press("escape", "escape")
        table = await at_kind(app, pilot, "namespaces ns")
        await until(pilot, lambda: "payments" in names(table, 0))
        table.cursor_key = next(key for key in table.visible_keys if cell_text(table.row(key).cells[0]) == "payments")  # type: ignore[union-attr]  # visible
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == "pods")
        assert app.pane.choice.words() == ("namespace payments",)


async def test_of_many_namespaces_one_is_chosen_by_its_name(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        found = {pod.uid: replace(pod, namespace=f"team-{i % 9}") for i, pod in enumerate(app.seen.pods.values())}
        many = replace(app.seen, pods=found, workloads={}, changes=None, revision=app.seen.revision + 1)
        app.pane.show(Reading("kubernetes:", 0.25, many, taken_at=app.desk.now()))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press(*"team-7", "enter")
        await until(pilot, lambda: not isinstance(app.screen, ChooseDialog))
        assert app.pane.choice.namespace == "team-7"
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, ChooseDialog))
        assert app.pane.choice.namespace == ""


async def test_the_notice_says_how_old_the_rows_are_that_it_stands_over(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        table = await at_kind(app, pilot, "hpa")
        await until(pilot, lambda: table.row_count)
        taken_at = app.pane.kinds.taken_at
        assert taken_at is not None
        app.later += 100.0
        silent = Reading("kubernetes:", 0.25, app.seen, taken_at=taken_at + 91.0, error=Unreachable("no answer"))
        app.pane.show(replace(silent, failing_since=taken_at + 95.0))
        (said,) = re.findall(r"rows are (\S+) old", app.query_one(NoticeBar).text)
        assert said.startswith("1m"), "not nine seconds, as what the watches told"


async def test_that_something_is_being_read_is_not_said_any_longer_than_it_is(
    cluster: Cluster, source: KubernetesSource
) -> None:
    async with running(source) as (app, pilot):
        await until(pilot, lambda: app.pane.table.cursor_key is not None)
        fault = cluster.misbehave("slow", "/api/v1/namespaces", "get", delay_s=30.0)
        await pilot.press("y")
        await until(pilot, lambda: any(words.startswith("reading Pod") for words in app.told))
        fault.released.set()
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        await until(pilot, lambda: not app.told)


async def test_what_a_small_screen_has_no_column_for_stands_on_the_page(source: KubernetesSource) -> None:
    async with running(source, (80, 24)) as (app, pilot):
        table = await at_kind(app, pilot, "hpa")
        await until(pilot, lambda: table.row_count)
        lines = (await page_of(app, pilot, "enter")).split("\n")
        assert {"reference   Deployment/search", "minpods     2", "maxpods     6", "replicas    2"} <= {*lines}
        table = await at_kind(app, pilot, "svc")
        await until(pilot, lambda: "gateway" in names(table))
        table.cursor_key = next(key for key in table.visible_keys if cell_text(table.row(key).cells[1]) == "gateway")  # type: ignore[union-attr]  # visible
        page = await page_of(app, pilot, "d")
        assert "port(s)     80:31165/TCP" in page
        table = await at_kind(app, pilot, "secrets")
        await until(pilot, lambda: "database" in names(table))
        assert (await page_of(app, pilot, "enter")).count("type  ") == 1


async def test_a_view_that_is_closed_asks_for_nothing(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        table = await at_kind(app, pilot, "netpol")
        await until(pilot, lambda: app.pane.kinds.taken_at is not None)
        asked = source.requests
        app.later += 3.0
        app.pane.tick()
        assert source.requests == asked, "it is not due yet"
        app.later += 3.0
        await app.read()
        await until(pilot, lambda: source.requests > asked)
        await pilot.press("tab")
        assert not table.display
        asked = source.requests
        for _ in range(5):
            app.later += 10.0
            app.pane.tick()
        await pilot.pause()
        assert source.requests == asked


async def test_a_secrets_value_is_nowhere(cluster: Cluster, source: KubernetesSource) -> None:
    value = "hunter2-hunter2"
    secret = {
        "metadata": {"name": "login", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": (
            f'{{"kind":"Secret","data":{{"password":"{base64.b64encode(value.encode()).decode()}"}}}}'
        )}},
        "data": {"password": base64.b64encode(value.encode()).decode()},
    }  # fmt: skip
    assert (await source.connection.call("POST", "/api/v1/namespaces/shop/secrets", body=secret)).is_ok
    async with running(source) as (app, pilot):
        table = await at_kind(app, pilot, "secrets")
        await until(pilot, lambda: "login" in names(table))
        table.cursor_key = next(key for key in table.visible_keys if cell_text(table.row(key).cells[1]) == "login")  # type: ignore[union-attr]  # visible
        page = await page_of(app, pilot, "enter")
        assert "password" in page
        assert "15 bytes" in page
        yaml = await page_of(app, pilot, "y")
        for text in (page, yaml, app.pane.as_text()):
            assert value not in text
            assert base64.b64encode(value.encode()).decode() not in text


async def test_who_wrote_an_object_stands_folded_in_its_yaml_until_a_key_unfolds_it(source: KubernetesSource) -> None:
    value = base64.b64encode(b"hunter2-hunter2").decode()
    path = "/api/v1/namespaces/shop/secrets"
    body = {"metadata": {"name": "login"}, "data": {"password": value}}
    assert (await source.connection.call("POST", path, body=body, query=(("fieldManager", "installer"),))).is_ok
    patch = {"data": {"user": value}}
    merge = "application/merge-patch+json"
    query = (("fieldManager", "rotator"),)
    answer = await source.connection.call("PATCH", f"{path}/login", body=patch, content_type=merge, query=query)
    assert answer.is_ok
    async with running(source) as (app, pilot):
        table = await at_kind(app, pilot, "secrets")
        await until(pilot, lambda: "login" in names(table))
        table.cursor_key = next(key for key in table.visible_keys if cell_text(table.row(key).cells[1]) == "login")  # type: ignore[union-attr]  # visible
        folded = await page_of(app, pilot, "y")
        # Which of two is newer, a server tells only by the second.
        names_and_ages = r"(rotator|installer) \d+s ago, (rotator|installer) \d+s ago"
        assert re.search(rf"^  # managedFields: 2 managers, folded \(z\): {names_and_ages}$", folded, re.MULTILINE)
        assert "fieldsV1" not in folded
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, TextDialog) and app.screen.query(LogView))
        await pilot.press("z")
        whole: str = app.screen._text  # type: ignore[attr-defined]  # whole, however long
        assert "  managedFields:\n  - manager: installer\n" in whole, "as the server has them"
        assert "f:password: {}" in whole
        assert value not in whole
        await pilot.press("z")
        again: str = app.screen._text  # type: ignore[attr-defined]  # as above
        assert "fieldsV1" not in again
        assert "  # managedFields: 2 managers, folded" in again


async def test_a_service_says_who_answers_behind_it(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        table = await at_kind(app, pilot, "svc")
        await until(pilot, lambda: "gateway" in names(table))
        table.cursor_key = next(key for key in table.visible_keys if cell_text(table.row(key).cells[1]) == "gateway")  # type: ignore[union-attr]  # visible
        assert "Pods of its selector app=gateway: 3, 3 ready" in await page_of(app, pilot, "d")


async def test_a_kind_that_cannot_be_read_says_so_and_keeps_its_rows(
    cluster: Cluster, source: KubernetesSource
) -> None:
    async with running(source) as (app, pilot):
        table = await at_kind(app, pilot, "svc")
        await until(pilot, lambda: table.row_count)
        cluster.server.faults.add(Fault(FaultKind.FORBIDDEN, path="/api/v1/services"))
        app.later += 6.0
        await app.read()
        await until(pilot, lambda: table.stale)
        assert "services: forbidden" in app.query_one(NoticeBar).text
        assert table.row_count
        cluster.server.faults.clear()
        app.later += 6.0
        await app.read()
        await until(pilot, lambda: not table.stale)


async def test_down_to_the_pods_of_a_node_and_back_and_up_to_the_workload(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        await pilot.press("tab", "tab", "tab")
        table = app.pane.table
        await until(pilot, lambda: table.visible_count)
        node = cell_text(table.cursor_row.cells[0])  # type: ignore[union-attr]  # there are nodes
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view == "pods" and app.pane.table.visible_count)
        await until(pilot, lambda: names(app.pane.table, 6) == {node})
        pod = next(p for p in app.seen.pods.values() if p.node == node and p.owner and p.owner.kind == "ReplicaSet")
        app.pane.table.cursor_key = pod.uid
        await pilot.press("u")
        above = app.seen.workload_of(pod)
        assert above is not None
        await until(pilot, lambda: app.pane.view == "workloads" and app.pane.table.cursor_key == above.uid)
        await pilot.press("shift+tab", "tab", "enter")
        await until(pilot, lambda: app.pane.view == "rollout")
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view == "workloads" and app.pane.table.cursor_key == above.uid)


async def test_selectors_typed_into_the_filter_narrow_the_rows(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        await until(pilot, lambda: app.pane.table.visible_count > 20)
        await pilot.press("/", *"-l app=api")
        await until(pilot, lambda: app.pane.table.visible_count == 4)
        await pilot.press(*" -f status.phase!=Running")
        await until(pilot, lambda: app.pane.table.visible_count == 0)
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.table.visible_count > 20)
        await pilot.press("/", *"-f spec.nodName=x")
        await until(pilot, lambda: "no field spec.nodName" in app.pane.query_one("FilterBar").error)  # type: ignore[attr-defined]  # its class
        assert app.pane.table.visible_count > 20


async def test_what_changed_leads_to_the_object(cluster: Cluster, source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        image = {
            "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "registry.example/shop/api:3"}]}}}
        }
        body: dict[str, Any] = {"body": image, "content_type": "application/strategic-merge-patch+json"}
        path = "/apis/apps/v1/namespaces/shop/deployments/api"
        assert (await source.connection.call("PATCH", path, **body)).is_ok
        await pilot.press("tab", "tab", "tab", "tab")
        table = app.pane.table
        async with asyncio.timeout(30):
            while "rollout" not in names(table):
                await app.read()
                await pilot.pause()
        assert "Changed 1" in strip(app)
        await pilot.press("enter")
        api = next(w for w in app.seen.workloads.values() if w.name == "api")
        await until(pilot, lambda: app.pane.view == "rollout")
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view == "workloads" and app.pane.table.cursor_key == api.uid)


async def test_a_workloads_page_shows_what_its_newest_revision_changed(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        orders = next(w for w in app.seen.workloads.values() if w.name == "orders")
        await pilot.press("tab")
        await until(pilot, lambda: app.pane.table.visible_count)
        app.pane.table.cursor_key = orders.uid
        page = await page_of(app, pilot, "d")
        assert "Revision 5 (the present one), compared with 4:" in page
        assert "-    image: registry.example/shop/orders:" in page
        assert "+    image: registry.example/shop/orders:1.9.3" in page


async def test_a_saved_view_is_opened_as_the_profile_keeps_it(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        app.desk.profile.kubernetes.views.update(  # type: ignore[union-attr]  # it has one
            api=SavedView(namespace="shop", filter="-l app=api"), certs=SavedView(show="cert", faults=True)
        )
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog) and app.screen.focused)
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: app.pane.view == "pods" and app.pane.table.visible_count == 4)
        assert app.pane.choice.words() == ("namespace shop",)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog) and app.screen.focused)
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.pane.view == "kinds" and names(app.pane.table) == {"legacy-tls", "webhooks-tls"})


async def test_by_hand_gives_the_command_for_the_kind(source: KubernetesSource) -> None:
    async with running(source) as (app, pilot):
        await at_kind(app, pilot, "netpol")
        assert app.pane.by_hand().endswith("get networkpolicies.networking.k8s.io -o wide -A")
