"""What opstui itself costs: CPU, memory, bytes to the terminal, and how often it asks each system."""

import os
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.poller import Pace
from tui.units import size, span

_WHILE_S: Final = 60.0
_EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Mark:
    at: float
    """`time.monotonic()`."""
    cpu_s: float
    written: int


class OwnCost:
    """Marks what was used, so that the last minute can be told."""

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque(maxlen=int(_WHILE_S / _EVERY_S) + 1)

    def mark(self, written: int) -> None:
        """Take note, at most every five seconds; `written` are the bytes that went to the terminal so far."""
        now = time.monotonic()
        if not self._marks or now - self._marks[-1].at >= _EVERY_S:
            self._marks.append(_Mark(now, time.process_time(), written))

    def page(self, written: int, paces: Iterable[Pace]) -> str:
        """Return the cost of the last minute, in lines."""
        lines = ["OPSTUI ITSELF"]
        first = self._marks[0] if self._marks else None
        elapsed = time.monotonic() - first.at if first is not None else 0.0
        if first is not None and elapsed >= 1:
            cpu = 100 * (time.process_time() - first.cpu_s) / elapsed
            lines += [
                f"  over the last {span(elapsed)}",
                f"  cpu            {cpu:.1f} % of a core",
                f"  to the screen  {(written - first.written) / elapsed:,.0f} bytes/s",
            ]
        lines.append(f"  memory         {size(resident_bytes())}, process {os.getpid()}")
        lines += ["", "  SYSTEM                          READS/MIN  REQUESTS/MIN  TOOK"]
        lines += [
            f"  {pace.source.rstrip(':'):<30}  {pace.reads_per_min:>9.0f}"
            f"  {'–' if pace.requests_per_min is None else f'{pace.requests_per_min:.0f}':>12}"
            f"  {'–' if pace.took_s is None else f'{pace.took_s * 1000:.0f} ms'}"
            for pace in paces
        ]
        return "\n".join(lines)


def resident_bytes() -> float | None:
    """Return this process's resident memory (`/proc/self/statm`); None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return float(pages * os.sysconf("SC_PAGE_SIZE"))
