"""Numbers over time: how finely and how long they are kept."""

from hypothesis import given
from hypothesis import strategies as st

from tui.sources.history import FINE_S, LONG_S, Past

NOW = 1_800_000_000.0


def past_of(seconds: float, every_s: float = 2.0) -> Past:
    """A number that counts up by one each sample, until NOW."""
    past, count = Past(), int(seconds / every_s)
    for n in range(count + 1):
        past.add(NOW - (count - n) * every_s, float(n))
    return past


def test_the_last_minutes_are_kept_as_they_came() -> None:
    past = past_of(7200)
    steps = past.steps(300, NOW)
    assert [step.mean for step in steps] == [float(n) for n in range(3450, 3601)]
    assert len(past.steps(FINE_S, NOW)) == FINE_S / 2 + 1


def test_longer_spans_are_kept_in_steps_with_their_least_and_greatest() -> None:
    steps = past_of(7200).steps(3600, NOW)
    assert 118 <= len(steps) <= 121
    assert (steps[5].low, steps[5].mean, steps[5].high) == (steps[5].low, steps[5].low + 7, steps[5].low + 14)


def test_a_day_is_kept_and_nothing_older() -> None:
    past = past_of(2 * LONG_S, every_s=30.0)
    steps = past.steps(LONG_S, NOW)
    assert steps[0].at >= NOW - LONG_S
    assert steps[0].at <= NOW - LONG_S + 360
    assert sum(len(column) for tier in past._tiers for column in tier._columns) < 4 * 1.3 * (240 + 480)


def test_a_young_series_is_shown_as_it_came_however_long_the_span() -> None:
    assert len(past_of(60).steps(LONG_S, NOW)) == 31


def test_what_somebody_else_kept_comes_before_and_never_twice() -> None:
    past = past_of(60)
    past.fill([(NOW - 3600 + n * 15, 7.0) for n in range(240)])
    steps = past.steps(3600, NOW)
    assert steps[0].mean == 7.0
    assert past.last == 30.0
    assert sorted(at for at, _ in past) == [at for at, _ in past]
    assert [value for at, value in past if at >= NOW - 60] == [float(n) for n in range(31)]


def test_gaps_are_told_and_count_nowhere() -> None:
    past = Past()
    past.add(NOW - 4, 1.0)
    past.add(NOW - 2, None)
    assert past.last is None
    assert list(past) == [(NOW - 4, 1.0), (NOW - 2, None)]
    assert [step.mean for step in past.steps(60, NOW)] == [1.0]


@given(st.lists(st.tuples(st.floats(0.1, 4000), st.floats(-1e6, 1e6)), min_size=1, max_size=200))
def test_steps_are_in_order_and_within_what_was_added(samples: list[tuple[float, float]]) -> None:
    past, at = Past(), NOW
    for gap, value in samples:
        at += gap
        past.add(at, value)
    least, greatest = min(value for _, value in samples), max(value for _, value in samples)
    for span in (300.0, 3600.0, LONG_S):
        steps = past.steps(span, at)
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        assert all(least <= step.low <= step.mean + 1e-6 and step.mean <= step.high + 1e-6 for step in steps)
        assert all(step.high <= greatest for step in steps)
    assert past.last == samples[-1][1]
