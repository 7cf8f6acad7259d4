"""Facts about the host, pods and nodes → rows with a curve, and what their chart shows. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tui.panes.usage_history import Used
from tui.sources.history import Past, recent, time_to
from tui.sources.host_facts import HostSnapshot
from tui.units import coarse, percent, rate, size, size_of
from widgets.cell import Cell, Column, Row, Tone
from widgets.segment_line import Segment
from widgets.sparkline import sparkline

STEP_S: Final = 15.0
"""What one character of a curve stands for."""
NARROW_TREND: Final = 16
"""One such curve and a pod's name fit into 80 cells."""
WIDE_TREND: Final = 40

_NEAR_LIMIT: Final = 90.0
"""Percent of its memory limit from which on a pod is near its end."""
_WORTH_TELLING_S: Final = 30 * 86_400.0
"""A disk that fills later than this is not what anybody looks for now."""

ToneOf = Callable[[str, str], Tone]
"""Metric and object → how the profile's rules judge it now."""

_EMPTY: Final = Past()


@dataclass(frozen=True, slots=True)
class Meter:
    """One number of the host with its past."""

    key: str
    """The same as its series in the snapshot's history."""
    label: str
    value: float | None
    """What the column is sorted by."""
    words: str
    """The value with its unit."""
    note: str = ""
    tone: Tone = ""
    unit: str = "%"
    """What the chart's axis counts in."""
    scale: float = 1.0
    """What the series' values are divided by for the chart."""
    metric: str = ""
    """What rules call it; empty where none watches it."""
    top: float | None = None
    """What the full height of the curve stands for; None: the greatest value seen."""


def host_columns(trend: int) -> tuple[Column, ...]:
    """Return the host table's columns; `trend` is the width of the curve."""
    return (
        Column("what", "WHAT", 22),
        Column("now", "NOW", 12, "right"),
        Column("trend", f"LAST {STEP_S * trend / 60:.0f} MIN", trend),
        Column("note", "", min_width=12, priority=1),
    )


def usage_columns(trend: int, title: str, shares: tuple[str, str]) -> tuple[Column, ...]:
    """Return the columns of the pods' and nodes' tables; `trend` is the width of each of the two curves."""
    span = f"LAST {STEP_S * trend / 60:.0f} MIN"
    return (
        Column("name", title, min_width=30, max_width=72),
        Column("cpu", "CPU", 8, "right"),
        Column("cpu_share", shares[0], 5, "right", priority=1),
        Column("cpu_trend", span, trend, priority=2),
        Column("memory", "MEMORY", 9, "right"),
        Column("memory_share", shares[1], 5, "right", priority=1),
        Column("memory_trend", span, trend, priority=3),
    )


def meters(host: HostSnapshot, tone_of: ToneOf, now: float) -> tuple[Meter, ...]:
    """Return the host's meters in the order they are shown."""
    cpu, memory, mounts = _cpu(host, tone_of), _memory(host, tone_of), _mounts(host, tone_of, now)
    return (*cpu, *memory, *mounts, *_traffic(host), *_cores(host))


def _share(key: str, label: str, value: float | None, note: str = "", tone: Tone = "", metric: str = "") -> Meter:
    """Return a meter of a percentage."""
    return Meter(key, label, value, percent(value), note, tone, metric=metric, top=100)


def _cpu(host: HostSnapshot, tone_of: ToneOf) -> Iterator[Meter]:
    cpu = host.cpu
    limit = host.cgroup.cpu_max
    note = f"of {cpu.count} cores" + (f"; this process may use {limit:g}" if limit is not None else "")
    yield _share("cpu", "cpu", cpu.percent, note, tone_of("cpu_percent", ""), "cpu_percent")
    if cpu.iowait_percent is not None:
        yield _share("cpu iowait", "cpu waiting for I/O", cpu.iowait_percent)
    if cpu.steal_percent is not None:
        yield _share("cpu steal", "cpu stolen", cpu.steal_percent, "taken by the hypervisor for others")
    if cpu.load_1m is not None:
        note = f"{cpu.load_5m:.2f} in 5 min, {cpu.load_15m:.2f} in 15 min; {cpu.load_per_cpu:.2f} per core"
        yield Meter("load", "load", cpu.load_1m, f"{cpu.load_1m:.2f}", note, tone_of("load_per_cpu", ""), unit="")
    for resource, found in host.pressure.items():
        note = f"time in which something waited for {resource}, last 10 s"
        if found.full_percent:
            note += f"; everything waited {percent(found.full_percent)}"
        metric = f"{resource}_pressure_percent"
        yield _share(
            f"pressure {resource}", f"pressure {resource}", found.some_percent, note, tone_of(metric, ""), metric
        )


def _memory(host: HostSnapshot, tone_of: ToneOf) -> Iterator[Meter]:
    memory, group = host.memory, host.cgroup
    used = memory.total_bytes - memory.available_bytes
    note = size_of(used, memory.total_bytes)
    yield _share("memory", "memory", memory.percent, note, tone_of("memory_percent", ""), "memory_percent")
    if memory.swap_percent is not None:
        note = size_of(memory.swap_used_bytes, memory.swap_total_bytes)
        yield _share("swap", "swap", memory.swap_percent, note, tone_of("swap_percent", ""), "swap_percent")
    if group.memory_percent is not None:
        note = f"{size_of(group.memory_current_bytes, group.memory_max_bytes)}: the container's limit"
        metric = "cgroup_memory_percent"
        yield _share("cgroup memory", "memory of cgroup", group.memory_percent, note, tone_of(metric, ""), metric)
    if host.descriptors is not None:
        metric = "descriptors_percent"
        note = f"{host.descriptors.used:,} open of {host.descriptors.limit:,}"
        yield _share("descriptors", "file descriptors", host.descriptors.percent, note, tone_of(metric, ""), metric)


def _mounts(host: HostSnapshot, tone_of: ToneOf, now: float) -> Iterator[Meter]:
    for mount in host.mounts:
        worst: Tone = max(
            (tone_of("disk_percent", mount.mountpoint), tone_of("inodes_percent", mount.mountpoint)), key=_TONES.index
        )
        inodes = f", inodes {percent(mount.inodes_percent)}" if (mount.inodes_percent or 0) >= 50 else ""
        key = f"disk {mount.mountpoint}"
        left = time_to(host.history[key], 100, now) if key in host.history else None
        full = f", full in {coarse(left)} at this pace" if left is not None and left < _WORTH_TELLING_S else ""
        note = f"{size(mount.free_bytes)} free of {size(mount.total_bytes)}{full}{inodes}, {mount.fstype}"
        yield _share(key, key, mount.percent, note, worst, "disk_percent")
    for mountpoint in host.unmeasured:
        yield Meter(
            f"disk {mountpoint}", f"disk {mountpoint}", None, "–", "network file system: asking could hang", "dim"
        )


_TONES: Final[tuple[Tone, ...]] = ("", "dim", "ok", "accent", "warn", "critical")


def _traffic(host: HostSnapshot) -> Iterator[Meter]:
    for disk in host.disks:
        key = f"io {disk.name}"
        if disk.busy_percent is not None:
            yield Meter(f"{key} busy", f"{key} busy", disk.busy_percent, percent(disk.busy_percent), top=100)
        yield _flow(f"{key} read", disk.read_bytes_per_s)
        yield _flow(f"{key} write", disk.write_bytes_per_s)
    for interface in host.interfaces:
        key = f"net {interface.name}"
        bad = interface.problems_per_s
        note = f"{rate(bad)} errors and drops/s" if bad else ""
        yield _flow(f"{key} received", interface.received_bytes_per_s, note, "warn" if bad else "")
        yield _flow(f"{key} sent", interface.sent_bytes_per_s)


def _flow(key: str, value: float | None, note: str = "", tone: Tone = "") -> Meter:
    words = f"{size(value)}/s" if value is not None else "–"
    return Meter(key, key, value, words, note, tone, unit="KiB/s", scale=1024)


def _cores(host: HostSnapshot) -> Iterator[Meter]:
    if host.cpu.count > 1:
        for number, busy in enumerate(host.cpu.per_core_percent):
            yield Meter(f"cpu {number}", f"cpu {number}", busy, percent(busy), "one core", top=100)


def meter_rows(found: Iterable[Meter], history: Mapping[str, Past], now: float, trend: int) -> Mapping[str, Row]:
    """Return the host table's rows, by meter key."""
    return {
        meter.key: Row(
            (
                Cell(meter.label, meter.tone),
                Cell(meter.words, meter.tone),
                curve(history.get(meter.key, _EMPTY), now, trend, meter.top),
                Cell(meter.note, "dim"),
            ),
            (index, meter.value, meter.value, meter.note),
        )
        for index, meter in enumerate(found)
    }


def usage_rows(found: Iterable[Used], now: float, trend: int) -> Mapping[str, Row]:
    """Return the rows of pods or nodes, by name; CPU and memory as `kubectl top` writes them."""
    return {used.name: _usage_row(used, now, trend) for used in found}


def _usage_row(used: Used, now: float, trend: int) -> Row:
    cpu, memory = used.bounds.cpu_cores, used.bounds.memory_bytes
    of_cpu = 100 * used.cpu_cores / cpu if cpu else None
    of_memory = 100 * used.memory_bytes / memory if memory else None
    return Row(
        (
            used.name,
            f"{used.cpu_cores * 1000:.0f}m",
            "–" if of_cpu is None else f"{of_cpu:.0f}",
            curve(used.cpu, now, trend, None),
            f"{used.memory_bytes / 2**20:.0f}Mi",
            # More CPU than asked for is borrowed; memory at its limit is the end of the container.
            Cell("–" if of_memory is None else f"{of_memory:.0f}", "warn" if (of_memory or 0) >= _NEAR_LIMIT else ""),
            curve(used.memory, now, trend, None),
        ),
        (used.name, used.cpu_cores, of_cpu, used.cpu_cores, used.memory_bytes, of_memory, used.memory_bytes),
    )


def curve(series: Iterable[tuple[float, float | None]], now: float, width: int, top: float | None) -> str:
    """Return a series' newest part as a line of blocks, its foot at 0."""
    return sparkline(recent(series, now, STEP_S * width, width), width, low=0, high=top)


def title(host: HostSnapshot) -> list[Segment]:
    """Return what the title says of the host, and of the limits it lives under."""
    group = host.cgroup
    limits = [
        *([f"{group.cpu_max:g} CPUs"] if group.cpu_max is not None else []),
        *([size(group.memory_max_bytes)] if group.memory_max_bytes is not None else []),
    ]
    return [
        Segment(host.hostname),
        Segment(f"up {coarse(host.uptime_s)}", priority=2),
        Segment(f"{host.cpu.count} CPUs, {size(host.memory.total_bytes)}", priority=1),
        *([Segment(f"this cgroup: at most {', '.join(limits)}", "accent")] if group.is_limited else []),
    ]
