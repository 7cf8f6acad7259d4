"""The pools of PgBouncers: readings in, rows and a page out; and the view in the pane."""

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from profiles.schema import Profile
from tests.tui.panes.test_database import NOW, PROFILE, PaneApp, until
from tui.panes.database_pools import note, pool_page, pool_rows
from tui.sources.errors import Unreachable
from tui.sources.pgbouncer import BouncerSnapshot, PgBouncerSource
from tui.sources.pgbouncer.facts import Pool, PooledClient, PooledDatabase, PooledServer, Traffic
from tui.sources.pgbouncer.source import PoolDetail
from tui.sources.reading import Reading
from widgets.cell import Cell, Tone, cell_text
from widgets.dialogs import TextDialog
from widgets.log_view import LogView
from widgets.segment_line import SegmentLine

POOL = Pool("shop", "app", 2, 5, 3.25, 2, 0, 0, "transaction")
CALM = Pool("shop", "report", 1, 0, 0.0, 0, 1, 0, "session")
DATABASE = PooledDatabase("shop", "10.0.0.5:5432/shop", 2, 0, 2, 0, False, False)
SNAPSHOT = BouncerSnapshot(
    "PgBouncer 1.18.0", "opstui", (CALM, POOL), {"shop": DATABASE}, {"shop": Traffic(240.0, 200.0, 4.5, 2.5, 1e3, 1e4)},
    8, 100, "psql 'port=6432 dbname=pgbouncer'",
)  # fmt: skip
DETAIL = PoolDetail(
    (
        PooledClient("10.1.2.3:4000", "web-1", "waiting", 3.2, ""),
        PooledClient("10.1.2.4:4000", "", "active", 0.0, "0x1"),
    ),
    (PooledServer("0x1", "10.0.0.5:5432", "active", 4711),),
)
BOUNCED = Profile.model_validate(
    {"name": "t", "databases": {"shop": "service=shop"}, "pgbouncer": {"main": "host=bouncer dbname=pgbouncer"},
     "rules": {"pgbouncer.waiting_s": {"warn": 1, "critical": 10}}}
)  # fmt: skip


def reading(snapshot: BouncerSnapshot | None = SNAPSHOT, error: Unreachable | None = None) -> Reading[BouncerSnapshot]:
    taken_at = NOW - 1 if snapshot else None
    return Reading("pgbouncer:main", 2.0, snapshot, taken_at, error=error, failing_since=NOW if error else None)


def judge(metric: str, value: float | None) -> Tone:
    return "warn" if metric == "waiting_s" and (value or 0) > 1 else ""


def test_the_longest_wait_stands_first_with_its_reason() -> None:
    rows = list(pool_rows([reading()], judge, NOW).values())
    assert [cell_text(cell) for cell in rows[0].cells] == [
        "main", "shop", "app", "5", "3.2s", "2", "2/2/2", "240", "2.5 ms", "transaction", "pool full",
    ]  # fmt: skip
    assert isinstance(rows[0].cells[4], Cell)
    assert rows[0].cells[4].tone == "warn"
    assert cell_text(rows[1].cells[3]) == "0"


def test_one_that_does_not_answer_says_so_above_its_old_pools() -> None:
    rows = list(pool_rows([reading(error=Unreachable("nobody listens", "start it"))], judge, NOW).values())
    assert "nobody listens" in cell_text(rows[0].cells[-1])
    assert "try: start it" in cell_text(rows[0].cells[-1])
    assert [row.tone for row in rows[1:]] == ["dim", "dim"]


@pytest.mark.parametrize(
    ("pool", "database", "said"),
    [
        (POOL, replace(DATABASE, is_paused=True), "PAUSED"),
        (POOL, replace(DATABASE, is_disabled=True), "DISABLED"),
        (replace(POOL, servers_active=0), DATABASE, "no connection to PostgreSQL"),
        (replace(POOL, servers_active=0, servers_login=1), DATABASE, "connecting"),
        (replace(POOL, servers_active=1), DATABASE, ""),
        (CALM, DATABASE, ""),
        (POOL, None, ""),
    ],
)
def test_what_explains_a_wait_is_noted(pool: Pool, database: PooledDatabase | None, said: str) -> None:
    assert note(pool, database) == said


def test_a_page_names_who_waits_and_who_has_the_connections() -> None:
    page = pool_page(SNAPSHOT, ("pgbouncer:main", "shop", "app"), DETAIL)
    assert "10.1.2.3:4000            waits 3.2s     web-1" in page
    assert "backend 4711     active     for 10.1.2.4:4000" in page
    assert "5 waiting, the first for 3.2s" in page
    assert "gone" in pool_page(replace(SNAPSHOT, pools=()), ("pgbouncer:main", "shop", "app"), DETAIL)


class Known(PgBouncerSource):
    """One that knows who is in its pools."""

    async def detail(self, pool: tuple[str, str]) -> PoolDetail:
        return DETAIL


async def open_pools(app: PaneApp, pilot: Pilot[None]) -> None:
    app.pane.show(reading())
    app.pane.open_at("pools", "", "")
    app.pane.focus_first()
    await pilot.pause()


async def test_the_view_shows_pools_and_opens_one() -> None:
    app = PaneApp(BOUNCED)
    app.desk = replace(app.desk, source=lambda name: Known("main", BOUNCED.pgbouncer["main"]))
    async with app.run_test(size=(80, 24)) as pilot:
        await open_pools(app, pilot)
        assert app.table("pools").row_count == 2
        assert "main: 8/100 clients" in app.query_one("#database-views", SegmentLine).words
        assert app.pane.by_hand().startswith("psql 'port=6432 dbname=pgbouncer' -c 'SHOW POOLS'")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        assert any("web-1" in line.text for line in app.screen.query_one(LogView).visible_lines())


async def test_an_alert_about_a_pool_leads_to_it() -> None:
    app = PaneApp(BOUNCED)
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.show(reading())
        assert app.pane.reveal("pgbouncer:main", "shop/report", NOW)
        await until(pilot, lambda: app.table("pools").cursor_key == ("pgbouncer:main", "shop", "report"))


async def test_keys_that_change_sessions_say_that_a_pool_is_none() -> None:
    app = PaneApp(BOUNCED)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_pools(app, pilot)
        await pilot.press("C", "e")
        await until(pilot, lambda: len(app.told) == 2)
        assert not app.requests


async def test_there_is_no_such_view_without_a_pgbouncer() -> None:
    app = PaneApp(PROFILE)
    async with app.run_test(size=(80, 24)):
        assert "pools" not in app.pane.views
        assert not app.pane.reveal("pgbouncer:main", "", NOW)
