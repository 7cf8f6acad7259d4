"""Replication: facts in, rows and pages out."""

from dataclasses import replace
from typing import Any

import pytest

from tests.tui.panes.test_database import PILEUP, PaneApp, until
from tui.panes.database_replication import replication_page, replication_rows
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.replication import Conflict, Replica, Replication, Slot, Standby
from tui.sources.postgres.view_facts import ViewFacts
from widgets.cell import cell_text
from widgets.dialogs import TextDialog

REPLICA = Replica(
    pid=1, name="r1", role="rep", client="10.0.0.2", state="streaming", sync_state="async", pending_bytes=0,
    write_bytes=10, flush_bytes=20, replay_bytes=70, write_s=0.0012, flush_s=0.002, replay_s=65.0, reply_ago_s=0.1,
)  # fmt: skip
SLOT = Slot("s1", "logical", "pgoutput", "shop", True, 9, False, "reserved", 1 << 20, 1 << 30, 50, "", None)
STANDBY = Standby(True, "streaming", "db1:5432", "s1", 5 << 20, 61.0, 61.0, False, 0.1, "off", "30s", 0.0)


def replicating(*replicas: Replica, **found: Any) -> DatabaseSnapshot:
    return replace(PILEUP, views=ViewFacts(replication=Replication(replicas, **found)))


def rows(snapshot: DatabaseSnapshot) -> list[list[str]]:
    return [[cell_text(cell) for cell in row.cells] for row in replication_rows(snapshot, lambda *_: "").values()]


def test_a_receiver_is_told_stage_by_stage_in_bytes_and_time() -> None:
    assert rows(replicating(REPLICA)) == [
        ["receiver", "r1", "streaming", "100 B", "1m5s", "0 B", "10 B 1 ms", "20 B 2 ms", "70 B 1m5s",
         "async, 10.0.0.2"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, "active", "logical pgoutput of shop, WAL reserved, safe for 1.0 MiB more"),
        ({"is_active": False, "inactive_s": 90.0, "safe_bytes": None}, "INACTIVE",
         "logical pgoutput of shop, WAL reserved, for 1m30s"),
        ({"wal_status": "lost", "retained_bytes": None, "safe_bytes": None}, "active",
         "LOST: its WAL is gone, logical pgoutput of shop"),
        ({"wal_status": "unreserved", "safe_bytes": None}, "active", "about to be lost, logical pgoutput of shop"),
        ({"invalidation_reason": "wal_removed", "safe_bytes": None}, "active",
         "INVALID: wal_removed, logical pgoutput of shop"),
    ],
)  # fmt: skip
def test_a_slot_is_told_with_what_it_keeps_and_for_how_long_it_may(
    changes: dict[str, Any], state: str, words: str
) -> None:
    (row,) = rows(replicating(slots=(replace(SLOT, **changes),)))
    assert (row[2], row[-1]) == (state, words)


@pytest.mark.parametrize(
    ("changes", "state"),
    [({}, "streaming"), ({"is_paused": True}, "PAUSED"), ({"is_receiving": False, "status": None}, "NO RECEIVER")],
)
def test_a_standby_tells_of_itself(changes: dict[str, Any], state: str) -> None:
    (row,) = rows(replicating(standby=replace(STANDBY, **changes)))
    assert (row[2], row[3], row[4]) == (state, "5.0 MiB", "1m1s")


def test_conflicts_are_told_by_cause() -> None:
    (row,) = rows(replicating(conflicts=(Conflict("shop", {"lock": 2, "snapshot": 1}),)))
    assert (row[2], row[-1]) == ("3", "queries cancelled: lock 2, snapshot 1")


def test_pages_say_more() -> None:
    found = replicating(REPLICA, slots=(replace(SLOT, is_active=False),), standby=replace(STANDBY, is_paused=True))
    for key, words in (
        (("replica", "1"), "write_lag 1 ms"),
        (("slot", "s1"), "pg_drop_replication_slot('s1')"),
        (("standby", ""), "pg_wal_replay_resume()"),
    ):
        page = replication_page(found, key)
        assert page is not None
        assert words in page[1]
    assert replication_page(found, ("slot", "gone")) is None


async def test_the_view_says_that_nobody_replicates_or_opens_who_does() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        app.pane.open_at("replication", "", "")
        assert "no standby receives from here" in app.table("replication").empty
        app.read(replicating(REPLICA))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
