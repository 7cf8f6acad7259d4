"""HTTP services and logs against the sandbox: what changes outside is seen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from profiles.logs import LogSource
from profiles.systems import Service
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.health import State
from tui.sources.http import HttpSource
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.logs import LogLine, LogsSource, Severity

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


@asynccontextmanager
async def reading(sandbox: BlockingSandbox, service: str) -> AsyncIterator[HttpSource]:
    source = HttpSource(service, Service(url=sandbox.endpoints[f"service_{service}"]))
    try:
        yield source
    finally:
        await source.close()


async def read_until(source: HttpSource, condition: Callable[[ServiceSnapshot], bool]) -> ServiceSnapshot:
    async with asyncio.timeout(30):
        while not condition(snapshot := await source.read()):
            await asyncio.sleep(0.05)
    return snapshot


async def test_a_service_that_answers_200_while_degraded_is_degraded(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox, "search") as source:
        snapshot = await source.read()
    assert (snapshot.status_code, snapshot.state) == (200, State.DEGRADED)
    assert {part.name: part.state for part in snapshot.components}["index"] is State.DEGRADED


async def test_a_component_that_breaks_and_heals_is_seen_by_name(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox, "gateway") as source:
        await read_until(source, lambda snapshot: snapshot.state is State.OK)
        sandbox.set_component("gateway", "tls", "expires-tomorrow")
        try:
            broken = await read_until(source, lambda snapshot: snapshot.state is not State.OK)
        finally:
            sandbox.set_component("gateway", "tls", "")
        await read_until(source, lambda snapshot: snapshot.state is State.OK)
    assert "expires-tomorrow" in {part.status for part in broken.components}
    assert "tls" in broken.reason


async def test_real_logs_are_followed_through_a_rotation(sandbox: BlockingSandbox) -> None:
    folder = Path(sandbox.endpoints["logs"])
    source = LogsSource("shop", LogSource(file=str(folder / "*.log")))
    seen: list[LogLine] = []
    try:
        async with asyncio.timeout(20):
            while not any(line.level is Severity.INFO for line in seen):
                seen += (await source.read()).lines
            sandbox.rotate_logs()
            with (folder / "search.log").open("a") as file:
                file.write("2026-11-22 08:11:24,123 ERROR [x] [/red] \x1b]0;pwned\x07 unique-4711\n")
            while not any("unique-4711" in line.raw for line in seen):
                seen += (await source.read()).lines
    finally:
        await source.close()
    (marked,) = [line for line in seen if "unique-4711" in line.raw]
    assert (marked.level, marked.text) == (Severity.ERROR, "ERROR [x] [/red] ␛]0;pwned␇ unique-4711")
    assert {"api.log", "gateway.log"} <= {line.origin for line in seen}
