"""What the Pods tab shows: readings of a cluster → four tables, kept equal to it change by change."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from tui.panes import pods_detail, pods_events, pods_rows
from tui.panes.failing import clock, failure_words
from tui.panes.pane import Desk, Pane
from tui.panes.pods_events import Fold
from tui.panes.pods_rows import Light
from tui.panes.pods_view import FactView
from tui.sources.kubernetes.metrics import Metrics
from tui.sources.kubernetes.mirror import Changes
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.workloads import Condition, Workload
from tui.sources.reading import Reading
from tui.units import age
from widgets.cell import Column, Row
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine

SOURCE: Final = KubernetesSource.name
_TITLES: Final = {"pods": "Pods", "workloads": "Workloads", "events": "Events", "nodes": "Nodes"}
_RESOURCES: Final = {
    "pods": ("pods",),
    "workloads": ("deployments", "statefulsets", "daemonsets", "jobs", "cronjobs"),
    "events": ("events",),
    "nodes": ("nodes",),
}
"""The watches behind each view."""
_COLUMNS: Final[dict[str, Callable[[int], tuple[Column, ...]]]] = {
    "pods": pods_rows.pod_columns,
    "workloads": pods_rows.workload_columns,
    "events": pods_events.event_columns,
    "nodes": pods_rows.node_columns,
}
_WORST_FIRST: Final = {"pods": "status", "workloads": "ready", "events": "type", "nodes": "status"}
_PLAIN: Final = {"pods": "namespace", "workloads": "namespace", "events": "seen", "nodes": "name"}
_REVEALED_IN: Final = {
    "pod": "pods",
    "node": "nodes",
    **dict.fromkeys(("deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob"), "workloads"),
}
"""The view that has a row for each kind of object."""
_AGE_INTERVAL_S: Final = 2.0
"""Readings come when something changes, else every two seconds: that is what counts as fresh."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person wants to see, in every view."""

    namespace: str = ""
    """Empty: all."""
    faults_only: bool = False
    workload: Workload | None = None
    """Only the pods of this one."""


class PodsTables(Pane):
    """Pods, workloads, events and nodes of one cluster, one view at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "view(1)", "Next view", key_display="tab", id="pods.next_view"),
        Binding("shift+tab", "view(-1)", "Previous view", show=False, id="pods.previous_view"),
        Binding("slash", "filter", "Filter", id="pods.filter"),
        Binding("escape,ctrl+g", "back", "Clear filters, or stop reading", show=False, id="pods.back"),
        Binding("n", "namespace(1)", "Namespace: next", id="pods.namespace"),
        Binding("f", "faults", "Faults only", id="pods.faults"),
        Binding("o", "worst_first", "Worst first", show=False, id="pods.worst_first"),
    ]

    def __init__(self, desk: Desk, *, id: str) -> None:  # noqa: A002 — Textual's own name for it
        super().__init__(desk, id=id)
        self._reading: Reading[KubernetesSnapshot] | None = None
        self.view = "pods"
        self.choice = Choice()
        self._owners: frozenset[str] = frozenset()
        self._views: dict[str, FactView] = {}
        self._folds = pods_events.EventFolds()
        self._metrics: Metrics | None = None
        self._draining: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out notice, title, view strip and a table for each view, of which one is open."""
        yield NoticeBar()
        yield SegmentLine(id="pods-title", separator="  ")
        yield SegmentLine(id="pods-views", separator="")
        for view, columns in _COLUMNS.items():
            yield LiveTable(columns(80), id=f"pods-{view}", empty="waiting for the cluster", sort=_WORST_FIRST[view])
        yield FilterBar()

    def on_mount(self) -> None:
        """Open the first view."""
        rows: dict[str, tuple[Callable[[Any, Light], Row], Callable[[Any], Iterable[float | None]]]] = {
            "pods": (pods_rows.pod_row, pods_rows.pod_moments),
            "workloads": (pods_rows.workload_row, pods_rows.workload_moments),
            "events": (pods_events.event_row, pods_events.fold_moments),
            "nodes": (pods_rows.node_row, pods_rows.node_moments),
        }
        for view, (row, moments) in rows.items():
            self._views[view] = FactView(self.query_one(f"#pods-{view}", LiveTable), row, moments)
        self._open_view()
        if self.desk.profile.kubernetes is None:
            self.query_one(NoticeBar).show("this profile names no cluster; add: kubernetes: {context: NAME}", "dim")

    @property
    def snapshot(self) -> KubernetesSnapshot | None:
        """What was last seen of the cluster; None before the first answer."""
        return self._reading.snapshot if self._reading is not None else None

    @property
    def table(self) -> LiveTable:
        """The open table."""
        return self._views[self.view].table

    @property
    def current(self) -> Pod | Workload | Node | Fold | None:
        """The fact under the cursor, as it is now; None when there is no row, or it is gone."""
        key = self.table.cursor_key
        return None if key is None or self.snapshot is None else self._fact(self.snapshot, key)

    # Readings

    def show(self, reading: Reading[Any]) -> None:
        """Draw what changed in the open view."""
        self._reading = reading
        if reading.snapshot is not None and self._views:
            self._take(reading.snapshot)
        self._draw_frame()

    def _take(self, snapshot: KubernetesSnapshot) -> None:
        view = self._views[self.view]
        changes = snapshot.changes
        is_next = changes is not None and view.revision == snapshot.revision - 1
        if view.revision == snapshot.revision:
            return
        if self.choice.workload is not None:
            self._owners = pods_detail.owners_under(self.choice.workload, snapshot)
        if not is_next or changes is None:
            self._touch_all(snapshot)
        else:
            self._touch(snapshot, changes[self.view])
            # A pod's workload may come to own it after the pod was told: the ReplicaSet's watch is another one.
            if self.choice.workload is not None and changes["replica_sets"]:
                self._touch_all(snapshot)
        view.revision = snapshot.revision
        self._touch_metrics(snapshot.metrics)
        self._drain()

    def _touch(self, snapshot: KubernetesSnapshot, changes: Changes) -> None:
        uids = changes.upserted | changes.removed
        if self.view == "events":
            self._views["events"].touch(self._folds.update(snapshot.events, uids))
        else:
            self._views[self.view].touch(uids)

    def _touch_all(self, snapshot: KubernetesSnapshot) -> None:
        view = self._views[self.view]
        keys: Iterable[Hashable] = getattr(snapshot, self.view)
        if self.view == "events":
            keys = self._folds.update(snapshot.events, {*snapshot.events, *self._folds.uids})
        view.touch(list(view.keys))
        view.touch(keys)

    def _touch_metrics(self, metrics: Metrics) -> None:
        old, self._metrics = self._metrics, metrics
        if old is metrics or self.view not in ("pods", "nodes") or (snapshot := self.snapshot) is None:
            return
        view = self._views[self.view]
        if self.view == "pods":
            before = old.pods if old else {}
            used = metrics.pods
            view.touch(uid for uid, pod in snapshot.pods.items() if used.get(pod.path) != before.get(pod.path))
        else:
            view.touch(snapshot.nodes)

    def _drain(self) -> None:
        """Build rows now; those that must wait for their turn are built right after what else there is to do."""
        if self._draining is not None:
            self._draining.stop()
            self._draining = None
        if (snapshot := self.snapshot) is None:
            return
        light = Light(
            self.desk.now(), partial(self.desk.level, SOURCE), snapshot.metrics.pods.get, snapshot.metrics.nodes.get
        )
        if self._views[self.view].drain(partial(self._fact, snapshot), light):
            self._draining = self.set_timer(0.02, self._drain)

    def _fact(self, snapshot: KubernetesSnapshot, key: Hashable) -> Any:
        """Return the fact behind a row of the open view; None when it is gone or left out by the person's choice."""
        found = self._folds.get(key) if self.view == "events" else getattr(snapshot, self.view).get(key)
        return found if found is not None and self._passes(found) else None

    def _passes(self, fact: Pod | Workload | Node | Fold) -> bool:
        choice = self.choice
        match fact:
            case Node():
                return not choice.faults_only or fact.status != "Ready" or bool(fact.pressures)
            case Pod():
                is_fault, namespace = fact.health not in (Health.FINE, Health.ENDED), fact.namespace
                if choice.workload is not None and (fact.owner is None or fact.owner.uid not in self._owners):
                    return False
            case Workload():
                is_fault = fact.condition is Condition.UNAVAILABLE or bool(fact.problem)
                namespace = fact.namespace
            case Fold():
                is_fault, namespace = fact.newest.type != "Normal", fact.newest.namespace
        return (is_fault or not choice.faults_only) and choice.namespace in ("", namespace)

    def tick(self) -> None:
        """Have rows built again whose ages read differently; say how old everything is."""
        if self._reading is not None and self._views:
            self._views[self.view].age(self.desk.now())
            self._drain()
        self._draw_frame()

    # What stands around the table

    def _draw_frame(self) -> None:
        reading = self._reading
        if reading is None or not self._views:
            return
        now, snapshot = self.desk.now(), reading.snapshot
        self._draw_notice(reading, now)
        seen = Segment(age(reading.age_s(now), _AGE_INTERVAL_S), "dim", priority=1, right=True)
        chosen = [*_title(snapshot), *self._choice_segments()] if snapshot else [Segment("waiting", "dim")]
        self.query_one("#pods-title", SegmentLine).show([*chosen, seen])
        self._draw_views(snapshot)

    def _draw_notice(self, reading: Reading[KubernetesSnapshot], now: float) -> None:
        bar, snapshot = self.query_one(NoticeBar), reading.snapshot
        down = [] if snapshot is None else [h for r in _RESOURCES[self.view] if (h := snapshot.health[r]).is_down]
        is_stale = snapshot is not None and (reading.is_stale(now) or len(down) == len(_RESOURCES[self.view]))
        self.table.stale = is_stale
        self.table.empty = "waiting for the cluster" if snapshot is None else "nothing here; esc clears the filters"
        if words := failure_words(reading, now):
            bar.show(words, "critical" if reading.error else "warn")
        elif snapshot is not None and snapshot.notes:
            since = [h.since for h in snapshot.health.values() if h.since is not None]
            when = f" (since {clock(min(since))})" if since else ""
            bar.show(f"partial: {'; '.join(snapshot.notes)}{when}", "warn" if down else "dim")
        else:
            bar.clear()

    def _choice_segments(self) -> list[Segment]:
        choice = self.choice
        segments = [Segment(f"namespace {choice.namespace}", "accent")] if choice.namespace else []
        if choice.faults_only:
            segments.append(Segment("faults only", "accent"))
        if choice.workload is not None:
            segments.append(Segment(f"pods of {choice.workload.kind}/{choice.workload.name}", "accent"))
        return segments

    def _draw_views(self, snapshot: KubernetesSnapshot | None) -> None:
        segments = []
        for view, title in _TITLES.items():
            amount = "" if snapshot is None else f" {len(getattr(snapshot, view))}"
            segments.append(Segment(f" {title}{amount} ", reverse=view == self.view))
        if snapshot is not None and snapshot.metrics.unavailable and self.view in ("pods", "nodes"):
            segments.append(Segment(f"CPU, MEM: {snapshot.metrics.unavailable}", "dim", priority=1, right=True))
        self.query_one("#pods-views", SegmentLine).show(segments)

    def on_resize(self, event: events.Resize) -> None:
        """Use the width there is."""
        for view, columns in _COLUMNS.items():
            table = self.query_one(f"#pods-{view}", LiveTable)
            if table.columns != (fitting := columns(event.size.width)):
                table.columns = fitting

    # Views and filters

    def action_view(self, step: int) -> None:
        """Open another view."""
        views = list(_TITLES)
        self.view = views[(views.index(self.view) + step) % len(views)]
        self._open_view()

    def _open_view(self) -> None:
        had_focus = self.has_focus_within
        for view in _TITLES:
            # By hand and not by a class: what a stylesheet is yet to show cannot take the focus.
            self.query_one(f"#pods-{view}", LiveTable).display = view == self.view
        if self.query_one(FilterBar).is_mounted:
            self.table.filter_text = self.query_one(FilterBar).text
        if self.snapshot is not None:
            self._take(self.snapshot)
        self._draw_frame()
        if had_focus:
            self.table.focus()

    def choose(self, choice: Choice) -> None:
        """Show by another choice."""
        self.choice = choice
        for view in self._views.values():
            view.revision = 0
        if self.snapshot is not None:
            self._take(self.snapshot)
        self._draw_frame()

    def show_pods_of(self, workload: Workload) -> None:
        """Open the pods of one workload."""
        # A text that found the workload need not be in the names of its pods.
        self.query_one(FilterBar).text = ""
        self.view = "pods"
        self.choose(replace(self.choice, workload=workload))
        self._open_view()

    def open_at(self, view: str, filter_text: str, source: str) -> None:
        """Open a view with every namespace, and filter its rows."""
        self.choice = Choice()
        if view in self._views:
            self.view = view
        self._views[self.view].revision = 0
        super().open_at(view, filter_text, source)
        self._open_view()

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Open the view that has an object and put the cursor on it: `kind/namespace/name`, `node/name`."""
        kind, _, path = about.partition("/")
        if (snapshot := self.snapshot) is None:
            return False
        uid = pods_detail.find(snapshot, kind, path)
        if uid is None and kind in _REVEALED_IN:
            return False
        # Of what has no row of its own (a volume claim, an autoscaler) there are the events.
        view = _REVEALED_IN.get(kind, "events")
        self.query_one(FilterBar).text = "" if uid else path.rpartition("/")[2]
        self.view, self.choice = view, Choice()
        self._views[view].revision = 0
        # First of all, so that it need not wait until thousands of other rows are built.
        self._views[view].touch([uid] if uid else [])
        self._open_view()
        if uid:
            self.table.seek(uid)
        return True

    def action_namespace(self, step: int) -> None:
        """Show one namespace only, then the next one, then all again."""
        if (snapshot := self.snapshot) is None:
            self.post_message(self.Told("no cluster seen yet"))
            return
        used = {pod.namespace for pod in snapshot.pods.values()} | {w.namespace for w in snapshot.workloads.values()}
        names = ["", *sorted(used)]
        index = names.index(self.choice.namespace) if self.choice.namespace in names else 0
        self.choose(replace(self.choice, namespace=names[(index + step) % len(names)], workload=None))

    def action_faults(self) -> None:
        """Show only what needs somebody, or everything."""
        self.choose(replace(self.choice, faults_only=not self.choice.faults_only))

    def action_worst_first(self) -> None:
        """Sort the worst first, or plainly."""
        is_worst = self.table.sort_column == _WORST_FIRST[self.view]
        column = _PLAIN[self.view] if is_worst else _WORST_FIRST[self.view]
        self.table.sort_by(column)
        self.post_message(self.Told(f"sorted by {column}" if is_worst else "the worst first"))

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def action_back(self) -> None:
        """Stop reading, else take the filters away, the newest first."""
        if self.stop_reading():
            self.post_message(self.Told("stopped reading"))
        elif self.query_one(FilterBar).text:
            self.query_one(FilterBar).action_close()
        elif self.choice.workload is not None:
            self.choose(replace(self.choice, workload=None))
        elif self.choice != Choice():
            self.choose(Choice())

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        """Filter the open table."""
        message.stop()
        self.table.filter_text = message.text
        message.bar.error = self.table.filter_error

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Give the keys back to the table."""
        message.stop()
        self.focus_first()

    def focus_first(self) -> None:
        """Put the keyboard into the open table."""
        self.table.focus()


def _title(snapshot: KubernetesSnapshot) -> list[Segment]:
    """Return which cluster this is, who we are there, and what part of it is watched."""
    watched = f"namespaces {', '.join(snapshot.namespaces)}" if snapshot.namespaces else "all namespaces"
    return [
        Segment(snapshot.context),
        Segment(snapshot.server_version, "dim", priority=3),
        Segment(f"as {snapshot.user}" if snapshot.user else "", "dim", priority=2),
        Segment(watched, "dim", priority=2),
    ]
