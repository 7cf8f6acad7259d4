"""The source and the verbs against every other PostgreSQL that Debian installed here."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from profiles.schema import Database
from tui.actions.action import Phase
from tui.actions.postgres.cancel import CancelQuery, cancel_request
from tui.sandbox.binaries import server_identity
from tui.sources.errors import SourceError
from tui.sources.postgres import PostgresSource

FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))

pytestmark = [
    pytest.mark.live,
    pytest.mark.debian,
    pytest.mark.xdist_group("live"),
    pytest.mark.skipif(not FOUND, reason="needs one of Debian's postgresql-NN packages"),
]


@pytest.fixture(params=FOUND, ids=lambda path: path.parts[-3])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of a server of its own, without pg_stat_statements preloaded."""
    programs = request.param.parent
    identity = server_identity()
    folder = Path(tempfile.mkdtemp(prefix="opstui-pg-", dir="/tmp"))
    os.chown(folder, identity.uid, identity.gid)
    environment = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "--no-sync"],
        cwd=folder, env=environment, check=True, capture_output=True, **identity.run_as,
    )  # fmt: skip
    settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off"}
    process = subprocess.Popen(
        [programs / "postgres", "-D", folder / "data", *(f"--{name}={value}" for name, value in settings.items())],
        cwd=folder, env=environment, stderr=subprocess.DEVNULL, **identity.run_as,
    )  # fmt: skip
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        process.terminate()
        process.wait(timeout=20)
        shutil.rmtree(folder)


async def test_an_older_server_is_read_and_a_query_on_it_cancelled(server: str) -> None:
    source = PostgresSource("old", Database(dsn=server))
    deadline = time.monotonic() + 20
    while True:
        try:
            first = await source.read()
            break
        except SourceError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    assert "CREATE EXTENSION" in first.missing["statements"]
    client = await asyncpg.connect(server)
    try:
        await client.execute("CREATE EXTENSION pg_stat_statements")
        await source.close()
        assert "shared_preload_libraries" in (await source.read()).missing["statements"]
        sleep = asyncio.create_task(client.execute("SELECT pg_sleep(60)"))
        snapshot = await source.read()
        while (running := snapshot.longest_active) is None:
            assert time.monotonic() < deadline
            snapshot = await source.read()
        assert snapshot.rates is not None
        assert await source.detail(*running.key) is not None
        verb = CancelQuery(source)
        action = await verb.plan(cancel_request(source.name, snapshot.server, running))
        receipt = await verb.execute(action)
        with pytest.raises(asyncpg.QueryCanceledError):
            await sleep
        assert (await verb.look(action.sent(time.time()).learned(receipt))).phase is Phase.CONVERGED
    finally:
        client.terminate()
        await source.close()
        await asyncio.sleep(0)
