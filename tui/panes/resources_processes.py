"""Processes of the host → rows. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from tui.sources.host_processes import Process
from tui.units import size
from widgets.cell import Cell, Column, Row, Tone

COLUMNS: Final = (
    Column("pid", "PID", 8, "right"),
    Column("user", "USER", min_width=8, max_width=16, priority=1),
    Column("cpu", "%CPU", 6, "right"),
    Column("rss", "RSS", 10, "right"),
    Column("share", "%MEM", 5, "right", priority=3),
    Column("threads", "THR", 5, "right", priority=3),
    Column("state", "STATE", 10, priority=2),
    Column("command", "COMMAND", min_width=24),
)


def process_lines(process: Process) -> list[tuple[str, str]]:
    """Return a process in full: names and values."""
    cpu = "not yet known" if process.cpu_percent is None else f"{process.cpu_percent:.1f} % of one core"
    return [
        ("Process", str(process.pid)),
        ("Command", process.command),
        ("User", process.user),
        ("Began", datetime.fromtimestamp(process.started_at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")),
        ("State", process.state),
        ("CPU", cpu),
        ("Memory", f"{size(process.rss_bytes)} resident"),
        ("Threads", str(process.threads)),
    ]


def process_rows(processes: Iterable[Process], total_bytes: int) -> Mapping[str, Row]:
    """Return a row for every process, by pid and start; `total_bytes` is the host's memory."""
    return {key_of(process): _row(process, total_bytes) for process in processes}


def key_of(process: Process) -> str:
    """Return by what a process is known: a pid alone may be another one's by now."""
    return f"{process.pid} {process.started_at}"


def _row(process: Process, total_bytes: int) -> Row:
    share = 100 * process.rss_bytes / total_bytes if total_bytes else None
    tone: Tone = "warn" if process.is_stuck else ""
    cpu = process.cpu_percent
    return Row(
        (
            str(process.pid),
            process.user,
            "–" if cpu is None else f"{cpu:.0f}",
            size(process.rss_bytes),
            "–" if share is None else f"{share:.0f}",
            str(process.threads),
            Cell(process.state, tone),
            process.command,
        ),
        (process.pid, process.user, cpu, process.rss_bytes, share, process.threads, process.state, process.command),
    )
