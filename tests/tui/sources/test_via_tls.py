"""TLS through a forward: real servers behind something that speaks TLS for them and tells how it was spoken to."""

import asyncio
import os
import shutil
import socket
import ssl
import struct
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from profiles.systems import Database, RedisInstance
from tests.debian_postgres import DEBIAN, debian_postgres
from tests.tui.sources.test_via import POSTGRES, REDIS
from tui.sandbox.blocking import BlockingSandbox
from tui.sandbox.cluster.certificate import Certificate
from tui.sources import redis_connection
from tui.sources.errors import Denied, SourceError, Unreadable
from tui.sources.kubernetes.forward import Forward
from tui.sources.postgres import connection as postgres_connection
from tui.sources.postgres import dsn as dsns
from tui.sources.postgres.tls import mode_of, tls_of
from tui.sources.redis_cli import redis_cli
from tui.sources.tls_socket import Tls, TlsSocket

_Carry = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class _Way:
    """A forward to a server's Unix socket, without a cluster."""

    where = "pod shop/db:5432"

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self._name = folder, name
        self._tls: TlsSocket | None = None
        self.failure: SourceError | None = None

    async def open(self, tls: Tls | None = None) -> Path:
        self.failure = None
        if tls is None:
            return self.folder
        if self._tls is None:
            self._tls = TlsSocket(self.folder / self._name, tls, self._failed)
            await self._tls.open(self.folder / "tls" / self._name)
        self._tls.tls = tls
        return self.folder / "tls"

    def _failed(self, error: SourceError) -> None:
        self.failure = error

    async def close(self) -> None:
        if self._tls is not None:
            await self._tls.close()

    @contextmanager
    def reasons(self) -> Iterator[None]:
        try:
            yield
        except SourceError as error:
            raise self.failure or error from error

    def by_hand(self, port: int) -> str:
        return f"forward {port}"


class _Front:
    """Speaks TLS in front of a server, as the server itself would with `ssl=on`."""

    def __init__(self, real: str, made: Certificate | None, *, asks: bool) -> None:
        self._real, self._asks = real, asks
        self._context = made.context() if made is not None else None
        self.names: list[str | None] = []
        """The server names of the TLS connections that came about or were begun."""
        self.plain = 0
        if self._context is not None:
            self._context.sni_callback = lambda tls, name, context: self.names.append(name)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        real: asyncio.StreamWriter | None = None
        try:
            first = await reader.readexactly(8) if self._asks else b""
            if first == _SSL_REQUEST:
                writer.write(b"S" if self._context else b"N")
                await writer.drain()
                first = b""
            elif self._asks:
                self.plain += 1
            if self._context is not None and not first:
                await writer.start_tls(self._context)
            answers, real = await asyncio.open_unix_connection(self._real)
            real.write(first)
            await asyncio.gather(_pumped(reader, real), _pumped(answers, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for one in (writer, real):
                if one is not None:
                    one.transport.abort()


async def _pumped(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while content := await source.read(65536):
        target.write(content)
        await target.drain()
    target.close()


@asynccontextmanager
async def _behind(front: _Front, name: str) -> AsyncIterator[_Way]:
    async with _leading(front.carry, name) as way:
        yield way


@asynccontextmanager
async def _leading(carry: _Carry, name: str) -> AsyncIterator[_Way]:
    """Lead a socket wherever `carry` does."""
    folder, tasks = Path(tempfile.mkdtemp(prefix="opstui-t-")), set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(carry(reader, writer)))

    server = await asyncio.start_unix_server(accept, folder / name)
    way = _Way(folder, name)
    try:
        yield way
    finally:
        await way.close()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        shutil.rmtree(folder)


def _postgres_socket(sandbox: BlockingSandbox) -> tuple[str, str]:
    """Return the path of the sandbox's own socket, and its dsn without a place."""
    options = dsns.parse(sandbox.endpoints["postgres"]).options
    rest = " ".join(f"{key}={value}" for key, value in options.items() if key in ("user", "dbname", "password"))
    return f"{options['host']}/.s.PGSQL.{options.get('port', '5432')}", rest


@pytest.fixture
def made(tmp_path: Path) -> Certificate:
    found = Certificate()
    (tmp_path / "ca.pem").write_text(found.pem)
    (tmp_path / "other.pem").write_text(Certificate().pem)
    return found


@pytest.mark.live
@pytest.mark.xdist_group("live")
@pytest.mark.parametrize(
    ("host", "options", "is_tls"),
    [
        ("db.internal", "sslmode=require", True),
        ("db.internal", "sslmode=verify-ca sslrootcert={}/ca.pem", True),
        ("localhost", "sslmode=verify-full sslrootcert={}/ca.pem", True),
        ("db.internal", "", False),
        ("db.internal", "sslmode=disable", False),
    ],
)
async def test_a_database_behind_a_pod_is_spoken_to_as_its_dsn_promises(
    sandbox: BlockingSandbox, made: Certificate, tmp_path: Path, host: str, options: str, *, is_tls: bool
) -> None:
    real, rest = _postgres_socket(sandbox)
    front = _Front(real, made, asks=True)
    entry = Database.model_validate(
        {"dsn": f"host={host} {options.format(tmp_path)} application_name=x", "via": POSTGRES}
    )
    entry = entry.model_copy(update={"dsn": f"{entry.dsn} {rest}"})
    async with _behind(front, postgres_connection.SOCKET) as way:
        link = await postgres_connection.connect(entry, "opstui-test", forward=way)
        assert await link.connection.fetchval("SELECT 7") == 7
        assert len(await link.connection.fetch("SELECT repeat('x', 100000) FROM generate_series(1, 20)")) == 20
        link.drop()
    assert (bool(front.names), bool(front.plain)) == (is_tls, not is_tls)
    assert set(front.names) <= {host}


@pytest.mark.live
@pytest.mark.xdist_group("live")
@pytest.mark.parametrize(
    ("host", "options", "words"),
    [
        ("db.internal", "sslmode=verify-full sslrootcert={}/ca.pem", "Hostname mismatch"),
        ("localhost", "sslmode=verify-full sslrootcert={}/other.pem", ""),
        ("localhost", "sslmode=verify-ca sslrootcert={}/other.pem", ""),
        ("localhost", "sslmode=require sslrootcert={}/other.pem", ""),
    ],
)  # fmt: skip
async def test_a_database_that_is_not_what_the_dsn_says_is_sent_nothing(
    sandbox: BlockingSandbox,
    made: Certificate,
    tmp_path: Path,
    host: str,
    options: str,
    words: str,
) -> None:
    real, rest = _postgres_socket(sandbox)
    front = _Front(real, made, asks=True)
    entry = Database.model_validate({"dsn": f"host={host} {options.format(tmp_path)}", "via": POSTGRES})
    async with _behind(front, postgres_connection.SOCKET) as way:
        with pytest.raises(Denied, match=f"certificate was not accepted: {words}"):
            await postgres_connection.connect(entry.model_copy(update={"dsn": f"{entry.dsn} {rest}"}), "x", forward=way)
    assert front.plain == 0


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_a_database_that_offers_no_tls_is_refused_before_a_password_is_sent(
    sandbox: BlockingSandbox, tmp_path: Path
) -> None:
    real, rest = _postgres_socket(sandbox)
    front = _Front(real, None, asks=True)
    entry = Database.model_validate({"dsn": "host=db.internal sslmode=require", "via": POSTGRES})
    async with _behind(front, postgres_connection.SOCKET) as way:
        with pytest.raises(Denied, match="offers no TLS, and the dsn asks for it"):
            await postgres_connection.connect(entry.model_copy(update={"dsn": f"{entry.dsn} {rest}"}), "x", forward=way)
    assert front.plain == 0


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_redis_behind_a_pod_is_spoken_to_with_tls_and_its_name_is_checked(
    sandbox: BlockingSandbox, made: Certificate, tmp_path: Path
) -> None:
    real = sandbox.endpoints["redis"].removeprefix("unix://").partition("?")[0]
    front = _Front(real, made, asks=False)

    def entry(host: str, ca: str) -> RedisInstance:
        return RedisInstance.model_validate(
            {"url": f"rediss://{host}", "via": REDIS, "ca_file": f"{tmp_path}/{ca}.pem"}
        )

    async with _behind(front, redis_connection.SOCKET) as way:
        connection = await redis_connection.connect(entry("localhost", "ca"), forward=way)
        assert await connection.ask([("PING",)]) in ([b"PONG"], ["PONG"])
        await connection.close()
        assert front.names == ["localhost"]
        for host, ca in (("cache.internal", "ca"), ("localhost", "other")):
            with pytest.raises(Denied, match="TLS to pod shop/db:5432: certificate verify failed"):
                await redis_connection.connect(entry(host, ca), forward=way)


@pytest.mark.live
@pytest.mark.debian
@pytest.mark.xdist_group("live")
@pytest.mark.skipif(not DEBIAN.exists(), reason="needs Debian's postgresql-15")
def test_postgresql_itself_says_that_it_was_spoken_to_with_tls(made: Certificate, tmp_path: Path) -> None:
    with debian_postgres(DEBIAN) as postgres:
        data = postgres.made()
        owner = data.stat()
        for name, content in (("server.crt", made.pem), ("server.key", made.key_pem)):
            (data / name).write_text(content)
            (data / name).chmod(0o600)
            os.chown(data / name, owner.st_uid, owner.st_gid)
        with (data / "postgresql.conf").open("a") as settings:
            settings.write("ssl = on\n")
        # Whoever comes over the network comes with TLS; the test's own question whether it is up comes by the socket.
        (data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 trust\n")
        port = _free_port()
        with postgres.serving(data, port, "127.0.0.1"):
            asyncio.run(_asked_whether_it_is_tls(port, tmp_path))


async def _asked_whether_it_is_tls(port: int, folder: Path) -> None:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, real = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_pumped(reader, real), _pumped(answers, writer))
        except OSError:
            pass
        finally:
            real.transport.abort()
            writer.transport.abort()

    def entry(options: str) -> Database:
        return Database.model_validate({"dsn": f"user=postgres dbname=postgres {options}", "via": POSTGRES})

    async with _leading(carry, postgres_connection.SOCKET) as way:
        for options in (
            "sslmode=require host=db.internal",
            f"sslmode=verify-full host=localhost sslrootcert={folder}/ca.pem",
        ):
            link = await postgres_connection.connect(entry(options), "x", forward=way)
            told = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl"
            assert str(await link.connection.fetchval(told)).startswith("TLSv1.")
            link.drop()
        with pytest.raises(Denied, match="no encryption"):
            await postgres_connection.connect(entry("host=db.internal"), "x", forward=way)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


async def test_a_forwards_second_socket_is_as_private_as_the_first_and_goes_with_it() -> None:
    async def resolve() -> Any:
        return None

    forward = Forward(None, resolve, "s.sock")  # type: ignore[arg-type]  # no connection is made
    tls = Tls(ssl.create_default_context(), "x", lambda error: Unreadable(str(error)))
    plain = await forward.open()
    encrypted = await forward.open(tls)
    assert encrypted == plain / "tls"
    assert (await forward.open(), await forward.open(tls)) == (plain, encrypted)
    for folder in (plain, encrypted):
        assert os.stat(folder).st_mode & 0o777 == 0o700
        assert (folder / "s.sock").is_socket()
    await forward.close()
    assert not plain.exists()


# Pure


@pytest.mark.parametrize(
    ("options", "environment", "mode"),
    [
        ({"sslmode": "require"}, {}, "require"),
        ({"sslmode": "prefer"}, {}, ""),
        ({"sslmode": "disable"}, {"PGSSLMODE": "require"}, ""),
        ({}, {"PGSSLMODE": "verify-full"}, "verify-full"),
        ({"sslrootcert": "system"}, {}, "verify-full"),
        ({}, {}, ""),
    ],
)
def test_tls_is_what_an_sslmode_promises(options: dict[str, str], environment: dict[str, str], mode: str) -> None:
    assert mode_of(options, environment) == mode


@pytest.mark.parametrize(
    ("options", "mode", "words"),
    [
        ({"sslrootcert": "system"}, "verify-full", "needs host="),
        ({"host": "/run/postgresql", "sslrootcert": "system"}, "verify-full", "needs host="),
        ({"host": "h"}, "verify-ca", "needs the CA"),
        ({"host": "h", "ssl_min_protocol_version": "TLSv9"}, "require", "no such TLS version: TLSv9"),
        ({"host": "h", "sslcert": "/etc/hostname"}, "require", "certificate or key of the dsn cannot be used"),
    ],
)
def test_options_that_cannot_be_kept_are_refused_in_words(
    options: dict[str, str], mode: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Unreadable, match=words):
        tls_of(options, mode, "here")


def test_verify_full_checks_the_name_of_the_dsn_and_require_whoever_answers(tmp_path: Path, made: Certificate) -> None:
    full = tls_of({"host": "db.internal,b", "sslrootcert": str(tmp_path / "ca.pem")}, "verify-full", "here")
    assert (full.name, full.context.check_hostname, full.context.verify_mode) == (
        "db.internal",
        True,
        ssl.CERT_REQUIRED,
    )
    direct = tls_of({"host": "h", "sslnegotiation": "direct"}, "require", "here")
    assert (direct.ask, direct.context.verify_mode) == (None, ssl.CERT_NONE)
    assert isinstance(made, Certificate)


def test_the_command_by_hand_keeps_the_name_and_the_tls() -> None:
    where = dsns.parse("host=db.internal user=me dbname=d sslmode=verify-full")
    assert where.behind("", "kubectl … 5432:5432", "pod").psql() == (
        "kubectl … 5432:5432 & "
        'psql "host=db.internal hostaddr=127.0.0.1 port=5432 user=me dbname=d sslmode=verify-full"'
    )
    plain = dsns.parse("host=db.internal dbname=d").behind("", "F", "pod").psql()
    assert plain == 'F & psql "host=127.0.0.1 port=5432 dbname=d"'
    cache = RedisInstance.model_validate({"url": "rediss://cache.internal", "via": REDIS})
    assert (
        redis_cli(cache, "PING", is_forwarded=True) == "redis-cli -h 127.0.0.1 -p 6379 --tls --sni cache.internal PING"
    )
