"""The tables of the Pods tab: readings of a cluster → rows, kept equal to it change by change."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from textual.app import ComposeResult
from textual.timer import Timer

from tui.actions.kubernetes.clusters import in_cluster
from tui.panes import pods_detail, pods_events
from tui.panes.pane import Desk, Pane
from tui.panes.pods_choice import Choice, Fact
from tui.panes.pods_extra import Extra
from tui.panes.pods_rows import USAGE_COLUMNS, Holding, Light
from tui.panes.pods_view import FactView
from tui.panes.pods_views import VIEWS
from tui.sources.kubernetes.metrics import Metrics, Usage
from tui.sources.kubernetes.mirror import Changes
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.reading import Reading
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine


class PodsFeed(Pane):
    """Keeps the open table equal to what was last seen of one cluster.

    Args:
        desk: what the app lends.
        id: of the widget.
        cluster: its name in the profile; the first one when left out.
    """

    def __init__(self, desk: Desk, *, id: str, cluster: str | None = None) -> None:  # noqa: A002 — Textual's own name
        every = desk.profile.every_cluster
        self.cluster = next(iter(every), "") if cluster is None else cluster
        """Its name in the profile; empty of the one under `kubernetes`."""
        self.source_name = f"{KubernetesSource.name}{self.cluster}"
        self.entry = every.get(self.cluster)
        """What the profile says of it; None where the profile names no cluster."""
        here = replace(desk, refusal=lambda request: desk.refusal(in_cluster(request, self.source_name)))
        super().__init__(here, id=id)
        self._reading: Reading[KubernetesSnapshot] | None = None
        self.view = "pods"
        self.shows_curves = False
        """Whether there is room for what pods used in the last minutes; where there is none, no row has it."""
        self.choice = Choice()
        self._owners: frozenset[str] = frozenset()
        self._views: dict[str, FactView] = {}
        self.extras: Mapping[str, Extra] = {}
        """The views that do not follow the watches, by name."""
        self._folds = pods_events.EventFolds()
        self._metrics: Metrics | None = None
        self._draining: Timer | None = None

    def make_extras(self) -> Mapping[str, Extra]:
        """Return the views beside those that follow the watches, by name."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out notice, title, view strip and a table for each view, of which one is open."""
        yield NoticeBar()
        yield SegmentLine(id="pods-title", separator="  ")
        yield SegmentLine(id="pods-views", separator="")
        for name, view in VIEWS.items():
            table = LiveTable(view.columns(80), id=f"pods-{name}", empty="waiting for the cluster", sort=view.worst)
            self._views[name] = FactView(table, view.row, view.moments)
            yield table
        self.extras = self.make_extras()
        for extra in self.extras.values():
            yield from extra.head
            yield extra.table
        yield FilterBar()

    @property
    def source(self) -> KubernetesSource | None:
        """The cluster; None where the profile names none."""
        found = self.desk.source(self.source_name)
        return found if isinstance(found, KubernetesSource) else None

    def on_pane_requested(self, message: Pane.Requested) -> None:
        """Name the cluster that showed what a change was asked for; the app takes the message from there."""
        message.requests = tuple(in_cluster(request, self.source_name) for request in message.requests)

    @property
    def cluster_words(self) -> str:
        """What people call the cluster: the profile's name for it, else its context."""
        known = self.snapshot.context if self.snapshot is not None else None
        return self.cluster or known or (self.entry.context if self.entry is not None else None) or "kubernetes"

    @property
    def snapshot(self) -> KubernetesSnapshot | None:
        """What was last seen of the cluster; None before the first answer."""
        return self._reading.snapshot if self._reading is not None else None

    @property
    def extra(self) -> Extra | None:
        """The open view, when it does not follow the watches."""
        return self.extras.get(self.view)

    @property
    def table(self) -> LiveTable:
        """The open table."""
        return extra.table if (extra := self.extra) is not None else self._views[self.view].table

    @property
    def current(self) -> Fact | None:
        """The fact under the cursor, as it is now; None when there is no row, it is gone, or no watch tells of it."""
        key = self.table.cursor_key
        return None if key is None or self.snapshot is None else self.fact(self.snapshot, key)

    # Readings

    def _take(self, snapshot: KubernetesSnapshot) -> None:
        if (extra := self.extra) is not None:
            extra.draw(snapshot, self.choice)
            return
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
            if view.table.sort_column in USAGE_COLUMNS:
                before, used = old.pods if old else {}, metrics.pods
                view.touch(uid for uid, pod in snapshot.pods.items() if used.get(pod.path) != before.get(pod.path))
            else:
                view.table.apply({})  # its rows look up what is used when they are drawn: only those on the screen
        else:
            view.touch(snapshot.nodes)

    def _drain(self) -> None:
        """Build rows now; those that must wait for their turn are built right after what else there is to do."""
        if self._draining is not None:
            self._draining.stop()
            self._draining = None
        if (snapshot := self.snapshot) is None or self.extra is not None:
            return
        light = Light(
            self.desk.now(),
            partial(self.desk.level, self.source_name),
            self._usage_of_pod,
            snapshot.metrics.nodes.get,
            holding=self.holding,
        )
        if self.shows_curves and (source := self.source) is not None:
            light = replace(light, pod_trend=source.trends.get)
        if self._views[self.view].drain(partial(self.fact, snapshot), light):
            self._draining = self.set_timer(0.02, self._drain)

    def holding(self, pod: Pod) -> Holding | None:
        """Return how often a pod's CPU limits held it of late; None where nobody told, or nobody wants to know."""
        return None

    def _usage_of_pod(self, path: str) -> Usage | None:
        """Return what a pod uses now: of the newest reading of metrics, not of the one at which its row was made."""
        return None if (snapshot := self.snapshot) is None else snapshot.metrics.pods.get(path)

    def fact(self, snapshot: KubernetesSnapshot, key: Hashable) -> Any:
        """Return the fact behind a row of the open view; None when it is gone or left out by the person's choice."""
        if self.extra is not None:
            return self.extra.fact(snapshot, key)
        found = self._folds.get(key) if self.view == "events" else getattr(snapshot, self.view).get(key)
        return found if found is not None and self.choice.passes(found, self._owners) else None

    def marked_facts(self, snapshot: KubernetesSnapshot) -> tuple[Fact, ...]:
        """Return the facts that are marked in the open view, also those that a filter hides."""
        if (extra := self.extra) is not None:
            return tuple(fact for key in self.table.marked if (fact := extra.fact(snapshot, key)) is not None)
        known = self._folds if self.view == "events" else getattr(snapshot, self.view)
        return tuple(fact for key in self.table.marked if (fact := known.get(key)) is not None)
