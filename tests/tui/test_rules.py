"""Thresholds in, changes of level out."""

from dataclasses import dataclass

import pytest

from profiles.thresholds import Rule
from tui.rules import ABSENT_S, GONE_S, Absence, Level, Rules
from tui.sources.errors import Denied, Unreachable
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


def test_what_a_refusal_tells_is_judged_and_all_else_stays_as_it_was() -> None:
    judged = Rules({"database.used_percent": Rule(warn=85), "database.blocked": Rule(warn=1)})
    full = Denied("sorry, too many clients already", numbers=(Number("used_percent", 100.0),))
    (raised,) = judged.judge(Reading("database:orders", 2.0, Facts({}), error=full), 0)
    assert (raised.metric, raised.value, raised.level) == ("used_percent", 100.0, Level.WARN)
    judged.judge(reading(a=90), 1)
    assert judged.judge(Reading("database:orders", 2.0, Facts({"a": 1.0}), error=full), 2) == ()
    assert [alert.object for alert in judged.alerts] == ["", "a"], "a refusal ends nothing"
    assert [alert.object for alert in judged.judge(reading(_=10, a=90), 3)] == [""], "an answer does"


NOTHING = Reading("database:orders", 2.0, Facts({}))
FAILING = Reading("database:orders", 2.0, Facts({"": 10.0}), error=Unreachable("refused"))
ABSENT = float("nan")


def test_an_alert_outlives_readings_without_its_number_until_the_system_has_none_for_good() -> None:
    judged = rules(warn=85)
    judged.judge(reading(_=90), 0)
    assert judged.judge(NOTHING, 2) == ()
    assert judged.judge(NOTHING, 2 + GONE_S - 1) == ()
    (ended,) = judged.judge(NOTHING, 2 + GONE_S)
    assert ended.level is Level.OK
    assert judged.alerts == ()


def test_a_number_that_comes_back_in_between_is_not_gone() -> None:
    judged = rules(warn=85)
    judged.judge(reading(_=90), 0)
    judged.judge(NOTHING, 2)
    judged.judge(reading(_=90), GONE_S)
    assert judged.judge(NOTHING, GONE_S + 4) == ()


def test_time_without_any_answer_is_no_time_without_the_number() -> None:
    judged = rules(warn=85)
    judged.judge(reading(_=90), 0)
    for now in range(2, 1000, 2):
        assert judged.judge(FAILING, now) == ()
    assert judged.level("database:orders", "used_percent") is Level.WARN


def test_an_alert_stays_while_its_number_is_absent_and_ends_when_it_is_seen_well() -> None:
    judged = rules(warn=85)
    judged.judge(reading(_=90), 0)
    assert judged.judge(reading(_=ABSENT), 10 * GONE_S) == ()
    assert [(alert.value, alert.seen_at) for alert in judged.alerts] == [(90, 0)]
    (ended,) = judged.judge(reading(_=10), 11 * GONE_S)
    assert ended.level is Level.OK


def test_an_absent_number_is_told_after_a_while_and_no_longer_when_it_is_there() -> None:
    judged = rules(warn=85)
    judged.judge(reading(_=ABSENT), 0)
    judged.judge(reading(_=ABSENT), ABSENT_S)
    assert judged.absences(ABSENT_S - 1) == ()
    assert judged.absences(ABSENT_S) == (Absence("database:orders", "used_percent", "", 0),)
    judged.judge(reading(_=10), ABSENT_S + 2)
    assert judged.absences(1000) == ()


def test_a_number_that_no_rule_watches_is_never_missed() -> None:
    judged = Rules({})
    judged.judge(reading(_=ABSENT), 0)
    assert judged.absences(1000) == ()


def test_an_absence_in_a_system_with_a_critical_alert_is_no_news() -> None:
    judged = rules(warn=85, critical=95)
    judged.judge(reading(a=99, b=ABSENT), 0)
    assert judged.absences(ABSENT_S) == ()
    judged.judge(reading(a=90, b=ABSENT), 1)
    assert [one.object for one in judged.absences(ABSENT_S)] == ["b"]


def test_a_wait_goes_on_while_nothing_can_be_seen_and_starts_anew_when_the_number_is_gone() -> None:
    judged = rules(warn=85, **{"for": "10s"})
    judged.judge(reading(_=90), 0)
    judged.judge(FAILING, 5)
    judged.judge(reading(_=ABSENT), 6)
    assert [alert.level for alert in judged.judge(reading(_=90), 10)] == [Level.WARN]
    other = rules(warn=85, **{"for": "10s"})
    other.judge(reading(_=90), 0)
    other.judge(NOTHING, 5)
    assert other.judge(reading(_=90), 10) == ()


@pytest.mark.parametrize(("source", "count"), [("database:orders", 1), ("database:billing", 0), ("redis:orders", 0)])
def test_a_rule_holds_for_its_kind_and_the_systems_it_names(source: str, count: int) -> None:
    judged = rules(warn=85, only=["orders"])
    assert len(judged.judge(reading(source, _=90), 0)) == count


def test_alerts_are_listed_worst_first_then_oldest_first() -> None:
    judged = rules(warn=85, critical=95)
    judged.judge(reading(a=90), 0)
    judged.judge(reading(a=90, b=90, c=99), 1)
    assert [alert.object for alert in judged.alerts] == ["c", "a", "b"]
