"""READY, STATUS, RESTARTS and the like, as the Pods tab draws every object recorded from a real API server."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tui.panes.pods_node_rows import node_columns, node_row
from tui.panes.pods_rows import Light, pod_columns, pod_row, workload_columns, workload_row
from tui.rules import Level
from tui.sources.kubernetes.nodes import parse_node
from tui.sources.kubernetes.pods import parse_pod
from tui.sources.kubernetes.workloads import parse_workload
from widgets.cell import Cell, Column, Row

_ZOO: Final = Path(__file__).parents[2] / "fixtures" / "kubernetes-zoo"
_PODS: Final = ("pods", "pod-states")
_WORKLOADS: Final = {
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "jobs": "Job",
    "cronjobs": "CronJob",
}
_BY_TABLE: Final = {"services", "ingresses", "poddisruptionbudgets", "resourcequotas"}
"""Shown by the server's own cells: tests/tui/sources/kubernetes/test_tables.py."""
_PARSED: Final = {"replicasets", "events", "horizontalpodautoscalers"}
"""Shown in other words than a table's, of facts that tests/tui/sources/kubernetes/test_zoo.py holds to the cells."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def rows(kind: str) -> list[tuple[dict[str, Any], Mapping[str, Any]]]:
    table = json.loads((_ZOO / f"{kind}.json").read_text())
    names = [column["name"] for column in table["columns"]]
    return [(dict(zip(names, row["cells"], strict=True)), row["object"]) for row in table["rows"]]


def seconds(age: str) -> int:
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smhd])", age))


def light(created_at: float | None, age: str) -> Light:
    """Return the moment of recording, as far as the cell with the age tells it."""
    assert created_at is not None
    return Light(created_at + seconds(age), lambda metric, name: Level.OK, lambda path: None, lambda name: None)


def drawn(columns: tuple[Column, ...], row: Row) -> dict[str, str]:
    cells = [cell.text if isinstance(cell, Cell) else str(cell) for cell in row.cells]
    return dict(zip((column.key for column in columns), cells, strict=True))


def test_no_kind_of_the_zoo_is_left_out() -> None:
    held = {*_PODS, *_WORKLOADS, "nodes", *_BY_TABLE, *_PARSED, "exchanges"}
    assert {path.stem for path in _ZOO.glob("*.json")} == held


@pytest.mark.parametrize(("cells", "obj"), [row for kind in _PODS for row in rows(kind)])
def test_a_pods_row_has_the_servers_cells(cells: Mapping[str, Any], obj: Mapping[str, Any]) -> None:
    pod = parse_pod(obj)
    shown = drawn(pod_columns(200), pod_row(pod, light(pod.created_at, cells["Age"])))
    assert [shown[key] for key in ("name", "ready", "status", "restarts", "age", "node", "ip")] == [
        str(cells[name]) for name in ("Name", "Ready", "Status", "Restarts", "Age", "Node", "IP")
    ]


@pytest.mark.parametrize(
    ("kind", "cells", "obj"), [(kind, *row) for name, kind in _WORKLOADS.items() for row in rows(name)]
)
def test_a_workloads_row_has_the_servers_cells(kind: str, cells: Mapping[str, Any], obj: Mapping[str, Any]) -> None:
    workload = parse_workload(kind, obj)
    shown = drawn(workload_columns(200), workload_row(workload, light(workload.created_at, cells["Age"])))
    assert (shown["name"], shown["age"]) == (cells["Name"], cells["Age"])
    match kind:
        case "Deployment":
            wanted = {"ready": "Ready", "updated": "Up-to-date", "available": "Available"}
        case "StatefulSet":
            wanted = {"ready": "Ready"}
        case "DaemonSet":
            assert shown["ready"] == f"{cells['Ready']}/{cells['Desired']}"
            wanted = {"updated": "Up-to-date", "available": "Available"}
        case "Job":
            wanted = {"ready": "Completions", "status": "Status"}
        case _:
            assert shown["ready"] == f"{cells['Active']} active"
            wanted = {"status": "Schedule"}
    assert {key: shown[key] for key in wanted} == {key: str(cells[name]) for key, name in wanted.items()}


@pytest.mark.parametrize(("cells", "obj"), rows("nodes"))
def test_a_nodes_row_has_the_servers_cells(cells: Mapping[str, Any], obj: Mapping[str, Any]) -> None:
    node = parse_node(obj)
    shown = drawn(node_columns(200), node_row(node, light(node.created_at, cells["Age"])))
    wanted = {"name": "Name", "status": "Status", "roles": "Roles", "version": "Version", "ip": "Internal-IP"}
    assert {key: shown[key] for key in wanted} == {key: str(cells[name]) for key, name in wanted.items()}
