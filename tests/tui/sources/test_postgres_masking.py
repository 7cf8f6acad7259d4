"""What of a statement may stand in a journal, a report or on a shared screen."""

import pytest

from tui.sources.postgres.masking import masked


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT * FROM t WHERE a = 'x''y' AND b = 42", "SELECT * FROM t WHERE a = ? AND b = ?"),
        ("SELECT $1, $2", "SELECT $1, $2"),
        ("SELECT $$secret$$, $a$secret$a$", "SELECT ?, ?"),
        ("SELECT t1.c2 FROM t1", "SELECT t1.c2 FROM t1"),
        ("SELECT 'cut off in the mid", "SELECT ?"),
        (r"SELECT E'it\'s secret', 1", "SELECT ?, ?"),
        (r"SELECT E'cut off \'", "SELECT ?"),
        ("SELECT 1 -- don't\n, 'secret'", "SELECT ? , ?"),
        ("SELECT 1 /* don't */, 'secret'", "SELECT ? , ?"),
        ("/* user=anna */ SELECT \"it's\", 'secret'", 'SELECT "it\'s", ?'),
        ("SELECT 1e-5, 0xff, 4.2, 1_000, a-1", "SELECT ?, ?, ?, ?, a-?"),
        ("SELECT a$b$c, 'secret'", "SELECT a$b$c, ?"),
    ],
)
def test_literals_are_masked(sql: str, shown: str) -> None:
    assert masked(sql) == shown
