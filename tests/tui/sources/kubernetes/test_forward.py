"""A pod's port on a Unix socket, on the simulated cluster."""

import asyncio
import stat
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from profiles.systems import Kubernetes
from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.resources import PODS, SERVICES, STATEFULSETS
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.forward import Forward
from tui.sources.kubernetes.serving import serving

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("kubernetes")]


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A cluster whose queue's pods lead to a server that says everything in capitals."""

    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while content := await reader.read(65536):
            writer.write(content.upper())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Cluster(speed=20, tls=True) as running:
        running.forwards.backends["shop", "queue"] = {5672: partial(asyncio.open_connection, "127.0.0.1", port)}
        yield running
    server.close()


def connection(cluster: Cluster, folder: Path, user: str = "admin") -> Connection:
    return Connection(Kubernetes(kubeconfig=str(cluster.write_kubeconfig(folder / user, user))), {})


def forward(to: Connection, kind: str = "statefulset", name: str = "queue", port: int = 5672) -> Forward:
    return Forward(to, partial(serving, to, "shop", kind, name, port), "s")


@pytest.fixture
async def to(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Connection]:
    made = connection(cluster, tmp_path)
    yield made
    await made.close()


async def ask(folder: Path, words: bytes) -> bytes:
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_unix_connection(folder / "s")
        try:
            writer.write(words)
            return await reader.readexactly(len(words))
        finally:
            writer.close()


async def test_bytes_go_there_and_back_on_a_socket_of_our_own(to: Connection) -> None:
    one = forward(to)
    folder = await one.open()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    answers = await asyncio.gather(*(ask(folder, word * 30_000) for word in (b"ab", b"cd", b"ef")))
    assert tuple(answers) == (b"AB" * 30_000, b"CD" * 30_000, b"EF" * 30_000)
    assert (one.failure, one.led and one.led.connections) == (None, 3)
    await one.close()
    assert not folder.exists()


@pytest.mark.parametrize(("kind", "name"), [("pod", "queue-1"), ("service", "queue"), ("statefulset", "queue")])
async def test_pods_services_and_workloads_lead_to_a_ready_pod(to: Connection, kind: str, name: str) -> None:
    one = forward(to, kind, name)
    assert await ask(await one.open(), b"hello") == b"HELLO"
    await one.close()


async def test_named_ports_and_selectors_of_every_form_are_followed(cluster: Cluster, to: Connection) -> None:
    def rename(service: dict[str, Any]) -> None:
        service["spec"]["ports"] = [{"name": "amqp", "port": 99, "targetPort": "amqp"}]

    def select(workload: dict[str, Any]) -> None:
        wanted = [
            {"key": "app", "operator": "In", "values": ["queue", "none"]},
            {"key": "app", "operator": "Exists"},
            {"key": "nonesuch", "operator": "DoesNotExist"},
        ]
        workload["spec"]["selector"] = {"matchExpressions": wanted}

    cluster.store.modify(SERVICES, "shop", "queue", rename)
    found = await serving(to, "shop", "service", "queue", 99)
    assert (found.place.pod[:6], found.port) == ("queue-", 5672)
    cluster.store.modify(STATEFULSETS, "shop", "queue", select)
    assert (await serving(to, "shop", "statefulset", "queue", 5672)).place.pod.startswith("queue-")


async def test_the_next_connection_leads_to_the_pod_that_took_its_place(cluster: Cluster, to: Connection) -> None:
    one = forward(to, "pod", "queue-0")
    folder = await one.open()
    await ask(folder, b"x")
    assert one.led is not None
    before = one.led.place.uid
    cluster.store.remove(PODS, "shop", "queue-0")
    await cluster.until(lambda: any(p["metadata"]["name"] == "queue-0" for p in cluster.serving("shop", "queue")))
    assert await ask(await one.open(), b"x") == b"X"
    assert one.led.place.uid not in ("", before)
    await one.close()


async def test_a_connection_ends_with_its_pod(cluster: Cluster, to: Connection) -> None:
    one = forward(to, "pod", "queue-0")
    reader, writer = await asyncio.open_unix_connection(await one.open() / "s")
    writer.write(b"x")
    async with asyncio.timeout(20):
        assert await reader.readexactly(1) == b"X"
        cluster.store.remove(PODS, "shop", "queue-0")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await reader.readexactly(1)
    writer.close()
    await one.close()


async def test_closing_cuts_what_is_under_way_at_both_ends(cluster: Cluster, to: Connection) -> None:
    one = forward(to)
    reader, writer = await asyncio.open_unix_connection(await one.open() / "s")
    writer.write(b"x")
    async with asyncio.timeout(20):
        await reader.readexactly(1)
        await one.close()
        while cluster.forwards.open:
            await asyncio.sleep(0.01)
    writer.close()


async def test_why_nothing_came_about_is_told(cluster: Cluster, to: Connection, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match='"nonesuch" not found'):
        await forward(to, "service", "nonesuch").open()
    with pytest.raises(Unreadable, match="has no port 9999; its ports: 5672"):
        await forward(to, "service", "queue", 9999).open()
    failed = next(p for p in cluster.store.things(PODS, "shop") if p["status"].get("phase") == "Failed")
    with pytest.raises(Unreachable, match="is ready"):
        await forward(to, "pod", failed["metadata"]["name"]).open()
    one = forward(to, port=9999)
    folder = await one.open()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await ask(folder, b"x")
    assert isinstance(one.failure, Unreachable)
    assert "connect: connection refused" in str(one.failure)
    await one.close()


async def test_a_forward_that_is_not_allowed_says_so(cluster: Cluster, tmp_path: Path) -> None:
    viewer = connection(cluster, tmp_path, "viewer")
    one = forward(viewer)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await ask(await one.open(), b"x")
    assert isinstance(one.failure, Denied)
    await one.close()
    await viewer.close()
