"""The simulated server's printers say of a real server's objects what that server said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tui.sandbox.cluster.clock import parse_time
from tui.sandbox.cluster.resources import resource_of
from tui.sandbox.cluster.tables import cells_of, columns

ZOO = Path(__file__).parents[3] / "fixtures" / "kubernetes-zoo"
RECORDED = sorted(path.stem for path in ZOO.glob("*.json") if path.stem != "exchanges")
AT_ONE_MOMENT = [name for name in RECORDED if name != "pod-states"]
Row = dict[str, Any]


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ZOO / f"{name}.json").read_text())
    return found


def moments_of_recording(rows: list[Row]) -> Iterator[datetime]:
    """The moments, half a second apart, at which these rows may have been recorded."""
    created = [parse_time(row["object"]["metadata"]["creationTimestamp"]) for row in rows]
    newest = max(moment for moment in created if moment)
    return (newest + timedelta(milliseconds=500 * half) for half in range(400))


def wrong_cells(rows: list[Row], now: datetime) -> list[tuple[Any, Any]]:
    pairs = [(row["cells"], cells_of(resource_of(row["object"]), row["object"], now)) for row in rows]
    return [(real, shown) for real, shown in pairs if real != shown]


@pytest.mark.parametrize("name", RECORDED)
def test_the_columns_are_those_of_a_real_server(name: str) -> None:
    zoo = load(name)
    facts = ("name", "priority", "type")
    shown = [tuple(column[fact] for fact in facts) for column in columns(resource_of(zoo["rows"][0]["object"]))]
    assert shown == [tuple(column[fact] for fact in facts) for column in zoo["columns"]]


@pytest.mark.parametrize("name", AT_ONE_MOMENT)
def test_all_cells_of_one_moment_are_those_of_a_real_server(name: str) -> None:
    rows: list[Row] = load(name)["rows"]
    assert min((wrong_cells(rows, now) for now in moments_of_recording(rows)), key=len) == []


@pytest.mark.parametrize("row", load("pod-states")["rows"], ids=lambda row: f"{row['cells'][2]}-{row['cells'][3]}")
def test_a_pod_in_any_state_is_shown_as_a_real_server_shows_it(row: Row) -> None:
    assert min((wrong_cells([row], now) for now in moments_of_recording([row])), key=len) == []
