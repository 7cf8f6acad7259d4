"""Changes of a Redis server: two readings in, entries and conditions out."""

from dataclasses import replace
from typing import Any

import pytest

from tui.rules import Level
from tui.sources import redis_info
from tui.sources.redis_facts import Memory, Persistence, Rates, Replica, Replication, Server, SlowEntry
from tui.sources.redis_snapshot import RedisSnapshot
from tui.timeline import redis
from tui.timeline.standing import Condition

NOW = 1_800_000_000.0
NEVER = float("-inf")
SOURCE = "redis:cache"
SERVER = Server("Valkey", "9.1.2", "standalone", "run-a", uptime_s=9000)
MASTER = Replication(role="master", replicas=(Replica("10.0.0.7:6379", "online", 0, 1),))
SNAPSHOT = RedisSnapshot(
    address="cache:6379",
    server=SERVER,
    memory=Memory(used_bytes=50, max_bytes=100, policy="allkeys-lru"),
    rates=Rates(),
    counts=redis_info.counts({}),
    persistence=Persistence(last_save_status="ok"),
    replication=MASTER,
    keyspace=(),
    commands=(),
    errors=(),
    clients=None,
    clients_read_at=None,
    slowlog=(SlowEntry(3, NOW - 500, 15_000, "KEYS user:ann@example.com:*", "10.0.0.9:1", "web"),),
    slowlog_slower_than_us=10_000,
    latency=(),
    doctor="",
    refusals=(),
    round_trip_ms=0.4,
)


def like(**fields: Any) -> RedisSnapshot:
    return replace(SNAPSHOT, **fields)


def told(before: RedisSnapshot | None, after: RedisSnapshot, since: float = NEVER) -> list[tuple[str, str]]:
    return [(entry.what, entry.text) for entry in redis.entries(SOURCE, before, after, NOW, since)]


def conditions(**fields: Any) -> list[Condition]:
    return list(redis.conditions(like(**fields), NOW))


def test_nothing_is_told_where_nothing_changed() -> None:
    assert told(SNAPSHOT, like()) == []
    assert conditions() == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"server": replace(SERVER, run_id="run-b", uptime_s=3), "slowlog": ()},
            [("start", "the server started: Valkey 9.1.2")],
        ),
        (
            {"replication": Replication(role="slave", master="10.0.0.8:6379", link_status="up")},
            [("role", "became a replica of 10.0.0.8:6379"), ("replica", "replica 10.0.0.7:6379 is gone")],
        ),
        ({"replication": replace(MASTER, replicas=())}, [("replica", "replica 10.0.0.7:6379 is gone")]),
        (
            {"memory": Memory(used_bytes=50, max_bytes=200, policy="noeviction")},
            [("setting", "maxmemory-policy allkeys-lru → noeviction"), ("setting", "maxmemory 100 B → 200 B")],
        ),
    ],
)
def test_what_changed_is_told(fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert told(SNAPSHOT, like(**fields)) == expected


def test_a_start_has_the_time_of_the_uptime() -> None:
    after = like(server=replace(SERVER, run_id="run-b", uptime_s=30), slowlog=())
    (entry,) = redis.entries(SOURCE, SNAPSHOT, after, NOW, NEVER)
    assert entry.at == NOW - 30


def test_slow_commands_are_told_once_by_their_name_alone() -> None:
    new = SlowEntry(4, NOW - 1, 20_000, "EVAL 'return ARGV[1]' 0 hunter2", "10.0.0.9:1", "")
    after = like(slowlog=(new, *(SNAPSHOT.slowlog or ())))
    (entry,) = redis.entries(SOURCE, SNAPSHOT, after, NOW, NEVER)
    assert (entry.text, entry.at, entry.object) == ("EVAL took 20.0 ms, asked by 10.0.0.9:1", NOW - 1, "slow/4")
    assert told(after, after) == []


def test_the_first_reading_tells_what_is_recent_by_the_servers_own_time() -> None:
    assert told(None, SNAPSHOT, since=NOW - 600) == [("slow", "KEYS took 15.0 ms, asked by web")]
    assert told(None, SNAPSHOT, since=NOW - 400) == []
    assert ("start", "the server started: Valkey 9.1.2") in told(None, SNAPSHOT, since=NOW - 9001)


def test_ids_that_begin_again_after_a_restart_are_new() -> None:
    restarted = like(server=replace(SERVER, run_id="run-b"), slowlog=(SlowEntry(0, NOW - 1, 20_000, "EVAL", "", ""),))
    assert [what for what, _ in told(SNAPSHOT, restarted)] == ["slow", "start"]


@pytest.mark.parametrize(
    ("fields", "what", "begins", "level"),
    [
        ({"persistence": Persistence(is_loading=True)}, "loading", "LOADING", Level.CRITICAL),
        ({"persistence": Persistence(last_save_status="err")}, "save", "the last save failed", Level.CRITICAL),
        ({"persistence": Persistence(is_aof=True, aof_write_status="err")}, "save", "the append-only", Level.CRITICAL),
        ({"memory": Memory(used_bytes=100, max_bytes=100, policy="noeviction")}, "memory", "memory is", Level.CRITICAL),
        ({"rates": Rates(evicted_per_s=12.0)}, "evictions", "keys are evicted, 12/s", Level.WARN),
        ({"rates": Rates(rejected_per_s=3.0)}, "clients", "3 connections/s are rejected", Level.CRITICAL),
    ],
)
def test_what_lasts_is_told_in_words(fields: dict[str, Any], what: str, begins: str, level: Level) -> None:
    (condition,) = conditions(**fields)
    assert (condition.what, condition.level) == (what, level)
    assert condition.text.startswith(begins)


def test_a_link_that_is_down_began_when_the_server_says() -> None:
    down = Replication(role="slave", master="10.0.0.8:6379", link_status="down", link_down_s=41)
    (condition,) = conditions(replication=down)
    assert (condition.text, condition.since) == ("the link to 10.0.0.8:6379 is down", NOW - 41)
