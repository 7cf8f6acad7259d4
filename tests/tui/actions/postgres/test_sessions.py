"""Cancelling and terminating on a real PostgreSQL: the right session, or nobody."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from profiles.systems import Database
from tests.tui.actions.lossy import Lossy
from tui.actions.action import Action, GoneError, Look, NotSentError, Phase, Request, Risk, Sight, Verb
from tui.actions.postgres.cancel import CANCEL, CancelQuery, cancel_request
from tui.actions.postgres.session import found_of
from tui.actions.postgres.terminate import (
    TERMINATE,
    TerminateBackend,
    TerminateMatching,
    matching_requests,
    terminate_request,
)
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import SourceError, Unreachable
from tui.sources.postgres.facts import DatabaseSnapshot, Server, Session
from tui.sources.postgres.source import PostgresSource

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


def as_role(sandbox: BlockingSandbox, role: str) -> str:
    return sandbox.endpoints["postgres"].replace("//opstui@", f"//{role}@")


@contextlib.asynccontextmanager
async def client(
    sandbox: BlockingSandbox, name: str, role: str = "app"
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(as_role(sandbox, role), server_settings={"application_name": name})
    try:
        yield connection
    finally:
        connection.terminate()


@pytest.fixture
async def source(sandbox: BlockingSandbox) -> AsyncIterator[PostgresSource]:
    source = PostgresSource("shop", Database(dsn=sandbox.endpoints["postgres"]))
    yield source
    await source.close()


@pytest.fixture
async def unprivileged(sandbox: BlockingSandbox, source: PostgresSource) -> AsyncIterator[PostgresSource]:
    """A source of a role that may not read the system identifier: the server's owner has taken it from everybody."""
    admin = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
    await admin.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    await source.close()
    yield source
    await admin.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
    await admin.close()


Seen = tuple[DatabaseSnapshot, Session]


async def seen(source: PostgresSource, name: str, wanted: Callable[[Session], bool] = lambda _: True) -> Seen:
    """Read until the session is there and as wanted."""
    deadline = time.monotonic() + 30
    while True:
        snapshot = await source.read()
        for session in snapshot.sessions:
            if session.application == name and wanted(session):
                return snapshot, session
        assert time.monotonic() < deadline, f"no session {name} as wanted"
        await asyncio.sleep(0.05)


def is_running(session: Session) -> bool:
    return session.state == "active"


def request(verb: str, what: Seen) -> Request:
    make = cancel_request if verb == CANCEL else terminate_request
    return make("database:shop", what[0].server, what[1])


async def ending(verb: Verb, action: Action) -> Look:
    """Execute and look until the change has converged."""
    receipt = await verb.execute(action)
    deadline = time.monotonic() + action.deadline_s
    while (look := await verb.look(action.sent(time.time()).learned(receipt))).phase is Phase.WAITING:
        assert time.monotonic() < deadline, look
        await asyncio.sleep(0.05)
    return look


async def test_the_right_query_is_cancelled_and_its_session_stays(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    verb = CancelQuery(source)
    async with client(sandbox, "sleeper") as sleeper, client(sandbox, "neighbour") as neighbour:
        sleep = asyncio.create_task(sleeper.execute("SELECT pg_sleep(60)"))
        other = asyncio.create_task(neighbour.execute("SELECT pg_sleep(60)"))
        action = await verb.plan(request(CANCEL, await seen(source, "sleeper", is_running)))
        assert action.risk is Risk.LOW
        assert action.before.endswith("SELECT pg_sleep(?)")
        assert f"SELECT pg_cancel_backend({sleeper.get_server_pid()})" in action.command
        assert action.preview[0].startswith("no preview")
        assert action.permission == ""
        assert (await verb.sight(action))[0] is Sight.UNCHANGED
        assert (await ending(verb, action)).phase is Phase.CONVERGED
        with pytest.raises(asyncpg.QueryCanceledError):
            await sleep
        assert await sleeper.fetchval("SELECT 1") == 1
        assert not other.done()
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)


async def test_a_query_that_has_finished_meanwhile_is_not_cancelled_nor_the_next_one(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    verb = CancelQuery(source)
    async with client(sandbox, "next") as other:
        first = asyncio.create_task(other.execute("SELECT pg_sleep(0.3)"))
        wanted = request(CANCEL, await seen(source, "next", is_running))
        action = await verb.plan(wanted)
        await first
        with pytest.raises(NotSentError, match="statement has finished; the session is now idle"):
            await verb.execute(action)
        second = asyncio.create_task(other.fetchval("SELECT pg_sleep(0.5)::text || 'done'"))
        await seen(source, "next", is_running)
        assert (await verb.sight(action))[0] is Sight.CHANGED
        with pytest.raises(NotSentError, match="statement has finished; the session is now active"):
            await verb.execute(action)
        with pytest.raises(NotSentError, match="statement has finished"):
            await verb.plan(wanted)
        assert await second == "done"


async def test_a_role_that_may_not_read_the_system_identifier_signals_by_the_rest(
    sandbox: BlockingSandbox, unprivileged: PostgresSource
) -> None:
    async with client(sandbox, "plain") as other:
        sleep = asyncio.create_task(other.execute("SELECT pg_sleep(60)"))
        what = await seen(unprivileged, "plain", is_running)
        assert what[0].server.system_identifier is None
        assert "GRANT EXECUTE ON FUNCTION pg_control_system() TO opstui" in what[0].server.no_system_identifier
        verb, ender = CancelQuery(unprivileged), TerminateBackend(unprivileged)
        action = await verb.plan(request(CANCEL, what))
        elsewhere = replace(found_of(action), server=(*found_of(action).server[:3], "10.0.0.9", 5432, None))
        with pytest.raises(NotSentError):
            await verb.execute(replace(action, payload=elsewhere))
        assert not sleep.done()
        assert (await ending(verb, action)).phase is Phase.CONVERGED
        with pytest.raises(asyncpg.QueryCanceledError):
            await sleep
        what = await seen(unprivileged, "plain", lambda session: not is_running(session))
        assert (await ending(ender, await ender.plan(request(TERMINATE, what)))).phase is Phase.CONVERGED


async def test_nothing_is_signalled_once_the_right_to_compare_the_system_identifier_is_lost(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    async with client(sandbox, "revoked") as other:
        what = await seen(source, "revoked")
        verb = TerminateBackend(source)
        action = await verb.plan(request(TERMINATE, what))
        admin = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
        await admin.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        try:
            with pytest.raises(NotSentError, match="permission denied for function pg_control_system"):
                await verb.execute(action)
        finally:
            await admin.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
            await admin.close()
        assert await other.fetchval("SELECT 1") == 1


async def test_a_pid_that_belongs_to_another_session_now_is_left_alone(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    async with client(sandbox, "reused") as other:
        snapshot, session = await seen(source, "reused")
        assert session.backend_start is not None
        earlier = replace(session, backend_start=session.backend_start.replace(year=2001))
        verb = TerminateBackend(source)
        with pytest.raises(NotSentError, match="its pid now belongs to another session"):
            await verb.plan(request(TERMINATE, (snapshot, earlier)))
        action = await verb.plan(request(TERMINATE, (snapshot, session)))
        stale = replace(action, payload=replace(action.payload, backend_start=earlier.backend_start))  # type: ignore[type-var] # the verb's own payload
        with pytest.raises(NotSentError):
            await verb.execute(stale)
        assert await other.fetchval("SELECT 1") == 1


async def test_another_server_than_the_one_seen_is_not_touched(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    async with client(sandbox, "cloned") as other:
        snapshot, session = await seen(source, "cloned")
        verb = TerminateBackend(source)
        for change in (
            {"is_standby": True},
            {"address": "10.0.0.9"},
            {"database": "orders"},
            {"system_identifier": 1},
        ):
            elsewhere = replace(snapshot, server=replace(snapshot.server, **change))
            with pytest.raises(NotSentError, match="another server answers"):
                await verb.plan(request(TERMINATE, (elsewhere, session)))
        action = await verb.plan(request(TERMINATE, (snapshot, session)))
        *server, system_identifier = found_of(action).server
        assert system_identifier == snapshot.server.system_identifier is not None
        for answering in ((*server, system_identifier + 1), (server[0], server[1], True, *server[3:], None)):
            payload = replace(found_of(action), server=answering)
            with pytest.raises(NotSentError):
                await verb.execute(replace(action, payload=payload))
        assert await other.fetchval("SELECT 1") == 1


async def test_terminating_the_idle_root_frees_everybody_behind_it_where_cancelling_would_not(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    update = "UPDATE products SET updated_at = now() WHERE id = 7"
    async with contextlib.AsyncExitStack() as stack:
        root, *waiters = [
            await stack.enter_async_context(client(sandbox, name)) for name in ("idle-root", "w1", "w2", "w3")
        ]
        await root.execute(f"BEGIN; {update}")
        waiting = [asyncio.create_task(waiter.execute(update)) for waiter in waiters]
        deadline = time.monotonic() + 30
        while (await source.read()).waiting < 3:
            assert time.monotonic() < deadline
        found = await seen(source, "idle-root")
        with pytest.raises(NotSentError, match="cancelling does nothing; terminate the session instead"):
            await CancelQuery(source).plan(request(CANCEL, found))
        verb = TerminateBackend(source)
        action = await verb.plan(request(TERMINATE, found))
        assert action.risk is Risk.MEDIUM
        assert any(line.startswith("3 sessions wait on it") for line in action.impact)
        look = await ending(verb, action)
        assert look.phase is Phase.CONVERGED
        await asyncio.gather(*waiting)
        assert "waiters before 3 → now 0" in (await verb.look(action.sent(time.time()))).detail
        assert (await source.read()).waiting == 0
        with pytest.raises(NotSentError, match="is gone"):
            await verb.execute(action)


async def test_a_role_without_the_right_is_told_which_grant_it_lacks(sandbox: BlockingSandbox) -> None:
    viewer = PostgresSource("shop", Database(dsn=as_role(sandbox, "viewer")))
    async with client(sandbox, "admin", "postgres") as admin, client(sandbox, "protected") as other:
        await admin.execute("CREATE ROLE viewer LOGIN IN ROLE pg_monitor")
        try:
            found = await seen(viewer, "protected")
            action = await TerminateBackend(viewer).plan(request(TERMINATE, found))
            assert "GRANT pg_signal_backend TO viewer" in action.permission
            with pytest.raises(NotSentError, match=r"permission denied to terminate process|must be a member"):
                await TerminateBackend(viewer).execute(action)
            assert await other.fetchval("SELECT 1") == 1
        finally:
            await viewer.close()
            await admin.execute("DROP ROLE viewer")


async def test_a_superusers_session_is_not_ours_to_end(sandbox: BlockingSandbox, source: PostgresSource) -> None:
    async with client(sandbox, "dba", "postgres"):
        action = await TerminateBackend(source).plan(request(TERMINATE, await seen(source, "dba")))
        assert action.risk is Risk.HIGH
        assert "only a superuser" in action.permission


async def test_the_servers_own_processes_are_refused(source: PostgresSource) -> None:
    snapshot = await source.read()
    (walwriter,) = [session for session in snapshot.sessions if session.backend_type == "walwriter"]
    with pytest.raises(NotSentError, match="walwriter"):
        await TerminateBackend(source).plan(request(TERMINATE, (snapshot, walwriter)))


async def test_a_stopped_server_ends_planning_in_time_and_nothing_is_sent_to_it(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    async with client(sandbox, "frozen-with") as other:
        verb = TerminateBackend(source)
        wanted = request(TERMINATE, await seen(source, "frozen-with"))
        action = await verb.plan(wanted)
        with sandbox.frozen("postgres"):
            began = time.monotonic()
            results = await asyncio.gather(verb.plan(wanted), verb.execute(action), return_exceptions=True)
            assert isinstance(results[0], Unreachable)
            assert isinstance(results[1], NotSentError)
            assert time.monotonic() - began < 6
        assert await other.fetchval("SELECT 1") == 1


@pytest.mark.parametrize("answer_only", [False, True], ids=["request lost", "answer lost"])
async def test_a_connection_lost_after_sending_is_unknown_never_sent_again_and_looking_tells(
    sandbox: BlockingSandbox, tmp_path: Path, answer_only: bool
) -> None:
    folder = sandbox.endpoints["postgres"].partition("host=")[2].partition("&")[0]
    # A statement is parsed first and run by the next request.
    lossy = Lossy(f"{folder}/.s.PGSQL.5432", b"pg_terminate_backend(a.pid)", answer_only=answer_only, later=1)
    through = PostgresSource("shop", Database(dsn=sandbox.endpoints["postgres"].replace(folder, str(tmp_path))))
    async with client(sandbox, "cut-off") as other, lossy.at(tmp_path / ".s.PGSQL.5432"):
        verb = TerminateBackend(through)
        action = await verb.plan(request(TERMINATE, await seen(through, "cut-off")))
        with pytest.raises(SourceError):
            await verb.execute(action)
        assert lossy.seen == 1
        look = await verb.look(action.sent(time.time()))
        if answer_only:
            assert (look.phase, look.detail) == (Phase.CONVERGED, f"backend {action.request.target.name} is gone")
        else:
            assert look.phase is Phase.WAITING
            assert await other.fetchval("SELECT 1") == 1
        await through.close()


async def test_sessions_idle_for_too_long_are_ended_and_one_that_became_busy_is_left_alone(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        idle, busy, young = [
            await stack.enter_async_context(client(sandbox, name)) for name in ("left-idle", "busy-again", "young")
        ]
        async with asyncio.timeout(30):
            while True:
                snapshot = await source.read()
                ours = [s for s in snapshot.sessions if s.application in ("left-idle", "busy-again")]
                if len(ours) == 2 and all(s.state == "idle" and (s.state_s or 0) > 0.5 for s in ours):
                    break
                await asyncio.sleep(0.05)
        await young.execute("SELECT 1")
        wanted = {
            one.target.identity["pid"]: one
            for one in matching_requests("database:shop", snapshot.server, ours, "idle", 0.4)
        }
        assert set(wanted) == {idle.get_server_pid(), busy.get_server_pid()}
        verb = TerminateMatching(source)
        first, second = [await verb.plan(wanted[one.get_server_pid()]) for one in (idle, busy)]
        running = asyncio.create_task(busy.fetchval("SELECT pg_sleep(0.5)::text || 'done'"))
        await seen(source, "busy-again", is_running)
        assert (await ending(verb, first)).phase is Phase.CONVERGED
        assert (await verb.sight(second))[0] is Sight.GONE
        with pytest.raises(GoneError, match="left alone: it is no longer idle"):
            await verb.execute(second)
        assert await running == "done"
        with pytest.raises(GoneError, match=r"left alone: it is no longer idle for 0\.4 s"):
            await verb.plan(wanted[busy.get_server_pid()])


def test_only_clients_sessions_match_and_never_our_own() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)

    def one(pid: int, state_s: float, **changes: Any) -> Session:
        fields: dict[str, Any] = {
            "pid": pid, "backend_start": now, "backend_type": "client backend", "database": "shop", "role": "app",
            "application": "web", "client": "local", "state": "idle", "wait_event_type": None, "wait_event": None,
            "query": "", "state_s": state_s, "query_s": state_s + 100,
        }  # fmt: skip
        return Session(**{**fields, **changes})

    server = Server("PostgreSQL 18", 18, False, now, None, None, "shop", "opstui", False, True, True)
    sessions = [
        one(1, 4000), one(2, 100), one(3, 9000), one(4, 9000, application="opstui"),
        one(5, 9000, backend_type="walsender"), one(6, 9000, backend_type=None), one(7, 9000, state="active"),
    ]  # fmt: skip
    idle = matching_requests("database:shop", server, sessions, "idle", 3600)
    assert [request.target.name for request in idle] == ["3", "1"]
    active = matching_requests("database:shop", server, sessions, "active", 600)
    assert [request.target.name for request in active] == ["7"]


async def test_replication_is_ended_only_at_the_highest_level_with_the_reason(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    dsn = as_role(sandbox, "postgres")
    sender = await asyncpg.connect(dsn, server_settings={"application_name": "standby-2", "replication": "database"})
    try:
        verb = TerminateBackend(source)
        snapshot, session = await seen(source, "standby-2")
        assert session.backend_type == "walsender"
        action = await verb.plan(request(TERMINATE, (snapshot, session)))
        assert (action.risk, "replica" in action.risk_reason) == (Risk.HIGH, True)
    finally:
        sender.terminate()


async def test_our_own_session_is_ended_only_at_the_highest_level(
    sandbox: BlockingSandbox, source: PostgresSource
) -> None:
    async with client(sandbox, "opstui", "opstui"):
        action = await TerminateBackend(source).plan(request(TERMINATE, await seen(source, "opstui")))
        assert (action.risk, "an opstui" in action.risk_reason) == (Risk.HIGH, True)
