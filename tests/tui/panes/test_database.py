"""The Database tab with fixed readings and a fixed clock."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from profiles.schema import Profile
from tui.actions.action import Request
from tui.actions.postgres.cancel import CANCEL
from tui.actions.postgres.terminate import TERMINATE, TERMINATE_MATCHING
from tui.panes.database import DatabasePane
from tui.panes.database_detail import session_page
from tui.panes.pane import Desk, Pane
from tui.rules import Level
from tui.sources.errors import Unreachable, Unreadable
from tui.sources.postgres import PostgresSource
from tui.sources.postgres.blocking import blocking_tree
from tui.sources.postgres.facts import Connections, DatabaseSnapshot, Server, Session
from tui.sources.postgres.plan import Plan
from tui.sources.postgres.settings import Parameter
from tui.sources.postgres.tables import Index, Indexes, Table, Tables
from tui.sources.postgres.view_facts import ViewFacts
from tui.sources.reading import Reading
from widgets.cell import cell_text
from widgets.dialogs import ChooseDialog, InputDialog, TextDialog
from widgets.live_table import LiveTable
from widgets.log_view import LogView
from widgets.notice import NoticeBar
from widgets.segment_line import SegmentLine

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SERVER = Server("PostgreSQL 18.6", 18, False, START, None, None, "shop", "opstui", False, True, True)
NOW = 1000.0


def session(pid: int, state: str = "active", **changes: Any) -> Session:
    made = Session(
        pid=pid, backend_start=START, backend_type="client backend", database="shop", role="app",
        application=f"app-{pid}", client="local", state=state, wait_event_type=None, wait_event=None,
        query=f"SELECT {pid}", query_start=START, transaction_s=5.0, query_s=5.0, state_s=5.0,
    )  # fmt: skip
    return replace(made, **changes)


def snapshot(*sessions: Session) -> DatabaseSnapshot:
    tree = blocking_tree({one.pid: one.blockers for one in sessions if one.blockers})
    return DatabaseSnapshot(SERVER, sessions, Connections({"active": len(sessions)}, len(sessions), 97, 3), tree)


PILEUP = snapshot(session(1, "idle in transaction"), session(2, blockers=(1,)), session(3), session(4, "idle"))
PROFILE = Profile.model_validate({"name": "t", "databases": {"shop": "service=shop", "other": "service=other"}})


class PaneApp(App[None]):
    """The pane alone, remembering what it asked for and said."""

    def __init__(self, profile: Profile = PROFILE, refusal: str | None = None) -> None:
        super().__init__()
        self.desk = Desk(profile, lambda: NOW, lambda *_: Level.OK, lambda request: refusal)
        self.requests: list[Request] = []
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield DatabasePane(self.desk, id="pane")

    def on_pane_requested(self, message: Pane.Requested) -> None:
        self.requests.extend(message.requests)

    def on_pane_told(self, message: Pane.Told) -> None:
        self.told.append(message.text)

    @property
    def pane(self) -> DatabasePane:
        return self.query_one(DatabasePane)

    def table(self, view: str = "activity") -> LiveTable:
        return self.query_one(f"#database-{view}", LiveTable)

    def read(self, found: DatabaseSnapshot | None, name: str = "shop", **more: Any) -> None:
        self.pane.show(Reading(f"database:{name}", 2.0, found, None if found is None else NOW - 1, **more))
        self.pane.focus_first()


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await pilot.pause(0.01)


async def test_sessions_are_shown_and_i_shows_the_idle_too() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        assert app.table().row_count == 3
        await pilot.press("i")
        assert app.table().row_count == 4


async def test_tab_goes_through_the_views_and_back() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("tab")
        assert app.table("blocking").display
        assert app.table("blocking").row_count == 2
        await pilot.press("tab")
        assert "pg_stat_statements cannot be read" in app.table("statements").empty
        await pilot.press("shift+tab", "shift+tab")
        assert app.table("activity").display


async def test_old_rows_stay_and_the_notice_says_why_since_when_and_what_to_try() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)):
        app.read(PILEUP)
        app.read(PILEUP, error=Unreachable("no answer within 4.5 s", "look at the server"), failing_since=990.0)
        notice = app.query_one("#database-notice", NoticeBar).text
        assert "no answer within 4.5 s since 00:16:30Z" in notice
        assert "look at the server" in notice
        assert app.table().stale
        assert app.table().row_count == 3
        app.read(PILEUP)
        assert app.query_one("#database-notice", NoticeBar).text == ""
        assert not app.table().stale


async def test_the_cursor_stays_on_its_session_when_the_order_changes() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("down", "down")
        assert app.table().cursor_key == (3, START)
        app.read(snapshot(session(9, "idle in transaction", transaction_s=99.0), session(3)))
        assert app.table().cursor_key == (3, START)


async def test_capital_t_asks_for_the_session_under_the_cursor_with_its_identity() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("T")
        (request,) = app.requests
        assert (request.verb, request.target.source, request.target.name) == (TERMINATE, "database:shop", "1")
        assert request.target.identity["backend_start"] == START.isoformat()
        await pilot.press("down", "C")
        assert (app.requests[1].verb, app.requests[1].target.name) == (CANCEL, "2")


async def test_cancel_on_an_idle_transaction_points_to_terminate() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("C")
        assert app.requests == []
        assert app.told == ["idle in transaction: cancel does nothing here, terminate (T)"]


async def test_what_the_guard_refuses_is_explained_and_not_asked_for() -> None:
    app = PaneApp(refusal="t is read-only; press W")
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("T")
        assert (app.requests, app.told) == ([], ["t is read-only; press W"])


async def test_marked_sessions_are_asked_for_together_also_those_a_filter_hides() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("i", "space", "space")
        await pilot.press("slash", *"app-4", "enter")
        await until(pilot, lambda: app.table().visible_count == 1)
        await pilot.press("T")
        assert sorted(request.target.name for request in app.requests) == ["1", "2"]


async def test_one_marked_session_that_cannot_be_cancelled_refuses_them_all() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("space", "space", "C")
        assert (app.requests, app.told) == ([], ["idle in transaction: cancel does nothing here, terminate (T)"])


async def test_sessions_are_chosen_by_state_and_time_and_each_is_asked_for() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(snapshot(session(1, "idle", state_s=7200.0), session(2, "idle", state_s=60.0), session(3)))
        await pilot.press("M")
        await until(pilot, lambda: isinstance(app.screen, InputDialog))
        assert app.screen.query_one(Input).value == "idle > 1h"
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.requests))
        assert [(one.verb, one.target.name, dict(one.wanted)) for one in app.requests] == [
            (TERMINATE_MATCHING, "1", {"state": "idle", "longer_than_s": 3600.0})
        ]


async def test_a_choice_that_nobody_matches_cannot_be_taken() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("M")
        await until(pilot, lambda: isinstance(app.screen, InputDialog))
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, InputDialog)
        assert app.requests == []


async def test_every_change_is_listed_with_why_not() -> None:
    app = PaneApp()
    async with app.run_test(size=(120, 24)) as pilot:
        app.read(PILEUP)
        assert app.pane.barred_keys() == {"database.cancel", "database.vacuum", "database.reset_statements"}
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        rows = [app.screen.query_one(LiveTable).row(key) for key in app.screen.query_one(LiveTable).visible_keys]
        told = [tuple(map(cell_text, row.cells)) for row in rows if row is not None]
        assert ("C  Cancel query", "idle in transaction: cancel does nothing here, terminate (T)") in told
        assert told[0][0] == "T  Terminate backend", "what can be done stands first"
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.requests))
        assert app.requests[0].verb == TERMINATE


@pytest.mark.parametrize("key", ["C", "T", "M", "x", "enter", "c", "right_square_bracket"])
async def test_keys_before_the_first_reading_do_no_harm(key: str) -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.pane.focus_first()
        await pilot.press(key)
        assert app.requests == []


async def test_brackets_choose_the_database_and_readings_of_others_wait() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        app.read(snapshot(session(7)), name="other")
        assert app.table().row_count == 3
        await pilot.press("right_square_bracket")
        assert app.table().row_count == 1
        assert "2/2" in app.query_one("#database-server", SegmentLine).text


async def test_the_filter_keeps_what_matches() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("slash", *"app-3", "enter")
        await pilot.pause()
        assert app.table().visible_count == 1
        assert app.focused is app.table()


async def test_hostile_text_is_shown_as_text() -> None:
    app = PaneApp()
    async with app.run_test(size=(200, 24)) as pilot:
        app.read(snapshot(session(1, query="SELECT '[/red]␛]0;x␇'", application="[/red]")))
        await pilot.pause()
        drawn = "\n".join(app.table().render_line(y).text for y in range(4))
        assert "SELECT '[/red]␛]0;x␇'" in drawn


async def test_a_profile_without_databases_says_so() -> None:
    app = PaneApp(Profile.model_validate({"name": "t"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("T", "tab")
        app.pane.tick()
        assert "names no database" in app.table("blocking").empty
        assert app.requests == []


async def test_what_was_empty_before_the_failure_is_not_told_as_the_present() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(snapshot(session(4, "idle")))
        await pilot.press("tab")
        assert app.table("blocking").empty == "nobody waits for a lock"
        app.read(snapshot(session(4, "idle")), error=Unreachable("gone"), failing_since=990.0)
        assert app.table("blocking").empty == "when it was last read: nobody waits for a lock"


async def test_the_cursor_stays_on_the_session_that_was_asked_about() -> None:
    app = PaneApp()
    first, second = session(1, transaction_s=9.0), session(2, transaction_s=5.0)
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(snapshot(first, second))
        asked = app.table().cursor_key
        await pilot.press("T")
        other = second if asked == first.key else first
        app.read(snapshot(first, second, replace(other, pid=3, transaction_s=99.0, state="idle in transaction")))
        assert app.table().cursor_key == asked


async def test_a_session_of_the_tree_is_shown_there() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        assert app.pane.reveal("database:shop", f"backend/1/{START.isoformat()}", NOW)
        await pilot.pause()
        assert app.table("blocking").display
        assert app.table("blocking").cursor_key == (1, START)


async def test_an_idle_session_is_shown_though_idle_ones_were_hidden() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("tab", "slash", *"app-1", "enter")
        await pilot.pause(0.1)
        assert app.pane.reveal("database:shop", f"backend/4/{START.isoformat()}", NOW)
        await pilot.pause(0.1)
        assert app.table("activity").display
        assert app.table("activity").cursor_key == (4, START)


async def test_a_pid_that_is_anothers_now_is_gone() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)):
        app.read(PILEUP)
        assert not app.pane.reveal("database:shop", "backend/1/2020-01-01T00:00:00+00:00", NOW)
        assert not app.pane.reveal("database:shop", "backend/99/", NOW)
        assert not app.pane.reveal("database:gone", "server", NOW)


async def test_what_is_about_another_server_opens_that_one() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)):
        app.read(PILEUP)
        assert app.pane.reveal("database:other", "server", NOW)
        assert "2/2" in app.query_one("#database-server", SegmentLine).text or app.table().row_count == 0


async def test_as_text_a_statement_has_no_literals() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)):
        app.read(snapshot(session(1, query="SELECT 'ann@example.com' WHERE id = 7")))
        text = app.pane.as_text()
        assert "SELECT ? WHERE id = ?" in text
        assert "ann@example.com" not in text


class Explained(PostgresSource):
    """A source that knows one plan."""

    async def plan_of_session(self, pid: int, backend_start: datetime | None) -> Plan | None:
        if pid == 2:
            raise Unreadable("only queries have a plan, and this begins with VACUUM")
        lines = ("Seq Scan on orders  (cost=0.00..1500.00 rows=7 width=4)",)
        return Plan("SELECT [b]1[/b]", lines, "shop", "public", 1) if pid == 1 else None


async def test_e_shows_the_plan_of_the_statement_or_why_there_is_none() -> None:
    app = PaneApp()
    app.desk = replace(app.desk, source=lambda name: Explained("shop", PROFILE.databases["shop"]))
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        app.table().seek((1, START))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        page = app.screen.query_one(LogView)
        shown = "\n".join(line.text for line in page.visible_lines())
        assert "reads all of   orders (cost 1,500, about 7 rows left)" in shown
        assert "SELECT [b]1[/b]" in shown
        assert "nothing was run" in shown
        await pilot.press("escape")
        app.table().seek((2, START))
        await pilot.press("e")
        await until(pilot, lambda: app.told and "begins with VACUUM" in app.told[-1])
        app.table().seek((3, START))
        await pilot.press("e")
        await until(pilot, lambda: app.told and "no longer has that statement" in app.told[-1])


TABLE = Table(42, "shop", "Orders", 1 << 20, 0, 100, 50, 0, 0, 0, 0, None, None, None, None, False, True)
INDEX = Index(43, "shop", "Orders", "orders_pkey", 8192, 5, None, True, True, False, False, True, (), "CREATE …", None)


def of_tables() -> DatabaseSnapshot:
    views = ViewFacts(tables=Tables((TABLE,), 1, 0.0), indexes=Indexes((INDEX,), 1, 0.0))
    return replace(PILEUP, views=views)


async def test_capital_v_asks_for_the_table_under_the_cursor_by_its_oid() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(of_tables())
        await pilot.press("V")
        assert app.told == ["choose a table: see Tables (tab)"]
        app.pane.open_at("tables", "", "")
        app.pane.focus_first()
        await pilot.press("V")
        (request,) = app.requests
        assert (request.verb, request.target.name, request.target.identity["oid"]) == ("vacuum", "shop.Orders", 42)


@pytest.mark.parametrize(
    ("view", "begun"),
    [
        ("activity", "CREATE INDEX CONCURRENTLY … ON ….… (…)"),
        ("tables", 'CREATE INDEX CONCURRENTLY … ON shop."Orders" (…)'),
        ("indexes", "REINDEX INDEX CONCURRENTLY shop.orders_pkey"),
    ],
)
async def test_an_index_is_typed_from_what_is_under_the_cursor(view: str, begun: str) -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(of_tables())
        app.pane.open_at(view, "", "")
        app.pane.focus_first()
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.screen, InputDialog))
        field = app.screen.query_one(Input)
        assert field.value == begun
        field.value = "CREATE INDEX i ON shop.orders (id)"
        await pilot.press("enter")
        assert isinstance(app.screen, InputDialog), "it would lock writers out"
        field.value = "CREATE INDEX CONCURRENTLY i ON shop.orders (id)"
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.requests))
        assert app.requests[0].wanted == {"statement": "CREATE INDEX CONCURRENTLY i ON shop.orders (id)"}
        assert app.requests[0].target.name == "shop.i"


class Configured(PostgresSource):
    """A source that knows two parameters."""

    async def parameters(self) -> tuple[Parameter, ...]:
        return (
            Parameter("archive_command", "cp (hidden)", "sighup", ""),
            Parameter("work_mem", "4MB", "user", "Memory. From 64 to 2147483647 in units of kB."),
        )


async def test_a_parameter_is_chosen_and_typed_also_for_a_while() -> None:
    app = PaneApp()
    app.desk = replace(app.desk, source=lambda name: Configured("shop", PROFILE.databases["shop"]))
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("E")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        assert app.screen.query_one(LiveTable).visible_keys == ("work_mem",), "programs are not set from here"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InputDialog))
        app.screen.query_one(Input).value = "64MB for 30m"
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.requests))
        (request,) = app.requests
        assert (request.verb, request.target.name, request.wanted) == ("set-parameter", "work_mem", {"value": "64MB"})
        assert request.temporary_s == 1800


async def test_statement_statistics_are_reset_where_they_are_and_enabled_where_they_are_not() -> None:
    app = PaneApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.read(PILEUP)
        await pilot.press("R", "O")
        assert "O creates it" in app.told[0]
        assert [request.verb for request in app.requests] == ["enable-statements"]
        app.read(replace(PILEUP, server=replace(SERVER, statements_version="1.11", statements_schema="public")))
        await pilot.press("R", "O")
        assert [request.verb for request in app.requests] == ["enable-statements", "reset-statements"]
        assert "counts already" in app.told[1]


def test_a_clients_address_is_told_as_its_pod() -> None:
    one = session(1, client="10.1.2.3:4000")
    assert "pod            shop/web-1 (it has the client's address)" in session_page(PILEUP, one, None, ["shop/web-1"])
    assert "shop/agent or 1 others on its node" in session_page(PILEUP, one, None, ["shop/agent", "shop/proxy"])
    assert "\npod " not in session_page(PILEUP, one, None)
