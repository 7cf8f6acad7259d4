"""Expressions that people type: found as Python finds them, and never for long."""

import contextlib
import re
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs.expression import TooSlow, search, shape

_ATOMS = st.sampled_from(
    ["a", "z", "0", "k", " ", "-", "_", "/", ".", "*", "+?", "|", "(", ")", "[a-z]", "[^a-z]", "[0-9]*7", "[!-_]",
     "[a-f]", "[a_]", "[^0-9a]", r"\x41", r"\101", r"\d", r"\w", r"\b", r"\.", "(?:",
     "(?-i:", "{2}", "{2,}", "^", "$", "[", "]", "?", "ab", r"\1", "(?=", "(?!"]
)  # fmt: skip


@given(st.lists(_ATOMS, max_size=7).map("".join), st.text("aAbzZ07kK\u212a -_/.^@[Ff", max_size=14))
def test_it_finds_what_pythons_own_machine_finds(typed: str, text: str) -> None:
    found = search(typed)
    if found.found_in is not None:
        own = re.compile(found.expression, re.IGNORECASE if found.ignores_case else 0)
        assert found.found_in(text) == (own.search(text) is not None)


@given(st.text(max_size=12), st.text(max_size=40))
def test_no_expression_makes_it_raise_anything_else(typed: str, text: str) -> None:
    found = search(typed)
    if found.found_in is not None:
        with contextlib.suppress(TooSlow):
            assert isinstance(found.found_in(text), bool)


@pytest.mark.parametrize(
    ("expression", "repeats", "literal"),
    [
        ("orders/[0-9]*7", 1, "orders/"),
        ("error.*timeout.*db", 2, "timeout"),
        ("a|b", 0, ""),
        ("(a|b)cd", 0, "cd"),
        ("colou?r", 0, "colo"),
        (r"took\.ms=\d{1,4}", 0, "took.ms="),
        ("x{5,}", 1, ""),
        ("(a+)+$", None, ""),
        ("(a|a)*b", None, ""),
        (r"(a)\1", None, ""),
        ("(?=a)b", None, ""),
        ("(?:ab?)?c", 0, "c"),
        ("a?" * 30 + "a" * 30, None, None),
    ],
)
def test_the_shape_of_an_expression_bounds_its_work(expression: str, repeats: int | None, literal: str | None) -> None:
    found = shape(expression)
    assert found.repeats == repeats
    if literal is not None and repeats is not None:
        assert found.literal == literal


@pytest.mark.parametrize("expression", [r"(.*)*\1x", r"(\w+\s?)+:$", r"^(([a-z])+.)+[A-Z]([a-z])+$", "(.+)+b(.+)+c"])
def test_an_expression_that_would_take_years_gives_up_within_moments(expression: str) -> None:
    found_in = search(expression).found_in
    assert found_in is not None
    began, undecided = time.process_time(), 0
    for _ in range(200):
        try:
            found_in("a" * 5_000 + "!")
        except TooSlow:
            undecided += 1
    assert time.process_time() - began < 3  # a single one would take longer than this machine will last


def test_an_expression_that_was_too_slow_for_many_lines_costs_nothing_more() -> None:
    found_in = search(r"(.*a){12}$").found_in
    assert found_in is not None
    text = "abcdefgh" * 60 + "?"
    for _ in range(20):
        with pytest.raises(TooSlow):
            found_in(text)
    began = time.process_time()
    for _ in range(1000):
        with pytest.raises(TooSlow):
            found_in(text)
    assert time.process_time() - began < 1


def test_a_machine_that_is_busy_with_others_makes_no_expression_slow() -> None:
    found_in = search("orders/[0-9]*77 .*needle").found_in
    assert found_in is not None
    is_over = threading.Event()
    others = [threading.Thread(target=_burn, args=(is_over,)) for _ in range(4)]
    for other in others:
        other.start()
    try:
        text = "com.example.shop /api/orders/777 status=200 took_ms=5 " + "x" * 60
        assert not any(found_in(text) for _ in range(3_000))
    finally:
        is_over.set()
        for other in others:
            other.join()


def _burn(is_over: threading.Event) -> None:
    while not is_over.is_set():
        sum(range(10_000))
