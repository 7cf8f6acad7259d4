"""The times that log lines begin with, in the forms that programs use."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.parse import LineParser
from tui.sources.logs.times import other_time

NOW = datetime(2026, 11, 26, 18, 40, tzinfo=UTC).timestamp()
AT = datetime(2026, 11, 26, 18, 34, 7, tzinfo=UTC).timestamp()


def parse(*lines: str, zone: timezone = UTC, of_past: bool = False) -> list[LogLine]:
    parser = LineParser("app", "app.log", zone)
    parser.is_of_past = of_past
    return parser.parse_all(lines, NOW)


@pytest.mark.parametrize(
    "line",
    [
        f"{AT:.0f} INFO seconds",
        f"{AT:.0f}.000 INFO seconds",
        f"{AT:.0f}000 milliseconds",
        f"[{AT:.0f}] seconds",
        "26-Nov-2026 18:34:07.000 SEVERE tomcat",
        "26.11.2026 18:34:07 ERROR x",
        "26/11/2026 18:34:07 x",
        "11/26/2026 18:34:07 x",
        "26/Nov/2026:19:34:07 +0100 x",
        "[Thu Nov 26 18:34:07.000000 2026] [core:error] [pid 1] x",
        "Thu Nov 26 18:34:07 UTC 2026 x",
        "18:34:07.000 WARN x",
        "[18:34:07] x",
        "<11>Nov 26 18:34:07 host app: x",
        "<165>1 2026-11-26T18:34:07Z host app - - x",
        "I, [2026-11-26T18:34:07.000000 #1]  INFO -- : x",
        "INFO 2026-11-26 18:34:07,000 x",
        "[main] ERROR 2026-11-26 18:34:07,000 x",
        "api-1  | 2026-11-26T18:34:07Z x",
        "[pod/api-1/api] 2026-11-26T18:34:07Z x",
    ],
)
def test_a_line_has_the_time_it_begins_with(line: str) -> None:
    (found,) = parse(line)
    # syslog's has no zone, not even that of the parser: it is this machine's.
    local = datetime(2026, 11, 26, 18, 34, 7).timestamp()
    assert found.at == (local if line.startswith("<11>") else AT)


@pytest.mark.parametrize(
    "line",
    [
        "backup of 2026-11-20 00:00:00 is done",
        "05/06/2026 18:34:07 whose order of day and month nobody knows",
        "12345 connections",
        "99:99:99 x",
        "31.02.2026 10:00:00 x",
        "1234567890123456 x",
    ],
)
def test_what_is_no_time_of_the_line_is_not_taken_for_one(line: str) -> None:
    assert other_time(line, NOW, UTC) is None


def test_a_time_of_day_is_of_the_nearest_day() -> None:
    midnight = datetime(2026, 11, 26, 0, 0, 5, tzinfo=UTC).timestamp()
    assert other_time("23:59:58 x", midnight, UTC) == midnight - 7
    zone = timezone(timedelta(hours=2))
    assert other_time("02:00:00 x", midnight, zone) == midnight - 5


def test_apache_names_the_level_behind_its_module() -> None:
    assert parse("[Thu Nov 26 18:34:07.000000 2026] [core:error] [pid 1] x")[0].level is Severity.ERROR


def test_a_line_without_a_time_in_what_was_there_before_has_that_of_the_line_before() -> None:
    lines = "2026-11-26T10:00:00Z INFO x", "WARNING no time"
    assert parse(*lines, of_past=True)[1].at == parse(*lines)[0].at
    assert parse(*lines)[1].at == NOW, "what comes now has the time of its arrival"


@given(st.text(max_size=60) | st.from_regex(r"\[?[0-9]{1,13}[-./: ][A-Za-z0-9]{1,3}[-./: ][0-9]{0,4}[ :0-9.,+]{0,25}"))
def test_nothing_makes_it_fail(text: str) -> None:
    assert other_time(text, NOW, UTC) is None or isinstance(other_time(text, NOW, UTC), float)
