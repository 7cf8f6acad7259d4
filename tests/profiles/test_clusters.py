"""Several clusters in one profile: read strictly, and no link into one is ever a guess."""

import pytest

from profiles.identity import KubernetesPins
from profiles.loader import load
from profiles.problems import ProfileError
from tests.profiles.conftest import Write

TWO = "clusters:\n  eu: prod-eu\n  us: {context: prod-us, namespaces: [shop]}\n"


def problems(write: Write, text: str) -> list[str]:
    path = write("prod", text)
    with pytest.raises(ProfileError) as caught:
        load("prod")
    return [str(problem).replace(f"{path}:", "") for problem in caught.value.problems]


def test_one_cluster_needs_one_line_and_has_no_name(write: Write) -> None:
    write("prod", "kubernetes: prod-eu\n")
    profile = load("prod").profile
    assert {name: entry.context for name, entry in profile.every_cluster.items()} == {"": "prod-eu"}
    assert profile.cluster_meant(None) == ""
    assert profile.cluster_meant("us") is None
    assert "kubernetes" not in profile.systems


def test_several_are_named_and_a_plain_string_is_the_context(write: Write) -> None:
    write("prod", TWO)
    profile = load("prod").profile
    assert {name: entry.context for name, entry in profile.every_cluster.items()} == {"eu": "prod-eu", "us": "prod-us"}
    assert profile.clusters["us"].namespaces == ["shop"]
    assert profile.cluster_meant("us") == "us"
    assert profile.cluster_meant(None) is None, "which one would be a guess"


def test_one_more_cluster_changes_nothing_for_the_first(write: Write) -> None:
    write("prod", "kubernetes: prod-eu\nclusters: {us: prod-us}\nlogs: {api: {pods: app=api, namespace: shop}}\n")
    profile = load("prod").profile
    assert list(profile.every_cluster) == ["", "us"]
    assert profile.cluster_meant(profile.logs["api"].cluster) == ""


def test_the_only_named_one_is_meant_where_none_is_named(write: Write) -> None:
    write("prod", "clusters: {eu: prod-eu}\nlogs: {api: {pods: app=api, namespace: shop}}\n")
    assert load("prod").profile.cluster_meant(None) == "eu"


def test_clusters_are_inherited_changed_and_taken_away(write: Write) -> None:
    write("base", TWO)
    write("prod", "extends: base\nclusters:\n  us: null\n  eu: {namespaces: [pay]}\n")
    (entry,) = load("prod").profile.every_cluster.values()
    assert (entry.context, entry.namespaces) == ("prod-eu", ["pay"])


def test_a_cluster_tightens_the_guards_and_saying_that_it_loosens_them_is_a_mistake(write: Write) -> None:
    write("prod", "clusters:\n  eu: prod-eu\n  us: {context: prod-us, guards: {read_only: true, verbs: [restart]}}\n")
    us = load("prod").profile.clusters["us"].guards
    assert (us.read_only, us.locked, us.verbs.allow) == (True, False, ["restart"])
    for key in ("read_only", "locked"):
        (problem,) = problems(write, f"clusters:\n  us:\n    context: prod-us\n    guards:\n      {key}: false\n")
        assert f"clusters.us.guards.{key}" in problem
        assert "a cluster only tightens the profile's guards" in problem
    (problem,) = problems(write, "clusters: {us: {context: a, guards: {databases: [shop]}}}\n")
    assert "databases" in problem


@pytest.mark.parametrize(
    ("link", "where"),
    [
        ("services: {api: {url: 'https://api', workload: shop/deployment/api%s}}", "services.api"),
        ("databases: {o: {dsn: 'host=o', via: {pod: a/b, port: 5432%s}}}", "databases.o.via"),
        ("redis: {c: {url: 'redis://c', via: {service: a/b, port: 6379%s}}}", "redis.c.via"),
        ("logs: {api: {workload: deployment/api, namespace: shop%s}}", "logs.api"),
    ],
)
def test_every_link_into_a_cluster_names_it_where_there_are_several(write: Write, link: str, where: str) -> None:
    (problem,) = problems(write, f"{TWO}{link % ''}\n")
    assert f"{where}: there are 2 clusters; name one; cluster: eu or us" in problem
    (problem,) = problems(write, f"{TWO}{link % ', cluster: uss'}\n")
    assert f"{where}.cluster: clusters has no such name; did you mean us?" in problem
    write("prod", f"{TWO}{link % ', cluster: us'}\n")
    load("prod")


def test_rules_may_be_for_some_clusters_only(write: Write) -> None:
    rule = "rules: {kubernetes.pods_failing: {warn: 1, only: [%s]}}\n"
    write("prod", TWO + rule % "us")
    load("prod")
    (problem,) = problems(write, TWO + rule % "use")
    assert "no system of this kind has that name; did you mean us?" in problem


def test_each_is_pinned_by_its_name(write: Write) -> None:
    uid = "5f0c1a3e-7a55-4a0e-9d6e-6f3b1f1f7a10"
    write("prod", f"{TWO}identity: {{clusters: {{us: {{namespace_uid: {uid}}}}}}}\n")
    assert load("prod").profile.identity.clusters == {"us": KubernetesPins(namespace_uid=uid)}
    (problem,) = problems(write, f"{TWO}identity: {{clusters: {{ap: {{namespace_uid: {uid}}}}}}}\n")
    assert "identity.clusters.ap: no system of this kind has that name; there are eu, us" in problem


def test_a_cluster_of_a_sandbox_profile_needs_the_sandboxs_kubeconfig(write: Write) -> None:
    (problem,) = problems(write, "environment: sandbox\nclusters: {eu: prod-eu}\n")
    assert "clusters.eu: in the sandbox it needs the sandbox's kubeconfig" in problem
