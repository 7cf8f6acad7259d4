"""One log line in, its level, time and text out."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs.fields import fields, pretty, value_getter
from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.parse import LineParser
from tui.sources.text import clean

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC).timestamp()
THEN = datetime(2026, 11, 22, 8, 11, 24, tzinfo=UTC).timestamp()


def parse(*lines: str) -> list[LogLine]:
    parser = LineParser("app", "app.log", UTC)
    return [parser.parse(line, NOW) for line in lines]


@pytest.mark.parametrize(
    ("line", "level", "at"),
    [
        ('{"ts":"2026-11-22T08:11:24Z","level":"error","msg":"x"}', Severity.ERROR, THEN),
        ('{"@timestamp":"2026-11-22T09:11:24+01:00","severity":"WARNING","message":"x"}', Severity.WARN, THEN),
        ('{"time":1795335084000,"level":50,"msg":"pino"}', Severity.ERROR, 1795335084.0),
        ('{"log":{"level":"warn"},"message":"ecs"}', Severity.WARN, NOW),
        ('{"@t":"2026-11-22T08:11:24Z","@l":"Error","@m":"serilog"}', Severity.ERROR, THEN),
        ('{"Timestamp":"2026-11-22T08:11:24Z","Level":"Warning","RenderedMessage":"serilog"}', Severity.WARN, THEN),
        ('{"@level":"error","@message":"raft","@timestamp":"2026-11-22T08:11:24Z"}', Severity.ERROR, THEN),
        ('{"timestamp":"2026-11-22 08:11:24 UTC","error_severity":"LOG","message":"postgres"}', Severity.INFO, THEN),
        ('{"PRIORITY":"3","MESSAGE":"x","__REALTIME_TIMESTAMP":"1795335084000000"}', Severity.ERROR, THEN),
        ('{"severityText":"Error","body":"x","time_unix_nano":"1795335084000000000"}', Severity.ERROR, THEN),
        ('{"severity_number":13,"body":"otel"}', Severity.WARN, NOW),
        (
            '{"level":200,"level_name":"INFO","message":"monolog","datetime":"2026-11-22T08:11:24Z"}',
            Severity.INFO,
            THEN,
        ),
        ('{"log_level":"ERROR","ts_ms":1795335084000}', Severity.ERROR, THEN),
        ('{"instant":{"epochSecond":1795335084,"nanoOfSecond":0},"level":"WARN"}', Severity.WARN, THEN),
        ('{"t":{"$date":"2026-11-22T08:11:24Z"},"s":"E","msg":"mongod"}', Severity.ERROR, THEN),
        ('{"time_local":"22/Nov/2026:08:11:24 +0000","status":"502","request":"GET /"}', Severity.ERROR, THEN),
        ('{"time_iso8601":"2026-11-22T08:11:24+00:00","status":404,"uri":"/"}', Severity.WARN, THEN),
        ('{"status":"500","order":7}', Severity.NONE, NOW),
        ('{"priority":1,"msg":"a job"}', Severity.NONE, NOW),
        ('{"level":{"name":"error"},"msg":"x"}', Severity.ERROR, NOW),
        ('{"level":"error","msg":"cut off', Severity.ERROR, NOW),
        ('Nov 22 08:11:24 web1 api[7]: {"level":"error","msg":"x"}', Severity.ERROR, None),
        ('2026-11-22T08:11:24Z web1 api[7]: {"level":"info","msg":"an ERROR page"}', Severity.INFO, THEN),
        ('api-1  | {"level":"warn","time":"2026-11-22T08:11:24Z"}', Severity.WARN, THEN),
        ('2026-11-22T08:11:24Z stdout F {"level":"error"}', Severity.ERROR, THEN),
        ('2026-11-22T08:11:24Z\tERROR\tcontroller\tx\t{"level":"info"}', Severity.ERROR, THEN),
        ("2026-11-22 09:11:24.000 CET [77] ERROR:  x", Severity.ERROR, THEN),
        ("[2026-11-22 03:11:24 EST] ERROR x", Severity.ERROR, THEN),
        ("11/22/2026 08:11:24 AM WARN x", Severity.WARN, THEN),
        ("Nov 22, 2026 8:11:24 AM com.example.Main run", Severity.NONE, THEN),
        ('shop.example:443 10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET / HTTP/1.1" 500 5', Severity.ERROR, THEN),
        ('10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET /\\"x\\" HTTP/1.1" 500 5', Severity.ERROR, THEN),
        ('time="2026-11-22T08:11:24Z" level=warning msg="a b"', Severity.WARN, THEN),
        ("2026-11-22 08:11:24,000 ERROR [main] x", Severity.ERROR, THEN),
        ("2026-11-22T08:11:24.000000000Z INFO x", Severity.INFO, THEN),
        ("[2026-11-22 08:11:24 +0000] [12] [INFO] Booting worker", Severity.INFO, THEN),
        ("2026/11/22 08:11:24 [error] 12#12: nginx", Severity.ERROR, THEN),
        ('2026-11-22 08:11:24.000 UTC [77] ERROR:  relation "x" does not exist', Severity.ERROR, THEN),
        ("2026-11-22 08:11:24.000 UTC [77] LOG:  checkpoint starting", Severity.INFO, THEN),
        ("2026-11-22 08:11:24.000 UTC [77] FATAL:  sorry, too many clients already", Severity.ERROR, THEN),
        ("W1122 08:11:24.000000       1 reflector.go:533] failed", Severity.WARN, THEN),
        ("1:M 22 Nov 2026 08:11:24.000 # Out Of Memory", Severity.WARN, THEN),
        ('10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET / HTTP/1.1" 200 5', Severity.INFO, THEN),
        ('10.0.0.1 - bob [22/Nov/2026:08:11:24 +0000] "GET / HTTP/1.1" 404 5 "-" "x"', Severity.WARN, THEN),
        ('10.0.0.1 - - [22/Nov/2026:09:11:24 +0100] "GET / HTTP/1.1" 503 5', Severity.ERROR, THEN),
        ("<11>app: kernel says no", Severity.ERROR, NOW),
        ("ERROR something broke", Severity.ERROR, NOW),
        ("just words about an errorless day", Severity.NONE, NOW),
        ("", Severity.NONE, NOW),
        ("{not json", Severity.NONE, NOW),
        ("9999-99-99 99:99:99 INFO no such day", Severity.INFO, NOW),
    ],
)
def test_level_and_time_are_found_in_every_usual_form(line: str, level: Severity, at: float | None) -> None:
    (found,) = parse(line)
    assert (found.level, found.at) == (level, found.at if at is None else at)


def test_an_object_behind_a_name_shows_its_message_first_and_has_fields() -> None:
    raw = 'Nov 22 08:11:24 web1 api[7]: {"level":"error","msg":"no stock","order":{"id":7}}'
    (found,) = parse(raw)
    assert found.text == 'web1 api[7]: no stock order={"id":7}'
    assert found.raw == raw
    assert dict(fields(raw))["order.id"] == "7"
    assert value_getter("order.id")(raw) == 7
    assert '"id": 7' in pretty(raw)


def test_the_half_of_the_day_is_heeded() -> None:
    noon, night, evening = (
        found.at for found in parse(*(f"11/22/2026 {time} x" for time in ("12:11:24 PM", "12:11:24 AM", "08:11:24 PM")))
    )
    assert (noon - THEN, night - THEN, evening - THEN) == (4 * 3600, -8 * 3600, 12 * 3600)


def test_quoted_values_are_what_was_meant_by_them() -> None:
    raw = r'level=info msg="request \"done\"" path="C:\\x" n=1'
    assert dict(fields(raw)) == {"level": "info", "msg": 'request "done"', "path": r"C:\x", "n": "1"}
    assert value_getter("msg")(raw) == 'request "done"'


def test_a_json_line_shows_its_message_first_and_keeps_the_whole_line() -> None:
    raw = '{"ts":"2026-11-22T08:11:24Z","level":"info","msg":"order placed","order":7,"who":"a b","none":null}'
    (found,) = parse(raw)
    assert found.text == 'order placed order=7 who="a b"'
    assert found.raw == raw


def test_an_access_line_shows_status_and_request_first() -> None:
    (found,) = parse('10.0.0.1 - bob [22/Nov/2026:08:11:24 +0000] "GET /x HTTP/1.1" 404 5 "-" "shop" rt=0.003')
    assert found.text == '404 GET /x HTTP/1.1 10.0.0.1 bob 5 "-" "shop" rt=0.003'


def test_an_object_of_a_known_shape_may_change_the_kinds_of_its_values() -> None:
    _, odd = parse('{"level":"info","msg":"x"}', '{"level":{"a":1},"msg":[1,2]}')
    assert (odd.level, odd.text) == (Severity.NONE, "[1,2]")


def test_formats_may_be_mixed_in_one_file() -> None:
    levels = [line.level.name for line in parse('{"level":"warn"}', "level=error", "INFO x", "x")]
    assert levels == ["WARN", "ERROR", "INFO", "NONE"]


def test_a_stack_trace_belongs_to_the_line_it_follows() -> None:
    python = [
        '{"ts":"2026-11-22T08:11:24Z","level":"error","msg":"checkout failed"}',
        "Traceback (most recent call last):",
        '  File "/srv/x.py", line 212, in place_order',
        "orders.inventory.OutOfStock: SKU-00412: 3 wanted, 1 left",
        "the next thing happens",
    ]
    found = parse(*python)
    assert [line.level.name for line in found] == ["ERROR", "ERROR", "ERROR", "ERROR", "NONE"]
    assert {line.at for line in found[:4]} == {THEN}
    java = ["2026-11-22 08:11:24 ERROR x", "java.net.SocketTimeoutException: Read timed out", "\tat a.B.c(B.java:1)",
            "Caused by: java.io.IOException: reset", "\t... 3 more"]  # fmt: skip
    assert {line.level for line in parse(*java)} == {Severity.ERROR}


def test_only_a_line_with_a_level_of_its_own_counts_as_an_error() -> None:
    parser = LineParser("app", "app.log")
    found = [parser.parse(line, NOW) for line in ("ERROR x", "  at y", "Caused by: z", "INFO fine")]
    assert parser.errors == 1
    assert [line.continues for line in found] == [False, True, True, False]


@pytest.mark.parametrize("zone", ["", "Z"])
def test_times_within_one_second_differ_by_their_fraction(zone: str) -> None:
    texts = (f"2026-11-22 08:11:24.{fraction}{zone} INFO x" for fraction in ("5", "25", "125000", "000000001"))
    assert [line.at for line in parse(*texts)] == [THEN + 0.5, THEN + 0.25, THEN + 0.125, pytest.approx(THEN, abs=1e-6)]


_TIMES = st.builds(
    "{}2026-11-22{}08:11:{}{}{}{}{}".format,
    st.sampled_from(["", "", "["]),
    st.sampled_from([" ", "T"]),
    st.sampled_from(["24", "24", "25"]),
    st.sampled_from(["", ",5", ".125", ".125000", ",000000001", ",", ".1x"]),
    st.sampled_from(["", "", "Z", " UTC", "+01:00", " +0000"]),
    st.sampled_from(["", "", "]"]),
    st.sampled_from([" ", " ", "", "  ", "\t", ": "]),
)
_RESTS = st.sampled_from(
    [
        "INFO  x",
        "ERROR x",
        "ERROR",
        "[main] WARN x",
        "UTC x",
        "Z",
        "+01:00 x",
        "-03 x",
        "GMT",
        "CET x",
        '{"level":"error"}',
        'INFO x {"level":"error"}',
        'api: {"level":"info","msg":"ERROR"}',
        "x",
        "",
        " ",
        "é",
        "\x1b[1m",
    ]
)


@given(
    st.lists(st.builds("{}{}".format, _TIMES, _RESTS) | st.sampled_from(["\tat x", "x", "Caused by: y"]), max_size=8)
)
def test_many_lines_at_once_are_what_each_is_by_itself(lines: list[str]) -> None:
    at_once = LineParser("app", "app.log", UTC)
    one_by_one = LineParser("app", "app.log", UTC)
    assert at_once.parse_all(lines, NOW) == [one_by_one.parse(line, NOW) for line in lines]
    assert at_once.errors == one_by_one.errors


def test_colours_are_stripped_and_every_other_control_sequence_becomes_visible() -> None:
    (found,) = parse("\x1b[31mERROR\x1b[0m \x1b]0;x\x07 [/red]")
    assert (found.level, found.text) == (Severity.ERROR, "ERROR ␛]0;x␇ [/red]")


def test_a_json_string_cannot_smuggle_a_control_character() -> None:
    (found,) = parse(json.dumps({"msg": "\x1b]0;x\x07", "k\x9b": "\u202e"}))
    assert found.text == clean(found.text)
    assert "␛]0;x␇" in found.text


@pytest.mark.parametrize("value", ["9" * 400, "-" + "9" * 400, "1e400", "NaN", f'"{"9" * 39}"'])
def test_a_time_of_any_size_is_only_a_number(value: str) -> None:
    (line,) = parse(f'{{"time": {value}, "msg": "x"}}')
    assert line.text.startswith("x")


def test_fields_of_json_are_flat_and_of_an_access_line_are_named() -> None:
    assert fields('{"a":{"b":1},"c":[1,2]}') == (("a.b", "1"), ("c", "[1,2]"))
    access = dict(fields('10.0.0.1 - bob [22/Nov/2026:08:11:24 +0000] "GET /x HTTP/1.1" 404 5 "-" "x" rt=0.003'))
    assert (access["status"], access["request"], access["rt"]) == ("404", "GET /x HTTP/1.1", "0.003")
    assert fields('level=warn msg="a b" n=1') == (("level", "warn"), ("msg", "a b"), ("n", "1"))


def test_pretty_is_for_json_only() -> None:
    assert pretty('{"a":1}') == '{\n  "a": 1\n}'
    assert pretty("plain") == ""


_PIECES = st.sampled_from(
    ["2026-11-22 08:11:24", "{", "}", '"level":', '"error"', "level=", "[", '] "', " - - ", "I1122 08:11:24.123456 ",
     "1:M ", "22 Nov 2026", "Traceback (most recent call last):", "\x1b[31m", "\x1b]0;x\x07", "\x9b", "\u202e", "\r",
     "\0", "<999>", "9" * 5000, "\ud800", "[/red]", "22/Nov/2026:08:11:24 +0000", "Nov 31 08:11:24 ",
     ' {"', '":', '"}', '\\"', "CET", "8:11:24 PM ", '"$date"', '"instant":{"epochSecond":']
)  # fmt: skip


@given(st.lists(st.lists(st.text(max_size=8) | _PIECES, max_size=8).map("".join), max_size=5))
def test_no_lines_make_it_raise_or_let_a_control_character_through(lines: list[str]) -> None:
    for found in parse(*lines):
        assert found.text == clean(found.text)
        assert found.raw == clean(found.raw)
        assert all(value == clean(value) for pair in fields(found.raw) for value in pair)
        assert all(line == clean(line) for line in pretty(found.raw).split("\n"))


def test_a_crash_behind_something_harmless_is_an_error_of_its_own() -> None:
    found = parse("2026-11-22T08:11:24Z INFO all is well", "Traceback (most recent call last):", '  File "x", line 1',
                  "ValueError: x")  # fmt: skip
    assert [line.level for line in found] == [Severity.INFO, Severity.ERROR, Severity.ERROR, Severity.ERROR]
    assert [line.continues for line in found] == [False, False, True, True]


def test_the_trace_of_a_warning_belongs_to_it() -> None:
    found = parse("2026-11-22T08:11:24Z WARNING again", "Traceback (most recent call last):", "ValueError: x")
    assert [line.level for line in found] == [Severity.WARN] * 3
    assert [line.continues for line in found] == [False, True, True]


@pytest.mark.parametrize(
    "lines",
    [
        ('Exception in thread "main" java.lang.NullPointerException: x', "\tat a.B.c(B.java:1)", "Caused by: a.b.C: y"),
        ("java.lang.OutOfMemoryError: Java heap space", "\tat a.B.c(B.java:1)"),
        ("Unhandled exception. System.InvalidOperationException: x", "   at Program.Main() in /app/Program.cs:line 5"),
        ("TypeError: Cannot read properties of undefined (reading 'x')", "    at Object.<anonymous> (/app/a.js:1:2)"),
        ("thread 'main' panicked at src/main.rs:4:5:",),
        ("Segmentation fault (core dumped)",),
        ("ValueError",),
    ],
)
def test_a_program_that_dies_is_an_error_with_what_belongs_to_it(lines: tuple[str, ...]) -> None:
    found = parse("starting", *lines)
    assert [line.level for line in found] == [Severity.NONE] + [Severity.ERROR] * len(lines)
    assert [line.continues for line in found[1:]] == [False] + [True] * (len(lines) - 1)


@pytest.mark.parametrize(
    "line", ["ErrorHandler ready", "TypeErrors are rare", "Exceptional weather", "no ValueError: x"]
)
def test_words_that_only_sound_like_a_crash_are_none(line: str) -> None:
    assert parse(line)[0].level is Severity.NONE


def test_chained_python_traces_are_one_with_their_blank_lines() -> None:
    found = parse("2026-11-22T08:11:24Z ERROR x", "Traceback (most recent call last):", "    f()", "TimeoutError: db",
                  "", "During handling of the above exception, another exception occurred:", "",
                  "Traceback (most recent call last):", "    g()", "RuntimeError: wrapped")  # fmt: skip
    assert [line.continues for line in found] == [False] + [True] * 9
    assert {line.at for line in found} == {found[0].at}


def test_a_panic_of_go_is_an_error_with_its_goroutines() -> None:
    found = parse("2026-11-22T08:11:24Z ERROR before", "panic: index out of range", "", "goroutine 1 [running]:",
                  "main.main()", "\t/app/main.go:5 +0x1d", "exit status 2", "2026-11-22T08:11:25Z INFO x")  # fmt: skip
    assert [line.continues for line in found] == [False, False, True, True, True, True, True, False]
    assert found[1].level is Severity.ERROR


def test_what_postgresql_tells_of_an_error_belongs_to_it() -> None:
    head = "2026-11-22 08:11:24.123 UTC [12] app@shop "
    found = parse(f"{head}ERROR:  deadlock detected", f"{head}DETAIL:  Process 1 waits", f"{head}STATEMENT:  UPDATE x",
                  f"{head}LOG:  statement: SELECT 1", f"{head}STATEMENT:  alone")  # fmt: skip
    assert [line.continues for line in found] == [False, True, True, False, False]
    assert [line.level for line in found] == [Severity.ERROR] * 3 + [Severity.INFO] * 2
