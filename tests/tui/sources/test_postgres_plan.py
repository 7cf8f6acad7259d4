"""Plans of what others run: what is refused before it is sent, and what real servers say."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.systems import Database
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import Denied, SourceError, Unreadable
from tui.sources.postgres import PostgresSource
from tui.sources.postgres.facts import Session
from tui.sources.postgres.plan import Plan, Statement, explain

SELECT = Statement("SELECT 1", False, "shop", "app", None)


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "  /* a hint */ -- and more\n WITH x AS (SELECT 1) TABLE x",
        "((SELECT 1))",
        "MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE",
    ],
)
def test_queries_may_be_tried(text: str) -> None:
    assert replace(SELECT, text=text).refusal() == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no statement"),
        ("VACUUM orders", "begins with VACUUM"),
        ("ANALYZE SELECT 1", "begins with ANALYZE"),
        ("EXPLAIN ANALYZE DELETE FROM orders", "begins with EXPLAIN"),
        ("/* SELECT */ DROP TABLE orders", "begins with DROP"),
        ("; SELECT 1", "begins with"),
        ("<insufficient privilege>", "GRANT pg_monitor"),
    ],
)
def test_what_is_no_query_is_refused_before_it_is_sent(text: str, why: str) -> None:
    assert why in replace(SELECT, text=text).refusal()


def test_a_statement_that_was_cut_or_is_hidden_is_refused() -> None:
    assert "track_activity_query_size" in replace(SELECT, is_cut=True).refusal()
    assert "GRANT pg_monitor" in replace(SELECT, database=None).refusal()


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    replace(SELECT, text=text).refusal()


def test_the_search_path_is_that_of_the_statements_own_role() -> None:
    assert replace(SELECT, search_path='"$user", public').path() == "app, public"
    assert replace(SELECT, search_path="$user,public", role="O'Neil").path() == '"O\'Neil",public'
    assert SELECT.path() is None


def test_tables_read_from_end_to_end_are_found() -> None:
    lines = (
        "Gather  (cost=1000.00..9000.50 rows=10 width=4)",
        "  ->  Parallel Seq Scan on orders o  (cost=0.00..8000.25 rows=4 width=4)",
        "  ->  Index Scan using a on b  (cost=0.00..8.00 rows=4 width=4)",
    )
    assert list(Plan("", lines, "shop", "public", 0).whole_tables()) == [("orders o", 8000.25, 4)]


def as_role(sandbox: BlockingSandbox, role: str) -> str:
    return sandbox.endpoints["postgres"].replace("//opstui@", f"//{role}@")


@pytest.fixture
async def planner(sandbox: BlockingSandbox) -> AsyncIterator[str]:
    """The DSN of a role that may read everything, and a table nobody else uses."""
    admin = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
    await admin.execute(
        """
        CREATE ROLE planner LOGIN IN ROLE pg_monitor, pg_read_all_data;
        CREATE SCHEMA planned; CREATE TABLE planned.orders AS SELECT i AS id FROM generate_series(1, 1000) i;
        ALTER ROLE reporting SET search_path = planned;
        GRANT USAGE ON SCHEMA planned TO reporting; GRANT SELECT, DELETE ON planned.orders TO reporting
        """
    )
    yield as_role(sandbox, "planner")
    await admin.execute("DROP SCHEMA planned CASCADE; ALTER ROLE reporting RESET search_path; DROP ROLE planner")
    await admin.close()


@contextlib.asynccontextmanager
async def reading(dsn: str, *, masks: bool = False) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("shop", Database(dsn=dsn), masks=masks)
    try:
        yield source
    finally:
        await source.close()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def left_by(sandbox: BlockingSandbox, source: PostgresSource, sql: str) -> AsyncIterator[Session]:
    """A session of `reporting` whose newest statement is this one."""
    other = await asyncpg.connect(as_role(sandbox, "reporting"), server_settings={"application_name": "planned"})
    try:
        with contextlib.suppress(asyncpg.PostgresError):
            await other.execute(sql)
        deadline = time.monotonic() + 30
        while not (found := [one for one in (await source.read()).sessions if one.application == "planned"]):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        yield found[0]
    finally:
        other.terminate()


async def plan_of(sandbox: BlockingSandbox, dsn: str, sql: str, *, masks: bool = False) -> Plan:
    async with reading(dsn, masks=masks) as source, left_by(sandbox, source, sql) as session:
        plan = await source.plan_of_session(*session.key)
        assert plan is not None
        return plan


@pytest.mark.live
@pytest.mark.xdist_group("live")
class TestOnTheSandbox:
    """A real PostgreSQL 18."""

    async def test_a_statement_is_planned_under_its_own_search_path(
        self, sandbox: BlockingSandbox, planner: str
    ) -> None:
        plan = await plan_of(sandbox, planner, "SELECT * FROM orders WHERE id > 7")
        assert [table for table, _, _ in plan.whole_tables()] == ["orders"]
        assert any("Filter: (id > 7)" in line for line in plan.lines)
        assert (plan.database, plan.search_path, plan.parameters) == ("shop", "planned", 0)

    async def test_on_a_shared_screen_its_literals_are_hidden(self, sandbox: BlockingSandbox, planner: str) -> None:
        plan = await plan_of(sandbox, planner, "SELECT * FROM orders WHERE id > 7", masks=True)
        assert any("Filter: (id > ?)" in line for line in plan.lines)
        assert "cost=" in plan.lines[0]
        assert plan.statement == "SELECT * FROM orders WHERE id > ?"

    async def test_nothing_is_run(self, sandbox: BlockingSandbox, planner: str) -> None:
        admin = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
        await admin.execute("GRANT DELETE ON planned.orders TO planner")
        statement = Statement("DELETE FROM planned.orders", False, "shop", "reporting", None)
        try:
            plan = await explain(Database(dsn=planner), statement)
            assert plan.lines[0].startswith("Delete on orders")
            assert await admin.fetchval("SELECT count(*) FROM planned.orders") == 1000
        finally:
            await admin.close()

    async def test_what_a_client_has_packed_into_one_message_is_refused(
        self, sandbox: BlockingSandbox, planner: str
    ) -> None:
        with pytest.raises(Unreadable, match="begins with BEGIN"):
            await plan_of(sandbox, planner, "BEGIN; DELETE FROM orders; ROLLBACK")

    @pytest.mark.parametrize("text", ["SELECT 1; DROP TABLE planned.orders", "SELECT 1; SELECT 2", "(SELECT 1) x;;"])
    async def test_a_second_statement_is_a_syntax_error(
        self, sandbox: BlockingSandbox, planner: str, text: str
    ) -> None:
        with pytest.raises(Unreadable, match="42601"):
            await explain(Database(dsn=planner), replace(SELECT, text=text))
        async with reading(planner) as source:
            assert (await source.value("SELECT count(*) FROM planned.orders")) == 1000

    async def test_parameters_give_the_generic_plan(self, sandbox: BlockingSandbox, planner: str) -> None:
        text = "SELECT * FROM planned.orders WHERE id = $1 AND id < $2 + 1"
        plan = await explain(Database(dsn=planner), replace(SELECT, text=text))
        assert plan.parameters == 2
        assert any("(id = $1)" in line for line in plan.lines)
        assert not any("One-Time Filter: false" in line for line in plan.lines)

    async def test_an_entry_of_the_statistics_is_planned(self, sandbox: BlockingSandbox, planner: str) -> None:
        admin = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
        async with reading(planner) as source, left_by(sandbox, source, "SELECT id FROM orders WHERE id = 42"):
            found = await admin.fetchrow(
                "SELECT userid, dbid, queryid FROM pg_stat_statements WHERE query = $1",
                "SELECT id FROM orders WHERE id = $1",
            )
            await admin.close()
            assert found is not None
            plan = await source.plan_of_statement((found["userid"], found["dbid"], found["queryid"], True))
            assert plan is not None
            assert (plan.parameters, plan.search_path) == (1, "planned")
            assert await source.plan_of_statement((found["userid"], found["dbid"], 1, True)) is None

    async def test_a_superuser_is_refused(self, sandbox: BlockingSandbox, planner: str) -> None:
        with pytest.raises(Denied, match="postgres is a superuser"):
            await explain(Database(dsn=sandbox.endpoints["postgres_admin"]), SELECT)

    async def test_who_may_not_read_the_table_is_told_the_grant(self, sandbox: BlockingSandbox, planner: str) -> None:
        secret = replace(SELECT, text="SELECT * FROM planned.orders")
        with pytest.raises(Denied, match=r"permission denied for (schema|table).*GRANT pg_read_all_data TO app"):
            await explain(Database(dsn=as_role(sandbox, "app")), secret)

    async def test_a_locked_table_is_given_up_at_once(self, sandbox: BlockingSandbox, planner: str) -> None:
        admin = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
        try:
            await admin.execute("BEGIN; LOCK TABLE planned.orders IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(SourceError, match="lock timeout"):
                await explain(Database(dsn=planner), replace(SELECT, text="SELECT * FROM planned.orders"))
        finally:
            admin.terminate()

    async def test_nothing_stays_behind(self, sandbox: BlockingSandbox, planner: str) -> None:
        await explain(Database(dsn=planner), replace(SELECT, text="SELECT * FROM planned.orders"))
        async with reading(planner) as source:
            deadline = time.monotonic() + 30
            while any(one.application == "opstui-explain" for one in (await source.read()).sessions):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
