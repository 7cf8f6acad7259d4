"""File systems worth measuring, the limits of this process, and what the kernel says of waiting and open files."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tui.sources.host_facts import Cgroup, Descriptors, Mount, Pressure
from tui.sources.text import clean

# fmt: off
_NETWORK: Final = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb", "smb3", "smbfs", "afpfs", "afs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs",
        "9p", "webdav", "davfs", "ncpfs", "ocfs2", "gfs2", "acfs",
    }
)
_WITHOUT_SIZE: Final = frozenset(
    {
        "proc", "sysfs", "cgroup", "cgroup2", "devpts", "devtmpfs", "devfs", "mqueue", "debugfs", "tracefs",
        "securityfs", "pstore", "bpf", "configfs", "fusectl", "hugetlbfs", "autofs", "binfmt_misc", "rpc_pipefs",
        "nsfs", "efivarfs", "selinuxfs", "ramfs", "squashfs", "iso9660", "udf", "nullfs",
    }
)
# fmt: on
_TMPFS_PLACES: Final = frozenset({"/tmp", "/dev/shm", "/run"})  # noqa: S108 — names to recognise, nothing is written


class Place(NamedTuple):
    """A line of the mount table."""

    device: str
    mountpoint: str
    fstype: str


def measurable(places: Iterable[Place]) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Return the mounts to measure, one per device, and the mount points of network file systems.

    Those are never asked for their size: statvfs on a dead NFS mount blocks until the server is back.
    """
    chosen: dict[str, Place] = {}
    network: list[str] = []
    for place in places:
        if place.fstype in _NETWORK or (place.fstype.startswith("fuse") and place.fstype != "fuseblk"):
            network.append(place.mountpoint)
        elif place.fstype == "overlay" and place.mountpoint != "/":
            continue  # each running container has one, all on the same disk
        elif place.fstype in _WITHOUT_SIZE or (place.fstype == "tmpfs" and place.mountpoint not in _TMPFS_PLACES):
            continue
        else:
            identity = place.mountpoint if place.fstype in ("tmpfs", "overlay") else place.device
            known = chosen.get(identity)
            if known is None or len(place.mountpoint) < len(known.mountpoint):
                chosen[identity] = place
    return tuple(sorted(chosen.values(), key=lambda place: place.mountpoint)), tuple(sorted(set(network)))


def measure(place: Place) -> Mount | None:
    """Return a mount's sizes (`statvfs`); None when it is gone, forbidden, or has no size."""
    try:
        found = os.statvfs(place.mountpoint)
    except OSError:
        return None
    used, free = (found.f_blocks - found.f_bfree) * found.f_frsize, found.f_bavail * found.f_frsize
    if found.f_blocks == 0:
        return None
    return Mount(
        mountpoint=clean(place.mountpoint),
        device=clean(place.device),
        fstype=clean(place.fstype),
        total_bytes=found.f_blocks * found.f_frsize,
        free_bytes=free,
        percent=100 * used / (used + free) if used + free else 100.0,
        inodes_percent=100 * (found.f_files - found.f_ffree) / found.f_files if found.f_files else None,
    )


def cgroup(root: Path = Path("/sys/fs/cgroup"), process: Path = Path("/proc/self/cgroup")) -> Cgroup:
    """Return the tightest limits of the control group (v2) of this process and of the groups above it.

    A group without v2 files (v1, macOS) has none that we read.
    """
    own = next((line[3:] for line in _text(process).splitlines() if line.startswith("0::")), None)
    if own is None:
        return Cgroup()
    folder = (root / own.strip("/")).resolve()
    memory_max, memory_current, cpu_max = None, None, None
    for group in [folder, *folder.parents]:
        if not group.is_relative_to(root):
            break
        limit = _whole(_text(group / "memory.max"))
        if limit is not None and (memory_max is None or limit < memory_max):
            memory_max, memory_current = limit, _memory_in_use(group)
        cores = _cores(_text(group / "cpu.max"))
        if cores is not None and (cpu_max is None or cores < cpu_max):
            cpu_max = cores
    return Cgroup(memory_max, memory_current, cpu_max)


def _memory_in_use(group: Path) -> int | None:
    current = _whole(_text(group / "memory.current"))
    if current is None:
        return None
    stat = dict(line.split(" ", 1) for line in _text(group / "memory.stat").splitlines() if " " in line)
    # The kernel gives inactive file cache back before it kills anybody; kubectl top counts the same way.
    return max(0, current - (_whole(stat.get("inactive_file", "")) or 0))


def _cores(text: str) -> float | None:
    quota, _, period = text.strip().partition(" ")
    quota_us, period_us = _whole(quota), _whole(period)
    return quota_us / period_us if quota_us is not None and period_us else None


def _whole(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def pressure(folder: Path = Path("/proc/pressure")) -> dict[str, Pressure]:
    """Return what the kernel says of waiting (pressure stall information), by resource; empty where it does not."""
    found: dict[str, Pressure] = {}
    for resource in ("cpu", "memory", "io"):
        try:
            lines = (folder / resource).read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):
            continue
        told = {line.split()[0]: line for line in lines if line}
        some = _avg10(told.get("some", ""))
        if some is not None:
            found[resource] = Pressure(some, _avg10(told.get("full", "")))
    return found


def _avg10(line: str) -> float | None:
    written = next((part for part in line.split() if part.startswith("avg10=")), "")
    try:
        return float(written.removeprefix("avg10="))
    except ValueError:
        return None


def descriptors(path: Path = Path("/proc/sys/fs/file-nr")) -> Descriptors | None:
    """Return how many files are open in the whole system; None where the kernel does not tell."""
    try:
        used, _, limit = path.read_text(encoding="ascii").split()
        return Descriptors(int(used), int(limit))
    except (OSError, ValueError):
        return None
