"""The walk over the keys of real servers: what it counts is what they say themselves, and it can be stopped."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from profiles.systems import RedisInstance
from tests.redis_servers import VERSIONS, Server, server
from tui.sources.redis_sampler import KeySampler, Sampling, held_bytes
from tui.sources.redis_space import prefix_of, shown

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

KEYS = 3000


@pytest.fixture(scope="module", params=VERSIONS)
def filled(request: pytest.FixtureRequest) -> Iterator[Server]:
    with server(request.param) as found:
        fill(found)
        yield found


@pytest.fixture(scope="module")
def valkey() -> Iterator[Server]:
    with server("valkey-9") as found:
        fill(found)
        yield found


def fill(found: Server) -> None:
    pipe = found.admin().pipeline(transaction=False)
    for number in range(KEYS):
        kind = number % 10
        if kind < 6:
            pipe.set(f"session:{number}", "x" * (number % 700), ex=30 + number * 40)
        elif kind < 8:
            pipe.rpush(f"queue:{number}", *("job" * (1 + number % 20) for _ in range(1 + number % 30)))
        elif kind < 9:
            pipe.hset(f"user.{number}.cart", mapping={str(field): "v" * 9 for field in range(1 + number % 50)})
        else:
            pipe.zadd(b"\x1b[31m\xffboard:%d" % number, {"a": 1, "b": 2})
    pipe.execute()


def sampler_of(found: Server, keys_per_s: float = 1e9, **more: Any) -> KeySampler:
    entry = RedisInstance.model_validate({"url": found.url, **more.pop("entry", {})})
    return KeySampler(entry, keys_per_s=keys_per_s, **more)


def facts(sampler: KeySampler) -> Sampling:
    found = sampler.facts()
    assert found is not None
    return found


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)


async def walked(sampler: KeySampler, db: int | None = None) -> Sampling:
    sampler.start(db)
    await until(lambda: not sampler.is_running)
    return facts(sampler)


def own_answers(found: Server) -> dict[str, tuple[int, int]]:
    """Return keys and bytes by prefix as the server tells them to its administrator."""
    admin, totals = found.admin(), dict[str, tuple[int, int]]()
    for key in admin.scan_iter(count=500):
        name = shown(prefix_of(key))
        count, held = totals.get(name, (0, 0))
        totals[name] = count + 1, held + admin.memory_usage(key, samples=5)
    return totals


async def test_a_whole_walk_gives_the_servers_own_numbers(filled: Server) -> None:
    done = await walked(sampler_of(filled))
    assert done.stopped_by == ""
    assert done.space.is_complete
    assert done.space.seen == KEYS == filled.admin().dbsize()
    # The mean size of a list's nodes is taken from samples, which the server draws anew each time.
    true = own_answers(filled)
    for row in done.space.prefixes:
        count, held = true[row.name]
        assert row.keys.likely == count
        assert row.bytes is not None
        assert row.bytes.likely == pytest.approx(held, rel=0.02), row.name
    assert {row.name for row in done.space.prefixes} == set(true)
    assert next(row for row in done.space.prefixes if row.name == "session:").expiring_percent == 100
    assert {one.kind for one in done.space.big} == {"string", "list", "hash", "zset"}
    assert all((one.ttl_s is None) is not one.key.startswith(b"session:") for one in done.space.big)
    timed = [one.keys for one in done.space.expiries if one.title != "none: stays"]
    expires = filled.admin().info("keyspace")["db0"]["expires"]
    assert sum(one.low for one in timed) < expires < sum(one.high for one in timed)


async def test_a_part_of_it_states_ranges_that_hold_what_the_server_says(filled: Server) -> None:
    sampler = sampler_of(filled, 2000, pause=stop_after(40))
    found = await walked(sampler)
    assert KEYS / 20 < found.space.seen < KEYS / 2
    true = own_answers(filled)
    for row in found.space.prefixes:
        assert row.keys.low <= true[row.name][0] <= row.keys.high
        assert row.bytes is not None
        assert row.bytes.low <= true[row.name][1] <= row.bytes.high


def stop_after(chunks: int) -> Callable[[float], Any]:
    """Return a pause that ends the walk as a key would, in its place after so many round trips."""
    count = itertools.count(1)

    async def pause(seconds: float) -> None:
        if next(count) == chunks:
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    return pause


async def test_it_stops_at_once_and_goes_on_without_losing_or_doubling_a_key(filled: Server) -> None:
    sampler = sampler_of(filled, keys_per_s=4000)
    for least in (200, 500, 900):
        sampler.start()
        await until(lambda least=least: facts(sampler).space.seen >= least)  # type: ignore[misc]
        sampler.stop()
        await until(lambda: not sampler.is_running)
        stopped_at = facts(sampler).space.seen
        await asyncio.sleep(0.05)
        assert facts(sampler).space.seen == stopped_at < KEYS
    done = await walked(sampler)
    assert done.space.is_complete
    assert done.space.seen == KEYS


async def test_a_walk_that_went_round_begins_anew(valkey: Server) -> None:
    sampler = sampler_of(valkey)
    await walked(sampler)
    assert (await walked(sampler)).space.seen == KEYS


async def test_it_keeps_to_its_pace(valkey: Server) -> None:
    now, paused = [0.0], list[float]()

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        now[0] += seconds
        await asyncio.sleep(0)

    done = await walked(sampler_of(valkey, 2000, clock=lambda: now[0], pause=pause))
    assert done.space.seen == KEYS
    assert done.spent_s == pytest.approx(KEYS / 2000, rel=0.1)
    assert max(paused) < 0.05, "many short pauses, not few long ones: others wait for a chunk"


async def test_it_slows_down_while_answers_are_late_and_recovers(valkey: Server) -> None:
    now, took, paces = [0.0], [0.001], list[float]()

    def clock() -> float:
        now[0] += took[0] / 2
        return now[0]

    async def pause(seconds: float) -> None:
        now[0] += seconds
        paces.append(facts(slowed).keys_per_s)
        took[0] = 0.02 if len(paces) in (30, 31) else 0.001
        await asyncio.sleep(0)

    slowed = sampler_of(valkey, 2000, clock=clock, pause=pause)
    await walked(slowed)
    assert paces[29] == 2000
    assert 250 <= min(paces) <= 550, "half, and half again"
    assert paces[-1] > 900


async def test_only_commands_of_the_plan_are_sent_and_no_key_looks_used(valkey: Server) -> None:
    admin = valkey.admin()
    admin.config_resetstat()
    await walked(sampler_of(valkey))
    sent = {name.removeprefix("cmdstat_").lower() for name in admin.info("commandstats")}
    assert sent <= {
        "scan", "memory|usage", "memory|stats", "type", "pttl", "dbsize", "info", "strlen", "llen", "hlen", "zcard",
        "hello", "client|setname", "client|no-touch", "client|id", "config|resetstat",
    }  # fmt: skip


async def test_another_database_is_walked_over_by_itself(valkey: Server) -> None:
    admin = valkey.admin(db=3)
    admin.set("alone:1", "x")
    sampler = sampler_of(valkey)
    done = await walked(sampler, 3)
    assert (done.db, done.space.seen) == (3, 1)
    assert (await walked(sampler, 0)).space.seen == KEYS


async def test_what_an_acl_forbids_costs_its_column_and_is_not_asked_for_again(valkey: Server) -> None:
    admin = valkey.admin()
    admin.execute_command("ACL", "SETUSER", "few", "on", ">pw", "~*", "+ping", "+scan", "+type", "+hello")
    admin.execute_command("ACL", "LOG", "RESET")
    sampler = sampler_of(valkey, entry={"username": "few", "password": "env:FEW_PW"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEW_PW", "pw")
        done = await walked(sampler)
    assert done.space.seen == KEYS
    assert all(row.bytes is None for row in done.space.prefixes)
    assert done.missing["MEMORY USAGE"] == "not permitted for user few: +memory|usage"
    assert done.missing["PTTL"] == "not permitted for user few: +pttl"
    denied = {entry["object"]: entry["count"] for entry in admin.acl_log()}
    assert (denied["pttl"], denied["memory|usage"]) == (1, 1)


async def test_keys_that_may_not_be_looked_at_are_counted_without_their_size(valkey: Server) -> None:
    valkey.admin().execute_command(
        "ACL", "SETUSER", "some", "on", ">pw", "~session:*", "+ping", "+scan", "+type", "+memory|usage", "+pttl",
    )  # fmt: skip
    sampler = sampler_of(valkey, entry={"username": "some", "password": "env:FEW_PW"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEW_PW", "pw")
        done = await walked(sampler)
    rows = {row.name: row for row in done.space.prefixes}
    assert rows["session:"].bytes is not None
    assert rows["queue:"].bytes is None
    assert rows["queue:"].keys.likely == KEYS / 5
    assert "MEMORY USAGE" not in done.missing


async def test_without_scan_it_says_so(valkey: Server) -> None:
    valkey.admin().execute_command("ACL", "SETUSER", "none", "on", ">pw", "+ping")
    sampler = sampler_of(valkey, entry={"username": "none", "password": "env:FEW_PW"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEW_PW", "pw")
        done = await walked(sampler)
    assert "SCAN is not permitted for user none: +scan" in done.stopped_by


async def test_a_server_that_dies_ends_the_walk_with_words_and_another_process_begins_it_anew() -> None:
    with server("valkey-9") as found:
        fill(found)
        sampler = sampler_of(found, 2000)
        sampler.start()
        await until(lambda: facts(sampler).space.seen > 100)
        found.stop()
        await until(lambda: not sampler.is_running)
        assert facts(sampler).stopped_by
        found.start()
        found.admin().set("new:1", "x")
        done = await walked(sampler)
        assert done.space.seen == 1


def test_what_the_keys_hold_at_most_is_taken_from_whoever_tells_it() -> None:
    stats = {"total.allocated": 1000, "startup.allocated": 300, "dataset.bytes": 500}
    assert held_bytes({**stats, "db.0": {b"overhead.hashtable.main": 80}}, {}) == 580
    assert held_bytes({**stats, "db.0": [b"overhead.hashtable.main", 900]}, {}) == 700
    assert held_bytes({}, {"used_memory": "1000", "used_memory_startup": "300"}) == 700
    assert held_bytes({}, {}) is None
