"""The guards of a profile: their short forms, and what is wrong with them."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from profiles.guards import Freeze, Guards, VerbName
from profiles.schema import Profile
from tui.actions.catalogue import promises


def test_the_names_a_profile_may_use_are_those_of_the_verbs() -> None:
    assert list(get_args(VerbName)) == [name for name, _ in promises()]


def test_a_plain_list_is_what_is_allowed() -> None:
    guards = Guards.model_validate({"verbs": ["restart"], "namespaces": ["shop", "pay*"]})
    assert guards.verbs.allow == ["restart"]
    assert (guards.namespaces.allow, guards.namespaces.deny) == (["shop", "pay*"], [])
    assert guards.databases.allow is None


@pytest.mark.parametrize(
    ("freeze", "words"),
    [
        ({"from": "Fri 16:00", "to": "2026-12-20"}, "from and to are both written as"),
        ({"from": "Friday 16:00", "to": "Mon 08:00"}, "from and to are both written as"),
        ({"from": "2026-12-21", "to": "2026-12-20"}, "to must be later than from"),
        ({"from": "Fri 16:00", "to": "Mon 08:00", "zone": "Europe/Berlim"}, "there is no time zone Europe/Berlim"),
        ({"from": "Fri 16:00", "to": "Mon 08:00", "zone": "../../etc/passwd"}, "there is no time zone"),
        ({"from": "Fri 25:00", "to": "Mon 08:00"}, "from and to are both written as"),
    ],
)
def test_a_freeze_that_is_no_time_says_what_one_looks_like(freeze: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Freeze.model_validate(freeze)


def test_a_weekly_freeze_holds_over_a_change_of_the_clocks() -> None:
    freeze = Freeze.model_validate({"from": "Sat 22:00", "to": "Mon 06:00", "zone": "Europe/Berlin"})
    # On 25 October 2026 the clocks go back at 3 in the morning.
    assert freeze.until(datetime(2026, 10, 24, 19, 59, tzinfo=UTC)) is None
    until = freeze.until(datetime(2026, 10, 24, 20, 0, tzinfo=UTC))
    assert until is not None
    assert until.astimezone(UTC) == datetime(2026, 10, 26, 5, 0, tzinfo=UTC)
    assert freeze.until(datetime(2026, 10, 26, 4, 59, tzinfo=UTC)) is not None
    assert freeze.until(datetime(2026, 10, 26, 5, 0, tzinfo=UTC)) is None


def test_the_sandbox_shares_no_journal() -> None:
    with pytest.raises(ValidationError, match="the sandbox has a journal of its own"):
        Profile.model_validate({"name": "demo", "environment": "sandbox", "state_dir": "/var/lib/opstui"})
