"""The Pods tab while the cluster misbehaves in every way it knows; right afterwards its rows are a fresh list's."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import yaml
from textual.app import App, ComposeResult

from profiles.schema import Kubernetes, Profile
from tui.panes.pane import Desk
from tui.panes.pods import PodsPane
from tui.panes.pods_rows import Light, pod_row
from tui.rules import Level
from tui.sandbox.cluster.cluster import Cluster
from tui.sandbox.cluster.faults import Fault, FaultKind
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import parts
from tui.sources.kubernetes.pods import parse_pod
from tui.sources.reading import Reading
from widgets.cell import cell_text

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_API = "/apis/apps/v1/namespaces/shop/deployments/api"
_PODS = "/api/v1/pods"
_LONGEST_STALL_S = 0.5
"""Of the event loop, with a test's whole cluster on it: what hangs would be far above."""


class _App(App[None]):
    def __init__(self, source: KubernetesSource) -> None:
        super().__init__()
        profile = Profile(name="t", environment="dev", kubernetes=Kubernetes(context="sandbox"))
        self.desk = Desk(profile, time.time, lambda *_: Level.OK, lambda _: None, lambda name: source)
        self.kubernetes = source
        self.stall_s = 0.0
        self.errors: list[str] = []

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
        shown, seen = None, time.monotonic()
        while True:
            error = None
            try:
                shown = await self.kubernetes.read()
            except SourceError as failure:
                error = failure
                self.errors.append(str(failure))
                await asyncio.sleep(0.1)
            self.pane.show(Reading("kubernetes:", 0.25, shown, taken_at=time.time(), error=error))
            seen = time.monotonic()
            await asyncio.sleep(0)
            self.stall_s = max(self.stall_s, time.monotonic() - seen)


def _steady(cells: tuple[object, ...]) -> tuple[str, ...]:
    """Return what of a row does not depend on the moment: no ages, no usage."""
    words = [cell_text(cell) for cell in cells]  # type: ignore[arg-type]  # a row's
    return (*words[:4], words[4].partition(" ")[0], words[6], words[9])


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as running:
        yield running


@asynccontextmanager
async def _running(cluster: Cluster, folder: Path) -> AsyncIterator[tuple[_App, Connection]]:
    path = cluster.write_kubeconfig(folder / "config")
    source = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={}, heartbeat_s=0.2, silence_s=1.0)
    source.connection.reopen_s = 0.1
    other = Connection(Kubernetes(kubeconfig=str(path)), {})
    app = _App(source)
    try:
        async with app.run_test(size=(160, 60)) as pilot:
            reading = asyncio.create_task(app.read())
            await _until(lambda: len(app.rows()) > 20)
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


async def _fresh(other: Connection) -> set[tuple[str, ...]]:
    light = Light(time.time(), lambda metric, name: Level.OK, lambda path: None, lambda name: None)
    listed: Mapping[str, object] = await other.get(_PODS)
    return {_steady(pod_row(parse_pod(item), light).cells) for item in parts(listed, "items")}


async def _equals_a_fresh_list(app: _App, other: Connection, replicas: int) -> None:
    """Wait until the cluster itself has so many pods of the workload, and the tab all that it has."""
    async with asyncio.timeout(20):
        while True:
            fresh = await _fresh(other)
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
        first = app.pane.table.cursor_key
        await _scale(other, 6)
        cluster.server.faults.add(fault)
        # Streams under way end now, so that the pods' watch meets the fault.
        await app.kubernetes.connection.close()
        await _until(lambda: fault.times is None or not fault.times)
        app.pane.table.action_cursor(1)
        assert app.pane.table.cursor_key != first, "keys still work"
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


async def test_a_session_that_ends_is_taken_up_by_a_fresh_token(cluster: Cluster, tmp_path: Path) -> None:
    """401, then the plugin is asked again: once, although ten watches were refused."""
    path = cluster.write_kubeconfig(tmp_path / "config")
    config = yaml.safe_load(path.read_text())
    runs, plugin = tmp_path / "runs", tmp_path / "plugin"
    (user,) = config["users"]
    token = user["user"].get("token", "")
    plugin.write_text(
        f"#!/bin/sh\necho run >> {runs}\n"
        'echo \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
        f'"status":{{"token":"{token or "none"}"}}}}\'\n'
    )
    plugin.chmod(0o700)
    user["user"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin)}}
    path.write_text(yaml.safe_dump(config))
    source = KubernetesSource(Kubernetes(kubeconfig=str(path)), environ={}, heartbeat_s=0.2)
    source.connection.reopen_s = 0.1
    try:
        before = await source.read()
        assert runs.read_text().count("run") == 1
        fault = Fault(FaultKind.UNAUTHORIZED, "/", times=1)
        cluster.server.faults.add(fault)
        assert (await source.connection.call("GET", "/api/v1/namespaces")).status == 401
        async with asyncio.timeout(10):
            while (await source.read()).health["pods"].error is not None:
                pass
        assert (await source.read()).pods.keys() == before.pods.keys()
        assert runs.read_text().count("run") == 2
    finally:
        await source.close()
