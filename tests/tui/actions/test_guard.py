"""What stands against a change, each with its remedy."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from profiles.schema import Profile
from tests.tui.actions.scripted import REQUEST, TARGET, Known
from tui.actions.action import Request, Target
from tui.actions.guard import GuardState, denial, refusal, was_disarmed
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


CLUSTERS: dict[str, Any] = {"eu": {"context": "eu"}, "us": {"context": "us"}}


def in_us(own: dict[str, Any], *, source: str = "kubernetes:us", armed: bool = False, **profile: Any) -> str:
    """Return why a pod of `us` may not be deleted, where that cluster has these guards; empty when it may."""
    clusters = {**CLUSTERS, "us": {"context": "us", "guards": own}}
    given = {"name": "t", "environment": "dev", "clusters": clusters, **profile}
    found = Profile.model_validate(given)
    state = GuardState(
        read_only=found.starts_read_only,
        clock=lambda: 1000.0,
        now=lambda: datetime(2026, 11, 27, 20, tzinfo=UTC),
        reading_of=lambda name: Reading(name, 2.0, taken_at=0.0),
        armed_until=1600.0 if armed else 0.0,
    )
    return refusal(Request("delete-pod", replace(POD, source=source)), found, state) or ""


@pytest.mark.parametrize(
    ("guards", "words"),
    [
        ({}, ""),
        ({"locked": True}, "us is locked: nothing is changed in it from here (clusters.us.guards.locked)"),
        ({"read_only": True}, "us is read-only (clusters.us.guards.read_only); press W to arm writing for 10 min"),
        ({"verbs": {"deny": ["delete-pod"]}}, "denies delete-pod in us (clusters.us.guards.verbs.deny)"),
        ({"verbs": ["restart"]}, "allows only restart in us (clusters.us.guards.verbs.allow)"),
        ({"verbs": ["delete-pod"]}, ""),
        ({"namespaces": ["pay*"]}, "only in the namespaces pay* (clusters.us.guards.namespaces.allow)"),
        ({"namespaces": {"deny": ["shop"]}}, "(clusters.us.guards.namespaces.deny)"),
        ({"freeze": [WEEKEND]}, "frozen in us until Mon 2026-11-30 08:00 CET: no changes over the weekend"),
        ({"freeze": [{**WEEKEND, "allow": ["delete-pod"]}]}, ""),
    ],
)
def test_a_cluster_is_held_tighter_than_its_profile_and_the_others_are_not(guards: dict[str, Any], words: str) -> None:
    found = in_us(guards)
    assert words in found if words else found == ""
    assert in_us(guards, source="kubernetes:eu") == ""


def test_the_one_cluster_without_a_name_has_its_own_guards_too() -> None:
    profile: dict[str, Any] = {"clusters": {}, "kubernetes": {"context": "a", "guards": {"locked": True}}}
    assert "kubernetes is locked" in in_us({}, source="kubernetes:", **profile)
    assert "(kubernetes.guards.locked)" in in_us({}, source="kubernetes:", **profile)


def test_armed_a_read_only_cluster_can_be_changed_and_a_locked_one_cannot() -> None:
    assert in_us({"read_only": True}, armed=True) == ""
    assert "is locked" in in_us({"locked": True}, armed=True)
    assert "is locked" in in_us({"locked": True}, environment="prod"), "nobody is told to arm for what stays locked"


def test_whatever_a_cluster_says_the_profiles_guards_hold_too() -> None:
    every: dict[str, Any] = {"verbs": ["delete-pod"], "namespaces": ["shop"], "confirm": {"low": "key"}}
    assert "(guards.verbs.deny)" in in_us(every, guards={"verbs": {"deny": ["delete-pod"]}})
    assert "(guards.namespaces.allow)" in in_us(every, guards={"namespaces": ["pay"]})
    assert "t is read-only; press W" in in_us(every, environment="prod")
    assert "(guards.freeze)" in in_us(every, guards={"freeze": [WEEKEND]})


def test_what_changes_nothing_is_denied_by_a_clusters_lists_as_well() -> None:
    clusters = {"us": {"context": "us", "guards": {"verbs": {"deny": ["look-inside"]}, "read_only": True}}}
    profile = Profile.model_validate({"name": "t", "environment": "dev", "clusters": clusters})
    look = Request("look-inside", replace(POD, source="kubernetes:us"))
    assert "clusters.us.guards.verbs.deny" in (denial(look, profile) or "")
    assert denial(replace(look, target=POD), profile) is None
    assert denial(Request("shell", replace(POD, source="kubernetes:us")), profile) is None


def test_what_lasts_ends_when_the_window_of_its_cluster_is_closed_by_hand() -> None:
    clusters = {**CLUSTERS, "us": {"context": "us", "guards": {"read_only": True}}}
    profile = Profile.model_validate({"name": "t", "environment": "dev", "clusters": clusters})
    there, elsewhere = (Request("drain", replace(NODE, source=f"kubernetes:{name}")) for name in ("us", "eu"))
    now = 1000.0
    state = GuardState(read_only=False, clock=lambda: now)
    assert state.arm(60) is None
    assert not was_disarmed(there, profile, state)
    now += 61
    assert not was_disarmed(there, profile, state), "its time ran out; nobody stopped it"
    state.disarm()
    assert was_disarmed(there, profile, state)
    assert not was_disarmed(elsewhere, profile, state)
