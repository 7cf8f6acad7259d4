"""What became of each family of facts between two snapshots of a cluster."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from tui.sources.kubernetes.events import Autoscaler, Event
from tui.sources.kubernetes.kinds import Fact
from tui.sources.kubernetes.mirror import Changes
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload

FactT = TypeVar("FactT", bound=Fact)
NEW_S: Final = 600.0
"""How old something may be that comes as news: what is older has only come into sight, as when a watch began late."""


def is_new(created_at: float | None, now: float) -> bool:
    """Tell whether something that was not seen before was made lately."""
    return created_at is not None and now - created_at < NEW_S


@dataclass(frozen=True, slots=True)
class Turn(Generic[FactT]):
    """The facts of two snapshots by uid."""

    before: Mapping[str, FactT] | None
    """None: nothing was seen before."""
    after: Mapping[str, FactT]
    changes: Changes | None
    """None: a snapshot in between was missed, and everything is compared."""

    def touched(self) -> Iterator[tuple[FactT, FactT | None]]:
        """Yield each fact that came or changed, with what it was before; None for one that came."""
        if self.before is None:
            yield from ((fact, None) for fact in self.after.values())
        elif self.changes is not None:
            for uid in self.changes.upserted:
                if (fact := self.after.get(uid)) is not None:
                    yield fact, self.before.get(uid)
        else:
            for uid, fact in self.after.items():
                if (old := self.before.get(uid)) is not fact:
                    yield fact, old

    def gone(self) -> Iterator[FactT]:
        """Yield each fact that is there no longer, as it was."""
        if self.before is None:
            return
        removed = self.changes.removed if self.changes is not None else self.before.keys() - self.after.keys()
        for uid in removed:
            if (fact := self.before.get(uid)) is not None:
                yield fact


@dataclass(frozen=True, slots=True)
class Turns:
    """What became of the families that the timeline tells about."""

    pods: Turn[Pod]
    workloads: Turn[Workload]
    nodes: Turn[Node]
    events: Turn[Event]
    autoscalers: Turn[Autoscaler]


def turns(before: KubernetesSnapshot | None, after: KubernetesSnapshot) -> Turns:
    """Return what became of everything between two snapshots."""
    changes = after.changes if before is not None and after.revision == before.revision + 1 else None
    told: Mapping[str, Changes] = changes if changes is not None else {}
    return Turns(
        pods=Turn(before.pods if before else None, after.pods, told.get("pods")),
        workloads=Turn(before.workloads if before else None, after.workloads, told.get("workloads")),
        nodes=Turn(before.nodes if before else None, after.nodes, told.get("nodes")),
        events=Turn(before.events if before else None, after.events, told.get("events")),
        autoscalers=Turn(before.autoscalers if before else None, after.autoscalers, told.get("autoscalers")),
    )
