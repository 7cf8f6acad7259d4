"""How often CPU limits hold containers, as the kubelets of their nodes count it: asked only when somebody looks.

metrics.k8s.io knows only what was used. cAdvisor's page, which each kubelet has, is reached through the API server
(`kubectl get --raw /api/v1/nodes/NODE/proxy/metrics/cadvisor`), which takes `get` on `nodes/proxy`.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.kubernetes.cadvisor import Group, Page, Place, stretches
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import part
from tui.sources.kubernetes.inside import Throttling

FRESH_S: Final = 90.0
"""How long what a kubelet said counts as the present."""
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_RIGHT_KEPT_S: Final = 120.0
"""After that a role may have been given."""
_AT_ONCE: Final = 2
"""Nodes asked at the same time."""
_FAILED_S: Final = 60.0
"""Until a node that could not be asked is asked again."""
_SELDOM_S: Final = 60.0
"""Between two pages at most, however slow they are to come."""
_KEPT_S: Final = 600.0
"""How long what is known of a node is kept, when it is no longer asked."""
_TIMEOUT_S: Final = 15.0
_SILENCE_S: Final = 8.0
_MOST_BYTES: Final = 32 * 1024 * 1024
"""Of one page; the biggest nodes have a third of it."""
_NO_RIGHT: Final = "this account may not get nodes/proxy, which the kubelets' figures take"
_REMEDY: Final = "ask whoever runs the cluster; a metric of the profile tells it too, and t looks inside one pod"


@dataclass(frozen=True, slots=True)
class Held:
    """How often its CPU limit held one container, as its kubelet says."""

    at: float
    """`time.time()` of the newest reading."""
    since_start: Throttling
    lately: Throttling | None
    """Between the two newest samples of cAdvisor; None: there is one sample so far."""
    over_s: float
    """Seconds between these two; 0 while there is one."""


@dataclass(slots=True)
class _Node:
    """What is known of one node."""

    due_at: float = float("-inf")
    is_asked: bool = False
    error: SourceError | None = None
    read_at: float = float("-inf")
    groups: Mapping[Place, Mapping[str, Group]] = field(default_factory=dict)
    held: Mapping[Place, Held] = field(default_factory=dict)

    def take(self, groups: Mapping[Place, Mapping[str, Group]], now: float) -> None:
        """Take in a page, and compare it with the one before."""
        # What was counted while nobody looked says little of the present.
        before = self.groups if now - self.read_at < FRESH_S else {}
        self.held = {
            place: _held(found, before.get(place), self.held.get(place) if place in before else None, now)
            for place, found in groups.items()
        }
        self.groups, self.read_at, self.error = groups, now, None


class KubeletThrottling:
    """Keeps what the kubelets said last; asks one only when `due` names it and `read` is called."""

    def __init__(
        self, connection: Connection, *, every_s: float = 15.0, clock: Callable[[], float] = time.time
    ) -> None:
        """Prepare it; `every_s` is the least time between two pages of one node."""
        self.requests = 0
        """Pages asked for so far."""
        self._connection = connection
        self._every_s = every_s
        self._clock = clock
        self._nodes: dict[str, _Node] = {}
        self._refused: Denied | None = None
        self._right_asked_at = float("-inf")
        self._servers = 0
        """What `Connection.servers` was when something was read last; 0: nothing was."""

    def due(self, nodes: Iterable[str]) -> str | None:
        """Return which of these nodes is to be asked now: the one that waits longest; None for none."""
        now = self._clock()
        if self._servers not in (0, self._connection.servers):
            # What another cluster's nodes said is not told of these.
            self._servers, self._nodes, self._refused, self._right_asked_at = 0, {}, None, float("-inf")
        if self._refused is not None and now - self._right_asked_at < _RIGHT_KEPT_S:
            return None
        if sum(node.is_asked for node in self._nodes.values()) >= _AT_ONCE:
            return None
        asked = {name: self._nodes.get(name) for name in nodes}
        waiting = [
            (known.due_at if known else float("-inf"), name)
            for name, known in asked.items()
            if known is None or not (known.is_asked or known.due_at > now)
        ]
        return min(waiting)[1] if waiting else None

    async def read(self, name: str, pods: Collection[tuple[str, str]]) -> None:
        """Ask one node for its pods, by namespace and name; what becomes of it is in `held` and `words`."""
        now = began = self._clock()
        self._nodes = {
            one: known for one, known in self._nodes.items() if known.is_asked or now - known.due_at < _KEPT_S
        }
        node = self._nodes.setdefault(name, _Node())
        if node.is_asked:
            return
        node.is_asked, wait_s = True, _FAILED_S
        try:
            if not await self._may():
                return
            groups = await self._page(name, pods)
            self._servers = self._connection.servers
            # A page that is slow to come is a burden to its node: it is asked for less often. But so often that there
            # is always one before that still tells of the present.
            wait_s = min(_SELDOM_S, max(self._every_s, 10 * (self._clock() - began)))
            node.take(groups, self._clock())
        except SourceError as error:
            node.error = error
            if isinstance(error, Denied):
                self._right_asked_at = float("-inf")  # the right may have been taken away: it is asked for again
        finally:
            node.is_asked, node.due_at = False, began + wait_s

    def held(self, node: str, namespace: str, pod: str, container: str) -> Held | None:
        """Return what is known of a container; None: nothing of late, or it has no limit to be held by."""
        known = self._nodes.get(node)
        found = known.held.get((namespace, pod, container)) if known is not None else None
        return found if found is not None and self._clock() - found.at < FRESH_S else None

    def is_known(self, node: str) -> bool:
        """Tell whether a node was read of late: what is not told of its containers then has no limit."""
        return (known := self._nodes.get(node)) is not None and self._clock() - known.read_at < FRESH_S

    def words(self, nodes: Collection[str]) -> str:
        """Return why nothing, or not all, is known of these nodes, and what helps; empty when nothing is wrong."""
        if self._refused is not None:
            return str(self._refused)
        failing = {name: known.error for name in sorted(nodes) if (known := self._nodes.get(name)) and known.error}
        if not failing:
            return ""
        name, error = next(iter(failing.items()))
        return f"{len(failing)} of {len(nodes)} nodes do not tell: {name}: {error}"

    async def _may(self) -> bool:
        """Tell whether we may ask kubelets, by a SelfSubjectAccessReview; where nobody can say, the kubelet will."""
        if self._clock() - self._right_asked_at >= _RIGHT_KEPT_S:
            attributes = {"verb": "get", "group": "", "resource": "nodes", "subresource": "proxy"}
            review = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            }
            answer = await self._connection.call("POST", _REVIEWS, body=review)
            is_refused = answer.is_ok and part(answer.body, "status").get("allowed") is False
            self._refused = Denied(_NO_RIGHT, _REMEDY) if is_refused else None
            self._right_asked_at = self._clock()
        return self._refused is None

    async def _page(self, name: str, pods: Collection[tuple[str, str]]) -> dict[Place, dict[str, Group]]:
        path = f"/api/v1/nodes/{quote(name, safe='')}/proxy/metrics/cadvisor"
        page, size = Page(frozenset(pods)), 0
        self.requests += 1
        chunks = self._connection.stream(path, (), silence_s=_SILENCE_S)
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                async for chunk in chunks:
                    size += len(chunk)
                    if size > _MOST_BYTES:
                        raise Unreadable(f"its page of metrics has more than {_MOST_BYTES // 2**20} MiB")
                    for stretch in stretches(chunk):
                        page.feed(stretch)
                        await asyncio.sleep(0)
        except TimeoutError as error:
            raise Unreachable(f"its page of metrics was not whole after {_TIMEOUT_S:g} s") from error
        finally:
            await chunks.aclose()
        groups = page.groups()
        if not page.is_metrics:
            raise Unreadable("what came is no page of metrics: a proxy or a login page in between?")
        return groups


def _held(groups: Mapping[str, Group], before: Mapping[str, Group] | None, old: Held | None, now: float) -> Held:
    """Return what a container's groups say: the newest one since its start, all of them since the reading before."""
    newest = max(groups.values(), key=lambda group: group.sampled_at or 0.0)
    since_start = _counted(newest)
    if before is None:
        return Held(now, since_start, None, 0.0)
    earlier = max(before.values(), key=lambda group: group.sampled_at or 0.0)
    if groups.keys() <= before.keys() and newest.sampled_at is not None and newest.sampled_at == earlier.sampled_at:
        # cAdvisor has not looked again since: what it said of the time before still is the newest.
        return Held(now, since_start, old.lately if old else None, old.over_s if old else 0.0)
    # A group that was not there, or counts less than it did, began since: all of it is new.
    added = [_counted(group, before.get(name)) for name, group in groups.items()]
    lately = Throttling(sum(a.periods for a in added), sum(a.throttled for a in added), sum(a.held_s for a in added), 0)
    if newest.sampled_at is not None and earlier.sampled_at is not None:
        over_s = newest.sampled_at - earlier.sampled_at
    else:
        over_s = now - old.at if old else 0.0
    return Held(now, since_start, lately, max(0.0, over_s))


def _counted(group: Group, before: Group | None = None) -> Throttling:
    periods, throttled = group.periods or 0.0, group.throttled_periods or 0.0
    seconds = group.throttled_seconds or 0.0
    if before is not None and periods >= (before.periods or 0.0) and throttled >= (before.throttled_periods or 0.0):
        periods -= before.periods or 0.0
        throttled -= before.throttled_periods or 0.0
        seconds -= before.throttled_seconds or 0.0
    return Throttling(int(periods), int(min(throttled, periods)), max(0.0, seconds), 0)
