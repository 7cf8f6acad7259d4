"""What a reading of a cluster holds."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tui.sources.errors import Denied, SourceError
from tui.sources.kubernetes.demand import OF_METRICS, WORKLOADS
from tui.sources.kubernetes.events import Autoscaler, Event
from tui.sources.kubernetes.identity import UNREAD, ClusterIdentity
from tui.sources.kubernetes.metrics import NONE_YET, Metrics
from tui.sources.kubernetes.mirror import Changes
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.workloads import Condition, Workload
from tui.sources.reading import Number
from tui.sources.trait import Trait

FAMILIES: Final = ("pods", "workloads", "replica_sets", "nodes", "events", "autoscalers")
"""The fields of a snapshot that are mappings by uid, and the keys of its `changes`."""
_OOM: Final = "OOMKilled"
_OF_LATE_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class KindHealth:
    """How the watches of one kind are doing."""

    kind: str
    """The resource: `pods`, `deployments`."""
    is_synced: bool
    """Whether everything that can be seen has been seen at least once."""
    error: SourceError | None = None
    """Why the newest attempt of a watch failed; None when all stand."""
    since: float | None = None
    """`time.time()` since when it fails."""
    failing: tuple[str, ...] = ()
    """The namespaces whose watch fails; empty when all stand, or when one watch covers the cluster."""
    scopes: int = 1
    """How many watches there are: 1, or one for each namespace; 0 while nobody needs it."""
    is_watched: bool = True
    """Whether somebody needs it; what was seen of it before stays, as it was then."""
    kept_from: float | None = None
    """`time.time()` from which what is held may be out of date, as nobody needed it; None: it is the present."""

    @property
    def is_down(self) -> bool:
        """Whether nothing of this kind can be seen at present."""
        return self.error is not None and (self.scopes == 1 or len(self.failing) == self.scopes)


@dataclass(frozen=True, slots=True)
class KubernetesSnapshot:
    """A cluster as the watches have it; every mapping is by uid and never changes."""

    context: str
    server: str
    """URL of the API server."""
    server_version: str
    """`gitVersion` of /version; empty until known."""
    user: str
    """Who the server says we are (SelfSubjectReview), else the kubeconfig's name for it."""
    namespaces: tuple[str, ...]
    """The namespaces watched; empty: all."""
    pods: Mapping[str, Pod]
    workloads: Mapping[str, Workload]
    """Deployments, StatefulSets, DaemonSets, Jobs and CronJobs."""
    replica_sets: Mapping[str, Workload]
    nodes: Mapping[str, Node]
    events: Mapping[str, Event]
    autoscalers: Mapping[str, Autoscaler]
    health: Mapping[str, KindHealth]
    """By resource (`pods`)."""
    identity: ClusterIdentity = UNREAD
    metrics: Metrics = NONE_YET
    notes: tuple[str, ...] = ()
    """What is partial, in words: `nodes: forbidden`, `pods: 2 of 5 namespaces forbidden`."""
    revision: int = 0
    """Counts the snapshots of this source."""
    changes: Mapping[str, Changes] | None = None
    """What changed since the snapshot with `revision - 1`, by field; None: take everything as new."""
    clock_offset_s: float | None = None
    """The `Date` of the newest answer minus our clock, in seconds; None when it is not told."""
    is_early: bool = False
    """Whether the first lists are still coming: there are rows to look at, and nothing to compare with."""
    metrics_changed: bool = True
    """Whether `metrics` is newer than in the snapshot before."""

    def traits(self) -> Iterable[Trait]:
        """Return what tells the cluster from others."""
        return self.identity.traits()

    def workload_of(self, pod: Pod) -> Workload | None:
        """Return the workload a pod belongs to in the end: the Deployment, not its ReplicaSet; None for a bare pod."""
        if pod.owner is None:
            return None
        replica_set = self.replica_sets.get(pod.owner.uid)
        if replica_set is None:
            return self.workloads.get(pod.owner.uid)
        if replica_set.owner is None:
            return replica_set
        return self.workloads.get(replica_set.owner.uid)

    def sees(self, *resources: str) -> bool:
        """Tell whether all of these kinds can be seen at present and have been seen whole at least once."""
        return all(health.is_synced and not health.is_down for health in map(self.health.get, resources) if health)

    def kept_from(self, *resources: str) -> float | None:
        """Return from when on what is held of any of these kinds may be out of date; None: it is the present."""
        found = (health.kept_from for health in map(self.health.get, resources) if health)
        return min((at for at in found if at is not None), default=None)

    def _is_whole(self, *resources: str) -> bool:
        """Tell whether what is held of these kinds is the present, and as much of it as can be seen."""
        return all(
            health.is_synced and health.kept_from is None for health in map(self.health.get, resources) if health
        )

    def _is_denied(self, *resources: str) -> bool:
        return any(health and isinstance(health.error, Denied) for health in map(self.health.get, resources))

    def _oom_kills(self) -> int:
        """Return in how many pods a container was killed for its memory of late, and started again."""
        since = time.time() - _OF_LATE_S
        ended = [pod for pod in self.pods.values() if pod.last_end]
        return sum(pod.last_end.startswith(_OOM) and (pod.restarted_at or 0.0) >= since for pod in ended)

    def numbers(self) -> Iterable[Number]:
        """Return the counts a rule may watch, and the restarts and missing pods of what is bad.

        Where something of a kind cannot be seen, a count of 0 is no all-clear but absent (NaN), and so is every count
        of what is only kept from before or is not whole yet; of what this account may not see at all, pods apart,
        there is none.
        """
        fine = Health.FINE  # looking up a member of an enumeration thousands of times takes as long as all the rest
        troubled = [pod for pod in self.pods.values() if pod.health is not fine]
        failing = [pod for pod in troubled if pod.health is Health.FAILING]
        unavailable = [w for w in self.workloads.values() if w.condition is Condition.UNAVAILABLE]
        waiting = sum(pod.health is Health.WAITING for pod in troubled)
        looping = sum("CrashLoopBackOff" in pod.status for pod in failing)
        for metric, count in (
            ("pods_failing", len(failing)),
            ("crash_loops", looping),
            ("pods_waiting", waiting),
            ("oom_kills", self._oom_kills()),
            ("workloads_unavailable", sum(bool(w.missing) for w in unavailable)),
            ("jobs_failed", sum(w.kind == "Job" for w in unavailable)),
            ("restarts", sum([pod.restarts for pod in self.pods.values()])),
            ("nodes_not_ready", sum(not node.is_ready for node in self.nodes.values())),
        ):
            resources = OF_METRICS[metric]
            if self.sees(*resources) or (count and self._is_whole(*resources)):
                yield Number(metric, count)
            elif resources == ("pods",) or not self._is_denied(*resources):
                yield Number(metric, math.nan)
        for pod in failing if self._is_whole("pods") else ():
            yield Number("pod_restarts", pod.restarts, pod.path)
        for workload in unavailable if self._is_whole(*WORKLOADS) else ():
            if workload.missing:
                yield Number("workload_pods_missing", workload.missing, workload.path)
