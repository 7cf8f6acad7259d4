"""The host opstui runs on, by psutil, in a thread of its own: some calls take milliseconds on large hosts."""

import asyncio
import os
import socket
import time
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tui.sources import host_counters, host_limits
from tui.sources.errors import Unreadable
from tui.sources.history import Past
from tui.sources.host_counters import Counters, CpuTimes
from tui.sources.host_facts import HostMemory, HostSnapshot, Mount
from tui.sources.host_processes import Process, Processes
from tui.sources.text import clean

if TYPE_CHECKING:
    from types import ModuleType

_LOOK_S: Final = 1.5
"""How long a reading waits for a look at the processes."""
_MOUNTS_EVERY_S: Final = 10.0
"""Disks fill slowly, and the mount table may be long."""
_KEPT_GONE_S: Final = 1800.0
"""How long the numbers of a device that is gone are kept: containers' interfaces come and go all day."""


class HostSource:
    """Reads CPU, memory, mounts, disks and network of this host."""

    timeout_s = 5.0

    def __init__(self, name: str = "", *, interval_s: float = 2.0) -> None:
        self.name = f"host:{name}"
        self.interval_s = interval_s
        self._before: Counters | None = None
        self._mounts: tuple[tuple[Mount, ...], tuple[str, ...]] = ((), ())
        self._mounts_at = float("-inf")
        self._history: dict[str, Past] = {}
        self._reading: asyncio.Task[HostSnapshot] | None = None
        self._looks_at_processes = False
        self._processes = Processes()
        self._looking: asyncio.Task[tuple[Process, ...]] | None = None

    def look_at_processes(self, *, wanted: bool) -> None:
        """Say whether somebody looks at processes."""
        self._looks_at_processes = wanted

    async def read(self) -> HostSnapshot:
        """Return the host's present state.

        A read that was given up is picked up by the next one, so that threads never pile up behind a dead disk.

        Raises:
            Unreadable: psutil could not read the system's own tables.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(asyncio.to_thread(self._read))
        try:
            snapshot = await asyncio.shield(self._reading)
        except OSError as error:
            raise Unreadable(f"{error.strerror or error}", "is /proc mounted and readable?") from error
        self._remember(snapshot)
        processes = await self._look()
        count = self._processes.total if processes is not None else 0
        return replace(snapshot, history=dict(self._history), processes=processes, process_count=count)

    async def _look(self) -> tuple[Process, ...] | None:
        """Return the processes, where somebody looks.

        A process that hangs in the kernel can hang whoever reads its command line. That look goes on in a thread of
        its own and ends some time or never; the meters must not wait with it.
        """
        if not self._looks_at_processes:
            return None
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(asyncio.to_thread(self._processes.look, import_module("psutil")))
        done, _ = await asyncio.wait([self._looking], timeout=_LOOK_S)
        return self._looking.result() if done else None

    async def close(self) -> None:
        """Stop waiting for a read under way; its thread ends by itself."""
        if self._reading is not None:
            self._reading.cancel()
        if self._looking is not None:
            self._looking.cancel()

    def _read(self) -> HostSnapshot:
        import psutil

        after = _counters(psutil)
        before, self._before = self._before, after
        if after.at - self._mounts_at >= _MOUNTS_EVERY_S:
            self._mounts, self._mounts_at = _mounts(psutil), after.at
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        mounts, unmeasured = self._mounts
        return HostSnapshot(
            hostname=clean(socket.gethostname()),
            uptime_s=time.time() - psutil.boot_time(),
            cpu=host_counters.cpu(before, after, _load()),
            memory=HostMemory(memory.total, memory.available, swap.total, swap.used),
            mounts=mounts,
            unmeasured=unmeasured,
            disks=host_counters.disks(before, after),
            interfaces=host_counters.interfaces(before, after),
            cgroup=host_limits.cgroup(),
            pressure=host_limits.pressure(),
            descriptors=host_limits.descriptors(),
        )

    def _remember(self, snapshot: HostSnapshot) -> None:
        now = time.time()
        for key, value in series(snapshot).items():
            if key not in self._history:
                self._history[key] = Past()
            self._history[key].add(now, value)
        for key in [key for key, known in self._history.items() if known.last_at < now - _KEPT_GONE_S]:
            del self._history[key]


def series(snapshot: HostSnapshot) -> dict[str, float | None]:
    """Return the numbers that are kept over time, by the key of their row."""
    cpu, memory = snapshot.cpu, snapshot.memory
    values: dict[str, float | None] = {
        "cpu": cpu.percent,
        "cpu iowait": cpu.iowait_percent,
        "cpu steal": cpu.steal_percent,
        "load": cpu.load_1m,
        "memory": memory.percent,
        "swap": memory.swap_percent,
        "cgroup memory": snapshot.cgroup.memory_percent,
        "descriptors": snapshot.descriptors.percent if snapshot.descriptors is not None else None,
    }
    for resource, found in snapshot.pressure.items():
        values[f"pressure {resource}"] = found.some_percent
    for mount in snapshot.mounts:
        values[f"disk {mount.mountpoint}"] = mount.percent
    for disk in snapshot.disks:
        values[f"io {disk.name} read"] = disk.read_bytes_per_s
        values[f"io {disk.name} write"] = disk.write_bytes_per_s
        values[f"io {disk.name} busy"] = disk.busy_percent
    for interface in snapshot.interfaces:
        values[f"net {interface.name} received"] = interface.received_bytes_per_s
        values[f"net {interface.name} sent"] = interface.sent_bytes_per_s
    for number, percent in enumerate(cpu.per_core_percent):
        values[f"cpu {number}"] = percent
    return values


def _counters(psutil: "ModuleType") -> Counters:
    disks = psutil.disk_io_counters(perdisk=True) or {}
    interfaces = psutil.net_io_counters(pernic=True) or {}
    return Counters(
        at=time.monotonic(),
        cores=tuple(_core(times) for times in psutil.cpu_times(percpu=True)),
        disks={
            clean(name): (found.read_bytes, found.write_bytes, getattr(found, "busy_time", None))
            for name, found in disks.items()
        },
        interfaces={
            clean(name): (found.bytes_recv, found.bytes_sent, found.errin + found.errout + found.dropin + found.dropout)
            for name, found in interfaces.items()
        },
    )


def _core(times: Any) -> CpuTimes:
    iowait = getattr(times, "iowait", None)
    # Linux counts the time of guests in `user` and `nice` already.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return CpuTimes(sum(times) - guests, times.idle + (iowait or 0.0), iowait, getattr(times, "steal", None))


def _mounts(psutil: "ModuleType") -> tuple[tuple[Mount, ...], tuple[str, ...]]:
    places = [host_limits.Place(part.device, part.mountpoint, part.fstype) for part in psutil.disk_partitions(all=True)]
    chosen, network = host_limits.measurable(places)
    found = tuple(mount for place in chosen if (mount := host_limits.measure(place)) is not None)
    return found, tuple(clean(mountpoint) for mountpoint in network)


def _load() -> tuple[float, float, float] | None:
    try:
        return os.getloadavg()
    except OSError:
        return None
