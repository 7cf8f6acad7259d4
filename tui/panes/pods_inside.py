"""The keys of the Pods tab that reach into a container: a look by an allow-listed program, or a shell."""

import time
from collections.abc import Callable
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from tui.actions.action import NotSentError, Request
from tui.actions.guard import denial
from tui.actions.kubernetes.looking import LOOK_INSIDE, look_inside
from tui.actions.kubernetes.pods import pod_target
from tui.actions.kubernetes.shell import shell_request
from tui.journal import JournalError
from tui.panes.offering import Offer
from tui.panes.pane import Desk
from tui.panes.pods_held import Account, Accounts
from tui.panes.pods_objects import PodsObjects
from tui.sources.errors import SourceError
from tui.sources.kubernetes.diagnostics import TITLES, Look, subject_problem
from tui.sources.kubernetes.exec import Place
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.source import KubernetesSource
from widgets.dialogs import Choice, ChooseDialog, InputDialog, TextDialog

SHELL: Final = "pods.shell"
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
        self.accounts = Accounts()
        """How often containers were held by their CPU limits, as looks told."""

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
        elif why := denial(Request(LOOK_INSIDE, pod_target(pod)), self.desk.profile):
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
