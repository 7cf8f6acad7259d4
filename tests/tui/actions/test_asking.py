"""What people type when a change needs a value."""

import pytest

from tui.actions.asking import (
    grace_problem,
    matching,
    matching_problem,
    replicas_problem,
    split_temporary,
    temporary,
)
from tui.actions.postgres.terminate import STATES


def test_a_number_of_replicas_is_checked() -> None:
    assert replicas_problem("3") == ""
    assert replicas_problem("0") == ""
    assert "whole number" in replicas_problem("-1")
    assert "whole number" in replicas_problem("²")
    assert "slip" in replicas_problem("30000000000000000000")
    assert "slip" in replicas_problem("0000000001234567")
    assert replicas_problem("0" * 5000 + "7") == ""


@pytest.mark.parametrize(
    ("typed", "value", "for_s"),
    [
        ("5", "5", None),
        ("5 for 30m", "5", 1800.0),
        (" 5 for 1h ", "5", 3600.0),
        ("900 1 300 10", "900 1 300 10", None),
        ("waiting for godot", "waiting for godot", None),
        ("x for y for 10s", "x for y", 10.0),
        ("", "", None),
    ],
)
def test_a_value_may_be_meant_for_a_while_only(typed: str, value: str, for_s: float | None) -> None:
    assert split_temporary(typed) == (value, for_s)


def test_the_value_alone_is_checked() -> None:
    check = temporary(replicas_problem)
    assert check("5 for 30m") == ""
    assert "whole number" in check("five for 30m")
    assert "whole number" in check("5 for ever")


def test_a_grace_period_is_whole_seconds_or_nothing() -> None:
    assert grace_problem("") == grace_problem("0") == grace_problem("30") == ""
    assert "whole seconds" in grace_problem("-1")
    assert "whole seconds" in grace_problem("30s")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("idle > 1h", ("idle", 3600.0)),
        ("active>10m", ("active", 600.0)),
        ("idle in transaction > 90s", ("idle in transaction", 90.0)),
    ],
)
def test_sessions_are_chosen_by_state_and_duration(typed: str, found: tuple[str, float]) -> None:
    assert matching_problem(typed, STATES) == ""
    assert matching(typed) == found


@pytest.mark.parametrize("typed", ["", "idle", "idle > ", "idle > 1", "sleeping > 1h", "idle < 1h", "idle > 0s"])
def test_what_is_no_choice_says_what_one_looks_like(typed: str) -> None:
    assert matching_problem(typed, STATES)
