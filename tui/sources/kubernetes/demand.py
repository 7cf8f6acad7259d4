"""Which kinds of a cluster somebody needs watched, and for how much longer one that nobody needs any more."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tui.sources.kubernetes.kinds import KINDS

EVERYTHING: Final = frozenset(kind.resource for kind in KINDS.values())
"""Every kind that can be watched, by its plural name in URLs."""
WORKLOADS: Final = ("deployments", "statefulsets", "daemonsets")
"""What keeps pods running."""
OWNERS: Final = ("pods", "replicasets", *WORKLOADS, "jobs", "cronjobs")
"""What it takes to tell to which workload a pod belongs."""
OF_METRICS: Final[Mapping[str, tuple[str, ...]]] = {
    "pods_failing": ("pods",),
    "crash_loops": ("pods",),
    "pods_waiting": ("pods",),
    "oom_kills": ("pods",),
    "restarts": ("pods",),
    "pod_restarts": ("pods",),
    "workloads_unavailable": WORKLOADS,
    "workload_pods_missing": WORKLOADS,
    "jobs_failed": ("jobs",),
    "nodes_not_ready": ("nodes",),
}
"""The kinds that a number is counted from."""


class Demand:
    """What is needed, by who needs it. As long as nobody has said anything, everything is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Need everything; `clock` gives seconds that only ever grow."""
        self.grace_s = 60.0
        """How long a kind is still watched after the last one stopped needing it: who goes to another tab and comes
        back must not cost the server a list."""
        self._clock = clock
        self._needs: dict[str, frozenset[str]] = {}
        self._until: dict[str, float] = {}

    def need(self, who: str, resources: Iterable[str]) -> None:
        """Say what somebody needs from now on, in place of what they needed before; nothing when it is empty."""
        before, self._needs[who] = self._needed(), frozenset(resources)
        self._last(before - self._needed())

    def use(self, resources: Iterable[str]) -> None:
        """Have kinds watched for a while, whoever needs them."""
        self._last(resources)

    @property
    def wanted(self) -> frozenset[str]:
        """What has to be watched now, the plural names in URLs."""
        if not self._needs:
            return EVERYTHING
        now = self._clock()
        self._until = {resource: until for resource, until in self._until.items() if until > now}
        return (self._needed() | self._until.keys()) & EVERYTHING

    def _needed(self) -> frozenset[str]:
        return frozenset().union(*self._needs.values())

    def _last(self, resources: Iterable[str]) -> None:
        until = self._clock() + self.grace_s
        self._until.update(dict.fromkeys(resources, until))
