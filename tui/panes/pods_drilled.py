"""What the views of one opened object have in common: read anew when the watches tell of it, and never of another."""

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Final, Generic, TypeVar

from textual.widget import Widget

from tui.panes.pods_extra import Means
from tui.sources.errors import Unreachable, Unreadable
from tui.sources.kubernetes.fields import Object, part, text
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.source import KubernetesSource
from tui.sources.kubernetes.workloads import Workload
from widgets.cell import Column
from widgets.live_table import LiveTable
from widgets.segment_line import Segment, SegmentLine

EVERY_S: Final = 5.0
"""Between two readings of the whole object while nothing is told of it."""
_AT_LEAST_S: Final = 0.5
"""Between two readings while it changes all the time."""

SubjectT = TypeVar("SubjectT", Pod, Workload)
FoundT = TypeVar("FoundT")


class DrilledView(Generic[SubjectT, FoundT]):
    """One object that somebody opened, with lines above its rows."""

    is_drilled = True

    def __init__(self, means: Means, *, table: LiveTable, lines: Iterable[SegmentLine]) -> None:
        """Prepare it.

        Args:
            means: with what it is read.
            table: its rows.
            lines: what stands above them.
        """
        self.subject: SubjectT | None = None
        """What it is about; None before something was opened."""
        self.table, self.lines = table, tuple(lines)
        self.head: tuple[Widget, ...] = self.lines
        self._means, self._now = means, means.now
        self._found = means.periodic(self._read, EVERY_S)
        self._told: object = None
        self._hurried_at = float("-inf")

    def choose(self, subject: SubjectT) -> None:
        """Show another one from now on."""
        if self.subject is None or self.subject.uid != subject.uid:
            self._found.forget()
            self._forget()
            self.table.show({})
            for line in self.lines:
                line.show(())
        self.subject = subject

    def _forget(self) -> None:
        """Drop what was kept of the one before."""

    def _follow(self, told: SubjectT | None) -> FoundT | None:
        """Return what was read last, None before; read it again where the watches tell of something new.

        `told` is what the watches say of it now; None: they no longer know it.
        """
        self.subject = told or self.subject
        if told is not self._told and self._now() - self._hurried_at >= _AT_LEAST_S:
            self._told, self._hurried_at = told, self._now()
            self._found.hurry()
        self._found.poll()
        return self._found.value

    async def _read(self) -> FoundT:
        raise NotImplementedError

    async def _fetched(self) -> tuple[KubernetesSource, SubjectT, Object]:
        """Return the cluster, what was opened, and the whole object that it is.

        Raises:
            Unreadable: another one has its name now.
            SourceError: it could not be read.
        """
        source, subject = self._means.cluster, self.subject
        if subject is None:
            raise Unreachable("nothing was opened")
        kind = subject.kind if isinstance(subject, Workload) else "Pod"
        obj = await source.fetch(kind, subject.namespace, subject.name)
        if text(part(obj, "metadata"), "uid") != subject.uid:
            raise Unreadable("it was deleted, and another one made of that name: esc, then look at that one")
        return source, subject, obj

    @property
    def namespace(self) -> str:
        """The one that all of it is in."""
        return self.subject.namespace if self.subject is not None else ""

    @property
    def amount(self) -> int | None:
        """None: how many rows there are says nothing."""
        return None

    def hurry(self) -> None:
        """Read it again at the next drawing, whatever is being waited for."""
        self._found.hurry()

    @property
    def stale(self) -> bool:
        """Whether the newest reading failed."""
        return self._found.error is not None and self._found.value is not None

    def as_last_seen(self, segments: Iterable[Segment]) -> list[Segment]:
        """Return a line as it is, or dimmed where it is old, be it by the cluster's silence: no green word is live."""
        if not (self.stale or self.table.stale):
            return [*segments]
        return [replace(segment, tone="dim", reverse=False) for segment in segments]

    def columns(self, width: int) -> tuple[Column, ...]:
        """Return the columns for a screen of this width."""
        raise NotImplementedError

    def segments(self) -> list[Segment]:
        """Return nothing: what there is to say stands above the rows."""
        return []

    def about(self, key: Hashable) -> str:
        """Return what a row is about: nothing that another view has."""
        return ""
