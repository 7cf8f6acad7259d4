"""Logging in to real servers, and what is made of servers that do not keep to the protocol."""

import asyncio
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.debian_postgres import DEBIAN, debian_postgres, needs_debian
from tui.sources.pgbouncer import wire
from tui.sources.pgbouncer.passwords import from_file
from tui.sources.pgbouncer.scram import Scram, ScramError
from tui.sources.pgbouncer.wire import Console, Login, ProtocolError, RefusedByServer

PASSWORD = "pä ss:wörd"
_HBA = """
local all postgres trust
local all by_scram scram-sha-256
local all by_md5 md5
local all by_password password
"""


@pytest.fixture(scope="module", params=[pytest.param(DEBIAN, marks=needs_debian, id="15")])
def folder(request: pytest.FixtureRequest) -> Iterator[str]:
    """The socket folder of a server with a role for each way to log in."""
    with debian_postgres(request.param) as postgres:
        data = postgres.made()
        (data / "pg_hba.conf").write_text(_HBA)
        with postgres.serving(data):
            where = ("-h", str(postgres.folder), "-U", "postgres", "-q", "-c")
            for role, method in (("by_scram", "scram-sha-256"), ("by_md5", "md5"), ("by_password", "scram-sha-256")):
                create = f"SET password_encryption = '{method}'; CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"
                postgres.run("psql", *where, create)
            yield str(postgres.folder)


async def console(folder: str, role: str, password: str | None = PASSWORD) -> Console:
    return await Console.open(folder, 5432, Login(role, "postgres", "opstui", password), None, needs_tls=False)


@pytest.mark.parametrize("role", ["by_scram", "by_md5", "by_password"])
async def test_every_way_to_log_in_works_and_a_wrong_password_is_refused(folder: str, role: str) -> None:
    one = await console(folder, role)
    try:
        assert await one.query("SELECT 'a' AS x, NULL AS y UNION ALL SELECT 'b', ''") == [
            {"x": "a", "y": None}, {"x": "b", "y": ""},
        ]  # fmt: skip
        with pytest.raises(RefusedByServer, match="division by zero") as refused:
            await one.query("SELECT 1/0")
        assert refused.value.sqlstate == "22012"
        assert await one.query("SELECT 1 AS x") == [{"x": "1"}], "an error ends its query alone"
        assert "server_version" in one.parameters
    finally:
        one.drop()
    with pytest.raises(RefusedByServer, match="password authentication failed"):
        await console(folder, role, "wrong")
    with pytest.raises(RefusedByServer, match="none was found"):
        await console(folder, role, None)


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    one = Scram("secret", nonce="abc")
    one.first()
    final = one.final(b"r=abcdef,s=c2FsdA==,i=4096").decode()
    assert final.startswith("c=biws,r=abcdef,p=")
    for outcome in (b"v=AAAA", b"v=", b"", b"e=other-error", b"v=\xff"):
        with pytest.raises(ScramError):
            one.check(outcome)


@pytest.mark.parametrize(
    "challenge",
    [
        b"r=xyz,s=c2FsdA==,i=4096",
        b"r=abc,s=c2FsdA==,i=4096",
        b"r=abcd,s=!!,i=1",
        b"r=abcd,s=c2FsdA==,i=2000000000",
        b"r=abcd,s=c2FsdA==,i=0",
        b"",
    ],
    ids=["another nonce", "our nonce alone", "no salt", "a bomb", "no hashing", "nothing"],
)
def test_a_challenge_that_is_none_is_refused(challenge: bytes) -> None:
    with pytest.raises(ScramError):
        Scram("secret", nonce="abc").final(challenge)


@given(st.binary(max_size=200))
def test_any_challenge_gives_an_answer_or_a_refusal(challenge: bytes) -> None:
    try:
        Scram("secret", nonce="abc").final(challenge)
    except ScramError:
        return


async def answered(tmp_path: Path, answer: bytes, ask: Callable[[Console], object] | None = None) -> None:
    """Log in to a server that says one thing and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / ".s.PGSQL.1"):
        one = await Console.open(str(tmp_path), 1, Login("a", "b", "opstui", "p"), None, needs_tls=False)
        one.drop()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ProtocolError),
        (b"R" + struct.pack("!ii", 8, 7), ProtocolError),
        (b"R" + struct.pack("!ii", 8, 11) + b"r=x", (ProtocolError, ConnectionResetError)),
        (b"", ConnectionResetError),
        (b"R" + struct.pack("!i", 2**31 - 1), ProtocolError),
        (b"E" + struct.pack("!i", 4 + 12) + b"C28P01\0Mno\0\0", RefusedByServer),
    ],
    ids=["http", "gssapi", "scram out of turn", "nothing", "endless", "refused"],
)
async def test_what_is_no_console_is_told_apart(tmp_path: Path, answer: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await answered(tmp_path, answer)


@given(st.binary(max_size=100))
def test_rows_that_cannot_be_read_end_in_one_error(body: bytes) -> None:
    for read in (wire._columns, wire._values):
        try:
            read(body)
        except ProtocolError:
            continue


def test_the_password_file_is_read_as_libpq_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "pgpass"
    file.write_text(
        "# comment\n"
        "db.example:6432:pgbouncer:stats:one\n"
        "localhost:*:*:stats:two\n"
        r"*:*:*:we\:ird:pass\\\:word" + "\n"
        "too:few:fields\n"
    )
    file.chmod(0o600)
    assert from_file(file, "db.example", 6432, "pgbouncer", "stats") == "one"
    assert from_file(file, "/run/pgbouncer", 6432, "pgbouncer", "stats") == "two"
    assert from_file(file, "any", 1, "x", "we:ird") == r"pass\:word"
    assert from_file(file, "db.example", 6432, "shop", "stats") is None
    assert from_file(tmp_path / "none", "h", 1, "d", "u") is None
    file.chmod(0o644)
    assert from_file(file, "db.example", 6432, "pgbouncer", "stats") is None, "others could have read it"
