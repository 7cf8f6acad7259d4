"""What a backend is and what speaks against ending it."""

from typing import Any

from tui.actions.action import Risk
from tui.actions.postgres.words import describe, left_alone, risk_of, role_words, where_words


def backend(**changes: Any) -> dict[str, Any]:
    return {
        "pid": 4711, "backend_type": "client backend", "state": "active", "query_s": 12.3, "state_s": 12.2,
        "application": "orders-api", "is_superusers": False, "is_own_roles": False, "role": "app",
        "is_wraparound": False, "wait_event_type": None, "wait_event": None,
    } | changes  # fmt: skip


def test_a_state_is_told_with_its_duration() -> None:
    assert describe(backend()) == "active 12 s"
    assert describe(backend(state="idle in transaction", state_s=300.0)) == "idle in transaction 300 s"


def test_what_belongs_to_the_server_is_left_alone() -> None:
    assert left_alone(backend()) == ""
    assert left_alone(backend(backend_type="walsender")) == ""
    assert left_alone(backend(backend_type="autovacuum worker")) == ""
    assert "server" in left_alone(backend(backend_type="checkpointer"))
    assert "leader" in left_alone(backend(backend_type="parallel worker"))
    assert "extension" in left_alone(backend(backend_type="pg_cron launcher"))


def test_what_an_extension_calls_its_processes_and_waits_is_cleaned() -> None:
    odd = "x\x1b]0;x\x07"
    assert "\x1b" not in left_alone(backend(backend_type=odd))
    assert "\x1b" not in where_words(backend(wait_event_type="Extension", wait_event=odd))


def test_own_superusers_and_poolers_sessions_are_a_high_risk() -> None:
    assert risk_of(Risk.LOW, backend()) == (Risk.LOW, "")
    assert risk_of(Risk.LOW, backend(application="opstui"))[0] is Risk.HIGH
    assert risk_of(Risk.LOW, backend(is_superusers=True))[0] is Risk.HIGH
    assert risk_of(Risk.MEDIUM, backend(application="pgbouncer"))[0] is Risk.HIGH


def test_replication_and_autovacuum_against_wraparound_are_a_high_risk_with_the_reason() -> None:
    risk, reason = risk_of(Risk.MEDIUM, backend(backend_type="walsender"))
    assert (risk, "replica" in reason) == (Risk.HIGH, True)
    risk, reason = risk_of(Risk.LOW, backend(backend_type="autovacuum worker", is_wraparound=True))
    assert (risk, "wraparound" in reason) == (Risk.HIGH, True)
    assert risk_of(Risk.LOW, backend(backend_type="autovacuum worker"))[0] is Risk.MEDIUM


def test_the_grant_that_would_help_is_named() -> None:
    us = {"is_superuser": False, "may_signal": False, "role": "viewer", "may_signal_autovacuum": False}
    assert "GRANT pg_signal_backend TO viewer" in role_words(us, backend())
    assert role_words(us, backend(is_own_roles=True)) == ""
    assert role_words({**us, "may_signal": True}, backend()) == ""
    assert "only a superuser" in role_words({**us, "may_signal": True}, backend(is_superusers=True))
    assert role_words({**us, "is_superuser": True}, backend(is_superusers=True)) == ""
    vacuum = backend(backend_type="autovacuum worker", role=None)
    assert "only a superuser" in role_words({**us, "may_signal": True}, vacuum)
    assert role_words({**us, "may_signal_autovacuum": True}, vacuum) == ""
