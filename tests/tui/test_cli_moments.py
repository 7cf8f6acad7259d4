from datetime import UTC, datetime

import pytest

from tui.cli.moments import since

NOW = datetime(2027, 1, 15, 8, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("typed", "seconds"), [("90m", 5400.0), ("90 s", 90.0), ("1.5h", 5400.0), ("2d", 172_800.0), ("99999d", NOW)]
)
def test_a_duration_goes_back_from_now(typed: str, seconds: float) -> None:
    assert since(typed, NOW) == NOW - seconds


@pytest.mark.parametrize("typed", ["2027-01-15T07:00:00Z", "2027-01-15 07:00", "2027-01-15T08:00+01:00"])
def test_a_time_without_a_zone_is_utc(typed: str) -> None:
    assert since(typed, NOW) == datetime(2027, 1, 15, 7, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(("typed", "words"), [("yesterday", "neither a duration"), ("2999-01-01", "in the future")])
def test_what_is_no_time_in_the_past_is_refused(typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        since(typed, NOW)
