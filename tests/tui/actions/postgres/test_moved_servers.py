"""Another server in place of the one that was seen: restarted, cloned, promoted. Nothing is signalled on it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from profiles.identity import Identity
from profiles.systems import Database
from tests.debian_postgres import DEBIAN, DebianPostgres, debian_postgres, needs_debian
from tui.actions.action import Action, NotSentError, Request
from tui.actions.postgres.cancel import CancelQuery, cancel_request
from tui.actions.postgres.session import SessionVerb, found_of
from tui.actions.postgres.terminate import TerminateBackend, terminate_request
from tui.pins import findings
from tui.sources.postgres import PostgresSource
from tui.sources.postgres.facts import DatabaseSnapshot, Session
from tui.sources.reading import Reading

pytestmark = needs_debian

APPLICATION = "moved"
ANOTHER = "another server answers now, or it restarted or changed its role"


@pytest.fixture(params=[pytest.param(DEBIAN, id="15")])
def postgres(request: pytest.FixtureRequest) -> Iterator[DebianPostgres]:
    with debian_postgres(request.param) as found:
        yield found


@contextlib.asynccontextmanager
async def sleeping(dsn: str) -> AsyncIterator["asyncio.Task[str]"]:
    """Run a long statement; yield what waits for its end."""
    connection = await asyncpg.connect(dsn, server_settings={"application_name": APPLICATION})
    task = asyncio.create_task(connection.execute("SELECT pg_sleep(600)"))
    try:
        yield task
    finally:
        connection.terminate()  # before the task: to cancel that opens another connection, which a stop would wait for
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("shop", Database(dsn=dsn))
    try:
        yield source
    finally:
        await source.close()


async def seen(source: PostgresSource) -> tuple[DatabaseSnapshot, Session]:
    async with asyncio.timeout(20):
        while True:
            snapshot = await source.read()
            for session in snapshot.sessions:
                if session.application == APPLICATION and session.is_active:
                    return snapshot, session
            await asyncio.sleep(0.05)


def both(source: PostgresSource, what: tuple[DatabaseSnapshot, Session]) -> list[tuple[SessionVerb, Request]]:
    snapshot, session = what
    return [
        (CancelQuery(source), cancel_request(source.name, snapshot.server, session)),
        (TerminateBackend(source), terminate_request(source.name, snapshot.server, session)),
    ]


def disguised(old: Action, new: Action) -> Action:
    """Return the action of one server as if the other's session had the very same pid, start and statement."""
    session = {name: new.request.target.identity[name] for name in ("pid", "backend_start")}
    request = replace(
        old.request, target=replace(old.request.target, identity={**old.request.target.identity, **session})
    )
    return replace(old, request=request, payload=replace(found_of(new), server=found_of(old).server))


async def refuses(verb: SessionVerb, old: Action, new: Action, statement: "asyncio.Task[str]") -> None:
    """Assert that the action is neither planned nor sent, though the session alone would match."""
    action = disguised(old, new)
    with pytest.raises(NotSentError, match=ANOTHER):
        await verb.plan(action.request)
    with pytest.raises(NotSentError, match=ANOTHER):
        await verb.execute(action)
    assert not statement.done(), "the other server's statement goes on"
    assert new.payload != action.payload, "only the server tells the two apart"


async def test_nothing_is_signalled_on_a_clone_that_has_taken_the_place_of_the_server(postgres: DebianPostgres) -> None:
    data = postgres.make()
    old = []
    with postgres.serving(data) as dsn:
        async with reading(dsn) as source, sleeping(dsn):
            old = [await verb.plan(request) for verb, request in both(source, await seen(source))]
    with postgres.serving(postgres.copy(data, "clone")) as dsn:
        async with reading(dsn) as source, sleeping(dsn) as statement:
            for action, (verb, request) in zip(old, both(source, await seen(source)), strict=True):
                await refuses(verb, action, await verb.plan(request), statement)
            verb, request = both(source, await seen(source))[0]
            await verb.execute(await verb.plan(request))
            with pytest.raises(asyncpg.QueryCanceledError):
                await statement


def free_ports() -> tuple[int, int]:
    """Return two ports of the loopback that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def unlike_pinned(snapshot: DatabaseSnapshot, **pinned: Any) -> list[str]:
    """Return what stands against a profile that pins this of the server that answers."""
    identity = Identity.model_validate({"postgres": {"shop": pinned}})
    reading: Reading[Any] = Reading("database:shop", 2.0, snapshot)
    return [str(finding) for finding in findings(identity, lambda source: reading)]


async def test_a_clone_or_standby_is_told_from_the_pinned_server_by_role_and_port(postgres: DebianPostgres) -> None:
    ports = free_ports()
    with postgres.serving(postgres.make(), ports[0], listen="127.0.0.1") as dsn:
        async with reading(dsn.replace(str(postgres.folder), "127.0.0.1")) as source:
            primary = (await source.read()).server
        pinned = {trait.key: trait.value for trait in primary.traits() if trait.lasts and trait.value is not None}
        assert pinned.keys() == {"system_identifier", "address", "port", "database", "role"}
        standby, where = postgres.folder / "standby", ("-h", str(postgres.folder), "-p", str(ports[0]))
        postgres.run("pg_basebackup", "-D", standby, *where, "-U", "postgres", "-R", "-X", "stream")
        with postgres.serving(standby, ports[1], listen="127.0.0.1") as dsn:
            async with reading(dsn.replace(str(postgres.folder), "127.0.0.1")) as source:
                snapshot = await source.read()
                assert snapshot.server.system_identifier == primary.system_identifier
                assert unlike_pinned(snapshot, **pinned) == [
                    f"PostgreSQL shop: port {ports[0]} expected, {ports[1]} answers",
                    "PostgreSQL shop: role primary expected, standby answers",
                ]
                await asyncio.to_thread(postgres.run, "pg_ctl", "promote", "-w", "-D", standby)
                snapshot = await source.read()
                assert unlike_pinned(snapshot, role="standby") == [
                    "PostgreSQL shop: role standby expected, primary answers"
                ]


async def test_nothing_is_signalled_on_a_standby_that_has_been_promoted(postgres: DebianPostgres) -> None:
    with postgres.serving(postgres.make()):
        standby = postgres.folder / "standby"
        postgres.run("pg_basebackup", "-D", standby, "-h", postgres.folder, "-U", "postgres", "-R", "-X", "stream")
        with postgres.serving(standby, port=5433) as dsn:
            async with reading(dsn) as source, sleeping(dsn) as statement:
                pairs = both(source, await seen(source))
                planned = [await verb.plan(request) for verb, request in pairs]
                assert planned[0].request.target.identity["server_is_standby"] is True
                await asyncio.to_thread(postgres.run, "pg_ctl", "promote", "-w", "-D", standby)
                for action, (verb, request) in zip(planned, pairs, strict=True):
                    with pytest.raises(NotSentError, match=ANOTHER):
                        await verb.plan(request)
                    with pytest.raises(NotSentError, match=ANOTHER):
                        await verb.execute(action)
                assert not statement.done()


async def test_nothing_is_signalled_after_a_restart_of_the_same_server(postgres: DebianPostgres) -> None:
    data = postgres.make()
    with postgres.serving(data) as dsn:
        async with reading(dsn) as source, sleeping(dsn):
            old = [await verb.plan(request) for verb, request in both(source, await seen(source))]
    with postgres.serving(data) as dsn:
        async with reading(dsn) as source, sleeping(dsn) as statement:
            for action, (verb, request) in zip(old, both(source, await seen(source)), strict=True):
                await refuses(verb, action, await verb.plan(request), statement)
