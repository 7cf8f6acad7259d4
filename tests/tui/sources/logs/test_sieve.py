"""What is left out before parsing is never a line that passes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.messages import messages
from tui.sources.logs.parse import LineParser
from tui.sources.logs.sieve import Held, above, held_of, holding, sieve_of
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
    '{{"s":"info","Level":"{0}","msg":"{1}"}}',
    '{{"s":"info","msg":"{1}","@level":"{0}"}}',
    '{{"@l":"{0}","s":"info"}}',
    '{{"error_severity":"{0}","s":"info"}}',
    '{{"lvl":"info","log_level":"{0}"}}',
    '{{"s":"info","logLevel":"{0}"}}',
    '{{"LEVEL":"{0}","s":"info","level_name":"error"}}',
    'Nov 22 08:11:24 web1 api: {{"level":"{0}","msg":"{1}"}}',
    '2026-11-22T08:11:24Z {0} x {{"level":"error"}}',
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
    "exception = FooException", "$1 = plain", "msg !~ done", "took_ms >= 6 or status = 404",
    "msg = done", "line ~ error and took_ms < 900", "time > 2020-01-01 and level >= error",
)  # fmt: skip


NUMBERS = ("took_ms=6", "took_ms=5 done", '{"took_ms":900,"msg":"x"}', "\x1b[31mtook_ms\x1b[0m=\x1b[1m900",
           '{"msg":"d\\u006fne"}', "DONE", "    at a.Done(b:1)", '{"level":"error","took_ms":"7ms"}')  # fmt: skip
FIRST = "2026-11-22 08:11:24 INFO  first"


@settings(max_examples=400)
@given(
    st.lists(st.one_of(_LINES, st.lists(st.sampled_from(NUMBERS), max_size=3)), max_size=4),
    st.lists(st.tuples(st.sampled_from(TYPED), st.booleans()), min_size=1, max_size=3),
)
def test_no_filter_loses_a_message_by_what_is_left_out(parts: list[list[str]], typed: list[tuple[str, bool]]) -> None:
    stack = Stack(tuple(new_filter(each, NOW, excludes=excludes) for each, excludes in typed))
    judge, sieve = stack.judge(), sieve_of(stack)
    assert judge is not None
    data = "".join(f"{line}\n" for line in [FIRST, *(line for part in parts for line in part)]).encode()

    def passing(lines: bytes) -> list[list[tuple[object, ...]]]:
        return [[line[1:] for line in each] for each in messages(parsed(lines)) if judge.of_message(each)]

    assert passing(sieve(data) if sieve else data) == passing(data)


def test_a_rare_word_is_found_whatever_its_case_wherever_it_stands() -> None:
    others = b"y\n" * 9
    needles = b"a Needle\nb\nneedle and PIN\n" + others + b"x pin"
    assert holding(needles, held("needle", "pin")) == b"needle and PIN\n"
    assert holding(others + b"x pin", held("pin")) == b"x pin"


def test_a_word_that_most_lines_hold_leaves_nothing_out() -> None:
    assert holding(b"a pin\npin\nb\n", held("pin")) == b"a pin\npin\nb\n"


def test_what_is_not_written_as_it_is_meant_leaves_nothing_out() -> None:
    others = b"y\n" * 9
    for line in (b'{"msg":"\\u0070in"}\n', b"p\x1b[31min\n", "\u017f pin\n".encode()):
        assert holding(others + line, held("pin")) == others + line
    assert holding(others + b"y\x1b[31m\n", held("pin")) == b""
    assert holding(others + b'{"msg":"\\u00e4"}\n', held("pin")) == b""


def held(*typed: str) -> Held:
    return held_of(new_filter(each, NOW).query for each in typed)


def test_what_is_known_of_messages_that_pass() -> None:
    assert held("refused .*x").said == [b"refused"]
    assert held("level = error", "12") == Held([], [], [])
    assert held("path ~ ^/login and owner = Ann")[:2] == ([b"owner"], [b"ann", b"login"])
    assert held("path ~ ^/login or line ~ log").said == []
    assert held("source = app", "origin ~ app") == Held([], [], [])
    (found,) = held("took_ms > 5 or status >= 500").found
    assert [bool(found.search(line)) for line in (b"took_ms=5", b"took_ms=6", b"status=499", b"status=500")] == [
        False,
        True,
        False,
        True,
    ]
