"""Through a real PgBouncer in transaction mode: it refuses our settings, and gives each transaction any session."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

import asyncpg
import pytest

from profiles.systems import Database
from tests.debian_pgbouncer import needs_pgbouncer, pgbouncer, socket_folder
from tui.actions.postgres.terminate import TerminateBackend, terminate_request
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import Unreachable
from tui.sources.postgres import PostgresSource

pytestmark = needs_pgbouncer


@pytest.fixture
def pooled(sandbox: BlockingSandbox) -> Iterator[str]:
    """The DSN of the shop through PgBouncer."""
    with pgbouncer(socket_folder(sandbox.endpoints["postgres"])) as bouncer:
        yield bouncer.dsn()


async def test_a_pooler_is_noticed_read_through_and_acted_through(sandbox: BlockingSandbox, pooled: str) -> None:
    source = PostgresSource("shop", Database(dsn=pooled))
    others = [PostgresSource("shop", Database(dsn=pooled)) for _ in range(5)]
    dsn = sandbox.endpoints["postgres"].replace("//opstui@", "//app@")
    victim = await asyncpg.connect(dsn, server_settings={"application_name": "behind-the-pooler"})
    try:
        deadline = time.monotonic() + 30
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
