"""A real PgBouncer's pools: who waits, what is said when its console is closed to us, and after a restart."""

import asyncio
import contextlib
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from profiles.systems import PgBouncer
from tests.debian_pgbouncer import Bouncer, needs_pgbouncer, pgbouncer, socket_folder
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.pgbouncer import BouncerSnapshot, PgBouncerSource
from tui.sources.pgbouncer.facts import counters, databases, pools, traffic

OPENSSL = shutil.which("openssl")
ROW = {"database": "shop", "user": "app", "cl_active": "2", "cl_waiting": "1", "maxwait": "3", "maxwait_us": "500000"}


def test_columns_that_a_version_lacks_count_nothing() -> None:
    (pool,) = pools([ROW, {**ROW, "database": "pgbouncer"}])
    assert (pool.waiting_s, pool.clients_waiting, pool.servers_active, pool.mode) == (3.5, 1, 0, "")
    (odd,) = pools([{**ROW, "maxwait": "-1", "cl_active": "9" * 5000, "user": "a\x1b[31m"}])
    assert (odd.clients_active, odd.user) == (0, "a␛[31m")


def test_a_reserve_is_found_under_either_of_its_names() -> None:
    for column in ("reserve_pool", "reserve_pool_size"):
        assert databases([{"name": "shop", column: "5", "paused": "1"}])["shop"].reserve == 5


def test_traffic_is_what_grew_and_nothing_after_a_restart() -> None:
    before = counters([{"database": "shop", "total_query_count": "10", "total_query_time": "1000"}])
    after = counters([{"database": "shop", "total_query_count": "30", "total_query_time": "41000"}])
    found = traffic(before, after, 4.0)["shop"]
    assert (found.queries, found.query_ms) == (5.0, 2.0)
    assert traffic(after, before, 4.0) == {}
    assert traffic({}, after, 4.0) == {}


@pytest.fixture
def bouncer(sandbox: BlockingSandbox) -> Iterator[Bouncer]:
    """One with a single connection to the shop."""
    with pgbouncer(socket_folder(sandbox.endpoints["postgres"]), pool_size=1) as one:
        yield one


@contextlib.asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[PgBouncerSource]:
    source = PgBouncerSource("main", PgBouncer(dsn=dsn))
    try:
        yield source
    finally:
        await source.close()
        await asyncio.sleep(0)


async def until(source: PgBouncerSource, wanted: Callable[[BouncerSnapshot], bool]) -> BouncerSnapshot:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(Unreachable):
            if wanted(snapshot := await source.read()):
                return snapshot
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


class TestARealOne:
    """PgBouncer as Debian ships it."""

    pytestmark = needs_pgbouncer

    async def test_who_waits_for_a_connection_is_seen_with_who_has_it(self, bouncer: Bouncer) -> None:
        holder = await asyncpg.connect(bouncer.dsn(), statement_cache_size=0)
        waiter = await asyncpg.connect(bouncer.dsn(), statement_cache_size=0)
        async with reading(bouncer.dsn("pgbouncer")) as source:
            await holder.execute("BEGIN")
            backend = await holder.fetchval("SELECT pg_backend_pid()")
            waiting = asyncio.create_task(waiter.fetchval("SELECT 1"))
            snapshot = await until(source, lambda found: any(pool.waiting_s > 0.3 for pool in found.pools))
            (pool,) = snapshot.pools
            assert (pool.key, pool.clients_waiting, pool.servers_active) == (("shop", "opstui"), 1, 1)
            assert pool.mode == "transaction"
            assert snapshot.databases["shop"].pool_size == 1
            numbers = {(one.metric, one.object): one.value for one in snapshot.numbers()}
            assert numbers["waiting_s", "shop/opstui"] > 0.3
            assert numbers["clients_waiting", "shop/opstui"] == 1
            assert numbers["clients_percent", ""] > 0
            detail = await source.detail(pool.key)
            assert [one.state for one in detail.clients] == ["waiting", "active"]
            assert [one.pid for one in detail.servers] == [backend]
            assert detail.clients[1].server == detail.servers[0].mark
            await holder.execute("COMMIT")
            assert await waiting == 1
            snapshot = await until(source, lambda found: not any(pool.clients_waiting for pool in found.pools))
        holder.terminate()
        waiter.terminate()

    async def test_queries_are_counted_as_they_were_sent(self, bouncer: Bouncer) -> None:
        client = await asyncpg.connect(bouncer.dsn(), statement_cache_size=0)
        async with reading(bouncer.dsn("pgbouncer")) as source:
            await source.read()
            before, sent = time.monotonic(), 200
            for _ in range(sent):
                await client.execute("SELECT 1")
            found = await source.read()
            seconds = time.monotonic() - before
            assert found.traffic["shop"].queries * seconds == pytest.approx(sent, rel=0.2)
            assert found.version.startswith("PgBouncer 1.")
        client.terminate()

    async def test_a_paused_database_is_seen(self, bouncer: Bouncer) -> None:
        async with reading(bouncer.dsn("pgbouncer")) as source, reading(bouncer.dsn("pgbouncer", "admin")) as admin:
            async with admin._exclusive() as console:
                await console.query("PAUSE shop")
            assert (await source.read()).databases["shop"].is_paused

    async def test_who_may_not_look_is_told_what_to_ask_for(self, bouncer: Bouncer) -> None:
        async with reading(bouncer.dsn("pgbouncer", "stranger")) as source:
            with pytest.raises(Denied, match="stats_users = stranger"):
                await source.read()
        async with reading(bouncer.dsn("nowhere")) as source:
            with pytest.raises(Denied, match="dbname=pgbouncer"):
                await source.read()

    async def test_a_database_that_is_no_console_is_said_to_be_none(self, bouncer: Bouncer) -> None:
        async with reading(bouncer.dsn("shop")) as source:
            with pytest.raises(SourceError, match="dbname=pgbouncer"):
                await source.read()

    async def test_it_is_read_again_after_a_restart(self, bouncer: Bouncer, sandbox: BlockingSandbox) -> None:
        async with reading(f"postgresql://opstui@localhost:{bouncer.port}/pgbouncer?sslmode=prefer") as source:
            assert (await source.read()).traffic == {}
            bouncer.process.kill()
            bouncer.process.wait()
            with pytest.raises(Unreachable):
                await source.read()
            with pytest.raises(Unreachable, match="nobody listens"):
                await source.read()
            with pgbouncer(socket_folder(sandbox.endpoints["postgres"]), port=bouncer.port):
                assert (await until(source, lambda found: True)).traffic == {}

    async def test_a_hung_one_is_given_up_in_time(self, bouncer: Bouncer) -> None:
        async with reading(bouncer.dsn("pgbouncer")) as source:
            await source.read()
            source.timeout_s = 1.0
            bouncer.process.send_signal(19)
            try:
                with pytest.raises(Unreachable, match=r"no answer within 0\.5 s"):
                    await source.read()
            finally:
                bouncer.process.send_signal(18)
            assert await until(source, lambda found: True)


def _certificate(folder: Path) -> dict[str, bytes]:
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [str(OPENSSL), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return {"key.pem": key.read_bytes(), "cert.pem": certificate.read_bytes()}


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
class TestOverTls:
    """PgBouncer with a certificate of its own making."""

    pytestmark = needs_pgbouncer

    async def test_the_certificate_is_checked_as_the_dsn_wants(self, sandbox: BlockingSandbox, tmp_path: Path) -> None:
        files = _certificate(tmp_path)
        more = "client_tls_sslmode = require\nclient_tls_key_file = key.pem\nclient_tls_cert_file = cert.pem"
        with pgbouncer(socket_folder(sandbox.endpoints["postgres"]), more=more, files=files) as bouncer:
            ca = tmp_path / "cert.pem"
            for mode in ("require", f"verify-full&sslrootcert={ca}", f"verify-ca&sslrootcert={ca}", "prefer"):
                async with reading(f"{bouncer.tcp()}?sslmode={mode}") as source:
                    await source.read()
                    assert source._console is not None
                    assert source._console.is_encrypted
            async with reading(f"{bouncer.tcp()}?sslmode=verify-full") as source:
                with pytest.raises(Denied, match="certificate was not accepted"):
                    await source.read()
            async with reading(f"{bouncer.tcp()}?sslmode=disable") as source:
                with pytest.raises(Denied, match=r"(?i)ssl|tls"):
                    await source.read()

    async def test_a_server_without_tls_is_refused_where_it_is_wanted(self, bouncer: Bouncer) -> None:
        async with reading(f"{bouncer.tcp()}?sslmode=require") as source:
            with pytest.raises((Denied, Unreadable), match="offers no TLS"):
                await source.read()
