"""Watches of the simulated cluster: what is sent, in which order, and when they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.client import SHOP, TABLE, Client
from tui.sandbox.cluster.resources import CONFIGMAPS

MAPS = f"{SHOP}/configmaps"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(demo=False, bookmark_s=0.05) as cluster:
        yield cluster


def put(cluster: Cluster, name: str, **labels: str) -> None:
    cluster.store.insert(CONFIGMAPS, {"metadata": {"name": name, "namespace": "shop", "labels": labels}})


def change(cluster: Cluster, name: str, **labels: str) -> None:
    cluster.store.modify(CONFIGMAPS, "shop", name, lambda copy: copy["metadata"].update(labels=labels))


async def take(cluster: Cluster, path: str, count: int, accept: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(30), Client(cluster) as client, aclosing(client.events(path, accept=accept)) as events:
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


def said(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(e["type"], e["object"]["metadata"].get("name", "")) for e in events]


async def test_a_watch_replays_what_happened_since_its_version(cluster: Cluster) -> None:
    put(cluster, "old")
    version = cluster.store.version
    put(cluster, "new")
    change(cluster, "old", colour="red")
    cluster.store.remove(CONFIGMAPS, "shop", "new")
    events = await take(cluster, f"{MAPS}?watch=true&resourceVersion={version}", 3)
    assert said(events) == [("ADDED", "new"), ("MODIFIED", "old"), ("DELETED", "new")]
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
    assert versions == sorted(versions)
    assert versions[0] == version + 1


async def test_a_watch_without_a_version_begins_with_the_present_state(cluster: Cluster) -> None:
    put(cluster, "a")
    assert said(await take(cluster, f"{MAPS}?watch=1", 1)) == [("ADDED", "a")]


async def test_a_watch_list_ends_its_state_with_an_annotated_bookmark(cluster: Cluster) -> None:
    put(cluster, "a")
    query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    events = await take(cluster, f"{MAPS}?{query}", 2)
    assert [e["type"] for e in events] == ["ADDED", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_watch_list_must_say_how_its_version_is_meant(cluster: Cluster) -> None:
    async with Client(cluster) as client:
        answer = await client.get(f"{MAPS}?watch=true&sendInitialEvents=true")
    assert (answer.status, answer.body["reason"]) == (422, "Invalid")


async def test_bookmarks_come_only_to_those_who_allow_them(cluster: Cluster) -> None:
    version = cluster.store.version
    with_them = await take(cluster, f"{MAPS}?watch=true&resourceVersion={version}&allowWatchBookmarks=true", 1)
    assert with_them[0]["type"] == "BOOKMARK"
    assert with_them[0]["object"]["metadata"]["resourceVersion"] == str(version)
    async with Client(cluster) as client:
        path = f"{MAPS}?watch=true&resourceVersion={version}&timeoutSeconds=1"
        assert [e async for e in client.events(path)] == []


async def test_a_forgotten_version_is_an_error_event_in_a_good_answer(cluster: Cluster) -> None:
    version = cluster.store.version
    cluster.forget_history()
    (event,) = await take(cluster, f"{MAPS}?watch=true&resourceVersion={version}", 1)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_labels_that_come_and_go_are_additions_and_deletions_to_a_selector(cluster: Cluster) -> None:
    put(cluster, "a", colour="blue")
    version = cluster.store.version
    change(cluster, "a", colour="red")
    change(cluster, "a", colour="red", size="big")
    change(cluster, "a", colour="blue")
    events = await take(cluster, f"{MAPS}?watch=true&labelSelector=colour%3Dred&resourceVersion={version}", 3)
    assert [e["type"] for e in events] == ["ADDED", "MODIFIED", "DELETED"]


async def test_a_watched_table_names_its_columns_once(cluster: Cluster) -> None:
    put(cluster, "a")
    put(cluster, "b")
    first, second = await take(cluster, f"{MAPS}?watch=true", 2, TABLE)
    assert [c["name"] for c in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["object"]["columnDefinitions"] is None
    assert second["object"]["rows"][0]["cells"][0] == "b"


async def test_other_namespaces_are_not_heard_of(cluster: Cluster) -> None:
    version = cluster.store.version
    cluster.store.insert(CONFIGMAPS, {"metadata": {"name": "far", "namespace": "payments"}})
    put(cluster, "near")
    assert said(await take(cluster, f"{MAPS}?watch=true&resourceVersion={version}", 1)) == [("ADDED", "near")]


@pytest.mark.parametrize(("kind", "expected"), [("410", "ERROR"), ("cut", "cut"), ("silent", "silence")])
async def test_a_stream_fails_as_it_is_told(cluster: Cluster, kind: str, expected: str) -> None:
    cluster.misbehave(kind, MAPS, "watch")
    path = f"{MAPS}?watch=true&resourceVersion={cluster.store.version}&allowWatchBookmarks=true"
    try:
        async with asyncio.timeout(0.4 if expected == "silence" else 30):
            (event,) = await take(cluster, path, 1)
            outcome = event["type"]
    except aiohttp.ClientPayloadError:
        outcome = "cut"
    except TimeoutError:
        outcome = "silence"
    assert outcome == expected
