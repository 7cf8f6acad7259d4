"""The processes of this host that take most: read only while somebody looks, for it means a look at each of them."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.sources.masking import without_secrets
from tui.sources.text import clean

if TYPE_CHECKING:
    from types import ModuleType

    import psutil

KEPT: Final = 50
"""So many of the greatest by CPU, and as many by memory."""
_MOST_COMMAND: Final = 300


@dataclass(frozen=True, slots=True)
class Process:
    """One process."""

    pid: int
    started_at: float
    """`time.time()` when it began; with the pid it names one process for good."""
    user: str
    """Its real user's name in `/etc/passwd`; the number where it is not there."""
    cpu_percent: float | None
    """Of one core, since the reading before; None at its first reading."""
    rss_bytes: int
    """Resident memory, shared pages included."""
    threads: int
    state: str
    """psutil's word: `running`, `sleeping`, `disk-sleep`, `zombie`."""
    command: str
    """Program and arguments, what looks like a secret masked; the kernel's name of it where there are none."""

    @property
    def is_stuck(self) -> bool:
        """Whether it waits for a disk or a network file system, or is dead and not waited for."""
        return self.state in ("disk-sleep", "zombie", "dead")


class Processes:
    """Looks at all processes; remembers their CPU time for the next look."""

    def __init__(self) -> None:
        self._cpu: dict[tuple[int, float], float] = {}
        """Seconds of CPU, by pid and start."""
        self._at = 0.0
        self.total = 0
        """How many there were."""

    def look(self, psutil: "ModuleType") -> tuple[Process, ...]:
        """Return the greatest by CPU and by memory, in the order of their pids; blocks, so call it in a thread.

        What ends meanwhile, or may not be looked at, is left out.
        """
        now, users = time.monotonic(), _users()
        elapsed = now - self._at if self._cpu else 0.0
        found = {}
        cpu: dict[tuple[int, float], float] = {}
        for process in psutil.process_iter():
            try:
                with process.oneshot():
                    key = process.pid, process.create_time()
                    times = process.cpu_times()
                    cpu[key] = times.user + times.system
                    share = 100 * (cpu[key] - self._cpu[key]) / elapsed if elapsed > 0 and key in self._cpu else None
                    found[key] = (process, share, process.memory_info().rss)
            except psutil.Error:
                continue
        self._cpu, self._at, self.total = cpu, now, len(found)
        by_cpu = sorted(found, key=lambda key: -(found[key][1] or 0.0))[:KEPT]
        by_memory = sorted(found, key=lambda key: -found[key][2])[:KEPT]
        shown = (self._told(psutil, *found[key], users) for key in sorted({*by_cpu, *by_memory}))
        return tuple(process for process in shown if process is not None)

    def _told(
        self, psutil: "ModuleType", process: "psutil.Process", share: float | None, rss: int, users: dict[int, str]
    ) -> Process | None:
        try:
            with process.oneshot():
                words = process.cmdline() or [f"[{process.name()}]"]
                uid = process.uids().real
                return Process(
                    process.pid,
                    process.create_time(),
                    users.get(uid, str(uid)),
                    share,
                    rss,
                    process.num_threads(),
                    str(process.status()),
                    clean(without_secrets(" ".join(words)), limit=_MOST_COMMAND),
                )
        except psutil.Error:
            return None


def _users() -> dict[int, str]:
    """Return names by uid from `/etc/passwd` alone: asking a directory service could hang."""
    found: dict[int, str] = {}
    try:
        lines = Path("/etc/passwd").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        parts = line.split(":")
        if len(parts) > 2 and parts[2].isdecimal():
            found[int(parts[2])] = clean(parts[0], limit=32)
    return found
