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

    @property
    def cluster(self) -> KubernetesSnapshot | None:
        """The cluster as it was last known good; None when there is none, or it never answered."""
        reading = self.pollers.reading(KUBERNETES)
        snapshot = reading.snapshot if reading is not None else None
        return snapshot if isinstance(snapshot, KubernetesSnapshot) else None

    def workload(self, path: str) -> Workload | None:
        """Return a workload by its `namespace/kind/name`; None when it is not seen."""
        cluster = self.cluster
        found = cluster.workloads.values() if cluster else ()
        return next((one for one in found if one.path == path.lower()), None)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a walk is about."""

    kind: str
    """`service`, `workload`, `database`, `redis`; empty when it is about nothing."""
    name: str

    @classmethod
    def read(cls, written: str) -> "Subject":
        """Return the subject that `str` gave."""
        kind, _, name = written.partition(":")
        return cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.kind else ""

    def workload(self, profile: Profile) -> str:
        """Return the `namespace/kind/name` it runs as; empty when that is not known."""
        if self.kind == "workload":
            return self.name
        entry = profile.services.get(self.name) if self.kind == "service" else None
        return (entry.workload or "") if entry is not None else ""


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


def subjects(about: str | None, profile: Profile, cluster: KubernetesSnapshot | None) -> list[Subject]:
    """Return what a walk of that kind may be about."""
    match about:
        case "service":
            return [Subject("service", name) for name in profile.services]
        case "database":
            return [Subject("database", name) for name in profile.databases]
        case "redis":
            return [Subject("redis", name) for name in profile.redis]
        case "workload":
            found = cluster.workloads.values() if cluster is not None else ()
            kinds = ("Deployment", "StatefulSet", "DaemonSet")
            return [Subject("workload", path) for path in sorted(one.path for one in found if one.kind in kinds)]
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
    if about == "workload" and about_object.count("/") == 2:
        return Subject("workload", about_object)
    return None
