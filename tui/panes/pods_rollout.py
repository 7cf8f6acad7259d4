"""The view of one workload's rollout in the Pods tab: revisions with their pods, and how far it is."""

from collections.abc import Hashable
from typing import Final

from tui.panes import pods_rollout_rows
from tui.panes.pods_choice import Choice, Fact
from tui.panes.pods_drilled import DrilledView
from tui.panes.pods_extra import Means
from tui.panes.pods_rollout_rows import Known
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.revisions import Revision, is_of, revisions
from tui.sources.kubernetes.rollouts import Rollout, parse_rollout
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload
from widgets.cell import Column
from widgets.live_table import LiveTable
from widgets.segment_line import Segment, SegmentLine

_RECENT_S: Final = 60.0
"""How old the list of revisions may be when nothing says that it changed."""


class RolloutView(DrilledView[Workload, Known]):
    """The revisions of one workload, and what becomes of its pods while the newest is rolled out."""

    def __init__(self, means: Means) -> None:
        table = LiveTable(self.columns(80), id="pods-rollout", empty="reading its revisions", tree=True)
        lines = [SegmentLine(id=f"rollout-{name}", separator="  ") for name in ("words", "counts", "why")]
        super().__init__(means, table=table, lines=lines)
        self._listed: tuple[Revision, ...] = ()
        self._listed_at = float("-inf")
        self._marks: tuple[object, ...] = ()
        self._snapshot: KubernetesSnapshot | None = None

    def _forget(self) -> None:
        self._listed, self._marks = (), ()
        self.table.empty = "reading its revisions"

    @property
    def title(self) -> str:
        """The workload's name."""
        return f"{self.subject.kind}/{self.subject.name}" if self.subject is not None else "rollout"

    @property
    def notice(self) -> str:
        """Why it could not be read."""
        return f"{self.title}: {self._found.error}" if self._found.error is not None else ""

    @property
    def taken_at(self) -> float | None:
        """None: its pods follow the watches, and what else there is follows them."""
        return None

    @property
    def rollout(self) -> Rollout | None:
        """How it stands; None before it was read."""
        return self._found.value.rollout if self._found.value is not None else None

    def columns(self, width: int) -> tuple[Column, ...]:
        """Return the columns for a screen of this width."""
        return pods_rollout_rows.columns(width)

    def draw(self, snapshot: KubernetesSnapshot, choice: Choice) -> None:
        """Draw its revisions and pods, and read the object again when the watches tell of it."""
        if self.subject is None:
            return
        if (known := self._follow(snapshot.workloads.get(self.subject.uid))) is None:
            return

        def passes(pod: Pod) -> bool:
            return not choice.faults_only or pod.health not in (Health.FINE, Health.ENDED)

        now = self._now()
        self._snapshot = snapshot
        self.table.empty = "no revision of it and no pod yet"
        self.table.show(pods_rollout_rows.rows(self.subject, known, snapshot, now, passes))
        self.describe()

    def describe(self) -> None:
        """Say how it stands, and what keeps the pod under the cursor."""
        known, snapshot = self._found.value, self._snapshot
        if known is None or snapshot is None or self.subject is None:
            return
        pods = pods_rollout_rows.pods_of(self.subject, known, snapshot)
        words, counts, conditions = pods_rollout_rows.head(
            known.rollout, pods, self._now() + (snapshot.clock_offset_s or 0.0)
        )
        pod = snapshot.pods.get(str(self.table.cursor_key))
        under = pods_rollout_rows.why(pod, snapshot) if pod is not None else []
        lines = [self.as_last_seen(line) for line in (words, counts, under or conditions)]
        if self.stale or self.table.stale:
            lines[0].insert(0, Segment("as it was last seen:", "warn"))
        for line, segments in zip(self.lines, lines, strict=True):
            line.show(segments)

    def by_hand(self) -> list[tuple[str, ...]]:
        """Return the kubectl arguments that show the same by hand."""
        if self.subject is None:
            return []
        name = f"{self.subject.kind.lower()}/{self.subject.name}"
        kept = "replicasets" if self.subject.kind == "Deployment" else "controllerrevisions"
        return [
            ("rollout", "status", name),
            ("rollout", "history", name),
            ("get", f"{kept},pods", "-l", self.subject.selector),
        ]

    def worst_first(self) -> str:
        """Say that the order is what it is."""
        return "the newest revision stands first, its pods under it"

    def revision(self, key: Hashable) -> Revision | None:
        """Return the revision of a row; None of a pod's."""
        return next((one for one in self.revisions if one.uid == key), None)

    def has_pods(self, revision: Revision, snapshot: KubernetesSnapshot) -> bool:
        """Tell whether any pod there is was made from a revision."""
        above = self.subject.uid if self.subject is not None else ""
        return any(is_of(pod, revision, above) for pod in snapshot.pods.values())

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """Its revisions, the newest first; empty before they were read."""
        return self._found.value.revisions if self._found.value is not None else ()

    def fact(self, snapshot: KubernetesSnapshot, key: Hashable) -> Fact | None:
        """Return the pod of a row, or the workload itself where a revision stands."""
        if self.subject is not None and self.revision(key) is not None:
            return snapshot.workloads.get(self.subject.uid)
        return snapshot.pods.get(str(key))

    async def _read(self) -> Known:
        source, workload, obj = await self._fetched()
        found = parse_rollout(workload.kind, obj)
        if found.marks != self._marks or self._now() - self._listed_at > _RECENT_S:
            listed = await revisions(source.connection, {**obj, "kind": workload.kind})
            self._listed, self._marks, self._listed_at = listed, found.marks, self._now()
        return Known(found, self._listed)
