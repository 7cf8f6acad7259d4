"""Vacuuming and building indexes on real servers: followed to the end, refused, failed, lost."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.debian_pgbouncer import PGBOUNCER, pgbouncer, socket_folder
from tests.debian_postgres import live, version_params
from tests.tui.actions.lossy import Lossy
from tests.tui.actions.postgres.servers import as_role, connected, ended, reading, server_of
from tui.actions.action import Action, NotSentError, Phase, Risk, Sight
from tui.actions.postgres.index import BuildIndex, index_request
from tui.actions.postgres.index_statement import parsed
from tui.actions.postgres.vacuum import VacuumTable, vacuum_request
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import SourceError
from tui.sources.postgres import PostgresSource

pytestmark = live
CREATE = "CREATE INDEX CONCURRENTLY by_name ON kept.orders (name)"


@pytest.fixture(scope="module", params=version_params())
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The superuser's DSN of a server of its own."""
    with server_of(request.param) as found:
        yield found


@pytest.fixture
async def dsn(server: str) -> str:
    """The same, with a table of 5,000 rows of which 1,000 are dead."""
    async with connected(server) as admin:
        await admin.execute(
            """
            DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept;
            CREATE TABLE kept.orders (id int PRIMARY KEY, name text) WITH (autovacuum_enabled = off);
            INSERT INTO kept.orders SELECT i, 'n' || i % 10 FROM generate_series(1, 6000) i;
            """
        )
        await admin.execute("DELETE FROM kept.orders WHERE id > 5000")
    return server


async def vacuuming(source: PostgresSource) -> Action:
    server = (await source.read()).server
    async with source.at_hand() as link:
        oid = await link.connection.fetchval("SELECT oid::int8 FROM pg_class WHERE relname = 'orders'")
    return await VacuumTable(source).plan(vacuum_request(source.name, server, "kept", "orders", oid))


async def building(source: PostgresSource, typed: str = CREATE) -> Action:
    server = (await source.read()).server
    return await BuildIndex(source).plan(index_request(source.name, server, parsed(typed)))


async def test_a_table_is_vacuumed_and_analyzed(dsn: str) -> None:
    async with reading(dsn) as source, connected(dsn) as other:
        verb, action = VacuumTable(source), await vacuuming(source)
        assert action.risk is Risk.MEDIUM
        assert "vacuumed by hand never" in action.before
        assert "VACUUM (ANALYZE) kept.orders" in action.command
        assert (await verb.sight(action))[0] is Sight.UNCHANGED
        look = await ended(verb, action)
        assert look.phase is Phase.CONVERGED, look
        assert "0 dead rows are left" in look.detail
        assert await other.fetchval("SELECT last_analyze IS NOT NULL FROM pg_stat_user_tables WHERE relname = 'orders'")


async def test_a_table_made_anew_under_its_name_is_left_alone(dsn: str) -> None:
    async with reading(dsn) as source, connected(dsn) as admin:
        verb, action = VacuumTable(source), await vacuuming(source)
        await admin.execute("DROP TABLE kept.orders; CREATE TABLE kept.orders (id int)")
        assert (await verb.sight(action))[0] is Sight.GONE
        with pytest.raises(NotSentError, match="dropped and made anew"):
            await verb.execute(action)


async def test_a_table_that_somebody_locks_is_given_up(dsn: str) -> None:
    async with reading(dsn) as source, connected(dsn) as admin:
        verb, action = VacuumTable(source), await vacuuming(source)
        verb._lock_timeout = "200ms"
        await admin.execute("BEGIN; LOCK TABLE kept.orders IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(NotSentError, match="lock timeout"):
            await verb.execute(action)


async def test_a_role_that_does_not_own_the_table_is_told_so(dsn: str) -> None:
    async with connected(dsn) as admin:
        await admin.execute("DROP ROLE IF EXISTS stranger")
        await admin.execute("CREATE ROLE stranger LOGIN IN ROLE pg_monitor")
    async with reading(as_role(dsn, "stranger")) as source:
        assert "may vacuum only its own tables" in (await vacuuming(source)).permission
        assert "does not own kept.orders" in (await building(source)).permission


async def test_an_index_is_built_while_somebody_is_waited_for(dsn: str) -> None:
    async with reading(dsn) as source, connected(dsn) as other:
        await other.execute("BEGIN; INSERT INTO kept.orders VALUES (7000, 'late')")
        verb, action = BuildIndex(source), await building(source)
        assert any("waits for 1 transactions" in line for line in action.impact)
        at = time.time()
        receipt = await verb.execute(action)
        assert receipt.answer.startswith("it runs as backend")
        sent = action.sent(at).learned(receipt)
        look = await verb.look(sent)
        assert look.phase is Phase.WAITING
        assert "is at work: waiting for writers" in look.detail
        # Another opstui, or the next one, sees the same.
        assert (await BuildIndex(source).look(sent)).phase is Phase.WAITING
        await other.execute("COMMIT")
        deadline = time.monotonic() + 20
        while (look := await verb.look(sent)).phase is Phase.WAITING:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert look.phase is Phase.CONVERGED
        assert "kept.by_name: valid" in look.detail
        with pytest.raises(NotSentError, match="is there already"):
            await building(source)


async def test_an_index_is_rebuilt_as_another_one(dsn: str) -> None:
    async with reading(dsn) as source, connected(dsn) as admin:
        for typed in ("REINDEX INDEX CONCURRENTLY kept.orders_pkey", "REINDEX TABLE CONCURRENTLY kept.orders"):
            before = await admin.fetchval("SELECT 'kept.orders_pkey'::regclass::oid")
            look = await ended(BuildIndex(source), await building(source, typed))
            assert look.phase is Phase.CONVERGED, look
            assert await admin.fetchval("SELECT 'kept.orders_pkey'::regclass::oid") != before


async def test_a_failed_one_is_told_with_what_it_leaves_behind(dsn: str) -> None:
    async with reading(dsn) as source:
        verb = BuildIndex(source)
        look = await ended(verb, await building(source, "CREATE UNIQUE INDEX CONCURRENTLY odd ON kept.orders (name)"))
        assert look.phase is Phase.NOT_CONVERGED
        assert "could not create unique index" in look.detail
        assert "DROP INDEX CONCURRENTLY kept.odd" in look.detail


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("CREATE INDEX CONCURRENTLY i ON kept.orders (no_such)", "does not exist"),
        ("CREATE INDEX CONCURRENTLY i ON kept.orders (id) nonsense", "syntax error"),
        ("CREATE INDEX CONCURRENTLY i ON kept.nothing (id)", "there is no table kept.nothing"),
        ("CREATE INDEX CONCURRENTLY orders_pkey ON kept.orders (id)", "is there already"),
        ("REINDEX INDEX CONCURRENTLY kept.nothing", "there is no index kept.nothing"),
    ],
)
async def test_what_cannot_be_built_changes_nothing(dsn: str, typed: str, why: str) -> None:
    async def build(source: PostgresSource) -> None:
        await BuildIndex(source).execute(await building(source, typed))

    async with reading(dsn) as source, connected(dsn) as admin:
        with pytest.raises(NotSentError, match=why):
            await build(source)
        assert await admin.fetchval("SELECT count(*) FROM pg_index WHERE indrelid = 'kept.orders'::regclass") == 1


async def test_it_goes_on_in_the_server_when_we_end(dsn: str) -> None:
    async with connected(dsn) as other:
        async with reading(dsn) as source:
            await other.execute("BEGIN; INSERT INTO kept.orders VALUES (7000, 'late')")
            verb, action = BuildIndex(source), await building(source)
            sent = action.sent(time.time()).learned(await verb.execute(action))
        async with reading(dsn) as source:
            later = BuildIndex(source)
            assert (await later.look(sent)).phase is Phase.WAITING
            await other.execute("COMMIT")
            deadline = time.monotonic() + 20
            while (look := await later.look(sent)).phase is Phase.WAITING:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            assert look.phase is Phase.CONVERGED, look


async def test_a_lost_answer_is_found_out_by_looking(dsn: str, tmp_path: Path) -> None:
    folder = dsn.partition("host=")[2].partition("&")[0]
    lossy = Lossy(f"{folder}/.s.PGSQL.5432", b"CREATE INDEX", answer_only=True, later=1)
    through = f"postgresql://postgres@/postgres?host={tmp_path}&port=5432"
    async with lossy.at(tmp_path / ".s.PGSQL.5432"), reading(through) as source:
        verb, action = BuildIndex(source), await building(source)
        at, receipt = time.time(), None
        with contextlib.suppress(SourceError):
            receipt = await verb.execute(action)
        sent = action.sent(at) if receipt is None else action.sent(at).learned(receipt)
        deadline, look = time.monotonic() + 20, None
        while look is None or look.phase is not Phase.CONVERGED:
            assert time.monotonic() < deadline, look
            with contextlib.suppress(SourceError):
                look = await verb.look(sent)
            await asyncio.sleep(0.05)
        assert lossy.seen == 1, "it was never sent again"


@pytest.mark.debian
@pytest.mark.skipif(PGBOUNCER is None, reason="needs Debian's pgbouncer")
async def test_nothing_is_sent_through_a_pooler(sandbox: BlockingSandbox) -> None:
    folder = socket_folder(sandbox.endpoints["postgres"])
    with pgbouncer(folder) as bouncer:
        async with reading(bouncer.dsn()) as source:
            server = (await source.read()).server
            request = vacuum_request(source.name, server, "public", "orders", 1)
            with pytest.raises(SourceError, match="leads to a pooler"):
                await VacuumTable(source).plan(request)
