"""Samples of pg_stat_statements in, rates out."""

from typing import Any

from tui.sources.postgres.queries import statements_major
from tui.sources.postgres.statements import StatementWindow

Row = dict[str, Any]


def row(id_: int, calls: int, exec_ms: float, **more: Any) -> Row:
    counters = {"rows": calls * 2, "blocks_hit": 30, "blocks_read": 10, "temp_blocks": 0}
    return {
        "role_oid": 10, "database_oid": 5, "id": id_, "toplevel": True, "calls": calls, "exec_ms": exec_ms,
    } | counters | more  # fmt: skip


def window(*samples: list[Row], evictions: tuple[int, ...] = ()) -> StatementWindow:
    made = StatementWindow()
    for number, sample in enumerate(samples):
        made.add(sample, 100.0 + 6 * number, evictions[number] if evictions else None)
    return made


def test_one_sample_says_nothing() -> None:
    assert window([row(1, 100, 5000)]).top().top == ()


def test_rates_are_those_of_the_window() -> None:
    statements = window([row(1, 100, 5000)], [row(1, 112, 8000, blocks_hit=60, blocks_read=20)]).top()
    (one,) = statements.top
    assert statements.window_s == 6
    assert (one.calls_per_s, one.busy, one.mean_ms, one.rows_per_call) == (2.0, 0.5, 250.0, 2.0)
    assert one.hit_percent == 75.0


def test_a_statement_that_was_not_called_is_left_out() -> None:
    assert window([row(1, 100, 5000)], [row(1, 100, 5000)]).top().top == ()


def test_a_new_statement_and_one_whose_counters_were_reset_cost_what_they_show() -> None:
    top = window([row(1, 100, 5000)], [row(1, 3, 60), row(2, 6, 600)]).top().top
    assert [(one.id, one.calls_per_s) for one in top] == [(2, 1.0), (1, 0.5)]


def test_the_window_keeps_half_a_minute() -> None:
    made = window(*([row(1, 100 + 6 * number, 5000)] for number in range(20)))
    assert made.top().window_s == 30


def test_evictions_in_the_window_are_counted() -> None:
    assert window([row(1, 1, 1)], [row(1, 2, 2)], evictions=(7, 19)).top().evicted == 12


def test_texts_are_asked_for_once_even_when_the_server_no_longer_has_them() -> None:
    made = window([], [row(1, 1, 5), row(2, 1, 5)])
    assert made.unknown_ids() == [1, 2]
    made.learn_texts([1, 2], [{"id": 1, "query": "SELECT\n\x1b]0;x\x07 [/red]"}])
    assert made.unknown_ids() == []
    assert made.top().top[0].text == "SELECT\n␛]0;x␇ [/red]"


def test_names_of_roles_and_databases_are_told_apart_even_with_one_oid() -> None:
    made = window([], [row(1, 1, 5, database_oid=10)])
    assert made.unknown_names()
    made.learn_names([{"kind": "role", "oid": 10, "name": "app"}, {"kind": "database", "oid": 10, "name": "orders"}])
    assert not made.unknown_names()
    assert (made.top().top[0].role, made.top().top[0].database) == ("app", "orders")


def test_columns_follow_the_extension_not_the_server() -> None:
    assert [statements_major(version) for version in ("1.8", "1.9", "1.10", "1.12")] == [13, 14, 14, 14]
