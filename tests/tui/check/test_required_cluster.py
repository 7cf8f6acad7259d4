"""ConfigMaps and variables that a profile requires: names only, and unknown where they cannot be seen."""

from pathlib import Path
from typing import Any

import pytest

from profiles.schema import Profile
from tests.tui.walkthroughs.fakes import site_of
from tui.check.required import required_of
from tui.check.required_cluster import CONFIG_MAPS, VARIABLES, required_settings
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import Denied, SourceError, Unreadable
from tui.sources.kubernetes import KubernetesSource
from tui.sources.kubernetes.settings import keys_of, variables_of
from tui.walkthroughs.run import Mark

OBJECTS: dict[str, Any] = {
    "/apis/apps/v1/namespaces/shop/deployments/api": {
        "spec": {
            "template": {
                "spec": {
                    "initContainers": [{"name": "wait", "env": [{"name": "ONLY_INIT", "value": "x"}]}],
                    "containers": [
                        {
                            "name": "api",
                            "env": [{"name": "DATABASE_URL", "value": "secret-value"}, {"name": "PORT"}],
                            "envFrom": [
                                {"configMapRef": {"name": "settings"}},
                                {"prefix": "S_", "secretRef": {"name": "keys"}},
                                {"configMapRef": {"name": "gone"}},
                            ],
                        },
                        {
                            "name": "proxy",
                            "env": [{"name": "PORT"}],
                            "envFrom": [{"configMapRef": {"name": "settings"}}],
                        },
                    ],
                }
            }
        }
    },
    "/api/v1/namespaces/shop/configmaps/settings": {"data": {"LOG_LEVEL": "info"}, "binaryData": {"logo": "AA=="}},
    "/api/v1/namespaces/shop/secrets/keys": {"data": {"TOKEN": "c2VjcmV0"}},
}


async def get(path: str) -> Any:
    if path not in OBJECTS:
        raise Unreadable(f'"{path}" not found')
    return OBJECTS[path]


async def test_what_every_container_has_counts_however_it_came_there() -> None:
    found, unseen = await variables_of(get, "Deployment", "shop", "api")
    assert found == {"PORT", "LOG_LEVEL", "logo"}
    assert unseen == ()


async def test_a_secret_that_may_not_be_read_is_told_and_no_value_is_kept() -> None:
    async def refusing(path: str) -> Any:
        if "/secrets/" in path:
            raise Denied("secrets is forbidden", "ask")
        return await get(path)

    _, unseen = await variables_of(refusing, "Deployment", "shop", "api")
    assert unseen == ("Secret keys: secrets is forbidden",)
    assert await keys_of(get, "Secret", "shop", "keys") == {"TOKEN"}


async def test_names_in_paths_are_quoted() -> None:
    with pytest.raises(SourceError, match=r"shop%2F\.\.%2F/configmaps/a%3Fb"):
        await keys_of(get, "ConfigMap", "shop/../", "a?b")


def test_they_are_asked_of_the_cluster() -> None:
    required = {"config_maps": {"shop/settings": []}, "variables": {"shop/deployment/api": ["PORT"]}}
    profile = Profile.model_validate({"name": "t", "kubernetes": "k", "required": required})
    assert list(required_of(profile)) == [("kubernetes:", CONFIG_MAPS), ("kubernetes:", VARIABLES)]
    with pytest.raises(ValueError, match=r"required\.config_maps needs kubernetes"):
        Profile.model_validate({"name": "t", "required": {"config_maps": {"shop/settings": []}}})


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_against_a_cluster(sandbox: BlockingSandbox, tmp_path: Path) -> None:
    required = {
        "config_maps": {"shop/settings": ["LOG_LEVEL", "NOPE"], "shop/gone": [], "shop/kube-root-ca.crt": []},
        "variables": {"shop/deployment/api": ["NOPE"], "shop/widget/api": ["X"], "shop/deployment/gone": ["X"]},
    }
    entry = {"kubeconfig": sandbox.endpoints["kubeconfig"]}
    profile = Profile.model_validate({"name": "t", "environment": "dev", "kubernetes": entry})
    assert profile.kubernetes is not None
    source = KubernetesSource(profile.kubernetes)
    async with site_of(tmp_path, source, kubernetes=entry, required=required) as site:
        await site.anew(["kubernetes:"])
        maps = {
            check.object: (check.mark, check.detail)
            for check in await required_settings("kubernetes:", CONFIG_MAPS, site)
        }
        variables = {
            check.object: (check.mark, check.detail)
            for check in await required_settings("kubernetes:", VARIABLES, site)
        }
    assert maps == {
        "shop/settings": (Mark.FAILED, "has no NOPE"),
        "shop/gone": (Mark.FAILED, "not there"),
        "shop/kube-root-ca.crt": (Mark.PASSED, ""),
    }
    assert variables == {
        "shop/deployment/api": (Mark.FAILED, "has no NOPE"),
        "shop/widget/api": (Mark.UNKNOWN, "widget is no kind of workload"),
        "shop/deployment/gone": (Mark.FAILED, "not there"),
    }
