"""What stands against a change, each with its remedy."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from profiles.schema import Profile
from tests.tui.actions.scripted import REQUEST, TARGET, Known
from tui.actions.action import Request, Target
from tui.actions.guard import GuardState, refusal
from tui.sources.reading import Reading

POD = Target("kubernetes:", "pod", "api-1", "shop", {"uid": "u"}, {"namespace": "shop"})

NODE = Target("kubernetes:", "node", "worker-1", "", {"uid": "u"}, {"namespace": ""})
VARIABLE = replace(POD, scope={"namespace": "shop", "variable": "LOG_LEVEL"})


def why(request: Request, now: datetime | None = None, sent: int = 0, **guards: Any) -> str | None:
    profile = Profile.model_validate({"name": "t", "environment": "dev", "guards": guards})
    state = GuardState(
        read_only=False,
        clock=lambda: 1000.0,
        now=lambda: now or datetime(2026, 11, 25, 12, tzinfo=UTC),
        reading_of=lambda name: Reading(name, 2.0, taken_at=0.0),
    )
    for number in range(sent):
        state.count(str(number))
    return refusal(request, profile, state)


def session(database: str = "shop", role: str = "app") -> Request:
    return replace(REQUEST, target=replace(TARGET, scope={"database": database, "role": role}))


@pytest.mark.parametrize(
    ("request_", "guards", "words"),
    [
        (REQUEST, {}, None),
        (REQUEST, {"verbs": {"deny": ["cancel-query"]}}, "guards.verbs.deny"),
        (REQUEST, {"verbs": ["restart"]}, "allows only restart"),
        (REQUEST, {"verbs": ["cancel-query"]}, None),
        (REQUEST, {"verbs": {"allow": ["cancel-query"], "deny": ["cancel-query"]}}, "guards.verbs.deny"),
        (session(database="billing"), {"databases": {"deny": ["bill*"]}}, "in database billing"),
        (session(database="billing"), {"databases": ["shop"]}, "only in the databases shop"),
        (session(role="replicator"), {"roles": {"deny": ["repl*"]}}, "guards.roles.deny"),
        (session(role=""), {"roles": {"deny": ["repl*"]}}, "its role cannot be seen"),
        (session(role=""), {}, None),
        (Request("delete-pod", POD), {"namespaces": {"deny": ["kube-*"]}}, None),
        (Request("delete-pod", POD), {"namespaces": ["pay*"]}, "only in the namespaces pay*"),
        (Request("delete-pod", POD), {"databases": ["shop"]}, None),
        (Request("cordon", NODE), {}, None),
        (Request("cordon", NODE), {"namespaces": ["shop"]}, "it belongs to no namespace"),
        (Request("set-env", VARIABLE), {"variables": ["LOG_*"]}, None),
        (Request("set-env", VARIABLE), {"variables": ["WORKERS"]}, "changes only of the variables WORKERS"),
        (Request("set-env", VARIABLE), {"variables": {"deny": ["LOG_LEVEL"]}}, "of variable LOG_LEVEL"),
        (Request("delete-pod", POD), {"variables": ["WORKERS"]}, None),
        (session(database="Shop"), {"databases": {"deny": ["shop"]}}, None),
    ],
)
def test_verbs_and_places_are_allowed_and_denied(request_: Request, guards: dict[str, Any], words: str | None) -> None:
    found = why(request_, **guards)
    assert found is None if words is None else words in (found or "")


WEEKEND = {"from": "Fri 16:00", "to": "Mon 08:00", "zone": "Europe/Berlin", "why": "no changes over the weekend"}
OFFICE = {"from": "Mon 09:00", "to": "Fri 17:00"}


@pytest.mark.parametrize(
    ("freeze", "now", "until"),
    [
        (WEEKEND, datetime(2026, 11, 27, 14, 59, tzinfo=UTC), None),
        (WEEKEND, datetime(2026, 11, 27, 15, 0, tzinfo=UTC), "Mon 2026-11-30 08:00 CET"),
        (WEEKEND, datetime(2026, 11, 30, 6, 59, tzinfo=UTC), "Mon 2026-11-30 08:00 CET"),
        (WEEKEND, datetime(2026, 11, 30, 7, 0, tzinfo=UTC), None),
        (OFFICE, datetime(2026, 11, 25, 12, tzinfo=UTC), "Fri 2026-11-27 17:00 UTC"),
        (OFFICE, datetime(2026, 11, 28, 12, tzinfo=UTC), None),
        ({"from": "2026-11-24T00:00", "to": "2026-11-26T00:00"}, None, "Thu 2026-11-26 00:00 UTC"),
        ({"from": "2026-11-25T14:00+02:00", "to": "2026-11-25T15:00+02:00"}, None, "Wed 2026-11-25 13:00 UTC"),
        ({"from": "2026-11-26", "to": "2026-11-27"}, None, None),
    ],
)
def test_a_freeze_refuses_until_its_end_and_says_when_that_is(
    freeze: dict[str, Any], now: datetime | None, until: str | None
) -> None:
    found = why(REQUEST, now=now, freeze=[freeze])
    assert found is None if until is None else f"frozen until {until}" in (found or "")


def test_a_freeze_says_why_and_lets_through_what_it_names() -> None:
    friday = datetime(2026, 11, 27, 20, tzinfo=UTC)
    assert "no changes over the weekend" in (why(REQUEST, now=friday, freeze=[WEEKEND]) or "")
    assert why(REQUEST, now=friday, freeze=[{**WEEKEND, "allow": ["cancel-query"]}]) is None


def test_only_so_many_changes_go_out_within_a_minute() -> None:
    assert why(REQUEST, sent=2, max_per_minute=3) is None
    assert "3 changes were sent within a minute" in (why(REQUEST, sent=3, max_per_minute=3) or "")


def test_a_change_counts_once_for_a_minute_whoever_sent_it() -> None:
    now = 1000.0
    state = GuardState(read_only=False, clock=lambda: now)
    state.count("ours")
    state.count("ours", ago_s=5)
    state.count("a colleague's", ago_s=59)
    state.count("long ago", ago_s=61)
    assert state.sent_lately == 2
    now += 2
    assert state.sent_lately == 1


def test_who_armed_is_known_until_the_window_closes() -> None:
    state = GuardState(read_only=True, clock=lambda: 0.0)
    assert state.arm(60, "anna") is None
    assert state.armed_by == "anna"
    state.disarm()
    assert state.armed_by == ""


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("master", None),
        ("replica", "this is not what profile t expects: Redis cache: role master expected, replica answers"),
        (None, None),
    ],
)
def test_another_system_than_the_pinned_one_stands_against_every_change_before_writing_is_armed(
    role: str | None, words: str | None
) -> None:
    pinned = {"name": "t", "redis": {"cache": "redis://h"}, "identity": {"redis": {"cache": {"role": "master"}}}}
    state = GuardState(
        read_only=True,
        armed_until=float("inf"),
        reading_of=lambda name: Reading(
            name, 2.0, Known.by(role=role) if name == "redis:cache" else None, taken_at=0.0
        ),
    )
    profile = Profile.model_validate(pinned)
    found = refusal(REQUEST, profile, state)
    assert found is None if words is None else (found or "").startswith(words)
    state.disarm()
    assert ((refusal(REQUEST, profile, state) or "").startswith(words or "t is read-only")) is True
    cache = replace(REQUEST, target=replace(TARGET, source="redis:cache"))
    if role is None:
        assert "ask for a grant" in (refusal(cache, profile, state) or "")
