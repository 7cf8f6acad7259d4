"""A server for tests that change it: the sandbox's, or one of another version with nothing on its command line."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg

from profiles.systems import Database
from tests.debian_postgres import debian_postgres
from tui.actions.action import Action, Look, Phase, Verb
from tui.sources.postgres import PostgresSource


@contextlib.contextmanager
def server_of(programs: Path) -> Iterator[str]:
    """Run a server whose parameters stand in its file; yield the superuser's DSN."""
    with debian_postgres(programs) as postgres, postgres.serving(postgres.made()) as dsn:
        yield dsn


@contextlib.asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("shop", Database(dsn=dsn))
    try:
        yield source
    finally:
        await source.close()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        connection.terminate()


def as_role(dsn: str, role: str) -> str:
    return dsn.replace("//postgres@", f"//{role}@")


async def ended(verb: Verb, action: Action, done: Callable[[Look], bool] | None = None) -> Look:
    """Execute and look until it is no longer on its way."""
    receipt = await verb.execute(action)
    sent = action.sent(time.time()).learned(receipt)
    deadline = time.monotonic() + 30
    while (look := await verb.look(sent)).phase is Phase.WAITING and not (done and done(look)):
        assert time.monotonic() < deadline, look
        await asyncio.sleep(0.05)
    return look
