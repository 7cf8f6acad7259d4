"""One table of the Pods tab: which rows have to be built again, and when. Knows no widget but the table."""

from collections.abc import Callable, Collection, Hashable, Iterable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Final

from tui.panes.pods_rows import Light
from tui.sources.kubernetes.ages import next_change
from widgets.cell import Row
from widgets.live_table import LiveTable

_BATCH: Final = 200
"""Rows built before other things get their turn."""
_SPARE: Final = 2
"""How many times as long as needed the heap of due times may become."""


class FactView:
    """Keeps a table's rows equal to facts, touching only those that changed or whose age reads differently."""

    def __init__(
        self,
        table: LiveTable,
        row: Callable[[Any, Light], Row],
        moments: Callable[[Any], Iterable[float | None]],
    ) -> None:
        self.table = table
        self.revision = 0
        """Of the snapshot drawn last; 0: none."""
        self._row = row
        self._moments = moments
        self._dirty: dict[Hashable, None] = {}
        self._due: dict[Hashable, float] = {}
        """When each row's ages next read differently."""
        self._queue: list[tuple[float, int, Hashable]] = []
        """The same as a heap, soonest first; what has another time by now is left out when its turn comes."""
        self._turn = count()

    @property
    def keys(self) -> Collection[Hashable]:
        """The keys of the rows there are."""
        return self._due.keys()

    def touch(self, keys: Iterable[Hashable]) -> None:
        """Have these rows built again (or taken away, when their fact is gone or left out)."""
        self._dirty.update(dict.fromkeys(keys))

    def age(self, now: float) -> None:
        """Have those rows built again whose ages read differently now."""
        while self._queue and self._queue[0][0] <= now:
            due, _, key = heappop(self._queue)
            if self._due.get(key) == due:
                self._dirty[key] = None

    def drain(self, fact: Callable[[Hashable], Any], light: Light) -> bool:
        """Build a batch of rows; `fact` gives None for what is gone or left out. Tell whether more are waiting."""
        batch = list(self._dirty)[:_BATCH] if len(self._dirty) > _BATCH else list(self._dirty)
        if not batch:
            return False
        changed: dict[Hashable, Row] = {}
        removed = []
        for key in batch:
            del self._dirty[key]
            if (found := fact(key)) is None:
                if self._due.pop(key, None) is not None:
                    removed.append(key)
                continue
            changed[key] = self._row(found, light)
            self._wait(key, _next(self._moments(found), light.now))
        if changed or removed:
            self.table.apply(changed, removed)
        return bool(self._dirty)

    def _wait(self, key: Hashable, due: float) -> None:
        if self._due.get(key) == due:
            return
        self._due[key] = due
        heappush(self._queue, (due, next(self._turn), key))
        if len(self._queue) > _SPARE * len(self._due) + _BATCH:
            self._queue = [(at, next(self._turn), one) for one, at in self._due.items()]
            heapify(self._queue)


def _next(moments: Iterable[float | None], now: float) -> float:
    return min((at + next_change(now - at) for at in moments if at is not None), default=float("inf"))
