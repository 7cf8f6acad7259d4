"""Tables of any kind as columns and rows: what the server prints, in the room there is."""

from typing import Any

import pytest

from tui.panes.pods_kind_rows import is_fault, kind_columns, kind_rows
from tui.sources.kubernetes.discovery import ApiResource
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
