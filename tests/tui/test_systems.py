"""What a profile with several clusters is wired to; nothing is connected."""

from typing import Any

from profiles.schema import Profile
from tui.sources.kubernetes import KubernetesSource
from tui.sources.logs import LogsSource
from tui.sources.postgres.source import PostgresSource
from tui.systems import Systems, systems_of

VIA = {"service": "shop/db", "port": 5432}


def _systems(**more: Any) -> Systems:
    return systems_of(Profile.model_validate({"name": "t", **more}))


def _of(systems: Systems, name: str) -> Any:
    return next(source for source in systems.sources if source.name == name)


def test_one_cluster_is_called_as_ever() -> None:
    systems = _systems(kubernetes="prod-eu")
    assert [one.name for one in systems.sources if isinstance(one, KubernetesSource)] == ["kubernetes:"]
    assert ("scale", "kubernetes:") in systems.verbs


def test_each_of_several_has_verbs_of_its_own_that_reach_it_alone() -> None:
    systems = _systems(kubernetes="prod-eu", clusters={"us": "prod-us", "ap": {"context": "prod-ap", "optional": True}})
    clusters = [one for one in systems.sources if isinstance(one, KubernetesSource)]
    assert [one.name for one in clusters] == ["kubernetes:", "kubernetes:us", "kubernetes:ap"]
    for cluster in clusters:
        verb: Any = systems.verbs["scale", cluster.name]
        assert verb._source is cluster
    assert systems.optional == {"kubernetes:ap"}
    assert "--context prod-us" in clusters[1].kubectl("shop", "get", "pods")


def test_logs_and_forwards_lead_into_the_cluster_they_name() -> None:
    systems = _systems(
        clusters={"eu": "prod-eu", "us": "prod-us"},
        logs={"api": {"pods": "app=api", "namespace": "shop", "cluster": "us"}},
        databases={"orders": {"dsn": "dbname=orders", "via": {**VIA, "cluster": "us"}}},
    )
    us = _of(systems, "kubernetes:us")
    logs, database = _of(systems, "logs:api"), _of(systems, "database:orders")
    assert isinstance(logs, LogsSource)
    pods: Any = logs._pod_logs
    assert pods._source is us
    assert isinstance(database, PostgresSource)
    forward: Any = database._forward
    assert forward._connection is us.connection
    assert "--context prod-us" in forward.by_hand(5432)
