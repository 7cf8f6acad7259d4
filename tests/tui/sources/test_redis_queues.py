"""Queues of a real server: lengths, what is pending, and for how long."""

import time
from collections.abc import Iterator

import pytest

from profiles.systems import RedisInstance
from tests.redis_servers import VERSIONS, Server, server
from tui.sources.redis import RedisSource
from tui.sources.redis_connection import RefusedError
from tui.sources.redis_queues import Queue, Queues

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]

NAMES = ["jobs", "events", "later", "nobody", "\x1b[31modd"]


@pytest.fixture(scope="module", params=VERSIONS)
def filled(request: pytest.FixtureRequest) -> Iterator[Server]:
    with server(request.param) as found:
        admin = found.admin(db=2)
        admin.rpush("jobs", *range(7))
        admin.zadd("later", {"a": 1, "b": 2, "c": 3})
        admin.rpush("\x1b[31modd", 1)
        admin.xgroup_create("events", "mail", "0", mkstream=True)
        admin.xgroup_create("events", "audit", "0")
        for number in range(10):
            admin.xadd("events", {"number": number}, id=f"{int((time.time() - 90) * 1000) + number}-0")
        admin.xreadgroup("mail", "worker", {"events": ">"}, count=4)
        yield found


async def read(found: Server, names: list[str], times: int = 1, **entry: object) -> tuple[Queue, ...]:
    place = f"{found.url}?db=2"
    source = RedisSource("q", RedisInstance.model_validate({"url": place, "queues": names, **entry}))
    try:
        for _ in range(times - 1):
            await source.read()
        return (await source.read()).queues
    finally:
        await source.close()


async def test_lengths_pending_and_age_are_the_servers_own(filled: Server) -> None:
    jobs, events, later, nobody, odd = await read(filled, NAMES)
    assert (jobs.kind, jobs.length, jobs.pending, jobs.age_s) == ("list", 7, None, None)
    assert (events.kind, events.length, events.pending) == ("stream", 10, 4)
    assert events.age_s == pytest.approx(90, abs=15)
    assert {group.name: group.pending for group in events.groups} == {"mail": 4, "audit": 0}
    assert (later.kind, later.length) == ("zset", 3)
    assert (nobody.kind, nobody.length) == ("none", 0)
    assert odd.length == 1


async def test_they_are_numbers_for_rules_by_the_name_of_the_queue(filled: Server) -> None:
    (events,) = await read(filled, ["events"])
    numbers = {(number.metric, number.object): number.value for number in events.numbers()}
    assert numbers["queue_length", "events"] == 10
    assert numbers["queue_pending", "events"] == 4
    assert numbers["queue_age_s", "events"] > 60


async def test_a_queue_that_may_not_be_seen_costs_its_own_cells(filled: Server) -> None:
    filled.admin().execute_command(
        "ACL", "SETUSER", "half", "on", ">pw", "~jobs", "+ping", "+select", "+type", "+llen", "+info",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALF_PW", "pw")
        jobs, events = await read(filled, ["jobs", "events"], username="half", password="env:HALF_PW")
    assert jobs.length == 7
    assert (events.kind, events.length, events.refused) == (
        "?", None, "not permitted for user half: ~ with a pattern of this key",
    )  # fmt: skip


async def test_growth_is_measured_between_two_readings(filled: Server) -> None:
    admin = filled.admin(db=2)
    source = RedisSource("q", RedisInstance(url=f"{filled.url}?db=2", queues=["grows"]))
    assert (await source.read()).queues[0].per_s is None
    admin.rpush("grows", *range(50))
    grown = (await source.read()).queues[0]
    assert grown.per_s is not None
    assert grown.per_s > 0
    admin.delete("grows")
    assert ((await source.read()).queues[0].per_s or 0) < 0
    await source.close()


def test_a_key_that_becomes_another_type_is_asked_for_anew() -> None:
    queues = Queues(["q"])
    assert queues.first() == [("TYPE", "q")]
    assert queues.then({("TYPE", "q"): b"list"}) == [("LLEN", "q")]
    assert queues.first() == [("TYPE", "q"), ("LLEN", "q")]
    wrong = RefusedError("WRONGTYPE", is_lasting=True)
    assert queues.then({("TYPE", "q"): b"stream", ("LLEN", "q"): wrong}) == [("XLEN", "q"), ("XINFO", "GROUPS", "q")]
