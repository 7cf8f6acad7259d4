"""PostgreSQL sessions that a scenario opens and takes with it when it ends."""

import asyncio
from pathlib import Path
from typing import Self

import asyncpg

from tui.sandbox.connections import LOST, Connection
from tui.sandbox.shop import dsn


class Sessions:
    """An async context: every session opened in it ends on the server when it is left."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._open: list[Connection] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        for task in self._tasks:
            task.cancel()
        for connection in self._open:
            connection.terminate()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def open(self, application_name: str, role: str = "app") -> Connection:
        """Open a session, of the application's role unless said otherwise."""
        # A backend that sleeps or waits for a lock would not see by itself that its client has gone.
        settings = {"application_name": application_name, "client_connection_check_interval": "300ms"}
        connection = await asyncpg.connect(dsn(self._base, role), server_settings=settings, timeout=10)
        self._open.append(connection)
        return connection

    async def begin(self, application_name: str, *statements: str) -> Connection:
        """Open a session with a transaction that has done `statements`."""
        connection = await self.open(application_name)
        await connection.execute("BEGIN")
        for statement in statements:
            await connection.execute(statement)
        return connection

    def run(self, connection: Connection, statement: str) -> asyncio.Task[None]:
        """Run a statement that waits, then commit; the task ends quietly when somebody kills it."""
        task = asyncio.create_task(_finish(connection, statement))
        self._tasks.append(task)
        return task


async def _finish(connection: Connection, statement: str) -> None:
    try:
        await connection.execute(statement)
        await connection.execute("COMMIT")
    except LOST:
        pass
    finally:
        connection.terminate()
