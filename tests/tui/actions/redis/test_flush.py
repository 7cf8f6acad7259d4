"""Emptying a database of a real Valkey, after showing what lives in it."""

import time
from pathlib import Path
from typing import Any

import pytest

from profiles.systems import RedisInstance
from tests.redis_servers import VERSIONS, Server, server
from tests.tui.actions.lossy import Lossy
from tests.tui.actions.redis.servers import admin, source, valkey
from tui.actions.action import Action, NotSentError, Phase, Risk, Sight
from tui.actions.redis.flush import FlushDatabase, flush_request
from tui.sources.errors import SourceError
from tui.sources.redis import RedisSource

__all__ = ["admin", "source", "valkey"]
pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


def fill(admin: Any, count: int = 100) -> None:
    for number in range(count):
        admin.set(f"session:{number}", "x" * 100)
    admin.rpush("jobs", *range(7))


async def planned(source: RedisSource, db: int = 0) -> Action:
    return await FlushDatabase(source).plan(flush_request("redis:cache", await source.read(), db))


async def test_what_lives_there_is_shown_and_then_it_is_empty(source: RedisSource, admin: Any) -> None:
    fill(admin)
    verb, action = FlushDatabase(source), await planned(source)
    assert action.request.target.name == "cache/db0"
    assert (action.risk, action.before) == (Risk.HIGH, "101 keys")
    assert action.preview[0] == "what lives there, by all keys:"
    assert any(line.startswith("session:  100 keys") and "string 100" in line for line in action.preview)
    assert "QUEUE: jobs has 7 entries" in action.impact
    assert action.command.endswith("-n 0 FLUSHDB ASYNC")
    assert admin.dbsize() == 101, "a plan deletes nothing"
    receipt = await verb.execute(action)
    assert admin.dbsize() == 0
    look = await verb.look(action.sent(time.time()).learned(receipt))
    assert (look.phase, look.detail) == (Phase.CONVERGED, "it is empty")


@pytest.mark.parametrize("version", VERSIONS)
async def test_only_the_database_that_was_chosen_is_emptied(version: str) -> None:
    with server(version) as found:
        fill(found.admin(db=5))
        fill(found.admin())
        source = RedisSource("cache", RedisInstance(url=found.url))
        verb, action = FlushDatabase(source), await planned(source, 5)
        await verb.execute(action)
        assert (found.admin().dbsize(), found.admin(db=5).dbsize()) == (101, 0)
        await source.close()


async def test_a_database_that_has_grown_since_is_not_emptied(source: RedisSource, admin: Any) -> None:
    fill(admin)
    verb, action = FlushDatabase(source), await planned(source)
    assert (await verb.sight(action))[0] is Sight.UNCHANGED
    for number in range(50):
        admin.set(f"new:{number}", 1)
    assert await verb.sight(action) == (Sight.CHANGED, "101 → 151 keys")
    with pytest.raises(NotSentError, match="had 101 keys when you looked and has 151"):
        await verb.execute(action)
    assert admin.dbsize() == 151


async def test_an_empty_one_is_left_alone(source: RedisSource, admin: Any) -> None:
    with pytest.raises(NotSentError, match="empty already"):
        await planned(source)


async def test_a_replica_is_left_alone_and_replicas_are_told(valkey: Server, source: RedisSource, admin: Any) -> None:
    snapshot = await source.read()
    request = flush_request("redis:cache", snapshot, 0)
    request.target.identity["role"] = "slave"  # type: ignore[index]
    with pytest.raises(NotSentError, match="this is a replica"):
        await FlushDatabase(source).plan(request)
    assert FlushDatabase(source).forbidden(request)


@pytest.mark.parametrize("answer_only", [False, True], ids=["request lost", "answer lost"])
async def test_a_line_lost_on_the_way_is_unknown_never_sent_again_and_looking_tells(
    valkey: Server, source: RedisSource, tmp_path: Path, admin: Any, answer_only: bool
) -> None:
    fill(admin)
    lossy = Lossy(str(valkey.socket), b"\r\nFLUSHDB\r\n", answer_only=answer_only)
    through = RedisSource("cache", RedisInstance(url=f"unix://{tmp_path / 'r.sock'}"))
    async with lossy.at(tmp_path / "r.sock"):
        action, verb = await planned(source), FlushDatabase(through)
        with pytest.raises(SourceError):
            await verb.execute(action)
        assert lossy.seen == 1
        look = await verb.look(action.sent(time.time()))
        assert look.phase is (Phase.CONVERGED if answer_only else Phase.ABSENT), look
        assert admin.dbsize() == (0 if answer_only else 101)
        await through.close()
