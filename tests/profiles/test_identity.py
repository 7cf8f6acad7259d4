"""What a profile pins: read strictly, every mistake at its line."""

import pytest

from profiles.identity import KubernetesPins, PostgresPins, RedisPins
from profiles.loader import load
from profiles.problems import ProfileError
from tests.profiles.conftest import Write

SYSTEMS = "kubernetes: prod-eu\ndatabases: {orders: service=orders}\nredis: {cache: 'redis://cache'}\n"


def problems(write: Write, text: str) -> list[str]:
    path = write("prod", text)
    with pytest.raises(ProfileError) as caught:
        load("prod")
    return [str(problem).replace(f"{path}:", "") for problem in caught.value.problems]


@pytest.mark.parametrize("written", ["7312345678901234567", '"7312345678901234567"'])
def test_every_kind_of_system_can_be_pinned(write: Write, written: str) -> None:
    write(
        "prod",
        SYSTEMS + "identity:\n  kubernetes: {namespace_uid: 5f0c1a3e-7a55-4a0e-9d6e-6f3b1f1f7a10}\n"
        f"  postgres:\n    orders: {{system_identifier: {written}, address: 10.0.0.5, port: 5432, role: primary}}\n"
        "  redis:\n    cache: {role: master}\n",
    )
    identity = load("prod").profile.identity
    assert identity.kubernetes == KubernetesPins(namespace_uid="5f0c1a3e-7a55-4a0e-9d6e-6f3b1f1f7a10")
    assert identity.postgres == {
        "orders": PostgresPins(system_identifier=7312345678901234567, address="10.0.0.5", port=5432, role="primary")
    }
    assert identity.redis == {"cache": RedisPins(role="master")}


def test_a_profile_without_pins_pins_nothing(write: Write) -> None:
    write("prod", SYSTEMS)
    identity = load("prod").profile.identity
    assert (identity.kubernetes, identity.postgres, identity.redis) == (None, {}, {})


def test_names_that_the_profile_does_not_have_are_mistakes_at_their_line(write: Write) -> None:
    pins = "identity:\n  postgres:\n    ordrs: {role: primary}\n  redis:\n    session: {role: master}\n"
    assert problems(write, SYSTEMS + pins) == [
        "6:5: identity.postgres.ordrs: no system of this kind has that name; did you mean orders?",
        "8:5: identity.redis.session: no system of this kind has that name; there are cache",
    ]


def test_a_cluster_cannot_be_pinned_where_there_is_none(write: Write) -> None:
    assert problems(write, "identity:\n  kubernetes: {namespace_uid: x}\n") == [
        "2:3: identity.kubernetes: pins a cluster, but there is no kubernetes section; kubernetes: CONTEXT"
    ]


@pytest.mark.parametrize(
    ("pins", "words"),
    [
        ("postgres: {orders: {}}", "identity.postgres.orders: pins nothing: give system_identifier, cluster_name"),
        ("postgres: {orders: {system_identifer: 7}}", "unknown key; did you mean system_identifier?"),
        ("postgres: {orders: {system_identifier: many}}", "system_identifier: must be a whole number"),
        ("postgres: {orders: {role: master}}", "role: must be one of primary, standby"),
        ("redis: {cache: {role: primary}}", "role: must be one of master, replica"),
        ("redis: {cache: {run_id: abc}}", "unknown key"),
        ("redis: {cache: {cluster_myid: abc}}", "cluster_myid: does not have the right form"),
        ("kubernetes: {ca_sha256: 'AA:BB'}", "ca_sha256: does not have the right form"),
        ("kubernetes: {server: api.example.com}", "server: does not have the right form"),
    ],
)
def test_a_mistake_in_a_pin_is_named_with_what_helps(write: Write, pins: str, words: str) -> None:
    (problem,) = problems(write, f"{SYSTEMS}identity:\n  {pins}\n")
    assert problem.startswith("5:")
    assert words in problem


def test_pins_are_inherited_and_can_be_changed_one_by_one(write: Write) -> None:
    write("base", SYSTEMS + "identity: {postgres: {orders: {system_identifier: 7, role: primary}}}\n")
    write("prod", "extends: base\nidentity: {postgres: {orders: {role: standby}}}\n")
    assert load("prod").profile.identity.postgres == {"orders": PostgresPins(system_identifier=7, role="standby")}
