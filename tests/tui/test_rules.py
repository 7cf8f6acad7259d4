"""Thresholds in, changes of level out."""

from dataclasses import dataclass

import pytest

from profiles.schema import Rule
from tui.rules import Level, Rules
from tui.sources.errors import Unreachable
from tui.sources.reading import Number, Reading


@dataclass(frozen=True)
class Facts:
    values: dict[str, float]

    def numbers(self) -> list[Number]:
        return [Number("used_percent", value, name) for name, value in self.values.items()]


def reading(source: str = "database:orders", **values: float) -> Reading[Facts]:
    return Reading(source, 2.0, Facts({name.replace("_", ""): value for name, value in values.items()}))


def rules(**fields: object) -> Rules:
    return Rules({"database.used_percent": Rule.model_validate(fields)})


def levels(judged: Rules, *steps: tuple[float, float]) -> list[Level]:
    """Judge (time, value) pairs and return the level after each."""
    found = []
    for now, value in steps:
        judged.judge(reading(_=value), now)
        found.append(judged.level("database:orders", "used_percent"))
    return found


def test_each_threshold_raises_its_own_level() -> None:
    judged = rules(warn=85, critical=95)
    assert levels(judged, (0, 84), (1, 85), (2, 95), (3, 90), (4, 10)) == [
        Level.OK,
        Level.WARN,
        Level.CRITICAL,
        Level.WARN,
        Level.OK,
    ]


def test_a_number_must_stay_beyond_its_threshold_for_as_long_as_the_rule_says() -> None:
    judged = rules(warn=85, **{"for": "10s"})
    assert levels(judged, (0, 90), (9, 90), (10, 90)) == [Level.OK, Level.OK, Level.WARN]


def test_coming_back_in_between_starts_the_wait_again() -> None:
    judged = rules(warn=85, **{"for": "10s"})
    assert levels(judged, (0, 90), (9, 10), (10, 90), (19, 90), (20, 90))[-2:] == [Level.OK, Level.WARN]


def test_an_alert_stays_until_the_clear_value_is_reached() -> None:
    judged = rules(warn=85, clear=70)
    assert levels(judged, (0, 90), (1, 80), (2, 71), (3, 70)) == [Level.WARN, Level.WARN, Level.WARN, Level.OK]


def test_critical_below_warn_makes_small_values_the_bad_ones() -> None:
    judged = rules(warn=20, critical=5)
    assert levels(judged, (0, 50), (1, 20), (2, 5), (3, 30)) == [Level.OK, Level.WARN, Level.CRITICAL, Level.OK]


def test_changes_are_reported_once_and_the_end_as_ok() -> None:
    judged = rules(warn=85)
    reported = [judged.judge(reading(_=value), now) for now, value in enumerate([90, 91, 10, 10])]
    assert [[alert.level for alert in alerts] for alerts in reported] == [[Level.WARN], [], [Level.OK], []]


def test_an_object_that_is_gone_ends_its_alert() -> None:
    judged = rules(warn=85)
    judged.judge(reading(a=90, b=90), 0)
    (ended,) = judged.judge(reading(a=90), 1)
    assert (ended.object, ended.level) == ("b", Level.OK)
    assert [alert.object for alert in judged.alerts] == ["a"]


def test_a_failed_attempt_changes_nothing() -> None:
    judged = rules(warn=85)
    judged.judge(reading(_=90), 0)
    old = Reading("database:orders", 2.0, Facts({"": 10.0}), error=Unreachable("refused"))
    assert judged.judge(old, 1) == ()
    assert judged.level("database:orders", "used_percent") is Level.WARN


@pytest.mark.parametrize(("source", "count"), [("database:orders", 1), ("database:billing", 0), ("redis:orders", 0)])
def test_a_rule_holds_for_its_kind_and_the_systems_it_names(source: str, count: int) -> None:
    judged = rules(warn=85, only=["orders"])
    assert len(judged.judge(reading(source, _=90), 0)) == count


def test_alerts_are_listed_worst_first_then_oldest_first() -> None:
    judged = rules(warn=85, critical=95)
    judged.judge(reading(a=90), 0)
    judged.judge(reading(a=90, b=90, c=99), 1)
    assert [alert.object for alert in judged.alerts] == ["c", "a", "b"]
