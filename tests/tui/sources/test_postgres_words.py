"""Errors in, words with a remedy out; versions in, queries out."""

import socket
import ssl
from pathlib import Path

import asyncpg
import pytest

from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.postgres import queries, words
from tui.sources.postgres.dsn import parse


def translate(error: BaseException) -> SourceError:
    with pytest.raises(SourceError) as caught, words.translated("db.example:5432"):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (asyncpg.TooManyConnectionsError("sorry, too many clients already"), Denied, "reserve places"),
        (asyncpg.InvalidPasswordError("password authentication failed"), Denied, "~/.pgpass"),
        (asyncpg.InvalidAuthorizationSpecificationError("no pg_hba.conf entry"), Denied, "pg_hba.conf"),
        (asyncpg.InvalidCatalogNameError('database "x" does not exist'), Denied, "check the database"),
        (asyncpg.CannotConnectNowError("the database system is starting up"), Unreachable, "tries again"),
        (asyncpg.AdminShutdownError("terminating connection"), Unreachable, "connects again"),
        (asyncpg.ConnectionDoesNotExistError("closed in the middle"), Unreachable, "connection was lost"),
        (asyncpg.QueryCanceledError("due to statement timeout"), Unreachable, "overloaded"),
        (asyncpg.DivisionByZeroError("division by zero"), Unreadable, "SQLSTATE 22012"),
        (asyncpg.InternalClientError("cannot switch to state 15"), Unreachable, "connection was lost"),
        (ConnectionRefusedError(111, "refused"), Unreachable, "nobody listens at db.example:5432"),
        (TimeoutError(), Unreachable, "no answer from db.example:5432"),
        (socket.gaierror(-2, "Name or service not known"), Unreachable, "host name not known"),
        (ssl.SSLCertVerificationError("certificate verify failed"), Denied, "sslrootcert"),
        (ConnectionError("PostgreSQL server rejected SSL upgrade"), Denied, "sslmode"),
        (ConnectionResetError(104, "Connection reset by peer"), Unreachable, "connects again"),
    ],
)
def test_every_failure_has_its_kind_and_says_what_to_try(
    error: BaseException, kind: type[SourceError], said: str
) -> None:
    found = translate(error)
    assert type(found) is kind
    assert said in str(found)


def test_the_servers_own_words_are_cleaned() -> None:
    assert "\x1b" not in translate(asyncpg.PostgresError("bad \x1b]0;x\x07")).message


def test_what_is_absent_is_off_for_good_and_what_was_slow_for_a_minute() -> None:
    assert words.switches_off(asyncpg.InsufficientPrivilegeError("no")) == (float("inf"), "no")
    assert words.switches_off(asyncpg.FeatureNotSupportedError("Aurora")) == (float("inf"), "Aurora")
    assert words.switches_off(asyncpg.QueryCanceledError("slow")) == (60, "slow")
    assert words.switches_off(asyncpg.QueryCanceledError("slow"), is_dear=True) == (
        600, "slow: too dear for this server, not asked again for 10 min",
    )  # fmt: skip
    assert words.switches_off(asyncpg.AdminShutdownError("bye")) is None


def test_the_query_is_the_newest_that_fits_the_server() -> None:
    assert "NULL::int8 AS query_id" in queries.query("activity", 13)
    assert "a.query_id" in queries.query("activity", 14) == queries.query("activity", 18)
    with pytest.raises(LookupError):
        queries.query("activity", 12)


def test_every_query_fits_the_oldest_server_except_those_named_for_a_newer_one() -> None:
    names = {path.name.rpartition("-")[0] for path in Path(queries.__file__).parent.parent.glob("sql/*.sql")}
    newer = {name for name in names if not _exists(name, queries.OLDEST_MAJOR)}
    assert newer == {"statements_info"}
    assert all(queries.OWN_MARK in queries.query(name, 18) for name in names)


def _exists(name: str, major: int) -> bool:
    try:
        queries.query(name, major)
    except LookupError:
        return False
    return True


def test_the_place_is_where_a_person_would_look() -> None:
    assert parse("postgresql://a,b:5433/x", {}).place == "a:5432, b:5433"
    assert parse("host=/run/pg", {}).place == "/run/pg"
    assert parse("dbname=x", {}).place == "the default address"
