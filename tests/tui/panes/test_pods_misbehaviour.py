"""The Pods tab while the cluster misbehaves in every way it knows; right afterwards its rows are a fresh list's."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import yaml
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from profiles.schema import Profile
from profiles.systems import Kubernetes
from tui.panes.pane import Desk
from tui.panes.pods import PodsPane
from tui.panes.pods_rows import Light, pod_row
from tui.rules import Level
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.demand import EVERYTHING
from tui.sources.kubernetes.fields import parts
from tui.sources.kubernetes.pods import parse_pod
from tui.sources.reading import Reading
from widgets.cell import cell_text
from widgets.notice import NoticeBar

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_API = "/apis/apps/v1/namespaces/shop/deployments/api"
_PODS = "/api/v1/pods"
_LONGEST_STALL_S = 0.5
"""Of the event loop's own time in one turn, with a test's whole cluster on it: what hangs would be far above."""


class _App(App[None]):
    def __init__(self, source: KubernetesSource) -> None:
        super().__init__()
        profile = Profile(name="t", environment="dev", kubernetes=Kubernetes(context="sandbox"))
        self.desk = Desk(profile, time.time, lambda *_: Level.OK, lambda _: None, lambda name: source)
        self.kubernetes = source
        self.stall_s = 0.0
        self.errors: list[str] = []
        self.pilot: Pilot[None]

    async def answers_keys(self) -> None:
        """Press two keys as a person does, and see that each is answered by the cursor."""
        for name, step in (("j", 1), ("k", -1)):
            table = self.pane.table
            keys = table.visible_keys
            wanted = keys[[*keys].index(table.cursor_key) + step]
            await self.pilot.press(name)
            async with asyncio.timeout(30):
                while table.cursor_key != wanted:
                    await self.pilot.pause(0.01)

    def compose(self) -> ComposeResult:
        yield PodsPane(self.desk, id="pods")

    @property
    def pane(self) -> PodsPane:
        return self.query_one(PodsPane)

    def rows(self) -> set[tuple[str, ...]]:
        table = self.pane.table
        return {_steady(row.cells) for key in table.visible_keys if (row := table.row(key)) is not None}

    async def read(self) -> None:
        """Read and show as the poller does, and notice when the event loop stands still."""
        shown = None
        while True:
            error = None
            try:
                shown = await self.kubernetes.read()
            except SourceError as failure:
                error = failure
                self.errors.append(str(failure))
                await asyncio.sleep(0.1)
            self.pane.show(Reading("kubernetes:", 0.25, shown, taken_at=time.time(), error=error))
            spent = time.thread_time()
            await asyncio.sleep(0)
            self.stall_s = max(self.stall_s, time.thread_time() - spent)


def _steady(cells: tuple[object, ...]) -> tuple[str, ...]:
    """Return what of a row does not depend on the moment: no ages, no usage."""
    words = [cell_text(cell) for cell in cells]  # type: ignore[arg-type]  # a row's
    return (*words[:4], words[4].partition(" ")[0], words[6], words[-1])


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


@asynccontextmanager
async def _running(
    cluster: Cluster, folder: Path, *, namespaces: Sequence[str] = (), plugin: Path | None = None
) -> AsyncIterator[tuple[_App, Connection]]:
    path = cluster.write_kubeconfig(folder / "config")
    other = Connection(Kubernetes(kubeconfig=str(path)), {})
    await other.open()
    if plugin is not None:
        config = yaml.safe_load(path.read_text())
        config["users"][0]["user"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin)}}
        path.write_text(yaml.safe_dump(config))
    entry = Kubernetes(kubeconfig=str(path), namespaces=[*namespaces])
    source = KubernetesSource(entry, environ={}, heartbeat_s=0.2, silence_s=1.0)
    source.connection.reopen_s = 0.1
    app = _App(source)
    try:
        async with app.run_test(size=(160, 60)) as pilot:
            app.pilot = pilot
            reading = asyncio.create_task(app.read())
            await _until(lambda: len(app.rows()) > 5 and app.pane.snapshot and app.pane.snapshot.sees(*EVERYTHING))
            app.pane.focus_first()
            await pilot.pause()
            try:
                yield app, other
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading
    finally:
        await source.close()
        await other.close()


async def _until(holds: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def _scale(other: Connection, replicas: int) -> None:
    body = {"spec": {"replicas": replicas}}
    assert (await other.call("PATCH", _API, body=body, content_type="application/merge-patch+json")).is_ok


async def _fresh(other: Connection, namespaces: Sequence[str] = ()) -> set[tuple[str, ...]]:
    light = Light(time.time(), lambda metric, name: Level.OK, lambda path: None, lambda name: None)
    listed: Mapping[str, object] = await other.get(_PODS)
    pods = [pod for pod in map(parse_pod, parts(listed, "items")) if not namespaces or pod.namespace in namespaces]
    return {_steady(pod_row(pod, light).cells) for pod in pods}


async def _equals_a_fresh_list(app: _App, other: Connection, replicas: int, namespaces: Sequence[str] = ()) -> None:
    """Wait until the cluster itself has so many pods of the workload, and the tab all that it has."""
    async with asyncio.timeout(20):
        while True:
            fresh = await _fresh(other, namespaces)
            states = [row[3] for row in fresh if row[1].startswith("api-")]
            if states == ["Running"] * replicas and app.rows() == fresh:
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.GONE, _PODS, "watch", times=2, after_s=0.2),
        Fault(FaultKind.SILENT, _PODS, "watch", times=2),
        Fault(FaultKind.CUT, _PODS, "watch", times=3, after_s=0.1),
        Fault(FaultKind.UNAUTHORIZED, "/", times=12),
        Fault(FaultKind.FORBIDDEN, _PODS, times=3),
        Fault(FaultKind.TOO_MANY, _PODS, times=2, retry_after_s=1),
        Fault(FaultKind.INTERNAL, _PODS, times=3),
        Fault(FaultKind.UNAVAILABLE, "/", times=12),
        Fault(FaultKind.HTML, _PODS, times=3),
        Fault(FaultKind.SLOW, _PODS, times=2, delay_s=1.0),
        Fault(FaultKind.TRICKLE, _PODS, "watch"),
        Fault(FaultKind.REPLAYED, _PODS, "watch"),
    ],
    ids=lambda fault: str(fault.kind.value),
)
async def test_its_rows_equal_a_fresh_list_afterwards(cluster: Cluster, tmp_path: Path, fault: Fault) -> None:
    async with _running(cluster, tmp_path) as (app, other):
        await _scale(other, 6)
        cluster.server.faults.add(fault)
        # Streams under way end now, so that the pods' watch meets the fault.
        await app.kubernetes.connection.close()
        await app.answers_keys()
        async with asyncio.timeout(20):
            while fault.times:
                await app.answers_keys()
        await app.answers_keys()
        await _scale(other, 2)
        if fault.times is None:
            await _equals_a_fresh_list(app, other, 2)
        cluster.server.faults.clear()
        await _equals_a_fresh_list(app, other, 2)
        assert app.stall_s < _LONGEST_STALL_S


async def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(cluster: Cluster, tmp_path: Path) -> None:
    async with _running(cluster, tmp_path) as (app, other):
        fault = Fault(FaultKind.TOO_MANY, _PODS, "watch", times=1, retry_after_s=3)
        cluster.server.faults.add(fault)
        await app.kubernetes.connection.close()
        await _until(lambda: not fault.times)
        asked = time.monotonic()
        await _scale(other, 6)
        await _equals_a_fresh_list(app, other, 6)
        assert time.monotonic() - asked >= 2.9


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(FaultKind.GONE, _PODS, "watch", after_s=0.1), ""),
        (Fault(FaultKind.SILENT, _PODS, "watch"), "connected, but no answer in time"),
        (Fault(FaultKind.CUT, _PODS, "watch", after_s=0.1), "the connection was cut"),
        (Fault(FaultKind.UNAUTHORIZED), "credentials refused"),
        (Fault(FaultKind.FORBIDDEN, _PODS), "pods: forbidden"),
        (Fault(FaultKind.TOO_MANY, _PODS), "the API server asks us to slow down"),
        (Fault(FaultKind.INTERNAL, _PODS), "the API server failed (500)"),
        (Fault(FaultKind.UNAVAILABLE, "/"), "the API server failed (503)"),
        (Fault(FaultKind.HTML, _PODS), "a proxy, not an API server?"),
    ],
    ids=lambda found: found.kind.value if isinstance(found, Fault) else "",
)
async def test_while_it_lasts_the_rows_of_before_stay_with_the_reason_and_keys_are_answered(
    cluster: Cluster, tmp_path: Path, fault: Fault, words: str
) -> None:
    async with _running(cluster, tmp_path) as (app, other):
        before = app.rows()
        cluster.server.faults.add(fault)
        await app.kubernetes.connection.close()
        notice = app.pane.query_one(NoticeBar)
        async with asyncio.timeout(30):
            # A list that always works and a watch that always ends at once (410) is late, but never wrong.
            while words not in notice.text or app.pane.table.stale != bool(words):
                await app.answers_keys()
        lasting = {row[1] for row in before if not row[1].startswith("report-")}  # a CronJob's come and go
        assert lasting <= {row[1] for row in app.rows()}
        await app.answers_keys()
        cluster.server.faults.clear()
        await _scale(other, 3)
        await _equals_a_fresh_list(app, other, 3)
        await _until(lambda: not app.pane.table.stale)
        assert app.stall_s < _LONGEST_STALL_S


async def test_one_namespace_that_is_forbidden_meanwhile_costs_no_other_one(cluster: Cluster, tmp_path: Path) -> None:
    namespaces = ("shop", "payments", "monitoring")
    async with _running(cluster, tmp_path, namespaces=namespaces) as (app, other):
        cluster.server.faults.add(Fault(FaultKind.FORBIDDEN, "/api/v1/namespaces/payments/pods"))
        await app.kubernetes.connection.close()
        notice = app.pane.query_one(NoticeBar)
        async with asyncio.timeout(20):
            while "pods: 1 of 3 namespaces forbidden" not in notice.text:
                await app.answers_keys()
        assert not app.pane.table.stale
        assert any(row[0] == "payments" for row in app.rows()), "what was seen stays"
        await _scale(other, 6)
        await _equals_a_fresh_list(app, other, 6, namespaces)
        cluster.server.faults.clear()
        await _scale(other, 2)
        await _equals_a_fresh_list(app, other, 2, namespaces)
        await _until(lambda: "forbidden" not in notice.text)


async def test_a_session_that_ends_is_taken_up_by_a_fresh_token(cluster: Cluster, tmp_path: Path) -> None:
    """401, then the plugin is asked again: once, although every watch is refused."""
    runs, plugin, token = tmp_path / "runs", tmp_path / "plugin", tmp_path / "token"
    user = cluster.users["admin"]
    token.write_text(user.token)
    plugin.write_text(
        f"#!/bin/sh\necho run >> {runs}\nread token < {token}\n"
        'echo "{\\"apiVersion\\":\\"client.authentication.k8s.io/v1\\",\\"kind\\":\\"ExecCredential\\",'
        '\\"status\\":{\\"token\\":\\"$token\\"}}"\n'
    )
    plugin.chmod(0o700)
    async with _running(cluster, tmp_path, plugin=plugin) as (app, _):
        assert runs.read_text().count("run") == 1
        token.write_text("the-next-one\n")
        cluster.server.replace_token(user, "the-next-one")
        app.kubernetes.connection._cut_streams()
        async with asyncio.timeout(20):
            while runs.read_text().count("run") < 2:
                await app.answers_keys()
        await _until(lambda: app.pane.snapshot and app.pane.snapshot.sees(*EVERYTHING))
        async with asyncio.timeout(20):
            while app.rows() != await _fresh(app.kubernetes.connection):
                await app.answers_keys()
        assert runs.read_text().count("run") == 2
