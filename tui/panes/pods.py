"""The Pods tab: pods, workloads, events and nodes of one cluster, in kubectl's own words; what can be done there."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.actions.kubernetes.restart import RESTARTABLE
from tui.actions.kubernetes.undo import UNDOABLE
from tui.panes import pods_detail, tabs
from tui.panes.neighbour_jumps import clients_from, jump
from tui.panes.neighbours import clients_at
from tui.panes.pods_drill import PodsDrill
from tui.panes.pods_events import Fold
from tui.panes.pods_held import held_lines
from tui.panes.pods_object import object_page
from tui.panes.pods_revisions import template_changes
from tui.panes.pods_users import above, used_by_lines
from tui.panes.pods_yaml import folded_managers
from tui.sources.errors import SourceError
from tui.sources.kubernetes.discovery import ApiResource
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.references import REFERRED
from tui.sources.kubernetes.revisions import Revision, revisions
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.source import KubernetesSource, kubectl_words
from tui.sources.kubernetes.tables import Line
from tui.sources.kubernetes.users import users_of
from tui.sources.kubernetes.veil import veiled
from tui.sources.kubernetes.workloads import Workload
from widgets.cell import cell_text
from widgets.dialogs import TextDialog
from widgets.live_table import LiveTable

_NODES_BY_HAND = 3
"""Nodes whose pages of metrics are named among the commands by hand: a screen of pods may be on dozens."""


class PodsPane(PodsDrill):
    """One Kubernetes cluster."""

    TAB = tabs.PODS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "detail", "Detail", show=False, id="pods.detail"),
        Binding("y", "yaml", "YAML", id="pods.yaml"),
        Binding("c", "copy", "Copy the row", show=False, id="pods.copy"),
        Binding("i", "clients", "Its sessions in databases and Redis, by its address", show=False, id="pods.clients"),
    ]

    # Reading one thing in full

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Go down: workload, revision, pods, containers; node, pods; from a change to its object; else show it."""
        message.stop()
        if self.go_down(message.key):
            return
        if isinstance(fact := self.current, Node):
            self.show_pods(node=fact.name)
        elif self.extra is self.kinds and (line := self.kinds.line(message.key)) is not None and self.go_into(line):
            return
        elif self.extra is not None and (about := self.extra.about(message.key)):
            self.go_to(about)
        else:
            self.action_detail()

    def detail(self) -> None:
        """Show what is under the cursor in full."""
        fact = self.current
        line = self.kinds.line(self.table.cursor_key) if self.extra is self.kinds else None
        if line is not None and (source := self.source) is not None:
            self.begin(self._object(source, self.kinds.resource, line))
        elif self.extra is self.recent and (page := self.recent.page(self.table.cursor_key)):
            self.app.push_screen(TextDialog("What changed", page))
        elif fact is None:
            self.post_message(self.Told("no row to show"))
        elif isinstance(fact, Fold):
            page = pods_detail.event_page(fact, self.desk.now())
            self.app.push_screen(TextDialog(f"Event {fact.newest.reason} of {fact.newest.object}", page))
        else:
            self.begin(self._detail(fact))

    async def _detail(self, fact: Pod | Workload | Node) -> None:
        kind, namespace = _kind_of(fact), "" if isinstance(fact, Node) else fact.namespace
        obj, missing = None, ""
        known: tuple[Revision, ...] = ()
        if (source := self.source) is not None:
            try:
                whole = await self.patiently(source.fetch(kind, namespace, fact.name), f"{kind} {fact.name}")
                obj = veiled(whole)
                if kind in UNDOABLE:
                    kept = revisions(source.connection, {**whole, "kind": kind})
                    known = await self.patiently(kept, f"the revisions of {fact.name}")
            except SourceError as error:
                missing = f"\n\nNot all of it could be read: {error}"
        if (snapshot := self.snapshot) is None:
            return
        now = self.desk.now()
        match fact:
            case Pod():
                more = held_lines(fact, obj, self.accounts, self.desk.readings(), now) if obj is not None else ()
                page = pods_detail.pod_page(fact, obj, snapshot, now, more)
                if clients := clients_at(fact.ip, self.desk.readings()):
                    page += "\n".join(("\n\nConnected from its address", *(f"  {line}" for line in clients)))
            case Workload():
                page = pods_detail.workload_page(fact, obj, snapshot, now) + template_changes(known)
            case Node():
                page = pods_detail.node_page(fact, obj, snapshot, now)
        title = f"{kind} {namespace}/{fact.name}" if namespace else f"{kind} {fact.name}"
        self.app.push_screen(TextDialog(title, page + missing, stem=f"{kind.lower()}-{fact.name}"))

    async def _object(self, source: KubernetesSource, resource: ApiResource, line: Line) -> None:
        name = f"{resource.kind} {line.namespace}/{line.name}" if line.namespace else f"{resource.kind} {line.name}"
        path, printed = resource.path(line.namespace or None, line.name), self.kinds.printed(line)
        try:
            obj = await self.patiently(source.fetch_at(path), name)
        except SourceError as error:
            self.post_message(self.Told(f"{name}: {error}", "warn"))
            return
        if (snapshot := self.snapshot) is not None:
            users = await self._users(source, resource, line, snapshot)
            page = object_page(obj, snapshot, self.desk.now(), users, printed)
            self.app.push_screen(TextDialog(name, page, stem=f"{resource.kind.lower()}-{line.name}"))

    async def _users(
        self, source: KubernetesSource, resource: ApiResource, line: Line, snapshot: KubernetesSnapshot
    ) -> Sequence[str]:
        if resource.group or resource.kind not in REFERRED:
            return ()
        reading = users_of(source.connection, resource.kind, line.namespace, line.name, partial(above, snapshot))
        try:
            found = await self.patiently(reading, f"who uses {resource.kind} {line.name}")
        except SourceError as error:
            return ("", f"Used by: not known, {error}")
        return tuple(used_by_lines(found, resource.kind, line.namespace))

    def action_yaml(self) -> None:
        """Show the whole object under the cursor as YAML, read afresh."""
        fact, source = self.current, self.source
        line = self.kinds.line(self.table.cursor_key) if self.extra is self.kinds else None
        if line is not None:
            path, name = self.kinds.resource.path(line.namespace or None, line.name), line.name
            kind = self.kinds.resource.kind
        elif fact is None or isinstance(fact, Fold):
            self.post_message(self.Told("no object under the cursor: YAML is there for pods, workloads and nodes"))
            return
        else:
            kind, name = _kind_of(fact), fact.name
            path = KINDS[kind].path(None if isinstance(fact, Node) else fact.namespace, name)
        if source is None:
            self.post_message(self.Told("no cluster to read it from"))
        else:
            self.begin(self._yaml(source, path, f"{kind} {name}", f"{kind.lower()}-{name}"))

    async def _yaml(self, source: KubernetesSource, path: str, name: str, stem: str) -> None:
        try:
            page = await self.patiently(source.yaml_at(path), name)
        except SourceError as error:
            self.post_message(self.Told(f"{name}: {error}", "warn"))
            return
        folded = folded_managers(page, self.desk.now())
        self.app.push_screen(TextDialog(name, page.text, stem=stem, folded=folded))

    def action_clients(self) -> None:
        """Go to what is connected from the pod under the cursor: a session of a database, a client of Redis."""
        if not isinstance(pod := self.current, Pod):
            self.post_message(self.Told("put the cursor on a pod: its address says what is connected from it"))
            return
        found = clients_from(pod.ip, self.desk.readings())
        jump(self, found, f"nothing that is seen is connected from its address: {pod.ip or 'none yet'}")

    def action_copy(self) -> None:
        """Copy the row under the cursor."""
        row = self.table.cursor_row
        if row is None:
            self.post_message(self.Told("no row to copy"))
            return
        self.copy("  ".join(words for cell in row.cells if (words := cell_text(cell).strip())))

    # By hand

    def by_hand(self) -> str:
        """Return the kubectl lines that show this view, and the row under the cursor."""
        entry = self.entry
        if entry is None:
            return ""
        login = source.connection.login if (source := self.source) is not None else None
        extra = self.extra
        namespace = (extra.namespace if extra is not None else "") or self.choice.namespace
        everywhere = () if namespace or self.view == "nodes" else ("-A",)

        def line(within: str, *arguments: str) -> str:
            return kubectl_words(entry, login, within, *arguments)

        nodes = sorted({pod.node for pod in self.held_pods()})[:_NODES_BY_HAND]
        kubelets = [line("", "get", "--raw", f"/api/v1/nodes/{name}/proxy/metrics/cadvisor") for name in nodes]
        if extra is not None:
            return "\n".join([*(line(namespace, *words, *everywhere) for words in extra.by_hand()), *kubelets])
        resources = {"workloads": "deployments,statefulsets,daemonsets,jobs,cronjobs"}.get(self.view, self.view)
        wide = () if self.view == "events" else ("-o", "wide")
        lines = [line(namespace, "get", resources, *everywhere, *wide)]
        if self.view in ("pods", "nodes"):
            lines.append(line(namespace, "top", self.view, *everywhere))
        lines += kubelets
        match self.current:
            case Pod() as pod:
                lines.append(line(pod.namespace, "describe", "pod", pod.name))
                lines.append(line(pod.namespace, "logs", pod.name, "--all-containers", "--tail=100"))
                if pod.restarts:
                    lines.append(line(pod.namespace, "logs", pod.name, "--previous", "--tail=100"))
            case Workload() as workload:
                lines.append(line(workload.namespace, "describe", workload.kind.lower(), workload.name))
                if workload.kind in RESTARTABLE:
                    name = f"{workload.kind.lower()}/{workload.name}"
                    lines.append(line(workload.namespace, "rollout", "status", name))
                    lines.append(line(workload.namespace, "rollout", "history", name))
            case Node() as node:
                lines.append(line("", "describe", "node", node.name))
        return "\n".join(lines)


def _kind_of(fact: Pod | Workload | Node) -> str:
    match fact:
        case Workload():
            return fact.kind
        case Pod():
            return "Pod"
    return "Node"
