"""Changes to the simulated cluster: preconditions, dry runs, scale, eviction, deletion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import APPS, JSON_PATCH, SHOP, STRATEGIC, Answer, Client
from tui.sandbox.cluster.resources import CONFIGMAPS, DEPLOYMENTS, NAMESPACES, PODS, REPLICASETS

GATEWAY = f"{APPS}/deployments/gateway"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(speed=20) as cluster:
        yield cluster


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    async with Client(cluster) as client:
        yield client


def replicas(cluster: Cluster) -> Any:
    return cluster.store.get(DEPLOYMENTS, "shop", "gateway")["spec"]["replicas"]


async def test_a_dry_run_changes_nothing(cluster: Cluster, client: Client) -> None:
    before = [cluster.store.get(DEPLOYMENTS, "shop", "gateway"), *cluster.pods("shop", "gateway")]
    patched = await client.patch(f"{GATEWAY}?dryRun=All", {"spec": {"replicas": 9}})
    assert patched.body["spec"]["replicas"] == 9
    scaled = await client.patch(f"{GATEWAY}/scale?dryRun=All", {"spec": {"replicas": 8}})
    assert scaled.body["spec"]["replicas"] == 8
    name = cluster.pods("shop", "gateway")[0]["metadata"]["name"]
    assert (await client.ask("DELETE", f"{SHOP}/pods/{name}?dryRun=All")).status == 200
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}
    assert (await client.ask("POST", f"{SHOP}/configmaps?dryRun=All", body)).status == 201
    eviction = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": name}}
    assert (await client.ask("POST", f"{SHOP}/pods/{name}/eviction?dryRun=All", eviction)).status == 201
    assert [cluster.store.get(DEPLOYMENTS, "shop", "gateway"), *cluster.pods("shop", "gateway")] == before
    assert cluster.store.find(CONFIGMAPS, "shop", "new") is None


async def test_a_change_that_changes_nothing_makes_no_version(cluster: Cluster, client: Client) -> None:
    version = (await client.get(GATEWAY)).body["metadata"]["resourceVersion"]
    answer = await client.patch(GATEWAY, {"spec": {"replicas": 3}})
    assert (answer.status, answer.body["metadata"]["resourceVersion"]) == (200, version)


async def test_only_a_changed_spec_makes_a_generation(client: Client) -> None:
    before = (await client.get(GATEWAY)).body["metadata"]["generation"]
    labelled = await client.patch(GATEWAY, {"metadata": {"labels": {"team": "a"}}})
    assert labelled.body["metadata"]["generation"] == before
    paused = await client.patch(GATEWAY, {"spec": {"paused": True}}, STRATEGIC)
    assert paused.body["metadata"]["generation"] == before + 1


async def test_scale_can_be_guarded_by_what_was_seen(cluster: Cluster, client: Client) -> None:
    seen = (await client.get(f"{GATEWAY}/scale")).body
    test = [
        {"op": "test", "path": "/spec/replicas", "value": 3},
        {"op": "replace", "path": "/spec/replicas", "value": 4},
    ]
    assert (await client.patch(f"{GATEWAY}/scale", test, JSON_PATCH)).status == 200
    assert (await client.patch(f"{GATEWAY}/scale", test, JSON_PATCH)).status == 422
    seen["spec"]["replicas"] = 7
    assert (await client.ask("PUT", f"{GATEWAY}/scale", seen)).status == 409
    assert replicas(cluster) == 4


async def test_a_deleted_pod_terminates_first_and_is_replaced(cluster: Cluster, client: Client) -> None:
    pod = cluster.pods("shop", "gateway")[0]
    name = pod["metadata"]["name"]
    options = {"preconditions": {"uid": pod["metadata"]["uid"]}, "gracePeriodSeconds": 5}
    deleted = await client.ask("DELETE", f"{SHOP}/pods/{name}", options)
    assert deleted.body["metadata"]["deletionGracePeriodSeconds"] == 5
    await cluster.until(lambda: cluster.store.find(PODS, "shop", name) is None)
    await cluster.until(lambda: len(cluster.pods("shop", "gateway")) == 3)


async def test_a_pod_may_be_deleted_at_once(cluster: Cluster, client: Client) -> None:
    name = cluster.pods("shop", "gateway")[0]["metadata"]["name"]
    await client.ask("DELETE", f"{SHOP}/pods/{name}?gracePeriodSeconds=0")
    assert cluster.store.find(PODS, "shop", name) is None


async def test_an_eviction_needs_a_budget_that_allows_it(cluster: Cluster, client: Client) -> None:
    name = cluster.pods("payments", "ledger")[0]["metadata"]["name"]
    body = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": name}}
    refused = await client.ask("POST", f"/api/v1/namespaces/payments/pods/{name}/eviction", body)
    assert (refused.status, refused.body["reason"]) == (429, "TooManyRequests")
    assert refused.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert "The disruption budget ledger needs 2 healthy pods" in refused.body["details"]["causes"][0]["message"]
    name = cluster.pods("shop", "gateway")[0]["metadata"]["name"]
    wrong = {**body, "metadata": {"name": name}, "deleteOptions": {"preconditions": {"uid": "other"}}}
    assert (await client.ask("POST", f"{SHOP}/pods/{name}/eviction", wrong)).status == 409
    right = {**body, "metadata": {"name": name}}
    assert (await client.ask("POST", f"{SHOP}/pods/{name}/eviction", right)).status == 201
    await cluster.until(lambda: cluster.store.find(PODS, "shop", name) is None)


async def test_what_is_owned_goes_with_its_owner(cluster: Cluster, client: Client) -> None:
    await client.ask("DELETE", f"{GATEWAY}?propagationPolicy=Background")
    await cluster.until(lambda: not cluster.pods("shop", "gateway"))
    assert not [r for r in cluster.store.things(REPLICASETS, "shop") if "gateway" in r["metadata"]["name"]]


async def test_orphans_stay(cluster: Cluster, client: Client) -> None:
    await client.ask("DELETE", GATEWAY, {"propagationPolicy": "Orphan"})
    await cluster.until(lambda: cluster.store.find(DEPLOYMENTS, "shop", "gateway") is None)
    assert len(cluster.pods("shop", "gateway")) == 3


async def test_in_the_foreground_the_owner_goes_last(cluster: Cluster, client: Client) -> None:
    left = await client.ask("DELETE", GATEWAY, {"propagationPolicy": "Foreground"})
    assert left.body["metadata"]["finalizers"] == ["foregroundDeletion"]
    await cluster.until(lambda: cluster.store.find(DEPLOYMENTS, "shop", "gateway") is None)
    assert not [r for r in cluster.store.things(REPLICASETS, "shop") if "gateway" in r["metadata"]["name"]]


async def test_a_namespace_empties_itself_and_goes(cluster: Cluster, client: Client) -> None:
    ending = await client.ask("DELETE", "/api/v1/namespaces/payments")
    assert ending.body["status"]["phase"] == "Terminating"
    await cluster.until(lambda: cluster.store.find(NAMESPACES, "", "payments") is None)
    assert list(cluster.store.things(PODS, "payments")) == []


async def test_status_and_spec_are_written_apart(client: Client) -> None:
    both = {"spec": {"unschedulable": True}, "status": {"phase": "mine"}}
    through_spec = await client.patch("/api/v1/nodes/node-2", both)
    assert (through_spec.body["spec"]["unschedulable"], through_spec.body["status"].get("phase")) == (True, None)
    undo = {"spec": {"unschedulable": False}, "status": {"phase": "mine"}}
    through_status = await client.patch("/api/v1/nodes/node-2/status", undo)
    assert (through_status.body["spec"]["unschedulable"], through_status.body["status"]["phase"]) == (True, "mine")


async def test_two_writers_of_one_version_do_not_both_win(client: Client) -> None:
    seen = (await client.get(GATEWAY)).body
    one, other = {**seen, "spec": {**seen["spec"], "replicas": 5}}, {**seen, "spec": {**seen["spec"], "replicas": 6}}
    answers = await asyncio.gather(client.ask("PUT", GATEWAY, one), client.ask("PUT", GATEWAY, other))
    assert sorted(a.status for a in answers) == [200, 409]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/apis/apps/v1/nonsense", 404),
        ("GET", "/apis/nonsense/v1/pods", 404),
        ("POST", "/apis/metrics.k8s.io/v1beta1/nodes", 405),
        ("PUT", f"{SHOP}/pods", 405),
        ("GET", f"{SHOP}/pods/none/log", 404),
        ("GET", "/api/v1/pods?limit=many", 400),
    ],
)
async def test_what_is_not_served_is_refused(client: Client, method: str, path: str, status: int) -> None:
    assert (await client.ask(method, path, None if method == "GET" else {"metadata": {}})).status == status


async def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    assert (await client.ask("POST", f"{SHOP}/configmaps", b"{")).status == 400


async def applied(client: Client, manager: str, data: dict[str, str], **metadata: str) -> Answer:
    """Apply the ConfigMap of settings as a field manager, or by force as one that ends in `!`."""
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", **metadata}, "data": data}
    query = f"fieldManager={manager.rstrip('!')}&force={str(manager.endswith('!')).lower()}"
    return await client.ask("PATCH", f"{SETTINGS}?{query}", thing, content_type="application/apply-patch+yaml")


SETTINGS = f"{SHOP}/configmaps/settings"


async def test_an_apply_takes_nothing_from_another_manager_unless_it_is_forced(client: Client) -> None:
    assert (await applied(client, "team", {"LOG_LEVEL": "warn", "PAGE": "1"})).status == 200
    refused = await applied(client, "other", {"LOG_LEVEL": "debug"})
    assert (refused.status, refused.body["reason"]) == (409, "Conflict")
    assert refused.body["message"] == 'Apply failed with 1 conflict: conflict with "team": .data.LOG_LEVEL'
    assert refused.body["details"] == {
        "causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "team"', "field": ".data.LOG_LEVEL"}]
    }
    assert (await applied(client, "other", {"LOG_LEVEL": "warn"})).status == 200, "agreeing is no conflict"
    assert (await applied(client, "other!", {"LOG_LEVEL": "debug"})).body["data"]["LOG_LEVEL"] == "debug"
    assert (await applied(client, "team", {"PAGE": "1"})).body["data"] == {
        "LOG_LEVEL": "debug", "PAGE": "1", "CURRENCY": "EUR"
    }, "what another has taken over stays"  # fmt: skip
    assert (await applied(client, "team", {})).body["data"] == {"LOG_LEVEL": "debug", "CURRENCY": "EUR"}


async def test_an_apply_of_what_has_been_deleted_makes_nothing_anew(cluster: Cluster, client: Client) -> None:
    uid = cluster.store.get(CONFIGMAPS, "shop", "settings")["metadata"]["uid"]
    assert (await client.ask("DELETE", SETTINGS)).status == 200
    refused = await applied(client, "team", {"LOG_LEVEL": "warn"}, uid=uid)
    assert refused.status == 409
    assert f"specified uid {uid}, and no existing object was found" in refused.body["message"]
    assert (await applied(client, "team", {"LOG_LEVEL": "warn"})).status == 201
