"""Tables and indexes: facts in, rows with what is worth a look out."""

from dataclasses import replace
from typing import Any

import pytest

from tests.tui.panes.test_database import PILEUP, PaneApp, until
from tui.panes.database_tables import (
    index_page,
    index_rows,
    indexes_words,
    table_page,
    table_rows,
    tables_words,
)
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.tables import Index, Indexes, Table, Tables
from tui.sources.postgres.view_facts import ViewFacts
from widgets.cell import cell_text
from widgets.dialogs import TextDialog
from widgets.notice import NoticeBar

ORDERS = Table(
    oid=1, schema="public", name="orders", table_bytes=1 << 30, index_bytes=1 << 20, live=1_000_000, dead=10,
    modified=5, seq_scans=3, seq_rows=3_000_000, index_scans=900, vacuum_ago_s=None, autovacuum_ago_s=3700.0,
    analyze_ago_s=60.0, autoanalyze_ago_s=7200.0, is_autovacuum_off=False, may_select=True,
)  # fmt: skip
BY_DAY = Index(
    oid=7, schema="public", table="orders", name="orders_day", bytes=1 << 20, scans=5, scanned_ago_s=30.0,
    is_unique=False, is_primary=False, is_exclusion=False, is_replica_identity=False, is_valid=True, alike=(),
    definition="CREATE INDEX orders_day ON public.orders USING btree (day)", counted_s=86_400.0,
)  # fmt: skip


def tables(*found: Table, age_s: float = 3.0) -> DatabaseSnapshot:
    return replace(PILEUP, views=ViewFacts(tables=Tables(found, len(found), age_s)))


def indexes(*found: Index) -> DatabaseSnapshot:
    return replace(PILEUP, views=ViewFacts(indexes=Indexes(found, 500, 42.0)))


def cells(rows: Any) -> list[list[str]]:
    return [[cell_text(cell) for cell in row.cells] for row in rows.values()]


def table_note(**changes: Any) -> str:
    return cells(table_rows(tables(replace(ORDERS, **changes)), lambda *_: ""))[0][-1]


def index_note(**changes: Any) -> str:
    return cells(index_rows(indexes(replace(BY_DAY, **changes)), lambda *_: ""))[0][-1]


def test_a_table_is_told_by_size_rows_and_care() -> None:
    (row,) = cells(table_rows(tables(ORDERS), lambda *_: ""))
    assert row[:3] == ["orders", "1.0 GiB", "1.0 MiB"]
    assert row[7:9] == ["1h1m", "1m"], "the nearer of both, by hand or not, and as it has aged"
    assert row[-1] == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dead": 400_000}, "29 % dead: vacuum is behind, or held back (Overview: xmin horizon)"),
        ({"dead": 9_000, "live": 100}, ""),
        ({"seq_scans": 100, "seq_rows": 90_000_000}, "missing index? 900,000 rows read per sequential scan"),
        ({"seq_scans": 100, "seq_rows": 100_000}, ""),
        ({"seq_scans": 100, "seq_rows": 90_000_000, "live": 5000}, ""),
        ({"is_autovacuum_off": True}, "autovacuum_enabled is off for it"),
        ({"analyze_ago_s": None, "autoanalyze_ago_s": None}, "never analyzed: the planner guesses"),
    ],
)
def test_what_is_worth_a_look_is_said(changes: dict[str, Any], words: str) -> None:
    assert table_note(**changes) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"scans": 0}, "unused in 1d"),
        ({"scans": 0, "counted_s": None}, "unused"),
        ({"scans": 0, "is_unique": True}, ""),
        ({"scans": 0, "is_replica_identity": True}, ""),
        ({"alike": ("orders_day_2",)}, "duplicate of orders_day_2"),
        ({"is_valid": False}, "INVALID: being built, or a CONCURRENTLY failed"),
    ],
)
def test_an_index_is_judged_by_its_use(changes: dict[str, Any], words: str) -> None:
    assert index_note(**changes) == words


def test_pages_say_what_is_an_estimate_and_which_grant_would_help() -> None:
    page = table_page(tables(replace(ORDERS, bloat_bytes=1 << 28)), 1)
    assert page is not None
    assert "about 256.0 MiB (25 %): an estimate" in page[1]
    page = table_page(tables(replace(ORDERS, may_select=False, schema="hr")), 1)
    assert page is not None
    assert "ask for: GRANT SELECT ON hr.orders TO opstui, or pg_read_all_data (14+)" in page[1]
    assert table_page(tables(ORDERS), 99) is None


def test_an_index_that_could_go_is_told_with_what_to_think_of_first() -> None:
    page = index_page(indexes(replace(BY_DAY, scans=0)), 7)
    assert page is not None
    assert "scans on standbys are counted there" in page[1]
    assert "DROP INDEX CONCURRENTLY public.orders_day" in page[1]
    page = index_page(indexes(BY_DAY), 7)
    assert page is not None
    assert "DROP" not in page[1]


def test_the_strip_says_of_which_database_and_how_old() -> None:
    assert tables_words(tables(ORDERS)) == "1 in shop, read <10s ago"
    assert indexes_words(indexes(BY_DAY)) == "1 of 500 in shop, read 40s ago"
    assert tables_words(PILEUP) == ""


async def test_tables_are_filtered_opened_and_told_what_is_missing() -> None:
    app = PaneApp()
    other = replace(ORDERS, oid=2, name="payments", is_autovacuum_off=True)
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(replace(tables(ORDERS, other), missing={"bloat": "too dear"}))
        app.pane.open_at("tables", "", "")
        assert app.table("tables").row_count == 2
        assert app.query_one("#database-missing", NoticeBar).text == "bloat not shown: too dear"
        await pilot.press("slash", *"autovacuum_en", "enter")
        await until(pilot, lambda: app.table("tables").visible_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))


async def test_a_query_that_turned_itself_off_says_so_in_place_of_the_rows() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)):
        app.read(replace(tables(), missing={"tables": "too dear for this server"}))
        app.pane.open_at("tables", "", "")
        assert app.table("tables").empty == "tables not shown: too dear for this server"
