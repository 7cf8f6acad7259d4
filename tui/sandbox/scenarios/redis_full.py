"""An export writes big keys without expiry until Redis is at maxmemory and evicts."""

import asyncio
import contextlib
import itertools

from redis.asyncio import Redis

from tui.sandbox.connections import REDIS_LOST, redis_client
from tui.sandbox.scenarios.stage import Stage
from tui.sandbox.servers import MAXMEMORY_BYTES

PREFIX = "export:"
_FILL_PAUSE_S, _FULL_PAUSE_S = 0.06, 0.7
_ROW = "x" * 90


async def run(stage: Stage) -> None:
    """Fill Redis within about ten seconds and keep writing; remove the keys at the end."""
    client = redis_client(stage.redis_path, "bulk-export")
    try:
        for number in itertools.count():
            try:
                await _write(client, number)
                used = int((await client.info("memory"))["used_memory"])
            except REDIS_LOST:
                used = MAXMEMORY_BYTES  # not at the server's throat while it is in trouble
            await asyncio.sleep(_FILL_PAUSE_S if used < 0.97 * MAXMEMORY_BYTES else _FULL_PAUSE_S)
    finally:
        with contextlib.suppress(*REDIS_LOST):
            async for key in client.scan_iter(match=f"{PREFIX}*", count=500):
                await client.unlink(key)
        with contextlib.suppress(*REDIS_LOST):
            await client.aclose()


async def _write(client: Redis, number: int) -> None:
    """Write one key of 0.3 to 2 MB, of another type each time."""
    match number % 4:
        case 0:
            await client.set(f"{PREFIX}{number}:archive", _ROW * 22_000)
        case 1:
            await client.hset(f"{PREFIX}{number}:rows", mapping={f"row:{row}": _ROW for row in range(3_000)})
        case 2:
            await client.rpush(f"{PREFIX}{number}:lines", *([_ROW] * 8_000))
        case _:
            await client.set(f"{PREFIX}{number}:chunk", _ROW * 6_000)
