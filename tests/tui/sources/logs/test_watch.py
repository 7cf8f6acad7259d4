"""Filters of a profile as rules: lines in, a number out, judged like every other."""

import math
from pathlib import Path
from typing import Any

import pytest

from profiles.schema import LogSource, Profile
from tui.rules import Alert, Level, Rules
from tui.sources.logs import LogsSource
from tui.sources.logs.intake import Intake
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
