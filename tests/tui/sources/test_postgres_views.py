"""What single views read, against the sandbox's PostgreSQL and every other that Debian installed here."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from profiles.systems import Database
from tests.debian_postgres import debian_postgres, version_params
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.postgres import PostgresSource, connection, queries
from tui.sources.postgres.facts import DatabaseSnapshot
from tui.sources.postgres.progress import Progress

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Path], str]]:
    """Starts a version's server when it is first asked for; returns the superuser's DSN."""
    started: dict[Path, str] = {}
    with contextlib.ExitStack() as stack:

        def dsn(programs: Path) -> str:
            if programs not in started:
                postgres = stack.enter_context(debian_postgres(programs))
                started[programs] = stack.enter_context(postgres.serving(postgres.made()))
            return started[programs]

        yield dsn


@pytest.fixture(params=["sandbox", *version_params()])
def superuser(request: pytest.FixtureRequest, serve: Callable[[Path], str]) -> str:
    """The superuser's DSN of a server."""
    if isinstance(request.param, Path):
        return serve(request.param)
    return str(request.getfixturevalue("sandbox").endpoints["postgres"].replace("//opstui@", "//postgres@"))


@contextlib.asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("shop", Database(dsn=dsn))
    try:
        yield source
    finally:
        await source.close()
        await asyncio.sleep(0)  # the transport is told on the next turn of the loop


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        connection.terminate()
        await asyncio.sleep(0)


async def looked(source: PostgresSource, view: str) -> DatabaseSnapshot:
    source.look_at(view)
    return await source.read()


async def test_the_overview_agrees_with_the_server(superuser: str) -> None:
    async with reading(superuser) as source, connected(superuser) as other:
        assert (await source.read()).views.overview is None
        await looked(source, "overview")
        await other.execute("CREATE TEMP TABLE written_here AS SELECT generate_series(1, 20000)")
        snapshot = await looked(source, "overview")
        seen, (first, *_) = snapshot.views.overview, snapshot.views.wraparound
        assert not snapshot.missing.keys() & {"overview", "horizon", "wraparound"}
        assert seen is not None
        assert seen.checkpoints is not None
        assert seen.archiver is not None
        assert seen.archiver.mode == "off"
        assert seen.wal_bytes_per_s
        assert 0 < first.xid_age <= await other.fetchval("SELECT max(age(datfrozenxid)) FROM pg_database")
        assert first.freeze_max_age == 200_000_000


async def test_a_session_that_wrote_holds_back_vacuum_between_its_statements(superuser: str) -> None:
    async with reading(superuser) as source, connected(superuser) as other:
        await other.execute("BEGIN; CREATE TABLE never_kept (id int)")
        snapshot = await source.read()
        session = snapshot.session(other.get_server_pid())
        assert session is not None
        assert session.xmin_age is not None, "its backend_xid, while no statement runs"


async def test_a_role_without_rights_reads_the_overview_too(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"].replace("//opstui@", "//app@")) as source:
        snapshot = await looked(source, "overview")
        assert snapshot.views.overview is not None
        assert snapshot.views.overview.checkpoints is not None
        assert snapshot.views.wraparound


_SHAPES = """
CREATE TABLE IF NOT EXISTS shapes (id int PRIMARY KEY, kind text, filler text);
INSERT INTO shapes SELECT n, n % 7, repeat('x', 500) FROM generate_series(1, 30000) n;
CREATE INDEX shapes_kind ON shapes (kind);
CREATE INDEX shapes_kind_again ON shapes (kind);
CREATE INDEX shapes_part ON shapes (kind) WHERE id < 10;
DELETE FROM shapes WHERE id % 2 = 0;
ANALYZE shapes;
"""


async def test_tables_and_indexes_of_the_database_are_told_with_what_is_worth_a_look(superuser: str) -> None:
    async with reading(superuser) as source, connected(superuser) as other:
        await other.execute(_SHAPES)
        try:
            found = (await looked(source, "tables")).views.tables
            assert found is not None
            (table,) = [one for one in found.tables if one.name == "shapes"]
            assert table.table_bytes > 30_000 * 500
            assert table.may_select
            assert table.bloat_bytes is not None
            assert 0.3 < table.bloat_bytes / table.table_bytes < 0.7, "half of its rows are gone"
            assert (table.schema, table.vacuum_ago_s) == ("public", None)
            assert table.analyze_ago_s is not None
            indexes = (await looked(source, "indexes")).views.indexes
            assert indexes is not None
            by_name = {one.name: one for one in indexes.indexes}
            assert by_name["shapes_kind"].alike == ("shapes_kind_again",)
            assert by_name["shapes_part"].alike == ()
            assert by_name["shapes_part"].is_unused
            assert not by_name["shapes_pkey"].is_unused
            assert "CREATE INDEX shapes_part" in by_name["shapes_part"].definition
        finally:
            await other.execute("DROP TABLE shapes")


async def test_a_waiting_alter_table_does_not_hold_up_the_list_of_tables(superuser: str) -> None:
    async with reading(superuser) as source, connected(superuser) as holder, connected(superuser) as waiter:
        await holder.execute("CREATE TABLE held (id int)")
        await holder.execute("BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        waiting = asyncio.create_task(waiter.execute("ALTER TABLE held ADD COLUMN more int"))
        snapshot = await looked(source, "tables")
        assert "tables" not in snapshot.missing
        assert snapshot.views.tables is not None
        assert "held" in [one.name for one in snapshot.views.tables.tables]
        await holder.execute("ROLLBACK")
        await waiting
        await holder.execute("DROP TABLE held")


async def test_a_query_that_is_too_dear_turns_itself_off_and_the_tick_goes_on(
    superuser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = queries.query
    slow = "SELECT pg_sleep(20)"
    monkeypatch.setattr(queries, "query", lambda name, major: slow if name == "bloat" else real(name, major))
    monkeypatch.setattr(connection, "BRIEF_S", 0.05)
    async with reading(superuser) as source:
        snapshot = await looked(source, "tables")
        assert "not asked again for 10 min" in snapshot.missing["bloat"]
        assert snapshot.views.tables is not None
        assert "bloat" in (await looked(source, "tables")).missing


async def test_an_index_that_is_built_is_seen_with_its_phase(superuser: str) -> None:
    async with reading(superuser) as source, connected(superuser) as other, connected(superuser) as builder:
        await other.execute("CREATE TABLE built (id int); INSERT INTO built SELECT generate_series(1, 1000)")
        await other.execute("BEGIN; INSERT INTO built VALUES (0)")
        building = asyncio.create_task(builder.execute("CREATE INDEX CONCURRENTLY built_id ON built (id)"))
        try:
            deadline = time.monotonic() + 20
            found: list[Progress] = []
            while not found:  # autovacuum may be at work too
                assert time.monotonic() < deadline
                seen = (await looked(source, "progress")).views.progress or ()
                found = [one for one in seen if one.pid == builder.get_server_pid()]
            (one,) = found
            assert one.kind == "create index"
            assert one.relation == "public.built"
            assert one.phase
        finally:
            await other.execute("COMMIT")
            await building
            await other.execute("DROP TABLE built")


async def test_settings_that_were_changed_are_told_and_what_a_plain_role_may_not_see(superuser: str) -> None:
    async with reading(superuser) as source:
        found = (await looked(source, "settings")).views.settings
        assert found is not None
        by_name = {one.name: one for one in found.settings}
        assert by_name["fsync"].value == "off"
        assert "statement_timeout" not in by_name, "our own session's"
        assert found.may_read_all


async def test_a_plain_role_is_told_which_grant_shows_all_settings(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"].replace("//opstui@", "//app@")) as source:
        snapshot = await looked(source, "settings")
        assert snapshot.missing["settings"].endswith("GRANT pg_read_all_settings TO app")
