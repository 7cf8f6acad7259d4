"""Typed statements: what is one index, built concurrently, and what is anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.actions.postgres.index_statement import StatementError, parsed, problem


@pytest.mark.parametrize(
    ("typed", "kind", "name", "table"),
    [
        ("CREATE INDEX CONCURRENTLY i ON shop.orders (id)", "create", "shop.i", "orders"),
        ("create unique index concurrently I on only shop.Orders using btree (lower(x), y desc);",
         "create", "shop.i", "orders"),
        ('CREATE INDEX CONCURRENTLY "My ""I""" ON "Shop"."Or;ders" (a) WHERE s = \'x;y\'',
         "create", 'Shop.My "I"', "Or;ders"),
        ("CREATE INDEX CONCURRENTLY i\n ON shop.o USING gin (d jsonb_path_ops) WITH (fastupdate = off)",
         "create", "shop.i", "o"),
        ("CREATE INDEX CONCURRENTLY i ON s.t (a) WHERE b = $x$;$x$ AND c[1] <> 2.5e3", "create", "s.i", "t"),
        ("REINDEX INDEX CONCURRENTLY shop.i", "reindex-index", "shop.i", ""),
        ("reindex table concurrently shop.orders ;", "reindex-table", "shop.orders", "orders"),
    ],
)  # fmt: skip
def test_what_is_one(typed: str, kind: str, name: str, table: str) -> None:
    found = parsed(typed)
    assert (found.kind, found.name, found.table) == (kind, name, table)
    assert not found.sql.endswith(";")
    assert "\n" not in found.sql
    assert problem(typed) == ""


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "CREATE INDEX"),
        ("DROP INDEX CONCURRENTLY s.i", "CREATE INDEX"),
        ("CREATE TABLE s.t (a int)", "INDEX CONCURRENTLY"),
        ("CREATE INDEX i ON s.t (a)", "say CONCURRENTLY"),
        ("REINDEX TABLE s.t", "say CONCURRENTLY"),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", r"schema\.t"),
        ("CREATE INDEX CONCURRENTLY s.i ON s.t (a)", "CREATE INDEX CONCURRENTLY s ON"),
        ("CREATE INDEX CONCURRENTLY ON s.t (a)", "name the index"),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (a)", "IF NOT EXISTS"),
        ("CREATE INDEX CONCURRENTLY i ON s.t", "which columns"),
        ("CREATE INDEX CONCURRENTLY i ON s.t (a", "parenthesis"),
        ("CREATE INDEX CONCURRENTLY i ON s.t (a); DROP TABLE s.t", "one statement"),
        ("CREATE INDEX CONCURRENTLY i ON s.t (a) -- ; x", "comments"),
        ("CREATE INDEX CONCURRENTLY i ON s.t (a) /* ; */", "comments"),
        ("CREATE INDEX CONCURRENTLY i ON s.t (a) WHERE b = 'x", "quote"),
        (r"CREATE INDEX CONCURRENTLY i ON s.t (a) WHERE b = E'\'; DROP'", "quote|backslash"),
        ("REINDEX DATABASE CONCURRENTLY shop", "REINDEX INDEX"),
        ("REINDEX INDEX CONCURRENTLY s.i TABLESPACE x", "nothing may follow"),
        ("REINDEX INDEX CONCURRENTLY s.", "name is missing"),
        (f"CREATE INDEX CONCURRENTLY {'i' * 64} ON s.t (a)", "63 bytes"),
        ("CREATE INDEX CONCURRENTLY … ON s.t (a)", "fill in every …"),
        ("x" * 20_000, "too long"),
    ],
)
def test_what_is_none(typed: str, why: str) -> None:
    with pytest.raises(StatementError, match=why):
        parsed(typed)


@given(st.text())
def test_any_text_is_one_or_is_told_why_not(typed: str) -> None:
    problem(typed)


@given(st.text())
def test_whatever_follows_a_statement_is_part_of_it_or_refused(tail: str) -> None:
    try:
        found = parsed(f"CREATE INDEX CONCURRENTLY i ON s.t (a) {tail}")
    except StatementError:
        return
    assert (found.schema, found.table, found.index) == ("s", "t", "i")
