"""What processes cost: CPU time and memory, from the operating system."""

from pathlib import Path
from typing import Final

import psutil

_MIB: Final = 1024 * 1024


def cpu_of(process: psutil.Process) -> float:
    """Return the user and system seconds of one process and of its children that have ended; 0 when it has ended."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def waited_of(process: psutil.Process) -> float:
    """Return the seconds that a process's main thread was ready to run and had no CPU: what others cost it; else 0."""
    try:
        told = Path(f"/proc/{process.pid}/task/{process.pid}/schedstat").read_text()
    except OSError:
        return 0.0
    return int(told.split()[1]) / 1e9


def cpu_of_tree(process: psutil.Process) -> float:
    """Return the same of a process and all its descendants."""
    try:
        tree = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0
    return sum(cpu_of(member) for member in tree)


def memory_mib(process: psutil.Process) -> tuple[float, float]:
    """Return resident and proportional memory in MiB; proportional is 0 where the system does not tell it."""
    full = process.memory_full_info()
    return full.rss / _MIB, getattr(full, "pss", 0) / _MIB
