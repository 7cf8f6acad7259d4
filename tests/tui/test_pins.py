"""The profile's pins beside what answers: facts in, findings out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from profiles.identity import Identity
from profiles.schema import Profile
from tests.tui.actions.scripted import Known
from tui import pins
from tui.cli.pin_page import renewed
from tui.sources.errors import Unreachable
from tui.sources.reading import Reading, Snapshot
from tui.sources.trait import Trait

PINNED = {
    "name": "prod",
    "kubernetes": "prod-eu",
    "databases": {"orders": "service=orders", "billing": "service=billing"},
    "redis": {"cache": "redis://cache"},
    "identity": {
        "kubernetes": {"namespace_uid": "u-1"},
        "postgres": {"orders": {"system_identifier": 73, "address": "10.0.0.5", "role": "primary"}},
        "redis": {"cache": {"role": "master"}},
    },
}
PROFILE = Profile.model_validate(PINNED)


def reading(source: str, **values: Any) -> Reading[Snapshot]:
    return Reading(source, 2.0, Known.by(**values), taken_at=0.0)


AS_PINNED: Mapping[str, Reading[Snapshot]] = {
    "kubernetes:": reading("kubernetes:", namespace_uid="u-1", server="https://a"),
    "database:orders": reading("database:orders", system_identifier=73, address="10.0.0.5", port=1, role="primary"),
    "database:billing": reading("database:billing", system_identifier=99),
    "redis:cache": reading("redis:cache", role="master"),
}


def found(**changed: Reading[Snapshot] | None) -> list[str]:
    readings = {**AS_PINNED, **{name.replace("_", ":"): reading for name, reading in changed.items()}}
    return [str(finding) for finding in pins.findings(PROFILE.identity, readings.get)]


def refusal(source: str, **changed: Reading[Snapshot] | None) -> str:
    readings = {**AS_PINNED, **{name.replace("_", ":"): reading for name, reading in changed.items()}}
    return pins.refusal(PROFILE, source, readings.get) or ""


def test_nothing_is_found_where_everything_is_as_pinned() -> None:
    assert found() == []
    assert refusal("database:orders") == ""


def test_a_profile_without_pins_compares_nothing() -> None:
    bare = Profile.model_validate({**PINNED, "identity": {}})
    assert pins.findings(bare.identity, lambda source: None) == ()
    assert pins.refusal(bare, "database:orders", lambda source: None) is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"database_orders": reading("", system_identifier=74, address="10.0.0.5", role="primary")},
            "PostgreSQL orders: system identifier 73 expected, 74 answers",
        ),
        (
            {"database_orders": reading("", system_identifier=73, address="10.0.0.5", role="standby")},
            "PostgreSQL orders: role primary expected, standby answers",
        ),
        (
            {"database_orders": reading("", system_identifier=73, address="a unix socket", role="primary")},
            "PostgreSQL orders: address 10.0.0.5 expected, a unix socket answers",
        ),
        ({"kubernetes_": reading("", namespace_uid="u-2")}, "Kubernetes: UID of kube-system u-1 expected, u-2 answers"),
        ({"redis_cache": reading("", role="replica")}, "Redis cache: role master expected, replica answers"),
    ],
)
def test_a_mismatch_anywhere_stands_against_every_change(changed: dict[str, Any], sentence: str) -> None:
    assert found(**changed) == [sentence]
    for source in AS_PINNED:
        assert refusal(source, **changed).startswith(f"this is not what profile prod expects: {sentence} ")
    assert "opstui profile pin prod" in refusal("redis:cache", **changed)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"database_orders": None}, "it has not answered yet"),
        ({"database_orders": Reading("database:orders", 2.0)}, "it has not answered yet"),
        (
            {"database_orders": reading("", system_identifier=None, address="10.0.0.5", role="primary")},
            "system identifier 73 expected, not verified: ask for a grant",
        ),
    ],
)
def test_what_cannot_be_verified_stands_against_changes_of_that_system_only(changed: dict[str, Any], why: str) -> None:
    assert why in refusal("database:orders", **changed)
    assert refusal("database:orders", **changed).startswith("it is not sure that this is what profile prod expects")
    assert refusal("redis:cache", **changed) == ""
    assert refusal("database:billing", **changed) == "", "it is not pinned"


def test_what_answered_wrongly_stays_so_while_its_system_is_silent() -> None:
    wrong = replace(reading("redis:cache", role="replica"), error=Unreachable("gone"))
    assert found(redis_cache=wrong) == ["Redis cache: role master expected, replica answers"]


def test_mismatches_come_before_what_is_not_sure() -> None:
    sentences = found(kubernetes_=None, redis_cache=reading("", role="replica"))
    assert [sentence.split(":")[0] for sentence in sentences] == ["Redis cache", "Kubernetes"]


def test_only_what_begins_and_ends_is_news() -> None:
    def look(**changed: Reading[Snapshot] | None) -> tuple[pins.Finding, ...]:
        readings = {**AS_PINNED, **{name.replace("_", ":"): reading for name, reading in changed.items()}}
        return pins.findings(PROFILE.identity, readings.get)

    calm, unread, wrong = look(), look(redis_cache=None), look(redis_cache=reading("", role="replica"))
    sentence = "not as pinned: Redis cache: role master expected, replica answers"
    assert list(pins.changed((), unread)) == [], "the start is no news"
    assert list(pins.changed(unread, wrong)) == [("redis:cache", sentence, True)]
    assert list(pins.changed(wrong, wrong)) == []
    assert list(pins.changed(wrong, unread)) == [], "nobody knows yet"
    assert list(pins.changed(wrong, calm)) == [
        ("redis:cache", "Redis cache: role master answers again, as expected", False)
    ]


def test_text_from_outside_is_cleaned_where_it_is_told() -> None:
    (sentence,) = found(redis_cache=reading("", role="re\x1b[31mplica"))
    assert "\x1b" not in sentence


def test_each_of_several_clusters_has_its_own_pins() -> None:
    pinned = {
        "name": "prod",
        "clusters": {"eu": "prod-eu", "us": "prod-us"},
        "identity": {"clusters": {"eu": {"namespace_uid": "u-1"}, "us": {"namespace_uid": "u-2"}}},
    }
    profile = Profile.model_validate(pinned)
    swapped = {
        "kubernetes:eu": reading("kubernetes:eu", namespace_uid="u-1"),
        "kubernetes:us": reading("kubernetes:us", namespace_uid="u-1"),
    }
    (finding,) = pins.findings(profile.identity, swapped.get)
    assert str(finding) == "Kubernetes us: UID of kube-system u-2 expected, u-1 answers"
    assert "not what profile prod expects" in (pins.refusal(profile, "kubernetes:eu", swapped.get) or "")


def test_the_pins_of_a_named_cluster_are_written_under_its_name() -> None:
    answers = {
        "kubernetes:": {"namespace_uid": Trait("namespace_uid", "u-1")},
        "kubernetes:us": {"namespace_uid": Trait("namespace_uid", "u-2")},
    }
    assert renewed(Identity(), answers) == {
        "kubernetes": {"namespace_uid": "u-1"},
        "clusters": {"us": {"namespace_uid": "u-2"}},
    }
