"""Parameters of real servers: from the value that was seen, and back."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.debian_postgres import live, version_params
from tests.tui.actions.lossy import Lossy
from tests.tui.actions.postgres.servers import as_role, connected, ended, reading, server_of
from tui.actions.action import Action, NotSentError, Phase, Risk, Sight
from tui.actions.postgres.parameter import SetParameter, left_alone, parameter_request
from tui.sandbox.blocking import BlockingSandbox
from tui.sources.errors import SourceError
from tui.sources.postgres import PostgresSource

pytestmark = live


@pytest.fixture(scope="module", params=version_params())
def dsn(request: pytest.FixtureRequest) -> Iterator[str]:
    """The superuser's DSN of a server of its own."""
    with server_of(request.param) as found:
        yield found


async def planned(source: PostgresSource, name: str, wanted: str, **changes: Any) -> Action:
    server = (await source.read()).server
    return await SetParameter(source).plan(replace(parameter_request(source.name, server, name, wanted), **changes))


async def shown(dsn: str, name: str) -> str:
    async with connected(dsn) as client:
        return str(await client.fetchval(f"SHOW {name}"))


async def test_a_value_is_set_for_everybody_and_taken_back(dsn: str) -> None:
    async with reading(dsn) as source, connected(dsn) as bystander:
        verb, before = SetParameter(source), await shown(dsn, "work_mem")
        action = await planned(source, "work_mem", "77MB")
        assert action.risk is Risk.HIGH
        assert action.preview == ("the server takes it, as 77MB",)
        assert "ALTER SYSTEM SET work_mem" in action.command
        assert (await verb.sight(action))[0] is Sight.UNCHANGED
        assert (await ended(verb, action)).phase is Phase.CONVERGED
        assert await shown(dsn, "work_mem") == "77MB"
        assert await bystander.fetchval("SHOW work_mem") == "77MB", "sessions that were there got it, too"
        assert action.inverse is not None
        assert action.inverse.wanted == {"value": None}
        back = await verb.plan(replace(action.inverse, undoes=action.id))
        assert (await ended(verb, back)).phase is Phase.CONVERGED
        assert await shown(dsn, "work_mem") == before


async def test_a_value_of_alter_systems_own_is_set_back_to_what_it_was(dsn: str) -> None:
    async with reading(dsn) as source:
        verb = SetParameter(source)
        assert (
            await ended(verb, await planned(source, "log_min_duration_statement", "250ms"))
        ).phase is Phase.CONVERGED
        action = await planned(source, "log_min_duration_statement", "1s")
        assert action.before == "log_min_duration_statement = 250ms"
        assert any("secrecy" in line for line in action.impact)
        assert (await ended(verb, action)).phase is Phase.CONVERGED
        assert action.inverse is not None
        assert action.inverse.wanted == {"value": "250"}
        await ended(verb, await verb.plan(action.inverse))
        assert await shown(dsn, "log_min_duration_statement") == "250ms"
        assert (
            await ended(verb, await planned(source, "log_min_duration_statement", "default"))
        ).phase is Phase.CONVERGED
        assert await shown(dsn, "log_min_duration_statement") == "-1"
        with pytest.raises(NotSentError, match="no value of ALTER SYSTEM's"):
            await planned(source, "log_min_duration_statement", "DEFAULT")


async def test_what_takes_a_restart_is_pending_and_said_to_be(dsn: str) -> None:
    async with reading(dsn) as source:
        verb, action = SetParameter(source), await planned(source, "max_connections", "123")
        assert "only a RESTART of the server brings it; until then it is pending" in action.impact
        look = await ended(verb, action)
        assert look.phase is Phase.CONVERGED
        assert "until the server is restarted (pending)" in look.detail
        assert await shown(dsn, "max_connections") == "100"
        again = await planned(source, "max_connections", "124")
        assert again.inverse is None
        assert action.inverse is not None
        look = await ended(verb, await verb.plan(action.inverse))
        assert look.phase is Phase.CONVERGED


@pytest.mark.parametrize(
    ("name", "wanted", "why"),
    [
        ("work_mem", "plenty", 'invalid value for parameter "work_mem"'),
        ("work_mem", "1kB", "outside the valid range"),
        ("log_statement", "sometimes", "log_statement"),
        ("no_such_parameter", "1", "no parameter no_such_parameter"),
        ("block_size", "1", "cannot be set"),
        ("archive_command", "rm -rf /", "names a program"),
        ("shared_preload_libraries", "x", "names a program"),
        ("ssl_key_file", "/tmp/x", "names a program"),
        ("primary_conninfo", "password=x", "names a program"),
        ("search_path", "a, b", "list of names"),
        ("fsync", "off", "loses the way in, or data"),
        ("work_mem = '1'; --", "1", "small letters"),
        ("unix_socket_directories", "/tmp/x", "command line|names a program"),
    ],
)
async def test_what_is_not_set_from_here_or_not_taken_is_said_before_anything_is_sent(
    dsn: str, name: str, wanted: str, why: str
) -> None:
    async def set_it(source: PostgresSource) -> None:
        await SetParameter(source).execute(await planned(source, name, wanted))

    async with reading(dsn) as source:
        with pytest.raises(NotSentError, match=why):
            await set_it(source)


async def test_a_value_stays_a_value_whatever_stands_in_it(dsn: str) -> None:
    async with reading(dsn) as source, connected(dsn) as admin:
        verb, odd = SetParameter(source), "a'; SELECT pg_sleep(9); -- \\' \\x"
        assert (await ended(verb, await planned(source, "cluster_name", odd))).phase is Phase.CONVERGED
        written = await admin.fetchval("SELECT setting FROM pg_file_settings WHERE name = 'cluster_name'")
        assert written == odd
        await ended(verb, await planned(source, "cluster_name", "DEFAULT"))
        await ended(verb, await planned(source, "log_line_prefix", "%m 'x' "))
        assert await shown(dsn, "log_line_prefix") == "%m 'x' "


async def test_who_moved_it_meanwhile_keeps_what_he_set(dsn: str) -> None:
    async with reading(dsn) as source, connected(dsn) as admin:
        verb, action = SetParameter(source), await planned(source, "random_page_cost", "1.1")
        await admin.execute("ALTER SYSTEM SET random_page_cost = 2")
        await admin.execute("SELECT pg_reload_conf()")
        while await shown(dsn, "random_page_cost") != "2":
            pass
        assert (await verb.sight(action))[0] is Sight.CHANGED
        with pytest.raises(NotSentError, match="moved on to 2"):
            await verb.execute(action)
        assert await shown(dsn, "random_page_cost") == "2"
        with pytest.raises(NotSentError, match="no longer ours to take back"):
            await planned(source, "random_page_cost", "4", seen={"value": "1.1"}, undoes="x")
        with pytest.raises(NotSentError, match="is 2 already"):
            await planned(source, "random_page_cost", "2.0")


async def test_a_role_without_the_right_is_told_the_grant(dsn: str) -> None:
    async with connected(dsn) as admin:
        await admin.execute("DROP ROLE IF EXISTS watcher")
        await admin.execute("CREATE ROLE watcher LOGIN IN ROLE pg_monitor")
    async with reading(as_role(dsn, "watcher")) as source:
        action = await planned(source, "work_mem", "99MB")
        assert "GRANT ALTER SYSTEM ON PARAMETER work_mem TO watcher" in action.permission


async def test_a_lost_answer_is_found_out_by_looking(dsn: str, tmp_path: Path) -> None:
    folder = dsn.partition("host=")[2].partition("&")[0]
    lossy = Lossy(f"{folder}/.s.PGSQL.5432", b"ALTER SYSTEM SET", answer_only=True, later=1)
    through = f"postgresql://postgres@/postgres?host={tmp_path}&port=5432"
    async with lossy.at(tmp_path / ".s.PGSQL.5432"), reading(through) as source:
        verb, action = SetParameter(source), await planned(source, "work_mem", "55MB")
        at = time.time()
        with pytest.raises(SourceError):
            await verb.execute(action)
        assert lossy.seen == 1, "it was never sent again"
        look = await verb.look(action.sent(at))
        assert look.phase is Phase.WAITING
        assert "no reload has brought it" in look.detail
    async with connected(dsn) as admin:
        await admin.execute("ALTER SYSTEM RESET work_mem")


async def test_what_stands_on_the_servers_command_line_wins_and_is_said_to(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres_admin"]) as source:
        with pytest.raises(NotSentError, match="by the command line, which wins over ALTER SYSTEM"):
            await planned(source, "max_connections", "200")


def test_secrets_programs_and_files_are_left_alone() -> None:
    for name in (
        "archive_command",
        "ssl_passphrase_command",
        "hba_file",
        "data_directory",
        "session_preload_libraries",
    ):
        assert left_alone(name)
    for name in ("work_mem", "auto_explain.log_min_duration", "log_statement", "password_encryption"):
        assert left_alone(name) == ""
