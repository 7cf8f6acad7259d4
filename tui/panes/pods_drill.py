"""Down from one thing to what it consists of: workload → revisions → pods → containers; and back."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from tui.actions.action import Request
from tui.actions.kubernetes.environment import SET_ENV
from tui.actions.kubernetes.image import SET_IMAGE
from tui.actions.kubernetes.resources import SET_RESOURCES
from tui.actions.kubernetes.restart import RESTART
from tui.actions.kubernetes.undo import UNDO, UNDOABLE, undo_request
from tui.actions.perform import Outcome
from tui.panes import pods_detail, pods_offers, tabs
from tui.panes.pane import Pane
from tui.panes.pods_containers import ContainersView
from tui.panes.pods_extra import Extra
from tui.panes.pods_inside import PodsInside
from tui.panes.pods_logs import filter_of, followed_by, following, logs_page
from tui.panes.pods_revisions import revision_page, two_revisions_page
from tui.panes.pods_rollout import RolloutView
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.recent_logs import recent_logs
from tui.sources.kubernetes.revisions import Revision
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.workloads import Workload
from widgets.dialogs import TextDialog
from widgets.filter_bar import FilterBar
from widgets.live_table import LiveTable

Ended = Callable[[Sequence[tuple[Request, Outcome | None]]], None]

_ROLLS: Final = frozenset({RESTART, SET_IMAGE, SET_ENV, SET_RESOURCES, UNDO})
"""The changes that make new pods: whoever asked for one wants to see them come."""
_ROLLOUT, _CONTAINERS = "rollout", "containers"


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A change of a template that was asked for, and where the person was then."""

    workload_uid: str
    generation: int
    view: str
    cursor: Hashable


class PodsDrill(PodsInside):
    """The views of one workload's rollout and of one pod's containers, and what these said last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "messages", "Messages: the last lines of its logs, before a restart too", id="pods.messages"),
    ]

    rollouts: RolloutView
    containers: ContainersView
    _awaited: _Awaited | None = None
    _from: str = "workloads"
    """The view from which a pod's containers were opened."""

    def make_extras(self) -> Mapping[str, Extra]:
        """Return also the views of one workload and of one pod."""
        self.rollouts, self.containers = RolloutView(self.means), ContainersView(self.means, self.accounts)
        return {**super().make_extras(), _ROLLOUT: self.rollouts, _CONTAINERS: self.containers}

    def held_pods(self) -> Sequence[Pod]:
        """Return also the pod whose containers are open."""
        if self.extra is not self.containers:
            return super().held_pods()
        pod = self.containers.subject
        return (pod,) if pod is not None and pod.node else ()

    def detail(self) -> None:
        """Show what is under the cursor in full."""
        raise NotImplementedError

    # Down

    def go_down(self, key: Hashable) -> bool:
        """Open what a row consists of; False where there is nothing below it."""
        fact = self.current
        if self.extra is self.rollouts and (revision := self.rollouts.revision(key)) is not None:
            self._show_revision(revision)
        elif isinstance(fact, Workload) and fact.kind in UNDOABLE:
            self.show_rollout(fact)
        elif self.extra is self.recent and self.recent.is_rollout(key) and (above := self._rolled(key)) is not None:
            self.show_rollout(above)
        elif isinstance(fact, Workload):
            self.show_pods(workload=fact)
        elif isinstance(fact, Pod) and self.extra is not self.containers:
            self._show_containers(fact)
        else:
            return False
        return True

    def _rolled(self, key: Hashable) -> Workload | None:
        kind, _, path = self.recent.about(key).partition("/")
        uid = pods_detail.find(self.snapshot, kind, path) if self.snapshot is not None else None
        return self.snapshot.workloads.get(uid) if self.snapshot is not None and uid is not None else None

    def show_rollout(self, workload: Workload) -> None:
        """Open the rollout of a workload."""
        self.clear_filter()
        self.rollouts.choose(workload)
        self.open_view(_ROLLOUT)

    def _show_revision(self, revision: Revision) -> None:
        workload, snapshot = self.rollouts.subject, self.snapshot
        if workload is None or snapshot is None:
            return
        if not self.rollouts.has_pods(revision, snapshot):
            self.post_message(self.Told(f"revision {revision.number} has no pods; d shows what it changed"))
            return
        self.show_pods(workload=workload, revision=revision)

    def _show_containers(self, pod: Pod) -> None:
        self._from = self.view
        self.clear_filter()
        self.containers.choose(pod)
        self.open_view(_CONTAINERS)

    def on_live_table_highlighted(self, message: LiveTable.Highlighted) -> None:
        """Say more about the container, or the pod of a rollout, under the cursor."""
        super().on_live_table_highlighted(message)
        if (extra := self.extra) is self.containers or extra is self.rollouts:
            extra.describe()

    def _draw_frame(self) -> None:
        was_stale = self.table.stale
        super()._draw_frame()
        if self.table.stale is not was_stale and (extra := self.extra) in (self.containers, self.rollouts):
            extra.describe()

    # Back

    def back_up(self) -> bool:
        """Leave what was opened for where it was opened; False when nothing was."""
        if self.extra is self.containers:
            pod = self.containers.subject
            self.open_view(self._from)
            if pod is not None:
                self.table.seek(pod.uid)
        elif self.extra is self.rollouts:
            workload = self.rollouts.subject
            self.open_view("workloads")
            if workload is not None:
                self.table.seek(workload.uid)
        elif self.view == "pods" and (workload := self.choice.workload) is not None and workload.kind in UNDOABLE:
            revision = self.choice.revision
            self.choose(self.choice.without_drill())
            self.show_rollout(workload)
            if revision is not None:
                self.table.seek(revision.uid)
        else:
            return False
        return True

    def action_back(self) -> None:
        """Stop reading; else take a typed filter away; else leave what was opened."""
        if self.stop_reading():
            self.post_message(self.Told("stopped reading"))
        elif self.query_one(FilterBar).text or not self.back_up():
            super().action_back()

    def action_owner(self) -> None:
        """Go up to what it belongs to: from what was opened, to where that was."""
        if not ((extra := self.extra) is not None and extra.is_drilled and self.back_up()):
            super().action_owner()

    def action_namespace(self, step: int) -> None:
        """Show another namespace; what was opened is in one, and stays there."""
        if (extra := self.extra) is not None and extra.is_drilled:
            self.post_message(self.Told(f"all of it is in namespace {extra.namespace}; esc goes back to the list"))
        else:
            super().action_namespace(step)

    def in_container(self, pod: Pod, then: Callable[[str], None]) -> None:
        """Go on with the container under the cursor, where there is one."""
        key = self.table.cursor_key
        if self.extra is self.containers and key in pod.container_names:
            then(str(key))
        else:
            super().in_container(pod, then)

    # What containers said

    def action_messages(self) -> None:
        """Show the last lines of the logs of the pod under the cursor, or of the container where one is."""
        pod, source = self.current, self.source
        if not isinstance(pod, Pod) or source is None:
            self.post_message(self.Told("logs are of pods: put the cursor on one"))
            return
        key = self.table.cursor_key if self.extra is self.containers else None
        self.begin(self._messages(source, pod, str(key) if key is not None else ""))

    async def _messages(self, source: KubernetesSource, pod: Pod, container: str) -> None:
        logs = await self.patiently(recent_logs(source.connection, [pod]), f"the logs of {pod.name}")
        if (snapshot := self.snapshot) is None:
            return
        above = snapshot.workload_of(pod)
        profile = self.desk.profile
        # Another cluster's pods may have the same names and labels.
        of_here = {
            name: one for name, one in profile.logs.items() if profile.cluster_meant(one.cluster) == self.cluster
        }
        followed = list(followed_by(pod, above, of_here))
        told = [log for log in logs if container in ("", log.container)]
        page = logs_page(told, followed, following(pod, above))
        where = f"{pod.path}/{container}" if container else pod.path
        onward = ("follow in Logs", partial(self._follow, filter_of(pod, followed[0]))) if followed else None
        title, stem = f"Last lines of {where}", f"logs-{pod.name}"
        self.app.push_screen(TextDialog(title, page, stem=stem, from_end=True, onward=onward))

    def _follow(self, filter_text: str) -> None:
        back = f"{tabs.TABS.index(tabs.PODS) + 1} goes back to the pods"
        self.post_message(self.Looked(tabs.LOGS.title, filter_text=filter_text, told=back))

    # A revision

    def action_detail(self) -> None:
        """Show what a revision changed, or what differs between the two that are marked; else what is under it."""
        if self.extra is not self.rollouts:
            self.detail()
            return
        known = self.rollouts.revisions
        marked = [one for one in known if one.uid in self.table.marked]
        under = self.rollouts.revision(self.table.cursor_key)
        if len(marked) == 2:
            newer, older = marked
            title = f"{self.rollouts.title}: from revision {older.number} to {newer.number}"
            self.app.push_screen(TextDialog(title, two_revisions_page(older, newer), stem="template"))
        elif len(marked) > 2:
            self.post_message(self.Told("two revisions are compared: unmark the others with space", "warn"))
        elif under is not None:
            title = f"{self.rollouts.title}: revision {under.number}"
            page = revision_page(under, known, self.desk.now())
            self.app.push_screen(TextDialog(title, page, stem="template"))
        else:
            self.detail()

    def action_roll_back(self) -> None:
        """Ask to go back to the revision under the cursor; elsewhere, ask which."""
        workload, under = self.rollouts.subject, self.rollouts.revision(self.table.cursor_key)
        if self.extra is not self.rollouts or under is None or workload is None or under.is_current:
            super().action_roll_back()
        elif self._asked(pods_offers.ROLL_BACK):
            current = next((one for one in self.rollouts.revisions if one.is_current), None)
            self.post_message(self.Requested([undo_request(workload, under, current)]))

    # A change of a template leads to its rollout

    def on_pane_requested(self, message: Pane.Requested) -> None:
        """Remember which template is about to change; the message goes on to who carries it out."""
        self._awaited = None
        if len(message.requests) != 1 or self.snapshot is None or message.requests[0].verb not in _ROLLS:
            return
        uid = str(message.requests[0].target.identity.get("uid", ""))
        workload = self.snapshot.workloads.get(uid)
        if workload is not None and workload.kind in UNDOABLE:
            self._awaited = _Awaited(uid, workload.generation, self.view, self.table.cursor_key)
            message.ended = partial(self._ended, message.ended)

    def _ended(self, ended: Ended, results: Sequence[tuple[Request, Outcome | None]]) -> None:
        if all(outcome is None or outcome.sent is None for _, outcome in results):
            self._awaited = None  # nothing was sent: what changes now is somebody else's
        ended(results)

    def follow(self) -> None:
        """Open the rollout of the template that was changed, where the person has not gone elsewhere meanwhile."""
        if (awaited := self._awaited) is None or self.snapshot is None or self.app.screen is not self.screen:
            return
        workload = self.snapshot.workloads.get(awaited.workload_uid)
        if workload is not None and workload.generation == awaited.generation:
            return
        self._awaited = None
        if workload is not None and (awaited.view, awaited.cursor) == (self.view, self.table.cursor_key):
            self.show_rollout(workload)
