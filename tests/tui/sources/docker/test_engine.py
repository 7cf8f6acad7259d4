"""A real engine, where one is named: its own answers read, its containers restarted, its logs followed.

`OPSTUI_TEST_DOCKER=/var/run/docker.sock` runs it. It makes an image and containers named opstui-test-*, without
network, and removes the containers.
"""

import asyncio
import io
import json
import os
import shutil
import tarfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from profiles.hosts import DockerEngine
from profiles.logs import LogSource
from tests.tui.actions.lossy import Lossy
from tui.actions.action import Look, Phase
from tui.actions.docker.container import container_request
from tui.actions.docker.verbs import RestartContainer, StartContainer, StopContainer
from tui.sources.docker.connection import DockerConnection
from tui.sources.docker.facts import Container
from tui.sources.docker.logs import ContainerLogs
from tui.sources.docker.source import DockerSource
from tui.sources.errors import Unreachable
from tui.sources.logs import LogsSource

SOCKET = os.environ.get("OPSTUI_TEST_DOCKER", "")
BUSYBOX = shutil.which("busybox")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not SOCKET, reason="no engine is named: OPSTUI_TEST_DOCKER=/path/of/its/socket"),
    pytest.mark.skipif(BUSYBOX is None, reason="needs busybox (busybox-static) for an image"),
]
IMAGE = "opstui-test:1"
LOOP = "trap 'exit 0' TERM; touch /ok; while :; do echo tick; echo oops >&2; sleep 0.2; done"


def image() -> bytes:
    """Return a file system of busybox alone."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.add(str(BUSYBOX), "bin/busybox")
        for name in ("sh", "sleep", "echo", "test", "touch", "rm", "true", "head", "tr"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return data.getvalue()


class Host:
    """Makes containers by the API, and removes them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.made: list[str] = []

    async def run(self, name: str, code: str, **more: Any) -> None:
        host = {"NetworkMode": "none", **more.pop("HostConfig", {})}
        body = {"Image": IMAGE, "Cmd": ["sh", "-c", code], "HostConfig": host, **more}
        name = f"opstui-test-{name}"
        await self.client.delete(f"/containers/{name}", params={"force": "true"})
        made = await self.client.post("/containers/create", params={"name": name}, json=body)
        assert made.status_code == 201, made.text
        self.made.append(name)
        await self.client.post(f"/containers/{name}/start")


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    transport = httpx.AsyncHTTPTransport(uds=SOCKET)
    async with httpx.AsyncClient(transport=transport, base_url="http://docker", timeout=60) as client:
        found = await client.post(
            "/images/create", params={"fromSrc": "-", "repo": "opstui-test", "tag": "1"}, content=image()
        )
        assert found.status_code == 200, found.text
        host = Host(client)
        yield host
        for name in host.made:
            await client.delete(f"/containers/{name}", params={"force": "true", "v": "true"})


@pytest.fixture
async def source() -> AsyncIterator[DockerSource]:
    source = DockerSource("local", DockerEngine(socket=SOCKET, containers=["opstui-test-*"]))
    yield source
    await source.close()


async def seen(source: DockerSource, name: str, is_so: Callable[[Container], object]) -> Container:
    async with asyncio.timeout(60):
        while True:
            found = (await source.read()).named(f"opstui-test-{name}")
            if found is not None and is_so(found):
                return found
            await asyncio.sleep(0.2)


async def changed(
    source: DockerSource, kind: type[RestartContainer] | type[StopContainer] | type[StartContainer], now: Container
) -> Look:
    verb = kind(source)
    action = await verb.plan(container_request(kind.name, source.name, now))
    began = time.time()
    receipt = await verb.execute(action)
    async with asyncio.timeout(action.deadline_s):
        while (look := await verb.look(action.sent(began).learned(receipt))).phase is Phase.WAITING:
            await asyncio.sleep(0.2)
    return look


CHECK = {"Test": ["CMD-SHELL", "test -f /ok"], "Interval": 500_000_000, "Retries": 2}


async def test_it_is_seen_to_become_healthy_and_unhealthy_and_is_restarted_stopped_and_started(
    host: Host, source: DockerSource
) -> None:
    await host.run("web", LOOP, Healthcheck=CHECK, Env=["PASSWORD=must-not-be-kept"])
    now = await seen(source, "web", lambda one: one.health == "healthy")
    assert now.environment[0] == "PASSWORD"
    made = await host.client.post(f"/containers/{now.id}/exec", json={"Cmd": ["rm", "/ok"]})
    await host.client.post(f"/exec/{made.json()['Id']}/start", json={"Detach": True})
    now = await seen(source, "web", lambda one: one.health == "unhealthy")
    assert now.probes[-1].exit_code == 1
    look = await changed(source, RestartContainer, now)
    assert (look.phase, look.detail) == (Phase.CONVERGED, "running, healthy")
    look = await changed(source, StopContainer, await seen(source, "web", lambda one: one.is_running))
    assert (look.phase, look.detail) == (Phase.CONVERGED, "exited (0)")
    look = await changed(source, StartContainer, await seen(source, "web", lambda one: not one.is_running))
    assert look.phase is Phase.CONVERGED


@pytest.mark.parametrize("answer_only", [True, False])
async def test_a_line_cut_at_a_restart_is_unknown_and_reading_finds_out_what_became_of_it(
    host: Host, source: DockerSource, tmp_path: Path, answer_only: bool
) -> None:
    await host.run("web", LOOP)
    now = await seen(source, "web", lambda one: one.is_running)
    async with Lossy(SOCKET, b"/restart", answer_only=answer_only).at(tmp_path / "s") as lossy:
        through = DockerSource("local", DockerEngine(socket=str(tmp_path / "s")))
        verb = RestartContainer(through)
        action = await verb.plan(container_request(verb.name, source.name, now))
        began = time.time()
        with pytest.raises(Unreachable):
            await verb.execute(action)
        assert lossy.seen == 1, "never sent twice"
        await through.close()
    again = RestartContainer(source)
    wanted = Phase.CONVERGED if answer_only else Phase.ABSENT
    async with asyncio.timeout(60):
        while (look := await again.look(action.sent(began))).phase is Phase.WAITING:
            await asyncio.sleep(0.2)
    assert look.phase is wanted
    assert ((await source.inspect(now.id)).started_at == now.started_at) == (not answer_only)


async def test_a_crash_loop_and_the_kernel_s_kill_are_told_by_events_and_state(
    host: Host, source: DockerSource
) -> None:
    await source.read()
    await host.run("crash", "exit 3", HostConfig={"RestartPolicy": {"Name": "on-failure"}})
    eats = "x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo $x$x$x | head -c 1"
    await host.run("hog", eats, HostConfig={"Memory": 16 << 20, "MemorySwap": 16 << 20})
    told: set[tuple[str, str, int | None]] = set()
    async with asyncio.timeout(60):
        while not {("crash", "die", 3), ("hog", "die", 137)} <= told:
            events = (await source.read()).events
            told |= {(one.name.removeprefix("opstui-test-"), one.action, one.exit_code) for one in events}
            await asyncio.sleep(0.3)
    crash = await seen(source, "crash", lambda one: one.recent_restarts >= 2)
    assert crash.is_down or crash.restart_count >= 2
    assert (await seen(source, "hog", lambda one: one.status == "exited")).is_oom_killed


async def test_use_is_measured_against_the_container_s_own_limit(host: Host, source: DockerSource) -> None:
    await host.run("web", LOOP, HostConfig={"Memory": 64 << 20})

    def measured(one: Container) -> bool:
        source.look_at()
        return one.use is not None and one.use.cpu_percent is not None

    use = (await seen(source, "web", measured)).use
    assert use is not None
    assert use.memory_limit_bytes == 64 << 20
    assert 0 < (use.memory_percent or 0) < 50


async def test_lines_of_both_streams_come_and_a_restart_loses_none(host: Host, source: DockerSource) -> None:
    await host.run("web", "i=0; while :; do i=$((i+1)); echo line $i; echo oops >&2; sleep 0.1; done")
    logs = LogsSource("web", LogSource(docker="opstui-test-web"), None, ContainerLogs(DockerConnection(SOCKET)))
    found: list[str] = []
    origins: set[str] = set()
    async with asyncio.timeout(60):
        while found.count("line 1") < 2 or found[-1] == "line 1":
            batch = await logs.read()
            found += [line.text for line in batch.lines if line.text.startswith("line")]
            origins |= {line.origin for line in batch.lines}
            if len(found) > 5 and found.count("line 1") == 1 and "restarted" not in host.__dict__:
                host.__dict__["restarted"] = True
                await host.client.post("/containers/opstui-test-web/restart", params={"t": "0"})
    await logs.close()
    assert origins == {"opstui-test-web", "opstui-test-web stderr"}
    second = found.index("line 1", 1)
    for run in (found[:second], found[second:]):
        assert run == [f"line {number}" for number in range(1, len(run) + 1)], json.dumps(found)
