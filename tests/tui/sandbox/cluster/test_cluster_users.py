"""Who may do what in the simulated cluster, and in which words it says no."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import APPS, SHOP, Client


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster() as cluster:
        yield cluster


async def test_an_unknown_token_is_nobody(cluster: Cluster) -> None:
    async with Client(cluster, token="guessed") as client:
        answer = await client.get("/api/v1/pods")
    assert (answer.status, answer.body["reason"], answer.message) == (401, "Unauthorized", "Unauthorized")


@pytest.mark.parametrize(
    ("user", "method", "path", "message"),
    [
        (
            "viewer",
            "GET",
            f"{SHOP}/secrets",
            'secrets is forbidden: User "sandbox:viewer" cannot list resource "secrets" in API group "" in the '
            'namespace "shop"',
        ),
        (
            "viewer",
            "PATCH",
            f"{APPS}/deployments/api/scale",
            'deployments.apps "api" is forbidden: User "sandbox:viewer" cannot patch resource "deployments/scale" in '
            'API group "apps" in the namespace "shop"',
        ),
        (
            "shop-only",
            "GET",
            "/api/v1/pods",
            'pods is forbidden: User "sandbox:shop-only" cannot list resource "pods" in API group "" at the cluster '
            "scope",
        ),
        (
            "shop-only",
            "GET",
            "/api/v1/namespaces/payments/pods?watch=true",
            'pods is forbidden: User "sandbox:shop-only" cannot watch resource "pods" in API group "" in the '
            'namespace "payments"',
        ),
    ],
)
async def test_a_refusal_names_user_verb_and_scope(
    cluster: Cluster, user: str, method: str, path: str, message: str
) -> None:
    async with Client(cluster, user) as client:
        answer = await client.ask(method, path)
    assert (answer.status, answer.body["reason"], answer.message) == (403, "Forbidden", message)


async def test_everybody_sees_what_is_theirs(cluster: Cluster) -> None:
    async with Client(cluster, "viewer") as viewer, Client(cluster, "shop-only") as shop:
        assert (await viewer.get("/api/v1/nodes")).status == 200
        assert (await shop.get(f"{SHOP}/pods")).status == 200
        assert (await shop.get("/api/v1/namespaces/shop")).status == 200
        assert (await shop.get("/api/v1/namespaces")).status == 403
        assert (await shop.patch(f"{APPS}/deployments/api", {"metadata": {"labels": {"a": "b"}}})).status == 200


@pytest.mark.parametrize(("user", "allowed"), [("admin", True), ("viewer", False), ("shop-only", True)])
async def test_an_access_review_agrees_with_the_server(cluster: Cluster, user: str, allowed: bool) -> None:
    wanted = {"namespace": "shop", "verb": "patch", "group": "apps", "resource": "deployments", "subresource": "scale"}
    async with Client(cluster, user) as client:
        review = await client.ask(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {"spec": {"resourceAttributes": wanted}},
        )
        done = await client.patch(f"{APPS}/deployments/api/scale", {"spec": {"replicas": 3}})
    assert review.body["status"]["allowed"] is allowed
    assert (done.status == 200) is allowed


async def test_a_rules_review_lists_what_is_allowed(cluster: Cluster) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    async with Client(cluster, "viewer") as client:
        answer = await client.ask("POST", path, {"spec": {"namespace": "shop"}})
    rules = {r["resources"][0]: r["verbs"] for r in answer.body["status"]["resourceRules"]}
    assert rules["pods"] == ["get", "list", "watch"]
    assert "secrets" not in rules


async def test_a_kubeconfig_is_private_and_has_the_context_sandbox(cluster: Cluster, tmp_path: Path) -> None:
    path = cluster.write_kubeconfig(tmp_path / "config", "viewer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = yaml.safe_load(path.read_text())
    assert config["current-context"] == "sandbox"
    assert config["users"][0]["user"]["token"] == cluster.users["viewer"].token


async def test_over_tls_the_token_is_in_no_url() -> None:
    async with Cluster(demo=False, tls=True) as cluster, Client(cluster) as client:
        config = yaml.safe_load(cluster.kubeconfig())
        assert config["clusters"][0]["cluster"]["server"] == cluster.url
        assert (await client.get("/api/v1/namespaces")).status == 200


async def test_over_plain_http_the_path_may_name_the_user(cluster: Cluster) -> None:
    token = cluster.users["viewer"].token
    async with Client(cluster) as client:
        answer = await client.get(f"/as/{token}/api/v1/namespaces/shop/secrets")
    assert answer.status == 200  # a token that is sent counts more than the path
