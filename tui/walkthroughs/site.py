"""What a walk stands on: the profile, what its systems say now, and the record; with a screen and without."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from profiles.schema import Profile
from tui.journal import Journal
from tui.numbers import Numbers
from tui.poller import Pollers
from tui.rules import Rules
from tui.sources.kubernetes.pods import Health
from tui.sources.kubernetes.snapshot import KubernetesSnapshot
from tui.sources.kubernetes.workloads import Condition, Workload
from tui.sources.reading import Reading

_PATIENCE_S: Final = 12.0
"""How long a system may take to be read anew before what is known of it counts."""
_STEP_S: Final = 0.1
KUBERNETES: Final = "kubernetes:"
_MAY_BE_ABOUT: Final = ("Deployment", "StatefulSet", "DaemonSet")
"""The kinds of workloads that a walk may be about."""


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that evidence and targets are found in."""

    profile: Profile
    pollers: Pollers
    rules: Rules
    journal: Journal
    numbers: Numbers = field(default_factory=Numbers)
    """What the systems reported, for a day."""
    now: Callable[[], float] = time.time
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def anew(self, names: Iterable[str]) -> list[Reading[Any]]:
        """Have systems read once more and return their readings, those of systems that do not answer too.

        Args:
            names: of sources; those that the profile does not have are left out.
        """
        before = {name: reading for name in names if (reading := self.pollers.reading(name)) is not None}
        self.pollers.refresh({reading.kind for reading in before.values()})
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            if all(self.pollers.reading(name) is not reading for name, reading in before.items()):
                break
            await self.pause(_STEP_S)
        return [reading for name in before if (reading := self.pollers.reading(name)) is not None]

    def cluster(self, source: str) -> KubernetesSnapshot | None:
        """Return a cluster as it was last known good; None when there is no such source, or it never answered."""
        reading = self.pollers.reading(source)
        snapshot = reading.snapshot if reading is not None else None
        return snapshot if isinstance(snapshot, KubernetesSnapshot) else None

    def silent_clusters(self) -> list[str]:
        """Return the sources of the clusters of which nothing has been heard yet, not even why."""
        readings = self.pollers.readings({"kubernetes"})
        return [reading.source for reading in readings if reading.snapshot is None and reading.error is None]

    def workload(self, place: "Place") -> Workload | None:
        """Return the workload that is there; None when it is not seen."""
        cluster = self.cluster(place.source)
        found = cluster.workloads.values() if cluster else ()
        return next((one for one in found if one.path == place.path.lower()), None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a workload is: paths, and uids too, may be the same in two clusters."""

    source: str
    """The cluster: `kubernetes:`, `kubernetes:us`."""
    path: str
    """`namespace/kind/name`."""

    def __str__(self) -> str:
        return in_words(self.source.partition(":")[2], self.path)


def in_words(cluster: str, path: str) -> str:
    """Return what a workload is called: `us:shop/deployment/api`, only its path in the cluster without a name."""
    return f"{cluster}:{path}" if cluster else path


@dataclass(frozen=True, slots=True)
class Subject:
    """What a walk is about."""

    kind: str
    """`service`, `workload`, `database`, `redis`; empty when it is about nothing."""
    name: str
    cluster: str = ""
    """Of a workload: the name of the cluster that has it; empty for the one that is meant where none is named."""

    @classmethod
    def read(cls, written: str) -> "Subject":
        """Return the subject that `str` gave."""
        kind, _, name = written.partition(":")
        cluster, _, path = name.rpartition(":")
        return cls(kind, path, cluster) if kind == "workload" else cls(kind, name)

    @classmethod
    def named(cls, kind: str, label: str, profile: Profile) -> "Subject":
        """Return the subject of that kind that a person calls `label`; its cluster may be left out if no other can be
        meant."""
        subject = cls.read(f"{kind}:{label}")
        if kind == "workload" and not subject.cluster:
            return cls(kind, subject.name, profile.cluster_meant(None) or "")
        return subject

    def __str__(self) -> str:
        return f"{self.kind}:{self.label}" if self.kind else ""

    @property
    def label(self) -> str:
        """What it is called among others of its kind: a workload with its cluster, `us:shop/deployment/api`."""
        return in_words(self.cluster, self.name)

    def workload(self, profile: Profile) -> str:
        """Return the `namespace/kind/name` it runs as; empty when that is not known."""
        if self.kind == "workload":
            return self.name
        entry = profile.services.get(self.name) if self.kind == "service" else None
        return (entry.workload or "") if entry is not None else ""

    def clusters(self, profile: Profile) -> tuple[str, ...]:
        """Return the sources of the clusters that a walk about it is led through: its own where it runs in one, else
        every one.

        Where the profile has no such cluster, or it would be a guess, the source is one that there is not: what is
        asked of it is unknown.
        """
        if not self.workload(profile):
            return tuple(f"kubernetes:{name}" for name in profile.every_cluster) or (KUBERNETES,)
        entry = profile.services.get(self.name) if self.kind == "service" else None
        named = entry.cluster if entry is not None else self.cluster or None
        meant = profile.cluster_meant(named)
        return (f"kubernetes:{(named or '') if meant is None else meant}",)


NOBODY: Final = Subject("", "")
"""The subject of a walk that is about nothing in particular."""


def broken_workloads(cluster: KubernetesSnapshot | None) -> tuple[Workload, ...]:
    """Return the workloads that are not well: with failing pods, or unavailable; the worst first."""
    if cluster is None:
        return ()
    failing = [cluster.workload_of(pod) for pod in cluster.pods.values() if pod.health is Health.FAILING]
    broken = {workload.uid: workload for workload in failing if workload is not None}
    broken |= {one.uid: one for one in cluster.workloads.values() if one.condition is Condition.UNAVAILABLE}
    return tuple(sorted(broken.values(), key=lambda one: (-one.missing, one.path)))


def subjects(about: str | None, site: Site) -> list[Subject]:
    """Return what a walk of that kind may be about; workloads of every cluster that has answered."""
    profile = site.profile
    match about:
        case "service":
            return [Subject("service", name) for name in profile.services]
        case "database":
            return [Subject("database", name) for name in profile.databases]
        case "redis":
            return [Subject("redis", name) for name in profile.redis]
        case "workload":
            return [
                Subject("workload", path, name)
                for name in profile.every_cluster
                if (cluster := site.cluster(f"kubernetes:{name}")) is not None
                for path in sorted(one.path for one in cluster.workloads.values() if one.kind in _MAY_BE_ABOUT)
            ]
    return []


def subject_of_alert(about: str | None, source: str, about_object: str) -> Subject | None:
    """Return what an alert's runbook is about; None when that must be asked.

    Args:
        about: the runbook's `about`.
        source: of the alert.
        about_object: the alert's object: a pod's `namespace/name` or a workload's path.
    """
    kind, _, name = source.partition(":")
    if about is None:
        return NOBODY
    if kind == about and name:
        return Subject(kind, name)
    if about == "workload" and kind == "kubernetes" and about_object.count("/") == 2:
        return Subject("workload", about_object, name)
    return None
