"""What opstui knows about the host it runs on; units are in the names, sources are psutil's and Linux's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tui.sources.history import Past
from tui.sources.host_processes import Process
from tui.sources.reading import Number


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU time between two readings; None at the first one."""

    count: int
    """Logical cores."""
    percent: float | None = None
    """Busy share of all cores together: everything but idle and iowait."""
    per_core_percent: tuple[float | None, ...] = ()
    iowait_percent: float | None = None
    """Idle with I/O outstanding; None where the system does not tell (macOS)."""
    steal_percent: float | None = None
    """Taken by the hypervisor for others; None where the system does not tell."""
    load_1m: float | None = None
    load_5m: float | None = None
    load_15m: float | None = None

    @property
    def load_per_cpu(self) -> float | None:
        """The 1-minute load average divided by the cores."""
        return None if self.load_1m is None else self.load_1m / max(1, self.count)


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Memory and swap in bytes."""

    total_bytes: int
    available_bytes: int
    """`MemAvailable`: what programs can still get without swapping."""
    swap_total_bytes: int = 0
    swap_used_bytes: int = 0

    @property
    def percent(self) -> float:
        """What is not available, in percent of the total."""
        return 100 * (self.total_bytes - self.available_bytes) / self.total_bytes if self.total_bytes else 0.0

    @property
    def swap_percent(self) -> float | None:
        """Used swap in percent; None without swap."""
        return 100 * self.swap_used_bytes / self.swap_total_bytes if self.swap_total_bytes else None


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system with a size of its own."""

    mountpoint: str
    device: str
    fstype: str
    total_bytes: int
    free_bytes: int
    """What an ordinary user can still write; root's reserve is not in it."""
    percent: float
    """Used, as `df` counts it: of used and free, without the reserve."""
    inodes_percent: float | None
    """Used inodes; None where the file system has no fixed number."""


@dataclass(frozen=True, slots=True)
class Disk:
    """I/O of one whole disk per second; None at the first reading."""

    name: str
    read_bytes_per_s: float | None
    write_bytes_per_s: float | None
    busy_percent: float | None
    """Share of the time with a request under way; None where the system does not tell."""


@dataclass(frozen=True, slots=True)
class Interface:
    """Traffic of one network interface per second; None at the first reading."""

    name: str
    received_bytes_per_s: float | None
    sent_bytes_per_s: float | None
    problems_per_s: float | None
    """Errors and drops, both directions."""


@dataclass(frozen=True, slots=True)
class Cgroup:
    """What the control group (v2) of this process may use: the limits that a container lives under."""

    memory_max_bytes: int | None = None
    """The smallest `memory.max` up to the root; None without a limit."""
    memory_current_bytes: int | None = None
    """`memory.current` of the group that has that limit, less its inactive file cache."""
    cpu_max: float | None = None
    """`cpu.max` as a number of cores; None without a limit."""

    @property
    def memory_percent(self) -> float | None:
        """Memory in percent of the limit; None without one."""
        if self.memory_max_bytes is None or self.memory_current_bytes is None:
            return None
        return 100 * self.memory_current_bytes / self.memory_max_bytes

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return self.memory_max_bytes is not None or self.cpu_max is not None


@dataclass(frozen=True, slots=True)
class Pressure:
    """How much of the last 10 s something waited for a resource: `avg10` of `/proc/pressure/…`, in percent."""

    some_percent: float
    """At least one task waited."""
    full_percent: float | None
    """Every task waited at once; None where the kernel does not tell."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Open files of the whole system, as `/proc/sys/fs/file-nr` counts them."""

    used: int
    limit: int

    @property
    def percent(self) -> float:
        """Open files in percent of the limit."""
        return 100 * self.used / self.limit if self.limit else 0.0


@dataclass(frozen=True, slots=True)
class HostSnapshot:
    """The host at one moment."""

    hostname: str
    uptime_s: float
    cpu: Cpu
    memory: HostMemory
    mounts: tuple[Mount, ...]
    unmeasured: tuple[str, ...]
    """Mount points of network file systems: asking a dead server for its free space would hang."""
    disks: tuple[Disk, ...]
    interfaces: tuple[Interface, ...]
    cgroup: Cgroup
    pressure: Mapping[str, Pressure] = field(default_factory=dict)
    """By resource: `cpu`, `memory`, `io`; empty where the kernel does not tell (PSI off, or no Linux)."""
    descriptors: Descriptors | None = None
    """None where the system does not tell."""
    processes: tuple[Process, ...] | None = None
    """The greatest by CPU and by memory; None while nobody looks."""
    process_count: int = 0
    """How many processes there are; 0 while nobody looks."""
    history: Mapping[str, Past] = field(default_factory=dict, compare=False)
    """One series per row key (`cpu`, `memory`, `disk /`, `net eth0 received`): the source's own, which go on."""

    def numbers(self) -> Iterable[Number]:
        """Return what rules may watch: of CPU, memory, swap, load and the control group; disks by mount point."""
        values = {
            "cpu_percent": self.cpu.percent,
            "memory_percent": self.memory.percent,
            "swap_percent": self.memory.swap_percent,
            "load_per_cpu": self.cpu.load_per_cpu,
            "cgroup_memory_percent": self.cgroup.memory_percent,
            "descriptors_percent": self.descriptors.percent if self.descriptors is not None else None,
            **{f"{resource}_pressure_percent": found.some_percent for resource, found in self.pressure.items()},
        }
        numbers = [Number(metric, value) for metric, value in values.items() if value is not None]
        numbers += [Number("disk_percent", mount.percent, mount.mountpoint) for mount in self.mounts]
        numbers += [
            Number("inodes_percent", mount.inodes_percent, mount.mountpoint)
            for mount in self.mounts
            if mount.inodes_percent is not None
        ]
        return numbers
