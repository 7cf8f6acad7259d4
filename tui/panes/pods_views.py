"""The views of the Pods tab that follow the watches: what each shows and by what it is sorted. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.panes import pods_events, pods_node_rows, pods_rows
from tui.panes.pods_rows import Light
from widgets.cell import Column, Row


@dataclass(frozen=True, slots=True)
class View:
    """One view."""

    title: str
    resources: tuple[str, ...]
    """The watches behind it."""
    columns: Callable[[int], tuple[Column, ...]]
    """For a screen of this width."""
    row: Callable[[Any, Light], Row]
    moments: Callable[[Any], Iterable[float | None]]
    """The moments whose age a row shows."""
    worst: str
    """The column that puts what needs somebody first."""
    plain: str
    """The column it is sorted by otherwise."""


VIEWS: Final[Mapping[str, View]] = {
    "pods": View(
        "Pods", ("pods",), pods_rows.pod_columns, pods_rows.PodRow, pods_rows.pod_moments, "status", "namespace"
    ),
    "workloads": View(
        "Workloads",
        ("deployments", "statefulsets", "daemonsets", "jobs", "cronjobs"),
        pods_rows.workload_columns,
        pods_rows.workload_row,
        pods_rows.workload_moments,
        "ready",
        "namespace",
    ),
    "events": View(
        "Events",
        ("events",),
        pods_events.event_columns,
        pods_events.event_row,
        pods_events.fold_moments,
        "type",
        "seen",
    ),
    "nodes": View(
        "Nodes",
        ("nodes",),
        pods_node_rows.node_columns,
        pods_node_rows.node_row,
        pods_node_rows.node_moments,
        "status",
        "name",
    ),
}
"""By the field of a snapshot that holds the facts, in the order of the strip."""

REVEALED_IN: Final[Mapping[str, str]] = {
    "pod": "pods",
    "node": "nodes",
    **dict.fromkeys(("deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob"), "workloads"),
}
"""The view that has a row for each kind of object, the kind in small letters."""
