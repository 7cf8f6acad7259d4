"""The Pods tab: pods, workloads, events and nodes of one cluster, in kubectl's own words; what can be done there."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.actions.kubernetes.restart import RESTARTABLE
from tui.panes import pods_detail, tabs
from tui.panes.pods_changes import PodsChanges
from tui.panes.pods_events import Fold
from tui.sources.errors import SourceError
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.source import KubernetesSource, kubectl_words
from tui.sources.kubernetes.veil import veiled
from tui.sources.kubernetes.workloads import Workload
from widgets.cell import cell_text
from widgets.dialogs import TextDialog
from widgets.live_table import LiveTable


class PodsPane(PodsChanges):
    """One Kubernetes cluster."""

    TAB = tabs.PODS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "detail", "Detail", show=False, id="pods.detail"),
        Binding("y", "yaml", "YAML", id="pods.yaml"),
        Binding("c", "copy", "Copy the row", show=False, id="pods.copy"),
    ]

    # Reading one thing in full

    def on_live_table_opened(self, message: LiveTable.Opened) -> None:
        """Show a workload's pods, or anything else in full."""
        message.stop()
        fact = self.current
        if isinstance(fact, Workload):
            self.show_pods_of(fact)
        else:
            self.action_detail()

    def action_detail(self) -> None:
        """Show what is under the cursor in full."""
        fact = self.current
        if fact is None:
            self.post_message(self.Told("no row to show"))
        elif isinstance(fact, Fold):
            page = pods_detail.event_page(fact, self.desk.now())
            self.app.push_screen(TextDialog(f"Event {fact.newest.reason} of {fact.newest.object}", page))
        else:
            self.begin(self._detail(fact))

    async def _detail(self, fact: Pod | Workload | Node) -> None:
        kind, namespace = _kind_of(fact), "" if isinstance(fact, Node) else fact.namespace
        obj, missing = None, ""
        if (source := self.source) is not None:
            try:
                obj = veiled(await self.patiently(source.fetch(kind, namespace, fact.name), f"{kind} {fact.name}"))
            except SourceError as error:
                missing = f"\n\nThe whole object could not be read: {error}"
        if (snapshot := self.snapshot) is None:
            return
        now = self.desk.now()
        match fact:
            case Pod():
                page = pods_detail.pod_page(fact, obj, snapshot, now)
            case Workload():
                page = pods_detail.workload_page(fact, obj, snapshot, now)
            case Node():
                page = pods_detail.node_page(fact, obj, snapshot, now)
        title = f"{kind} {namespace}/{fact.name}" if namespace else f"{kind} {fact.name}"
        self.app.push_screen(TextDialog(title, page + missing, stem=f"{kind.lower()}-{fact.name}"))

    def action_yaml(self) -> None:
        """Show the whole object under the cursor as YAML, read afresh."""
        fact, source = self.current, self.source
        if fact is None or isinstance(fact, Fold):
            self.post_message(self.Told("no object under the cursor: YAML is there for pods, workloads and nodes"))
        elif source is None:
            self.post_message(self.Told("no cluster to read it from"))
        else:
            self.begin(self._yaml(source, fact))

    async def _yaml(self, source: KubernetesSource, fact: Pod | Workload | Node) -> None:
        kind, namespace = _kind_of(fact), "" if isinstance(fact, Node) else fact.namespace
        try:
            text = await self.patiently(source.yaml(kind, namespace, fact.name), f"{kind} {fact.name}")
        except SourceError as error:
            self.post_message(self.Told(f"{kind} {fact.name}: {error}", "warn"))
            return
        self.app.push_screen(TextDialog(f"{kind} {fact.name}", text, stem=f"{kind.lower()}-{fact.name}"))

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
        entry = self.desk.profile.kubernetes
        if entry is None:
            return ""
        login = source.connection.login if (source := self.source) is not None else None
        namespace = self.choice.namespace
        everywhere = () if namespace or self.view == "nodes" else ("-A",)

        def line(within: str, *arguments: str) -> str:
            return kubectl_words(entry, login, within, *arguments)

        resources = {"workloads": "deployments,statefulsets,daemonsets,jobs,cronjobs"}.get(self.view, self.view)
        wide = () if self.view == "events" else ("-o", "wide")
        lines = [line(namespace, "get", resources, *everywhere, *wide)]
        if self.view in ("pods", "nodes"):
            lines.append(line(namespace, "top", self.view, *everywhere))
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
