"""Which queries are sent, and when: only for the view somebody looks at, each at its own pace."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tui.sources.postgres.facts import Server
from tui.sources.postgres.looks import Looks
from tui.sources.postgres.overview import archiver, wal_end
from tui.sources.postgres.row import Row
from tui.sources.postgres.view_facts import ViewFacts

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SERVER = Server("PostgreSQL 18.6", 18, False, START, None, None, "shop", "opstui", False, True, True)
OVERVIEW: dict[str, Any] = {
    "timed": 1, "requested": 2, "restartpoints": None, "write_ms": 1500.0, "sync_ms": 5.0, "stats_reset": None,
    "wal_bytes": 1000, "segment_bytes": 16 << 20, "archive_mode": "off", "archived_count": 0, "failed_count": 0,
    "last_archived_wal": None, "archived_ago_s": None, "last_failed_wal": None, "failed_ago_s": None,
}  # fmt: skip


class FakeServer:
    """Answers with rows by the query's name and remembers what was asked."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.asked: list[str] = []
        self.now_s = 0.0
        self.has_senders = False
        self.takes_s: dict[str, float] = {}
        self.looks = Looks(lambda: self.now_s)

    async def ask(self, name: str, *, is_dear: bool = False) -> Sequence[Row]:
        self.asked.append(name)
        self.now_s += self.takes_s.get(name, 0.0)
        return self.rows.get(name, [])

    async def tick(self, view: str = "", after_s: float = 2.0, server: Server = SERVER) -> tuple[ViewFacts, list[str]]:
        self.now_s += after_s
        self.asked.clear()
        self.looks.look_at(view)
        return await self.looks.read(
            self.ask, server, START + timedelta(seconds=self.now_s), has_senders=self.has_senders
        ), list(self.asked)


async def test_a_view_nobody_looks_at_costs_nothing_and_what_the_rules_need_comes_every_ten_seconds() -> None:
    fake = FakeServer()
    asked = [(await fake.tick())[1] for _ in range(6)]
    assert asked == [["wraparound", "slots"], [], [], [], [], ["wraparound", "slots"]]


async def test_what_was_looked_at_is_read_once_for_each_look() -> None:
    fake = FakeServer()
    await fake.tick()
    seen, asked = await fake.tick("overview")
    assert asked == ["overview", "horizon"]
    assert seen.overview is not None
    seen, asked = await fake.tick()
    assert (seen.overview, asked) == (None, [])


async def test_receivers_are_asked_for_only_where_there_may_be_one_and_a_standby_only_on_one() -> None:
    fake = FakeServer()
    await fake.tick()
    assert (await fake.tick("replication"))[1] == ["slots"]
    fake.has_senders = True
    standby = replace(SERVER, is_standby=True)
    assert (await fake.tick("replication", server=standby))[1] == ["replication", "standby", "slots", "conflicts"]
    assert (await fake.tick("", 10, standby))[1] == ["wraparound", "replication", "standby", "slots"]


async def test_wal_is_a_rate_between_two_looks_that_are_near() -> None:
    fake = FakeServer(overview=[OVERVIEW])
    rates = []
    for position, after_s in ((1000, 2), (5000, 2), (9000, 300), (9000, 2)):
        fake.rows["overview"] = [{**OVERVIEW, "wal_bytes": position}]
        overview = (await fake.tick("overview", after_s))[0].overview
        assert overview is not None
        rates.append(overview.wal_bytes_per_s)
    assert rates == [None, 2000.0, None, 0.0]


async def test_tables_are_read_twice_a_minute_at_most_and_less_often_the_dearer_they_are() -> None:
    fake = FakeServer()
    asked = [(await fake.tick("tables", 10))[1] for _ in range(4)]
    assert ["tables" in one for one in asked] == [True, False, False, True]
    fake = FakeServer()
    fake.takes_s = {"tables": 0.4}
    await fake.tick("tables")
    assert "tables" not in (await fake.tick("tables", 70))[1]
    assert "tables" in (await fake.tick("tables", 20))[1]


async def test_what_would_make_a_tick_late_waits_for_the_next() -> None:
    fake = FakeServer()
    fake.takes_s = {"tables": 0.6}
    assert (await fake.tick("tables"))[1][-1] == "tables"
    assert (await fake.tick("tables"))[1] == ["bloat"]


def test_the_end_of_a_segment_is_read_from_its_name() -> None:
    assert wal_end("000000020000000100000003", 16 << 20) == (1 << 32) + (4 << 24)
    assert wal_end("00000002.history", 16 << 20) is None
    assert wal_end("", 16 << 20) is None


def test_the_archiver_is_behind_by_what_was_written_after_its_last_segment() -> None:
    row = {**OVERVIEW, "last_archived_wal": "000000010000000000000000", "wal_bytes": (16 << 20) + 4096}
    assert archiver(row).lag_bytes == 4096
    assert archiver({**row, "wal_bytes": None}).lag_bytes is None, "a standby's position is not asked for"
