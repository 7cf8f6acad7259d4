"""Replication: facts from rows, and a real primary with a real standby."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import asyncpg
import pytest

from profiles.systems import Database
from tests.debian_postgres import DebianPostgres, debian_postgres, version_params
from tui.sources.postgres import PostgresSource
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.replication import Positions, Replica, Replication, Standby

REPLICA = Replica(
    pid=1, name="r1", role="rep", client="10.0.0.2", state="streaming", sync_state="async", pending_bytes=0,
    write_bytes=10, flush_bytes=20, replay_bytes=70, write_s=0.001, flush_s=0.002, replay_s=0.5, reply_ago_s=0.1,
)  # fmt: skip
STANDBY = Standby(True, "streaming", "db1:5432", "", 100, 3600.0, 3600.0, False, 0.1, "off", "30s", 0.0)


def test_how_long_a_position_has_been_passed_is_at_least_what_was_seen() -> None:
    positions = Positions()
    for now_s, position in ((0.0, 100), (10.0, 200), (20.0, 200), (30.0, 300)):
        positions.add(now_s, position)
    assert positions.behind_s(30.0, 300) == 0.0
    assert positions.behind_s(35.0, 250) == 5.0
    assert positions.behind_s(35.0, 100) == 25.0, "200 was there since 10 s"
    assert positions.behind_s(35.0, 50) == 35.0


def test_who_replays_nothing_is_behind_though_replay_lag_stays() -> None:
    assert replace(REPLICA, behind_s=42.0).lag_s == 42.0
    assert replace(REPLICA, behind_s=0.0).lag_s == 0.5
    assert replace(REPLICA, write_bytes=0, flush_bytes=0, replay_bytes=0, behind_s=0.0).lag_s == 0.0
    assert replace(REPLICA, replay_s=None).lag_s is None
    assert REPLICA.behind_bytes == 100


def test_the_first_transaction_after_an_idle_hour_is_not_an_hour_late() -> None:
    assert STANDBY.lag_s == 0.0
    assert replace(STANDBY, replay_bytes=5 << 20).lag_s == 3600.0
    never = replace(STANDBY, replay_bytes=5 << 20, replay_s=None, behind_s=7.0)
    assert never.lag_s == 7.0, "it has replayed no transaction since it started"


def test_numbers_are_told_by_receiver_and_slot() -> None:
    found = Replication((REPLICA, replace(REPLICA, name="r2", pending_bytes=None, state=None)), (), STANDBY)
    numbers = [(one.metric, one.object, one.value) for one in found.numbers()]
    assert ("replication_lag_s", "r1", 0.5) in numbers
    assert ("replication_lag_bytes", "", 100.0) in numbers
    assert found.is_veiled


@contextlib.contextmanager
def _pair(postgres: DebianPostgres) -> Iterator[tuple[str, str]]:
    standby, where = postgres.folder / "standby", ("-h", str(postgres.folder), "-p", "5432")
    with postgres.serving(postgres.made()) as primary:
        postgres.run("pg_basebackup", "-D", standby, *where, "-U", "postgres", "-R", "-X", "stream")
        # From the start: a startup process that waits already does not look at it again.
        with (standby / "postgresql.auto.conf").open("a") as settings:
            settings.write("max_standby_streaming_delay = '100ms'\n")
        with postgres.serving(standby, 5433) as dsn:
            yield primary, dsn


@pytest.fixture(scope="module", params=version_params("pg_basebackup"))
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The DSNs of a primary and its standby."""
    with debian_postgres(request.param) as postgres, _pair(postgres) as dsns:
        yield dsns


@contextlib.asynccontextmanager
async def _reading(dsn: str) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("shop", Database(dsn=dsn))
    try:
        yield source
    finally:
        await source.close()
        await asyncio.sleep(0)  # the transport is told on the next turn of the loop


async def _until(source: PostgresSource, wanted: Callable[[DatabaseSnapshot], object]) -> DatabaseSnapshot:
    deadline = time.monotonic() + 20
    while True:
        source.look_at("replication")
        if wanted(snapshot := await source.read()):
            return snapshot
        assert time.monotonic() < deadline, snapshot.views.replication
        await asyncio.sleep(0.05)


def _lag_s(snapshot: DatabaseSnapshot) -> float:
    return max((one.value for one in snapshot.numbers() if one.metric == "replication_lag_s"), default=0.0)


async def test_a_standby_that_pauses_falls_behind_at_both_ends_and_catches_up(pair: tuple[str, str]) -> None:
    primary_dsn, standby_dsn = pair
    async with _reading(primary_dsn) as primary, _reading(standby_dsn) as standby:
        writer, pauser = await asyncpg.connect(primary_dsn), await asyncpg.connect(standby_dsn)
        try:
            await _until(primary, lambda s: [r.state for r in s.views.replication.replicas] == ["streaming"])
            first = await _until(standby, lambda s: s.views.replication.standby)
            assert first.views.replication.standby is not None
            assert first.views.replication.standby.status == "streaming"
            await pauser.execute("SELECT pg_wal_replay_pause()")
            await writer.execute("CREATE TABLE later AS SELECT generate_series(1, 50000)")
            here = await _until(primary, lambda s: _lag_s(s) > 0.2)
            assert (here.views.replication.replicas[0].replay_bytes or 0) > 1_000_000
            there = await _until(standby, lambda s: _lag_s(s) > 0.2)
            assert there.views.replication.standby is not None
            assert there.views.replication.standby.is_paused
            await pauser.execute("SELECT pg_wal_replay_resume()")
            await _until(primary, lambda s: _lag_s(s) == 0)
            await _until(standby, lambda s: _lag_s(s) == 0)
        finally:
            writer.terminate()
            pauser.terminate()
            await asyncio.sleep(0)


async def test_a_slot_is_told_with_what_it_keeps(pair: tuple[str, str]) -> None:
    async with _reading(pair[0]) as primary:
        writer = await asyncpg.connect(pair[0])
        try:
            await writer.execute("SELECT pg_create_physical_replication_slot('kept', true)")
            await writer.execute("CREATE TABLE kept AS SELECT generate_series(1, 50000)")
            (slot,) = (await _until(primary, lambda s: s.views.replication.slots)).views.replication.slots
            assert (slot.name, slot.kind, slot.is_active, slot.wal_status) == ("kept", "physical", False, "reserved")
            assert (slot.retained_bytes or 0) > 1_000_000
        finally:
            await writer.execute("SELECT pg_drop_replication_slot('kept')")
            writer.terminate()
            await asyncio.sleep(0)


async def test_a_role_without_rights_is_told_what_would_help(pair: tuple[str, str]) -> None:
    owner = await asyncpg.connect(pair[0])
    await owner.execute("DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN")
    owner.terminate()
    await asyncio.sleep(0)
    async with _reading(pair[0].replace("//postgres@", "//plain@")) as source:
        snapshot = await _until(source, lambda s: s.views.replication.replicas)
        assert snapshot.missing["replication"].endswith("GRANT pg_monitor TO plain")
        assert snapshot.views.replication.replicas[0].behind_bytes is None


async def test_a_query_that_a_standby_cancelled_is_counted(pair: tuple[str, str]) -> None:
    writer, reader = await asyncpg.connect(pair[0]), await asyncpg.connect(pair[1])
    try:
        await writer.execute("DROP TABLE IF EXISTS fought; CREATE TABLE fought (id int)")
        async with _reading(pair[1]) as standby:
            deadline = time.monotonic() + 20
            while await reader.fetchval("SELECT to_regclass('public.fought') IS NULL"):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            await reader.execute("BEGIN; SELECT * FROM fought")
            await writer.execute("DROP TABLE fought")
            snapshot = await _until(standby, lambda s: s.views.replication.conflicts)
            assert snapshot.views.replication.conflicts[0].causes == {"lock": 1}
    finally:
        writer.terminate()
        reader.terminate()
        await asyncio.sleep(0)
