"""The little of PostgreSQL's protocol that PgBouncer's console speaks: log in, send a simple query, read text rows.

The console takes no extended queries, and asyncpg returns no rows of simple ones.
"""

import asyncio
import hashlib
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.sources.pgbouncer.scram import MECHANISM, Scram, ScramError
from tui.sources.text import clean

_PROTOCOL: Final = 196608
_TLS_REQUEST: Final = 80877103
_MOST_BYTES: Final = 64 << 20
"""A message that says it is longer is none."""

TextRow = Mapping[str, str | None]
"""One row by column; every value as text."""


class RefusedByServer(Exception):
    """The server answered with an error; the message is its own, cleaned."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(clean(fields.get("M", "refused"), limit=300))
        self.sqlstate = fields.get("C", "")


class ProtocolError(Exception):
    """What came is not PostgreSQL's protocol, or not the part of it that a console speaks."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in where."""

    user: str
    database: str
    application: str
    password: str | None


class Console:
    """A connection to the console: one query at a time."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_encrypted: bool = False
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.is_encrypted = is_encrypted
        self.parameters: dict[str, str] = {}
        """What the server told of itself: `server_version` and others."""

    @classmethod
    async def open(
        cls, host: str, port: int, login: Login, context: ssl.SSLContext | None, *, needs_tls: bool
    ) -> "Console":
        """Connect and log in.

        Args:
            host: a name, an address, or a folder with the server's socket.
            port: its port.
            login: who logs in.
            context: for TLS; None: without.
            needs_tls: whether a server without TLS is refused.

        Raises:
            OSError: nobody answered.
            RefusedByServer: it did not let us in.
            ProtocolError: it is no PostgreSQL, or wants to be logged in to in a way that is not known here.
        """
        channel = await _connected(host, port)
        is_encrypted = False
        try:
            if context is not None and not host.startswith("/"):
                is_encrypted = await _offers_tls(channel)
                if needs_tls and not is_encrypted:
                    raise ssl.SSLError("the server offers no TLS")
            options: dict[str, Any] = {"ssl": context, "server_hostname": host} if is_encrypted else {}
            reader, writer = await asyncio.open_connection(sock=channel, **options)
        except BaseException:
            channel.close()
            raise
        console = cls(reader, writer, is_encrypted=is_encrypted)
        try:
            await console._log_in(login)
        except BaseException:
            console.drop()
            raise
        return console

    async def _log_in(self, login: Login) -> None:
        told = {"user": login.user, "database": login.database, "application_name": login.application}
        packed = b"".join(part.encode() + b"\0" for pair in told.items() for part in pair) + b"\0"
        self._writer.write(struct.pack("!ii", 8 + len(packed), _PROTOCOL) + packed)
        scram = None
        while True:
            kind, body = await self._message()
            match kind:
                case b"R":
                    scram = await self._authenticate(body, login, scram)
                case b"E":
                    raise RefusedByServer(_error_fields(body))
                case b"S":
                    name, value, *_ = body.decode("utf-8", "replace").split("\0")
                    self.parameters[name] = value
                case b"Z":
                    return

    async def _authenticate(self, body: bytes, login: Login, scram: Scram | None) -> Scram | None:
        how, rest = _number("!i", body[:4]), body[4:]
        if how == 0:
            return scram
        if login.password is None and how != 12:
            raise RefusedByServer({"M": "the server asks for a password, and none was found", "C": "28P01"})
        password = login.password or ""
        match how:
            case 3:
                self._send(b"p", password.encode() + b"\0")
            case 5:
                inner = hashlib.md5(password.encode() + login.user.encode(), usedforsecurity=False).hexdigest()
                outer = hashlib.md5(inner.encode() + rest[:4], usedforsecurity=False).hexdigest()
                self._send(b"p", f"md5{outer}".encode() + b"\0")
            case 10 if MECHANISM.encode() in rest.split(b"\0"):
                scram = Scram(password)
                first = scram.first()
                self._send(b"p", MECHANISM.encode() + b"\0" + struct.pack("!i", len(first)) + first)
            case 11 if scram is not None:
                try:
                    # In a thread: the server says how long the hashing takes.
                    self._send(b"p", await asyncio.to_thread(scram.final, rest))
                except ScramError as error:
                    raise ProtocolError(str(error)) from error
            case 12 if scram is not None:
                try:
                    scram.check(rest)
                except ScramError as error:
                    raise ProtocolError(str(error)) from error
            case _:
                raise ProtocolError("it wants to be logged in to in a way that opstui does not know (GSSAPI, SSPI, …)")
        return scram

    async def query(self, text: str) -> list[TextRow]:
        """Send a simple query and return its rows.

        Raises:
            RefusedByServer: the server refused it.
            OSError, ProtocolError: the connection is of no use any more.
        """
        self._send(b"Q", text.encode() + b"\0")
        columns: list[str] = []
        rows: list[TextRow] = []
        refusal = None
        while True:
            kind, body = await self._message()
            match kind:
                case b"T":
                    columns = _columns(body)
                case b"D":
                    rows.append(dict(zip(columns, _values(body), strict=False)))
                case b"E":
                    refusal = RefusedByServer(_error_fields(body))
                case b"Z":
                    if refusal is not None:
                        raise refusal
                    return rows

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended."""
        return self._writer.is_closing() or self._reader.at_eof()

    def drop(self) -> None:
        """Close without a word."""
        self._writer.transport.abort()

    def _send(self, kind: bytes, body: bytes) -> None:
        self._writer.write(kind + struct.pack("!i", 4 + len(body)) + body)

    async def _message(self) -> tuple[bytes, bytes]:
        head = await self._exactly(5)
        length = _number("!i", head[1:])
        if not 4 <= length <= _MOST_BYTES:
            raise ProtocolError("this is no PostgreSQL server")
        return head[:1], await self._exactly(length - 4)

    async def _exactly(self, count: int) -> bytes:
        try:
            return await self._reader.readexactly(count)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the connection was closed") from error


async def _connected(host: str, port: int) -> socket.socket:
    """Return a socket that is connected to the first address of a host that answers."""
    loop = asyncio.get_running_loop()
    failure = OSError("the host has no address")
    places: list[tuple[int, Any]] = [(socket.AF_UNIX, f"{host}/.s.PGSQL.{port}")]
    if not host.startswith("/"):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        places = [(family, address) for family, _, _, _, address in found]
    for family, address in places:
        channel = socket.socket(family, socket.SOCK_STREAM)
        channel.setblocking(False)
        try:
            await loop.sock_connect(channel, address)
        except OSError as error:
            channel.close()
            failure = error
        except BaseException:
            channel.close()
            raise
        else:
            return channel
    raise failure


async def _offers_tls(channel: socket.socket) -> bool:
    # One byte and no more: what an attacker has added in plain is then part of the handshake, which fails.
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(channel, struct.pack("!ii", 8, _TLS_REQUEST))
    answer = await loop.sock_recv(channel, 1)
    if answer not in (b"S", b"N"):
        raise ProtocolError("this is no PostgreSQL server")
    return answer == b"S"


def _error_fields(body: bytes) -> dict[str, str]:
    parts = body.decode("utf-8", "replace").split("\0")
    return {part[0]: part[1:] for part in parts if part}


def _number(form: str, packed: bytes) -> int:
    try:
        return int(struct.unpack(form, packed)[0])
    except struct.error as error:
        raise ProtocolError("the server's answer cannot be read") from error


def _columns(body: bytes) -> list[str]:
    at, found = 2, []
    for _ in range(_number("!h", body[:2])):
        end = body.find(b"\0", at)
        if end < 0:
            raise ProtocolError("the server's answer cannot be read")
        found.append(body[at:end].decode("utf-8", "replace"))
        at = end + 19  # what follows a name: table, column, type, its size and modifier, format
    return found


def _values(body: bytes) -> list[str | None]:
    at, found = 2, []
    for _ in range(_number("!h", body[:2])):
        length = _number("!i", body[at : at + 4])
        at += 4
        found.append(None if length < 0 else body[at : at + length].decode("utf-8", "replace"))
        at += max(0, length)
    return found
