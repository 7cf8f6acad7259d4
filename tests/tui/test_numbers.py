"""Numbers of every system, kept for a day within bounds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from tui.numbers import MOST_OBJECTS, Numbers, summary
from tui.sources.errors import Unreachable
from tui.sources.history import Past, time_to
from tui.sources.reading import Number, Reading

NOW = 1_800_000_000.0


@dataclass(frozen=True)
class Snapshot:
    found: tuple[Number, ...]

    def numbers(self) -> Iterable[Number]:
        return self.found


def reading(at: float, *found: Number, source: str = "database:shop") -> Reading[Snapshot]:
    return Reading(source, 2.0, Snapshot(found), at)


def test_every_number_has_its_past_and_a_gap_where_it_could_not_be_told() -> None:
    numbers = Numbers()
    for at, value in enumerate((1.0, math.nan, 3.0)):
        numbers.take(reading(NOW + at, Number("blocked", value), Number("lag", value, "standby", "B")))
    blocked = numbers.get("database:shop", "blocked")
    assert blocked is not None
    assert [value for _, value in blocked.past] == [1.0, None, 3.0]
    lag = numbers.get("database:shop", "lag", "standby")
    assert lag is not None
    assert lag.unit == "B"


def test_a_reading_counts_once_and_a_failed_one_not_at_all() -> None:
    numbers = Numbers()
    good = reading(NOW, Number("blocked", 1.0))
    numbers.take(good)
    numbers.take(good)
    numbers.take(Reading("database:shop", 2.0, good.snapshot, NOW + 2, error=Unreachable("gone")))
    kept = numbers.get("database:shop", "blocked")
    assert kept is not None
    assert len(list(kept.past)) == 1


def test_room_for_more_objects_is_not_looked_for_at_each_of_thousands(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    forget = Numbers._forget

    def counted(numbers: Numbers, source: str, metric: str) -> None:
        looked.append(metric)
        forget(numbers, source, metric)

    monkeypatch.setattr(Numbers, "_forget", counted)
    numbers = Numbers()
    for second in range(61):
        many = (Number("restarts", 1.0, f"pod-{n}") for n in range(1000))
        numbers.take(reading(NOW + second, *many))
    assert looked == ["restarts", "restarts"]
    assert len(numbers) == MOST_OBJECTS


def test_of_many_objects_the_first_are_kept_until_they_are_gone() -> None:
    numbers = Numbers()
    numbers.take(reading(NOW, *(Number("restarts", 1.0, f"pod-{n}") for n in range(100))))
    assert len(numbers) == MOST_OBJECTS
    assert numbers.get("database:shop", "restarts", "pod-99") is None
    numbers.take(reading(NOW + 7200, Number("restarts", 1.0, "pod-0")))
    numbers.take(reading(NOW + 7202, Number("restarts", 1.0, "pod-99")))
    assert numbers.get("database:shop", "restarts", "pod-99") is not None
    assert numbers.get("database:shop", "restarts", "pod-0") is not None
    assert numbers.get("database:shop", "restarts", "pod-1") is None


def test_a_while_in_one_line() -> None:
    past = Past()
    for n in range(101):
        past.add(NOW + n, float(n))
    found = summary(past, NOW + 100, 300)
    assert found is not None
    assert (found.least, found.mean, found.greatest, found.p95, found.span_s) == (0, 50, 100, 95, 100)
    assert summary(Past(), NOW, 300) is None


def growing(per_s: float, seconds: int = 1800, start: float = 50.0) -> Past:
    past = Past()
    for n in range(0, seconds, 2):
        past.add(NOW - seconds + n, start + per_s * n)
    return past


def test_when_a_disk_is_full_follows_from_its_pace() -> None:
    left = time_to(growing(0.01), 100, NOW)
    assert left is not None
    assert abs(left - (100 - 67.98) / 0.01) < 60
    assert time_to(growing(0), 100, NOW) is None
    assert time_to(growing(-0.01), 100, NOW) is None
    assert time_to(growing(0.01, seconds=200), 100, NOW) is None, "watched for too short a while"
    assert time_to(growing(0.01, start=150), 100, NOW) is None, "it is there already"
