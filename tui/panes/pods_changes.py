"""The keys of the Pods tab that change something: what they still need is asked for, then the change."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.actions.action import Request
from tui.actions.asking import TEMPORARY_HINT, grace_problem, replicas_problem, split_temporary, temporary
from tui.actions.kubernetes.pods import delete_request
from tui.actions.kubernetes.scale import scale_request
from tui.actions.kubernetes.undo import undo_request
from tui.panes import pods_offers
from tui.panes.offering import Offer, Offering
from tui.panes.pods_browser import PodsBrowser
from tui.panes.pods_offers import Fact
from tui.sources.errors import SourceError
from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.revisions import Revision, revisions
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.workloads import Workload
from widgets.dialogs import Choice, ChooseDialog, InputDialog


class PodsChanges(PodsBrowser, Offering):
    """Restart, scale, roll back, hold and delete; several at once where rows are marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "restart", "Restart", id=pods_offers.RESTART),
        Binding("C", "scale", "Scale", id=pods_offers.SCALE),
        Binding("B", "roll_back", "Roll back to a revision", show=False, id=pods_offers.ROLL_BACK),
        Binding("H", "hold", "Hold rollouts or a CronJob: pause, or resume", show=False, id=pods_offers.HOLD),
        Binding("D", "delete", "Delete pod", show=False, id=pods_offers.DELETE),
    ]

    @property
    def chosen(self) -> tuple[Fact, ...]:
        """The facts that are marked, also those a filter hides; the one under the cursor when none is."""
        snapshot = self.snapshot
        if snapshot is None:
            return ()
        if not self.table.marked:
            return (self.current,) if self.current is not None else ()
        return self.marked_facts(snapshot)

    def offers(self) -> tuple[Offer, ...]:
        """Return what can be changed of the facts that are chosen."""
        return () if self.snapshot is None else pods_offers.offers(self.chosen, self.snapshot)

    def _asked(self, binding: str) -> tuple[Request, ...] | None:
        requests = self.offered(binding)
        if requests is not None:
            # What was asked about must not lie under another row's cursor when the order changes meanwhile.
            pinned = self.table.cursor_key
            self.table.cursor_key = pinned
        return requests

    # Keys

    def action_restart(self) -> None:
        """Ask for a rollout restart of the workload under the cursor, or of the pod's own."""
        if requests := self._asked(pods_offers.RESTART):
            self.post_message(self.Requested(requests))

    def action_hold(self) -> None:
        """Ask to pause a Deployment's rollouts, or to resume them."""
        if requests := self._asked(pods_offers.HOLD):
            self.post_message(self.Requested(requests))

    def action_scale(self) -> None:
        """Ask for another number of replicas of the workload under the cursor, or of the pod's own."""
        if self._asked(pods_offers.SCALE) is None or self.snapshot is None:
            return
        workloads = pods_offers.workloads_of(self.chosen, self.snapshot)
        first, *more = workloads
        has = f"it has {first.desired} replicas, {first.ready} ready"
        if more:
            has = "now " + ", ".join(f"{one.name} {one.desired}" for one in workloads)
        dialog = InputDialog(
            f"Scale {first.kind} {first.namespace}/{first.name}" + (f" and {len(more)} more" if more else ""),
            text=f"{has}; nothing is sent before you confirm\n{TEMPORARY_HINT}",
            placeholder="replicas",
            problem=temporary(replicas_problem),
        )
        self.app.push_screen(dialog, lambda typed: self._scale(workloads, typed))

    def _scale(self, workloads: tuple[Workload, ...], typed: str | None) -> None:
        if typed is not None:
            number, for_s = split_temporary(typed)
            replicas = int(number.lstrip("0") or "0")
            self.post_message(self.Requested([scale_request(one, replicas, for_s) for one in workloads]))

    def action_delete(self) -> None:
        """Ask to delete the pod under the cursor, or those that are marked."""
        if self._asked(pods_offers.DELETE) is None:
            return
        pods = tuple(fact for fact in self.chosen if isinstance(fact, Pod))
        first, *more = pods
        dialog = InputDialog(
            f"Delete pod {first.path}" + (f" and {len(more)} more" if more else ""),
            text="grace period in seconds; nothing is sent before you confirm",
            placeholder="empty: its own; 0: by force",
            problem=grace_problem,
        )
        self.app.push_screen(dialog, lambda typed: self._delete(pods, typed))

    def _delete(self, pods: tuple[Pod, ...], typed: str | None) -> None:
        if typed is not None:
            grace_s = int(typed) if typed.strip() else None
            self.post_message(self.Requested([delete_request(pod, grace_s) for pod in pods]))

    def action_roll_back(self) -> None:
        """Ask which revision of the workload under the cursor to go back to."""
        requests, source = self._asked(pods_offers.ROLL_BACK), self.source
        if requests and source is not None and self.snapshot is not None:
            (workload,) = pods_offers.workloads_of(self.chosen, self.snapshot)
            self.begin(self._choose_revision(source, workload))

    async def _choose_revision(self, source: KubernetesSource, workload: Workload) -> None:
        name = f"{workload.kind} {workload.namespace}/{workload.name}"
        try:
            obj = await self.patiently(source.fetch(workload.kind, workload.namespace, workload.name), name)
            known = await self.patiently(revisions(source.connection, {**obj, "kind": workload.kind}), name)
        except SourceError as error:
            self.post_message(self.Told(f"{name}: its revisions cannot be read: {error}", "warn"))
            return
        current = next((one for one in known if one.is_current), None)
        others = {one.uid: one for one in known if not one.is_current}
        if not others:
            self.post_message(self.Told(f"{name} has no other revision to go back to", "warn"))
            return
        choices = [Choice(one.uid, f"revision {one.number}", _note(one, self.desk.now())) for one in others.values()]
        now = f" (now {current.number})" if current else ""
        uid = await self.app.push_screen_wait(ChooseDialog(f"Roll {name} back to{now}", choices))
        if uid is not None:
            self.post_message(self.Requested([undo_request(workload, others[uid], current)]))


def _note(revision: Revision, now: float) -> str:
    cause = f"{revision.change_cause}, " if revision.change_cause else ""
    return f"{cause}{', '.join(revision.images)}, made {age_since(revision.created_at, now)} ago"
