"""Changes of a PostgreSQL server: two ticks in, entries and conditions out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tui.rules import Level
from tui.sources.postgres.blocking import blocking_tree
from tui.sources.postgres.facts import (
    Connections,
    DatabaseSnapshot,
    Limit,
    LockWait,
    PreparedTransaction,
    Rates,
    Server,
    Session,
)
from tui.timeline import postgres
from tui.timeline.standing import Condition

NOW = 1_800_000_000.0
NEVER = float("-inf")
STARTED = datetime.fromtimestamp(NOW - 9000, UTC)
SERVER = Server("PostgreSQL 18.6", 18, False, STARTED, "10.0.0.5", 5432, "shop", "ops", False, True, True)
SOURCE = "database:shop"
NOBODY: Mapping[int, tuple[int, ...]] = {}


def session(pid: int, state: str = "active", **more: Any) -> Session:
    query = "UPDATE t SET a = 'secret' WHERE id = 7"
    who = ("client backend", "shop", "app", f"app-{pid}", "10.0.0.9:1")
    return Session(pid, STARTED, *who, state, None, None, query, **more)


def tick(edges: Mapping[int, tuple[int, ...]] = NOBODY, waited_s: float | None = 5.0, **more: Any) -> DatabaseSnapshot:
    pids = {pid for pair in edges.items() for pid in (pair[0], *pair[1])} - {0}
    fields: dict[str, Any] = {
        "server": SERVER,
        "sessions": tuple(session(pid, query_s=9.0) for pid in sorted(pids)),
        "connections": Connections({}, 10, 100, 3),
        "tree": blocking_tree(edges),
        "waits": {pid: LockWait("transactionid", "ShareLock", "", waited_s) for pid in edges},
    }
    return DatabaseSnapshot(**{**fields, **more})


def told(before: DatabaseSnapshot | None, after: DatabaseSnapshot, since: float = NEVER) -> list[tuple[str, str]]:
    return [(entry.what, entry.text) for entry in postgres.entries(SOURCE, before, after, NOW, since)]


def conditions(snapshot: DatabaseSnapshot) -> list[Condition]:
    return list(postgres.conditions(snapshot, NOW))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"started": STARTED + timedelta(hours=1)}, ("start", "the server started: PostgreSQL 18.6")),
        ({"address": "10.0.0.6"}, ("server", "another server answers: 10.0.0.5:5432 → 10.0.0.6:5432")),
        ({"is_standby": True}, ("role", "became a standby")),
        ({"version": "PostgreSQL 18.7"}, ("version", "PostgreSQL 18.6 → PostgreSQL 18.7")),
    ],
)
def test_another_server_a_restart_and_a_new_role_are_told(fields: dict[str, Any], expected: tuple[str, str]) -> None:
    assert told(tick(), tick(server=replace(SERVER, **fields))) == [expected]


def test_a_restart_is_told_with_the_servers_own_time() -> None:
    started = STARTED + timedelta(hours=1)
    (entry,) = postgres.entries(SOURCE, tick(), tick(server=replace(SERVER, started=started)), NOW, NEVER)
    assert entry.at == started.timestamp()


def test_the_first_tick_tells_a_start_only_when_it_is_recent() -> None:
    assert told(None, tick(), since=NOW - 9001) == [("start", "the server started: PostgreSQL 18.6")]
    assert told(None, tick(), since=NOW - 8999) == []


def test_deadlocks_are_told_by_their_number() -> None:
    rates = Rates(1.0, 0.0, None, 0.0, deadlocks=2, deadlocks_total=9)
    (entry,) = postgres.entries(SOURCE, tick(), tick(rates=rates), NOW, NEVER)
    assert (entry.what, entry.count, entry.text[:11]) == ("deadlock", 2, "2 deadlocks")
    assert told(tick(), tick(rates=replace(rates, deadlocks=0))) == []


def test_who_holds_up_whom_is_told_with_the_root_the_number_and_no_literals() -> None:
    (condition,) = conditions(tick({2: (1,), 3: (2,)}))
    assert condition.text == "2 sessions wait for app-1 (pid 1, active): UPDATE t SET a = ? WHERE id = ?"
    assert condition.over == "nobody waits for app-1 (pid 1, active) any more"
    assert condition.object == f"backend/1/{STARTED.isoformat()}"
    assert (condition.since, condition.weight) == (NOW - 5.0, 2)


def test_a_wait_of_a_moment_is_no_entry() -> None:
    assert conditions(tick({2: (1,)}, waited_s=0.4)) == []


def test_before_version_14_the_waiting_statements_age_stands_for_the_wait() -> None:
    (condition,) = conditions(tick({2: (1,)}, waited_s=None))
    assert condition.since == NOW - 9.0


def test_two_roots_are_two_matters_each_with_its_own_wait() -> None:
    found = conditions(tick({2: (1,), 4: (3,)}))
    assert [condition.object.split("/")[1] for condition in found] == ["1", "3"]


def test_a_prepared_transaction_that_blocks_is_named() -> None:
    prepared = (PreparedTransaction("tx-42", "shop", "app", 60.0),)
    (condition,) = conditions(tick({2: (0,)}, prepared=prepared))
    assert condition.text == "1 session waits for a prepared transaction: tx-42"
    assert condition.level is Level.CRITICAL


def test_sessions_in_a_circle_are_told_as_such() -> None:
    (condition,) = conditions(tick({1: (2,), 2: (1,)}))
    assert condition.text == "sessions wait for each other, app-1 (pid 1, active) among them"


def test_connections_that_are_used_up_last() -> None:
    limit = Limit("role", "app", 20)
    found = conditions(tick(connections=Connections({}, 97, 97, 3, ((limit, 20), (replace(limit, name="x"), 17)))))
    assert [condition.text for condition in found] == [
        "all 97 connections are used: new clients are refused",
        "role app uses all 20 connections it may have",
    ]


@pytest.mark.parametrize(
    ("metric", "pid"),
    [("active_s", 5), ("idle_in_transaction_s", 6), ("blocked", 1), ("connections_percent", None)],
)
def test_a_number_has_a_session_that_makes_it(metric: str, pid: int | None) -> None:
    idle = session(6, "idle in transaction", state_s=9.0, transaction_s=9.0)
    sessions = (session(1), session(5, query_s=100.0), idle)
    found = postgres.culprit(tick({2: (1,)}, sessions=sessions), metric)
    assert (found.pid if found else None) == pid
