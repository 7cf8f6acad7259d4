"""Who wrote a Deployment of the simulated cluster is told as a server tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import APPS, JSON_PATCH, Client

API = f"{APPS}/deployments/api"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Cluster(speed=20) as cluster, Client(cluster) as client:
        yield client


async def entries(client: Client) -> dict[str, Any]:
    told = (await client.get(API)).body["metadata"]["managedFields"]
    return {one["manager"]: one["fieldsV1"] for one in told}


async def test_who_changes_a_field_takes_it_over_and_nothing_else(client: Client) -> None:
    before = await entries(client)
    assert set(before) == {"kubectl-client-side-apply", "kube-controller-manager"}
    assert before["kubectl-client-side-apply"]["f:spec"]["f:replicas"] == {}
    assert "f:uid" not in before["kubectl-client-side-apply"]["f:metadata"]
    assert (await client.patch(f"{API}?fieldManager=opstui", {"spec": {"replicas": 5}})).status == 200
    after = await entries(client)
    assert after["opstui"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in after["kubectl-client-side-apply"]["f:spec"]
    assert "f:template" in after["kubectl-client-side-apply"]["f:spec"]
    labelled = [{"op": "add", "path": "/metadata/labels/team", "value": "shop"}]
    assert (await client.patch(f"{API}?fieldManager=opstui", labelled, JSON_PATCH)).status == 200
    more = await entries(client)
    assert more["opstui"] == {"f:spec": {"f:replicas": {}}, "f:metadata": {"f:labels": {"f:team": {}}}}


async def test_what_changes_nothing_writes_nobody_down(client: Client) -> None:
    before = (await client.get(API)).body
    same = {"spec": {"replicas": before["spec"]["replicas"]}}
    assert (await client.patch(f"{API}?fieldManager=nobody", same)).body == before
