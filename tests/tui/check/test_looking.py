"""Systems that say what they are told to, watched until enough is known."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from profiles.schema import Profile
from tests.tui.walkthroughs.fakes import Facts, System
from tui.check.checks import Check, Report
from tui.check.looking import Answers, look
from tui.check.selection import selected
from tui.journal import Journal
from tui.poller import Pollers
from tui.rules import Rules
from tui.sources.errors import Unreachable
from tui.sources.reading import Number, Reading
from tui.walkthroughs.run import Mark
from tui.walkthroughs.site import Site

RULES = {"database.blocked": {"warn": 1, "critical": 10}}


@dataclass
class Rated(System):
    """Has its rate from the second reading on."""

    readings: list[int] = field(default_factory=list)

    async def read(self) -> Facts:
        self.readings.append(1)
        return Facts((Number("evicted_per_s", 5.0),) if len(self.readings) > 1 else ())


class Silent(System):
    """Never answers."""

    async def read(self) -> Facts:
        await asyncio.Event().wait()
        raise AssertionError


async def checked(
    folder: Path,
    *systems: System,
    optional: tuple[str, ...] = (),
    rules: dict[str, Any] = RULES,
    timeout_s: float = 20.0,
    watch_s: float | None = None,
) -> Report:
    profile = Profile.model_validate({"name": "t", "environment": "dev", "rules": rules})
    judge = Rules(profile.rules)
    selection = selected(profile, [system.name for system in systems], ())
    answers = Answers(selection)

    def take(reading: Reading[Any]) -> None:
        judge.judge(reading, time.time())
        answers.take(reading)

    pollers = Pollers(take, interval_s=None)
    pollers.start(systems, optional=optional)
    try:
        site = Site(profile, pollers, judge, Journal(folder, "t", "dev"))
        return await look(site, selection, answers, timeout_s=timeout_s, watch_s=watch_s)
    finally:
        await pollers.close()


def marks(report: Report) -> dict[str, Mark]:
    return {check.name: check.mark for check in report.checks}


def named(report: Report, name: str) -> Check:
    (check,) = (check for check in report.checks if check.name == name)
    return check


async def test_a_rule_and_a_probe_have_a_line_each(tmp_path: Path) -> None:
    report = await checked(tmp_path, System("database:orders", {"blocked": 12}))
    assert marks(report) == {"database.answers": Mark.PASSED, "database.blocked": Mark.FAILED}
    rule = named(report, "database.blocked")
    assert (rule.value, rule.shown, rule.warn, rule.critical, rule.threshold) == (
        12.0, "12", 1.0, 10.0, "warn 1, critical 10",
    )  # fmt: skip
    assert report.exit_code == 2


async def test_a_number_that_needs_two_readings_is_waited_for(tmp_path: Path) -> None:
    system = Rated("redis:cache")
    report = await checked(tmp_path, system, rules={"redis.evicted_per_s": {"warn": 1}})
    assert named(report, "redis.evicted_per_s").mark is Mark.WARNING


async def test_a_number_that_two_readings_do_not_hold_is_not_reported(tmp_path: Path) -> None:
    report = await checked(tmp_path, System("database:orders"))
    assert named(report, "database.blocked").mark is Mark.SKIPPED
    assert report.exit_code == 0, "the system did answer"


async def test_a_system_that_fails_is_unknown_in_its_own_words(tmp_path: Path) -> None:
    report = await checked(tmp_path, System("database:orders", error=Unreachable("refused\x1b[2J")))
    assert set(marks(report).values()) == {Mark.UNKNOWN}
    assert {check.detail for check in report.checks} == {"refused␛[2J"}
    assert report.exit_code == 3


async def test_a_system_that_is_silent_for_too_long_is_unknown(tmp_path: Path) -> None:
    report = await checked(tmp_path, Silent("database:orders", timeout_s=60.0), timeout_s=0.05)
    assert {check.detail for check in report.checks} == {"no answer within 0.05 s"}
    assert report.exit_code == 3


async def test_an_optional_system_that_is_absent_is_skipped(tmp_path: Path) -> None:
    absent = System("database:orders", error=Unreachable("refused"))
    report = await checked(tmp_path, absent, System("host:"), optional=("database:orders",))
    assert marks(report)["database.blocked"] is Mark.SKIPPED
    assert report.exit_code == 0


async def test_a_rule_with_a_time_is_judged_at_once_unless_systems_are_watched(tmp_path: Path) -> None:
    rules = {"database.blocked": {"warn": 1, "for": 3600}}
    system = System("database:orders", {"blocked": 5})
    assert named(await checked(tmp_path, system, rules=rules), "database.blocked").mark is Mark.WARNING
    short = {"database.blocked": {"warn": 1, "for": 0.05}}
    watched = await checked(tmp_path, system, rules=short, watch_s=0.0)
    assert named(watched, "database.blocked").mark is Mark.WARNING, "it held for as long as it must"


async def test_a_number_that_should_be_there_and_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    report = await checked(tmp_path, System("database:orders", {"blocked": float("nan")}))
    rule = named(report, "database.blocked")
    assert (rule.mark, rule.value, rule.detail) == (Mark.UNKNOWN, None, "cannot be read at present")
