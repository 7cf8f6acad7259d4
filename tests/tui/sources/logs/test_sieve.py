"""What is left out before parsing is never a line that passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.parse import LineParser
from tui.sources.logs.sieve import above, sieve_of, with_words
from tui.sources.logs.splitter import split
from tui.sources.logs.stack import Stack, new_filter

NOW = 1_795_335_084.0
LEVELS = (
    "TRACE",
    "DEBUG",
    "INFO ",
    "INFO",
    "NOTICE",
    "WARN",
    "WARNING",
    "ERROR",
    "FATAL",
    "info",
    "warn",
    "error",
    "x",
)
FORMS = (
    "2026-11-22 08:11:24,123 {0} [main] took_ms=7 {1}",
    "2026-11-22T08:11:24Z {0} {1}",
    "2026-11-22T08:11:24.123456+01:00 [{0}] {1}",
    "2026-11-22 08:11:24 [worker-1] {0} {1}",
    "2026/11/22 08:11:24 [{0}] 12#12: {1}",
    "[2026-11-22 08:11:24 +0000] [12] [{0}] {1}",
    'time="2026-11-22T08:11:24Z" level={0} msg="{1}"',
    "ts=2026-11-22T08:11:24Z level={0} took_ms=9 {1}",
    "level={0} {1}",
    '{{"ts":"2026-11-22T08:11:24Z","level":"{0}","msg":"{1}"}}',
    '{{"level": "{0}", "took_ms": 5, "inner": {{"level": "error"}}, "msg": "{1}"}}',
    '{{"inner": {{"level": "info"}}, "level": "{0}"}}',
    '{{"severity":"info","level":"{0}","msg":"{1}"}}',
    '{{"level":"info","level":"{0}"}}',
    '{{"lvl":"{0}","severity":"info"}}',
    '{{"level":"{0}","msg":"{1}"',
    '{{"log":{{"level":"{0}"}},"s":"info"}}',
    "I1122 08:11:24.123456       1 x.go:5] {1}",
    "W1122 08:11:24.123456       1 x.go:5] {1}",
    '10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET /{1} HTTP/1.1" 200 5',
    '10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET /{1} HTTP/1.1" 404 5',
    '10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET /{1} HTTP/1.1" 503 5',
    "1:M 22 Nov 2026 08:11:24.000 # {1}",
    "Nov 22 08:11:24 host app: {0} {1}",
    "    at com.example.Foo.bar(Foo.java:7)",
    "Caused by: java.lang.IllegalStateException: {1}",
    "org.acme.FooException: {1}",
    "Traceback (most recent call last):",
    "plain {0} {1}",
    "",
)
MESSAGES = (
    "done",
    "ERROR in it",
    "[error]",
    "level=error",
    '\\"level\\":\\"error\\"',
    "\x1b[31mred",
    "ü",
    "took_ms=900",
)
_LINES = st.lists(
    st.builds(str.format, st.sampled_from(FORMS), st.sampled_from(LEVELS), st.sampled_from(MESSAGES)), max_size=25
)


def parsed(data: bytes) -> list[LogLine]:
    texts = split(data.removesuffix(b"\n")) if data else []
    return LineParser("app", "app.log").parse_all(texts, NOW)


@given(_LINES, st.sampled_from((Severity.WARN, Severity.ERROR)), st.booleans())
def test_every_line_of_a_level_is_left_as_it_would_be_among_all(lines: list[str], least: Severity, ends: bool) -> None:
    data = ("\n".join(lines) + ("\n" if ends else "")).encode()
    sieve = above(least)
    assert sieve is not None
    wanted = [line[1:] for line in parsed(data) if line.level >= least]
    assert [line[1:] for line in parsed(sieve(data)) if line.level >= least] == wanted


@pytest.mark.parametrize("form", FORMS[:2] + FORMS[3:4] + FORMS[6:8] + FORMS[9:10])
def test_harmless_lines_of_the_usual_forms_are_left_out_but_for_the_last(form: str) -> None:
    block = (f"{form.format('INFO', 'done')}\n" * 50).encode()
    for least in (Severity.WARN, Severity.ERROR):
        sieve = above(least)
        assert sieve is not None
        assert sieve(block).count(b"\n") == 1


@pytest.mark.parametrize("least", [Severity.NONE, Severity.DEBUG, Severity.INFO])
def test_nothing_is_left_out_for_a_level_that_most_lines_have(least: Severity) -> None:
    assert above(least) is None


TYPED = (
    "took_ms > 5", "level = error", "level >= warn and took_ms > 5", "level = error or took_ms > 5",
    "not level = error", "level != error", "level < error", "took_ms != 7", "msg ~ done", "not (took_ms > 5)",
    "inner.level = error", "status >= 400", "has took_ms", "level > info or level = warn", "done", "/do+ne$/",
    "exception = FooException", "$1 = plain", "msg !~ done", "time > 2020-01-01 and level >= error",
)  # fmt: skip


@given(_LINES.filter(lambda lines: not any(line[:1] in (" ", "C", "T", "o") for line in lines)), st.sampled_from(TYPED))
def test_no_filter_loses_a_line_by_what_is_left_out(lines: list[str], typed: str) -> None:
    # Parts of stack traces are left out: by words they are found without the line that they belong to.
    stack = Stack((new_filter(typed, NOW),))
    passes, sieve = stack.judge(), sieve_of(stack)
    assert passes is not None
    data = "".join(f"{line}\n" for line in lines).encode()
    wanted = [line.raw for line in parsed(data) if passes(line)]
    assert [line.raw for line in parsed(sieve(data) if sieve else data) if passes(line)] == wanted


def test_a_rare_word_is_found_whatever_its_case_wherever_it_stands() -> None:
    others = b"y\n" * 9
    needles = b"a Needle\nb\nneedle and PIN\n" + others + b"x pin"
    assert with_words(needles, [b"needle", b"pin"]) == b"needle and PIN\n"
    assert with_words(others + b"x pin", [b"pin"]) == b"x pin"


def test_a_word_that_most_lines_hold_leaves_nothing_out() -> None:
    assert with_words(b"a pin\npin\nb\n", [b"pin"]) == b"a pin\npin\nb\n"
