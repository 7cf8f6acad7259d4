"""Systems of a few lines, a journal in a folder, and a guide on both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from profiles.schema import Profile
from profiles.systems import Kubernetes
from tui.journal import Journal
from tui.journal.news import News
from tui.numbers import Numbers
from tui.poller import Pollers
from tui.rules import Rules
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import Object
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.pods import Pod, parse_pod
from tui.sources.kubernetes.snapshot import FAMILIES, KindHealth, KubernetesSnapshot
from tui.sources.kubernetes.workloads import Workload, parse_workload
from tui.sources.reading import Number, Reading, Source
from tui.walkthroughs.format import Definition
from tui.walkthroughs.guide import Guide
from tui.walkthroughs.loading import Walks, Walkthrough
from tui.walkthroughs.recorder import Recorder
from tui.walkthroughs.site import Site


@dataclass
class Facts:
    """What a system says."""

    found: tuple[Number, ...]
    reason: str = ""

    def numbers(self) -> tuple[Number, ...]:
        return self.found


@dataclass
class System:
    """Says what it is told to say."""

    name: str
    numbers: dict[str, float] = field(default_factory=dict)
    error: SourceError | None = None
    interval_s: float = 0.01
    timeout_s: float = 1.0

    async def read(self) -> Facts:
        if self.error is not None:
            raise self.error
        return Facts(tuple(Number(metric, value) for metric, value in self.numbers.items()))

    async def close(self) -> None:
        pass


class Refusing:
    """Says which cluster was asked, instead of an answer."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def get(self, path: str, query: object = ()) -> Object:
        raise SourceError(f"{self._name} was asked")


class Cluster(KubernetesSource):
    """Holds what it is told to hold; whatever else it is asked for, it says that it was asked."""

    def __init__(self, name: str, *facts: Workload | Pod, error: SourceError | None = None) -> None:
        super().__init__(Kubernetes(context="nowhere"), name=name)
        self.connection = cast("Connection", Refusing(self.name))
        self.interval_s, self.facts, self.error = 0.01, facts, error

    async def read(self) -> KubernetesSnapshot:
        if self.error is not None:
            raise self.error
        found: dict[str, Any] = {family: {} for family in FAMILIES}
        for fact in self.facts:
            family = "pods" if isinstance(fact, Pod) else "workloads"
            found[family][fact.uid] = fact
        health = {kind.resource: KindHealth(kind.resource, is_synced=True) for kind in KINDS.values()}
        return KubernetesSnapshot("", "", "", "", (), **found, health=health)

    async def close(self) -> None:
        pass

    async def fetch(self, kind: str, namespace: str, name: str) -> Object:
        raise SourceError(f"{self.name} was asked")


def deployment(name: str = "api", *, ready: int = 2, desired: int = 2) -> Workload:
    """Return a Deployment of the namespace shop; one of the same name has the same uid, whichever cluster has it."""
    status = {"observedGeneration": 1, "replicas": ready, "updatedReplicas": ready}
    counts = {"readyReplicas": ready, "availableReplicas": ready}
    conditions = [{"type": "Available", "status": "False", "message": "too few"}] if ready < desired else []
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "generation": 1}
    spec = {"replicas": desired, "selector": {"matchLabels": {"app": name}}, "template": {"spec": {"containers": []}}}
    whole = {"metadata": metadata, "spec": spec, "status": {**status, **counts, "conditions": conditions}}
    return parse_workload("Deployment", whole)


def failing_pod(of: str = "api") -> Pod:
    """Return a pod that crashes, of a Deployment of the namespace shop."""
    owner = {"kind": "Deployment", "name": of, "uid": f"uid-{of}", "controller": True}
    metadata = {"name": f"{of}-1", "namespace": "shop", "uid": f"uid-{of}-1", "ownerReferences": [owner]}
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    container = {"name": "app", "ready": False, "restartCount": 7, "state": waiting}
    status = {"phase": "Running", "containerStatuses": [container]}
    return parse_pod({"metadata": metadata, "spec": {"containers": [{"name": "app"}]}, "status": status})


def walk_of(*steps: dict[str, Any], kind: Any = "checklist", **head: Any) -> Walkthrough:
    """Return a walk of these steps."""
    definition = {"title": "T", **head, "sections": [{"title": "S", "steps": list(steps)}]}
    return Walkthrough("t", kind, Definition.model_validate(definition), "1")


@asynccontextmanager
async def site_of(folder: Path, *systems: Source[Any], **profile: Any) -> AsyncIterator[Site]:
    """Watch systems under a profile."""
    read = Profile.model_validate({"name": "t", "environment": "dev", **profile})
    rules, numbers = Rules(read.thresholds), Numbers()
    times = iter(range(10**9))

    def judge(reading: Reading[Any]) -> None:
        rules.judge(reading, float(next(times)))
        numbers.take(reading)

    pollers = Pollers(judge, interval_s=None)
    pollers.start(systems, optional=())
    try:
        yield Site(read, pollers, rules, Journal(folder, "t", "dev"), numbers)
    finally:
        await pollers.close()


def guide_of(site: Site, *walks: Walkthrough) -> Guide:
    """Return a guide that knows these walks."""
    guide = Guide(site, Recorder.of(site.journal, News(site.journal)))
    guide.walks, guide.is_loaded = Walks(walks, ()), True
    return guide
