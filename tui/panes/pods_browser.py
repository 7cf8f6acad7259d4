"""The keys of the Pods tab that lead on: to another kind, from a thing to what owns it, to what changed."""

from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType

from profiles.systems import SavedView
from tui.panes.pods_choice import Choice
from tui.panes.pods_events import Fold
from tui.panes.pods_extra import Extra, Means
from tui.panes.pods_kind_rows import options
from tui.panes.pods_kinds import SERVICES, KindsView
from tui.panes.pods_recent import RecentView
from tui.panes.pods_tables import PodsTables
from tui.panes.pods_views import REVEALED_IN, VIEWS
from tui.panes.pods_words import namespaces_of
from tui.sources.errors import SourceError
from tui.sources.kubernetes.discovery import ApiResource, discover
from tui.sources.kubernetes.fields import Owner
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.tables import Line
from widgets.dialogs import Choice as Option
from widgets.dialogs import ChooseDialog
from widgets.filter_bar import FilterBar

_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"})
_GROUP: Final = "pods-extra"
_FEW_NAMESPACES: Final = 6
"""So many are gone through one after the other; of more, one is chosen by its name."""
_ALL: Final = "*"
"""No namespace can be called so."""


class PodsBrowser(PodsTables):
    """Goes from one object to another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resources", "Resources: any kind, by kubectl's names", id="pods.resources"),
        Binding("v", "saved", "Views that the profile keeps", show=False, id="pods.saved"),
        Binding("u", "owner", "Up: to what it belongs to", show=False, id="pods.owner"),
    ]

    def make_extras(self) -> Mapping[str, Extra]:
        """Return what changed of late, and any kind."""
        self.recent, self.kinds = RecentView(self.means), KindsView(self.means)
        return {"recent": self.recent, "kinds": self.kinds}

    @property
    def means(self) -> Means:
        """With what views that do not follow the watches are read."""

        def start(reading: Coroutine[Any, Any, None]) -> None:
            self.run_worker(reading, group=_GROUP, exit_on_error=False)

        return Means(lambda: self.source, start, self._redraw, self.desk.now)

    def _redraw(self) -> None:
        if self.extra is not None and self.snapshot is not None:
            self.tick()

    # Any kind

    def action_resources(self) -> None:
        """Choose which kind of object to look at, of all that the cluster knows."""
        if (source := self.source) is None:
            self.post_message(self.Told("no cluster to ask"))
        else:
            self.begin(self._choose_kind(source))

    async def _choose_kind(self, source: KubernetesSource) -> None:
        try:
            found = await self.patiently(discover(source.connection), "which kinds there are")
        except SourceError as error:
            self.post_message(self.Told(f"the cluster does not tell which kinds it knows: {error}", "warn"))
            return
        if found.missing:
            self.post_message(self.Told(f"not all kinds are known: {'; '.join(found.missing)}", "warn"))
        known = {resource.full_name: resource for resource in found.resources}
        chosen = await self.app.push_screen_wait(ChooseDialog("Look at which kind?", options(found)))
        if chosen is not None:
            self.look_at(known[chosen])

    def look_at(self, resource: ApiResource) -> None:
        """Open the view that shows a kind: its own where it has one."""
        self.clear_filter()
        if resource.full_name in VIEWS:
            self.choose(replace(self.choice.without_drill(), kind=""))
            self.open_view(resource.name)
        elif resource.kind in _WORKLOADS and resource.group in ("apps", "batch"):
            self.choose(replace(self.choice, kind=resource.kind))
            self.open_view("workloads")
        else:
            self.kinds.choose(resource)
            self.open_view("kinds")

    # One namespace

    def action_namespace(self, step: int) -> None:
        """Show the next namespace; where there are many, ask which."""
        known = namespaces_of(self.snapshot) if self.snapshot is not None else {}
        if len(known) <= _FEW_NAMESPACES:
            super().action_namespace(step)
            return
        kept = [Option(_ALL, "all namespaces"), *(Option(name, name, words) for name, words in known.items())]
        self.app.push_screen(ChooseDialog("Look at which namespace?", kept), self._look_into)

    def _look_into(self, name: str | None) -> None:
        if name is not None:
            self.choose(replace(self.choice.without_drill(), namespace=name.removeprefix(_ALL)))

    def go_into(self, line: Line) -> bool:
        """Show the pods in a namespace, or behind a service; False for what has none below it."""
        resource, selector = self.kinds.resource, self.kinds.selector(line)
        if resource.full_name == "namespaces":
            self.clear_filter()
            self._look_into(line.name)
        elif resource.full_name == SERVICES.full_name and selector:
            self._look_into(line.namespace)
            self.query_one(FilterBar).text = f"-l {selector}"
        else:
            return False
        self.open_view("pods")
        return True

    # Saved views

    def action_saved(self) -> None:
        """Choose one of the views that the profile keeps."""
        entry = self.entry
        views = entry.views if entry is not None else {}
        if not views:
            self.post_message(self.Told("the profile keeps none; it would under kubernetes: views:"))
            return
        kept = [Option(name, name, _words(view)) for name, view in views.items()]
        self.app.push_screen(ChooseDialog("Which view?", kept), lambda name: self._open_saved(views, name))

    def _open_saved(self, views: Mapping[str, SavedView], name: str | None) -> None:
        if name is None:
            return
        view = views[name]
        if view.show in self.strip_views:
            self._show_saved(view)
            self.open_view(view.show)
        elif (source := self.source) is None:
            self.post_message(self.Told("no cluster to ask"))
        else:
            self.begin(self._open_kind(source, view))

    async def _open_kind(self, source: KubernetesSource, view: SavedView) -> None:
        try:
            found = await self.patiently(discover(source.connection), "which kinds there are")
        except SourceError as error:
            self.post_message(self.Told(f"the cluster does not tell which kinds it knows: {error}", "warn"))
            return
        resource = found.named(view.show)
        if resource is None:
            self.post_message(self.Told(f"the cluster knows no {view.show}", "warn"))
            return
        self.look_at(resource)
        self._show_saved(view, kind=self.choice.kind)

    def _show_saved(self, view: SavedView, kind: str = "") -> None:
        self.choose(Choice(namespace=view.namespace, faults_only=view.faults, kind=kind))
        self.query_one(FilterBar).text = view.filter

    # Up

    def action_owner(self) -> None:
        """Put the cursor on what owns the thing under it; on the object, where an event is."""
        snapshot, fact = self.snapshot, self.current
        about = self.extra.about(self.table.cursor_key) if self.extra is not None else ""
        line = self.kinds.line(self.table.cursor_key) if self.extra is self.kinds else None
        owner: Owner | None = None
        if isinstance(fact, Fold):
            namespace = fact.newest.namespace
            kind, _, name = fact.newest.object.partition("/")
            about = f"{kind}/{name}" if kind == "node" else f"{kind}/{namespace}/{name}"
        elif line is not None:
            owner = line.owner
        elif fact is not None and not isinstance(fact, Node):
            above = snapshot.workload_of(fact) if snapshot is not None and isinstance(fact, Pod) else None
            owner = Owner(above.kind, above.name, above.uid) if above is not None else fact.owner
        if about:
            self.go_to(about)
        elif owner is None:
            self.post_message(self.Told("it belongs to nothing" if fact or line else "no row to go up from"))
        else:
            self._go_to_owner(owner)

    def _go_to_owner(self, owner: Owner) -> None:
        view = REVEALED_IN.get(owner.kind.lower(), "")
        snapshot = self.snapshot
        uid = owner.uid
        if snapshot is not None and (found := snapshot.replica_sets.get(uid)) is not None and found.owner is not None:
            uid = found.owner.uid
        if snapshot is None or not view or uid not in getattr(snapshot, view):
            named = f"{owner.kind} {owner.name}"
            self.post_message(self.Told(f"it belongs to {named}, which has no row here; r shows any kind"))
            return
        self.clear_filter()
        self.choose(replace(self.choice.without_drill(), kind="", faults_only=False))
        self._views[view].touch([uid])
        self.open_view(view)
        self.table.seek(uid)

    def go_to(self, about: str) -> None:
        """Put the cursor on an object, `kind/namespace/name`, or say that it is gone."""
        if not self.reveal("", about, 0.0):
            self.post_message(self.Told(f"{about} is gone", "warn"))


def _words(view: SavedView) -> str:
    parts = (view.show, view.namespace, "faults only" if view.faults else "", view.filter)
    return ", ".join(filter(None, parts))
