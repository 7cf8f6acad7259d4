"""The Resources tab: the host's meters, CPU and memory of pods and nodes, each with its curve; one chart on demand."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.panes import resources_numbers, resources_processes, resources_rows, tabs
from tui.panes.charting import Charting
from tui.panes.charts import Charted
from tui.panes.failing import age_segment, empty_words, failure_tone, failure_words, oldest
from tui.panes.pane import TONES, Desk
from tui.panes.resources_hand import kubectl_top, metric_commands
from tui.panes.resources_rows import NARROW_TREND, WIDE_TREND, Meter
from tui.panes.usage_history import Bounds, UsageHistory, greatest, missing_words
from tui.sources.host import HostSource
from tui.sources.host_facts import HostSnapshot
from tui.sources.reading import Reading
from widgets.cell import Column, Row, Tone
from widgets.dialogs import TextDialog
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.plot import Plot
from widgets.segment_line import Segment, SegmentLine

_WIDE: Final = 140
_KIND_OF: Final = {"host": "host", "metrics": "metric", "systems": "", "processes": "host"}
"""View → the kind of system whose readings it shows; the cluster's where it is not here, none's where it is empty."""
_NO_METRICS: Final = (
    "this profile names no metrics; add: prometheus: {main: http://HOST:9090} and metrics: {errors: 'rate(…)'}"
)


class ResourcesPane(Charting):
    """The host, the profile's metrics, what every system reports, pods and nodes: each number with its curve."""

    TAB = tabs.RESOURCES
    VIEWS: ClassVar[Mapping[str, str]] = {
        "host": "Host",
        "pods": "Pods",
        "nodes": "Nodes",
        "metrics": "Metrics",
        "systems": "Systems",
        "processes": "Processes",
    }
    """The pods' curves are made here, from readings that hold the present only."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "measure", "Measure: chart CPU or memory", id="resources.measure"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._host: Reading[HostSnapshot] | None = None
        self._clusters: dict[str, Reading[Any]] = {}
        """By source's name."""
        self._metrics: dict[str, Reading[Any]] = {}
        """By source's name."""
        self._meters: dict[str, Meter] = {}
        self._histories = {"pods": UsageHistory(), "nodes": UsageHistory()}
        self._recorded: dict[str, object] = {}
        """The metrics answer of each cluster that was recorded last."""
        self._charts_memory = False
        self._number_rows = resources_numbers.NumberRows()

    def compose(self) -> ComposeResult:
        """Lay out notice, title, view strip, the tables, of which one is open, and the chart."""
        yield NoticeBar()
        yield SegmentLine(id="resources-title", separator="  ")
        yield SegmentLine(id="resources-views", separator=" ")
        for view, columns in self._columns().items():
            is_usage = view in (*self._histories, "processes")
            sort = "cpu" if is_usage else None
            yield LiveTable(columns, id=f"resources-{view}", sort=sort, reverse=is_usage)
        yield Plot(id="resources-chart")
        yield FilterBar()

    def _columns(self) -> Mapping[str, tuple[Column, ...]]:
        trend = self._trend
        return {
            "host": resources_rows.host_columns(trend),
            "pods": resources_rows.usage_columns(trend, "POD", ("%REQ", "%LIM")),
            "nodes": resources_rows.usage_columns(trend, "NODE", ("%CPU", "%MEM")),
            "metrics": resources_numbers.metric_columns(trend),
            "systems": resources_numbers.number_columns(trend),
            "processes": resources_processes.COLUMNS,
        }

    def on_mount(self) -> None:
        """Open the first view, without a chart."""
        self.give_room()

    @property
    def _trend(self) -> int:
        return WIDE_TREND if self.size.width >= _WIDE else NARROW_TREND

    # Readings

    def show(self, reading: Reading[Any]) -> None:
        """Keep what the curves need; draw only while somebody looks."""
        match reading.kind:
            case "host":
                self._host = reading
            case "metric":
                self._metrics[reading.source] = reading
            case _:
                self._clusters[reading.source] = reading
                self._record(reading)
        if self.display and reading.kind == _KIND_OF.get(self.view, "kubernetes"):
            self.draw()

    def _record(self, reading: Reading[Any]) -> None:
        metrics = getattr(reading.snapshot, "metrics", None)
        if metrics is None or metrics is self._recorded.get(reading.source) or reading.taken_at is None:
            return
        self._recorded[reading.source] = metrics
        name = reading.source.partition(":")[2] or getattr(reading.snapshot, "context", "")
        cluster = name if len(self.desk.profile.every_cluster) > 1 else ""
        pods, nodes = (getattr(reading.snapshot, kind, {}).values() for kind in ("pods", "nodes"))
        shown = {*greatest(metrics.pods)}  # of thousands of pods
        of_pods = {
            path: Bounds(pod.cpu_request_cores, pod.memory_limit_bytes) for pod in pods if (path := pod.path) in shown
        }
        of_nodes = {node.name: Bounds(node.cpu_cores, node.memory_bytes) for node in nodes}
        self._histories["pods"].record(reading.taken_at, metrics.pods, of_pods, cluster=cluster)
        self._histories["nodes"].record(reading.taken_at, metrics.nodes, of_nodes, cluster=cluster)

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Put the cursor on the row of a metric, or on the host's row of a number or a mount point."""
        is_host = source.startswith("host")
        self.view = "host" if is_host else "metrics"
        self.unfilter()
        self.open_view()
        self.redraw()
        if is_host:
            wanted = (f"disk {about}", about.removesuffix("_percent"))
            key = next((key for key in wanted if key in self._meters), None)
        else:
            key = next((key for key in self._rows() if key.startswith(f"{source}\n")), None)
        if key is not None:
            self.table.seek(key)
        return True

    def as_text(self) -> str:
        """Return the open view, drawn again: hidden, it only keeps what its curves need."""
        self.redraw()
        return super().as_text()

    def give_room(self) -> None:
        """Show the open view, and have only that read which it shows."""
        super().give_room()
        self._look()

    def _look(self) -> None:
        source = self.desk.source("host:")
        if isinstance(source, HostSource):
            source.look_at_processes(wanted=self.view == "processes" and bool(self.display))

    def on_hide(self) -> None:
        """Have nothing read that nobody sees."""
        self._look()

    def on_show(self) -> None:
        """Catch up with what came while the tab was hidden."""
        self._look()
        self.redraw()

    def tick(self) -> None:
        """Draw ages and staleness, and the numbers that no reading of this tab brings."""
        self._draw_title()
        self._draw_notice()
        if self.view == "systems" and self.display:
            self.table.show(self._rows())
            self.draw_chart()

    def draw(self) -> None:
        """Draw the open view, its curves and the chart."""
        self._draw_title()
        self._draw_notice()
        self.table.empty = empty_words(self._reading, "no numbers yet")
        if self.view == "metrics":
            self.table.empty = "no metrics"
        if self.view == "processes":
            self.table.empty = "looking; a process that hangs in the kernel can hold this up"
        self.table.show(self._rows())
        self._draw_views()
        self.draw_chart()

    def _rows(self) -> Mapping[str, Row]:
        now, profile = self.desk.now(), self.desk.profile
        if self.view == "metrics":
            tones = {name: partial(self._level, name) for name in self._metrics}
            return resources_numbers.metric_rows(profile, self._metrics, now, self._trend, tones)
        if self.view == "systems":
            return self._number_rows.rows(self.desk.numbers, profile.thresholds, now, self._trend, self._level)
        if self.view in self._histories:
            return resources_rows.usage_rows(self._histories[self.view], now, self._trend)
        host = self._host.snapshot if self._host else None
        if host is None:
            return {}
        if self.view == "processes":
            return resources_processes.process_rows(host.processes or (), host.memory.total_bytes)
        found = resources_rows.meters(host, partial(self._level, self._host.source if self._host else ""), now)
        self._meters = {meter.key: meter for meter in found}
        return resources_rows.meter_rows(found, host.history, now, self._trend)

    def _level(self, source: str, metric: str, what: str) -> Tone:
        return TONES[self.desk.level(source, metric, what)]

    @property
    def _reading(self) -> Reading[Any] | None:
        if self.view == "metrics":
            return oldest(self._metrics.values())
        return oldest(self._clusters.values()) if self.view in self._histories else self._host

    def _draw_title(self) -> None:
        reading, now = self._reading, self.desk.now()
        words: list[Segment] = []
        ages = [age_segment(reading, now)]
        if self.view == "host" and self._host and self._host.snapshot:
            words = resources_rows.title(self._host.snapshot)
        elif self.view == "metrics":
            words = [Segment(f"{len(self.desk.profile.metrics)} metrics of the profile")]
        elif self.view == "systems":
            words, ages = [Segment(f"{len(self.desk.numbers)} numbers, kept for 24 h while opstui runs")], []
        elif self.view == "processes" and self._host and (host := self._host.snapshot):
            some = f"the {len(host.processes or ())} greatest of {host.process_count}"
            words = [Segment(f"{some} processes by CPU and memory; CPU of one core")]
        elif self.view in self._histories:
            history = self._histories[self.view]
            some = (
                f"the {len(history)} greatest of {history.total:,}"
                if history.total > len(history)
                else f"{history.total}"
            )
            words = [Segment(f"{some} {self.view}, as metrics.k8s.io reports them")]
        self.query_one("#resources-title", SegmentLine).show([*words, *ages])

    def _draw_notice(self) -> None:
        reading, bar, now = self._reading, self.query_one(NoticeBar), self.desk.now()
        if self.view in ("metrics", "systems"):
            self._draw_metrics_notice(bar, now)
            return
        if reading is None:
            missing = self.view in self._histories and not self.desk.profile.every_cluster
            bar.show("this profile names no cluster; add: kubernetes: {context: NAME}" if missing else "", "dim")
            return
        self.table.stale = reading.snapshot is not None and reading.is_stale(now)
        words = failure_words(reading, now)
        if not words and self.view in self._histories:
            words = missing_words(self._clusters.values(), self.view)
        bar.show(words, failure_tone(reading))

    def _draw_metrics_notice(self, bar: NoticeBar, now: float) -> None:
        failing = [reading for reading in self._metrics.values() if reading.error is not None]
        if self.view == "metrics" and failing:
            more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
            bar.show(failure_words(failing[0], now) + more, failure_tone(failing[0]))
        else:
            bar.show(_NO_METRICS if self.view == "metrics" and not self.desk.profile.metrics else "", "dim")

    def _draw_views(self) -> None:
        other = ["m cpu or memory"] if self.has_chart and self.view in self._histories else []
        self.query_one("#resources-views", SegmentLine).show(
            [Segment(f" {text} ", reverse=view == self.view) for view, text in self.VIEWS.items()]
            + [Segment(" · ".join([*other, *self.hints()]), "dim", priority=1, right=True)]
        )

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Show a process in full; Textual has the class above open the chart of every other row."""
        if self.view != "processes":
            return
        message.stop()
        message.prevent_default()
        host = self._host.snapshot if self._host is not None else None
        for process in (host.processes if host is not None else None) or ():
            if resources_processes.key_of(process) == message.key:
                lines = resources_processes.process_lines(process)
                self.app.push_screen(TextDialog("Process", "\n".join(f"{name:<8} {value}" for name, value in lines)))

    # The chart

    def charted(self, key: str) -> Charted | None:
        """Return what the row of that key charts; None when it has no past."""
        if self.view == "host":
            return self._charted_meter(key)
        if self.view == "processes":
            return None
        if self.view in self._histories:
            return self._charted_usage(key)
        source, metric, what = key.split("\n", 2)
        if self.view == "metrics":
            reading = self._metrics.get(source)
            snapshot = reading.snapshot if reading is not None else None
            return resources_numbers.charted_metric(snapshot, what) if snapshot is not None else None
        kept = self.desk.numbers.get(source, metric, what)
        rule = self.desk.profile.thresholds.get(f"{source.partition(':')[0]}.{metric}")
        return resources_numbers.charted_number(kept, rule) if kept is not None else None

    def _charted_meter(self, key: str) -> Charted | None:
        meter, host = self._meters.get(key), self._host.snapshot if self._host else None
        if meter is None or host is None or key not in host.history:
            return None
        rule = self.desk.profile.thresholds.get(f"host.{meter.metric}") if meter.metric else None
        levels = (rule.warn, rule.critical) if rule is not None else (None, None)
        return Charted(meter.label, meter.unit, host.history[key], meter.scale, *levels)

    def _charted_usage(self, key: str) -> Charted | None:
        used = self._histories[self.view].get(key)
        if used is None:
            return None
        if self._charts_memory:
            return Charted(f"{key} memory", "MiB", used.memory, 2.0**20)
        return Charted(f"{key} cpu", "millicores", used.cpu)

    # Keys

    def action_measure(self) -> None:
        """Chart memory instead of CPU, or back; of pods and nodes."""
        if self.view not in self._histories:
            self.post_message(self.Told("these rows are charted one by one: choose another row"))
            return
        self._charts_memory = not self._charts_memory
        self.draw_chart()

    def on_resize(self, event: events.Resize) -> None:
        """Use the new width for the curves."""
        for view, columns in self._columns().items():
            self.table_of(view).columns = columns
        self.redraw()

    def by_hand(self) -> str:
        """Return the commands that show the open view."""
        if self.view == "host":
            lines = ("uptime", "top -b -n 1 | head -20", "free -m", "df -h", "df -i", "iostat -x 2 2", "ip -s link")
            return "\n".join(lines)
        if self.view == "processes":
            return "ps -eo pid,user,pcpu,rss,pmem,nlwp,stat,args --sort=-pcpu | head -30"
        if self.view == "metrics":
            return "\n".join(metric_commands(self.desk.profile))
        if self.view == "systems":
            return f"opstui check --profile {self.desk.profile.name} --format prometheus"
        return "\n".join(kubectl_top(self.desk.profile, self.view))
