"""Lines of several logs in the order of their times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.panes import log_merging
from tui.panes.log_merging import HOLD_S, Merger, in_order
from tui.sources.logs.line import LogLine, Severity, line_kind


def line(at: float, text: str, origin: str = "a.log") -> LogLine:
    return LogLine(at, line_kind("app", origin, Severity.INFO, False, 0), text)


def texts(lines: list[LogLine]) -> list[str]:
    return [each.text for each in lines]


def test_a_line_waits_for_what_was_written_before_it_elsewhere() -> None:
    merger = Merger()
    merger.put([line(100.0, "second")], 100.1)
    assert merger.take(100.2) == []
    merger.put([line(99.9, "first", "b.log")], 100.3)
    assert texts(merger.take(100.0 + HOLD_S)) == ["first", "second"]
    assert not merger.has_lines


def test_a_clock_that_is_ahead_keeps_nothing_back_for_long() -> None:
    merger = Merger()
    merger.put([line(500.0, "from the future")], 100.0)
    assert merger.take(100.9) == []
    assert texts(merger.take(101.0)) == ["from the future"]


def test_a_files_own_order_stays_whatever_its_times_say() -> None:
    lines = [line(5.0, "one"), line(3.0, "two"), line(4.0, "three")]
    assert texts(in_order(lines, [line(4.5, "other", "b.log"), line(5.5, "last", "b.log")])) == [
        "other", "one", "two", "three", "last"
    ]  # fmt: skip


def test_a_trace_stays_together() -> None:
    trace = [line(1.0, "ERROR"), line(1.0, "at x"), line(1.0, "at y")]
    assert texts(in_order(trace, [line(1.0, "other", "b.log")])) == ["ERROR", "at x", "at y", "other"]


def test_in_a_flood_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_merging, "_MANY", 2)
    merger = Merger()
    merger.put([line(100.0, str(number)) for number in range(3)], 100.0)
    assert texts(merger.take(100.0)) == ["0", "1", "2"]


@given(
    st.lists(st.tuples(st.floats(0, 0.3), st.sampled_from("ab"), st.lists(st.floats(-0.4, 0), max_size=4)), max_size=20)
)
def test_every_line_comes_once_and_lines_that_were_in_time_come_in_order(
    batches: list[tuple[float, str, list[float]]],
) -> None:
    merger, now, given, taken = Merger(), 100.0, list[LogLine](), list[LogLine]()
    for number, (pause, origin, ages) in enumerate(batches):
        now += pause
        batch = [line(now + age, f"{number}.{i}", origin) for i, age in enumerate(sorted(ages))]
        given += batch
        merger.put(batch, now)
        taken += merger.take(now)
    taken += merger.take(now + 10)
    assert sorted(texts(taken)) == sorted(texts(given))
    for origin in "ab":
        own = [each for each in given if each.origin == origin]
        assert [each for each in taken if each.origin == origin] == own
    own_orders = [[each.at for each in given if each.origin == origin] for origin in "ab"]
    if all(times == sorted(times) for times in own_orders):
        assert [each.at for each in taken] == sorted(each.at for each in given)


def test_what_comes_late_in_order_and_alone_needs_no_merging() -> None:
    merger = Merger()
    assert not merger.matters([line(1.0, "a"), line(2.0, "b")], 100.0)
    assert merger.matters([line(2.0, "a"), line(1.0, "b")], 100.0)
    assert merger.matters([line(99.9, "a")], 100.0)
    merger.put([line(99.9, "a")], 100.0)
    assert merger.matters([line(1.0, "a")], 100.0)
