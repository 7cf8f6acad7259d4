"""The load's connections: they come back after whatever an operator does to them."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable
from typing import TypeAlias

import asyncpg
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What a PostgreSQL connection fails with when it was killed, stopped or refused."""
REDIS_LOST = (RedisError, OSError, TimeoutError)
"""The same for Redis."""

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 8.0
STATEMENT_S = 3.0
"""An application gives up waiting for an answer after this time and drops the connection."""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class AppConnection:
    """One session of the application, opened on first use and again after it was lost."""

    def __init__(self, dsn: str, application_name: str) -> None:
        self.application_name = application_name
        self._dsn = dsn
        self._connection: Connection | None = None
        self._wait_s = 0.0
        self._lock = asyncio.Lock()

    @property
    def is_busy(self) -> bool:
        """Whether somebody is using it now."""
        return self._lock.locked()

    @contextlib.asynccontextmanager
    async def use(self, statement_s: float = STATEMENT_S) -> AsyncIterator[Connection]:
        """Lend the session to one user at a time; it survives a cancelled query, but no delay over `statement_s`.

        Raises:
            asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError: see `LOST`.
        """
        async with self._lock:
            connection = await self._open()
            try:
                async with asyncio.timeout(statement_s):
                    yield connection
            except asyncpg.PostgresError:
                if connection.is_closed():
                    self.drop()
                raise
            except BaseException:
                self.drop()
                raise

    async def _open(self) -> Connection:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        await asyncio.sleep(self._wait_s * random.uniform(0.5, 1))
        self._wait_s = min(_LONGEST_WAIT_S, self._wait_s * 2 or _FIRST_WAIT_S)
        settings = {"application_name": self.application_name}
        async with asyncio.timeout(STATEMENT_S):
            self._connection = await asyncpg.connect(self._dsn, server_settings=settings)
        self._wait_s = 0.0
        return self._connection

    def drop(self) -> None:
        """Close the session without a word to the server."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None


def redis_client(path: str, name: str, timeout_s: float | None = 3.0) -> "Redis":
    """Return a client that CLIENT LIST shows as `name`; it connects anew for the next command when lost."""
    return Redis(
        unix_socket_path=path,
        client_name=name,
        socket_timeout=timeout_s,
        socket_connect_timeout=3.0,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=True,
        decode_responses=True,
    )


async def close(subscription: PubSub) -> None:
    """Close a subscription's connection."""
    closing: Awaitable[None] = subscription.aclose()  # type: ignore[no-untyped-call]  # redis-py annotates it not
    await closing
