"""Connection strings in, options out."""

import pwd
from pathlib import Path

import pytest

from tui.sources.errors import Unreadable
from tui.sources.postgres.dsn import Dsn, parse


def options(text: str, environment: dict[str, str] | None = None) -> dict[str, str]:
    return dict(parse(text, environment or {}).options)


@pytest.fixture
def service_file(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "services.conf"
    file.write_text("# ours\n[orders]\nhost=db.example\nport=6432\ndbname=orders\nuser=ops\npassword=p%w\n")
    return {"PGSERVICEFILE": str(file)}


def test_a_url_names_user_host_port_and_database() -> None:
    assert options("postgresql://ops@db.example:6432/orders?sslmode=require") == {
        "user": "ops",
        "host": "db.example",
        "port": "6432",
        "dbname": "orders",
        "sslmode": "require",
    }


def test_a_url_may_name_a_socket_folder_and_several_hosts() -> None:
    assert parse("postgresql:///orders?host=/run/pg", {}).hosts == ["/run/pg"]
    assert parse("postgresql://%2Frun%2Fpg/orders", {}).hosts == ["/run/pg"]
    both = parse("postgresql://a:1,[::1]/orders", {})
    assert (both.hosts, both.ports) == (["a", "::1"], [1, 5432])


def test_keywords_are_read_as_libpq_reads_them() -> None:
    assert options(r"host = db.example dbname='my \'db' user=ops") == {
        "host": "db.example",
        "dbname": "my 'db",
        "user": "ops",
    }


def test_a_service_is_found_and_what_the_dsn_says_wins(service_file: dict[str, str]) -> None:
    found = parse("service=orders dbname=other", service_file)
    assert found.options == {
        "host": "db.example",
        "port": "6432",
        "dbname": "other",
        "user": "ops",
        "password": "p%w",
    }
    assert found.psql() == "psql service=orders"


def test_an_unknown_service_is_refused_and_the_file_named(service_file: dict[str, str]) -> None:
    with pytest.raises(Unreadable, match=r'"payments" not found; looked in .*services\.conf'):
        parse("service=payments", service_file)


def test_pgservice_counts_only_where_the_dsn_names_no_host(service_file: dict[str, str]) -> None:
    environment = {**service_file, "PGSERVICE": "orders"}
    assert options("dbname=x", environment)["host"] == "db.example"
    assert options("host=h dbname=x", environment) == {"host": "h", "dbname": "x"}


def test_a_broken_service_file_is_refused_without_quoting_it(tmp_path: Path) -> None:
    file = tmp_path / "services.conf"
    file.write_text("password=hunter2\n")
    with pytest.raises(Unreadable) as caught:
        parse("service=orders", {"PGSERVICEFILE": str(file)})
    assert "hunter2" not in f"{caught.value}{caught.value.__cause__}"


def test_options_only_libpq_knows_are_left_out() -> None:
    found = parse("host=h keepalives_idle=3 channel_binding=prefer connect_timeout=2 application_name=x", {})
    assert set(found.options) == {"host", "connect_timeout"}
    assert found.connect_timeout_s == 2


def test_an_option_nobody_knows_is_refused() -> None:
    with pytest.raises(Unreadable, match='invalid connection option "hots"'):
        parse("hots=h", {})
    with pytest.raises(Unreadable) as caught:
        parse("host=h password=my hunter2=x", {})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["orders", "host=", "host='x", "port=abc", "postgresql://[::1"])
def test_what_is_no_connection_string_is_refused_or_empty(text: str) -> None:
    try:
        assert parse(text, {}).hosts == []
    except Unreadable:
        return


def test_neither_the_psql_command_nor_the_repr_holds_the_password() -> None:
    found = Dsn({"host": "h", "user": "o b", "password": "hunter2"})
    assert found.psql() == "psql \"host=h user='o b'\""
    assert parse("host=h user=$(id)", {}).psql() == "psql 'host=h user='\"'\"'$(id)'\"'\"''"
    assert "hunter2" not in repr(found) + found.tls_url


def test_a_certificate_file_that_is_not_there_is_named() -> None:
    with pytest.raises(Unreadable, match=r"sslrootcert: there is no file /nonexistent/ca\.pem"):
        parse("host=h sslmode=verify-full sslrootcert=/nonexistent/ca.pem", {})
    assert parse("host=h sslmode=verify-full sslrootcert=system", {}).options["sslrootcert"] == "system"


def test_a_user_without_a_home_is_told_where_was_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> object:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(Unreadable, match=r"looked in ~/\.pg_service\.conf"):
        parse("service=orders", {})


@pytest.mark.parametrize("text", ["host=h port=99999", "postgresql://u@h:99999/db", "host=a,b port=5432,70000"])
def test_a_port_that_cannot_be_one_is_an_error_in_the_profile(text: str) -> None:
    with pytest.raises(Unreadable, match="greater than 65535"):
        parse(text, {})
