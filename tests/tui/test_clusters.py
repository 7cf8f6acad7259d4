"""Several clusters in one profile, in the running app: one is stopped, one is killed, and no key waits for either."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from profiles.schema import Profile
from profiles.systems import Kubernetes
from tui.app import OpsApp
from tui.journal import Journal
from tui.panes.clusters import ClustersPane
from tui.panes.pane import Pane
from tui.panes.pods import PodsPane
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.demand import EVERYTHING
from tui.sources.kubernetes.fields import Object, parts
from tui.sources.kubernetes.workloads import Workload
from tui.timeline.kubernetes import TOLD_OF
from tui.wishes import Wishes
from widgets.cell import cell_text
from widgets.confirm_dialog import ConfirmDialog
from widgets.dialogs import InputDialog
from widgets.segment_line import SegmentLine

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]

_API = "/apis/apps/v1/namespaces/shop/deployments/api"
_BUSY_MACHINE_S = 40.0
_AT_ONCE_S = 5.0
"""Far below any timeout of a connection, far above what a busy machine needs to draw."""


@dataclass(frozen=True, slots=True)
class _Cluster:
    """A simulated cluster in a process of its own, to be stopped and killed."""

    process: subprocess.Popen[str]
    kubeconfig: Path

    @property
    def entry(self) -> Kubernetes:
        return Kubernetes(kubeconfig=str(self.kubeconfig))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()

    async def fetch(self, path: str) -> Object:
        """Ask it as somebody else would."""
        connection = Connection(self.entry, {})
        try:
            return await connection.get(path)
        finally:
            await connection.close()


def _started(kubeconfig: Path, user: str = "admin") -> _Cluster:
    # Both are made of the same seed: every uid of one is a uid of the other too, so no identity inside a write would
    # keep a change from the wrong cluster. Only opstui itself can.
    arguments = [sys.executable, "-m", "tui.sandbox.cluster", "--kubeconfig", str(kubeconfig), "--user", user]
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root})
    assert process.stdout is not None
    assert process.stdout.readline().startswith("https://")
    return _Cluster(process, kubeconfig)


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[tuple[_Cluster, _Cluster]]:
    found: list[_Cluster] = []
    try:
        for name in ("eu", "us"):
            found.append(_started(tmp_path / f"{name}.kubeconfig"))
        yield found[0], found[1]
    finally:
        for one in found:
            one.process.send_signal(signal.SIGCONT)
            one.kill()


@asynccontextmanager
async def _running(tmp_path: Path, *clusters: _Cluster, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[int]]:
    named = {name: {"kubeconfig": str(one.kubeconfig)} for name, one in zip(("eu", "us"), clusters, strict=True)}
    profile = Profile.model_validate({"name": "t", "environment": "dev", "clusters": named})
    app = OpsApp(
        profile,
        journal=Journal(tmp_path / "journal", profile.name, profile.environment),
        log_file=str(tmp_path / "log"),
        wishes=Wishes(),
    )
    async with app.run_test(size=size) as pilot:
        await pilot.press("2")
        yield pilot


async def _until(pilot: Pilot[int], condition: Callable[[], object], seconds: float = _BUSY_MACHINE_S) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await pilot.pause(0.02)


def _pane(pilot: Pilot[int]) -> ClustersPane:
    return pilot.app.query_one(ClustersPane)


def _view(pilot: Pilot[int]) -> PodsPane:
    return _pane(pilot).shown


def _workloads(pilot: Pilot[int]) -> list[Workload]:
    snapshot = _view(pilot).snapshot
    assert snapshot is not None
    return list(snapshot.workloads.values())


def _title(pilot: Pilot[int]) -> str:
    return _view(pilot).query_one("#pods-title", SegmentLine).text


def _names(pilot: Pilot[int]) -> set[str]:
    table = _view(pilot).table
    return {cell_text(row.cells[1]) for key in table.visible_keys if (row := table.row(key)) is not None}


async def _pressed(pilot: Pilot[int], key: str, condition: Callable[[], object]) -> None:
    """Press a key that must show its effect at once, whatever a cluster does."""
    async with asyncio.timeout(_AT_ONCE_S):
        await pilot.press(key)
        while not condition():
            await pilot.pause(0.02)


async def _asked(pilot: Pilot[int]) -> ConfirmDialog:
    await _until(pilot, lambda: isinstance(pilot.app.screen, ConfirmDialog))
    dialog = pilot.app.screen
    assert isinstance(dialog, ConfirmDialog)
    await _until(pilot, lambda: "closes in" in str(dialog.query_one("#hint", Static).content))
    return dialog


async def _typed(pilot: Pilot[int], text: str, dialog: type[Any] = InputDialog) -> None:
    await _until(pilot, lambda: isinstance(pilot.app.screen, dialog))
    await pilot.press(*text, "enter")


def _journal(tmp_path: Path) -> list[dict[str, Any]]:
    files = (tmp_path / "journal").rglob("*.jsonl")
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


async def test_no_key_waits_for_a_cluster_that_is_stopped_or_dead(
    tmp_path: Path, clusters: tuple[_Cluster, _Cluster]
) -> None:
    eu, us = clusters
    async with _running(tmp_path, eu, us) as pilot:
        await _until(pilot, lambda: len(_names(pilot)) > 20)
        assert " eu " in _title(pilot)
        assert "1/2" in _title(pilot)
        us.stop()
        for _ in range(3):
            await _pressed(pilot, "right_square_bracket", lambda: " us " in _title(pilot))
            await _pressed(pilot, "f", lambda: "faults" in _title(pilot))
            await _pressed(pilot, "f", lambda: "faults" not in _title(pilot))
            await _pressed(pilot, "left_square_bracket", lambda: " eu " in _title(pilot))
        # What was never reached says so, by its own name; and the other one goes on.
        await _pressed(pilot, "right_square_bracket", lambda: " us " in _title(pilot))
        await _pressed(pilot, "left_square_bracket", lambda: len(_names(pilot)) > 20)
        us.go_on()
        await _pressed(pilot, "right_square_bracket", lambda: " us " in _title(pilot))
        await _until(pilot, lambda: len(_names(pilot)) > 20)
        us.kill()
        reading = pilot.app._pollers.reading  # type: ignore[attr-defined]  # the app's
        await _until(pilot, lambda: reading("kubernetes:us").error is not None)
        await _pressed(pilot, "left_square_bracket", lambda: " eu " in _title(pilot))
        assert not _view(pilot).table.stale
        await _pressed(pilot, "right_square_bracket", lambda: _view(pilot).table.stale)
        assert len(_names(pilot)) > 20, "the last rows stay"
        await _pressed(pilot, "left_square_bracket", lambda: " eu " in _title(pilot))
        pods = {str(one["metadata"]["name"]) for one in parts(await eu.fetch("/api/v1/pods"), "items")}
        await _until(pilot, lambda: _names(pilot) == pods)


async def test_only_the_cluster_that_is_shown_is_read_at_full_pace_and_a_jump_goes_to_its_own(
    tmp_path: Path, clusters: tuple[_Cluster, _Cluster]
) -> None:
    async with _running(tmp_path, *clusters) as pilot:
        await _until(pilot, lambda: len(_names(pilot)) > 20)
        pollers = pilot.app._pollers._pollers  # type: ignore[attr-defined]  # the app's

        def is_seen() -> list[bool]:
            return [pollers[f"kubernetes:{name}"]._visible for name in ("eu", "us")]

        await _until(pilot, lambda: is_seen() == [True, False])
        await pilot.press("right_square_bracket")
        await _until(pilot, lambda: is_seen() == [False, True] and len(_names(pilot)) > 20)
        # Of the one that is not shown only that is watched which the timeline tells of, as soon as the grace is over.
        eu, us = (pollers[f"kubernetes:{name}"].source.demand for name in ("eu", "us"))
        assert us.wanted == EVERYTHING
        eu.grace_s = us.grace_s = 0.0
        await pilot.press("left_square_bracket", "right_square_bracket")
        await _until(pilot, lambda: us.wanted == EVERYTHING and eu.wanted == frozenset(TOLD_OF) < EVERYTHING)
        await pilot.press("1")
        await _until(pilot, lambda: is_seen() == [False, False])
        # As from an entry of the timeline, or from a service of that cluster.
        pilot.app.post_message(Pane.Jumped("kubernetes:eu", "deployment/shop/api", 0.0))
        await _until(pilot, lambda: " eu " in _title(pilot) and _view(pilot).view == "workloads")
        api = next(one.uid for one in _workloads(pilot) if one.path == "shop/deployment/api")
        await _until(pilot, lambda: _view(pilot).table.cursor_key == api)


async def test_what_is_open_filtered_and_marked_stays_with_its_cluster(
    tmp_path: Path, clusters: tuple[_Cluster, _Cluster]
) -> None:
    async with _running(tmp_path, *clusters) as pilot:
        await _until(pilot, lambda: len(_names(pilot)) > 20)
        await pilot.press("space", "space", "slash", *"api", "enter")
        marked = set(_view(pilot).table.marked)
        assert len(marked) == 2
        await pilot.press("right_square_bracket")
        await _until(pilot, lambda: len(_names(pilot)) > 20)
        assert not _view(pilot).table.marked
        await pilot.press("tab")
        assert _view(pilot).view == "workloads"
        await pilot.press("left_square_bracket")
        assert _view(pilot).view == "pods"
        assert set(_view(pilot).table.marked) == marked
        assert _names(pilot) == {name for name in _names(pilot) if "api" in name}


async def test_a_change_reaches_the_cluster_that_was_seen_whichever_is_shown_by_then(
    tmp_path: Path, clusters: tuple[_Cluster, _Cluster]
) -> None:
    eu, us = clusters
    before = (await us.fetch(_API))["spec"]["replicas"]
    async with _running(tmp_path, eu, us, size=(120, 40)) as pilot:
        await _until(pilot, lambda: len(_names(pilot)) > 20)
        await pilot.press("right_square_bracket", "left_square_bracket", "tab")
        api = next(one.uid for one in _workloads(pilot) if one.path == "shop/deployment/api")
        await _until(pilot, lambda: _view(pilot).table.row(api) is not None)
        _view(pilot).table.cursor_key = api
        await pilot.press("C")
        await _until(pilot, lambda: isinstance(pilot.app.screen, InputDialog))
        await _pane(pilot).turn("kubernetes:us")  # as an alert's jump would, or a reading that began before
        await _typed(pilot, str(before + 1))
        dialog = await _asked(pilot)
        told = {label: cell_text(words) for label, words in dialog._facts}
        assert told["Where"].endswith("kubernetes:eu")
        assert f"kubectl --kubeconfig {eu.kubeconfig} --context" in told["By hand"]
        await pilot.press("y")
        await _until(pilot, lambda: {"intent", "outcome"} <= {line["what"] for line in _journal(tmp_path)})
    lines = [line for line in _journal(tmp_path) if line.get("verb") == "scale"]
    assert {line.get("source") for line in lines} == {"kubernetes:eu"}
    assert (await eu.fetch(_API))["spec"]["replicas"] == before + 1
    assert (await us.fetch(_API))["spec"]["replicas"] == before
