"""The view of one workload's rollout in the Pods tab: revisions with their pods, and how far it is."""

from collections.abc import Callable, Coroutine, Hashable
from dataclasses import replace
from typing import Any, Final

from textual.widget import Widget

from tui.panes import pods_rollout_rows
from tui.panes.periodic import Periodic
from tui.panes.pods_choice import Choice, Fact
from tui.panes.pods_rollout_rows import Known
from tui.sources.errors import Unreachable, Unreadable
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.revisions import Revision, is_of, revisions
from tui.sources.kubernetes.rollouts import Rollout, parse_rollout
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.workloads import Workload
from widgets.cell import Column
from widgets.live_table import LiveTable
from widgets.segment_line import Segment, SegmentLine

EVERY_S: Final = 5.0
"""Between two readings of the whole object while nothing is told of it."""
_AT_LEAST_S: Final = 0.5
"""Between two readings while it changes all the time."""
_RECENT_S: Final = 60.0
"""How old the list of revisions may be when nothing says that it changed."""


class RolloutView:
    """The revisions of one workload, and what becomes of its pods while the newest is rolled out."""

    is_drilled = True

    def __init__(
        self,
        source: Callable[[], KubernetesSource | None],
        start: Callable[[Coroutine[Any, Any, None]], object],
        redraw: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self.workload: Workload | None = None
        """Whose rollout it is; None before one was chosen."""
        self._source, self._now = source, now
        self._known: Periodic[Known] = Periodic(self._read, start, redraw, now, every_s=EVERY_S)
        self._listed: tuple[Revision, ...] = ()
        self._listed_at = float("-inf")
        self._marks: tuple[object, ...] = ()
        self._seen: object = None
        self._snapshot: KubernetesSnapshot | None = None
        self._hurried_at = float("-inf")
        self.table = LiveTable(self.columns(80), id="pods-rollout", empty="reading its revisions", tree=True)
        self._lines = tuple(SegmentLine(id=f"rollout-{name}", separator="  ") for name in ("words", "counts", "why"))
        self.head: tuple[Widget, ...] = self._lines

    def choose(self, workload: Workload) -> None:
        """Show another workload from now on."""
        if self.workload is None or self.workload.uid != workload.uid:
            self._known.forget()
            self._listed, self._marks = (), ()
            self.table.show({})
            for line in self._lines:
                line.show(())
        self.workload = workload

    @property
    def namespace(self) -> str:
        """The namespace it is all in."""
        return self.workload.namespace if self.workload is not None else ""

    @property
    def title(self) -> str:
        """The workload's name."""
        return f"{self.workload.kind}/{self.workload.name}" if self.workload is not None else "rollout"

    @property
    def amount(self) -> int | None:
        """None: how many rows there are says nothing."""
        return None

    @property
    def notice(self) -> str:
        """Why it could not be read."""
        return f"{self.title}: {self._known.error}" if self._known.error is not None else ""

    @property
    def stale(self) -> bool:
        """Whether the newest reading failed."""
        return self._known.error is not None and self._known.value is not None

    @property
    def taken_at(self) -> float | None:
        """None: its pods follow the watches, and what else there is follows them."""
        return None

    @property
    def rollout(self) -> Rollout | None:
        """How it stands; None before it was read."""
        return self._known.value.rollout if self._known.value is not None else None

    def columns(self, width: int) -> tuple[Column, ...]:
        """Return the columns for a screen of this width."""
        return pods_rollout_rows.columns(width)

    def draw(self, snapshot: KubernetesSnapshot, choice: Choice) -> None:
        """Draw its revisions and pods, and read the object again when the watches tell of it."""
        if self.workload is None:
            return
        told = snapshot.workloads.get(self.workload.uid)
        if told is not None:
            self.workload = told
        if told is not self._seen and self._now() - self._hurried_at >= _AT_LEAST_S:
            self._seen, self._hurried_at = told, self._now()
            self._known.hurry()
        self._known.poll()
        if (known := self._known.value) is None:
            return

        def passes(pod: Pod) -> bool:
            return not choice.faults_only or pod.health not in (Health.FINE, Health.ENDED)

        now = self._now()
        self._snapshot = snapshot
        self.table.show(pods_rollout_rows.rows(self.workload, known, snapshot, now, passes))
        self.describe()

    def describe(self) -> None:
        """Say how it stands, and what keeps the pod under the cursor."""
        known, snapshot = self._known.value, self._snapshot
        if known is None or snapshot is None or self.workload is None:
            return
        pods = pods_rollout_rows.pods_of(self.workload, known, snapshot)
        words, counts, conditions = pods_rollout_rows.head(
            known.rollout, pods, self._now() + (snapshot.clock_offset_s or 0.0)
        )
        pod = snapshot.pods.get(str(self.table.cursor_key))
        under = pods_rollout_rows.why(pod, snapshot) if pod is not None else []
        lines = [words, counts, under or conditions]
        if self.stale:
            # Nothing old may look live, least of all a green word.
            lines = [[replace(segment, tone="dim", reverse=False) for segment in line] for line in lines]
            lines[0].insert(0, Segment("as it was last seen:", "warn"))
        for line, segments in zip(self._lines, lines, strict=True):
            line.show(segments)

    def segments(self) -> list[Segment]:
        """Return nothing: what can be done with a revision stands above the rows."""
        return []

    def about(self, key: Hashable) -> str:
        """Return what a row is about: nothing that another view has."""
        return ""

    def by_hand(self) -> list[tuple[str, ...]]:
        """Return the kubectl arguments that show the same by hand."""
        if self.workload is None:
            return []
        name = f"{self.workload.kind.lower()}/{self.workload.name}"
        kept = "replicasets" if self.workload.kind == "Deployment" else "controllerrevisions"
        return [
            ("rollout", "status", name),
            ("rollout", "history", name),
            ("get", f"{kept},pods", "-l", self.workload.selector),
        ]

    def worst_first(self) -> str:
        """Say that the order is what it is."""
        return "the newest revision stands first, its pods under it"

    def revision(self, key: Hashable) -> Revision | None:
        """Return the revision of a row; None of a pod's."""
        return next((one for one in self.revisions if one.uid == key), None)

    def has_pods(self, revision: Revision, snapshot: KubernetesSnapshot) -> bool:
        """Tell whether any pod there is was made from a revision."""
        above = self.workload.uid if self.workload is not None else ""
        return any(is_of(pod, revision, above) for pod in snapshot.pods.values())

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """Its revisions, the newest first; empty before they were read."""
        return self._known.value.revisions if self._known.value is not None else ()

    def fact(self, snapshot: KubernetesSnapshot, key: Hashable) -> Fact | None:
        """Return the pod of a row, or the workload itself where a revision stands."""
        if self.workload is not None and self.revision(key) is not None:
            return snapshot.workloads.get(self.workload.uid)
        return snapshot.pods.get(str(key))

    async def _read(self) -> Known:
        if (source := self._source()) is None or (workload := self.workload) is None:
            raise Unreachable("no cluster to ask")
        obj = await source.fetch(workload.kind, workload.namespace, workload.name)
        found = parse_rollout(workload.kind, obj)
        if found.uid != workload.uid:
            raise Unreadable("it was deleted, and another one made of that name: esc, then look at that one")
        if found.marks != self._marks or self._now() - self._listed_at > _RECENT_S:
            listed = await revisions(source.connection, {**obj, "kind": workload.kind})
            self._listed, self._marks, self._listed_at = listed, found.marks, self._now()
        return Known(found, self._listed)
