"""Killing clients of a real Valkey: the very client that was seen, or nobody."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from profiles.systems import RedisInstance
from tests.tui.actions.lossy import Lossy
from tui.actions.action import GoneError, NotSentError, Phase, Request, Risk, Sight
from tui.actions.redis.kill import KILL, KillClient, kill_request
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import SourceError
from tui.sources.redis import RedisSource
from tui.sources.redis_facts import Client
from tui.sources.redis_snapshot import RedisSnapshot

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


def socket_of(sandbox: BlockingSandbox) -> str:
    return sandbox.endpoints["redis"].removeprefix("unix://").partition("?")[0]


@pytest.fixture
async def source(sandbox: BlockingSandbox) -> AsyncIterator[RedisSource]:
    source = RedisSource("cache", RedisInstance(url=sandbox.endpoints["redis"]))
    yield source
    await source.close()


@pytest.fixture
async def worker(sandbox: BlockingSandbox) -> AsyncIterator[Redis]:
    client = Redis(unix_socket_path=socket_of(sandbox), client_name="worker", single_connection_client=True)
    await client.initialize()
    await client.ping()
    yield client
    await client.aclose()


async def seen(source: RedisSource, name: str = "worker") -> tuple[RedisSnapshot, Client]:
    async with asyncio.timeout(30):
        while True:
            snapshot = await source.read()
            for client in snapshot.clients or ():
                if client.name == name:
                    return snapshot, client
            await asyncio.sleep(0.05)


async def wanted(source: RedisSource, name: str = "worker") -> Request:
    snapshot, client = await seen(source, name)
    return kill_request("redis:cache", snapshot, client)


async def test_the_client_that_was_seen_is_gone_afterwards(source: RedisSource, worker: Redis) -> None:
    verb, client_id = KillClient(source), await worker.client_id()
    action = await verb.plan(await wanted(source))
    assert action.request.target.name == str(client_id)
    assert action.risk is Risk.MEDIUM
    assert f"CLIENT KILL ID {action.request.target.name} ADDR" in action.command
    assert action.permission == ""
    assert (await verb.sight(action))[0] is Sight.UNCHANGED
    began = time.time()
    receipt = await verb.execute(action)
    look = await verb.look(action.sent(began).learned(receipt))
    assert (look.phase, look.detail) == (Phase.CONVERGED, "it is gone")
    assert await worker.client_id() != client_id, "it had to connect again"


async def test_a_client_that_has_gone_is_said_to_be_gone(source: RedisSource, worker: Redis) -> None:
    verb = KillClient(source)
    request = await wanted(source)
    action = await verb.plan(request)
    await worker.aclose()
    async with asyncio.timeout(30):
        while (await verb.sight(action))[0] is not Sight.GONE:
            await asyncio.sleep(0.02)
    with pytest.raises(GoneError, match="is gone"):
        await verb.execute(action)
    with pytest.raises(GoneError, match="no longer connected"):
        await verb.plan(request)


async def test_an_id_at_another_address_is_left_alone(source: RedisSource, worker: Redis) -> None:
    verb = KillClient(source)
    action = await verb.plan(await wanted(source))
    assert action.payload is not None
    client = replace(action.payload.client, addr="10.0.0.9:4242")  # type: ignore[attr-defined] # the verb's own payload
    with pytest.raises(GoneError):
        await verb.execute(replace(action, payload=replace(action.payload, client=client)))  # type: ignore[type-var] # the verb's own payload
    assert await worker.ping()


async def test_an_id_that_a_restarted_server_gave_anew_is_left_alone(
    sandbox: BlockingSandbox, source: RedisSource, worker: Redis
) -> None:
    verb = KillClient(source)
    snapshot, client = await seen(source)
    action = await verb.plan(kill_request("redis:cache", snapshot, client))
    await worker.aclose()
    await source.close()
    sandbox.restart("redis")
    again = Redis(unix_socket_path=socket_of(sandbox), client_name="worker", single_connection_client=True)
    await again.initialize()
    try:
        while (int(await again.client_id())) < client.id:
            await again.connection.disconnect()  # type: ignore[union-attr] # a single connection
            await again.connection.connect()  # type: ignore[union-attr]
        assert int(await again.client_id()) == client.id, "the very same id, and on a unix socket the same address"
        with pytest.raises(NotSentError, match="another server process answers now"):
            await verb.execute(action)
        assert (await verb.sight(action))[0] is Sight.GONE
        with pytest.raises(NotSentError, match="another server process answers now"):
            await verb.plan(action.request)
        assert await again.ping()
    finally:
        await again.aclose()


async def test_a_server_that_failed_over_is_not_touched(source: RedisSource, worker: Redis) -> None:
    snapshot, client = await seen(source)
    was_replica = replace(snapshot, replication=replace(snapshot.replication, role="slave"))
    with pytest.raises(NotSentError, match="was slave and is master now"):
        await KillClient(source).plan(kill_request("redis:cache", was_replica, client))


@pytest.mark.parametrize("answer_only", [False, True], ids=["request lost", "answer lost"])
async def test_a_connection_lost_after_sending_is_unknown_never_sent_again_and_looking_tells(
    sandbox: BlockingSandbox, source: RedisSource, tmp_path: Path, worker: Redis, answer_only: bool
) -> None:
    lossy = Lossy(socket_of(sandbox), b"KILL", answer_only=answer_only)
    through = RedisSource("cache", RedisInstance(url=f"unix://{tmp_path / 'r.sock'}"))
    async with lossy.at(tmp_path / "r.sock"):
        # ACL DRYRUN names the command too: the plan goes past the proxy.
        action, verb = await KillClient(source).plan(await wanted(source)), KillClient(through)
        with pytest.raises(SourceError):
            await verb.execute(action)
        assert lossy.seen == 1
        look = await verb.look(action.sent(time.time()))
        assert look.phase is (Phase.CONVERGED if answer_only else Phase.ABSENT), look
        await through.close()


async def test_opstuis_own_connection_is_killed_only_at_the_highest_level(source: RedisSource) -> None:
    snapshot = await source.read()
    own = next(client for client in (await source.read()).clients or () if client.is_own)
    action = await KillClient(source).plan(kill_request("redis:cache", snapshot, own))
    assert (action.risk, "an opstui" in action.risk_reason) == (Risk.HIGH, True)


async def test_subscriptions_and_blocked_calls_that_would_be_lost_are_named(
    source: RedisSource, sandbox: BlockingSandbox
) -> None:
    client = Redis(unix_socket_path=socket_of(sandbox), client_name="listener", single_connection_client=True)
    await client.initialize()
    waiting = asyncio.ensure_future(client.blpop(["no-such-queue"], timeout=20))
    try:
        async with asyncio.timeout(30):
            while (await seen(source, "listener"))[1].kind != "blocked":
                await asyncio.sleep(0.02)
        action = await KillClient(source).plan(await wanted(source, "listener"))
        assert "it waits in blpop" in action.impact
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await client.aclose()


async def test_a_user_who_may_not_kill_is_told_which_rule_is_missing(
    source: RedisSource, sandbox: BlockingSandbox, worker: Redis
) -> None:
    admin: Any = Redis(unix_socket_path=socket_of(sandbox))  # execute_command is not annotated
    await admin.execute_command(
        "ACL", "SETUSER", "reader", "on", "nopass", "+ping", "+hello", "+info", "+client|list", "+client|id",
        "+client|setname", "+acl|dryrun",
    )  # fmt: skip
    limited = RedisSource("cache", RedisInstance(url=sandbox.endpoints["redis"], username="reader"))
    try:
        verb = KillClient(limited)
        action = await verb.plan(await wanted(limited))
        assert "+client|kill" in action.permission
        with pytest.raises(NotSentError, match=r"not permitted for user reader: \+client\|kill"):
            await verb.execute(action)
        assert await worker.ping()
    finally:
        await limited.close()
        await admin.execute_command("ACL", "DELUSER", "reader")
        await admin.aclose()


def test_the_verb_is_named_as_profiles_name_it() -> None:
    assert KillClient.name == KILL == "kill-client"
