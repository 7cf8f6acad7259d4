"""What the tests of changes to whole databases share: a server of their own, and a snapshot of it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from profiles.systems import RedisInstance
from tests.redis_servers import Server, server
from tui.sources.redis import RedisSource


@pytest.fixture(scope="module")
def valkey() -> Iterator[Server]:
    with server("valkey-9") as found:
        yield found


@pytest.fixture
def admin(valkey: Server) -> Iterator[Any]:
    client = valkey.admin()
    yield client
    client.flushall()
    client.config_set("maxmemory", 0)


@pytest.fixture
async def source(valkey: Server) -> AsyncIterator[RedisSource]:
    source = RedisSource("cache", RedisInstance(url=valkey.url, queues=["jobs"]))
    yield source
    await source.close()
