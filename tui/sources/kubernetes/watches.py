"""Which watches of a cluster stand: begun when somebody needs a kind, ended a while after nobody does any more.

What an ended watch told stays in the mirror, so that a view that is opened again has rows at once; how old they are
is told with it, until a fresh list has taken their place.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from tui.sources.errors import Denied
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.demand import Demand
from tui.sources.kubernetes.kinds import KINDS, Kind
from tui.sources.kubernetes.mirror import Mirror
from tui.sources.kubernetes.reflector import Reflector
from tui.sources.kubernetes.snapshot import KindHealth
from tui.sources.kubernetes.tasks import Tasks


class Watches:
    """The reflectors of one cluster, one for each kind that is needed and each namespace."""

    def __init__(
        self, connection: Connection, mirror: Mirror, changed: Callable[[], None], *, silence_s: float
    ) -> None:
        self.demand = Demand()
        self._connection, self._mirror, self._changed = connection, mirror, changed
        self._silence_s = silence_s
        self._tasks = Tasks()
        self._standing: list[Reflector] = []
        self._ended: dict[str, float] = {}
        """`time.time()` up to which an ended watch of a resource was good."""
        self._kept: set[tuple[Kind, str]] = set()
        """Kind and scope of what ended watches left in the mirror."""

    def __iter__(self) -> Iterator[Reflector]:
        return iter(self._standing)

    def suit(self, namespaces: Sequence[str]) -> bool:
        """Begin what is needed and does not stand, and end what nobody needs; tell whether anything had to be done.

        `namespaces` are those to watch; empty: the whole cluster.
        """
        wanted = self.demand.wanted
        standing = {reflector.kind.resource for reflector in self._standing}
        if standing == wanted:
            return False
        for reflector in [one for one in self._standing if one.kind.resource not in wanted]:
            if reflector.is_synced:
                self._ended[reflector.kind.resource] = reflector.since or time.time()
                self._kept.add((reflector.kind, reflector.scope))
            self._end(reflector)
        for kind in KINDS.values():
            if kind.resource in wanted - standing:
                for namespace in namespaces if kind.is_namespaced and namespaces else (None,):
                    self._begin(kind, namespace)
        return True

    def mend(self) -> None:
        """Raise the exception of a watch that a bug ended, after starting it again."""
        self._tasks.mend()

    def hurry(self) -> None:
        """End every back-off: the server answers again."""
        for reflector in self._standing:
            reflector.hurry()

    async def close(self) -> None:
        """End every watch; never waits for the server."""
        self._standing.clear()
        await self._tasks.close()

    def forget_ended(self) -> None:
        """Take what ended watches had told out of the mirror: another cluster answers now."""
        standing = {(reflector.kind, reflector.scope) for reflector in self._standing}
        for kind, scope in self._kept - standing:
            self._mirror.family(kind.family).swap(scope, ())
            self._ended.pop(kind.resource, None)
        self._kept &= standing

    def narrow(self, namespace: str) -> None:
        """Watch one namespace where the cluster as a whole is forbidden."""
        for reflector in list(self._standing):
            if reflector.kind.is_namespaced and not reflector.is_synced:
                self._end(reflector)
                self._begin(reflector.kind, namespace)

    @property
    def must_narrow(self) -> bool:
        """Whether the cluster as a whole is forbidden: told by the pods, else by whatever is watched."""
        # A server that has just restarted may refuse everybody for a second: twice is meant.
        of_namespaces = [one for one in self._standing if one.kind.is_namespaced]
        return bool(of_namespaces) and _may_narrow(of_namespaces[0]) and of_namespaces[0].failures > 1

    def are_settled(self, *, may_narrow: bool) -> bool:
        """Tell whether nobody need wait for a watch any longer: each has told everything, or failed."""
        return all(_is_settled(reflector, may_narrow=may_narrow) for reflector in self._standing)

    async def settled(self, within_s: float) -> None:
        """Wait until every watch has told everything, or failed; `within_s` seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(reflector.settled.wait() for reflector in self._standing))

    def holds(self, resource: str, namespace: str) -> bool:
        """Tell whether the mirror holds every object of this resource in this namespace at present."""
        return any(
            reflector.is_synced and reflector.error is None and reflector.namespace in (None, namespace)
            for reflector in self._of(resource)
        )

    def health(self, kind: Kind) -> KindHealth:
        """Return how the watches of one kind are doing."""
        watches = list(self._of(kind.resource))
        failing = [reflector for reflector in watches if reflector.is_failing]
        is_whole = bool(watches) and all(reflector.is_synced for reflector in watches)
        return KindHealth(
            kind=kind.resource,
            is_synced=bool(watches) and all(reflector.is_synced or reflector.error for reflector in watches),
            error=failing[0].error if failing else None,
            since=min((r.since for r in failing if r.since is not None), default=None),
            failing=tuple(reflector.namespace for reflector in failing if reflector.namespace),
            scopes=len(watches),
            is_watched=bool(watches),
            kept_from=None if is_whole else self._ended.get(kind.resource),
        )

    def _of(self, resource: str) -> Iterable[Reflector]:
        return (reflector for reflector in self._standing if reflector.kind.resource == resource)

    def _begin(self, kind: Kind, namespace: str | None) -> None:
        family = self._mirror.family(kind.family)
        reflector = Reflector(self._connection, kind, namespace, family, self._changed, silence_s=self._silence_s)
        self._standing.append(reflector)
        self._tasks.begin(reflector, reflector.run)

    def _end(self, reflector: Reflector) -> None:
        self._standing.remove(reflector)
        self._tasks.end(reflector)


def _may_narrow(reflector: Reflector) -> bool:
    is_for_all = reflector.namespace is None and reflector.kind.is_namespaced
    return is_for_all and isinstance(reflector.error, Denied) and not reflector.is_synced


def _is_settled(reflector: Reflector, *, may_narrow: bool) -> bool:
    if reflector.error is not None and may_narrow and _may_narrow(reflector):
        return reflector.failures > 1
    return reflector.is_synced or reflector.error is not None
