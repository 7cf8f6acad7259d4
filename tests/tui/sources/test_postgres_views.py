"""What single views read, against the sandbox's PostgreSQL and every other that Debian installed here."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from profiles.schema import Database
from tests.debian_postgres import FOUND, debian_postgres, needs_debian
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.postgres import PostgresSource
from tui.sources.postgres.facts import DatabaseSnapshot

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Path], str]]:
    """Starts a version's server when it is first asked for; returns the superuser's DSN."""
    started: dict[Path, str] = {}
    with contextlib.ExitStack() as stack:

        def dsn(programs: Path) -> str:
            if programs not in started:
                postgres = stack.enter_context(debian_postgres(programs))
                started[programs] = stack.enter_context(postgres.serving(postgres.make()))
            return started[programs]

        yield dsn


@pytest.fixture(params=["sandbox", *(pytest.param(path, marks=needs_debian, id=path.parts[-2]) for path in FOUND)])
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


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        connection.terminate()


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
