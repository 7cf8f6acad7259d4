"""The Resources tab: the host's meters, CPU and memory of pods and nodes, each with its curve; one chart on demand."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.panes import resources_rows, tabs
from tui.panes.failing import age_segment, empty_words, failure_tone, failure_words
from tui.panes.listing import Listing
from tui.panes.pane import TONES, Desk
from tui.panes.resources_rows import NARROW_TREND, WIDE_TREND, Meter
from tui.panes.usage_history import UsageHistory
from tui.sources.host_facts import HostSnapshot
from tui.sources.reading import Reading
from widgets.cell import Row, Tone
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.plot import Plot, Points
from widgets.segment_line import Segment, SegmentLine

_WIDE: Final = 140


class ResourcesPane(Listing):
    """CPU, memory, disk, network."""

    TAB = tabs.RESOURCES
    VIEWS: ClassVar[Mapping[str, str]] = {"host": "Host", "pods": "Pods", "nodes": "Nodes"}
    """The pods' curves are made here, from readings that hold the present only."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "zoom", "Zoom: the chart on the whole tab", id="resources.zoom"),
        Binding("m", "measure", "Measure: chart CPU or memory", id="resources.measure"),
        Binding("escape,ctrl+g", "back", "Close the chart, then the filter", show=False, id="resources.back"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._host: Reading[HostSnapshot] | None = None
        self._cluster: Reading[Any] | None = None
        self._meters: dict[str, Meter] = {}
        self._histories = {"pods": UsageHistory(), "nodes": UsageHistory()}
        self._recorded: object = None
        """The metrics answer that was recorded last."""
        self._has_chart = self._is_zoomed = self._charts_memory = False

    def compose(self) -> ComposeResult:
        """Lay out notice, title, view strip, the tables, of which one is open, and the chart."""
        yield NoticeBar()
        yield SegmentLine(id="resources-title", separator="  ")
        yield SegmentLine(id="resources-views", separator=" ")
        yield LiveTable(resources_rows.host_columns(NARROW_TREND), id="resources-host")
        for view, word in (("pods", "POD"), ("nodes", "NODE")):
            columns = resources_rows.usage_columns(NARROW_TREND, word)
            yield LiveTable(columns, id=f"resources-{view}", sort="cpu", reverse=True)
        yield Plot(id="resources-chart")
        yield FilterBar()

    def on_mount(self) -> None:
        """Open the first view, without a chart."""
        self._arrange()

    @property
    def _trend(self) -> int:
        return WIDE_TREND if self.size.width >= _WIDE else NARROW_TREND

    # Readings

    def show(self, reading: Reading[Any]) -> None:
        """Keep what the curves need; draw only while somebody looks."""
        if reading.kind == "host":
            self._host = reading
        else:
            self._cluster = reading
            self._record(reading)
        if self.display and (reading.kind == "host") == (self.view == "host"):
            self.draw()

    def _record(self, reading: Reading[Any]) -> None:
        metrics = getattr(reading.snapshot, "metrics", None)
        if metrics is None or metrics is self._recorded or reading.taken_at is None:
            return
        self._recorded = metrics
        self._histories["pods"].record(reading.taken_at, metrics.pods)
        self._histories["nodes"].record(reading.taken_at, metrics.nodes)

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Put the cursor on the host's row of a metric or a mount point."""
        self.view = "host"
        self.unfilter()
        self.open_view()
        self.redraw()
        key = next((key for key in (f"disk {about}", about.removesuffix("_percent")) if key in self._meters), None)
        if key is not None:
            self.table.seek(key)
        return True

    def as_text(self) -> str:
        """Return the open view, drawn again: hidden, it only keeps what its curves need."""
        self.redraw()
        return super().as_text()

    def on_show(self) -> None:
        """Catch up with what came while the tab was hidden."""
        self.redraw()

    def tick(self) -> None:
        """Draw ages and staleness."""
        self._draw_title()
        self._draw_notice()

    def draw(self) -> None:
        """Draw the open view, its curves and the chart."""
        self.tick()
        rows = self._rows()
        self.table.empty = empty_words(self._reading, "no numbers yet")
        self.table.show(rows)
        self._draw_views()
        self._draw_chart()

    def _rows(self) -> Mapping[str, Row]:
        now = self.desk.now()
        if self.view != "host":
            return resources_rows.usage_rows(self._histories[self.view], now, self._trend)
        host = self._host.snapshot if self._host else None
        if host is None:
            return {}
        found = resources_rows.meters(host, self._tone)
        self._meters = {meter.key: meter for meter in found}
        return resources_rows.meter_rows(found, host.history, now, self._trend)

    def _tone(self, metric: str, what: str) -> Tone:
        return TONES[self.desk.level(self._host.source if self._host else "", metric, what)]

    @property
    def _reading(self) -> Reading[Any] | None:
        return self._host if self.view == "host" else self._cluster

    def _draw_title(self) -> None:
        reading, now = self._reading, self.desk.now()
        words: list[Segment] = []
        if self.view == "host" and self._host and self._host.snapshot:
            words = resources_rows.title(self._host.snapshot)
        elif self.view != "host":
            history = self._histories[self.view]
            some = (
                f"the {len(history)} greatest of {history.total:,}"
                if history.total > len(history)
                else f"{history.total}"
            )
            words = [Segment(f"{some} {self.view}, as metrics.k8s.io reports them")]
        self.query_one("#resources-title", SegmentLine).show([*words, age_segment(reading, now)])

    def _draw_notice(self) -> None:
        reading, bar = self._reading, self.query_one(NoticeBar)
        if reading is None:
            missing = self.view != "host" and self.desk.profile.kubernetes is None
            bar.show("this profile names no cluster; add: kubernetes: {context: NAME}" if missing else "", "dim")
            return
        now = self.desk.now()
        self.table.stale = reading.snapshot is not None and reading.is_stale(now)
        words = failure_words(reading, now)
        if not words and self.view != "host":
            reason = getattr(getattr(reading.snapshot, "metrics", None), "unavailable", "")
            words = f"no CPU and memory: {reason}" if reason else ""
        bar.show(words, failure_tone(reading))

    def _draw_views(self) -> None:
        self.query_one("#resources-views", SegmentLine).show(
            [Segment(f" {text} ", reverse=view == self.view) for view, text in self.VIEWS.items()]
            + [Segment(" · ".join(self._hints()), "dim", priority=1, right=True)]
        )

    def _hints(self) -> list[str]:
        other = ["m cpu or memory"] if self._has_chart and self.view != "host" else []
        return ["enter chart", *other, *(["z zoom"] if self._has_chart else [])]

    # The chart

    def _draw_chart(self) -> None:
        if not self._has_chart:
            return
        key = self.table.cursor_key
        name, unit, points = self._charted(str(key)) if key is not None else ("", "", ())
        self.query_one(Plot).show({"": points} if points else {}, title=name, unit=unit)

    def _charted(self, key: str) -> tuple[str, str, Points]:
        if self.view == "host":
            meter, host = self._meters.get(key), self._host.snapshot if self._host else None
            if meter is None or host is None or key not in host.history:
                return key, "", ()
            return meter.label, meter.unit, [(at, v / meter.scale) for at, v in host.history[key].points()]
        used = self._histories[self.view].get(key)
        if used is None:
            return key, "", ()
        if self._charts_memory:
            return f"{key} memory", "MiB", [(at, value / 2**20) for at, value in used.memory.points()]
        return f"{key} cpu", "millicores", used.cpu.points()

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Open the chart of the row, or close it."""
        message.stop()
        self._has_chart = not self._has_chart
        self._arrange()
        self._draw_chart()

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:
        """An open chart follows the cursor."""
        message.stop()
        self._draw_chart()

    # Keys

    def open_view(self) -> None:
        """Show the open view's table; a chart is not zoomed in another view."""
        self._is_zoomed = False
        self._arrange()

    def _arrange(self) -> None:
        for view in self.VIEWS:
            # Under a zoomed chart the header and the row it shows stay, so that the cursor still moves the chart.
            self.table_of(view).styles.height = 2 if self._has_chart and self._is_zoomed else "1fr"
        self.query_one(Plot).display = self._has_chart
        self._draw_views()
        super().open_view()

    def action_zoom(self) -> None:
        """Give the chart the whole tab, or half of it."""
        self._is_zoomed = not (self._has_chart and self._is_zoomed)
        self._has_chart = True
        self._arrange()
        self._draw_chart()

    def action_measure(self) -> None:
        """Chart memory instead of CPU, or back; of pods and nodes."""
        if self.view == "host":
            self.post_message(self.Told("the host's rows are charted one by one: choose another row"))
            return
        self._charts_memory = not self._charts_memory
        self._draw_chart()

    def action_back(self) -> None:
        """Close the chart, else the filter."""
        if self._has_chart and self._is_zoomed:
            self._is_zoomed = False
        elif self._has_chart:
            self._has_chart = False
        else:
            self.query_one(FilterBar).action_close()
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """Use the new width for the curves."""
        self.table_of("host").columns = resources_rows.host_columns(self._trend)
        for view, word in (("pods", "POD"), ("nodes", "NODE")):
            self.table_of(view).columns = resources_rows.usage_columns(self._trend, word)
        self.redraw()

    def by_hand(self) -> str:
        """Return the commands that show the open view."""
        if self.view == "host":
            lines = ("uptime", "top -b -n 1 | head -20", "free -m", "df -h", "df -i", "iostat -x 2 2", "ip -s link")
            return "\n".join(lines)
        return "\n".join(kubectl_top(self.desk, self.view))


def kubectl_top(desk: Desk, view: str) -> list[str]:
    """Return the `kubectl top` lines for the profile's cluster and namespaces."""
    import shlex

    cluster = desk.profile.kubernetes
    options = []
    if cluster is not None and cluster.kubeconfig:
        options += ["--kubeconfig", cluster.kubeconfig]
    if cluster is not None and cluster.context:
        options += ["--context", cluster.context]
    if view == "nodes":
        return [shlex.join(["kubectl", *options, "top", "nodes"])]
    scopes = [["-n", namespace] for namespace in cluster.namespaces] if cluster and cluster.namespaces else [["-A"]]
    return [shlex.join(["kubectl", *options, "top", "pods", *scope]) for scope in scopes]
