"""The host's ever-growing counters, and what happened between two looks at them. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tui.sources.history import rate
from tui.sources.host_facts import Cpu, Disk, Interface

_NO_DISK: Final = re.compile(r"^(loop|ram|zram|fd|sr|dm-|md)\d+")
_NO_INTERFACE: Final = re.compile(r"^(veth|ifb|dummy|tunl|sit|ip6tnl|gre|erspan|teql)")


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Seconds one core, or all of them, have spent since the host started."""

    total_s: float
    idle_s: float
    """Includes iowait."""
    iowait_s: float | None = None
    steal_s: float | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """All counters at one moment."""

    at: float
    """`time.monotonic()`."""
    cores: tuple[CpuTimes, ...]
    disks: Mapping[str, tuple[int, int, int | None]]
    """Bytes read and written, and milliseconds busy (None where the system does not tell), by device."""
    interfaces: Mapping[str, tuple[int, int, int]]
    """Bytes received and sent, and errors and drops together, by interface."""


def cpu(before: Counters | None, after: Counters, load: tuple[float, float, float] | None) -> Cpu:
    """Return the CPU's shares of the time between two looks."""
    count = len(after.cores)
    loads = load or (None, None, None)
    if before is None or len(before.cores) != count:
        return Cpu(count, None, (None,) * count, None, None, *loads)
    old, new = _sum(before.cores), _sum(after.cores)
    return Cpu(
        count,
        _busy(old, new),
        tuple(_busy(a, b) for a, b in zip(before.cores, after.cores, strict=True)),
        _share(old.iowait_s, new.iowait_s, new.total_s - old.total_s),
        _share(old.steal_s, new.steal_s, new.total_s - old.total_s),
        *loads,
    )


def _sum(cores: tuple[CpuTimes, ...]) -> CpuTimes:
    iowait = [core.iowait_s for core in cores if core.iowait_s is not None]
    steal = [core.steal_s for core in cores if core.steal_s is not None]
    return CpuTimes(
        sum(core.total_s for core in cores),
        sum(core.idle_s for core in cores),
        sum(iowait) if iowait else None,
        sum(steal) if steal else None,
    )


def _busy(old: CpuTimes, new: CpuTimes) -> float | None:
    idle = _share(old.idle_s, new.idle_s, new.total_s - old.total_s)
    return None if idle is None else 100 - idle


def _share(old: float | None, new: float | None, total_s: float) -> float | None:
    if old is None or new is None or total_s <= 0:
        return None
    return max(0.0, min(100.0, 100 * (new - old) / total_s))


def disks(before: Counters | None, after: Counters) -> tuple[Disk, ...]:
    """Return each whole disk's I/O; partitions, loop devices and memory disks are left out."""
    found = []
    for name, (read, written, busy_ms) in sorted(after.disks.items()):
        if _NO_DISK.match(name) or _is_partition(name, after.disks):
            continue
        old = before.disks.get(name) if before else None
        seconds = after.at - before.at if before else 0.0
        busy = rate(old[2] if old else None, busy_ms, seconds)
        found.append(
            Disk(
                name,
                rate(old[0] if old else None, read, seconds),
                rate(old[1] if old else None, written, seconds),
                None if busy is None else min(100.0, busy / 10),
            )
        )
    return tuple(found)


def _is_partition(name: str, names: Mapping[str, object]) -> bool:
    found = re.fullmatch(r"(.*\d)p\d+|(.*\D)\d+", name)
    return found is not None and (found[1] or found[2]) in names


def interfaces(before: Counters | None, after: Counters) -> tuple[Interface, ...]:
    """Return each interface that ever carried something, the loopback last; containers' own ends are left out."""
    found = []
    for name, (received, sent, problems) in after.interfaces.items():
        if _NO_INTERFACE.match(name) or not (received or sent):
            continue
        old = before.interfaces.get(name) if before else None
        seconds = after.at - before.at if before else 0.0
        found.append(
            Interface(
                name,
                rate(old[0] if old else None, received, seconds),
                rate(old[1] if old else None, sent, seconds),
                rate(old[2] if old else None, problems, seconds),
            )
        )
    return tuple(sorted(found, key=lambda i: (i.name.startswith("lo"), i.name)))
