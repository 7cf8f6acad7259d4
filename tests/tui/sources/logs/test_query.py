"""What a person types → which lines are meant."""

import contextlib
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs.expression import TooSlow
from tui.sources.logs.fields import address, exception, fields, getter, number, shape_of
from tui.sources.logs.line import LogLine
from tui.sources.logs.parse import LineParser
from tui.sources.logs.query import query
from tui.sources.logs.stack import Stack, new_filter
from tui.sources.logs.times import typed_moment

NOW = 1_795_335_084.0
"""2026-11-22 08:11:24 UTC."""

SLOW = '{"level":"info","event":"request","endpoint":"/login","processing_time_ms":1500,"user":{"id":7}}'
FAST = '{"level":"error","event":"request","endpoint":"/cart","processing_time_ms":12}'
LOGFMT = 'level=warn event=login_failed source_ip=10.0.0.7 took=1500ms msg="no such user"'
ACCESS = '10.1.2.3 - - [22/Nov/2026:08:11:24 +0000] "GET /api/orders/7?x=1 HTTP/1.1" 502 512 took_ms=31'
PLAIN = "2026-11-22 08:11:20 ERROR com.example.PaymentError: card refused"


def line(text: str) -> LogLine:
    return LineParser("app", "app.log", UTC).parse(text, NOW)


def meant(typed: str, *texts: str) -> list[str]:
    test = query(typed, NOW).test
    assert test is not None
    return [text for text in texts if test(line(text))]


ALL = (SLOW, FAST, LOGFMT, ACCESS, PLAIN)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("processing_time_ms > 1000", [SLOW]),
        ("processing_time_ms <= 12", [FAST]),
        ("took > 1s", [LOGFMT]),
        ("took > 2s", []),
        ("level = ERROR", [FAST, ACCESS, PLAIN]),
        ("level >= warn", [FAST, LOGFMT, ACCESS, PLAIN]),
        ("level = ERROR and endpoint ~ /cart", [FAST]),
        ("level = error and not endpoint ~ ^/cart$", [ACCESS, PLAIN]),
        ("endpoint = /login or source_ip = 10.0.0.7", [SLOW, LOGFMT]),
        ("(endpoint = /login or source_ip = 10.0.0.7) and level >= warn", [LOGFMT]),
        ("user.id = 7", [SLOW]),
        ("status >= 500", [ACCESS]),
        ("path ~ ^/api/", [ACCESS]),
        ("method = GET and took_ms < 100", [ACCESS]),
        ('msg = "no such user"', [LOGFMT]),
        ("exception = PaymentError", [PLAIN]),
        ("$4 ~ PaymentError", [PLAIN]),
        ("has source_ip", [LOGFMT]),
        ("endpoint != /cart and has endpoint", [SLOW]),
        ("time < 08:11:23", [PLAIN]),
        ("time >= 2026-11-22 08:11:24 and source = app", [SLOW, FAST, LOGFMT, ACCESS]),
        ("/processing_time_ms > 1000/", []),
        ("login", [SLOW, LOGFMT]),
        ("Login", []),
    ],
)
def test_lines_are_chosen_by_fields_levels_times_and_words(typed: str, expected: list[str]) -> None:
    assert meant(typed, *ALL) == expected


@pytest.mark.parametrize("typed", ["a->b", "status=502", "x = y and", "if (a > b", "a > b c"])
def test_what_is_not_written_as_comparisons_is_an_expression(typed: str) -> None:
    assert not query(typed, NOW).asks_fields


@pytest.mark.parametrize(
    ("typed", "words"),
    [("took > soon", "no number"), ("path ~ [", "not a regular"), ("time > noon", "a time is"), ("(", "not a regular")],
)
def test_what_cannot_be_meant_says_why(typed: str, words: str) -> None:
    assert words in query(typed, NOW).error


_WORDS = st.sampled_from(
    ["level", "took_ms", "=", ">", "~", "and", "or", "not", "(", ")", "ERROR", "7", '"', "/", "has", "$2", "time", "!=",
     "-5m", "9" * 400, "1e999", "[", "\\"]
)  # fmt: skip


@given(st.lists(_WORDS, max_size=9).map(" ".join), st.sampled_from(ALL) | st.text(max_size=60))
def test_nothing_a_person_types_makes_it_raise(typed: str, text: str) -> None:
    test = query(typed, NOW).test
    if test is not None:
        with contextlib.suppress(TooSlow):
            test(line(text))


@given(st.text(max_size=200), st.sampled_from(["a", "$1", "$0", "status", "path", "a.b", "exception", "[", "address"]))
def test_no_line_makes_the_search_for_a_field_raise(text: str, name: str) -> None:
    raw = line(text).raw
    assert getter(name)(raw) is None or isinstance(getter(name)(raw), str)
    fields(raw)
    shape_of(raw)


def test_one_field_is_found_as_all_are() -> None:
    for text in ALL:
        for name, value in fields(text):
            assert getter(name)(text) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a=1 took=2", "2"),
        ("overtook=1 took=2", "2"),
        ('(took="a b")', "a b"),
        ("[took=7]", "7]"),
        ("overtook=1", None),
        ("took=", ""),
        ('10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET /x?took=5 HTTP/1.1" 200 5 took=9', "9"),
    ],
)
def test_a_pair_begins_where_a_word_does(raw: str, value: str | None) -> None:
    assert getter("took")(raw) == value


def test_a_part_of_an_access_line_is_found_though_its_address_names_one_too() -> None:
    assert getter("status")('10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET /x?status=5 HTTP/1.1" 200 5') == "200"


def test_numbers_are_compared_as_they_stand_in_json_and_true_is_none() -> None:
    lines = ('{"took":5,"x":[]}', '{"took":"5ms"}', '{"took":5.5}', '{"took":true}', '{"took":null}', '{"took":[5]}')
    assert meant("took >= 5", *lines) == list(lines[:3])
    assert meant("took != 5", *lines) == list(lines[2:])
    assert meant("took = 5.5", *lines) == [lines[2]]


def test_a_number_has_a_unit_or_none() -> None:
    assert [number("12"), number("1.5s"), number("1500ms", "s"), number("2", "s"), number("x")] == [
        12,
        1.5,
        1.5,
        2,
        None,
    ]


def test_a_line_names_its_error_and_its_client() -> None:
    assert exception("x org.acme.FooException: y") == "FooException"
    assert address("Failed password for root from 203.0.113.9 port 22") == "203.0.113.9"


def test_lines_that_differ_in_numbers_and_ids_say_the_same() -> None:
    assert shape_of("order 17 took 3.5 ms") == shape_of("order 9 took 12.25 ms")
    assert shape_of("trace=0af7651916cd43dd failed") == shape_of("trace=b7ad6b7169203331 failed")
    assert shape_of("orders failed") != shape_of("payments failed")


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("08:00", -684), ("8:11:24", 0), ("09:00", 2916 - 86400), ("-5m", -300), ("2026-11-22 08:10", -84),
     ("2026-11-22T09:11:24+01:00", 0), ("08:11:23.5", -0.5)],
)  # fmt: skip
def test_a_time_is_typed_as_people_say_it(typed: str, seconds: float) -> None:
    assert typed_moment(typed, NOW, UTC) == pytest.approx(NOW + seconds)


@given(st.text("0123456789:-+TZ ., smhd", max_size=25))
def test_no_time_that_is_typed_raises_anything_but_a_value_error(typed: str) -> None:
    with contextlib.suppress(ValueError):
        typed_moment(typed, NOW, UTC)


def test_filters_stack_and_toggle() -> None:
    stack = Stack().with_filter(new_filter("level >= warn", NOW)).with_filter(new_filter("cart", NOW, excludes=True))

    def passing(stack: Stack) -> list[str]:
        judge = stack.judge()
        return [text for text in ALL if judge is None or judge(line(text))]

    assert passing(stack) == [LOGFMT, ACCESS, PLAIN]
    assert passing(stack.toggled(0)) == [SLOW, LOGFMT, ACCESS, PLAIN]
    assert passing(stack.toggled(1)) == [FAST, LOGFMT, ACCESS, PLAIN]
    assert passing(stack.without(1).without(0)) == list(ALL)
    assert not stack.turned(on=False).hides
    assert passing(stack.turned(on=False).turned(on=True)) == passing(stack)


def test_a_filter_that_is_too_slow_hides_nothing_and_says_so() -> None:
    hostile = line("INFO " + "abcdefgh" * 60 + "?")
    for excludes in (False, True):
        stack = Stack().with_filter(new_filter(r"(.*a){12}$", NOW, excludes=excludes))
        judge = stack.judge()
        assert judge is not None
        assert all(judge(hostile) for _ in range(10))
        assert [one.typed for one in stack.spent] == [r"(.*a){12}$"]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("status>=500", ("status",)),
        ("level=error", ()),
        ("level>=warn and took>1.5s", ("took",)),
        ("(status>=500 or took!=0)", ("status", "took")),
        ("has user.id", ("user.id",)),
    ],
)
def test_comparisons_with_numbers_need_no_blanks(typed: str, names: tuple[str, ...]) -> None:
    found = query(typed, NOW)
    assert found.asks_fields
    assert found.names == names


@pytest.mark.parametrize("typed", ["a->5", "x!=nil", "id=42", "path=/x", "/status>=500/", "took>5 retries"])
def test_what_lines_may_hold_as_it_is_stays_an_expression(typed: str) -> None:
    assert not query(typed, NOW).asks_fields


def test_a_level_that_is_none_says_which_there_are() -> None:
    assert query("level >= wran", NOW).error == "no level: wran; there are debug, info, warn, error"


@pytest.mark.parametrize(
    ("typed", "marked"),
    [
        ("timeout", "timeout"),
        ("level = error and line ~ Time.ut", "Time.ut"),
        ("not line ~ a and text ~ b", "b"),
        ("line !~ a", ""),
        ("source ~ api", ""),
        ("took_ms > 5", ""),
    ],
)
def test_what_lines_must_hold_is_marked_in_them(typed: str, marked: str) -> None:
    assert query(typed, NOW).marked.expression == marked
