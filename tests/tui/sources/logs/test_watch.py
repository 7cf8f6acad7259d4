"""Filters of a profile as rules: lines in, a number out, judged like every other."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.logs import LogSource
from profiles.schema import Profile
from tui.rules import Alert, Level, Rules
from tui.sources.logs import LogsSource
from tui.sources.logs.intake import Intake
from tui.sources.logs.messages import messages
from tui.sources.logs.parse import LineParser
from tui.sources.logs.watch import watches_of
from tui.sources.reading import Reading


def profile(**filters: Any) -> Profile:
    return Profile.model_validate({"name": "x", "logs": {"app": "/x.log", "db": "/y.log"}, "filters": filters})


def test_a_filter_with_a_threshold_is_a_rule_and_one_without_is_none() -> None:
    made = profile(slow="took_ms > 1000", logins={"show": "event = login_failed", "warn": 20, "logs": ["app"]})
    assert set(made.rules) == {"logs.logins"}
    assert (made.rules["logs.logins"].warn, made.rules["logs.logins"].only) == (20, ["app"])
    assert [watch.name for watch in watches_of("app", made.filters)] == ["logins"]
    assert watches_of("db", made.filters) == ()


def test_the_name_of_a_number_that_every_log_has_is_refused() -> None:
    with pytest.raises(ValueError, match="every log has"):
        profile(errors_per_s="x")


async def test_twenty_errors_within_ten_seconds_raise_an_alert(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("ERROR old\n" * 50)
    made = profile(errors={"show": "level = error", "hide": "expected", "within": "10s", "warn": 20})
    source = LogsSource("app", LogSource(file=str(log)), filters=made.filters)
    rules, alerts = Rules(made.rules), list[Alert]()
    try:
        assert len((await source.read()).lines) == 50
        with log.open("a") as file:
            file.write("ERROR new\n\tat a.b(c:1)\nERROR expected\nINFO fine\n" * 20)
        while not alerts:
            batch = await source.read()
            alerts += rules.judge(Reading(source.name, 0.1, batch, taken_at=1.0), 1.0)
    finally:
        await source.close()
    (alert,) = alerts
    assert (alert.source, alert.metric, alert.level, alert.value) == ("logs:app", "errors", Level.WARN, 20)


def test_what_cannot_be_read_or_takes_too_long_is_absent_and_said() -> None:
    made = profile(broken={"show": "(", "warn": 1}, slow={"show": "(.*a){12}$", "warn": 1})
    broken, slow = watches_of("app", made.filters)
    assert "not a regular expression" in broken.problem
    assert math.isnan(broken.count())
    intake = Intake(watches=(broken, slow))
    assert slow.count() == 0
    intake.parse(LineParser("app", "x"), ["INFO " + "abcdefgh" * 60 + "?"] * 10, 0)
    assert slow.problem == "filter slow: (.*a){12}$ takes too long and is not counted"
    assert math.isnan(slow.count())


def test_messages_are_counted_once_and_by_all_of_their_lines_however_they_come() -> None:
    made = profile(timeouts={"show": "timeout", "hide": "expected", "warn": 1})
    (watch,) = watches_of("app", made.filters)
    intake, parser = Intake(watches=(watch,)), LineParser("app", "x")
    other = LineParser("app", "y")
    intake.parse(parser, ["ERROR order 7 failed"], 0)
    assert watch.count() == 0
    intake.parse(other, ["ERROR order 8 failed", "\tat a.b(c:1)"], 0)
    intake.parse(parser, ["Caused by: a.TimeoutException: x", "\tat timeout"], 0)
    assert watch.count() == 1
    intake.parse(other, ["Caused by: a.TimeoutException: x"], 0)
    assert watch.count() == 2
    intake.parse(parser, ["\tat expected.Foo(x:1)"], 0)
    assert watch.count() == 1
    intake.parse(other, ["ERROR timeout", "INFO fine", "ERROR timeout", "\tat a.b(c:1)"], 0)
    assert watch.count() == 3


def test_what_goes_on_with_a_line_from_before_the_start_is_no_news() -> None:
    (watch,) = watches_of("app", profile(errors={"show": "level = error", "warn": 1}).filters)
    intake, parser = Intake(watches=(watch,)), LineParser("app", "x")
    intake.parse(parser, ["ERROR old"], 0, is_backlog=True)
    intake.parse(parser, ["\tat a.b(c:1)", "\tat a.b(c:2)"], 0)
    assert watch.count() == 0


@given(
    st.lists(st.sampled_from(["ERROR a", "INFO b", "\tat timeout", "\tat expected", "\tat x"]), max_size=20), st.data()
)
def test_a_rule_counts_what_a_plain_look_at_all_messages_counts(texts: list[str], data: st.DataObject) -> None:
    (watch,) = watches_of("app", profile(t={"show": "timeout", "hide": "expected", "within": "1h", "warn": 1}).filters)
    intake, parser, at = Intake(watches=(watch,)), LineParser("app", "x"), 0
    while at < len(texts):
        end = at + data.draw(st.integers(1, 4))
        intake.parse(parser, texts[at:end], 0)
        at = end
    every = messages(LineParser("app", "x").parse_all(texts, 0.0))
    found = [" ".join(line.raw for line in message) for message in every if not message[0].continues]
    assert watch.count() == sum("timeout" in each and "expected" not in each for each in found)
