"""The source against a real PostgreSQL."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from profiles.systems import Database
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import Denied, Unreachable, Unreadable
from tui.sources.postgres.facts import DatabaseSnapshot, Session
from tui.sources.postgres.source import PostgresSource

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


def as_role(sandbox: BlockingSandbox, role: str) -> str:
    return sandbox.endpoints["postgres"].replace("//opstui@", f"//{role}@")


@contextlib.asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("shop", Database(dsn=dsn))
    try:
        yield source
    finally:
        await source.close()


@contextlib.asynccontextmanager
async def client(
    sandbox: BlockingSandbox, name: str, role: str = "app"
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(as_role(sandbox, role), server_settings={"application_name": name})
    try:
        yield connection
    finally:
        connection.terminate()


async def until(
    source: PostgresSource, wanted: Callable[[DatabaseSnapshot], bool], within_s: float = 10
) -> DatabaseSnapshot:
    deadline = time.monotonic() + within_s
    while not wanted(snapshot := await source.read()):
        assert time.monotonic() < deadline, snapshot
        await asyncio.sleep(0.05)
    return snapshot


def named(snapshot: DatabaseSnapshot, application: str) -> list[Session]:
    return [session for session in snapshot.sessions if session.application == application]


async def test_a_session_opened_elsewhere_is_seen_with_what_it_does(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source, client(sandbox, "seen-7f3a") as other:
        await other.execute("BEGIN; SELECT 1")
        (session,) = named(await source.read(), "seen-7f3a")
        assert (session.pid, session.state, session.role) == (other.get_server_pid(), "idle in transaction", "app")
        assert session.transaction_s is not None
        assert session.transaction_s >= 0


async def test_connections_are_counted_against_what_the_server_allows(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source:
        connections = (await source.read()).connections
        assert connections.limit == 97
        assert connections.reserved == 3
        assert 0 < connections.used == sum(connections.by_state.values())


async def test_a_lock_tree_has_its_root_its_waiters_and_what_they_wait_for(sandbox: BlockingSandbox) -> None:
    async with (
        reading(sandbox.endpoints["postgres"]) as source,
        client(sandbox, "root-1") as root,
        client(sandbox, "waiter-1") as waiter,
    ):
        await root.execute("BEGIN; UPDATE products SET updated_at = now() WHERE id = 3")
        waiting = asyncio.create_task(waiter.execute("UPDATE products SET updated_at = now() WHERE id = 3"))
        snapshot = await until(source, lambda snapshot: snapshot.waiting > 0)
        assert [(place.pid, place.depth) for place in snapshot.tree] == [
            (root.get_server_pid(), 0),
            (waiter.get_server_pid(), 1),
        ]
        assert snapshot.waits[waiter.get_server_pid()].locktype == "transactionid"
        assert {number.metric: number.value for number in snapshot.numbers()}["blocked"] == 1
        await root.execute("ROLLBACK")
        await waiting


async def test_a_prepared_transaction_that_blocks_is_named(sandbox: BlockingSandbox) -> None:
    async with (
        reading(sandbox.endpoints["postgres"]) as source,
        client(sandbox, "prepares") as owner,
        client(sandbox, "waits") as waiter,
    ):
        await owner.execute(
            "BEGIN; UPDATE products SET updated_at = now() WHERE id = 4; PREPARE TRANSACTION 'two-phase'"
        )
        waiting = asyncio.create_task(waiter.execute("UPDATE products SET updated_at = now() WHERE id = 4"))
        try:
            snapshot = await until(source, lambda snapshot: bool(snapshot.prepared))
            assert snapshot.tree[0].pid == 0
            assert (snapshot.prepared[0].gid, snapshot.prepared[0].owner) == ("two-phase", "app")
        finally:
            await owner.execute("ROLLBACK PREPARED 'two-phase'")
            await waiting


async def test_statements_become_rates_with_their_texts(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source, client(sandbox, "busy") as busy:
        await source.read()
        for number in range(20):
            await busy.fetchval("SELECT count(*) AS rated_here FROM products WHERE id < $1", number)
        snapshot = await source.read()
        assert snapshot.statements is not None
        (one,) = [statement for statement in snapshot.statements.top if "rated_here" in statement.text]
        assert (one.role, one.database, one.rows_per_call) == ("app", "shop", 1.0)
        assert one.calls_per_s * snapshot.statements.window_s == pytest.approx(20)


async def test_rates_come_with_the_second_tick(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source:
        assert (await source.read()).rates is None
        assert (await source.read()).rates is not None


async def test_hostile_text_arrives_harmless(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source, client(sandbox, "hostile-[/red]") as other:
        await other.execute("SELECT '[/red]\x1b]0;x\x07'")
        (session,) = named(await source.read(), "hostile-[/red]")
        assert session.query == "SELECT '[/red]␛]0;x␇'"
        detail = await source.detail(*session.key)
        assert detail is not None
        assert "\x1b" not in detail.query


async def test_the_detail_has_the_whole_text_and_the_locks(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source, client(sandbox, "detailed") as other:
        long = "SELECT id\n  FROM products\n -- " + "x" * 500
        await other.execute("BEGIN")
        await other.execute(long)
        (session,) = named(await source.read(), "detailed")
        detail = await source.detail(*session.key)
        assert detail is not None
        assert (detail.query, detail.is_cut) == (long, False)
        assert ("products", "AccessShareLock", True) in [
            (lock.relation, lock.mode, lock.is_granted) for lock in detail.locks
        ]
        assert await source.detail(session.pid, session.query_start) is None


async def test_a_role_without_rights_says_what_it_cannot_see_and_still_finds_the_blockers(
    sandbox: BlockingSandbox,
) -> None:
    async with (
        reading(as_role(sandbox, "reporting")) as source,
        client(sandbox, "root-2") as root,
        client(sandbox, "waiter-2") as waiter,
    ):
        await root.execute("BEGIN; UPDATE products SET updated_at = now() WHERE id = 5")
        waiting = asyncio.create_task(waiter.execute("UPDATE products SET updated_at = now() WHERE id = 5"))
        snapshot = await until(source, lambda snapshot: snapshot.waiting > 0)
        assert snapshot.tree[0].pid == root.get_server_pid()
        assert "GRANT pg_monitor TO reporting" in snapshot.missing["sessions"]
        assert "GRANT pg_signal_backend TO reporting" in snapshot.missing["signals"]
        await root.execute("ROLLBACK")
        await waiting


async def test_a_database_without_the_extension_says_so_and_shows_the_rest(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"].replace("/shop?", "/postgres?")) as source:
        snapshot = await source.read()
        assert snapshot.statements is None
        assert "CREATE EXTENSION pg_stat_statements" in snapshot.missing["statements"]
        assert snapshot.sessions


async def test_a_query_that_is_forbidden_is_sent_once_and_the_tick_goes_on(sandbox: BlockingSandbox) -> None:
    async with client(sandbox, "owner", "postgres") as owner:
        await owner.execute("REVOKE EXECUTE ON FUNCTION pg_stat_statements(boolean) FROM PUBLIC")
        try:
            async with reading(as_role(sandbox, "reporting")) as source:
                first, second = await source.read(), await source.read()
                for snapshot in (first, second):
                    assert snapshot.statements is None
                    assert "permission denied" in snapshot.missing["statements"]
                assert second.rates is not None
        finally:
            await owner.execute("GRANT EXECUTE ON FUNCTION pg_stat_statements(boolean) TO PUBLIC")


async def test_our_session_can_do_no_harm(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source, source.for_action() as link:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await link.connection.execute("CREATE TABLE public.mine ()")
        assert await link.connection.fetchval("SHOW statement_timeout") == "3s"


async def test_a_stopped_server_costs_no_more_than_the_timeout_and_then_is_read_again(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source:
        await source.read()
        with sandbox.frozen("postgres"):
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises((TimeoutError, Unreachable)):
                    async with asyncio.timeout(0.5):
                        await source.read()
                assert time.monotonic() - began < 2
        assert (await source.read()).sessions
        assert [t for t in asyncio.all_tasks() if t is not asyncio.current_task()] == []


async def test_a_terminated_connection_is_opened_again(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source, client(sandbox, "admin", "postgres") as admin:
        await source.read()
        await admin.execute(
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE application_name = 'opstui'"
        )
        with contextlib.suppress(Unreachable):  # the farewell may or may not have been noticed before we ask
            await source.read()
        assert (await source.read()).sessions


Broken = Callable[[BlockingSandbox], str]


@pytest.mark.parametrize(
    ("broken", "kind", "words"),
    [
        (lambda s: s.endpoints["postgres"].replace("/shop?", "/nowhere?"), Denied, 'database "nowhere" does not exist'),
        (lambda s: as_role(s, "nobody-here"), Denied, 'role "nobody-here" does not exist'),
        (lambda s: "host=/nonexistent dbname=x", Unreachable, "nobody listens at /nonexistent"),
        (lambda s: "host=127.0.0.1 port=1 dbname=x", Unreachable, "nobody listens at 127.0.0.1:1"),
        (lambda s: "host=no-such-host.invalid dbname=x", Unreachable, "host name not known: no-such-host.invalid"),
        (lambda s: "service=no-such-service", Unreadable, "not found"),
        (lambda s: "env:OPSTUI_TEST_UNSET", Denied, "is not set"),
    ],
)
async def test_what_goes_wrong_on_connecting_is_said_in_words_with_a_remedy(
    sandbox: BlockingSandbox, broken: Broken, kind: type[Exception], words: str
) -> None:
    async with reading(broken(sandbox)) as source:
        with pytest.raises(kind, match=words) as caught:
            await source.read()
        assert isinstance(caught.value, (Denied, Unreachable, Unreadable))


async def test_a_full_server_is_denied_with_what_to_do_and_an_action_borrows_the_reading_connection(
    sandbox: BlockingSandbox,
) -> None:
    async with (
        reading(sandbox.endpoints["postgres"]) as source,
        client(sandbox, "admin", "postgres") as admin,
        reading(as_role(sandbox, "reporting")) as limited,
    ):
        await source.read()
        await limited.read()
        await admin.execute("ALTER ROLE reporting CONNECTION LIMIT 1")
        try:
            async with reading(as_role(sandbox, "reporting")) as second:
                with pytest.raises(Denied, match="too many connections for role"):
                    await second.read()
            async with limited.for_action() as link:
                assert await link.connection.fetchval("SHOW application_name") == "opstui"
        finally:
            await admin.execute("ALTER ROLE reporting CONNECTION LIMIT -1")


async def test_the_dsn_may_come_from_a_private_file(sandbox: BlockingSandbox, tmp_path: Path) -> None:
    file = tmp_path / "dsn"
    file.write_text(sandbox.endpoints["postgres"])
    file.chmod(0o600)
    async with reading(f"file:{file}") as source:
        assert (await source.read()).server.role == "opstui"
