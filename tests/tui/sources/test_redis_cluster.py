"""A real node of a cluster: its name outlives a restart, its run_id does not."""

import asyncio
import contextlib
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from profiles.systems import RedisInstance
from tui.sandbox.binaries import find_programs
from tui.sources.errors import SourceError
from tui.sources.redis import RedisSource
from tui.sources.redis_snapshot import RedisSnapshot

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="opstui-node-", dir="/tmp") as made:  # short: a socket lies in it
        yield Path(made)


@contextlib.asynccontextmanager
async def node(folder: Path) -> AsyncIterator[RedisSnapshot]:
    """Run a node of a cluster on a socket; yield what is read of it."""
    settings = {"port": "0", "unixsocket": f"{folder}/s", "dir": str(folder), "cluster-enabled": "yes", "save": ""}
    arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
    process = subprocess.Popen([find_programs().valkey, *arguments], stdout=subprocess.DEVNULL)
    source = RedisSource("cache", RedisInstance(url=f"unix://{folder}/s"))
    try:
        yield await answered(source)
    finally:
        await source.close()
        process.terminate()
        process.wait(10)


async def answered(source: RedisSource) -> RedisSnapshot:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(SourceError):
                return await source.read()
            await asyncio.sleep(0.05)


async def test_a_node_is_known_by_a_name_that_outlives_its_restart(folder: Path) -> None:
    async with node(folder) as first:
        assert first.server.mode == "cluster"
        role, name = first.traits()
        assert (role.value, role.lasts, name.lasts) == ("master", True, True)
        assert len(first.server.cluster_myid) == 40
    async with node(folder) as second:
        assert tuple(second.traits()) == (role, name)
        assert second.server.run_id != first.server.run_id
