"""A save to disk and a purge of memory, on real servers."""

import asyncio
import time
from typing import Any

import pytest

from profiles.systems import RedisInstance
from tests.redis_servers import VERSIONS, server
from tests.tui.actions.redis.servers import admin, source, valkey
from tui.actions.action import Action, Look, NotSentError, Phase, Receipt, Risk
from tui.actions.redis.upkeep import BGSAVE, PURGE, PurgeMemory, SaveInBackground, server_request
from tui.sources.redis import RedisSource

__all__ = ["admin", "source", "valkey"]
pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


async def looked(verb: SaveInBackground | PurgeMemory, action: Action, receipt: Receipt) -> Look:
    """Look until it is clear."""
    sent = action.sent(time.time()).learned(receipt)
    async with asyncio.timeout(20):
        while (look := await verb.look(sent)).phase is Phase.WAITING:
            await asyncio.sleep(0.02)
    return look


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_save_is_followed_to_its_end(version: str) -> None:
    with server(version) as found:
        found.admin().set("a", "x")
        source = RedisSource("cache", RedisInstance(url=found.url))
        verb = SaveInBackground(source)
        action = await verb.plan(server_request(BGSAVE, "redis:cache", await source.read()))
        assert (action.risk, action.before) == (Risk.LOW, "1 changes since the last save")
        look = await looked(verb, action, await verb.execute(action))
        assert look.phase is Phase.CONVERGED
        assert look.detail.startswith("saved, in")
        assert (found.folder / "dump.rdb").exists()
        await source.close()


async def test_a_save_that_fails_is_never_green() -> None:
    with server("valkey-9") as found:
        found.admin().set("a", "x")
        source = RedisSource("cache", RedisInstance(url=found.url))
        verb = SaveInBackground(source)
        action = await verb.plan(server_request(BGSAVE, "redis:cache", await source.read()))
        found.folder.chmod(0o500)
        look = await looked(verb, action, await verb.execute(action))
        assert (look.phase, look.detail[:15]) == (Phase.NOT_CONVERGED, "the save failed")
        await source.close()


@pytest.mark.parametrize("version", VERSIONS)
async def test_memory_is_purged_only_where_that_does_anything(version: str) -> None:
    with server(version) as found:
        source = RedisSource("cache", RedisInstance(url=found.url))
        verb, request = PurgeMemory(source), server_request(PURGE, "redis:cache", await source.read())
        if found.admin().info("memory")["mem_allocator"].startswith("jemalloc"):
            action = await verb.plan(request)
            look = await looked(verb, action, await verb.execute(action))
            assert (look.phase, look.detail.endswith("resident")) == (Phase.CONVERGED, True)
        else:
            with pytest.raises(NotSentError, match="MEMORY PURGE does nothing"):
                await verb.plan(request)
        await source.close()


async def test_a_user_who_may_not_save_is_told_before(valkey: Any, source: RedisSource, admin: Any) -> None:
    admin.execute_command("ACL", "SETUSER", "nosave", "on", ">pw", "+info", "+ping", "+acl|dryrun")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOSAVE_PW", "pw")
        entry = RedisInstance(url=valkey.url, username="nosave", password="env:NOSAVE_PW")
        few = RedisSource("cache", entry)
        action = await SaveInBackground(few).plan(server_request(BGSAVE, "redis:cache", await few.read()))
        assert "not permitted for user nosave: +bgsave" in action.permission
        await few.close()


async def test_another_process_is_not_written_to() -> None:
    with server("valkey-9") as found:
        source = RedisSource("cache", RedisInstance(url=found.url))
        verb = SaveInBackground(source)
        action = await verb.plan(server_request(BGSAVE, "redis:cache", await source.read()))
        await source.close()
        found.stop()
        found.start()
        with pytest.raises(NotSentError, match="another server process answers now"):
            await verb.execute(action)
