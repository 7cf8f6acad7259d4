"""What a backend is and what speaks against ending it."""

from typing import Any

from tui.actions.action import Risk
from tui.actions.postgres_words import describe, other_backend, risk_of, role_words, where_words


def backend(**changes: Any) -> dict[str, Any]:
    return {
        "pid": 4711, "backend_type": "client backend", "state": "active", "query_s": 12.3, "state_s": 12.2,
        "application": "orders-api", "is_superusers": False, "is_own_roles": False, "role": "app",
        "is_wraparound": False, "wait_event_type": None, "wait_event": None,
    } | changes  # fmt: skip


def test_a_state_is_told_with_its_duration() -> None:
    assert describe(backend()) == "active 12 s"
    assert describe(backend(state="idle in transaction", state_s=300.0)) == "idle in transaction 300 s"


def test_only_clients_sessions_are_ended() -> None:
    assert other_backend(backend()) == ""
    assert "replica" in other_backend(backend(backend_type="walsender"))
    assert "wraparound" in other_backend(backend(backend_type="autovacuum worker", is_wraparound=True))
    assert "leader" in other_backend(backend(backend_type="parallel worker"))
    assert "extension" in other_backend(backend(backend_type="pg_cron launcher"))


def test_what_an_extension_calls_its_processes_and_waits_is_cleaned() -> None:
    odd = "x\x1b]0;x\x07"
    assert "\x1b" not in other_backend(backend(backend_type=odd))
    assert "\x1b" not in where_words(backend(wait_event_type="Extension", wait_event=odd))


def test_own_superusers_and_poolers_sessions_are_a_high_risk() -> None:
    assert risk_of(Risk.LOW, backend()) == (Risk.LOW, "")
    assert risk_of(Risk.LOW, backend(application="opstui"))[0] is Risk.HIGH
    assert risk_of(Risk.LOW, backend(is_superusers=True))[0] is Risk.HIGH
    assert risk_of(Risk.MEDIUM, backend(application="pgbouncer"))[0] is Risk.HIGH


def test_the_grant_that_would_help_is_named() -> None:
    us = {"is_superuser": False, "may_signal": False, "role": "viewer"}
    assert "GRANT pg_signal_backend TO viewer" in role_words(us, backend())
    assert role_words(us, backend(is_own_roles=True)) == ""
    assert role_words({**us, "may_signal": True}, backend()) == ""
    assert "only a superuser" in role_words({**us, "may_signal": True}, backend(is_superusers=True))
    assert role_words({**us, "is_superuser": True}, backend(is_superusers=True)) == ""
