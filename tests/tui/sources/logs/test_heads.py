"""What begins a message, told from bytes, never goes on from a line before it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.sources.logs.heads import head_before, next_head
from tui.sources.logs.line import LogLine
from tui.sources.logs.parse import LineParser
from tui.sources.logs.splitter import split

NOW = 1_795_335_084.0
PIECES = (
    "ERROR", "INFO", "WARN", "2026-11-22 08:11:24", "2026-11-22T08:11:24Z", " ", "  ", "\t", ":", ": ", ":  ", "DETAIL",
    "DETAIL:  ", "STATEMENT:  ", "\x1b[31m", "\x1b[0m", "Traceback (most recent call last):", "Caused by: ", "panic: ",
    "goroutine 7 [running]:", "main.main()", "created by main.f in goroutine 1", "exit status 2", "a.b.FooError",
    "FooError", "a", "foo", ".", "/", "-", "(", ")", "x)", "{", "}", '{"level":"info","msg":"x"}', "[", '"', "E1122",
    "The above exception was", "Suppressed: ", "During handling of the above", "Stack trace:", "ü", "\ud7ff", "\u200b",
    "\r", "\x00", "level=error", "$", "_x", "*", "in goroutine 7", " in goroutine 7", "at a.b(c:1)", "7",
)  # fmt: skip
_TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map("".join), max_size=12)


def heads(data: bytes) -> list[int]:
    found, at = list[int](), next_head(data, 0)
    while at >= 0:
        found.append(at)
        line_end = data.find(b"\n", at)
        at = next_head(data, line_end + 1) if line_end >= 0 else -1
    return found


def parsed(data: bytes) -> list[LogLine]:
    return LineParser("app", "app.log").parse_all(split(data), NOW)


@given(_TEXTS)
@example(["2026-11-22 08:11:24 ERROR x", "2026-11-22 08:11:24 INFO  DETAIL: \x1b[0m x"])
@example(["ERROR x", "Foo\x1b[0mError: y"])
@example(["2026-11-22 08:11:24 WARN x", '{"level":"info","msg":" HINT:  x"}'])
def test_no_line_that_goes_on_is_told_to_begin_a_message(texts: list[str]) -> None:
    data = "\n".join(["ERROR before", *texts]).encode()
    starts, at = set(heads(data)), 0
    for raw, line in zip(data.split(b"\n"), parsed(data), strict=True):
        assert not (line.continues and at in starts), raw
        at += len(raw) + 1


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 08:11:24,123 ERROR [main] x",
        '{"level":"info"}',
        'time="2026-11-22T08:11:24Z" level=info',
        "level=info took=1",
        "E1122 08:11:24.123456       1 x.go:5] x",
        "Nov 22 08:11:24 host app[12]: x",
        '10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET / HTTP/1.1" 200 5',
        "[2026-11-22 08:11:24 +0000] [12] [INFO] x",
        "INFO  app started",
        "started",
        "<34>1 2026-11-22T08:11:24Z host app - - x",
        "1:M 22 Nov 2026 08:11:24.000 # x",
    ],
)
def test_the_usual_first_lines_are_told(text: str) -> None:
    assert next_head(text.encode(), 0) == 0


def test_the_beginning_of_a_message_is_found_before_and_behind_a_line() -> None:
    data = b"7 a\n\tat b\nCaused by: c\n8 d\n"
    assert head_before(data, data.index(b"Caused")) == 0
    assert head_before(data, data.index(b"Caused"), 4) == 4
    assert next_head(data, 4) == data.index(b"8")
    assert next_head(data, data.index(b"8") + 4) == -1
