"""Rows of nodes in the Pods tab: facts in, cells out."""

from collections.abc import Iterable

from tui.panes.pods_rows import WIDE, Light, share
from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.nodes import Node
from tui.units import percent
from widgets.cell import Cell, Column, Row, Tone


def node_columns(width: int) -> tuple[Column, ...]:
    """Return the columns of nodes."""
    return (
        Column("name", "NAME", min_width=16, keeps_end=True),
        Column("status", "STATUS", 26 if width >= WIDE else 16),
        Column("roles", "ROLES", 14),
        Column("age", "AGE", 6, "right"),
        Column("version", "VERSION", 14, priority=1),
        Column("cpu", "CPU", 6, "right"),
        Column("memory", "MEM", 6, "right"),
        Column("ip", "INTERNAL-IP", 15, priority=2),
        Column("os", "OS-IMAGE", 24, priority=3),
    )


def node_row(node: Node, light: Light) -> Row:
    """Return a node's row; CPU and MEM are shares of what pods may use there."""
    usage = light.node_usage(node.name)
    cpu = share(usage.cpu_cores if usage else None, node.cpu_cores)
    used = share(usage.memory_bytes if usage else None, node.memory_bytes)
    status = ",".join((node.status, *node.pressures))
    tone: Tone = "critical" if not node.is_ready else "warn" if status != "Ready" else ""
    cells = (
        node.name,
        Cell(status, tone),
        node.roles,
        age_since(node.created_at, light.now),
        node.version,
        percent(cpu),
        percent(used),
        node.ip,
        node.os_image,
    )
    rank = ("critical", "warn", "").index(tone)
    sort = (
        node.name,
        f"{rank}{node.name}",
        node.roles,
        -(node.created_at or 0),
        node.version,
        cpu,
        used,
        node.ip,
        node.os_image,
    )
    return Row(cells, sort)


def node_moments(node: Node) -> Iterable[float | None]:
    """Return the moments whose age a node's row shows."""
    return (node.created_at,)
