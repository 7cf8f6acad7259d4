"""Views of the Pods tab that do not follow the watches: drawn whole, and read only while they are open."""

from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from textual.widget import Widget

from tui.panes.periodic import Periodic
from tui.panes.pods_choice import Choice, Fact
from tui.sources.errors import Unreachable
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.source import KubernetesSource
from widgets.cell import Column
from widgets.live_table import LiveTable
from widgets.segment_line import Segment

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Means:
    """With what such a view reads by itself."""

    source: Callable[[], KubernetesSource | None]
    """Returns the cluster; None while there is none."""
    start: Callable[[Coroutine[Any, Any, None]], object]
    """Runs a reading beside everything else."""
    redraw: Callable[[], None]
    """Called after each reading."""
    now: Callable[[], float]
    """`time.time`, or a fixed clock in tests."""

    @property
    def cluster(self) -> KubernetesSource:
        """Whom to ask. Raises Unreachable while there is none."""
        if (source := self.source()) is None:
            raise Unreachable("no cluster to ask")
        return source

    def periodic(self, read: Callable[[], Coroutine[Any, Any, ValueT]], every_s: float) -> Periodic[ValueT]:
        """Return what reads this again and again, `every_s` seconds apart."""
        return Periodic(read, self.start, self.redraw, self.now, every_s=every_s)


class Extra(Protocol):
    """One such view."""

    table: LiveTable
    head: tuple[Widget, ...]
    """What stands above the table."""
    is_drilled: bool
    """Whether it shows one thing that somebody opened: then it is on the strip of views only while it is open."""

    @property
    def namespace(self) -> str:
        """The one namespace that all of it is in; empty where the person's choice says."""
        ...

    @property
    def title(self) -> str:
        """What stands on the strip of views."""
        ...

    @property
    def amount(self) -> int | None:
        """How many rows there are; None when that is not known before it is opened."""
        ...

    @property
    def notice(self) -> str:
        """What is wrong with what it shows; empty when nothing is."""
        ...

    @property
    def stale(self) -> bool:
        """Whether its rows are old."""
        ...

    @property
    def taken_at(self) -> float | None:
        """`time.time()` of what it shows; None: as old as the cluster's reading."""
        ...

    def columns(self, width: int) -> tuple[Column, ...]:
        """Return the columns for a screen of this width."""
        ...

    def draw(self, snapshot: KubernetesSnapshot, choice: Choice) -> None:
        """Draw what passes the choice, and read what is due; called once a second while it is open."""
        ...

    def hurry(self) -> None:
        """Read what it shows again at the next drawing: what it waits for may never come."""
        ...

    def segments(self) -> list[Segment]:
        """Return what is said of it at the right of the strip of views."""
        ...

    def about(self, key: Hashable) -> str:
        """Return what a row is about, as `kind/namespace/name` with the kind in small letters; empty for none."""
        ...

    def by_hand(self) -> list[tuple[str, ...]]:
        """Return the kubectl arguments that show this by hand."""
        ...

    def worst_first(self) -> str:
        """Change the order, and return what it is now, in words."""
        ...

    def fact(self, snapshot: KubernetesSnapshot, key: Hashable) -> Fact | None:
        """Return the fact that can be acted on where a row is; None where a watch tells of none."""
        ...
