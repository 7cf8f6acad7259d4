"""Through a real PgBouncer in transaction mode: it refuses our settings, and gives each transaction any session."""

import asyncio
import contextlib
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
from tui.actions.postgres.terminate import TerminateBackend, terminate_request
from tui.sandbox.binaries import server_identity
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import Unreachable
from tui.sources.postgres import PostgresSource

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

pytestmark = [
    pytest.mark.live,
    pytest.mark.debian,
    pytest.mark.xdist_group("live"),
    pytest.mark.skipif(PGBOUNCER is None, reason="needs Debian's pgbouncer"),
]

_SETTINGS = """
[databases]
shop = host={postgres} port=5432 dbname=shop user=opstui
[pgbouncer]
listen_port = 6432
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""


@pytest.fixture
def pooled(sandbox: BlockingSandbox) -> Iterator[str]:
    """The DSN of the shop through PgBouncer."""
    identity = server_identity()
    folder = Path(tempfile.mkdtemp(prefix="opstui-pgbouncer-", dir="/tmp"))
    os.chown(folder, identity.uid, identity.gid)
    settings = folder / "pgbouncer.ini"
    postgres = sandbox.endpoints["postgres"].partition("host=")[2].partition("&")[0]
    settings.write_text(_SETTINGS.format(postgres=postgres, folder=folder))
    settings.chmod(0o644)
    process = subprocess.Popen(
        [str(PGBOUNCER), "-q", str(settings)], stderr=subprocess.DEVNULL, cwd=folder, **identity.run_as
    )
    try:
        yield f"postgresql://opstui@/shop?host={folder}&port=6432"
    finally:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(folder)


async def test_a_pooler_is_noticed_read_through_and_acted_through(sandbox: BlockingSandbox, pooled: str) -> None:
    source = PostgresSource("shop", Database(dsn=pooled))
    others = [PostgresSource("shop", Database(dsn=pooled)) for _ in range(5)]
    dsn = sandbox.endpoints["postgres"].replace("//opstui@", "//app@")
    victim = await asyncpg.connect(dsn, server_settings={"application_name": "behind-the-pooler"})
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(Unreachable):
                snapshot = await source.read()
                break
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert snapshot.server.is_pooled
        for _ in range(5):
            results = await asyncio.gather(*(other.read() for other in (source, *others)))
        assert all(result.rates is not None and not result.missing for result in results)
        (session,) = [s for s in results[0].sessions if s.application == "behind-the-pooler"]
        verb = TerminateBackend(source)
        action = await verb.plan(terminate_request(source.name, results[0].server, session))
        receipt = await verb.execute(action)
        while not (look := await verb.look(action.sent(time.time()).learned(receipt))).detail.endswith("is gone"):
            assert time.monotonic() < deadline, look
    finally:
        victim.terminate()
        for one in (source, *others):
            await one.close()
        await asyncio.sleep(0)
