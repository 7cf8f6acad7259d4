"""Maintenance under way: facts in, rows out; and what it says can be ended."""

from dataclasses import replace
from typing import Any

import pytest

from tests.tui.panes.test_database import START, PaneApp, session, snapshot, until
from tui.actions.postgres.cancel import CANCEL
from tui.panes.database_progress import done_words, progress_page, progress_rows
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.progress import Progress, percent_of
from tui.sources.postgres.view_facts import ViewFacts
from widgets.cell import cell_text
from widgets.dialogs import TextDialog

BUILD = Progress(
    "create index", 1, "shop", "public.orders", "orders_day", "building index: scanning table", 42.9,
    {"blocks_done": "429", "blocks_total": "1000"},
)  # fmt: skip


def working(*found: Progress) -> DatabaseSnapshot:
    return replace(snapshot(session(1), session(2)), views=ViewFacts(progress=found))


@pytest.mark.parametrize(
    ("kind", "phase", "data", "done"),
    [
        ("vacuum", "scanning heap", {"heap_blks_scanned": 30, "heap_blks_total": 120}, 25.0),
        ("vacuum", "vacuuming indexes", {"heap_blks_scanned": 120, "heap_blks_total": 120}, None),
        ("vacuum", "vacuuming indexes", {"indexes_processed": 1, "indexes_total": 4}, 25.0),
        ("vacuum", "vacuuming heap", {"heap_blks_vacuumed": 6, "heap_blks_total": 120}, 5.0),
        ("analyze", "acquiring sample rows", {"sample_blks_scanned": 1, "sample_blks_total": 2}, 50.0),
        ("create index", "waiting for writers before build", {"lockers_done": 1, "lockers_total": 2, "blocks_total": 9},
         50.0),
        ("create index", "building index: scanning table", {"blocks_done": 5, "blocks_total": 10}, 50.0),
        ("create index", "building index: loading tuples in tree",
         {"blocks_done": 0, "blocks_total": 0, "tuples_done": 1, "tuples_total": 4}, 25.0),
        ("base backup", "streaming database files", {"backup_streamed": 3, "backup_total": None}, None),
        ("copy", "COPY FROM PIPE", {"bytes_processed": 7, "bytes_total": 0}, None),
        ("something new", "any", {}, None),
    ],
)  # fmt: skip
def test_percent_is_that_of_the_phase(kind: str, phase: str, data: dict[str, Any], done: float | None) -> None:
    assert percent_of(kind, phase, data) == done


def test_a_bar_is_never_full_before_it_is() -> None:
    assert done_words(99.99) == "█████████░ 99 %"
    assert done_words(100.0) == "██████████ 100 %"
    assert done_words(None) == "–"


def test_rows_are_keyed_by_session_and_told_with_the_relation() -> None:
    found = working(BUILD, replace(BUILD, pid=99, phase="", relation="oid 7", index="", percent=None))
    rows = progress_rows(found, lambda *_: "")
    assert list(rows) == [(1, START), (99, None)]
    assert cell_text(rows[1, START].cells[-1]) == "public.orders (orders_day)"
    assert cell_text(rows[99, None].cells[4]) == "not visible"


def test_the_page_has_every_number_and_the_statement() -> None:
    page = progress_page(working(BUILD), (1, START))
    assert page is not None
    assert "blocks_total             1000" in page[1]
    assert "SELECT 1" in page[1]
    assert progress_page(working(BUILD), (2, START)) is None


async def test_what_is_under_way_can_be_opened_and_cancelled() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(working())
        app.pane.open_at("progress", "", "")
        assert "no vacuum" in app.table("progress").empty
        app.read(working(BUILD))
        await pilot.press("C")
        assert [(one.verb, one.target.name) for one in app.requests] == [(CANCEL, "1")]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
