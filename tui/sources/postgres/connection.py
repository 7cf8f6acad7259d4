"""One connection that cannot do harm: read only, short timeouts, never in anybody's way."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from profiles import secrets
from profiles.systems import Database
from tui.sources.errors import Denied, Unreadable
from tui.sources.forward import Forward
from tui.sources.postgres import dsn as dsns
from tui.sources.postgres import queries, words
from tui.sources.postgres.tls import mode_of, tls_of

if TYPE_CHECKING:
    import asyncpg

    AsyncpgConnection = asyncpg.Connection[asyncpg.Record]
    Record = asyncpg.Record

READING: Final[Mapping[str, str]] = {
    "default_transaction_read_only": "on",
    "statement_timeout": "3s",
    # pg_*_size and friends would otherwise queue behind a waiting DDL, and everybody else behind us.
    "lock_timeout": "200ms",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",
    # Nobody's function of the same name can take the place of the server's.
    "search_path": "pg_catalog",
}
"""Settings of a session that reads."""

_IN_A_TRANSACTION: Final = {name: value for name, value in READING.items() if name != "default_transaction_read_only"}
SOCKET: Final = ".s.PGSQL.5432"
"""What the file of a server's socket is called; a forward's too."""
FORWARDED_PORT: Final = 5432
"""Port of 127.0.0.1 in the command by hand that forwards to a pod."""
BRIEF_S: Final = 1
"""Seconds that a query which may turn out dear is given."""

# The right to call it is checked when a statement begins: a CASE on has_function_privilege would not spare the error.
SYSTEM_IDENTIFIER: Final = "(SELECT system_identifier FROM pg_control_system())"


@dataclass(slots=True, eq=False)
class Link:
    """A connection to the server, or to a pooler in front of it."""

    connection: "AsyncpgConnection"
    is_pooled: bool
    major: int
    dsn: dsns.Dsn

    async def begin(self) -> None:
        """Open a read-only transaction; behind a pooler with the settings the startup packet could not carry."""
        settings = "".join(f"; SET LOCAL {name} = '{value}'" for name, value in _IN_A_TRANSACTION.items())
        await self.connection.execute("BEGIN READ ONLY" + (settings if self.is_pooled else ""))

    async def end(self, *, commit: bool = True) -> None:
        """Close the transaction."""
        await self.connection.execute("COMMIT" if commit else "ROLLBACK")

    async def fetch(self, name: str, *values: Any, asks_system: bool = False) -> "list[Record]":
        """Run a query of `tui/sources/sql` that fits this server.

        `asks_system` tells whether its `{system_identifier}` is the server's own, or NULL for a role that may not ask.
        """
        sql = queries.query(name, self.major).replace(
            "{system_identifier}", SYSTEM_IDENTIFIER if asks_system else "NULL::bigint"
        )
        return await self.connection.fetch(sql, *values)

    async def fetch_briefly(self, sql: str) -> "list[Record]":
        """Run a statement that may turn out dear in the open transaction: it ends after a second.

        Raises:
            asyncpg.QueryCanceledError: it took longer; the transaction is lost.
        """
        limit = f"SET LOCAL {queries.OWN_MARK} statement_timeout = "
        await self.connection.execute(f"{limit}'{BRIEF_S}s'")
        found = await self.connection.fetch(sql)
        await self.connection.execute(f"{limit}'{READING['statement_timeout']}'")
        return found

    def drop(self) -> None:
        """Close without a word: `close()` would wait for a dead peer."""
        if not self.connection.is_closed():
            self.connection.terminate()


async def describe(entry: Database) -> dsns.Dsn:
    """Return where a profile's entry leads.

    Raises:
        Unreadable: the dsn is wrong or names an unknown service.
        Denied: the dsn is a reference that cannot be resolved.
    """
    try:
        # In a thread: a service file may lie in a home on a file server that hangs.
        return await asyncio.to_thread(dsns.parse, await secrets.address(entry.dsn))
    except secrets.SecretError as error:
        raise Denied(str(error)) from error


async def connect(
    entry: Database,
    application: str,
    *,
    settings: Mapping[str, str] = READING,
    database: str | None = None,
    forward: Forward | None = None,
) -> Link:
    """Open a connection named `application`.

    Args:
        entry: where it leads.
        application: `application_name`.
        settings: what holds in its session, unless a pooler refuses it; read only and without harm by default.
        database: another database of the same server.
        forward: leads to the pod it is behind.

    Raises:
        SourceError: nobody answered, or refused us; in words, with a remedy.
    """
    where = await describe(entry)
    if database is not None:
        where = replace(where, options={**where.options, "dbname": database})
    if forward is None and entry.via is None:
        return await _connected(entry, where, application, settings)
    if forward is None:
        raise Unreadable("it is behind a pod, and no cluster leads there")
    # On a Unix socket asyncpg, as libpq, leaves TLS away: where it is promised, it is spoken behind that socket.
    mode = mode_of(where.options)
    tls = await asyncio.to_thread(tls_of, where.options, mode, forward.where) if mode else None
    where = where.behind(str(await forward.open(tls)), forward.by_hand(FORWARDED_PORT), forward.where)
    with forward.reasons():
        return await _connected(entry, where, application, settings)


async def _connected(entry: Database, where: dsns.Dsn, application: str, settings: Mapping[str, str]) -> Link:
    try:
        password = await secrets.resolve(entry.password) if entry.password is not None else None
    except secrets.SecretError as error:
        raise Denied(str(error)) from error
    await words.load_asyncpg()
    with words.translated(where.place):
        link = await _direct(where, password, {"application_name": application, **settings})
        if link is not None and not await _is_pooled(link):
            return link
        if link is not None:
            link.drop()
        return Link(*await _open(where, password, {"application_name": application}, is_pooled=True), where)


async def _direct(where: dsns.Dsn, password: str | None, settings: dict[str, str]) -> Link | None:
    """Return a connection with our settings in its startup packet; None when a pooler refuses them."""
    import asyncpg

    try:
        return Link(*await _open(where, password, settings, is_pooled=False), where)
    except asyncpg.ProtocolViolationError as error:
        if "startup parameter" in str(error):
            return None
        raise


async def _is_pooled(link: Link) -> bool:
    # A pooler told to ignore our settings takes them silently; it cannot know the server's pid, though.
    pid = await link.connection.fetchval("SELECT pg_backend_pid()")
    return bool(pid != link.connection.get_server_pid())


async def _open(
    where: dsns.Dsn, password: str | None, settings: dict[str, str], *, is_pooled: bool
) -> "tuple[AsyncpgConnection, bool, int]":
    import asyncpg

    options = where.options
    arguments: dict[str, Any] = {
        "host": where.hosts or None,
        "port": where.ports or None,
        "user": options.get("user"),
        "database": options.get("dbname"),
        "password": password if password is not None else options.get("password"),
        "passfile": options.get("passfile"),
        # Prepared statements belong to a server session; behind a pooler that is somebody else's the next moment.
        "statement_cache_size": 0 if is_pooled else 100,
        "timeout": where.connect_timeout_s,
        "server_settings": settings,
    }
    url = where.tls_url
    if options.get("sslrootcert") == "system":
        arguments["ssl"] = ssl.create_default_context()
        url = dsns.Dsn({key: value for key, value in options.items() if key not in ("sslrootcert", "sslmode")}).tls_url
    if url != "postgresql://?":
        arguments["dsn"] = url
    async with asyncio.timeout(where.connect_timeout_s):
        connection = await asyncpg.connect(**arguments)
    return connection, is_pooled, connection.get_server_version().major
