"""A message is judged by all of its lines: the same however they are asked, and for a line alone as before."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs.judge import MOST_UNDECIDED
from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.messages import gathered, messages
from tui.sources.logs.parse import LineParser
from tui.sources.logs.stack import Stack, new_filter

NOW = 1_795_335_084.0

JAVA = (
    "2026-11-22 08:11:24,123 ERROR [main] c.e.Shop - order 7 failed took_ms=900",
    "java.lang.IllegalStateException: no stock",
    "\tat com.example.Shop.order(Shop.java:7)",
    "Caused by: java.net.SocketTimeoutException: Read timed out",
    "\t... 3 more",
)
PYTHON = (
    "2026-11-22 08:11:25,001 ERROR django.request: Internal Server Error: /login",
    "Traceback (most recent call last):",
    '  File "/srv/django/core.py", line 7, in inner',
    "ValueError: bad",
)
POSTGRES = (
    "2026-11-22 08:11:26.001 UTC [12] ERROR:  duplicate key value",
    "2026-11-22 08:11:26.001 UTC [12] DETAIL:  Key (id)=(7) already exists.",
    "2026-11-22 08:11:26.001 UTC [12] STATEMENT:  INSERT INTO orders VALUES (7)",
)
FINE = ("2026-11-22 08:11:27,002 INFO [main] c.e.Shop - order 8 placed took_ms=12",)
ALL = (JAVA, PYTHON, POSTGRES, FINE)


def parsed(texts: tuple[str, ...], origin: str = "app.log") -> list[LogLine]:
    return LineParser("app", origin, UTC).parse_all(texts, NOW)


def kept(stack: Stack) -> list[tuple[str, ...]]:
    judge = stack.judge()
    return [texts for texts in ALL if judge is None or judge.of_message(parsed(texts))]


@pytest.mark.parametrize("texts", ALL)
def test_each_of_them_is_one_message(texts: tuple[str, ...]) -> None:
    assert [list(each) for each in messages(parsed(texts))] == [parsed(texts)]


@pytest.mark.parametrize(
    ("show", "hide", "expected"),
    [
        ("SocketTimeout", "", [JAVA]),
        ("", "django", [JAVA, POSTGRES, FINE]),
        ("", "Shop.java", [PYTHON, POSTGRES, FINE]),
        ("level = error and line ~ SocketTimeout", "", [JAVA]),
        ("took_ms > 500 and line ~ SocketTimeout", "", [JAVA]),
        ("took_ms > 500 and line ~ django", "", []),
        ("not line ~ Timeout", "", [PYTHON, POSTGRES, FINE]),
        ("line !~ Timeout and level = error", "", [PYTHON, POSTGRES]),
        ("took_ms != 900", "", [PYTHON, POSTGRES, FINE]),
        ("exception = SocketTimeoutException", "", [JAVA]),
        ("exception = ValueError", "", [PYTHON]),
        ("INSERT INTO orders", "", [POSTGRES]),
        ("error", "INSERT", [JAVA, PYTHON]),
        ("not (line ~ django or line ~ orders)", "", [JAVA, FINE]),
        ("not not line ~ orders", "", [POSTGRES]),
        ("time >= 08:11:26", "", [POSTGRES, FINE]),
    ],
)
def test_what_any_line_holds_is_true_of_the_message(show: str, hide: str, expected: list[tuple[str, ...]]) -> None:
    stack = Stack()
    if show:
        stack = stack.with_filter(new_filter(show, NOW))
    if hide:
        stack = stack.with_filter(new_filter(hide, NOW, excludes=True))
    assert kept(stack) == expected


def test_filters_one_upon_the_other_may_be_met_by_different_lines() -> None:
    stack = Stack((new_filter("order 7", NOW), new_filter("SocketTimeout", NOW)))
    assert kept(stack) == [JAVA]
    assert kept(Stack(minimum=Severity.ERROR)) == [JAVA, PYTHON, POSTGRES]
    assert kept(Stack(hidden=frozenset({"app"}))) == []


TYPED = (
    "took_ms > 500", "level = error", "level != error", "not (took_ms > 5 or line ~ at)", "line !~ more", "order",
    "exception = ValueError and level >= warn", "has took_ms", "not has took_ms", "time < 08:11:26 or line ~ INSERT",
    "took_ms != 12", "source = app and not origin = app.log", "a|b", "took_ms > 1 and (took_ms < 900 or not line ~ x)",
)  # fmt: skip
_FILTERS = st.lists(st.tuples(st.sampled_from(TYPED), st.booleans()), max_size=3)
_LINES = st.lists(st.sampled_from([line for each in ALL for line in each]), min_size=1, max_size=6)


@given(_FILTERS, _LINES, st.sampled_from(Severity), st.randoms(use_true_random=False))
def test_it_matters_neither_in_which_order_nor_how_often_lines_are_looked_at(
    filters: list[tuple[str, bool]], texts: list[str], minimum: Severity, chance: object
) -> None:
    found = [new_filter(typed, NOW, excludes=excludes) for typed, excludes in filters]
    judge = Stack(tuple(found), minimum=minimum).judge()
    if judge is None:
        return
    lines = parsed(tuple(texts))
    shuffled = [*lines, *lines]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    marks = 0
    for line in shuffled:
        marks = judge.marks(line, marks)
    assert judge.passes(marks) is judge.of_message(lines)
    for line in lines:
        assert judge(line) is judge.passes(judge.marks(line, 0)) is judge.of_message([line])


def test_a_message_that_cannot_be_decided_is_shown() -> None:
    stack = Stack((new_filter("(.*a){12}$", NOW),))
    judge = stack.judge()
    assert judge is not None
    hostile = parsed((f"INFO {'abcdefgh' * 60}?", f"  {'abcdefgh' * 60}?"))
    for _ in range(MOST_UNDECIDED):
        assert judge.of_message(hostile)
    assert stack.spent


def test_messages_of_several_logs_are_told_apart() -> None:
    one, other = parsed(JAVA, "a.log"), parsed(PYTHON, "b.log")
    mixed = [*one[:2], *other[:3], *one[2:], *other[3:], *parsed(FINE, "a.log")]
    assert gathered(mixed) == [one, parsed(FINE, "a.log"), other]
