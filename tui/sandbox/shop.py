"""The `shop` database: roles, tables and rows."""

from pathlib import Path

import asyncpg

from tui.sandbox.errors import SandboxError


def dsn(base: Path, role: str, database: str = "shop") -> str:
    """Return the URL of a database on the sandbox's socket."""
    return f"postgresql://{role}@/{database}?host={base}&port=5432"


async def make_shop(base: Path) -> str:
    """Create roles and the `shop` database; return the server's version.

    Roles: `app` and `reporting` (the load), `opstui` (member of pg_monitor, pg_signal_backend and pg_read_all_data, no
    superuser), `postgres` (superuser).
    """
    try:
        connection = await asyncpg.connect(dsn(base, "postgres", "postgres"))
        try:
            for statement in (
                "CREATE ROLE app LOGIN",
                "CREATE ROLE reporting LOGIN",
                "CREATE ROLE opstui LOGIN",
                "GRANT pg_monitor, pg_signal_backend, pg_read_all_data TO opstui",
                "CREATE DATABASE shop STRATEGY wal_log",
            ):
                await connection.execute(statement)
            version = str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close()
        connection = await asyncpg.connect(dsn(base, "postgres"))
        try:
            await connection.execute(Path(__file__).with_name("shop.sql").read_text())
            await connection.execute("SELECT pg_stat_statements_reset()")  # the making is not the shop's load
        finally:
            await connection.close()
    except (asyncpg.PostgresError, OSError) as error:
        raise SandboxError(f"the shop database could not be made: {error}") from error
    return version
