"""What many lines say together."""

import statistics
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.logs import tally
from tui.sources.logs.messages import Message, gathered
from tui.sources.logs.parse import LineParser
from tui.sources.logs.tally import Rates, Tally, Value, Window, fields_of

NOW = 1_795_335_084.0


def said(*texts: str) -> list[Message]:
    parser = LineParser("app", "app.log", UTC)
    return gathered([parser.parse(text, NOW) for text in texts])


def test_the_most_frequent_values_come_first_with_their_errors() -> None:
    counted = Tally("endpoint")
    counted.add(said('{"level":"error","endpoint":"/a"}', "level=info endpoint=/b", "level=info endpoint=/a", "none"))
    assert counted.top(5) == [Value("/a", 2, 1), Value("/b", 1, 0)]
    assert (counted.messages, counted.with_field, counted.different) == (4, 3, 2)
    assert counted.figures() is None


def test_errors_are_counted_by_type_and_requests_by_path() -> None:
    by_type = Tally("exception")
    by_type.add(said("ERROR a.FooError: x", "\tat a.b(c:1)", "ERROR b.FooError: y", "ERROR KeyError: z"))
    assert [(value.text, value.count) for value in by_type.top(5)] == [("FooError", 2), ("KeyError", 1)]
    by_path = Tally("path")
    by_path.add(said('10.0.0.1 - - [22/Nov/2026:08:11:24 +0000] "GET /a?x=1 HTTP/1.1" 200 5'))
    assert by_path.top(1)[0].text == "/a"


def test_messages_are_counted_without_their_numbers() -> None:
    counted = Tally("message")
    counted.add(said("INFO order 1 placed", "INFO order 27 placed", "INFO cart"))
    assert [value.count for value in counted.top(5)] == [2, 1]


@given(st.lists(st.floats(-1e9, 1e9).map(lambda x: round(x, 3)), min_size=1, max_size=200))
def test_average_and_percentiles_are_those_of_the_numbers(numbers: list[float]) -> None:
    counted = Tally("ms")
    counted.add(said(*(f'{{"ms":{number}}}' for number in numbers)))
    found = counted.figures()
    assert found is not None
    ordered = sorted(numbers)
    assert found.mean == pytest.approx(statistics.fmean(numbers), abs=1e-3)
    assert found.greatest == ordered[-1]
    assert sum(number <= found.p95 for number in numbers) >= 0.95 * len(numbers)
    assert sum(number < found.p95 for number in numbers) < 0.95 * len(numbers)
    assert not found.is_sampled


def test_too_many_different_values_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_VALUES", 3)
    counted = Tally("id")
    counted.add(said(*(f"id={n}" for n in range(10))))
    assert (counted.different, counted.others) == (3, 7)


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=100))
def test_a_rate_loses_no_line_however_wide_its_buckets_become(seconds: list[int]) -> None:
    rates = Rates()
    parser = LineParser("app", "app.log", UTC)
    for second in seconds:
        rates.add([[parser.parse("ERROR x", NOW)._replace(at=NOW + second)]])
    points = rates.points()
    assert sum(value * rates.bucket_s for _, value in points) == pytest.approx(len(seconds))
    assert len(points) <= 601 + 1
    assert rates.points(errors=True) == points


def test_the_fields_of_lines_are_offered_by_how_many_have_them() -> None:
    found = fields_of(said("level=info a=1 b=2", "level=info a=3", "ERROR x.FooError: y"))
    assert found[:2] == [("level", 2, "info"), ("a", 2, "3")]
    assert ("exception", 1, "FooError") in found


def test_a_window_forgets() -> None:
    window = Window(10)
    for at in (1, 2, 3, 12):
        window.add(2, at)
    assert (window.count(11), window.count(12.5), window.count(30)) == (8, 4, 0)
