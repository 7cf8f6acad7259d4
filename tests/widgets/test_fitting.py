import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.fitting import fit, fit_both_ends, plain, window, wrap


def test_control_characters_become_visible() -> None:
    assert plain("a\x1b[31m\x00\x7f\x9b\u202e\tb") == "a␛[31m␀␡\ufffd\ufffd b"


def test_markup_is_only_text() -> None:
    assert fit("[/red]", 8) == "[/red]  "


def test_text_too_long_ends_with_an_ellipsis() -> None:
    assert fit("abcdef", 4) == "abc…"
    assert fit("漢字漢字", 4) == "漢 …"
    assert fit("abc", 0) == ""


def test_names_of_one_family_stay_apart_when_cut() -> None:
    one, other = (f"a-very-long-deployment-7c9f8d6b5-{end}" for end in ("x2k4p", "m8q7z"))
    assert fit(one, 23) == fit(other, 23)
    assert fit_both_ends(one, 23) == "a-very-long-de…b5-x2k4p"
    assert fit_both_ends(other, 23).endswith("m8q7z")
    assert fit_both_ends("api", 5) == "api  "
    assert fit_both_ends("漢字漢字漢字漢字", 9) == "漢字 … 字"


@given(st.text(), st.integers(0, 40))
def test_a_name_cut_in_its_middle_has_exactly_the_width_and_no_control_character(text: str, width: int) -> None:
    fitted = fit_both_ends(text, width)
    assert cell_len(fitted) == width
    assert fitted.isprintable()


def test_numbers_stand_at_the_right() -> None:
    assert fit("12", 5, "right") == "   12"


def test_a_wide_character_cut_in_half_becomes_a_space() -> None:
    assert window("漢字", 1, 3) == " 字"
    assert window("漢字", 0, 3) == "漢 "


@given(st.text(), st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_fitted_text_has_exactly_the_width_and_no_control_character(text: str, width: int, align: str) -> None:
    fitted = fit(text, width, align)
    assert cell_len(fitted) == width
    assert fitted.isprintable()


@given(st.text(), st.integers(2, 20))
def test_wrapping_loses_nothing_and_is_never_too_wide(text: str, width: int) -> None:
    safe = plain(text)
    pieces = wrap(safe, width)
    assert "".join(pieces) == safe
    assert all(cell_len(piece) <= width for piece in pieces)


@given(st.text(), st.integers(0, 30), st.integers(0, 30))
def test_a_window_has_exactly_its_width(text: str, start: int, width: int) -> None:
    assert cell_len(window(plain(text), start, width)) == width


@pytest.mark.parametrize("first", ["SELECT a, b AS ", "wähle aus, b AS "])
def test_lines_break_behind_a_space_that_is_near(first: str) -> None:
    assert wrap(f"{first}application", 20) == [first, "application"]
