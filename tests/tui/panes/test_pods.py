"""The Pods tab: objects recorded from a real API server in, rows and pages out; then the tab itself."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from profiles.schema import Profile
from profiles.systems import Kubernetes
from tui.actions.action import Request
from tui.panes import pods_detail, pods_rows, pods_views
from tui.panes.pane import Desk, Pane
from tui.panes.pods import PodsPane
from tui.panes.pods_events import EventFolds
from tui.panes.pods_rows import Light
from tui.rules import Level
from tui.sources.errors import Unreachable
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.metrics import Metrics, Usage
from tui.sources.kubernetes.mirror import Changes
from tui.sources.kubernetes.pods import Pod, parse_pod
from tui.sources.kubernetes.snapshot import FAMILIES, KindHealth, KubernetesSnapshot
from tui.sources.kubernetes.trends import Trends
from tui.sources.reading import Reading
from widgets.cell import Row, cell_text
from widgets.column_layout import arrange
from widgets.dialogs import InputDialog, TextDialog
from widgets.live_table import LiveTable
from widgets.log_view import LogView
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

_ZOO = Path(__file__).parents[2] / "fixtures" / "kubernetes-zoo"
NOW = 1_795_320_979.0
"""The moment of the recording, give or take a second."""
QUIET = {family: Changes() for family in FAMILIES}


@cache
def snapshot() -> KubernetesSnapshot:
    families: dict[str, Any] = {family: {} for family in FAMILIES}
    for kind in KINDS.values():
        for row in json.loads((_ZOO / f"{kind.resource}.json").read_text())["rows"]:
            fact = kind.parse(row["object"])
            families[kind.family][fact.uid] = fact
    return KubernetesSnapshot(
        context="zoo",
        server="https://zoo",
        server_version="v1.36.2",
        user="me",
        namespaces=(),
        **families,
        health={kind.resource: KindHealth(kind.resource, is_synced=True) for kind in KINDS.values()},
        metrics=Metrics({}, {}, "unavailable: metrics-server is not installed or not ready"),
        revision=1,
    )


def reading(found: KubernetesSnapshot, **more: Any) -> Reading[KubernetesSnapshot]:
    return Reading("kubernetes:", 0.25, found, taken_at=NOW, **more)


def pod(start: str, found: KubernetesSnapshot | None = None) -> Pod:
    return next(pod for pod in (found or snapshot()).pods.values() if pod.name.startswith(start))


def light(now: float = NOW, usage: Mapping[str, Usage] | None = None) -> Light:
    return Light(now, lambda metric, name: Level.OK, (usage or {}).get, lambda name: None)


def pod_cells(row: Row) -> dict[str, str]:
    return {c.key: cell_text(cell) for c, cell in zip(pods_rows.pod_columns(80), row.cells, strict=True)}


def test_a_pods_row_speaks_as_kubectl_does() -> None:
    shown = pod_cells(pods_rows.pod_row(pod("ledger-"), light()))
    assert shown["status"] == "CrashLoopBackOff"
    assert shown["ready"] == "0/1"
    assert shown["restarts"].startswith("5 (")
    assert shown["restarts"].endswith("s ago)")
    assert (shown["cpu"], shown["memory"]) == ("–", "–")


def test_usage_is_written_as_kubectl_top_does() -> None:
    found = pod("ledger-")
    shown = pod_cells(pods_rows.pod_row(found, light(usage={found.path: Usage(0.0521, 64 * 1024**2)})))
    assert (shown["cpu"], shown["memory"]) == ("52m", "64.0 MiB")


def test_usage_stands_beside_what_was_asked_for_and_what_is_allowed() -> None:
    found = replace(pod("ledger-"), cpu_request_cores=0.1, memory_limit_bytes=64 * 1024**2)
    shown = pod_cells(pods_rows.pod_row(found, light(usage={found.path: Usage(0.25, 60 * 1024**2)})))
    assert (shown["cpu_share"], shown["memory_share"]) == ("250 %", "94 %")
    row = pods_rows.pod_row(found, light(usage={found.path: Usage(0.25, 60 * 1024**2)}))
    assert row.cells[14].tone == "warn"  # type: ignore[union-attr]  # it has one
    unlimited = replace(found, cpu_request_cores=None, memory_limit_bytes=None)
    shown = pod_cells(pods_rows.pod_row(unlimited, light(usage={found.path: Usage(0.25, 60 * 1024**2)})))
    assert (shown["cpu_share"], shown["memory_share"]) == ("–", "–")


def test_a_curve_reaches_up_to_the_limit_and_is_worked_out_only_where_it_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trends = Trends()
    found = replace(pod("ledger-"), memory_limit_bytes=100.0, cpu_limit_cores=None)
    for used in (10.0, 50.0, 100.0):
        trends.record({found.path: Usage(0.2, used)})
    before = pods_rows.pod_row(found, replace(light(), pod_trend=trends.get))
    shown = pod_cells(before)
    assert shown["memory_trend"] == "     ▁▅█"
    assert shown["cpu_trend"] == "     ███", "without a limit its own peak is the top"
    trends.record({found.path: Usage(0.2, 100.0)})
    after = pods_rows.pod_row(found, replace(light(), pod_trend=trends.get))
    assert after != before
    drawn: list[object] = []

    def sparkline(values: Sequence[float], width: int, **more: float) -> str:
        drawn.append(values)
        return ""

    monkeypatch.setattr(pods_rows, "sparkline", sparkline)
    rows = [pods_rows.pod_row(found, replace(light(), pod_trend=trends.get)) for _ in range(10)]
    assert rows[0] == rows[1]
    assert not drawn
    assert pod_cells(rows[0])["memory_trend"] == ""
    assert drawn


def test_at_80_columns_what_pods_use_fits_on_the_screen() -> None:
    columns = pods_rows.pod_columns(80, is_usage=True)
    shown = {columns[place.column].key for place in arrange(columns, 79, start=2)}
    assert {"name", "cpu", "cpu_limit", "held", "cpu_trend", "memory", "memory_share"} <= shown
    roomier = pods_rows.pod_columns(90, is_usage=True)
    assert "memory_trend" in {roomier[place.column].key for place in arrange(roomier, 89, start=2)}
    wide = pods_rows.pod_columns(140)
    places = {wide[place.column].key: place.width for place in arrange(wide, 139, start=2)}
    assert {"cpu", "memory", "node"} <= places.keys()
    assert places["name"] >= 30, "a name is what one acts on: it is not cut for numbers"
    widest = pods_rows.pod_columns(180)
    assert {"cpu_limit", "memory_share", "node"} <= {widest[p.column].key for p in arrange(widest, 179, start=2)}


def test_at_80_columns_a_workload_says_how_it_is() -> None:
    columns = pods_rows.workload_columns(80)
    shown = [columns[place.column].key for place in arrange(columns, 79, start=2)]
    assert shown == ["kind", "namespace", "name", "ready", "age", "status"], "0/1 of a Job may be failed or under way"
    failed = next(w for w in snapshot().workloads.values() if w.kind == "Job" and w.problem)
    cells = {
        c.key: cell_text(cell) for c, cell in zip(columns, pods_rows.workload_row(failed, light()).cells, strict=True)
    }
    assert cells["status"].startswith("Failed")


def test_sorting_by_status_puts_what_needs_somebody_first() -> None:
    def by_status(row: Row) -> str:
        assert row.sort is not None
        return str(row.sort[3])

    rows = sorted((pods_rows.pod_row(p, light()) for p in snapshot().pods.values()), key=by_status)
    statuses = [pod_cells(row)["status"] for row in rows]
    assert statuses[0] in ("CrashLoopBackOff", "CreateContainerConfigError", "ImagePullBackOff")
    assert statuses[-1] == "Completed"
    assert statuses.index("Error") > statuses.index("Pending")


def test_events_of_one_object_and_reason_are_one_row() -> None:
    folds = EventFolds()
    events = dict(snapshot().events)
    groups = folds.update(events, events)
    group = next(g for g in groups if g[3] == "FailedCreate")
    fold = folds.get(group)
    assert fold is not None
    assert fold.events == sum(1 for e in events.values() if (e.reason, e.object) == ("FailedCreate", group[1]))
    gone = [uid for uid, event in events.items() if event.reason == "FailedCreate"]
    for uid in gone:
        del events[uid]
    assert group in folds.update(events, gone)
    assert folds.get(group) is None


def test_a_pods_page_tells_exit_codes_owner_and_events() -> None:
    table = json.loads((_ZOO / "pods.json").read_text())
    obj = next(r["object"] for r in table["rows"] if r["object"]["metadata"]["name"].startswith("fraud-scorer"))
    page = pods_detail.pod_page(parse_pod(obj), obj, snapshot(), NOW)
    assert "exit code 137" in page
    assert "OOMKilled" in page
    assert "of Deployment/fraud-scorer" in page
    assert "BackOff: Back-off restarting failed container" in page
    assert "Volumes" in page
    assert "mounts kube-api-access" in page


def test_probes_are_told_as_kubectl_describes_them() -> None:
    probes = {
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 5},
        "readinessProbe": {"tcpSocket": {"port": "web"}, "initialDelaySeconds": 3},
        "startupProbe": {"exec": {"command": ["test", "-f", "/tmp/up"]}},
    }
    spec = {"containers": [{"name": "app", "image": "x", **probes}]}
    page = pods_detail.pod_page(pod("ledger-"), {"spec": spec}, snapshot(), NOW)
    assert "liveness probe: http-get http://:8080/healthz delay=0s timeout=1s period=5s #failure=3" in page
    assert "readiness probe: tcp-socket :web delay=3s timeout=1s period=10s #failure=3" in page
    assert "startup probe: exec test -f /tmp/up delay=0s" in page


def test_a_workloads_page_lists_revisions_and_pods() -> None:
    web = next(w for w in snapshot().workloads.values() if w.name == "web")
    page = pods_detail.workload_page(web, None, snapshot(), NOW)
    assert page.count("registry.test/shop/web:1.") >= 3
    assert "Pods: 4" in page


class PaneApp(App[None]):
    """The smallest app that can hold the tab."""

    def __init__(self, *, refusal: str | None = None) -> None:
        super().__init__()
        self.clock = NOW
        self.requests: list[Request] = []
        self.told: list[str] = []
        profile = Profile(name="t", environment="dev", kubernetes=Kubernetes(context="zoo"))
        self.desk = Desk(profile, lambda: self.clock, lambda *_: Level.OK, lambda _: refusal)

    def compose(self) -> ComposeResult:
        yield PodsPane(self.desk, id="pods")

    @property
    def pane(self) -> PodsPane:
        return self.query_one(PodsPane)

    def table(self, view: str = "pods") -> LiveTable:
        return self.query_one(f"#pods-{view}", LiveTable)

    def on_pane_requested(self, message: Pane.Requested) -> None:
        self.requests.extend(message.requests)

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await pilot.pause(0.01)


async def drawn(pilot: Pilot[None]) -> None:
    """Wait until everything told to the open table is on the screen."""
    app = pilot.app
    assert isinstance(app, PaneApp)
    table = app.pane.table
    await until(pilot, lambda: table.visible_count == table.row_count)


async def shown(pilot: Pilot[None], found: KubernetesSnapshot, **more: Any) -> PodsPane:
    app = pilot.app
    assert isinstance(app, PaneApp)
    app.pane.show(reading(found, **more))
    app.pane.focus_first()
    await pilot.pause()
    await drawn(pilot)
    return app.pane


async def test_the_first_reading_shows_every_pod() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        assert app.table().row_count == len(snapshot().pods)
        assert "Pods 63" in app.query_one("#pods-views", SegmentLine).text
        assert app.query_one(NoticeBar).text == ""


async def test_only_rows_that_changed_are_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []
    real = pods_rows.pod_row

    def counted(fact: Any, seen: Light) -> Row:
        built.append(fact)
        return real(fact, seen)

    monkeypatch.setitem(pods_views.VIEWS, "pods", replace(pods_views.VIEWS["pods"], row=counted))
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        changed = replace(pod("web-"), status="Terminating")
        gone = pod("evicted")
        pods = {**snapshot().pods, changed.uid: changed}
        del pods[gone.uid]
        built.clear()
        changes = {**QUIET, "pods": Changes(frozenset({changed.uid}), frozenset({gone.uid}))}
        await shown(pilot, replace(snapshot(), pods=pods, revision=2, changes=changes, metrics_changed=False))
        assert built == [changed]
        assert app.table().row(gone.uid) is None
        row = app.table().row(changed.uid)
        assert row is not None
        assert pod_cells(row)["status"] == "Terminating"


async def test_new_metrics_are_drawn_where_they_are_seen_and_build_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []

    def counted(fact: Any, seen: Light) -> Row:
        built.append(fact)
        return pods_rows.PodRow(fact, seen)

    monkeypatch.setitem(pods_views.VIEWS, "pods", replace(pods_views.VIEWS["pods"], row=counted))
    app = PaneApp()
    async with app.run_test(size=(160, 24)) as pilot:
        used = {found.path: Usage(0.123, 64 * 1024**2) for found in snapshot().pods.values()}
        await shown(pilot, replace(snapshot(), metrics=Metrics(used, {})))
        await until(pilot, lambda: "123m" in app.table().render_line(1).text)
        built.clear()
        used = {path: Usage(0.456, usage.memory_bytes) for path, usage in used.items()}
        await shown(pilot, replace(snapshot(), metrics=Metrics(used, {}), revision=2, changes=QUIET))
        await until(pilot, lambda: "456m" in app.table().render_line(1).text)
        assert not built


async def test_rows_sorted_by_what_pods_use_move_when_that_changes() -> None:
    app = PaneApp()
    async with app.run_test(size=(160, 24)) as pilot:
        few, many = (Usage(cores, 1.0) for cores in (0.1, 0.9))
        paths = sorted(found.path for found in snapshot().pods.values())
        await shown(pilot, replace(snapshot(), metrics=Metrics({paths[0]: many, paths[-1]: few}, {})))

        def first() -> str:
            return snapshot().pods[str(app.table().visible_keys[0])].path

        app.table().sort_by("cpu", reverse=True)
        assert first() == paths[0]
        metrics = Metrics({paths[0]: few, paths[-1]: many}, {})
        await shown(pilot, replace(snapshot(), metrics=metrics, revision=2, changes=QUIET))
        await until(pilot, lambda: first() == paths[-1])
        app.table().sort_by("memory_share", reverse=True)
        metrics = Metrics({paths[0]: many, paths[-1]: few}, {})
        await shown(pilot, replace(snapshot(), metrics=metrics, revision=3, changes=QUIET))
        app.table().sort_by("cpu", reverse=True)
        assert first() == paths[0]


def test_a_late_row_is_sorted_by_what_the_row_itself_says_and_found_by_all_but_what_it_uses() -> None:
    usage = {found.path: Usage(0.1 + n, 2.0**20 * n) for n, found in enumerate(snapshot().pods.values())}
    for found in snapshot().pods.values():
        late, row = (make(found, light(usage=usage)) for make in (pods_rows.PodRow, pods_rows.pod_row))
        assert (late.cells, late.sort, late.tone, late.haystack) == (row.cells, row.sort, row.tone, row.haystack)
        assert late.sort == tuple(late.sort_value(column) for column in range(len(row.cells)))
        for column, cell in zip(pods_rows.pod_columns(80), row.cells, strict=True):
            assert column.key in pods_rows.USAGE_COLUMNS or cell_text(cell) in late.words()
        assert row.haystack in late.words()


async def test_readings_that_were_missed_are_caught_up_with() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        kept = {uid: p for uid, p in snapshot().pods.items() if p.namespace == "shop"}
        await shown(pilot, replace(snapshot(), pods=kept, revision=7, changes=QUIET))
        assert app.table().row_count == len(kept)


async def test_ages_move_on_without_a_reading() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await shown(pilot, snapshot())
        young = pod("web-")
        before = app.table().row(young.uid)
        app.clock += 60
        pane.tick()
        after = app.table().row(young.uid)
        assert before is not None
        assert after is not None
        assert pod_cells(before)["age"] != pod_cells(after)["age"]


async def test_old_rows_stay_dimmed_and_the_notice_says_why() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        error = Unreachable("https://zoo: connection refused", "is the cluster up?")
        await shown(pilot, snapshot())
        await shown(pilot, snapshot(), error=error, failing_since=NOW)
        assert app.table().row_count == len(snapshot().pods)
        assert app.table().stale
        assert "connection refused since" in app.query_one(NoticeBar).text
        assert "is the cluster up?" in app.query_one(NoticeBar).text


async def test_a_view_whose_list_still_comes_does_not_say_that_there_is_nothing() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        health = {**snapshot().health, "pods": KindHealth("pods", is_synced=False)}
        await shown(pilot, replace(snapshot(), pods={}, health=health))
        assert app.table().empty == "waiting for the cluster"
        await shown(pilot, replace(snapshot(), pods={}, revision=2))
        assert app.table().empty == "no pods in this cluster"


async def test_rows_from_before_are_dimmed_and_their_age_is_theirs() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        health = {**snapshot().health, "pods": KindHealth("pods", is_synced=False, kept_from=NOW - 90)}
        await shown(pilot, replace(snapshot(), health=health))
        assert app.table().row_count == len(snapshot().pods)
        assert app.table().stale
        assert "age 1m30s" in app.query_one("#pods-title", SegmentLine).text
        await shown(pilot, replace(snapshot(), revision=2))
        assert not app.table().stale
        assert "age <3s" in app.query_one("#pods-title", SegmentLine).text


async def test_what_is_partial_is_said() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, replace(snapshot(), notes=("pods: 2 of 5 namespaces forbidden",)))
        assert app.query_one(NoticeBar).text == "partial: pods: 2 of 5 namespaces forbidden"


async def test_keys_narrow_what_is_shown_and_escape_widens_it_again() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        await pilot.press("f")
        await drawn(pilot)
        faults = app.table().row_count
        assert 0 < faults < len(snapshot().pods)
        await pilot.press("n")
        await drawn(pilot)
        assert {cell_text(app.table().row(key).cells[0]) for key in app.table().visible_keys} == {"payments"}  # type: ignore[union-attr]  # visible
        assert "namespace" in {column.key for column in app.table().columns if column.hidden}, "the title says it"
        title = app.query_one("#pods-title", SegmentLine).text
        assert "namespace payments" in title
        assert "all namespaces" not in title
        await pilot.press("escape")
        await drawn(pilot)
        assert "namespace" not in {column.key for column in app.table().columns if column.hidden}
        assert app.table().row_count == len(snapshot().pods)


async def test_enter_on_a_job_shows_its_pods() -> None:
    app = PaneApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await shown(pilot, snapshot())
        await pilot.press("tab")
        await drawn(pilot)
        job = next(w for w in snapshot().workloads.values() if w.name == "migrate-ok")
        app.table("workloads").cursor_key = job.uid
        await pilot.press("enter")
        await drawn(pilot)
        assert app.table().row_count == 3
        assert "pods of Job/migrate-ok" in app.query_one("#pods-title", SegmentLine).text


async def test_a_pod_is_shown_in_full() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod("ledger-").uid
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        await pilot.pause()
        assert "of Deployment/ledger" in "\n".join(line.text for line in app.screen.query_one(LogView).visible_lines())


async def test_what_pods_use_comes_first_by_a_key_and_goes_again() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        found = snapshot()
        used = {p.path: Usage(0.1, p.memory_limit_bytes * 0.95) for p in found.pods.values() if p.memory_limit_bytes}
        most = next(p for p in found.pods.values() if p.memory_limit_bytes)
        used[most.path] = Usage(0.1, (most.memory_limit_bytes or 0) * 0.99)
        await shown(pilot, replace(found, metrics=Metrics(used, {})))
        before = app.table().columns
        await pilot.press("w")
        await drawn(pilot)
        assert app.table().sort_column == "memory_share"
        assert app.table().visible_keys[0] == most.uid
        assert {c.key for c in app.table().columns if c.hidden} >= {"restarts", "age"}
        await pilot.press("w")
        await drawn(pilot)
        assert (app.table().columns, app.table().sort_column) == (before, "status")


async def test_restarting_a_pod_asks_for_its_deployment() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        await pilot.press("R")
        await pilot.pause()
        api = next(w for w in snapshot().workloads.values() if w.name == "api")
        assert [(r.verb, r.target.name, r.target.identity, r.seen) for r in app.requests] == [
            ("restart", "api", {"uid": api.uid}, {"replicas": 3})
        ]


@pytest.mark.parametrize(("start", "words"), [("migrate-ok", "not for a Job"), ("evicted", "belongs to no workload")])
async def test_what_cannot_be_restarted_says_why(start: str, words: str) -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod(start).uid
        await pilot.press("R")
        await pilot.pause()
        assert words in app.told[-1]
        assert not app.requests


async def test_marked_pods_are_asked_for_together_and_their_workload_once() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        names = sorted(p.name for p in snapshot().pods.values() if p.name.startswith("api-"))[:2]
        app.table().marked = {p.uid for p in snapshot().pods.values() if p.name in names}
        await pilot.press("R")
        await pilot.pause()
        assert [(r.verb, r.target.name) for r in app.requests] == [("restart", "api")]
        app.requests.clear()
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, InputDialog))
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.requests))
        assert sorted(r.target.name for r in app.requests) == names
        assert {r.verb for r in app.requests} == {"delete-pod"}


async def test_a_pod_is_deleted_with_its_own_grace_or_the_one_that_was_typed() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, InputDialog))
        await pilot.press("x", "enter", "backspace", "0", "enter")
        await until(pilot, lambda: bool(app.requests))
        assert [dict(r.wanted) for r in app.requests] == [{"grace_s": 0}]


async def test_a_pause_is_asked_for_as_temporary() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        await pilot.press("H")
        await pilot.pause()
        assert [(r.verb, r.temporary_s) for r in app.requests] == [("pause-rollout", 0.0)]


async def test_scaling_for_a_while_is_asked_for_as_temporary() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, InputDialog))
        await pilot.press(*"5 for 30m", "enter")
        await until(pilot, lambda: bool(app.requests))
        assert [(dict(r.wanted), r.temporary_s) for r in app.requests] == [({"replicas": 5}, 1800.0)]


async def test_keys_that_cannot_act_are_known_before_they_are_pressed() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        assert pane.barred_keys() == {"pods.cordon", "pods.drain", "pods.run_job"}
        app.table().cursor_key = pod("evicted").uid
        of_workloads = {"restart", "scale", "roll_back", "hold", "set_image", "set_env"}
        assert pane.barred_keys() == {
            *(f"pods.{name}" for name in of_workloads), "pods.cordon", "pods.drain", "pods.run_job", "pods.shell"
        }  # fmt: skip
        await pilot.press("tab")
        await drawn(pilot)
        assert "pods.delete" in pane.barred_keys()


async def test_a_guard_that_refuses_explains_the_key() -> None:
    app = PaneApp(refusal="read-only: W arms writing")
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        await pilot.press("R", "C")
        await pilot.pause()
        assert app.told == ["read-only: W arms writing"] * 2
        assert not app.requests


async def test_scaling_asks_for_the_number() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, snapshot())
        app.table().cursor_key = pod("api-").uid
        await pilot.press("C")
        await pilot.pause()
        assert isinstance(app.screen, InputDialog)
        await pilot.press("x", "enter", "backspace", "5", "enter")
        await pilot.pause()
        assert [(r.verb, dict(r.wanted)) for r in app.requests] == [("scale", {"replicas": 5})]


async def test_hostile_names_are_text() -> None:
    app = PaneApp()
    async with app.run_test(size=(120, 24)) as pilot:
        obj = {
            "metadata": {"uid": "u", "name": "a[/red]\x1b]0;x\x07", "namespace": "[b]"},
            "status": {"phase": "Running"},
        }
        hostile = parse_pod(obj)
        await shown(pilot, replace(snapshot(), pods={"u": hostile}))
        row = app.table().row("u")
        assert row is not None
        assert cell_text(row.cells[1]) == "a[/red]␛]0;x␇"


async def test_by_hand_gives_commands_for_this_cluster() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await shown(pilot, snapshot())
        app.table().cursor_key = pod("ledger-").uid
        await pilot.pause()
        lines = pane.by_hand().split("\n")
        assert lines[0] == "kubectl --context zoo get pods -A -o wide"
        assert any("--previous" in line for line in lines)


async def test_a_pod_that_an_entry_is_about_gets_the_cursor_whatever_is_chosen() -> None:
    app = PaneApp()
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await shown(pilot, snapshot())
        wanted = pod("ledger-")
        await pilot.press("tab", "n", "slash", *"zzz", "enter")
        await pilot.pause(0.1)
        assert pane.reveal("kubernetes:", f"pod/{wanted.path}", NOW)
        await until(pilot, lambda: app.table("pods").cursor_key == wanted.uid)
        assert app.table("pods").display


async def test_a_replica_set_leads_to_what_owns_it_and_a_node_to_itself() -> None:
    app = PaneApp()
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await shown(pilot, snapshot())
        owned = next(r for r in snapshot().replica_sets.values() if r.owner is not None)
        assert owned.owner is not None
        assert pane.reveal("kubernetes:", f"replicaset/{owned.namespace}/{owned.name}", NOW)
        await until(pilot, lambda: app.table("workloads").cursor_key == owned.owner.uid)  # type: ignore[union-attr]
        node = next(iter(snapshot().nodes.values()))
        assert pane.reveal("kubernetes:", f"node/{node.name}", NOW)
        await until(pilot, lambda: app.table("nodes").cursor_key == node.uid)


async def test_of_what_has_no_row_the_events_are_shown_and_what_is_gone_is_said_to_be() -> None:
    app = PaneApp()
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await shown(pilot, snapshot())
        assert pane.reveal("kubernetes:", "persistentvolumeclaim/shop/data-0", NOW)
        await pilot.pause(0.1)
        assert app.table("events").display
        assert app.table("events").filter_text == "data-0"
        assert not pane.reveal("kubernetes:", "pod/shop/gone", NOW)
        assert not pane.reveal("kubernetes:", "deployment/shop/gone", NOW)
