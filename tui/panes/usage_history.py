"""CPU and memory of pods and nodes over time, kept from the cluster's metrics readings."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Final, Protocol

from tui.sources.history import Past
from tui.sources.reading import Reading

KEPT: Final = 100
"""In a large cluster only so many of the greatest by CPU, and as many by memory, are kept."""


class Usage(Protocol):
    """What metrics.k8s.io says something used."""

    @property
    def cpu_cores(self) -> float:
        """CPU, in cores."""
        ...

    @property
    def memory_bytes(self) -> float:
        """Working set, in bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What usage is held against."""

    cpu_cores: float | None = None
    """A pod's CPU request, a node's allocatable CPU; None: no container asks, or it is not known."""
    memory_bytes: float | None = None
    """A pod's memory limit, a node's allocatable memory; None: a container has none, or it is not known."""


_NO_BOUNDS: Final = Bounds()


@dataclass(frozen=True, slots=True)
class Used:
    """One pod's or node's usage, now and before."""

    name: str
    """`namespace/name` of a pod, or a node's name; behind the cluster's, `us:shop/api-1`, where there are several."""
    cpu_cores: float
    memory_bytes: float
    cpu: Past
    """In millicores."""
    memory: Past
    """In bytes."""
    bounds: Bounds


class UsageHistory:
    """The series of whatever used most when last asked; the series of what is gone are dropped."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Used]] = {}
        """By cluster, then by name."""
        self._totals: dict[str, int] = {}

    @property
    def total(self) -> int:
        """How many there were in the newest answers, kept or not."""
        return sum(self._totals.values())

    def record(self, at: float, usage: Mapping[str, Usage], bounds: Mapping[str, Bounds], *, cluster: str = "") -> None:
        """Take the newest answer of a metrics server, and what it is held against, both by name.

        `cluster` stands before every name of it: empty where there is only one.
        """
        self._totals[cluster] = len(usage)
        before, kept = self._of.get(cluster, {}), dict[str, Used]()
        for path in greatest(usage):
            name = f"{cluster}:{path}" if cluster else path
            old, now = before.get(name), usage[path]
            cpu, memory = (old.cpu, old.memory) if old else (Past(), Past())
            cpu.add(at, now.cpu_cores * 1000)
            memory.add(at, now.memory_bytes)
            kept[name] = Used(name, now.cpu_cores, now.memory_bytes, cpu, memory, bounds.get(path, _NO_BOUNDS))
        self._of[cluster] = kept

    def get(self, name: str) -> Used | None:
        """Return one by name; None when it is not kept."""
        return next((used[name] for used in self._of.values() if name in used), None)

    def __iter__(self) -> Iterator[Used]:
        return (one for used in self._of.values() for one in used.values())

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))


def missing_words(clusters: Collection[Reading[Any]], view: str) -> str:
    """Return of which pods or nodes there are no numbers and why, cluster by cluster where there are several."""
    told = []
    for reading in clusters:
        if (metrics := getattr(reading.snapshot, "metrics", None)) is None:
            continue
        reason = metrics.unavailable or (metrics.no_nodes if view == "nodes" else "")
        words = f"no CPU and memory: {reason}" if reason else metrics.partial if view == "pods" else ""
        if words:
            name = reading.source.partition(":")[2]
            told.append(f"{name}: {words}" if len(clusters) > 1 and name else words)
    return "; ".join(told)


def greatest(usage: Mapping[str, Usage], kept: int = KEPT) -> tuple[str, ...]:
    """Return the names of the greatest by CPU and by memory, in order of their names."""
    if len(usage) <= 2 * kept:
        return tuple(sorted(usage))
    by_cpu = nlargest(kept, usage, key=lambda name: usage[name].cpu_cores)
    by_memory = nlargest(kept, usage, key=lambda name: usage[name].memory_bytes)
    return tuple(sorted({*by_cpu, *by_memory}))
