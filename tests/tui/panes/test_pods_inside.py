"""The keys of the Pods tab that reach into a container, on the simulated cluster."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from profiles.schema import Profile
from profiles.systems import Kubernetes
from tui.actions.action import Request
from tui.journal import JournalError
from tui.panes.pane import Desk, Pane
from tui.panes.pods import PodsPane
from tui.rules import Level
from tui.sandbox.cluster import Cluster
from tui.sources.kubernetes import KubernetesSource
from tui.sources.reading import Reading
from widgets.dialogs import ChooseDialog, TextDialog
from widgets.log_view import LogView

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


class InsideApp(App[None]):
    """The Pods tab alone, with a record of its own."""

    def __init__(self, source: KubernetesSource, now: float, **profile: Any) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.told: list[str] = []
        self.kept: list[tuple[str, Mapping[str, Any]]] = []
        self.is_full = False
        values = {"name": "t", "environment": "prod", "kubernetes": {"context": "sandbox"}, **profile}
        self.desk = Desk(
            Profile.model_validate(values),
            lambda: now,
            lambda source, metric, name: Level.OK,
            lambda request: None,
            lambda name: source,
            record=self._keep,
        )

    async def _keep(self, what: str, entry: Mapping[str, Any]) -> None:
        if self.is_full:
            raise JournalError("disk full")
        self.kept.append((what, entry))

    def compose(self) -> ComposeResult:
        yield PodsPane(self.desk, id="pods")

    def on_pane_requested(self, message: Pane.Requested) -> None:
        self.requests.extend(message.requests)

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await pilot.pause(0.01)


@asynccontextmanager
async def seated(
    folder: Path, name: str = "queue-0", user: str = "admin", **profile: Any
) -> AsyncIterator[tuple[Cluster, InsideApp, Pilot[None]]]:
    """Sit before the Pods tab with the cursor on a pod."""
    async with Cluster(speed=20) as cluster:
        entry = Kubernetes(kubeconfig=str(cluster.write_kubeconfig(folder / user, user)))
        source = KubernetesSource(entry, environ={})
        found = await source.read()
        now = cluster.clock.now().timestamp()
        app = InsideApp(source, now, **profile)
        async with app.run_test(size=(100, 30)) as pilot:
            pane = app.query_one(PodsPane)
            pane.show(Reading("kubernetes:", 0.25, found, taken_at=now))
            pane.focus_first()
            await until(pilot, lambda: pane.table.row_count == len(found.pods) == pane.table.visible_count)
            pane.table.cursor_key = next(p.uid for p in found.pods.values() if p.name.startswith(name))
            yield cluster, app, pilot
        await source.close()


async def choose(pilot: Pilot[None], *keys: str) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, ChooseDialog))
    await pilot.press(*keys, "enter")


async def test_a_look_is_on_record_before_anything_runs_and_with_what_ran(tmp_path: Path) -> None:
    async with seated(tmp_path) as (cluster, app, pilot):
        await pilot.press("t")
        await choose(pilot, "down", "down")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        await pilot.pause()
        page = "\n".join(line.text for line in app.screen.query_one(LogView).visible_lines())
        assert page.startswith("There is space everywhere")
        assert [what for what, _ in app.kept] == ["looking inside", "looked inside"]
        entry = app.kept[-1][1]
        assert (entry["look"], entry["place"]) == ("disk", "shop/queue-0/app")
        assert entry["ran"].startswith("df -P -k (0)")
        assert {arguments[0] for _, arguments in cluster.execs.seen} == {"df"}


async def test_nothing_runs_without_a_record(tmp_path: Path) -> None:
    async with seated(tmp_path) as (cluster, app, pilot):
        app.is_full = True
        await pilot.press("t")
        await choose(pilot)
        await until(pilot, lambda: app.told)
        assert app.told == ["nothing is shown that is not on record: disk full"]
        assert not cluster.execs.seen


async def test_permission_is_asked_first(tmp_path: Path) -> None:
    async with seated(tmp_path, user="viewer") as (cluster, app, pilot):
        await pilot.press("t")
        await choose(pilot)
        await until(pilot, lambda: app.told)
        assert "needs create on pods/exec in shop" in app.told[-1]
        assert not app.kept
        assert not cluster.execs.seen


async def test_a_profile_can_deny_looks(tmp_path: Path) -> None:
    async with seated(tmp_path, guards={"verbs": {"deny": ["look-inside"]}}) as (_, app, pilot):
        await pilot.press("t")
        await until(pilot, lambda: app.told)
        assert app.told == ["the profile denies look-inside (guards.verbs.deny)"]


async def test_a_cluster_can_deny_looks_in_itself(tmp_path: Path) -> None:
    entry = {"context": "sandbox", "guards": {"verbs": {"deny": ["look-inside"]}}}
    async with seated(tmp_path, kubernetes=None, clusters={"eu": entry}) as (cluster, app, pilot):
        await pilot.press("t")
        await until(pilot, lambda: app.told)
        assert app.told == ["the profile denies look-inside in eu (clusters.eu.guards.verbs.deny)"]
        assert not cluster.execs.seen


async def test_a_shell_is_asked_for_in_the_container_that_was_chosen(tmp_path: Path) -> None:
    async with seated(tmp_path, "payments-") as (_, app, pilot):
        await pilot.press("T")
        await choose(pilot, "down")
        await until(pilot, lambda: app.requests)
        (request,) = app.requests
        assert (request.verb, dict(request.wanted)) == ("shell", {"container": "proxy"})


async def test_what_does_not_run_cannot_be_entered(tmp_path: Path) -> None:
    async with seated(tmp_path, "migrate-118") as (_, app, pilot):
        await pilot.press("t", "T")
        await until(pilot, lambda: len(app.told) == 2)
        assert all("no container of migrate-118" in words for words in app.told)
