"""What the status line says, from facts alone."""

from dataclasses import replace
from typing import Any

import pytest

from profiles.schema import Profile
from tui.actions.guard import GuardState
from tui.pins import Finding, Pin
from tui.rules import Absence, Alert, Level
from tui.sources.errors import Unreachable
from tui.sources.logs.line import LogBatch
from tui.sources.reading import Reading
from tui.status import (
    alert_segment,
    alert_words,
    brief_age,
    clock_segment,
    environment_segments,
    health_segments,
    identity_banner,
    identity_lines,
    no_data_words,
    silent,
    tab_segments,
    writing_segment,
)


def alert(level: Level = Level.WARN, source: str = "database:orders", about: str = "") -> Alert:
    return Alert(source, "connections_percent", about, level, 91.0, 85.0, 940.0)


def test_a_log_whose_cluster_does_not_answer_is_old_and_not_well() -> None:
    def log(name: str, away_since: float | None) -> Reading[LogBatch]:
        batch = LogBatch(name, (), 0, 0, 0, 0.0, 0.0, ("shop/api",), (), away_since=away_since)
        return Reading(f"logs:{name}", 1.0, batch, taken_at=99.0)

    quiet, away = [log("app", None), log("web", None)], [log("app", None), log("api", 40.0), log("jobs", 59.0)]
    assert [segment.text for segment in health_segments(quiet, 100.0)] == ["✓ logs"]
    assert [(segment.text, segment.tone) for segment in health_segments(away, 100.0)] == [("logs OLD 2/3 60s", "warn")]
    assert [segment.text for segment in health_segments([away[1]], 100.0)] == ["logs OLD 60s"]


def test_production_stands_out_without_any_colour() -> None:
    badge = environment_segments(Profile.model_validate({"name": "eu", "environment": "prod"}), "root")[0]
    other = environment_segments(Profile.model_validate({"name": "eu", "environment": "staging"}), "root")[0]
    assert (badge.text, badge.reverse) == ("!! PROD !!", True)
    assert other.text == " STAGING "


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (GuardState(read_only=True, clock=lambda: 100.0), "READ-ONLY (W arms)"),
        (GuardState(read_only=True, clock=lambda: 100.0, armed_until=681.9), " ARMED 9:41 "),
        (GuardState(read_only=False), "WRITABLE"),
        (GuardState(read_only=False, locked=True), "READ-ONLY"),
    ],
)
def test_whether_writing_is_possible_is_said_in_words(state: GuardState, text: str) -> None:
    assert writing_segment(state).text == text


@pytest.mark.parametrize(
    ("state", "text", "short"),
    [
        (GuardState(read_only=False, clock=lambda: 100.0), "WRITABLE, not us, ap", "WRITABLE, 2 not"),
        (
            GuardState(read_only=False, clock=lambda: 100.0, armed_until=681.9),
            " ARMED 9:41, not us, ap ",
            " ARMED 9:41, 2 not ",
        ),
        (GuardState(read_only=True, clock=lambda: 100.0), "READ-ONLY (W arms)", "READ-ONLY"),
        (GuardState(read_only=False, locked=True), "READ-ONLY", ""),
    ],
)
def test_where_it_is_not_possible_is_said_too(state: GuardState, text: str, short: str) -> None:
    segment = writing_segment(state, ["us", "ap"])
    assert (segment.text, segment.short) == (text, short)


def test_alerts_are_counted_by_level() -> None:
    assert alert_segment([]).text == "no alerts"
    assert alert_segment([alert(), alert(Level.CRITICAL), alert()]).text == "▲ 1 critical, 2 warnings"


def test_alerts_are_told_with_value_threshold_and_age() -> None:
    page = alert_words(alert(about="4711"), 1000.0)
    assert page == "database:orders connections_percent 4711 = 91 % (threshold 85 %) for 60s"


@pytest.mark.parametrize(
    ("metric", "value", "told"),
    [
        ("active_s", 13.1931, "13s"),
        ("evicted_per_s", 8.25, "8.25/s"),
        ("latency_ms", 1234.5, "1,234 ms"),
        ("state", 1.0, "degraded"),
    ],
)
def test_an_alerts_numbers_have_the_unit_of_their_metric(metric: str, value: float, told: str) -> None:
    page = alert_words(Alert("x:y", metric, "", Level.WARN, value, value, 940.0), 1000.0)
    assert page == f"x:y {metric} = {told} (threshold {told}) for 60s"


def test_what_is_wrong_comes_first_and_what_is_well_is_named() -> None:
    facts: Any = object()
    refused = Unreachable("refused")
    readings = [
        Reading("service:a", 2.0, facts, 99.0),
        Reading("service:b", 2.0, facts, 99.0),
        Reading("kubernetes:", 2.0),
        Reading("database:a", 2.0, facts, 10.0, error=refused, failing_since=59.0),
        Reading("database:b", 2.0, facts, 99.0),
        Reading("redis:a", 2.0, facts, 10.0),
    ]
    segments = health_segments(readings, 100.0)
    assert [segment.text for segment in segments] == ["k8s…", "pg✗ 1/2 41s", "old: redis", "✓ svc"]
    assert segments[-1].short == "1✓"


def test_a_system_that_need_not_be_there_and_never_was_is_no_news() -> None:
    refused = Unreachable("refused")
    absent: Reading[Any] = Reading("redis:local", 2.0, error=refused, failing_since=59.0, is_optional=True)
    facts: Any = object()
    gone = Reading("redis:local", 2.0, facts, 10.0, error=refused, failing_since=59.0, is_optional=True)
    assert health_segments([absent], 100.0) == []
    assert [segment.text for segment in health_segments([gone], 100.0)] == ["redis✗ 41s"]


def test_a_tab_shows_its_own_alerts() -> None:
    titles = [("Database", "Database", ("database",)), ("Resources", "Res.", ("host", "metric"))]
    segments = tab_segments(titles, 1, [alert(), alert(Level.CRITICAL, "kubernetes:")])
    assert [(segment.text, segment.tone, segment.reverse) for segment in segments] == [
        (" 1 Database!1 ", "warn", False),
        (" 2 Resources ", "", True),
    ]
    assert [segment.short for segment in segments] == [" 1 Database!1", " 2 Res."]


def test_the_clock_is_utc_and_says_so() -> None:
    assert clock_segment(1_800_000_000.0).text == "08:00:00Z"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0s"), (41.9, "41s"), (125, "2m"), (11100, "3h5m"), (200_000, "2d")]
)
def test_ages_read_as_kubectl_writes_them(seconds: float, text: str) -> None:
    assert brief_age(seconds) == text


def test_a_system_that_does_not_answer_stands_in_the_strip_and_on_the_page_of_alerts() -> None:
    mute: Reading[Any] = Reading("database:a", 2.0, error=Unreachable("refused"), failing_since=990.0)
    absent: Reading[Any] = Reading("redis:b", 2.0, error=Unreachable("refused"), failing_since=990.0, is_optional=True)
    titles = [("Database", "Database", ("database",)), ("Redis", "Redis", ("redis",))]
    assert [one.text for one in tab_segments(titles, 0, [], [mute, absent])] == [" 1 Database✗ ", " 2 Redis "]
    found = silent([mute, absent], 1000.0)
    assert [(one.source, one.metric) for one in found] == [("database:a", "no_data")], "an optional one is no trouble"
    assert no_data_words(found[0], 1000.0) == "database:a refused for 10s"


PROFILE = Profile.model_validate({"name": "prod"})
WRONG = Finding(Pin("database:orders", "system_identifier", 73), 74)
MOVED = Finding(Pin("redis:cache", "role", "master"), "replica")
UNSURE = Finding(Pin("kubernetes:", "namespace_uid", "u"), None, "it has not answered yet")


def test_the_banner_is_there_for_a_mismatch_only_and_counts_them() -> None:
    assert identity_banner(PROFILE, ()) == identity_banner(PROFILE, [UNSURE]) == ""
    sentence = "PostgreSQL orders: system identifier 73 expected, 74 answers"
    head = "This is not what profile prod expects: no change is possible"
    assert identity_banner(PROFILE, [WRONG, UNSURE]) == f"{head} (a)\n{sentence}"
    assert identity_banner(PROFILE, [WRONG, MOVED]) == f"{head} (a lists 2)\n{sentence}"


def test_the_page_of_alerts_lists_every_pin_that_is_not_confirmed_and_what_helps() -> None:
    lines = identity_lines(PROFILE, [WRONG, MOVED, UNSURE])
    assert [line.split(":")[0] for line in lines[:3]] == [
        "MISMATCH PostgreSQL orders",
        "MISMATCH Redis cache",
        "UNSURE   Kubernetes",
    ]
    assert "opstui profile pin prod" in lines[3]
    assert identity_lines(PROFILE, [UNSURE])[1] == "What is not verified cannot be changed."
    assert identity_lines(PROFILE, []) == []


def test_an_absent_number_is_counted_and_listed_as_no_data() -> None:
    missing = Absence("kubernetes:", "pods_failing", "", 960.0)
    assert alert_segment([], 1).text == "▲ 1 no data"
    assert alert_segment([alert(Level.CRITICAL)], 2).short == "▲ 1c 2?"
    assert no_data_words(missing, 1000.0) == "kubernetes pods_failing cannot be read for 40s"


def test_what_is_seen_to_is_counted_apart() -> None:
    assert alert_segment([alert(Level.CRITICAL)] * 2, 0, 1).text == "▲ 2 critical, 1 ack"
    seen_to = alert_segment([], 0, 1, 2)
    assert (seen_to.text, seen_to.tone) == ("▲ 1 ack, 2 silenced", "dim")


def test_an_alert_whose_value_is_old_says_when_it_was_seen() -> None:
    assert ", last seen 3m ago" in alert_words(replace(alert(), seen_at=820.0), 1000.0)
    assert "last seen" not in alert_words(replace(alert(), seen_at=990.0), 1000.0)
