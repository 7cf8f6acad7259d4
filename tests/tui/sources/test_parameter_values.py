"""Two ways to write a parameter's value: the same, or not; held against a real server's opinion."""

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sandbox.blocking import BlockingSandbox
from tui.sources.postgres.parameter_values import is_same


@pytest.mark.parametrize(
    ("one", "other", "vartype", "unit"),
    [
        ("64MB", "65536", "integer", "kB"),
        ("1GB", "131072", "integer", "8kB"),
        ("5min", "300", "integer", "s"),
        ("1.5s", "1500", "integer", "ms"),
        (" 10 ms ", "10", "real", "ms"),
        ("1e3", "1000", "real", None),
        ("yes", "on", "bool", None),
        ("F", "off", "bool", None),
        ("ALL", "all", "enum", None),
    ],
)
def test_the_same(one: str, other: str, vartype: str, unit: str | None) -> None:
    assert is_same(one, other, vartype=vartype, unit=unit)


@pytest.mark.parametrize(
    ("one", "other", "vartype", "unit"),
    [
        ("64MB", "65535", "integer", "kB"),
        ("64mb", "65536", "integer", "kB"),
        ("1s", "1", "integer", "kB"),
        ("o", "on", "bool", None),
        ("", "off", "bool", None),
        ("a", "A", "string", None),
        ("nan", "0", "real", None),
    ],
)
def test_not_the_same(one: str, other: str, vartype: str, unit: str | None) -> None:
    assert not is_same(one, other, vartype=vartype, unit=unit)


@given(st.text(), st.text(), st.sampled_from(["bool", "integer", "real", "enum", "string"]), st.none() | st.text())
def test_any_two_texts_are_the_same_or_not(one: str, other: str, vartype: str, unit: str | None) -> None:
    is_same(one, other, vartype=vartype, unit=unit)
    assert is_same(one, one, vartype=vartype, unit=unit)


@pytest.mark.live
@pytest.mark.xdist_group("live")
async def test_the_server_thinks_so_too(sandbox: BlockingSandbox) -> None:
    connection = await asyncpg.connect(sandbox.endpoints["postgres_admin"])
    try:
        for name, values in {
            "work_mem": ("64MB", "65536", "0.5GB", "100kB", "1TB"),
            "statement_timeout": ("1min", "1.5s", "60000", "1h", "0"),
            "random_page_cost": ("4", "1.10", "1e1"),
            "enable_seqscan": ("on", "f", "YES", "0", "tru"),
            "log_statement": ("ALL", "none", "ddl"),
            "shared_buffers": (),
        }.items():
            row = await connection.fetchrow("SELECT setting, unit, vartype FROM pg_settings WHERE name = $1", name)
            assert row is not None
            for value in values:
                await connection.execute("SELECT set_config($1, $2, false)", name, value)
                now = await connection.fetchval("SELECT setting FROM pg_settings WHERE name = $1", name)
                assert is_same(value, now, vartype=row["vartype"], unit=row["unit"]), (name, value, now)
                assert is_same(value, row["setting"], vartype=row["vartype"], unit=row["unit"]) == (
                    now == row["setting"]
                ), (name, value)
    finally:
        await connection.close()
