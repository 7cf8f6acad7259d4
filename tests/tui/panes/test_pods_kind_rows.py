"""Tables of any kind as columns and rows: what the server prints, in the room there is."""

from dataclasses import replace
from typing import Any

import pytest

from tests.tui.panes.test_pods import pod
from tui.panes.pods_kind_rows import is_fault, kind_columns, kind_rows, with_ready_pods
from tui.panes.pods_kinds import SERVICES
from tui.sources.kubernetes.discovery import ApiResource
from tui.sources.kubernetes.pods import Health
from tui.sources.kubernetes.tables import ResourceTable, parse_table
from widgets.cell import cell_text
from widgets.column_layout import arrange

_QUOTAS = ApiResource("", "v1", "resourcequotas", "ResourceQuota", True, (), frozenset({"list"}))


def _table(names: str, *rows: tuple[Any, ...]) -> ResourceTable:
    columns = [{"name": name.lstrip("+"), "priority": int(name.startswith("+"))} for name in names.split()]
    lines = [
        {"cells": list(cells), "object": {"metadata": {"namespace": "shop", "name": cells[0], "uid": f"u{cells[0]}"}}}
        for cells in rows
    ]
    return parse_table(_QUOTAS, {"kind": "Table", "columnDefinitions": columns, "rows": lines})


@pytest.mark.parametrize("width", [40, 60, 80, 120, 250])
def test_name_and_age_are_whole_at_any_width(width: int) -> None:
    table = _table("Name Request Limit +Selector Age", ("payments", "r" * 60, "l" * 60, "s" * 60, "60d"))
    columns = kind_columns(table, width)
    places = arrange(columns, width, start=2)
    shown = {columns[place.column].title: place for place in places}
    assert shown["AGE"].x + 3 <= width
    assert {"NAMESPACE", "NAME"} <= shown.keys()
    assert ("SELECTOR" in shown) <= ("LIMIT" in shown), "what only -o wide shows goes first"


@pytest.mark.parametrize(("cells", "is_wrong"), [
    (("a", "True", "Bound", "3/3"), False),
    (("a", "False", "Bound", "3/3"), True),
    (("a", "Unknown", "Bound", "3/3"), True),
    (("a", "True", "Pending", "3/3"), True),
    (("a", "True", "Bound", "2/3"), False),
])  # fmt: skip
def test_what_is_wrong_is_read_off_the_columns_that_judge(cells: tuple[str, ...], *, is_wrong: bool) -> None:
    table = _table("Name Ready Status Endpoints", cells)
    assert is_fault(table, table.lines[0]) is is_wrong


def test_a_workloads_ready_counts_judge_too() -> None:
    table = _table("Name Ready", ("a", "2/3"), ("b", "3/3"), ("c", None))
    assert [is_fault(table, line) for line in table.lines] == [True, False, False]
    rows = kind_rows(table, lambda line: is_fault(table, line))
    assert [[cell_text(cell) for cell in row.cells] for row in rows.values()] == [["shop", "a", "2/3"]]


def test_a_service_that_nobody_is_ready_behind_is_a_fault() -> None:
    one = replace(
        pod("api-"), namespace="shop", labels={"app": "api", "tier": "web"}, status="Running", phase="Running"
    )
    whole, wanting = replace(one, health=Health.FINE), replace(one, health=Health.WAITING)
    ended, elsewhere = replace(whole, phase="Succeeded"), replace(whole, namespace="payments")
    names = ("api", "web-of-api", "api-canary", "typo", "by-hand")
    selectors = ("app=api", "app=api,tier=web", "app=api,tier=canary", "app=apii", "<none>")
    table = _table(
        "Name Type +Selector", *((name, "ClusterIP", one) for name, one in zip(names, selectors, strict=True))
    )
    found = with_ready_pods(replace(table, resource=SERVICES), [whole, wanting, ended, elsewhere])
    told = {line.name: (line.cells[1], is_fault(found, line)) for line in found.lines}
    assert told == {
        "api": ("1/2", True),
        "web-of-api": ("1/2", True),
        "api-canary": ("no pods", True),
        "typo": ("no pods", True),
        "by-hand": ("", False),
    }
    assert [column.title for column in kind_columns(found, 120)][:4] == ["NAMESPACE", "NAME", "READY", "TYPE"]
    assert with_ready_pods(table, [whole]) is table, "the quotas of a team are no services"
