"""What stands around the tables of the Pods tab, and the keys that choose what is shown."""

from dataclasses import replace
from typing import Any, ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType

from tui.panes import pods_detail
from tui.panes.failing import failure_words
from tui.panes.pods_choice import Choice, typed_filter
from tui.panes.pods_feed import PodsFeed
from tui.panes.pods_kinds import EVERY_S
from tui.panes.pods_rows import CURVES, pod_columns, without_namespace
from tui.panes.pods_title import guard_segments, partial_words, place_segments, title_segments
from tui.panes.pods_views import REVEALED_IN, VIEWS
from tui.panes.pods_words import count_words, empty_words, namespaces_of
from tui.sources.kubernetes.revisions import Revision
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload
from tui.sources.reading import Reading
from tui.units import age
from widgets.filter_bar import FilterBar
from widgets.notice import NoticeBar
from widgets.segment_line import Segment, SegmentLine

_AGE_INTERVAL_S: Final = 2.0
"""Readings come when something changes, else every two seconds: that is what counts as fresh."""


class PodsTables(PodsFeed):
    """Pods, workloads, events and nodes of one cluster, one view at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "view(1)", "Next view", key_display="tab", id="pods.next_view"),
        Binding("shift+tab", "view(-1)", "Previous view", show=False, id="pods.previous_view"),
        Binding("slash", "filter", "Filter", id="pods.filter"),
        Binding("escape,ctrl+g", "back", "Clear filters, or stop reading", show=False, id="pods.back"),
        Binding("n", "namespace(1)", "Namespace: next, or choose of many", id="pods.namespace"),
        Binding("f", "faults", "Faults only", id="pods.faults"),
        Binding("o", "worst_first", "Worst first", show=False, id="pods.worst_first"),
        Binding(
            "w", "usage", "What pods use, with curves, and how often CPU limits hold them", show=False, id="pods.usage"
        ),
    ]

    _is_one_namespace = False
    """Whether every row is in the same namespace: then the title says which, and names have its column's room."""
    is_usage = False
    """Whether the pods' table shows first what they use."""

    def on_mount(self) -> None:
        """Open the first view."""
        self._open_view()
        if self.entry is None:
            self.query_one(NoticeBar).show("this profile names no cluster; add: kubernetes: {context: NAME}", "dim")

    def show(self, reading: Reading[Any]) -> None:
        """Draw what changed in the open view."""
        before, self._reading = self._reading, reading
        if before is not None and before.error is not None and reading.error is None and self.extra is not None:
            self.extra.hurry()
        if reading.snapshot is not None and self._views:
            self._take(reading.snapshot)
            self.follow()
        self._draw_frame()

    def follow(self) -> None:
        """Go where something that was asked for is to be seen, once the cluster tells of it."""

    def tick(self) -> None:
        """Have rows built again whose ages read differently; say how old everything is."""
        if self._reading is not None and self._views:
            if (extra := self.extra) is None:
                self._views[self.view].age(self.desk.now())
                self._drain()
            # What is not watched is not read either while the cluster does not answer, or everything is paused.
            elif (snapshot := self.snapshot) is not None and not self._reading.is_stale(self.desk.now()):
                extra.draw(snapshot, self.choice)
        self._draw_frame()

    # What stands around the table

    def _draw_frame(self) -> None:
        reading = self._reading
        if reading is None or not self._views:
            return
        now, snapshot = self.desk.now(), reading.snapshot
        is_one = bool(self.choice.namespace) or (snapshot is not None and len(snapshot.namespaces) == 1)
        if is_one is not self._is_one_namespace:
            self._is_one_namespace = is_one
            self._fit(self.size.width)
        self._draw_notice(reading, now)
        age_s, interval_s = self._age(reading, now)
        seen = Segment(age(age_s, interval_s), "dim", priority=1, right=True)
        within = self.extra.namespace if self.extra is not None else ""
        chosen = title_segments(snapshot, self.choice.narrowing(self.view), within)
        place = self._place_segments()
        is_named = bool(place) and snapshot is not None and snapshot.context == self.cluster_words
        chosen = [*place, *guard_segments(self.entry), *chosen[is_named:]]
        self.query_one("#pods-title", SegmentLine).show([*chosen, seen])
        self._draw_views(snapshot)

    def _age(self, reading: Reading[KubernetesSnapshot], now: float) -> tuple[float | None, float]:
        """Return how old what is shown is, and how often it is renewed, in seconds."""
        snapshot, extra = reading.snapshot, self.extra
        if extra is not None and extra.taken_at is not None:
            return max(0.0, now - extra.taken_at), EVERY_S
        kept_from = None if snapshot is None or extra is not None else snapshot.kept_from(*VIEWS[self.view].resources)
        return reading.age_s(now) if kept_from is None else max(0.0, now - kept_from), _AGE_INTERVAL_S

    def _draw_notice(self, reading: Reading[KubernetesSnapshot], now: float) -> None:
        bar, snapshot, extra = self.query_one(NoticeBar), reading.snapshot, self.extra
        behind = VIEWS[self.view].resources if extra is None else ()
        down = [] if snapshot is None else [h for r in behind if (h := snapshot.health[r]).is_down]
        is_down = extra.stale if extra is not None else len(down) == len(behind)
        is_kept = snapshot is not None and snapshot.kept_from(*behind) is not None
        self.table.stale = snapshot is not None and (reading.is_stale(now) or is_down or is_kept)
        if extra is None:
            self.table.empty = empty_words(VIEWS[self.view], snapshot, self.choice.narrowing(self.view))
        if (
            reading.error is not None
            and reading.taken_at is not None
            and extra is not None
            and extra.taken_at is not None
        ):
            # What is read by itself, and less often, is older than what the watches told last.
            reading = replace(reading, taken_at=min(extra.taken_at, reading.taken_at))
        if words := failure_words(reading, now):
            bar.show(words, "critical" if reading.error else "warn")
        elif extra is not None and extra.notice:
            bar.show(extra.notice, "critical" if extra.stale else "warn")
        else:
            notes = (partial_words(snapshot) if snapshot is not None else "", self.held_notice)
            bar.show("\n".join(filter(None, notes)), "warn" if down else "dim")

    @property
    def held_notice(self) -> str:
        """Why it is not known how often CPU limits hold pods; empty where nobody wants to know."""
        return ""

    def _place_segments(self) -> list[Segment]:
        return place_segments([*self.desk.profile.every_cluster], self.cluster, self.cluster_words)

    def _draw_views(self, snapshot: KubernetesSnapshot | None) -> None:
        segments = []

        def add(name: str, words: str) -> None:
            # On a narrow screen the name of what is open must stand whole: it is what keys act on.
            is_open = name == self.view
            segments.append(Segment(f" {words} ", reverse=is_open, priority=0 if is_open else 1))

        for name, view in VIEWS.items():
            add(name, view.title if snapshot is None else count_words(view, len(getattr(snapshot, name)), snapshot))
        for name, extra in self.extras.items():
            if extra.is_drilled and name != self.view:
                continue
            # Of a view that nobody looks at nothing is read: what it held last is no news.
            amount = f" {extra.amount}" if name == self.view and extra.amount is not None else ""
            add(name, f"{extra.title}{amount}")
        if (open_extra := self.extra) is not None:
            segments += open_extra.segments()
        if snapshot is not None and snapshot.metrics.unavailable and self.view in ("pods", "nodes"):
            segments.append(Segment(f"CPU, MEM: {snapshot.metrics.unavailable}", "dim", priority=2, right=True))
        self.query_one("#pods-views", SegmentLine).show(segments)

    def on_resize(self, event: events.Resize) -> None:
        """Use the width there is."""
        self._fit(event.size.width)

    def _fit(self, width: int) -> None:
        if (shows_curves := self.is_usage or width >= CURVES) != self.shows_curves:
            self.shows_curves = shows_curves
            pods = self._views["pods"]
            pods.touch(list(pods.keys))
        fitting = [(self._views[name].table, view.columns(width)) for name, view in VIEWS.items() if name != "pods"]
        fitting.append((self._views["pods"].table, pod_columns(width, is_usage=self.is_usage)))
        if self._is_one_namespace:
            fitting = [(table, without_namespace(columns)) for table, columns in fitting]
        fitting += [(extra.table, extra.columns(width)) for extra in self.extras.values()]
        for table, columns in fitting:
            if table.columns != columns:
                table.columns = columns

    # Views and filters

    def action_view(self, step: int) -> None:
        """Open another view."""
        views = self.strip_views
        here = views.index(self.view) if self.view in views else 0
        self.open_view(views[(here + step) % len(views)])

    @property
    def strip_views(self) -> list[str]:
        """The views that are always on the strip, in its order."""
        return [*VIEWS, *(name for name, extra in self.extras.items() if not extra.is_drilled)]

    def open_view(self, view: str) -> None:
        """Open a view."""
        self.view = view
        self._open_view()

    def _open_view(self) -> None:
        had_focus = self.has_focus_within
        opened = self.table
        for table in (*(view.table for view in self._views.values()), *(one.table for one in self.extras.values())):
            # By hand and not by a class: what a stylesheet is yet to show cannot take the focus.
            table.display = table is opened
        for extra in self.extras.values():
            for line in extra.head:
                line.display = extra is self.extra
        if (bar := self.query_one(FilterBar)).is_mounted:
            opened.filter_text = typed_filter(bar.text).text
        if self.snapshot is not None:
            self._take(self.snapshot)
        self._draw_frame()
        if had_focus:
            self.screen.set_focus(opened)

    def choose(self, choice: Choice) -> None:
        """Show by another choice."""
        self.choice = choice
        for view in self._views.values():
            view.revision = 0
        if self.snapshot is not None:
            self._take(self.snapshot)
        self._draw_frame()

    def show_pods(self, *, workload: Workload | None = None, revision: Revision | None = None, node: str = "") -> None:
        """Open the pods of one workload, of one of its revisions, or of one node."""
        # A text that found the workload need not be in the names of its pods.
        self.clear_filter()
        self.view = "pods"
        chosen = replace(self.choice, workload=workload, revision=revision, node=node)
        self.choose(replace(chosen, kind="", labels=None, fields=None))
        self._open_view()

    def clear_filter(self) -> None:
        """Take the typed filter away, its selectors too."""
        self.query_one(FilterBar).text = ""
        self.choice = replace(self.choice, labels=None, fields=None)

    def open_at(self, view: str, filter_text: str, source: str) -> None:
        """Open a view with every namespace, and filter its rows."""
        self.choice = Choice()
        if view in self.strip_views:
            self.view = view
        for known in self._views.values():
            known.revision = 0
        super().open_at(view, filter_text, source)
        self._open_view()

    def knows(self, reading: Reading[Any] | None, about: str) -> bool:
        """Tell whether a reading of this cluster has an object, `kind/namespace/name`, or can have events of it."""
        kind, _, path = about.partition("/")
        snapshot = reading.snapshot if reading is not None else None
        return snapshot is not None and (kind not in REVEALED_IN or pods_detail.find(snapshot, kind, path) is not None)

    def reveal(self, source: str, about: str, at: float) -> bool:
        """Open the view that has an object and put the cursor on it: `kind/namespace/name`, `node/name`."""
        kind, _, path = about.partition("/")
        if (snapshot := self.snapshot) is None:
            return False
        uid = pods_detail.find(snapshot, kind, path)
        if uid is None and kind in REVEALED_IN:
            return False
        # Of what has no row of its own (a volume claim, an autoscaler) there are the events.
        view = REVEALED_IN.get(kind, "events")
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
        names = ["", *namespaces_of(snapshot)]
        index = names.index(self.choice.namespace) if self.choice.namespace in names else 0
        self.choose(replace(self.choice, namespace=names[(index + step) % len(names)], workload=None, revision=None))

    def action_faults(self) -> None:
        """Show only what needs somebody, or everything."""
        self.choose(replace(self.choice, faults_only=not self.choice.faults_only))

    def action_worst_first(self) -> None:
        """Sort the worst first, or plainly."""
        if (extra := self.extra) is not None:
            self.post_message(self.Told(extra.worst_first()))
            return
        view = VIEWS[self.view]
        is_worst = self.table.sort_column == view.worst
        column = view.plain if is_worst else view.worst
        self.table.sort_by(column)
        self.post_message(self.Told(f"sorted by {column}" if is_worst else "the worst first"))

    def action_usage(self) -> None:
        """Show what pods use before how they are, the nearest to its memory limit first; or go back."""
        self.is_usage = not self.is_usage
        self._fit(self.size.width)
        self.open_view("pods")
        if self.is_usage:
            self.table.sort_by("memory_share", reverse=True)
        else:
            self.table.sort_by(VIEWS["pods"].worst)
        self._drain()
        self.post_message(
            self.Told("what pods use; the nearest to its memory limit first" if self.is_usage else "how pods are")
        )

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterBar).open()

    def action_back(self) -> None:
        """Stop reading, else take the filters away, the newest first."""
        if self.stop_reading():
            self.post_message(self.Told("stopped reading"))
        elif self.query_one(FilterBar).text:
            self.query_one(FilterBar).action_close()
        elif self.choice.workload is not None or self.choice.node:
            self._back_up()
        elif self.choice != Choice():
            self.choose(Choice())

    def _back_up(self) -> None:
        """Leave the pods of a workload or a node, to where it stands."""
        workload, node = self.choice.workload, self.choice.node
        self.choose(self.choice.without_drill())
        if self.view == "pods":
            self.open_view("workloads" if workload is not None else "nodes")
            nodes = self.snapshot.nodes.values() if self.snapshot is not None else ()
            uid = workload.uid if workload is not None else next((n.uid for n in nodes if n.name == node), None)
            if uid is not None:
                self.table.seek(uid)

    def on_filter_bar_filtered(self, message: FilterBar.Filtered) -> None:
        """Filter the open table: by text, and by selectors."""
        message.stop()
        typed = typed_filter(message.text)
        if (typed.labels, typed.fields) != (self.choice.labels, self.choice.fields):
            self.choose(replace(self.choice, labels=typed.labels, fields=typed.fields))
        self.table.filter_text = typed.text
        message.bar.error = typed.error or self.table.filter_error

    def on_filter_bar_left(self, message: FilterBar.Left) -> None:
        """Give the keys back to the table."""
        message.stop()
        self.focus_first()

    def focus_first(self) -> None:
        """Put the keyboard into the open table, at once: the next key may already wait."""
        self.screen.set_focus(self.table)
