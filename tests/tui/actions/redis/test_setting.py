"""Settings of a real Valkey: from the value that was seen, and back."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from profiles.systems import RedisInstance
from tests.tui.actions.lossy import Lossy
from tui.actions.action import Action, NotSentError, Phase, Risk, Sight
from tui.actions.redis.setting import SetConfig, is_same, setting_request
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import SourceError
from tui.sources.redis import RedisSource
from tui.sources.redis_lists import is_secret

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

PARAMETER = "slowlog-max-len"


def socket_of(sandbox: BlockingSandbox) -> str:
    return sandbox.endpoints["redis"].removeprefix("unix://").partition("?")[0]


@pytest.fixture
async def admin(sandbox: BlockingSandbox) -> AsyncIterator[Redis]:
    client = Redis(unix_socket_path=socket_of(sandbox))
    kept = {name: str((await client.config_get(name))[name]) for name in (PARAMETER, "maxmemory")}
    yield client
    for name, value in kept.items():
        await client.config_set(name, value)
    await client.aclose()


@pytest.fixture
async def source(sandbox: BlockingSandbox) -> AsyncIterator[RedisSource]:
    source = RedisSource("cache", RedisInstance(url=sandbox.endpoints["redis"]))
    yield source
    await source.close()


async def value(admin: Redis, parameter: str = PARAMETER) -> str:
    return str((await admin.config_get(parameter))[parameter])


async def planned(source: RedisSource, wanted: str, parameter: str = PARAMETER, **changes: Any) -> Action:
    snapshot, settings = await source.read(), await source.settings()
    request = setting_request("redis:cache", snapshot, parameter, settings.get(parameter, ""), wanted)
    return await SetConfig(source).plan(replace(request, **changes))


async def test_a_setting_is_set_read_back_and_set_back(source: RedisSource, admin: Redis) -> None:
    verb, before = SetConfig(source), await value(admin)
    action = await planned(source, "321")
    assert (action.risk, action.undo) == (Risk.HIGH, f"set it back to {before!r}")
    assert action.command.endswith(f"CONFIG SET {PARAMETER} 321")
    assert any("until the server restarts" in line for line in action.impact)
    assert await value(admin) == before, "a plan changes nothing"
    receipt = await verb.execute(action)
    assert (await verb.look(action.sent(time.time()).learned(receipt))).phase is Phase.CONVERGED
    assert await value(admin) == "321"
    assert action.inverse is not None
    back = await verb.plan(replace(action.inverse, undoes=action.id))
    await verb.execute(back)
    assert await value(admin) == before


async def test_a_value_that_moved_since_the_plan_stops_the_write(source: RedisSource, admin: Redis) -> None:
    verb, before = SetConfig(source), await value(admin)
    action = await planned(source, "321")
    await admin.config_set(PARAMETER, 99)
    assert await verb.sight(action) == (Sight.CHANGED, f"{before!r} → '99'")
    with pytest.raises(NotSentError, match=f"has moved on: '{before}' → '99'"):
        await verb.execute(action)
    assert await value(admin) == "99"


async def test_it_is_set_back_only_while_it_has_the_value_it_was_given(source: RedisSource, admin: Redis) -> None:
    verb = SetConfig(source)
    action = await planned(source, "321")
    await verb.execute(action)
    await admin.config_set(PARAMETER, 99)
    assert action.inverse is not None
    with pytest.raises(NotSentError, match="no longer ours to take back"):
        await verb.plan(replace(action.inverse, undoes=action.id))


async def test_memory_is_compared_whatever_its_unit_and_what_follows_is_said(source: RedisSource, admin: Redis) -> None:
    verb = SetConfig(source)
    action = await planned(source, "1mb", "maxmemory")
    assert any("are used: keys are evicted at once, or writes refused" in line for line in action.impact)
    action = await planned(source, "96mb", "maxmemory")
    receipt = await verb.execute(action)
    assert receipt.evidence == {"value": str(96 * 1024**2)}
    assert (await verb.look(action.sent(time.time()).learned(receipt))).phase is Phase.CONVERGED
    with pytest.raises(NotSentError, match="already"):
        await planned(source, "98304kb", "maxmemory")


async def test_a_restarted_server_has_its_own_settings_again(
    sandbox: BlockingSandbox, source: RedisSource, admin: Redis
) -> None:
    verb = SetConfig(source)
    action = await planned(source, "321")
    await source.close()
    sandbox.restart("redis")
    with pytest.raises(NotSentError, match="another server process answers now"):
        await verb.execute(action)
    assert await value(admin) != "321"
    assert (await verb.look(action.sent(time.time()))).phase is Phase.ABSENT


@pytest.mark.parametrize("answer_only", [False, True], ids=["request lost", "answer lost"])
async def test_a_connection_lost_after_sending_is_unknown_never_sent_again_and_looking_tells(
    sandbox: BlockingSandbox, source: RedisSource, tmp_path: Path, admin: Redis, answer_only: bool
) -> None:
    lossy = Lossy(socket_of(sandbox), b"\r\nSET\r\n", answer_only=answer_only)
    through = RedisSource("cache", RedisInstance(url=f"unix://{tmp_path / 'r.sock'}"))
    async with lossy.at(tmp_path / "r.sock"):
        # ACL DRYRUN carries the word too: the plan goes past the proxy.
        action, verb = await planned(source, "321"), SetConfig(through)
        with pytest.raises(SourceError):
            await verb.execute(action)
        assert lossy.seen == 1
        look = await verb.look(action.sent(time.time()))
        assert look.phase is (Phase.CONVERGED if answer_only else Phase.ABSENT), look
        assert (await value(admin) == "321") is answer_only
        await through.close()


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("requirepass", "holds a secret"),
        ("masterauth", "holds a secret"),
        ("tls-key-file-pass", "holds a secret"),
        ("no-such-setting", "has no setting"),
        ("max*", "small letters"),
        ("--eval", "small letters"),
    ],
)
async def test_what_cannot_be_set_says_why(source: RedisSource, parameter: str, words: str) -> None:
    with pytest.raises(NotSentError, match=words):
        await planned(source, "x", parameter)


async def test_the_servers_own_refusal_means_that_nothing_was_changed(source: RedisSource) -> None:
    verb = SetConfig(source)
    action = await planned(source, "tomorrow")
    with pytest.raises(NotSentError, match="refused, nothing was changed"):
        await verb.execute(action)


async def test_secrets_are_not_among_the_settings_that_are_offered(source: RedisSource, admin: Redis) -> None:
    offered = await source.settings()
    assert PARAMETER in offered
    assert not any(is_secret(name) for name in offered)
    assert {"requirepass", "masterauth"}.isdisjoint(offered)


def test_ways_to_write_a_value_are_told_apart_from_values() -> None:
    assert is_same("64mb", "67108864")
    assert is_same("64MB", str(64 * 1024**2))
    assert is_same("1k", "1000")
    assert not is_same("1k", "1024")
    assert is_same("YES", "yes")
    assert is_same("900 1  300 10", "900 1 300 10")
    assert not is_same("allkeys-lru", "allkeys-lfu")
