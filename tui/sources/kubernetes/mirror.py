"""What the watches have told so far, by uid, and what changed since somebody last asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tui.sources.kubernetes.events import Autoscaler, Event
from tui.sources.kubernetes.kinds import Fact
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Pod
from tui.sources.kubernetes.workloads import Workload

FactT = TypeVar("FactT", bound=Fact)


@dataclass(frozen=True, slots=True)
class Changes:
    """Uids that came, changed or went since the previous reading."""

    upserted: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.upserted or self.removed)


@dataclass(slots=True)
class Family(Generic[FactT]):
    """The facts of one family. `scope` names the watch that brought a fact, so that a relist swaps only its own."""

    limit: int | None = None
    """The greatest number kept; the oldest by arrival go first."""
    facts: dict[str, FactT] = field(default_factory=dict)
    _scopes: dict[str, set[str]] = field(default_factory=dict)
    _upserted: set[str] = field(default_factory=set)
    _removed: set[str] = field(default_factory=set)
    _copy: Mapping[str, FactT] | None = None

    def upsert(self, scope: str, fact: FactT) -> None:
        """Take in a new or changed fact; one that is equal to what is known changes nothing."""
        known = self.facts.get(fact.uid)
        if known is fact or known == fact:
            return
        if self.limit is not None:
            # What happens again counts as the newest arrival.
            self.facts.pop(fact.uid, None)
        self.facts[fact.uid] = fact
        self._scopes.setdefault(scope, set()).add(fact.uid)
        self._upserted.add(fact.uid)
        self._removed.discard(fact.uid)
        self._copy = None
        if self.limit is not None and len(self.facts) > self.limit:
            self.remove(scope, next(iter(self.facts)))

    def is_bare(self, scope: str) -> bool:
        """Tell whether nothing is known under a scope."""
        return not self._scopes.get(scope)

    def remove(self, scope: str, uid: str) -> None:
        """Forget a fact."""
        self._scopes.get(scope, set()).discard(uid)
        if self.facts.pop(uid, None) is not None:
            self._upserted.discard(uid)
            self._removed.add(uid)
            self._copy = None

    def swap(self, scope: str, facts: Iterable[FactT]) -> None:
        """Put the result of a fresh list in the place of everything this scope held, in one step."""
        fresh = {fact.uid: fact for fact in facts}
        for uid in self._scopes.get(scope, set()) - fresh.keys():
            self.remove(scope, uid)
        for fact in fresh.values():
            self.upsert(scope, fact)

    def taken(self) -> Mapping[str, FactT]:
        """Return the facts as they are now; the mapping never changes afterwards."""
        if self._copy is None:
            self._copy = dict(self.facts)
        return self._copy

    def changes(self) -> Changes:
        """Return what changed since this was last asked."""
        if not self._upserted and not self._removed:
            return Changes()
        found = Changes(frozenset(self._upserted), frozenset(self._removed))
        self._upserted.clear()
        self._removed.clear()
        return found


class Mirror:
    """Everything the watches have told."""

    def __init__(self, *, event_limit: int = 5000) -> None:
        self.pods: Family[Pod] = Family()
        self.workloads: Family[Workload] = Family()
        self.replica_sets: Family[Workload] = Family()
        self.nodes: Family[Node] = Family()
        self.events: Family[Event] = Family(limit=event_limit)
        self.autoscalers: Family[Autoscaler] = Family()

    def family(self, name: str) -> Family[Any]:
        """Return a family by its name in `Kind.family`."""
        found: Family[Any] = getattr(self, name)
        return found
