import time

import pytest

from widgets.text_filter import compile_filter, compile_typed


@pytest.mark.parametrize(
    ("typed", "text", "passes"),
    [
        ("api", "shop/API-1", True),
        ("!api", "shop/API-1", False),
        ("/^shop.*1$/", "SHOP/api-1", True),
        ("!/^shop/", "shop", False),
        ("/shop", "the shop", True),
        ("[/red]", "pod[/red]", True),
        (" api ", "api", True),
    ],
)
def test_what_passes(typed: str, text: str, passes: bool) -> None:
    matches = compile_filter(typed).matches
    assert matches is not None
    assert matches(text) is passes


@pytest.mark.parametrize("typed", ["", "  ", "!", "/", "!/"])
def test_nothing_typed_filters_nothing(typed: str) -> None:
    assert compile_filter(typed).matches is None


def test_a_broken_expression_says_so_and_filters_nothing() -> None:
    broken = compile_filter("/[/")
    assert broken.matches is None
    assert "unterminated" in broken.error


def test_an_expression_that_would_take_years_finds_nothing_within_moments() -> None:
    typed = compile_typed(r"(.*a){12}$")
    began = time.process_time()
    assert typed.search("abcdefgh" * 60 + "?") is None
    assert list(typed.finditer("abcdefgh" * 60 + "?")) == []
    assert time.process_time() - began < 1
