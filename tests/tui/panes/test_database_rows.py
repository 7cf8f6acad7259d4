"""PostgreSQL facts in; rows, lines and pages out."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tui.actions.postgres.cancel import CANCEL
from tui.actions.postgres.terminate import TERMINATE
from tui.panes.database_detail import session_page, statement_page
from tui.panes.database_head import connections_line, missing_words, server_line, work_line
from tui.panes.database_rows import activity_rows, blocking_rows, hidden_count, shown_sessions, statement_rows
from tui.panes.database_words import by_hand, cannot_end
from tui.sources.errors import Unreachable
from tui.sources.postgres.blocking import blocking_tree
from tui.sources.postgres.detail import HeldLock, SessionDetail
from tui.sources.postgres.facts import (
    Connections,
    DatabaseSnapshot,
    Limit,
    LockWait,
    PreparedTransaction,
    Rates,
    Server,
    Session,
    Statement,
)
from tui.sources.reading import Reading
from widgets.cell import Cell, Row, Tone, cell_text

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SERVER = Server(
    "PostgreSQL 18.6", 18, False, START, None, None, "shop", "opstui", False, True, True,
    encryption="socket", statements_version="1.12", statements_schema="public", psql="psql service=shop",
)  # fmt: skip


def session(pid: int, state: str | None = "active", seconds: float = 1.0, **changes: Any) -> Session:
    made = Session(
        pid=pid, backend_start=START, backend_type="client backend", database="shop", role="app", application="api",
        client="local", state=state, wait_event_type=None, wait_event=None, query=f"SELECT {pid}",
        query_start=START, connected_s=99.0, transaction_s=seconds, query_s=seconds, state_s=seconds,
    )  # fmt: skip
    return replace(made, **changes)


def snapshot(*sessions: Session, **changes: Any) -> DatabaseSnapshot:
    blockers = {one.pid: one.blockers for one in sessions if one.blockers}
    made = DatabaseSnapshot(SERVER, sessions, Connections({"idle": 1}, 1, 97, 3), blocking_tree(blockers))
    return replace(made, **changes)


def calm(metric: str, value: float | None) -> Tone:
    return ""


def strict(metric: str, value: float | None) -> Tone:
    return "critical" if value is not None and value >= 60 else ""


def texts(row: Row) -> list[str]:
    return [cell_text(cell) for cell in row.cells]


ROOT = session(1, "idle in transaction", 300, application="batch")
WAITER = session(2, seconds=20, blockers=(1,), wait_event_type="Lock", wait_event="tuple")
BUSY = session(3, seconds=200)
IDLE = session(4, "idle", 900, transaction_s=None, wait_event_type="Client", wait_event="ClientRead")
CHECKPOINTER = session(5, None, 0, backend_type="checkpointer", role=None, database=None, application="")
SHOWN = snapshot(IDLE, BUSY, WAITER, ROOT, CHECKPOINTER)


def test_problems_come_first_and_the_idle_are_hidden() -> None:
    assert [one.pid for one in shown_sessions(SHOWN, with_idle=False)] == [1, 2, 3]
    assert [one.pid for one in shown_sessions(SHOWN, with_idle=True)] == [1, 2, 3, 4, 5]
    assert hidden_count(SHOWN) == 1


def test_an_idle_session_that_holds_others_up_is_always_shown() -> None:
    assert [one.pid for one in shown_sessions(snapshot(replace(IDLE, pid=1), WAITER), with_idle=False)] == [1, 2]


def test_rows_are_keyed_by_pid_and_start_and_say_who_blocks_whom() -> None:
    rows = activity_rows(SHOWN, strict, with_idle=False)
    assert list(rows) == [(1, START), (2, START), (3, START)]
    assert texts(rows[1, START])[3:] == ["batch", "local", "idle in tx", "", "5m", "holds 1", "SELECT 1"]
    assert texts(rows[2, START])[6:9] == ["Lock/tuple", "20s", "1"]
    assert rows[3, START].cells[7] == Cell("3m20s", "critical")


def test_a_session_our_role_may_not_see_is_shown_as_that() -> None:
    hidden = session(6, None, 0, backend_type=None, backend_start=None, query="<insufficient privilege>")
    (row,) = activity_rows(snapshot(hidden), calm, with_idle=False).values()
    assert texts(row)[5] == "not seen"


def test_the_tree_is_indented_and_says_what_each_waits_for() -> None:
    third = session(7, blockers=(2, 1), wait_event_type="Lock", wait_event="tuple")
    waits = {2: LockWait("transactionid", "ShareLock", "", 20.0), 7: LockWait("tuple", "ExclusiveLock", "t", None)}
    rows = [texts(row) for row in blocking_rows(snapshot(ROOT, WAITER, third, waits=waits), calm).values()]
    assert [row[0] for row in rows] == ["1", "└ 2", "└ 7"]
    assert [row[1] for row in rows] == ["2", "", ""]
    assert rows[1][4] == "Share transactionid, 20s"
    assert rows[2][4] == "Exclusive tuple t, also behind 2"


def test_a_prepared_transaction_is_a_row_without_a_session() -> None:
    shown = snapshot(session(2, blockers=(0,)), prepared=(PreparedTransaction("gid-1", "shop", "app", 61.0),))
    first = texts(blocking_rows(shown, calm)[0, None])
    assert first[0] == "prepared"
    assert "gid-1" in first[-1]
    assert "ROLLBACK PREPARED 'gid-1'" in cannot_end(TERMINATE, shown, None, 0)


STATEMENT = Statement(
    7, "shop", "app", "SELECT *\n  FROM t", 2.0, 0.5, 250.0, 3.0, 99.0, 0.0, (10, 5, 7, True), is_own=False
)


def test_a_statement_is_told_in_one_line_and_opstuis_own_only_on_request() -> None:
    own = replace(STATEMENT, key=(10, 5, 8, True), is_own=True)
    rows = statement_rows((STATEMENT, own), with_own=False)
    assert list(rows) == [STATEMENT.key]
    shown = texts(rows[STATEMENT.key])
    assert [shown[0], shown[2], shown[4], *shown[6:]] == [
        "50 %", "250.0 ms", "99 %", "shop", "app", "SELECT * FROM t",
    ]  # fmt: skip
    assert len(statement_rows((STATEMENT, own), with_own=True)) == 2
    assert "SELECT *\n  FROM t" in statement_page(STATEMENT, 30.0)


def test_the_head_says_who_answers_and_how_old_it_is() -> None:
    reading = Reading("database:shop", 2.0, SHOWN, taken_at=100.0)
    line = " · ".join(segment.text for segment in server_line(reading, "", 101.0))
    assert "shop" in line
    assert "accepting · PostgreSQL 18.6 · primary" in line
    assert line.endswith("age <3s")
    failing = replace(reading, error=Unreachable("gone"), failing_since=100.0)
    line = " · ".join(segment.text for segment in server_line(failing, "", 130.0))
    assert "not answering" in line
    assert line.endswith("OLD 30s")


def test_a_standby_is_called_one() -> None:
    standby = replace(SHOWN, server=replace(SERVER, is_standby=True))
    assert "STANDBY, read-only" in [s.text for s in server_line(Reading("database:x", 2.0, standby, 0.0), "", 0.0)]


def test_connections_are_a_bar_and_words_by_state() -> None:
    full = Connections({"idle": 60, "active": 30}, 90, 97, 3, ((Limit("role", "app", 10), 9),))
    line = [segment.text for segment in connections_line(full, lambda metric: "")]
    assert line[0] == "connections ███████████░ 90/97 (93 %)"
    assert line[1:] == ["active 30", "idle 60", "role app 9/10", "+3 reserved"]


def test_work_names_waiters_the_oldest_transaction_and_rates() -> None:
    rates = Rates(12.0, 0.0, 99.58, 0.0, 1, 4)
    line = [segment.text for segment in work_line(replace(SHOWN, rates=rates), lambda metric: "")]
    assert line[:4] == ["waiting 1", "oldest txn 5m (pid 1)", "tps 12", "hit 99.5 %"]
    assert "deadlocks 4 (+1)" in line


def test_what_is_missing_is_said_once_where_it_matters() -> None:
    missing = {"sessions": "3 of 5 sessions …", "signals": "x", "statements": "y", "counters": "permission denied"}
    words = missing_words(replace(SHOWN, missing=missing))
    assert words == "3 of 5 sessions …; counters not shown: permission denied"


def test_a_key_that_can_do_nothing_says_why() -> None:
    assert cannot_end(CANCEL, SHOWN, None, None) == "no session under the cursor"
    assert cannot_end(CANCEL, SHOWN, None, 99) == "backend 99 is gone"
    assert cannot_end(CANCEL, SHOWN, ROOT, 1) == "idle in transaction: cancel does nothing here, terminate (T)"
    assert "nothing to cancel" in cannot_end(CANCEL, SHOWN, IDLE, 4)
    assert "checkpointer" in cannot_end(TERMINATE, SHOWN, CHECKPOINTER, 5)
    assert "GRANT pg_monitor" in cannot_end(TERMINATE, SHOWN, session(6, backend_type=None), 6)
    assert cannot_end(CANCEL, SHOWN, BUSY, 3) == cannot_end(TERMINATE, SHOWN, ROOT, 1) == ""


def test_the_page_has_the_text_the_locks_and_who_waits_behind() -> None:
    held = HeldLock("relation", "RowExclusiveLock", True, "products", 2)
    page = session_page(SHOWN, ROOT, SessionDetail("UPDATE\n x", True, "1kB", None, (held,)))
    assert "1 session waits behind it: 2." in page
    assert "Last statement (cut at track_activity_query_size = 1kB):\n\nUPDATE\n x" in page
    assert "holds     RowExclusiveLock" in page
    assert "It waits for 1." in session_page(SHOWN, WAITER, None)


def test_by_hand_is_a_command_and_sql_that_can_be_pasted() -> None:
    assert by_hand(SHOWN, "activity").startswith("psql service=shop\n\nSELECT a.pid")
    assert "$1" not in by_hand(SHOWN, "activity")
    assert "FROM public.pg_stat_statements(false)" in by_hand(SHOWN, "statements")
