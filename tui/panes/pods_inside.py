"""The keys of the Pods tab that reach into a container: a look by an allow-listed program, or a shell."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from tui.actions.action import NotSentError, Request
from tui.actions.guard import denial
from tui.actions.kubernetes.clusters import in_cluster
from tui.actions.kubernetes.looking import LOOK_INSIDE, look_inside
from tui.actions.kubernetes.pods import pod_target
from tui.actions.kubernetes.shell import shell_request
from tui.journal import JournalError
from tui.panes.offering import Offer
from tui.panes.pane import Desk
from tui.panes.pods_held import Account, Accounts, holding
from tui.panes.pods_objects import PodsObjects
from tui.panes.pods_rows import Holding
from tui.sources.errors import SourceError
from tui.sources.kubernetes.diagnostics import TITLES, Look, subject_problem
from tui.sources.kubernetes.exec import Place
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.throttling import KubeletThrottling
from widgets.dialogs import Choice, ChooseDialog, InputDialog, TextDialog

SHELL: Final = "pods.shell"
_KUBELETS: Final = "pods-kubelets"
_ASKED: Final = {
    Look.DNS: ("a host name: gateway, gateway.payments, db.example.com", "name"),
    Look.HTTP: ("one GET from inside the container; redirects are not followed", "http://gateway/healthz"),
}


class PodsInside(PodsObjects):
    """Look inside a container, or open a shell in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "look_inside", "Test from inside: CPU throttling, processes, disk, DNS, HTTP", id="pods.inside"),
        Binding("T", "shell", "Terminal: open a shell in a container", show=False, id=SHELL),
    ]

    def __init__(self, desk: Desk, *, id: str, cluster: str | None = None) -> None:  # noqa: A002 — Textual's own name
        super().__init__(desk, id=id, cluster=cluster)
        self.accounts = Accounts(lambda: self._kubelets)
        """How often containers were held by their CPU limits, as looks and kubelets told."""
        self._looked: Mapping[Hashable, bool] = {}
        """The pods of the newest look at `HELD`, by uid, and whether their kubelet had told of them."""

    def offers(self) -> tuple[Offer, ...]:
        """Return what can be changed of the facts that are chosen, a shell among it."""
        offers = super().offers()
        return (*offers, self._shell_offer()) if offers else ()

    def _shell_offer(self) -> Offer:
        pods = self.chosen
        if len(pods) != 1 or not isinstance(pod := pods[0], Pod):
            return Offer(SHELL, reason="a shell is for one pod at a time: choose a pod")
        if not pod.container_names or pod.phase != "Running":
            return Offer(SHELL, reason=f"no container of {pod.name} runs: {pod.status}")
        return Offer(SHELL, (shell_request(pod, pod.container_names[0]),))

    # How often CPU limits hold what is looked at

    @property
    def _kubelets(self) -> KubeletThrottling | None:
        return source.throttling if (source := self.source) is not None else None

    def held_pods(self) -> Sequence[Pod]:
        """Return the pods on the screen of which the open view shows how often their limits hold them."""
        if (snapshot := self.snapshot) is None or self.view != "pods" or not self.is_usage:
            return ()
        keys = self.table.keys_on_screen()
        return [pod for key in keys if (pod := snapshot.pods.get(str(key))) is not None and pod.node]

    def holding(self, pod: Pod) -> Holding | None:
        """Return how often a pod's CPU limits held it of late; None where nobody told, or nobody wants to know."""
        return holding(kubelets, pod) if self.is_usage and (kubelets := self._kubelets) is not None else None

    @property
    def held_notice(self) -> str:
        """Why it is not known how often CPU limits hold pods; empty where nobody wants to know."""
        words = self.accounts.trouble(self.held_pods())
        return f"HELD: {words}" if words else ""

    def tick(self) -> None:
        """Draw again what depends on the clock, and have a kubelet asked where somebody looks at what it knows."""
        super().tick()
        pods, kubelets = self.held_pods(), self._kubelets
        reading = self._reading
        if kubelets is None or reading is None or reading.is_stale(self.desk.now()):
            return
        before, self._looked = self._looked, {pod.uid: kubelets.is_known(pod.node) for pod in pods}
        self._views["pods"].touch(uid for uid, is_known in self._looked.items() if before.get(uid) is not is_known)
        if (node := kubelets.due({pod.node for pod in pods})) is not None:
            self.run_worker(self._ask_kubelet(kubelets, node), group=_KUBELETS, exit_on_error=False)

    async def _ask_kubelet(self, kubelets: KubeletThrottling, node: str) -> None:
        if (snapshot := self.snapshot) is None:
            return
        there = {uid: pod for uid, pod in snapshot.pods.items() if pod.node == node}
        await kubelets.read(node, [(pod.namespace, pod.name) for pod in there.values()])
        self._views["pods"].touch(there)
        self._drain()

    # A shell

    def action_shell(self) -> None:
        """Ask for a shell in the pod under the cursor, and in which of its containers."""
        if self._asked(SHELL) is not None and isinstance(pod := self.chosen[0], Pod):
            self.in_container(pod, lambda container: self._ask_for_shell(pod, container))

    def _ask_for_shell(self, pod: Pod, container: str) -> None:
        self.post_message(self.Requested([shell_request(pod, container)]))

    def in_container(self, pod: Pod, then: Callable[[str], None]) -> None:
        """Go on with the pod's container, or with the one that is chosen of several."""
        if len(pod.container_names) == 1:
            then(pod.container_names[0])
            return
        choices = [Choice(name, name) for name in pod.container_names]
        dialog = ChooseDialog(f"Which container of {pod.path}?", choices)
        self.app.push_screen(dialog, lambda name: None if name is None else then(name))

    # Looks

    def action_look_inside(self) -> None:
        """Choose what to look at inside a container of the pod under the cursor."""
        pod, source = self.current, self.source
        if not isinstance(pod, Pod) or source is None:
            self.post_message(self.Told("a look inside is for a pod: put the cursor on one"))
        elif not pod.container_names or pod.phase != "Running":
            self.post_message(self.Told(f"no container of {pod.name} runs: {pod.status}"))
        elif why := denial(in_cluster(Request(LOOK_INSIDE, pod_target(pod)), self.source_name), self.desk.profile):
            self.post_message(self.Told(why, "warn"))
        else:
            self.in_container(pod, lambda container: self._choose_look(source, pod, container))

    def _choose_look(self, source: KubernetesSource, pod: Pod, container: str) -> None:
        place = Place(pod.namespace, pod.name, pod.uid, container)
        choices = [Choice(look.value, title) for look, title in TITLES.items()]

        def chosen(key: str | None) -> None:
            if key is not None:
                self._begin_look(source, place, Look(key))

        self.app.push_screen(ChooseDialog(f"Look at what inside {place}? It is put on record", choices), chosen)

    def _begin_look(self, source: KubernetesSource, place: Place, look: Look) -> None:
        if look not in _ASKED:
            self.begin(self._look(source, place, look, ""))
            return
        hint, placeholder = _ASKED[look]

        def typed(subject: str | None) -> None:
            if subject is not None:
                self.begin(self._look(source, place, look, subject.strip()))

        dialog = InputDialog(
            TITLES[look], text=hint, placeholder=placeholder, problem=lambda text: subject_problem(look, text.strip())
        )
        self.app.push_screen(dialog, typed)

    async def _look(self, source: KubernetesSource, place: Place, look: Look, subject: str) -> None:
        what = f"{TITLES[look].partition(':')[0]} in {place}"
        began = time.monotonic()
        try:
            looking = look_inside(source, self.desk.record, place, look, subject)
            findings = await self.patiently(looking, what)
        except JournalError as error:
            self.post_message(self.Told(f"nothing is shown that is not on record: {error}", "critical"))
            return
        except (NotSentError, SourceError) as error:
            self.post_message(self.Told(f"{what}: {error}", "warn"))
            return
        if findings.throttling is not None:
            self.accounts.note(place, Account(self.desk.now(), *findings.throttling))
        title = f"{what}, looked at within {time.monotonic() - began:.1f} s"
        self.app.push_screen(TextDialog(title, findings.page(), stem=f"{look.value}-{place.pod}"))
