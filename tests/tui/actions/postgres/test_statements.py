"""pg_stat_statements on real servers: enabled step by step, and reset."""

from pathlib import Path

import pytest

from tests.debian_postgres import debian_postgres, live, version_params
from tests.tui.actions.postgres.servers import as_role, connected, ended, reading
from tui.actions.action import NotSentError, Phase, Risk, Sight
from tui.actions.postgres.statements_enable import EnableStatements, enable_request
from tui.actions.postgres.statements_reset import ResetStatements, reset_request
from tui.sandbox.blocking import BlockingSandbox

pytestmark = live


@pytest.fixture(params=version_params())
def programs(request: pytest.FixtureRequest) -> Path:
    """A version's programs."""
    return Path(request.param)


async def test_statements_are_counted_after_the_steps_and_a_restart_and_then_begun_anew(programs: Path) -> None:
    with debian_postgres(programs) as postgres:
        data = postgres.made()
        with postgres.serving(data) as dsn:
            async with reading(dsn) as source:
                snapshot = await source.read()
                assert "CREATE EXTENSION" in snapshot.missing["statements"]
                verb = EnableStatements(source)
                action = await verb.plan(enable_request(source.name, snapshot.server))
                assert action.risk is Risk.HIGH
                assert "a RESTART must follow, which opstui does not do" in action.impact
                assert (await verb.sight(action))[0] is Sight.UNCHANGED
                look = await ended(verb, action)
                assert look.phase is Phase.CONVERGED
                assert "once the server is restarted" in look.detail
                assert "shared_preload_libraries" in (await source.read()).missing["statements"], "told by itself"
                with pytest.raises(NotSentError, match="waits for a restart already"):
                    await verb.plan(enable_request(source.name, snapshot.server))
        with postgres.serving(data) as dsn:
            async with reading(dsn) as source, connected(dsn) as admin:
                snapshot = await source.read()
                assert "statements" not in snapshot.missing
                enable = EnableStatements(source)
                with pytest.raises(NotSentError, match="counts already"):
                    await enable.plan(enable_request(source.name, snapshot.server))
                for _ in range(7):
                    await admin.fetchval("SELECT count(*) FROM pg_class")
                reset = ResetStatements(source)
                action = await reset.plan(reset_request(source.name, snapshot.server))
                assert (await reset.sight(action))[0] is Sight.UNCHANGED
                assert (await ended(reset, action)).phase is Phase.CONVERGED
                assert (await reset.sight(action))[0] is Sight.CHANGED
                counted = "SELECT count(*) FROM pg_stat_statements WHERE query = 'SELECT count(*) FROM pg_class'"
                assert await admin.fetchval(counted) == 0
                # The server that was seen and the one that answers are compared in the very statement.
                stale = await reset.plan(reset_request(source.name, snapshot.server))
                stale.request.target.identity["server_database"] = "other"  # type: ignore[index]
                with pytest.raises(NotSentError, match="another server answers"):
                    await reset.execute(stale)


async def test_libraries_that_somebody_else_has_just_written_are_not_overwritten(programs: Path) -> None:
    with debian_postgres(programs) as postgres, postgres.serving(postgres.made()) as dsn:
        async with reading(dsn) as source, connected(dsn) as admin:
            await admin.execute("CREATE EXTENSION pg_stat_statements")
            await admin.execute("ALTER SYSTEM SET shared_preload_libraries = 'auto_explain'")
            with pytest.raises(NotSentError, match="which no reload has brought yet"):
                await EnableStatements(source).plan(enable_request(source.name, (await source.read()).server))


async def test_roles_without_the_right_are_told_it(sandbox: BlockingSandbox) -> None:
    async with reading(sandbox.endpoints["postgres"]) as source:
        server = (await source.read()).server
        action = await ResetStatements(source).plan(reset_request(source.name, server))
        assert "GRANT EXECUTE ON FUNCTION public.pg_stat_statements_reset TO opstui" in action.permission
        request = enable_request(source.name, server)
        assert "only a superuser" in EnableStatements(source).forbidden(request)
    admin = sandbox.endpoints["postgres_admin"]
    async with reading(as_role(admin, "postgres")) as source:
        server = (await source.read()).server
        assert EnableStatements(source).forbidden(enable_request(source.name, server)) == ""
