"""The real kubectl reads the simulated logs that are written down as those of a real cluster."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tui.sandbox.cluster import Cluster
from tui.sandbox.cluster.books import Book
from tui.sandbox.cluster.resources import PODS

pytestmark = [pytest.mark.live, pytest.mark.debian, pytest.mark.xdist_group("cluster")]

POD = ("-n", "shop", "queue-0")
WHOLE = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class Kubectl:
    """Runs `kubectl logs` against one cluster whose queue-0 writes only what a test has it write."""

    def __init__(self, program: Path, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self._program = str(program)
        config = cluster.write_kubeconfig(folder / "kubeconfig")
        self._environment = {"KUBECONFIG": str(config), "HOME": str(folder), "PATH": os.environ["PATH"]}
        cluster.logs.books.keep("shop", "queue", 0)

    def book(self) -> Book:
        pod = self.cluster.store.get(PODS, "shop", "queue-0")
        book = self.cluster.logs.books.of(pod, "app", is_previous=False)
        assert book is not None
        return book

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self._program, "logs", *POD, *words, env=self._environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def __call__(self, *words: str) -> list[str]:
        """Return the lines; on failure what it says instead."""
        async with asyncio.timeout(60):
            out, error = await (await self.start(*words)).communicate()
        return (out or error).decode().splitlines()


@pytest.fixture
async def k(kubectl: Path, tmp_path: Path) -> AsyncIterator[Kubectl]:
    async with Cluster(speed=20, tls=True) as cluster:
        k = Kubectl(kubectl, cluster, tmp_path)
        for number in range(6):
            k.book().write(WHOLE + timedelta(milliseconds=500 * number), f"line {number}")
        yield k


async def test_times_tails_and_beginnings(k: Kubectl) -> None:
    everything = await k("--timestamps")
    assert everything[1] == "2026-11-26T12:00:00.500000000Z line 1"
    assert [line.split(" ", 1)[1] for line in everything] == [f"line {n}" for n in range(6)]
    assert await k("--tail", "2") == ["line 4", "line 5"]
    assert await k("--since-time", "2026-11-26T12:00:01Z") == ["line 2", "line 3", "line 4", "line 5"]
    # A fraction is lost on the way to the kubelet, and the tail is taken before the beginning.
    assert await k("--since-time", "2026-11-26T12:00:01.9Z") == ["line 2", "line 3", "line 4", "line 5"]
    assert await k("--since-time", "2026-11-26T12:00:02Z", "--tail", "1") == ["line 5"]
    assert await k("--since-time", "2026-11-26T12:00:01Z", "--tail", "5", "--limit-bytes", "9") == ["line 2", "li"]


async def test_what_was_rotated_away_or_collected_is_not_there(k: Kubectl) -> None:
    k.book().held_from = 4
    assert await k() == ["line 4", "line 5"]
    assert await k("--tail", "5") == ["line 4", "line 5"]
    k.book().is_collected = True
    assert await k() == ["unable to retrieve container logs for containerd://queue-0"]


async def test_the_run_before_is_another_log(k: Kubectl) -> None:
    assert "previous terminated container" in (await k("--previous"))[0]
    k.cluster.kubelet.crash(k.cluster.store.get(PODS, "shop", "queue-0"))
    await k.cluster.until(lambda: k.book().run == 1)
    k.book().write(WHOLE + timedelta(minutes=1), "again")
    assert await k("--previous", "--tail", "2") == ["line 4", "line 5"]
    assert await k() == ["again"]


async def test_a_followed_log_grows_and_ends_with_its_container(k: Kubectl) -> None:
    process = await k.start("-f", "--timestamps", "--tail", "1")
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == b"2026-11-26T12:00:02.500000000Z line 5\n"
        for number in (6, 7):
            k.book().write(WHOLE, f"line {number}")
            assert await process.stdout.readline() == f"2026-11-26T12:00:00.000000000Z line {number}\n".encode()
        k.cluster.kubelet.crash(k.cluster.store.get(PODS, "shop", "queue-0"))
        assert await process.stdout.read() == b""
        assert await process.wait() == 0


async def test_a_node_that_is_away_is_quoted(k: Kubectl) -> None:
    k.cluster.node_down(k.cluster.store.get(PODS, "shop", "queue-0")["spec"]["nodeName"])
    (said,) = await k()
    assert said.startswith("Error from server (InternalError): ")
    assert said.endswith(":10250: connect: no route to host")
