"""The Pods tab: pods, workloads, events and nodes of one cluster, in kubectl's own words; what can be done there."""

import asyncio
from collections.abc import Coroutine
from typing import ClassVar, Final, TypeVar

from textual.binding import Binding, BindingType

from tui.actions.action import Request
from tui.actions.kubernetes import RESTARTABLE, SCALABLE, restart_request, scale_request
from tui.panes import pods_detail, tabs
from tui.panes.pods_events import Fold
from tui.panes.pods_tables import SOURCE, PodsTables
from tui.sources.errors import SourceError
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.source import KubernetesSource, kubectl_words
from tui.sources.kubernetes.workloads import Workload
from widgets.cell import cell_text
from widgets.dialogs import InputDialog, TextDialog
from widgets.live_table import LiveTable

_MOST_REPLICAS: Final = 1000
"""More than that is taken for a slip of the finger."""


_SAY_AFTER_S: Final = 0.4
"""How long something may take before the person is told that it is under way."""

ReadT = TypeVar("ReadT")


class PodsPane(PodsTables):
    """One Kubernetes cluster."""

    TAB = tabs.PODS

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "detail", "Detail", show=False, id="pods.detail"),
        Binding("y", "yaml", "YAML", id="pods.yaml"),
        Binding("c", "copy", "Copy the row", show=False, id="pods.copy"),
        Binding("R", "restart", "Restart", id="pods.restart"),
        Binding("C", "scale", "Scale", id="pods.scale"),
    ]

    @property
    def _source(self) -> KubernetesSource | None:
        found = self.desk.source(SOURCE)
        return found if isinstance(found, KubernetesSource) else None

    @property
    def _workload(self) -> Workload | None:
        """The workload under the cursor, or the one the pod under the cursor belongs to."""
        fact, snapshot = self.current, self.snapshot
        if isinstance(fact, Pod) and snapshot is not None:
            return pods_detail.owner_workload(fact, snapshot)
        return fact if isinstance(fact, Workload) else None

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
            self._begin(self._detail(fact))

    def _begin(self, reading: Coroutine[None, None, None]) -> None:
        self.run_worker(reading, group="pods-read", exclusive=True, exit_on_error=False)

    async def _patiently(self, reading: Coroutine[None, None, ReadT], what: str) -> ReadT:
        """Wait for something to be read, and say so when it takes a while."""
        task = asyncio.create_task(reading)
        try:
            await asyncio.wait({task}, timeout=_SAY_AFTER_S)
            if not task.done():
                self.post_message(self.Told(f"reading {what}; esc stops"))
            return await task
        finally:
            task.cancel()

    async def _detail(self, fact: Pod | Workload | Node) -> None:
        kind, namespace = _kind_of(fact), "" if isinstance(fact, Node) else fact.namespace
        obj, missing = None, ""
        if (source := self._source) is not None:
            try:
                obj = await self._patiently(source.fetch(kind, namespace, fact.name), f"{kind} {fact.name}")
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
        fact, source = self.current, self._source
        if fact is None or isinstance(fact, Fold):
            self.post_message(self.Told("no object under the cursor: YAML is there for pods, workloads and nodes"))
        elif source is None:
            self.post_message(self.Told("no cluster to read it from"))
        else:
            self._begin(self._yaml(source, fact))

    async def _yaml(self, source: KubernetesSource, fact: Pod | Workload | Node) -> None:
        kind, namespace = _kind_of(fact), "" if isinstance(fact, Node) else fact.namespace
        try:
            text = await self._patiently(source.yaml(kind, namespace, fact.name), f"{kind} {fact.name}")
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

    # Changing

    def action_restart(self) -> None:
        """Ask for a rollout restart of the workload under the cursor, or of the pod's own."""
        workload = self._chosen_workload("restart")
        if workload is None:
            return
        if workload.kind not in RESTARTABLE:
            kinds = ", ".join(RESTARTABLE)
            self.post_message(self.Told(f"a {workload.kind} cannot be restarted; possible: {kinds}", "warn"))
        else:
            self._request(restart_request(workload))

    def action_scale(self) -> None:
        """Ask for another number of replicas of the workload under the cursor, or of the pod's own."""
        workload = self._chosen_workload("scale")
        if workload is None:
            return
        if workload.kind not in SCALABLE:
            kinds = ", ".join(SCALABLE)
            self.post_message(self.Told(f"a {workload.kind} cannot be scaled; possible: {kinds}", "warn"))
            return
        if reason := self.desk.refusal(scale_request(workload, workload.desired)):
            self.post_message(self.Told(reason, "warn"))
            return
        dialog = InputDialog(
            f"Scale {workload.kind} {workload.namespace}/{workload.name}",
            text=f"it has {workload.desired} replicas, {workload.ready} ready; nothing is sent before you confirm",
            placeholder="replicas",
            problem=replicas_problem,
        )
        self.app.push_screen(dialog, lambda typed: self._scale(workload, typed))

    def _scale(self, workload: Workload, typed: str | None) -> None:
        if typed is not None:
            self._request(scale_request(workload, int(typed.lstrip("0") or "0")))

    def _chosen_workload(self, verb: str) -> Workload | None:
        """Return the one workload a change may be asked for, and keep the cursor on it; None: said why not."""
        if self.table.marked:
            why = f"several cannot be {'restarted' if verb == 'restart' else 'scaled'} at once here"
            self.post_message(self.Told(f"{why}: unmark them with space, then choose one", "warn"))
            return None
        workload = self._workload
        if workload is None:
            self.post_message(self.Told(self._no_workload(verb), "warn"))
            return None
        # What was asked about must not lie under another row's cursor when the order changes meanwhile.
        pinned = self.table.cursor_key
        self.table.cursor_key = pinned
        return workload

    def _no_workload(self, verb: str) -> str:
        fact = self.current
        if isinstance(fact, Pod):
            return (
                f"{fact.name} belongs to no workload: nothing would make it again"
                if fact.owner is None
                else (f"{fact.owner.kind} {fact.owner.name} is not seen: it cannot be {verb}ed from here")
            )
        return f"choose a pod or a workload to {verb}"

    def _request(self, request: Request) -> None:
        if reason := self.desk.refusal(request):
            self.post_message(self.Told(reason, "warn"))
        else:
            self.post_message(self.Requested(request))

    # By hand

    def by_hand(self) -> str:
        """Return the kubectl lines that show this view, and the row under the cursor."""
        entry = self.desk.profile.kubernetes
        if entry is None:
            return ""
        login = source.connection.login if (source := self._source) is not None else None
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


def replicas_problem(typed: str) -> str:
    """Return what is wrong with a number of replicas; empty when nothing is."""
    if not (typed.isascii() and typed.isdecimal()):
        return "a whole number, 0 or more"
    digits = typed.lstrip("0")
    is_sane = len(digits) < 9 and int(digits or "0") <= _MOST_REPLICAS
    return "" if is_sane else f"at most {_MOST_REPLICAS}: more looks like a slip"
