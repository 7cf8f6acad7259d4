"""The colours of log lines: taken out of the text, kept where they decorate, and never more than that."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs.colours import COLOUR, coloured, shifted, stretches
from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.parse import LineParser
from tui.sources.text import clean

PARTS = st.sampled_from(
    ["a", "é漢", "\t", "\x1b", "\x1b[", "\x1b[31m", "\x1b[0m", "\x1b[m", "\x1b[1;4;38;5;208m", "\x1b[38;2;1;2;300m",
     "\x1b[38;5m", "\x1b[K", "\x1b[8;5;7m", "\x1b[2J", "\x9b31m", "\x1b[;;m", "\x1b[" + "9" * 5000 + "m", "\u202e",
     "2026-11-22T08:11:24Z ERROR ", "12 ", "[", "m", ";", "\x1f", "{", '"']
)  # fmt: skip
LINES = st.lists(PARTS, max_size=12).map("".join) | st.text(st.characters(exclude_characters="\r\n"), max_size=40)


def parse(*lines: str) -> list[LogLine]:
    return LineParser("app", "app.log").parse_all(lines, 1.0)


def looks(line: LogLine) -> list[tuple[str, str]]:
    return [(line.text[start:end], look) for start, end, look in stretches(line.colours, len(line.text))]


@pytest.mark.parametrize(
    ("codes", "look"),
    [
        ("31", "1"),
        ("1;31", "b1"),
        ("97", "15"),
        ("38;5;208", "208"),
        ("38:5:208", "208"),
        ("38;2;255;0;16;4", "u#ff0010"),
        ("31;39", ""),
        ("1;2;3;4;22;24", "i"),
        ("41;8;5;7", ""),
        ("48;5;31", ""),
        ("38;5;999", ""),
        ("38;2;1;2", ""),
        ("0;;35", "5"),
        ("9" * 5000, ""),
    ],
)
def test_what_decorates_is_kept_and_what_hides_or_blinks_is_not(codes: str, look: str) -> None:
    assert coloured(f"a\x1b[{codes}mb") == ("ab", f"1:{look}" if look else "")


def test_lines_look_where_they_looked_so_in_the_file() -> None:
    (found,) = parse("2026-11-22T08:11:24Z \x1b[32mINFO\x1b[0m \x1b[1mbold \x1b[31mred\x1b[0m end")
    assert (found.text, found.raw) == ("INFO bold red end", "2026-11-22T08:11:24Z INFO bold red end")
    assert looks(found) == [("INFO", "2"), ("bold ", "b"), ("red", "b1")]
    assert (found.level, found.at) == (Severity.INFO, 1795335084.0)


def test_a_colour_that_begins_before_the_time_goes_on_behind_it() -> None:
    (found,) = parse("\x1b[33m2026-11-22T08:11:24Z WARN x\x1b[0m")
    assert looks(found) == [("WARN x", "3")]


def test_positions_are_those_of_the_cleaned_text() -> None:
    (found,) = parse("ERROR\t\x07\x1b[31mred\x1b[m")
    assert looks(found) == [("red", "1")]


def test_the_message_of_json_may_be_coloured_and_its_line_stays_json() -> None:
    (found,) = parse(json.dumps({"level": "info", "msg": "\x1b[36mhello\x1b[0m you", "a": 1}))
    assert found.text == "hello you a=1"
    assert looks(found) == [("hello", "6")]
    assert json.loads(found.raw)["a"] == 1


def test_a_coloured_stack_trace_belongs_to_its_line() -> None:
    found = parse("2026-11-22T08:11:24Z ERROR x", "\x1b[31m    at a.b.C(D.java:1)\x1b[0m")
    assert found[1].continues
    assert looks(found[1]) == [("    at a.b.C(D.java:1)", "1")]


def test_lines_without_colours_are_held_as_before() -> None:
    (found,) = parse("2026-11-22T08:11:24Z \x1b[0mINFO x\x1b[0m")
    assert found.held == "2026-11-22T08:11:24Z INFO x"
    assert found.colours == ""


@given(LINES)
def test_the_text_is_that_of_the_line_without_them(line: str) -> None:
    text, colours = coloured(line)
    assert text == clean(COLOUR.sub("", line))
    assert re.fullmatch(r"(\d+:[bdiu]*(\d+|#[0-9a-f]{6})?( |$))*", colours)
    ends = [0, *(place for start, end, _ in stretches(colours, len(text)) for place in (start, end))]
    assert ends == sorted(ends)
    assert ends[-1] <= len(text)


@given(LINES, st.integers(0, 30))
def test_what_is_left_of_a_line_looks_as_it_did(line: str, by: int) -> None:
    text, colours = coloured(line)
    by = min(by, len(text))

    def by_character(colours: str, length: int) -> list[str]:
        found = [""] * length
        for start, end, look in stretches(colours, length):
            found[start:end] = [look] * (end - start)
        return found

    assert by_character(shifted(colours, by), len(text) - by) == by_character(colours, len(text))[by:]


@given(st.lists(LINES, max_size=4))
def test_every_line_holds_its_parts_apart(lines: list[str]) -> None:
    for line, found in zip(lines, parse(*lines), strict=True):
        assert found.raw == clean(COLOUR.sub("", line))
        assert list(stretches(found.colours, len(found.text))) is not None
        assert "\x1f" not in found.text + found.raw + found.colours
