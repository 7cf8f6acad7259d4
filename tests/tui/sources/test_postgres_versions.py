"""The source and the verbs against every other PostgreSQL that Debian installed here."""

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator

import asyncpg
import pytest

from profiles.systems import Database
from tests.debian_postgres import debian_postgres, live, version_params
from tui.actions.action import Phase
from tui.actions.postgres.cancel import CancelQuery, cancel_request
from tui.sources.errors import Denied
from tui.sources.postgres import PostgresSource
from tui.sources.reading import Number

pytestmark = live


@pytest.fixture(params=version_params())
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of a server of its own, without pg_stat_statements preloaded."""
    with debian_postgres(request.param) as postgres, postgres.serving(postgres.made()) as dsn:
        yield dsn


async def test_an_older_server_is_read_and_a_query_on_it_cancelled(server: str) -> None:
    source = PostgresSource("old", Database(dsn=server))
    deadline = time.monotonic() + 20
    first = await source.read()
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


async def test_only_a_refusal_for_want_of_places_tells_that_all_are_taken(server: str) -> None:
    """Each is SQLSTATE 53300, in whatever language: the server's places, the reserved ones, one role's own limit."""
    held = [await asyncpg.connect(server)]
    for sql in ("CREATE ROLE plain LOGIN", "CREATE ROLE few LOGIN CONNECTION LIMIT 0"):
        await held[0].execute(sql)
    try:
        assert await refusal(server.replace("postgres@", "few@")) == ("role", ())
        with contextlib.suppress(asyncpg.TooManyConnectionsError):
            while len(held) < 1000:
                held.append(await asyncpg.connect(server))
        full = (Number("connections_percent", 100.0),)
        assert await refusal(server) == ("clients", full)
        await held.pop().close()
        assert await refusal(server.replace("postgres@", "plain@")) == ("slots", full)
    finally:
        for one in held:
            one.terminate()
        await asyncio.sleep(0)


async def refusal(dsn: str) -> tuple[str, tuple[Number, ...]]:
    """Return which of the words `role`, `clients`, `slots` a server refuses us with, and what that tells."""
    source = PostgresSource("full", Database(dsn=dsn))
    try:
        with pytest.raises(Denied) as caught:
            await source.read()
        (word,) = re.findall('for (role) "|too many (clients)|connection (slots)', caught.value.message)
        return "".join(word), caught.value.numbers
    finally:
        await source.close()
