"""One connection to a Redis or Valkey server, and its failures in words. The only file that imports the client.

The connection is used bare, without redis-py's pool: nothing is ever sent twice, and replies come as the server sent
them. No database is selected before something depends on one: SELECT may be forbidden.
"""

import asyncio
import contextlib
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from profiles.secrets import SecretError, address, resolve
from profiles.sentinel import is_sentinel, sentinels_of
from profiles.systems import RedisInstance
from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.forward import Forward
from tui.sources.text import clean
from tui.sources.tls_socket import Tls

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection
    from redis.exceptions import ResponseError

CLIENT_NAME: Final = "opstui"
"""What the connection that reads calls itself."""
ACTION_NAME: Final = "opstui-action"
"""What a connection that changes something calls itself."""
SAMPLER_NAME: Final = "opstui-sampler"
"""What the connection that walks over the keys calls itself."""
SOCKET: Final = "redis.sock"
"""What the file of a forward's socket is called."""
FORWARDED_PORT: Final = 6379
"""Port of 127.0.0.1 in the command by hand that forwards to a pod."""
CONNECT_TIMEOUT_S: Final = 3.0
REPLY_TIMEOUT_S: Final = 2.0

_RENEWED_EVERY: Final = 20
"""Replies after which the time for the next ones begins anew."""

Command = tuple[str | int | bytes, ...]

_STOPPED: Final = "it may be stopped (SIGSTOP), swapping, or busy with one long command: look at its process"
_LIBRARY_WORDS: Final = re.compile(r"^Error [-\w]+ (?:connecting to \S+|while \w+ \w+ socket)\.? *")
_TRANSIENT: Final = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK")
_TRANSIENT_ERRORS: Final = ("MasterDownError", "ClusterDownError", "TryAgainError", "MovedError", "AskError")
"""The same as the client library names them: it takes the first word away."""


class RefusedError(Exception):
    """The server answered one command with an error; the text is the reason, with the ACL that helps."""

    def __init__(self, reason: str, *, is_lasting: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_lasting = is_lasting
        """Whether the same command on the same connection would be refused again."""


class RedisConnection:
    """An open connection that sends pipelines of commands."""

    def __init__(self, connection: "AbstractConnection", where: str, user: str, db: int = 0) -> None:
        self._connection = connection
        self.db = db
        """The database that the url names; none is selected before `select`."""
        self._selected = 0
        self.address = where
        """`host:port` or the socket's path."""
        self.user = user
        """The ACL user; `default` when none was given."""
        self.id: int | None = None
        """CLIENT ID; None before Redis 5 or when refused."""
        self.leaves_idle_times = False
        """Whether CLIENT NO-TOUCH holds (7.2+): reading a key's length then does not make it look used."""
        self._asking = asyncio.Lock()
        """Replies come in the order of the questions: two who ask at once would read each other's."""

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send all commands at once and return their replies; a refused command's reply is a `RefusedError`.

        After any other failure, and after a cancellation, the connection is closed.

        Raises:
            SourceError: the connection is gone, nobody answered in time, or the server is busy with a script.
        """
        async with self._asking:
            return await self._ask(commands)

    async def _ask(self, commands: Sequence[Command]) -> list[Any]:
        from redis.exceptions import RedisError, ResponseError

        connection, replies = self._connection, []
        try:
            # One timer for sending and for many replies: one for each costs as much as reading it.
            async with asyncio.timeout(REPLY_TIMEOUT_S) as limit:
                # An explicit False: sending must never make redis-py connect again behind our back.
                await connection.send_packed_command([packed(commands)], check_health=False)
                for place, command in enumerate(commands):
                    if place % _RENEWED_EVERY == 0:
                        limit.reschedule(asyncio.get_running_loop().time() + REPLY_TIMEOUT_S)
                    try:
                        replies.append(await connection.read_response(disable_decoding=True, timeout=math.inf))
                    except ResponseError as error:
                        replies.append(self._refused(command, error))
        except (RedisError, OSError) as error:
            await self.close()
            raise translated(error, self.address) from error
        except BaseException:
            # Cancelled with replies still to come: whoever asked next would read them as its own.
            await self.close()
            raise
        return replies

    async def select(self, db: int) -> None:
        """Choose the database that what follows is about.

        Raises:
            Denied: the server refuses.
            SourceError: the connection is gone.
        """
        if db != self._selected:
            (reply,) = await self.ask([("SELECT", db)])
            if isinstance(reply, RefusedError):
                raise Denied(f"SELECT {db} is {reply.reason}")
            self._selected = db

    def _refused(self, command: Command, error: "ResponseError") -> RefusedError:
        from redis.exceptions import NoPermissionError

        said = words(error)
        if said.upper().startswith("BUSY"):
            raise error
        lower = said.lower()
        if isinstance(error, NoPermissionError) and ("access a key" in lower or "access one of the keys" in lower):
            return RefusedError(f"not permitted for user {self.user}: ~ with a pattern of this key", is_lasting=False)
        if isinstance(error, NoPermissionError):
            return RefusedError(f"not permitted for user {self.user}: {acl_rule(command)}", is_lasting=True)
        if "unknown command" in lower or "unknown subcommand" in lower:
            return RefusedError("not offered by this server", is_lasting=True)
        if "syntax error" in lower or "wrong number of arguments" in lower:
            return RefusedError("not understood by this version", is_lasting=True)
        transient = type(error).__name__ in _TRANSIENT_ERRORS
        return RefusedError(said, is_lasting=not (transient or said.startswith(_TRANSIENT)))

    async def close(self) -> None:
        """Drop the connection without waiting for the peer."""
        await self._connection.disconnect(nowait=True)


def packed(commands: Sequence[Command]) -> bytes:
    """Return commands as the protocol has them: an array of byte strings each."""
    parts: list[bytes] = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for argument in command:
            raw = argument if isinstance(argument, bytes) else str(argument).encode("utf-8", "surrogateescape")
            parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def acl_rule(command: Command) -> str:
    """Return the ACL rule that permits a command: `+info`, `+client|list`."""
    name = str(command[0]).lower()
    has_subcommand = name in ("acl", "client", "cluster", "config", "latency", "memory", "slowlog")
    return f"+{name}|{str(command[1]).lower()}" if has_subcommand and len(command) > 1 else f"+{name}"


def words(error: BaseException) -> str:
    """Return an error's text, cleaned; what an unknown command's arguments were is left out: one may be a password."""
    return clean(str(error).split(", with args", 1)[0], limit=300) or type(error).__name__


async def connect(entry: RedisInstance, name: str = CLIENT_NAME, forward: Forward | None = None) -> RedisConnection:
    """Open a connection as the profile says, called `name`, with protocol 3 or, where HELLO is not offered, 2.

    Raises:
        SourceError: nobody answered, the credentials were refused, or the url cannot be read.
    """
    if forward is None and entry.via is not None:
        raise Unreadable("it is behind a pod, and no cluster leads there")
    if forward is not None and is_sentinel(entry.url):
        raise Unreadable("sentinels are not asked through a pod", "redis://, with via: the master's own service")
    try:
        settings = await _settings(entry)
    except SecretError as error:
        raise Denied(str(error), "see redis: in the profile") from error
    if forward is None:
        where = address_of(settings)
        return await _introduced(await _spoken_to(settings, where, str(settings.get("username") or "default")), name)
    tls = await asyncio.to_thread(_tls_of, settings, forward.where) if settings["scheme"] == "rediss" else None
    settings = {key: settings[key] for key in ("username", "password", "db") if key in settings}
    settings |= {"scheme": "unix", "path": str(await forward.open(tls) / SOCKET)}
    with forward.reasons():
        user = str(settings.get("username") or "default")
        return await _introduced(await _spoken_to(settings, forward.where, user), name)


def _tls_of(settings: dict[str, Any], where: str) -> Tls:
    """Return how TLS is spoken behind a forward's socket: as to the url's own host.

    Raises:
        Unreadable: a certificate or key cannot be used.
    """
    from redis.asyncio.connection import SSLConnection

    host = str(settings.get("host") or "localhost")
    options = {name: value for name, value in settings.items() if name.startswith("ssl_")}
    try:
        # A password in any case: without one OpenSSL would ask the terminal, under the screen.
        context = SSLConnection(host=host, **{"ssl_password": "", **options}).ssl_context.get()
    except (OSError, ValueError) as error:
        reason = clean(str(getattr(error, "strerror", "") or error), limit=200)
        raise Unreadable(f"a certificate or key of the url cannot be used: {reason}", "see ca_file:") from error
    return Tls(context, host, lambda error: translated(error, where))


async def _spoken_to(settings: dict[str, Any], where: str, user: str) -> RedisConnection:
    """Open a connection with protocol 3 or, where HELLO is not offered, 2. Raises SourceError."""
    from redis.exceptions import ResponseError

    db = int(settings.pop("db", 0))
    try:
        opened = await _open(settings, where, protocol=3)
    except ResponseError as error:
        if "unknown command" not in str(error).lower() and "no permissions" not in str(error).lower():
            raise translated(error, where) from None
        try:
            opened = await _open(settings, where, protocol=2)
        except ResponseError as second:
            raise translated(second, where) from None
    return RedisConnection(opened, where, user, db)


async def _introduced(connection: RedisConnection, name: str) -> RedisConnection:
    """Name the connection and keep it from refreshing keys' idle times; a server that refuses either is fine."""
    asked: list[Command] = [("CLIENT", "SETNAME", name), ("CLIENT", "NO-TOUCH", "ON"), ("CLIENT", "ID")]
    _, untouching, own_id = await connection.ask(asked)
    connection.leaves_idle_times = not isinstance(untouching, RefusedError)
    connection.id = own_id if isinstance(own_id, int) else None
    return connection


async def _open(settings: dict[str, Any], where: str, protocol: int) -> "AbstractConnection":
    """Raises ResponseError where the server does not know HELLO."""
    from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError, ResponseError

    kinds = {"unix": UnixDomainSocketConnection, "rediss": SSLConnection, "redis": Connection}
    arguments = {name: value for name, value in settings.items() if name != "scheme"}
    connection: Any = kinds[settings["scheme"]](  # Any: redis-py leaves `connect` without annotations
        **arguments,
        protocol=protocol,
        socket_timeout=REPLY_TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
        driver_info=None,
    )
    try:
        await connection.connect()
    except (RedisError, OSError) as error:
        await connection.disconnect(nowait=True)
        # Over a unix socket redis-py wraps the handshake's errors once more; both texts may repeat the password.
        said = error.__cause__ if isinstance(error.__cause__, RedisError) else error
        if isinstance(said, ResponseError):
            raise said from None
        raise translated(said, where) from None
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    # From here on time is kept in `ask`. The library's own way to send, a task in asyncio.wait_for, costs as much
    # again, and before Python 3.12 it swallows a cancellation that comes as it ends.
    connection.socket_timeout = None
    opened: AbstractConnection = connection
    return opened


async def _settings(entry: RedisInstance) -> dict[str, Any]:
    """Return the connection's arguments and its `scheme`; of the url's options only those of TLS count."""
    from redis.asyncio.connection import parse_url

    url = (await address(entry.url)).strip()
    if is_sentinel(url):
        url = await _master_url(url)
    try:
        parsed: dict[str, Any] = dict(parse_url(url))
    except ValueError:
        # The url may hold a password: neither it nor the parser's words may be repeated.
        raise Unreadable("the url is not redis://, rediss:// or unix://", "see redis: in the profile") from None
    kept = {
        name: value
        for name, value in parsed.items()
        if name in ("path", "host", "port", "username", "password", "db") or name.startswith("ssl_")
    }
    kept["scheme"] = url.partition(":")[0].lower()
    if entry.username:
        kept["username"] = entry.username
    if entry.password is not None:
        kept["password"] = await resolve(entry.password)
    if entry.ca_file and kept["scheme"] == "rediss":
        kept["ssl_ca_certs"] = entry.ca_file
    return kept


async def _master_url(url: str) -> str:
    """Ask the sentinels, one after the other, where the master is, and return its address.

    Raises:
        SourceError: none of them answers, or none knows the master.
    """
    try:
        known = sentinels_of(url)
    except ValueError as error:
        raise Unreadable(str(error), "see redis: in the profile") from None
    why = Unreachable("no sentinel is named")
    for host, port in known.addresses:
        settings: dict[str, Any] = {"scheme": "redis", "host": host, "port": port}
        try:
            sentinel = await _spoken_to(settings, address_of(settings), "")
        except SourceError as error:
            why = Unreachable(f"sentinel {error.message}", error.remedy)
            continue
        try:
            (reply,) = await sentinel.ask([("SENTINEL", "GET-MASTER-ADDR-BY-NAME", known.master)])
        except SourceError as error:
            why = Unreachable(f"sentinel {error.message}", error.remedy)
            continue
        finally:
            await sentinel.close()
        if isinstance(reply, list) and len(reply) == 2:
            place, number = (clean(part.decode(errors="replace")) for part in reply)
            user = f"{quote(known.username)}@" if known.username else ""
            scheme = "rediss" if known.is_tls else "redis"
            return f"{scheme}://{user}{f'[{place}]' if ':' in place else place}:{number}/{known.db}"
        said = reply.reason if isinstance(reply, RefusedError) else f"it knows no master {clean(known.master)}"
        why = Unreachable(f"sentinel {host}:{port}: {said}", "is the name the one of `SENTINEL MASTERS`?")
    raise why


def address_of(settings: dict[str, Any]) -> str:
    """Return `host:port` or the socket's path, without user and password."""
    if settings["scheme"] == "unix":
        return clean(str(settings.get("path", "")))
    host = clean(str(settings.get("host", "localhost")))
    return f"[{host}]:{settings.get('port', 6379)}" if ":" in host else f"{host}:{settings.get('port', 6379)}"


def translated(error: BaseException, where: str) -> SourceError:
    """Return what a failure of the client library means, with a remedy."""
    from redis import exceptions as lib

    said = words(error)
    lower = said.lower()
    if isinstance(error, lib.AuthenticationError | lib.AuthorizationError) or "wrongpass" in lower:
        return _denied(said, lower)
    if isinstance(error, lib.NoPermissionError):
        return Denied(said, "the user needs at least: +ping +hello +info")
    if isinstance(error, lib.BusyLoadingError):
        return Unreachable("LOADING: the server is loading its dataset into memory", "wait; it answers when it is done")
    if isinstance(error, lib.TimeoutError | TimeoutError):
        return Unreachable(f"no answer from {where} within {REPLY_TIMEOUT_S:g} s", _STOPPED)
    if "certificate" in lower:
        return Denied(f"TLS to {where}: {_tls_words(said)}", "set ca_file: to the CA that signed the server")
    if "max number of clients" in lower:
        return Unreachable(said, "raise maxclients, or find who opens so many: CLIENT LIST from a working connection")
    if lower.startswith("busy"):
        return Unreachable(
            f"BUSY: {where} runs a script and answers nothing else", "SCRIPT KILL ends it if it has not written"
        )
    if "refused" in lower or "no such file" in lower or "error 111 " in lower:
        return Unreachable(f"nothing listens at {where}", "is the server running, and is this its address?")
    if isinstance(error, lib.ResponseError):
        if "HELLO must be called" in said or said.startswith("NOAUTH"):
            return _denied(said, lower)
        return Unreadable(said, "is this a Redis or Valkey server?")
    if isinstance(error, lib.InvalidResponse):
        return Unreadable(f"{where} does not speak the Redis protocol", "is this a Redis or Valkey server, and TLS?")
    if "connection lost" in lower or "connection closed" in lower or "reset by peer" in lower or "broken pipe" in lower:
        return Unreachable(f"{where} closed the connection", "has it restarted, killed us, or reached maxclients?")
    plain = _LIBRARY_WORDS.sub("", said).rstrip(". ")
    return Unreachable(f"{where}: {plain}", "are host name, port and network right?")


def _denied(said: str, lower: str) -> Denied:
    if "required" in lower or "hello must" in lower or lower.startswith("noauth"):
        return Denied("NOAUTH: the server wants a password", "set password: env:NAME (and username:) in the profile")
    if "without any password" in lower or "no password is set" in lower:
        return Denied("the server has no password, but the profile sends one", "remove password: from the profile")
    if "invalid username-password" in lower or "invalid password" in lower:
        return Denied("WRONGPASS: the server refused user or password", "see username: and password: in the profile")
    return Denied(said)


def _tls_words(said: str) -> str:
    with contextlib.suppress(IndexError, ValueError):
        return said[said.index("certificate verify failed") :].split(" (_ssl", 1)[0]
    return said
