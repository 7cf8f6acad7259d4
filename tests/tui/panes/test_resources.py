"""The Resources tab: rows from facts, and the tab in an app of its own."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from profiles.schema import Profile
from profiles.thresholds import Rule
from tui.numbers import Numbers
from tui.panes import resources_numbers, resources_rows
from tui.panes.pane import Desk
from tui.panes.resources import ResourcesPane
from tui.panes.resources_hand import kubectl_top, metric_commands
from tui.panes.usage_history import Bounds, UsageHistory, greatest
from tui.rules import Level
from tui.sources.errors import SourceError, Unreadable
from tui.sources.history import Past
from tui.sources.host_facts import Cgroup, Cpu, Disk, HostMemory, HostSnapshot, Interface, Mount
from tui.sources.metrics.facts import MetricSnapshot, MetricValue
from tui.sources.reading import Number, Reading
from widgets.cell import Row, Tone, cell_text
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.plot import Plot

NOW = 1_700_000_000.0
PROFILE = Profile.model_validate(
    {"name": "t", "environment": "dev", "kubernetes": {"context": "prod eu", "namespaces": ["shop", "pay"]}}
)


@dataclass(frozen=True)
class Used:
    cpu_cores: float
    memory_bytes: float


@dataclass(frozen=True)
class Metrics:
    pods: Mapping[str, Used]
    nodes: Mapping[str, Used] = field(default_factory=dict)
    unavailable: str = ""
    partial: str = ""
    no_nodes: str = ""


@dataclass(frozen=True)
class Cluster:
    metrics: Metrics

    def numbers(self) -> list[Number]:
        return []


def series(*values: float) -> Past:
    kept = Past()
    for index, value in enumerate(values):
        kept.add(NOW - 2 * (len(values) - index), value)
    return kept


def host(**fields: object) -> HostSnapshot:
    snapshot = HostSnapshot(
        hostname="bastion",
        uptime_s=7260,
        cpu=Cpu(2, 50.0, (40.0, 60.0), iowait_percent=1.0, steal_percent=0.0, load_1m=1.5, load_5m=1.0, load_15m=0.5),
        memory=HostMemory(8 * 2**30, 2 * 2**30),
        mounts=(Mount("/", "/dev/vda", "ext4", 100 * 2**30, 10 * 2**30, 90.0, 60.0),),
        unmeasured=("/mnt/nas",),
        disks=(Disk("vda", 2048.0, None, 12.0),),
        interfaces=(Interface("eth0", 1024.0, 0.0, 3.0),),
        cgroup=Cgroup(),
        history={"cpu": series(10, 20, 50), "memory": series(75, 75)},
    )
    return dataclasses.replace(snapshot, **fields)  # type: ignore[arg-type]


def calm(metric: str, what: str) -> Tone:
    return ""


def cells(snapshot: HostSnapshot) -> dict[str, tuple[str, ...]]:
    rows = resources_rows.meter_rows(resources_rows.meters(snapshot, calm, NOW), snapshot.history, NOW, 16)
    return {key: tuple(map(cell_text, row.cells)) for key, row in rows.items()}


def test_each_meter_has_value_unit_and_what_it_is_of() -> None:
    found = cells(host())
    assert found["cpu"][1] == "50 %"
    assert found["load"][1] == "1.50"
    assert found["memory"][1] == "75 %"
    assert found["memory"][3] == "6.0 of 8.0 GiB"
    assert found["disk /"][3] == "10.0 GiB free of 100.0 GiB, inodes 60 %, ext4"
    assert found["io vda read"][1] == "2.0 KiB/s"
    assert found["io vda write"][1] == "–"
    assert found["net eth0 received"][3] == "3 errors and drops/s"
    assert found["cpu 1"][1] == "60 %"


def test_a_network_file_system_is_named_and_not_measured() -> None:
    assert cells(host())["disk /mnt/nas"][1:] == ("–", " " * 16, "network file system: asking could hang")


def test_the_limits_of_a_container_are_told() -> None:
    limited = host(cgroup=Cgroup(memory_max_bytes=2**31, memory_current_bytes=2**30, cpu_max=1.5))
    assert cells(limited)["cgroup memory"][1:4:2] == ("50 %", "1.0 of 2.0 GiB: the container's limit")
    assert cells(limited)["cpu"][3] == "of 2 cores; this process may use 1.5"
    assert "this cgroup: at most 1.5 CPUs, 2.0 GiB" in [segment.text for segment in resources_rows.title(limited)]
    assert "cgroup memory" not in cells(host())


def test_rules_colour_the_row_they_are_about() -> None:
    def judge(metric: str, what: str) -> Tone:
        return "critical" if (metric, what) == ("disk_percent", "/") else ""

    tones = {meter.key: meter.tone for meter in resources_rows.meters(host(), judge, NOW)}
    assert tones["disk /"] == "critical"
    assert tones["cpu"] == ""


def test_a_percentage_curve_is_measured_against_a_hundred() -> None:
    assert resources_rows.curve(series(50.0), NOW, 4, 100).strip() == "▅"
    assert resources_rows.curve(series(50.0), NOW, 4, None).strip() == "█"


def test_usage_is_written_as_kubectl_top_does() -> None:
    history = UsageHistory()
    usage = {"shop/api": Used(0.25, 200 * 2**20), "shop/db": Used(0.1, 1)}
    history.record(NOW, usage, {"shop/api": Bounds(0.5, 210 * 2**20), "shop/db": Bounds(None, None)})
    api, db = resources_rows.usage_rows(list(history), NOW, 8).values()
    curve = " " * 7 + "█"
    assert [cell_text(cell) for cell in api.cells] == ["shop/api", "250m", "50", curve, "200Mi", "95", curve]
    assert [cell_text(cell) for cell in db.cells][2::3] == ["–", "–"]
    assert api.cells[5].tone == "warn", "its memory is near its limit"  # type: ignore[union-attr]


def test_usage_history_grows_and_forgets_what_is_gone() -> None:
    history = UsageHistory()
    history.record(NOW, {"a": Used(1, 1), "b": Used(1, 1)}, {})
    history.record(NOW + 15, {"b": Used(2, 2)}, {})
    assert history.get("a") is None
    kept = history.get("b")
    assert kept is not None
    assert [value for _, value in kept.cpu] == [1000, 2000]


def test_of_many_pods_the_greatest_by_either_measure_are_kept() -> None:
    usage = {f"pod-{number:03}": Used(number, 1000 - number) for number in range(50)}
    assert greatest(usage, kept=2) == ("pod-000", "pod-001", "pod-048", "pod-049")
    assert len(greatest(usage, kept=25)) == 50


def test_by_hand_asks_each_namespace_of_the_profile() -> None:
    assert kubectl_top(PROFILE, "pods") == [
        "kubectl --context 'prod eu' top pods -n shop",
        "kubectl --context 'prod eu' top pods -n pay",
    ]
    assert kubectl_top(PROFILE, "nodes") == ["kubectl --context 'prod eu' top nodes"]


class PaneApp(App[None]):
    CSS = "ResourcesPane { height: 1fr; }"

    def __init__(self, profile: Profile = PROFILE) -> None:
        super().__init__()
        self.profile = profile

    def compose(self) -> ComposeResult:
        yield ResourcesPane(Desk(self.profile, lambda: NOW, lambda *_: Level.OK, lambda _: None), id="pane")

    @property
    def pane(self) -> ResourcesPane:
        return self.query_one(ResourcesPane)

    def table(self, view: str) -> LiveTable:
        return self.query_one(f"#resources-{view}", LiveTable)


HOST = Reading("host:", 2.0, host(), NOW, 0.01)
CLUSTER = Reading("kubernetes:", 2.0, Cluster(Metrics({"shop/api": Used(0.1, 1), "shop/db": Used(0.5, 9)})), NOW, 0.01)


async def opened(pilot: Pilot[None]) -> PaneApp:
    app = pilot.app
    assert isinstance(app, PaneApp)
    app.pane.focus_first()
    app.pane.show(HOST)
    app.pane.show(CLUSTER)
    await pilot.pause()
    return app


async def test_enter_opens_the_chart_of_the_row_and_moving_changes_it() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        assert not app.query_one(Plot).display
        await pilot.press("enter")
        await pilot.pause()
        assert app.query_one(Plot).display
        assert app.query_one(Plot).size.height >= 8
        await pilot.press("z")
        await pilot.pause()
        assert app.query_one(Plot).size.height >= 16
        assert app.table("host").has_focus
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert not app.query_one(Plot).display


async def test_pods_are_shown_with_the_greatest_first() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press("tab")
        await pilot.pause()
        assert app.table("pods").visible_keys == ("shop/db", "shop/api")
        assert app.table("pods").has_focus


async def test_curves_of_pods_grow_while_the_tab_is_hidden() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        app.pane.display = False
        await pilot.pause()
        later = Cluster(Metrics({"shop/new": Used(0.3, 5)}))
        app.pane.show(dataclasses.replace(CLUSTER, snapshot=later, taken_at=NOW + 15))
        app.pane.display = True
        await pilot.pause()
        app.pane.focus_first()
        await pilot.press("tab")
        await pilot.pause()
        assert app.table("pods").visible_keys == ("shop/new",)


async def test_a_cluster_without_metrics_says_why() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        app.pane.show(dataclasses.replace(CLUSTER, snapshot=Cluster(Metrics({}, {}, "unavailable: no metrics-server"))))
        await pilot.press("tab")
        await pilot.pause()
        assert app.query_one(NoticeBar).text == "no CPU and memory: unavailable: no metrics-server"


async def test_where_only_some_namespaces_may_be_seen_the_rows_are_not_taken_for_all() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        found = Metrics(
            {"shop/api": Used(0.1, 5)}, {}, partial="pods: 2 of 5 namespaces forbidden", no_nodes="forbidden here"
        )
        app.pane.show(dataclasses.replace(CLUSTER, snapshot=Cluster(found)))
        await pilot.press("tab")
        await pilot.pause()
        assert app.query_one(NoticeBar).text == "pods: 2 of 5 namespaces forbidden"
        assert app.table("pods").row_count == 1
        await pilot.press("tab")
        await pilot.pause()
        assert app.query_one(NoticeBar).text == "no CPU and memory: forbidden here"


async def test_pods_of_several_clusters_stand_beside_each_other_each_with_its_own() -> None:
    profile = Profile.model_validate({"name": "t", "environment": "dev", "clusters": {"eu": "e", "us": "u"}})
    async with PaneApp(profile).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, PaneApp)
        app.pane.focus_first()
        app.pane.show(HOST)
        for name, metrics in (
            ("eu", Metrics({"shop/api": Used(0.1, 5)})),
            ("us", Metrics({"shop/api": Used(0.2, 5)}, partial="pods: 1 of 2 namespaces forbidden")),
        ):
            reading = dataclasses.replace(CLUSTER, source=f"kubernetes:{name}", snapshot=Cluster(metrics))
            app.pane.show(reading)
        await pilot.press("tab")
        await pilot.pause()
        assert set(app.table("pods").visible_keys) == {"eu:shop/api", "us:shop/api"}
        assert "us: pods: 1 of 2 namespaces forbidden" in app.query_one(NoticeBar).text
        assert app.pane.by_hand() == "kubectl --context e top pods -A\nkubectl --context u top pods -A"


async def test_old_rows_stay_when_the_host_cannot_be_read() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        error = Unreadable("No such file or directory", "is /proc mounted and readable?")
        app.pane.show(dataclasses.replace(HOST, error=error, failing_since=NOW))
        await pilot.pause()
        assert app.table("host").row_count > 5
        assert app.table("host").stale
        assert "is /proc mounted" in app.query_one(NoticeBar).text


@pytest.mark.parametrize("size", [(80, 24), (250, 60), (20, 6)])
async def test_the_tab_fits_every_screen(size: tuple[int, int]) -> None:
    async with PaneApp().run_test(size=size) as pilot:
        app = await opened(pilot)
        await pilot.press("enter", "z", "tab", "m", "tab", "shift+tab")
        await pilot.pause()
        assert app.table("pods").has_focus


async def test_a_disk_that_an_entry_is_about_gets_the_cursor() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press("tab")
        assert app.pane.reveal("host:", "/", NOW)
        await pilot.pause()
        assert app.table("host").cursor_key == "disk /"
        assert app.pane.reveal("host:", "cpu_percent", NOW)
        await pilot.pause()
        assert app.table("host").cursor_key == "cpu"
        assert "cpu" in app.pane.as_text()


def metric_reading(*values: MetricValue, error: SourceError | None = None) -> Reading[MetricSnapshot]:
    pasts = {value.series: series(1.0, value.value or 0.0) for value in values}
    snapshot = MetricSnapshot("errors", "Errors", "%", "prometheus main", "rate(x)", values, warn=1, history=pasts)
    failing = NOW - 30 if error else None
    return Reading("metric:errors", 15.0, snapshot, NOW, 0.1, error=error, failing_since=failing)


class MetricsApp(PaneApp):
    def compose(self) -> ComposeResult:
        profile = Profile.model_validate(
            {
                "name": "t",
                "environment": "dev",
                "prometheus": {"main": "http://p:9090"},
                "metrics": {"errors": {"prometheus": "rate(x)", "unit": "%", "warn": 1, "title": "Errors"}},
            }
        )
        numbers = Numbers()
        numbers.take(Reading("database:shop", 2.0, Reported((Number("blocked", 3.0),)), NOW))
        yield ResourcesPane(Desk(profile, lambda: NOW, lambda *_: Level.OK, lambda _: None, numbers=numbers), id="pane")


@dataclass(frozen=True)
class Reported:
    found: tuple[Number, ...]

    def numbers(self) -> tuple[Number, ...]:
        return self.found


async def test_metrics_are_rows_with_what_they_are_held_against() -> None:
    async with MetricsApp().run_test(size=(140, 24)) as pilot:
        app = await opened(pilot)
        app.pane.show(metric_reading(MetricValue("code=500", 2.5), MetricValue("code=502", None)))
        await pilot.press("tab", "tab", "tab")
        await pilot.pause()
        texts = app.pane.as_text()
        assert "Errors code=500" in texts
        assert "2 %" in texts
        assert "no data" in texts
        assert "prometheus main: rate(x)" in texts


async def test_a_metric_that_cannot_be_read_says_why_and_keeps_its_row() -> None:
    async with MetricsApp().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press("tab", "tab", "tab")
        await pilot.pause()
        assert "…" in app.pane.as_text()
        app.pane.show(metric_reading(MetricValue("", 2.5), error=Unreadable("parse error", "correct it")))
        await pilot.pause()
        assert "parse error" in app.query_one(NoticeBar).text
        assert app.table("metrics").row_count == 1
        assert "✗ 2 %" in app.pane.as_text()


async def test_marked_rows_are_charted_beside_each_other_and_escape_takes_them_away() -> None:
    async with MetricsApp().run_test(size=(140, 40)) as pilot:
        app = await opened(pilot)
        app.pane.show(metric_reading(MetricValue("code=500", 2.5), MetricValue("code=502", 1.0)))
        await pilot.press("tab", "tab", "tab", "space", "down", "space")
        await pilot.pause()
        plot = app.query_one(Plot)
        assert plot.display
        assert "Errors code=500" in plot.render_line(0).text
        assert "Errors code=502" in plot.render_line(0).text
        await pilot.press("escape")
        await pilot.pause()
        assert not app.table("metrics").marked
        assert plot.display


async def test_every_number_of_the_systems_can_be_charted() -> None:
    async with MetricsApp().run_test(size=(140, 40)) as pilot:
        app = await opened(pilot)
        await pilot.press("tab", "tab", "tab", "tab", "enter")
        await pilot.pause()
        assert app.table("systems").row_count == 1
        assert app.query_one(Plot).render_line(0).text.startswith("database:shop blocked")


async def test_an_alert_of_a_metric_is_found_again() -> None:
    async with MetricsApp().run_test(size=(140, 40)) as pilot:
        app = await opened(pilot)
        app.pane.show(metric_reading(MetricValue("code=500", 2.5), MetricValue("code=502", 1.0)))
        assert app.pane.reveal("metric:errors", "", NOW)
        await pilot.pause()
        assert app.pane.view == "metrics"
        assert str(app.table("metrics").cursor_key).startswith("metric:errors\n")


def test_metrics_by_hand_hold_no_secret() -> None:
    profile = Profile.model_validate(
        {
            "name": "t",
            "environment": "dev",
            "prometheus": {"main": "http://p:9090"},
            "databases": {"shop": "service=shop"},
            "redis": {"cache": "redis://h"},
            "metrics": {
                "errors": "rate(x[5m])",
                "pool": {"json": "http://h/stats?token=abc", "path": "a.b"},
                "jobs": {"text": "http://h/metrics", "series": "jobs_total"},
                "orders": {"sql": "SELECT 1"},
                "queue": {"redis": ["LLEN", "q"]},
            },
        }
    )
    lines = list(metric_commands(profile))
    assert lines[0] == "curl -sG http://p:9090/api/v1/query --data-urlencode 'query=rate(x[5m])'"
    assert lines[1] == "curl -s 'http://h/stats?token=•••' | jp a.b"
    assert lines[3:] == ["psql -c 'SELECT 1'", "redis-cli LLEN q"]


def test_a_number_s_row_is_made_again_only_when_it_reads_differently_or_its_curve_moves() -> None:
    numbers, rows = Numbers(), resources_numbers.NumberRows()
    numbers.take(Reading("database:shop", 2.0, Reported((Number("blocked", 3.0), Number("active_s", 1.0))), NOW))

    def drawn(now: float) -> dict[str, Row]:
        return rows.rows(numbers, {"database.blocked": Rule(warn=1, critical=10)}, now, 8, lambda *_: "")

    first, again, later = drawn(NOW), drawn(NOW + 1), drawn(NOW + 60)
    blocked = "database:shop\nblocked\n"
    assert [cell_text(cell) for cell in first[blocked].cells][3:] == ["3", first[blocked].cells[4], "1, 10"]
    assert again[blocked] is first[blocked]
    assert later[blocked] is not first[blocked]
    numbers.take(Reading("database:shop", 2.0, Reported((Number("blocked", 4.0), Number("active_s", 1.0))), NOW + 61))
    assert cell_text(drawn(NOW + 61)[blocked].cells[3]) == "4"
