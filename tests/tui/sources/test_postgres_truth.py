"""What is shown, held against the server's own answers: on every version, as superuser, pg_monitor and a plain role."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest

from profiles.systems import Database
from tests.debian_postgres import debian_postgres, live, version_params
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.postgres import PostgresSource
from tui.sources.postgres.facts import DatabaseSnapshot

pytestmark = live
Connect = Callable[[str], "asyncio.Future[asyncpg.Connection[asyncpg.Record]]"]


@pytest.fixture(scope="module", params=version_params())
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The superuser's DSN of a server that knows prepared transactions and counts statements."""
    with debian_postgres(request.param) as postgres:
        data = postgres.made()
        with (data / "postgresql.conf").open("a") as settings:
            settings.write("max_prepared_transactions = 5\nshared_preload_libraries = 'pg_stat_statements'\n")
            settings.write("deadlock_timeout = '10s'\n")
        with postgres.serving(data) as dsn:
            asyncio.run(_prepare(dsn))
            yield dsn


async def _prepare(dsn: str) -> None:
    admin = await asyncpg.connect(dsn)
    await admin.execute(
        """
        CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE ROLE plain LOGIN; CREATE ROLE worker LOGIN;
        CREATE EXTENSION pg_stat_statements; CREATE SCHEMA truth AUTHORIZATION worker;
        CREATE TABLE truth.t (id int PRIMARY KEY, n int); INSERT INTO truth.t SELECT i, 0 FROM generate_series(1, 9) i;
        ALTER TABLE truth.t OWNER TO worker
        """
    )
    await admin.close()


def as_role(dsn: str, role: str) -> str:
    return dsn.replace("//postgres@", f"//{role}@")


@contextlib.asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("truth", Database(dsn=dsn))
    try:
        yield source
    finally:
        await source.close()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def workers(dsn: str, number: int) -> AsyncIterator[list["asyncpg.Connection[asyncpg.Record]"]]:
    found = [await asyncpg.connect(as_role(dsn, "worker")) for _ in range(number)]
    try:
        yield found
    finally:
        for one in found:
            one.terminate()
        await asyncio.sleep(0)


async def until(source: PostgresSource, wanted: Callable[[DatabaseSnapshot], bool]) -> DatabaseSnapshot:
    deadline = time.monotonic() + 20
    while not wanted(snapshot := await source.read()):
        assert time.monotonic() < deadline, (snapshot.connections, snapshot.tree)
        await asyncio.sleep(0.05)
    return snapshot


@pytest.mark.parametrize("role", ["postgres", "monitor", "plain"])
async def test_clients_are_counted_by_state_as_the_server_counts_them(server: str, role: str) -> None:
    async with workers(server, 9) as found, reading(as_role(server, role)) as source:
        for one in found[:4]:
            await one.execute("BEGIN; SELECT 1")
        with contextlib.suppress(asyncpg.PostgresError):
            await found[3].execute("SELECT 1/0")
        running = [asyncio.create_task(one.execute("SELECT pg_sleep(60)")) for one in found[7:]]
        if role == "plain":
            snapshot = await until(source, lambda s: s.connections.by_state.get("not visible") == 9)
            assert "GRANT pg_monitor TO plain" in snapshot.missing["sessions"]
        else:
            wanted = {"idle": 3, "idle in transaction": 3, "idle in transaction (aborted)": 1, "active": 2}
            snapshot = await until(
                source,
                lambda s: Counter(one.state for one in s.sessions if one.role == "worker") == wanted,
            )
            admin = await asyncpg.connect(server)
            counted = await admin.fetch(
                "SELECT state, count(*) AS n FROM pg_stat_activity WHERE backend_type = 'client backend' "
                "AND pid <> pg_backend_pid() AND application_name <> 'opstui' GROUP BY 1"
            )
            await admin.close()
            ours = dict(snapshot.connections.by_state)
            ours["idle"] -= 1  # our own session counts: it takes a place
            assert ours == {row["state"]: row["n"] for row in counted}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@pytest.mark.parametrize("role", ["postgres", "monitor", "plain"])
async def test_the_tree_holds_the_servers_own_blocking_pids(server: str, role: str) -> None:
    update = "UPDATE truth.t SET n = n + 1 WHERE id = {}"
    async with workers(server, 6) as found, reading(as_role(server, role)) as source:
        root, branch, leaf, other, preparer, behind = found
        await root.execute(f"BEGIN; {update.format(1)}")
        await branch.execute(f"BEGIN; {update.format(2)}")
        await preparer.execute(f"BEGIN; {update.format(3)}; PREPARE TRANSACTION 'forgotten'")
        waits = ((branch, 1), (leaf, 2), (other, 1), (behind, 3))
        tasks = [asyncio.create_task(one.execute(update.format(row))) for one, row in waits]
        snapshot = await until(source, lambda s: s.waiting == 4)
        admin = await asyncpg.connect(server)
        rows = await admin.fetch("SELECT pid, pg_blocking_pids(pid) AS by FROM pg_locks WHERE NOT granted")
        theirs = {row["pid"]: set(row["by"]) for row in rows}
        ours = {one.pid: {one.under, *one.also} for one in snapshot.tree if one.under is not None}
        assert ours == theirs
        places = {one.pid: one for one in snapshot.tree}
        assert places[root.get_server_pid()].waiting == 3
        assert places[root.get_server_pid()].depth == 0
        assert places[leaf.get_server_pid()].under == branch.get_server_pid()
        assert places[behind.get_server_pid()].under == 0
        assert [one.gid for one in snapshot.prepared] == ["forgotten"]
        await admin.execute("ROLLBACK PREPARED 'forgotten'")
        await admin.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_deadlock_is_shown_as_a_cycle_until_the_server_breaks_it(server: str) -> None:
    update = "UPDATE truth.t SET n = n + 1 WHERE id = {}"
    async with workers(server, 2) as (one, two), reading(server) as source:
        await one.execute(f"BEGIN; {update.format(5)}")
        await two.execute(f"BEGIN; {update.format(6)}")
        tasks = [asyncio.create_task(one.execute(update.format(6))), asyncio.create_task(two.execute(update.format(5)))]
        snapshot = await until(source, lambda s: s.waiting == 2)
        assert any(place.is_cycle for place in snapshot.tree)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("role", ["postgres", "monitor"])
async def test_known_calls_are_the_calls_that_are_counted(server: str, role: str) -> None:
    calls = 300
    async with workers(server, 1) as (client,), reading(as_role(server, role)) as source:
        source._clock = lambda: time.monotonic() * 100  # six seconds between samples are a twentieth
        mark = "SELECT count(*) FROM truth.t WHERE n < $1"
        await client.fetch(mark, 7)
        await source.read()
        for _ in range(calls):
            await client.fetch(mark, 7)

        def counted(snapshot: DatabaseSnapshot) -> float:
            found = snapshot.statements
            top = [one for one in (found.top if found else ()) if "truth.t WHERE n <" in one.text]
            return sum(one.calls_per_s for one in top) * (found.window_s if found else 0.0)

        snapshot = await until(source, lambda s: counted(s) > 0)
        assert counted(snapshot) == pytest.approx(calls, abs=0.01)
        admin = await asyncpg.connect(server)
        total = await admin.fetchval("SELECT sum(calls) FROM pg_stat_statements WHERE query LIKE '%truth.t WHERE n <%'")
        await admin.close()
        assert total >= calls


async def test_the_sandbox_counts_as_the_server_does(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source:
        snapshot = await source.read()
        assert sum(snapshot.connections.by_state.values()) == snapshot.connections.used
