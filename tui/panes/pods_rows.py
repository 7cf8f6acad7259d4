"""Rows of the Pods tab: facts in, cells out. Ages are words of a moment; `moments` says which ones a row shows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from tui.rules import Level
from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.metrics import Usage
from tui.sources.kubernetes.nodes import Node
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.workloads import Condition, Workload
from tui.units import percent, size
from widgets.cell import Cell, Column, Row, Tone

_WIDE: Final = 120
NEAR_LIMIT: Final = 90.0
"""Percent of its memory limit from which a pod is near to being killed for it."""
POD_TONES: Final[dict[Health, Tone]] = {
    Health.FINE: "",
    Health.WAITING: "warn",
    Health.FAILING: "critical",
    Health.ENDED: "dim",
    Health.LEFT_OVER: "warn",
}
_POD_RANKS: Final = {
    Health.FAILING: 0,
    Health.WAITING: 1,
    Health.LEFT_OVER: 2,
    Health.FINE: 3,
    Health.ENDED: 4,
}
_WORKLOAD_TONES: Final[dict[Condition, Tone]] = {
    Condition.FINE: "",
    Condition.PROGRESSING: "accent",
    Condition.UNAVAILABLE: "critical",
    Condition.ENDED: "dim",
}
_WORKLOAD_RANKS: Final = {
    Condition.UNAVAILABLE: 0,
    Condition.PROGRESSING: 1,
    Condition.FINE: 2,
    Condition.ENDED: 3,
}
_LEVEL_TONES: Final[dict[Level, Tone]] = {Level.OK: "", Level.WARN: "warn", Level.CRITICAL: "critical"}


@dataclass(frozen=True, slots=True)
class Light:
    """What rows are drawn by, beside their fact."""

    now: float
    level: Callable[[str, str], Level]
    """(metric, object) → what the profile's rules say."""
    pod_usage: Callable[[str], Usage | None]
    """By `namespace/name`."""
    node_usage: Callable[[str], Usage | None]
    """By name."""


def pod_columns(width: int) -> tuple[Column, ...]:
    """Return the columns of pods for a screen of this width."""
    is_wide = width >= _WIDE
    return (
        Column("namespace", "NAMESPACE", 16 if is_wide else 10),
        Column("name", "NAME", min_width=20, max_width=63),
        Column("ready", "READY", 5),
        Column("status", "STATUS", 26 if is_wide else 16),
        Column("restarts", "RESTARTS", 14 if is_wide else 12),
        Column("age", "AGE", 6, "right"),
        Column("node", "NODE", 16, priority=2),
        Column("cpu", "CPU", 6, "right", priority=1),
        Column("memory", "MEM", 9, "right", priority=1),
        Column("ip", "IP", 15, priority=4),
        Column("cpu_share", "%CPU/R", 6, "right", priority=3),
        Column("memory_share", "%MEM/L", 6, "right", priority=3),
    )


def pod_row(pod: Pod, light: Light) -> Row:
    """Return a pod's row; sorting by STATUS puts what needs somebody first.

    %CPU/R is of what its containers ask for, %MEM/L of what they may have; nothing where not every one has a limit.
    """
    tone = POD_TONES[pod.health]
    usage = light.pod_usage(pod.path)
    restarts = str(pod.restarts)
    if pod.restarts and pod.restarted_at is not None:
        restarts += f" ({age_since(pod.restarted_at, light.now)} ago)"
    cpu_share = share(usage.cpu_cores if usage else None, pod.cpu_request_cores)
    memory_share = share(usage.memory_bytes if usage else None, pod.memory_limit_bytes)
    level = light.level("pod_restarts", pod.path) if pod.health is Health.FAILING else Level.OK
    cells = (
        pod.namespace,
        pod.name,
        Cell(f"{pod.ready}/{pod.containers}", tone if pod.ready < pod.containers else ""),
        Cell(pod.status, tone),
        Cell(restarts, _LEVEL_TONES[level]),
        age_since(pod.created_at, light.now),
        pod.node or "<none>",
        cores(usage),
        memory(usage),
        pod.ip or "<none>",
        percent(cpu_share),
        Cell(percent(memory_share), "warn" if (memory_share or 0) >= NEAR_LIMIT else ""),
    )
    sort = (
        pod.path,
        pod.name,
        pod.ready - pod.containers,
        f"{_POD_RANKS[pod.health]}{pod.status} {pod.path}",
        pod.restarts,
        -(pod.created_at or 0),
        pod.node,
        usage.cpu_cores if usage else None,
        usage.memory_bytes if usage else None,
        pod.ip,
        cpu_share,
        memory_share,
    )
    owner = f"{pod.owner.kind}/{pod.owner.name}" if pod.owner else ""
    return Row(cells, sort, "dim" if pod.health is Health.ENDED else "", f"{pod.path} {owner}")


def pod_moments(pod: Pod) -> Iterable[float | None]:
    """Return the moments whose age a pod's row shows."""
    return (pod.created_at, pod.restarted_at)


def cores(usage: Usage | None) -> str:
    """Return CPU as `kubectl top` writes it: `120m`; `–` when unknown."""
    return "–" if usage is None else f"{usage.cpu_cores * 1000:.0f}m"


def memory(usage: Usage | None) -> str:
    """Return memory in the unit that fits; `–` when unknown."""
    return size(usage.memory_bytes if usage else None)


def workload_columns(width: int) -> tuple[Column, ...]:
    """Return the columns of workloads for a screen of this width."""
    is_wide = width >= _WIDE
    return (
        Column("kind", "KIND", 11),
        Column("namespace", "NAMESPACE", 16 if is_wide else 10),
        Column("name", "NAME", min_width=20, max_width=63),
        Column("ready", "READY", 9),
        Column("updated", "UP-TO-DATE", 10, "right"),
        Column("available", "AVAILABLE", 9, "right", priority=1),
        Column("age", "AGE", 6, "right"),
        Column("status", "STATUS", 20, priority=2),
        Column("images", "IMAGES", priority=3, min_width=30),
    )


def workload_row(workload: Workload, light: Light) -> Row:
    """Return a workload's row; sorting by READY puts what is unavailable first."""
    tone = _WORKLOAD_TONES[workload.condition]
    level = light.level("workload_pods_missing", workload.path) if workload.missing else Level.OK
    cells = (
        workload.kind,
        workload.namespace,
        workload.name,
        Cell(workload.ready_words(), _LEVEL_TONES[level] or tone),
        "" if workload.updated is None else str(workload.updated),
        "" if workload.available is None else str(workload.available),
        age_since(workload.created_at, light.now),
        Cell(workload_status(workload), tone),
        ", ".join(workload.images),
    )
    sort = (
        workload.kind,
        workload.path,
        workload.name,
        f"{_WORKLOAD_RANKS[workload.condition]}{workload.path}",
        workload.updated,
        workload.available,
        -(workload.created_at or 0),
        workload_status(workload),
        ", ".join(workload.images),
    )
    return Row(cells, sort, "dim" if workload.condition is Condition.ENDED else "", workload.path)


def workload_status(workload: Workload) -> str:
    """Return a word or two on how a workload is doing: of a Job the server's own word."""
    if workload.problem and workload.kind != "Job":
        return workload.problem.partition(":")[0]
    if workload.status:
        return workload.status
    if workload.missing:
        return f"{workload.missing} unavailable"
    return "rolling out" if workload.condition is Condition.PROGRESSING else ""


def workload_moments(workload: Workload) -> Iterable[float | None]:
    """Return the moments whose age a workload's row shows."""
    return (workload.created_at,)


def node_columns(width: int) -> tuple[Column, ...]:
    """Return the columns of nodes."""
    return (
        Column("name", "NAME", min_width=16),
        Column("status", "STATUS", 26 if width >= _WIDE else 16),
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


def share(used: float | None, whole: float | None) -> float | None:
    """Return a part in percent; None where either is unknown, or nothing is set."""
    return None if used is None or not whole else 100 * used / whole
