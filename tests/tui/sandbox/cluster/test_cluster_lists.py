"""Lists of the simulated cluster: chunks, selectors, forms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import SHOP, TABLE, Client

POD_METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Cluster() as cluster, Client(cluster) as client:
        yield client


async def test_chunks_add_up_to_the_whole_list_at_one_version(client: Client) -> None:
    whole = (await client.get("/api/v1/pods")).names
    found, token, versions = [], "", set()
    while True:
        answer = await client.get(f"/api/v1/pods?limit=7&continue={token}")
        found += answer.names
        meta = answer.body["metadata"]
        versions.add(meta["resourceVersion"])
        assert meta.get("remainingItemCount", 0) == len(whole) - len(found)
        if not (token := meta.get("continue", "")):
            break
    assert found == whole
    assert len(versions) == 1


async def test_version_zero_ignores_the_limit(client: Client) -> None:
    assert len((await client.get("/api/v1/pods?limit=2&resourceVersion=0")).names) > 30


async def test_a_continue_token_expires_with_the_history() -> None:
    async with Cluster() as cluster, Client(cluster) as client:
        token = (await client.get("/api/v1/pods?limit=7")).body["metadata"]["continue"]
        cluster.forget_history()
        answer = await client.get(f"/api/v1/pods?limit=7&continue={token}")
    assert (answer.status, answer.body["reason"]) == (410, "Expired")


Pod = dict[str, Any]


def app(pod: Pod) -> Any:
    return pod["metadata"]["labels"].get("app")


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("labelSelector=app%3Dfrontend", lambda pod: app(pod) == "frontend"),
        ("labelSelector=app+in+(frontend,search)", lambda pod: app(pod) in ("frontend", "search")),
        ("labelSelector=app,app!%3Dapi,app+notin+(queue)", lambda pod: app(pod) not in (None, "api", "queue")),
        ("labelSelector=!app", lambda pod: app(pod) is None),
        ("fieldSelector=status.phase%3DFailed", lambda pod: pod["status"]["phase"] == "Failed"),
        ("fieldSelector=metadata.name%3Dqueue-1", lambda pod: pod["metadata"]["name"] == "queue-1"),
        ("fieldSelector=spec.nodeName!%3Dnode-1", lambda pod: pod["spec"]["nodeName"] != "node-1"),
    ],
)
async def test_selectors_choose(client: Client, query: str, chosen: Callable[[Pod], bool]) -> None:
    everyone = (await client.get(f"{SHOP}/pods")).body["items"]
    expected = [pod["metadata"]["name"] for pod in everyone if chosen(pod)]
    assert (await client.get(f"{SHOP}/pods?{query}")).names == expected
    assert expected or "!app" in query


async def test_a_table_row_carries_what_was_asked_for(client: Client) -> None:
    for include, kind in (("None", None), ("Metadata", "PartialObjectMetadata"), ("Object", "Pod")):
        answer = await client.get(f"{SHOP}/pods?includeObject={include}", accept=TABLE)
        assert answer.body["kind"] == "Table"
        row = answer.body["rows"][0]
        assert (row.get("object") or {}).get("kind") == kind
        assert row["cells"][1:3] == ["1/1", "Running"]


async def test_metadata_alone_can_be_asked_for(client: Client) -> None:
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    answer = await client.get(f"{SHOP}/pods", accept=accept)
    assert answer.body["kind"] == "PartialObjectMetadataList"
    assert "spec" not in answer.body["items"][0]


async def test_running_pods_have_metrics_in_the_units_of_a_metrics_server(client: Client) -> None:
    answer = await client.get(POD_METRICS)
    running = await client.get(f"{SHOP}/pods?fieldSelector=status.phase%3DRunning")
    assert sorted(answer.names) == sorted(running.names)
    usage = answer.body["items"][0]["containers"][0]["usage"]
    assert usage["cpu"].endswith("n")
    assert usage["memory"].endswith("Ki")


async def test_endpoints_are_the_ready_pods_of_a_service(client: Client) -> None:
    answer = await client.get(f"{SHOP}/endpoints/gateway")
    pods = await client.get(f"{SHOP}/pods?labelSelector=app%3Dgateway")
    addresses = {a["ip"] for a in answer.body["subsets"][0]["addresses"]}
    assert addresses == {p["status"]["podIP"] for p in pods.body["items"]}


async def test_both_forms_of_discovery_name_the_same_kinds(client: Client) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    aggregated = await client.get("/apis", accept=accept)
    groups = await client.get("/apis")
    for item, group in zip(aggregated.body["items"], groups.body["groups"], strict=True):
        assert item["metadata"]["name"] == group["name"]
        version = group["versions"][0]["groupVersion"]
        legacy = await client.get(f"/apis/{version}")
        plain = [r["name"] for r in legacy.body["resources"] if "/" not in r["name"]]
        assert plain == [r["resource"] for r in item["versions"][0]["resources"]]


async def test_big_answers_are_compressed_and_small_ones_are_not() -> None:
    async with Cluster(demo=False) as cluster, Client(cluster) as client:
        await cluster.populate(pods=60)
        big, small = await client.get("/api/v1/pods"), await client.get("/api/v1/namespaces")
    assert (big.headers.get("Content-Encoding"), len(big.names)) == ("gzip", 60)
    assert "Content-Encoding" not in small.headers
