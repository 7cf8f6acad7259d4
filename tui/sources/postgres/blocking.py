"""Who waits for whom, as a tree. Pure."""

from collections import deque
from collections.abc import Iterator, Mapping

from tui.sources.postgres.facts import Place


def blocking_tree(
    blockers: Mapping[int, tuple[int, ...]], leaders: Mapping[int, int] | None = None
) -> tuple[Place, ...]:
    """Return every session that waits for a lock or holds one up, exactly once, roots first.

    `blockers` is `pg_blocking_pids` by waiting pid, `leaders` the leader of each parallel worker: workers count as
    their leader. A session with several blockers stands under the one nearest to a root, and names the others.
    Sessions that wait for each other have no root; the smallest pid of the circle is shown as one.
    """
    edges = _folded(blockers, leaders or {})
    waiters: dict[int, list[int]] = {}
    for pid, theirs in sorted(edges.items()):
        for blocker in theirs:
            waiters.setdefault(blocker, []).append(pid)
    depth: dict[int, int] = {}
    under: dict[int, int | None] = {}
    roots = sorted(pid for pid in waiters if pid not in edges)
    _spread(roots, waiters, depth, under)
    cycles: set[int] = set()
    for pid in sorted(edges):
        if pid not in depth:
            cycles.add(pid)
            _spread([pid], waiters, depth, under)
    return _flat(edges, depth, under, cycles)


def _folded(blockers: Mapping[int, tuple[int, ...]], leaders: Mapping[int, int]) -> dict[int, set[int]]:
    edges: dict[int, set[int]] = {}
    for waiter, theirs in blockers.items():
        pid = leaders.get(waiter, waiter)
        if others := {leaders.get(blocker, blocker) for blocker in theirs} - {pid}:
            edges.setdefault(pid, set()).update(others)
    return edges


def _spread(
    roots: list[int], waiters: Mapping[int, list[int]], depth: dict[int, int], under: dict[int, int | None]
) -> None:
    """Give every session reachable from `roots` its depth, breadth first: nearest to a root wins."""
    for root in roots:
        depth[root], under[root] = 0, None
    queue = deque(roots)
    while queue:
        blocker = queue.popleft()
        for pid in waiters.get(blocker, ()):
            if pid not in depth:
                depth[pid], under[pid] = depth[blocker] + 1, blocker
                queue.append(pid)


def _flat(
    edges: Mapping[int, set[int]], depth: Mapping[int, int], under: Mapping[int, int | None], cycles: set[int]
) -> tuple[Place, ...]:
    below: dict[int | None, list[int]] = {}
    waiting = dict.fromkeys(depth, 0)
    for waiter in sorted(depth, key=lambda pid: (-depth[pid], pid)):
        parent = under[waiter]
        below.setdefault(parent, []).append(waiter)
        if parent is not None:
            waiting[parent] += 1 + waiting[waiter]

    def order(pids: list[int]) -> Iterator[int]:
        return iter(sorted(pids, key=lambda pid: (-waiting[pid], pid)))

    places = []
    stack = [order(below.get(None, []))]
    while stack:
        pid = next(stack[-1], None)
        if pid is None:
            stack.pop()
            continue
        also = tuple(sorted(edges.get(pid, set()) - {under[pid]}))
        places.append(Place(pid, depth[pid], under[pid], also, waiting[pid], pid in cycles))
        stack.append(order(below.get(pid, [])))
    return tuple(places)
