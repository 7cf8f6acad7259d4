"""Rows of the Pods tab: facts in, cells out. Ages are words of a moment; `moments` says which ones a row shows."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from tui.rules import Level
from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.inside import OFTEN_PERCENT
from tui.sources.kubernetes.metrics import Usage
from tui.sources.kubernetes.pods import Health, Pod
from tui.sources.kubernetes.trends import Trend
from tui.sources.kubernetes.workloads import Condition, Workload
from tui.units import percent, size
from widgets.cell import Cell, Column, LateCell, LateRow, Row, SortValue, Tone
from widgets.sparkline import sparkline

_NONE: Final = "<none>"
"""kubectl's word for what a pod has not."""
WIDE: Final = 120
"""From this width on there is room for longer names."""
_WIDEST: Final = 160
CURVES: Final = 180
"""From this width on curves of what pods used have room beside everything else."""
TREND: Final = 8
"""Cells a curve takes in a row."""
NEAR_LIMIT: Final = 90.0
"""Percent of a limit from which a pod is near to being killed for its memory, or held for its CPU."""
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


HELD_BACK: Final = "not ready as a pod"
"""Said of one whose containers all are: its node is silent, or a readiness gate is shut."""


@dataclass(frozen=True, slots=True)
class Holding:
    """How often CPU limits held a pod of late, as its kubelet counts it."""

    percent: float | None
    """Of the periods of the container that was held most; None: there is one reading so far, or no limit."""
    has_limit: bool


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
    pod_trend: Callable[[str], Trend | None] = lambda name: None
    """By `namespace/name`."""
    holding: Callable[[Pod], Holding | None] = lambda pod: None
    """None: nobody told of late."""


def pod_columns(width: int, *, is_usage: bool = False) -> tuple[Column, ...]:
    """Return the columns of pods for a screen of this width; `is_usage`: what they use comes before how they are."""
    is_wide = width >= WIDE
    has_room = is_wide or not is_usage
    namespace, status = (16, 24) if width >= _WIDEST else (12, 18) if is_wide else (10, 16)
    return (
        Column("namespace", "NAMESPACE", namespace, keeps_end=True, hidden=not has_room),
        Column("name", "NAME", min_width=30 if is_wide else 24 if is_usage else 20, max_width=63, keeps_end=True),
        Column("ready", "READY", 5, hidden=not has_room),
        Column("status", "STATUS", status, hidden=not has_room),
        Column("restarts", "RESTARTS", 14 if is_wide else 12, hidden=is_usage),
        Column("age", "AGE", 6, "right", hidden=is_usage),
        Column("node", "NODE", 15, priority=5 if is_usage else 2),
        Column("cpu", "CPU", 6, "right", priority=0 if is_usage else 1),
        Column("cpu_share", "%CPU/R", 6, "right", priority=3 if is_usage else 5),
        Column("cpu_limit", "%CPU/L", 7, "right", priority=0 if is_usage else 4),
        Column("held", "HELD", 5, "right", priority=0, hidden=not is_usage),
        Column("cpu_trend", "CPU 10m", TREND, priority=1 if is_usage else 6),
        Column("memory", "MEM", 9, "right", priority=0 if is_usage else 1),
        Column("memory_request", "%MEM/R", 6, "right", priority=4 if is_usage else 7),
        Column("memory_share", "%MEM/L", 7, "right", priority=0 if is_usage else 3),
        Column("memory_trend", "MEM 10m", TREND, priority=2 if is_usage else 6),
        Column("ip", "IP", 15, priority=8, hidden=is_usage),
    )


def without_namespace(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return columns for rows that are all in one namespace; they keep a cell for it."""
    return tuple(replace(column, hidden=True) if column.key == "namespace" else column for column in columns)


class PodRow(LateRow):
    """A pod's row, worked out when it is drawn: from the pod as it was told of, and from what it uses then."""

    __slots__ = ("_light", "_pod")

    _pod: Pod
    _light: Light

    def __init__(self, pod: Pod, light: Light) -> None:
        """Take what it is made from."""
        object.__setattr__(self, "_pod", pod)
        object.__setattr__(self, "_light", light)

    def made(self) -> Row:
        """Return the row, worked out now."""
        return pod_row(self._pod, self._light)

    def sort_value(self, column: int) -> SortValue:
        """Return what it is sorted by in a column now."""
        return _POD_SORTS[column](self._pod, self._light)

    def words(self) -> str:
        """Return the text a filter looks at: all but what the pod uses, which is another number at each reading."""
        pod = self._pod
        age = age_since(pod.created_at, self._light.now)
        state = f"{pod.ready}/{pod.containers} {pod.status} {_restarts(pod, self._light.now)} {age}"
        return f"{pod.namespace} {pod.name} {state} {pod.node or _NONE} {pod.ip or _NONE} {_pod_haystack(pod)}"


def pod_row(pod: Pod, light: Light) -> Row:
    """Return a pod's row; sorting by STATUS puts what needs somebody first.

    Shares are of what its containers ask for (/R) and of what they may have (/L); nothing where not every one has a
    limit. HELD is the part of its periods of late in which a CPU limit held it. The curves of the last ten minutes
    reach up to the limit, or to their own peak where there is none.
    """
    tone = POD_TONES[pod.health]
    usage, trend = light.pod_usage(pod.path), light.pod_trend(pod.path)
    cpu, used = (usage.cpu_cores, usage.memory_bytes) if usage is not None else (None, None)
    level = light.level("pod_restarts", pod.path) if pod.health is Health.FAILING else Level.OK
    cells = (
        pod.namespace,
        pod.name,
        Cell(f"{pod.ready}/{pod.containers}", tone if pod.ready < pod.containers else ""),
        Cell(pod.status, tone),
        Cell(_restarts(pod, light.now), _LEVEL_TONES[level]),
        age_since(pod.created_at, light.now),
        pod.node or _NONE,
        cores(usage),
        percent(share(cpu, pod.cpu_request_cores)),
        _near(share(cpu, pod.cpu_limit_cores)),
        _held(light.holding(pod)),
        _curve(trend, trend.cpu_cores if trend else (), pod.cpu_limit_cores),
        memory(usage),
        percent(share(used, pod.memory_request_bytes)),
        _near(share(used, pod.memory_limit_bytes)),
        _curve(trend, trend.memory_bytes if trend else (), pod.memory_limit_bytes),
        pod.ip or _NONE,
    )
    sort = tuple(value(pod, light) for value in _POD_SORTS)
    return Row(cells, sort, "dim" if pod.health is Health.ENDED else "", _pod_haystack(pod))


def _restarts(pod: Pod, now: float) -> str:
    if pod.restarts and pod.restarted_at is not None:
        return f"{pod.restarts} ({age_since(pod.restarted_at, now)} ago)"
    return str(pod.restarts)


def _pod_haystack(pod: Pod) -> str:
    return f"{pod.path} {pod.owner.kind}/{pod.owner.name}" if pod.owner else f"{pod.path} "


def _cpu(pod: Pod, light: Light) -> float | None:
    return usage.cpu_cores if (usage := light.pod_usage(pod.path)) is not None else None


def _memory(pod: Pod, light: Light) -> float | None:
    return usage.memory_bytes if (usage := light.pod_usage(pod.path)) is not None else None


def _held_percent(pod: Pod, light: Light) -> float | None:
    return holding.percent if (holding := light.holding(pod)) is not None else None


_POD_SORTS: Final[tuple[Callable[[Pod, Light], SortValue], ...]] = (
    lambda pod, _: pod.path,
    lambda pod, _: pod.name,
    lambda pod, _: pod.ready - pod.containers,
    lambda pod, _: f"{_POD_RANKS[pod.health]}{pod.status} {pod.path}",
    lambda pod, _: pod.restarts,
    lambda pod, _: -(pod.created_at or 0),
    lambda pod, _: pod.node,
    _cpu,
    lambda pod, light: share(_cpu(pod, light), pod.cpu_request_cores),
    lambda pod, light: share(_cpu(pod, light), pod.cpu_limit_cores),
    _held_percent,
    _cpu,
    _memory,
    lambda pod, light: share(_memory(pod, light), pod.memory_request_bytes),
    lambda pod, light: share(_memory(pod, light), pod.memory_limit_bytes),
    _memory,
    lambda pod, _: pod.ip,
)
"""What each column is sorted by, in their order."""

USAGE_COLUMNS: Final = frozenset(
    ("cpu", "cpu_share", "cpu_limit", "held", "cpu_trend", "memory", "memory_request", "memory_share", "memory_trend")
)
"""The keys of the columns that show, and are sorted by, what pods use: all of it changes at each reading of metrics."""


def _near(of_limit: float | None) -> Cell:
    return Cell(percent(of_limit), "warn" if (of_limit or 0.0) >= NEAR_LIMIT else "")


def _held(holding: Holding | None) -> str | Cell:
    if holding is None:
        return ""
    if holding.percent is None:
        return "…" if holding.has_limit else "–"
    return Cell(percent(holding.percent), "warn" if holding.percent >= OFTEN_PERCENT else "")


def _curve(trend: Trend | None, values: Sequence[float], limit: float | None) -> str | Cell:
    if trend is None:
        return ""
    # The array goes on: what is drawn is what it holds then, and the number of readings says when it is another curve.
    return LateCell((trend.readings, limit), partial(curve, values, TREND, limit))


def curve(values: Sequence[float], width: int, limit: float | None) -> str:
    """Return what something used as a curve from nothing up to its limit; to its own peak where that is higher."""
    peak = max((value for value in values if math.isfinite(value)), default=0.0)
    return sparkline(values, width, low=0.0, high=max(peak, limit or 0.0))


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
    is_wide = width >= WIDE
    return (
        Column("kind", "KIND", 11),
        Column("namespace", "NAMESPACE", 16 if is_wide else 10, keeps_end=True),
        Column("name", "NAME", min_width=20, max_width=63, keeps_end=True),
        Column("ready", "READY", 9),
        Column("updated", "UP-TO-DATE", 10, "right", priority=1),
        Column("available", "AVAILABLE", 9, "right", priority=2),
        Column("age", "AGE", 6, "right"),
        # Of a Job or a CronJob the counts say nothing without it.
        Column("status", "STATUS", 20 if is_wide else 15),
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


def share(used: float | None, whole: float | None) -> float | None:
    """Return a part in percent; None where either is unknown, or nothing is set."""
    return None if used is None or not whole else 100 * used / whole
