"""What a profile requires, against what systems say."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from profiles.schema import Profile
from tests.tui.walkthroughs.fakes import Cluster, deployment, site_of
from tui.check.required import is_met, required_checks, required_of
from tui.check.required_cluster import required_settings
from tui.check.selection import SelectionError, selected
from tui.walkthroughs.run import Mark


@pytest.mark.parametrize(
    ("told", "bound", "met"),
    [
        ("1.4.2", ">=1.4", True), ("1.10", ">=1.9", True), ("v1.4.0", "1.4", True), ("1.3.9", ">=1.4", False),
        ("1.4.0-rc1", ">=1.4", False), ("1.4.0-rc1", "<1.4", True), ("1.4.0+build.7", "==1.4.0", True),
        ("2", "<2", False), ("2.0.1", "> 2", True), ("18.6 (Debian)", "<=18.6", True),
        ("", ">=1", None), ("main", ">=1", None), ("1.4rc1", ">=1", None), ("9" * 400, ">=1", None),
    ],
)  # fmt: skip
def test_versions_are_compared_by_their_numbers(told: str, bound: str, met: bool | None) -> None:
    assert is_met(told, bound) is met


def profile(**required: object) -> Profile:
    return Profile.model_validate({
        "name": "t", "kubernetes": "k", "services": {"api": "http://a/"}, "required": required,
    })  # fmt: skip


def test_what_is_required_is_asked_of_its_system_only() -> None:
    both = profile(replicas={"shop/deployment/api": 2}, versions={"api": ">=1.4"})
    assert list(required_of(both)) == [
        ("kubernetes:", "required.replicas"), ("service:api", "required.versions"),
    ]  # fmt: skip
    sources = ["service:api", "kubernetes:", "host:"]
    assert selected(both, sources, ["required"]).sources == {"service:api", "kubernetes:"}
    assert selected(both, sources, ["required.versions"]).sources == {"service:api"}
    assert selected(both, sources, ["host"]).required == ()
    assert len(selected(both, sources, ()).required) == 2


def test_what_is_not_required_cannot_be_named() -> None:
    with pytest.raises(SelectionError, match="no required: section"):
        selected(profile(), ["service:api"], ["required"])


@pytest.mark.parametrize(
    "required",
    [
        {"versions": {"web": "1"}}, {"versions": {"api": "new"}}, {"replicas": {"api": 2}},
        {"replicas": {"shop/deployment/api": 0}},
    ],
)  # fmt: skip
def test_what_cannot_be_required_is_a_mistake_of_the_profile(required: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        profile(**required)


# Several clusters

CLUSTERS = {"eu": "c-eu", "us": "c-us"}
API = "shop/deployment/api"


def of_clusters(**given: object) -> Profile:
    return Profile.model_validate({"name": "t", "environment": "dev", "clusters": CLUSTERS, **given})


def test_what_is_required_in_several_clusters_is_asked_of_each_by_its_name() -> None:
    both = of_clusters(required={"replicas": {f"eu:{API}": 2, f"us:{API}": 3}, "config_maps": {"us:shop/settings": []}})
    assert list(required_of(both)) == [
        ("kubernetes:eu", "required.replicas"), ("kubernetes:us", "required.replicas"),
        ("kubernetes:us", "required.config_maps"),
    ]  # fmt: skip
    sources = ["kubernetes:eu", "kubernetes:us"]
    assert selected(both, sources, ["kubernetes:eu"]).required == (("kubernetes:eu", "required.replicas"),)
    beside = of_clusters(kubernetes="c", required={"replicas": {API: 2}})
    assert list(required_of(beside)) == [("kubernetes:", "required.replicas")]
    only = of_clusters(clusters={"us": "c-us"}, required={"replicas": {API: 2}})
    assert list(required_of(only)) == [("kubernetes:us", "required.replicas")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"required": {"replicas": {API: 2}}}, f"which cluster has it? write eu:{API}, us:{API}"),
        ({"required": {"variables": {API: ["X"]}}}, "which cluster has it?"),
        ({"required": {"config_maps": {"usa:shop/a": []}}}, "there is no cluster usa; write eu:shop/a, us:shop/a"),
        ({"kubernetes": "c", "clusters": {}, "required": {"replicas": {f"us:{API}": 1}}}, "there is no cluster us"),
        ({"clusters": {}, "required": {"replicas": {API: 2}}}, "required.replicas needs kubernetes"),
    ],
)
def test_which_cluster_is_meant_is_never_guessed(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        of_clusters(**given)


async def test_replicas_are_counted_in_the_cluster_that_is_named(tmp_path: Path) -> None:
    required = {"replicas": {f"eu:{API}": 2, f"us:{API}": 2, "us:shop/deployment/gone": 1}}
    systems = Cluster("eu", deployment()), Cluster("us", deployment(ready=1))
    async with site_of(tmp_path, *systems, clusters=CLUSTERS, required=required) as site:
        await site.anew(["kubernetes:eu", "kubernetes:us"])
        checks = [check for source, name in required_of(site.profile) for check in required_checks(source, name, site)]
    assert [(check.system, check.object, check.mark, check.value) for check in checks] == [
        ("kubernetes:eu", API, Mark.PASSED, 2.0), ("kubernetes:us", API, Mark.FAILED, 1.0),
        ("kubernetes:us", "shop/deployment/gone", Mark.FAILED, None),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["required.config_maps", "required.variables"])
async def test_settings_are_read_in_the_cluster_that_is_named(tmp_path: Path, name: str) -> None:
    required = {"config_maps": {"us:shop/settings": []}, "variables": {f"us:{API}": ["PORT"]}}
    async with site_of(tmp_path, Cluster("eu"), Cluster("us"), clusters=CLUSTERS, required=required) as site:
        assert await required_settings("kubernetes:eu", name, site) == []
        (check,) = await required_settings("kubernetes:us", name, site)
    assert (check.system, check.mark, check.detail) == ("kubernetes:us", Mark.UNKNOWN, "kubernetes:us was asked")
