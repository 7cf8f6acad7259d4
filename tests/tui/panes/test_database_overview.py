"""The Overview: facts in, rows and pages out; and the views around it in the pane."""

from dataclasses import replace
from typing import Any

import pytest

from tests.tui.panes.test_database import PILEUP, PaneApp, session, snapshot, until
from tui.panes.database_overview import all_holders, connection_groups, overview_page, overview_rows
from tui.panes.database_words import by_hand
from tui.sources.errors import Unreachable
from tui.sources.postgres.facts import DatabaseSnapshot, Rates
from tui.sources.postgres.overview import Archiver, Checkpoints, Holder, Overview, Wraparound
from tui.sources.postgres.view_facts import ViewFacts
from widgets.cell import cell_text
from widgets.dialogs import TextDialog
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

ARCHIVER = Archiver("on", 7, 0, "000000010000000000000007", 5.0, "", None, 1 << 20)
SEEN = Overview(
    3700.0,
    Checkpoints(3, 1, None, 2.0, 0.1),
    ARCHIVER,
    2048.0,
    (Holder("slot", "old_slot", 900, "physical, INACTIVE"),),
)
AGES = (Wraparound("shop", 150_000_000, 5, 200_000_000, 400_000_000),)


def overview(found: DatabaseSnapshot = PILEUP, seen: Overview = SEEN, **changes: Any) -> DatabaseSnapshot:
    return replace(found, views=ViewFacts(seen, AGES), **changes)


def told(found: DatabaseSnapshot) -> dict[str, tuple[str, str]]:
    rows = overview_rows(found, lambda metric, value: "").values()
    cells = [[cell_text(cell) for cell in row.cells] for row in rows]
    return {what.strip(): (value, note) for what, value, note in reversed(cells)}


def test_the_server_is_told_with_its_role_and_for_how_long_it_has_been_up() -> None:
    lines = told(overview())
    assert lines["server"] == ("accepting", "primary, PostgreSQL 18.6")
    assert lines["up"][0] == "1h1m"
    assert lines["WAL written"][0] == "2.0 KiB/s"
    assert lines["checkpoints"][0] == "3 + 1"


def test_clients_are_counted_by_whom_they_belong_to_and_the_port_tells_nobody_apart() -> None:
    found = snapshot(
        session(1, client="10.0.0.1:5001"), session(2, client="10.0.0.1:5002", state="idle"), session(3, client="local")
    )
    assert connection_groups(found, "client")[0] == ("10.0.0.1", {"active": 1, "idle": 1})
    assert told(overview(found))["by client"] == ("2", "10.0.0.1: active 1, idle 1")


def test_many_groups_are_summed_up_and_all_of_them_are_a_page() -> None:
    found = overview(snapshot(*(session(pid) for pid in range(1, 7))))
    values = [cell_text(row.cells[2]) for row in overview_rows(found, lambda *_: "").values()]
    assert "in 3 more (enter)" in values
    page = overview_page(found, ("application", 4))
    assert page is not None
    assert page[1].count("app-") == 6


def test_the_furthest_holder_of_the_horizon_is_named_whatever_it_is() -> None:
    sessions = (
        session(1, "idle in transaction", xmin_age=50),
        session(2, xmin_age=5000, backend_type="walsender", application="replica1"),
        session(3, xmin_age=99_999, application="opstui"),
    )
    found = overview(snapshot(*sessions))
    assert [(one.kind, one.name) for one in all_holders(found)] == [
        ("standby feedback", "2"), ("slot", "old_slot"), ("session", "1"),
    ]  # fmt: skip
    assert told(found)["xmin horizon"] == ("5,000 txns", "held by standby feedback 2: replica1 (app) active")
    page = overview_page(found, ("horizon", 0))
    assert page is not None
    assert "slot old_slot: physical, INACTIVE" in page[1]


def test_wraparound_is_told_of_both_limits() -> None:
    assert told(overview())["wraparound"] == ("7.5 % of 2 billion", "shop: 75 % of autovacuum_freeze_max_age")
    (number,) = ViewFacts(None, AGES).numbers()
    assert (number.metric, number.value) == ("wraparound_percent", 7.5)


@pytest.mark.parametrize(
    ("archiver", "words"),
    [
        (replace(ARCHIVER, mode="off"), ("off", "archive_mode")),
        (ARCHIVER, ("ok", "1.0 MiB behind, last 000000010000000000000007 5s ago")),
        (
            replace(ARCHIVER, failed=3, last_failed="000000010000000000000008", failed_ago_s=2.0),
            (
                "FAILING",
                "1.0 MiB behind, 000000010000000000000008 failed 2s ago (3 times); "
                "last 000000010000000000000007 5s ago",
            ),
        ),
        (
            replace(ARCHIVER, failed=3, last_failed="000000010000000000000006", failed_ago_s=9.0),
            ("ok", "1.0 MiB behind, last 000000010000000000000007 5s ago; 3 failures, the last 9s ago"),
        ),
    ],
)
def test_the_archiver_fails_only_while_its_newest_attempt_did(archiver: Archiver, words: tuple[str, str]) -> None:
    assert told(overview(seen=replace(SEEN, archiver=archiver)))["archiver"] == words


def test_what_cannot_be_read_costs_its_rows_only() -> None:
    lines = told(overview(seen=Overview(60.0)))
    assert "checkpoints" not in lines
    assert "archiver" not in lines
    assert lines["WAL written"][0] == "–"
    assert lines["server"][0] == "accepting"


def test_rates_are_told_with_their_share() -> None:
    lines = told(overview(rates=Rates(100.0, 5.0, 99.96, 2048.0, 0, 2, 0.5)))
    assert lines["rollbacks"] == ("5/s", "5 % of all")
    assert lines["cache hit"][0] == "99.9 %"
    assert lines["temp files"] == ("2.0 KiB/s", "0.5 files/s; sorts and hashes beyond work_mem")


def test_what_is_seen_by_hand_is_the_queries_themselves() -> None:
    sql = by_hand(overview(), "overview")
    assert "pg_stat_checkpointer" in sql
    assert "pg_prepared_xacts" in sql
    assert "opstui" not in sql.partition("\n")[2]


async def test_the_view_says_that_it_is_still_to_be_read_then_shows_its_rows_and_opens_them() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        app.pane.open_at("overview", "", "database:shop")
        assert app.table("overview").empty == "read with the next tick"
        app.read(PILEUP, error=Unreachable("nobody listens"), failing_since=990.0)
        assert app.table("overview").empty == "it had not been read when the server last answered"
        app.read(overview())
        await pilot.press("slash", *"xmin", "enter")
        await until(pilot, lambda: app.table("overview").visible_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))


async def test_what_is_missing_is_said_in_its_own_view_only() -> None:
    app = PaneApp()
    found = overview(missing={"overview": "not supported here"})
    async with app.run_test(size=(80, 24)):
        app.read(found)
        assert app.query_one("#database-missing", NoticeBar).text == ""
        app.pane.open_at("overview", "", "")
        assert app.query_one("#database-missing", NoticeBar).text == "overview not shown: not supported here"


async def test_a_row_that_is_no_session_cannot_be_ended() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(overview())
        app.pane.open_at("overview", "", "")
        await pilot.press("T")
        assert app.requests == []
        assert "not a session" in app.told[0]


async def test_every_view_has_its_place_on_a_narrow_screen() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.pause()
        strip = app.query_one("#database-views", SegmentLine).text
        assert "Slow " in strip
        assert "Overview" in strip
