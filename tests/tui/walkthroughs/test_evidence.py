"""Conditions and what the systems say in, evidence with its verdict out."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tui.walkthroughs.fakes import System, site_of
from tui.sources.errors import Unreachable
from tui.walkthroughs.evidence import evidence, verdict
from tui.walkthroughs.format import Check
from tui.walkthroughs.judging import Asked
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import NOBODY, Site, Subject

DATABASES = {"orders": "service=orders", "billing": "service=billing"}
BLOCKED = {"database.blocked": {"warn": 1, "critical": 10}}


async def facts(site: Site, subject: Subject = NOBODY, last: float | None = None, **check: Any) -> tuple[Fact, ...]:
    return await evidence(Asked(Check.model_validate({"check": "c", **check}), subject, last), site)


@pytest.mark.parametrize(
    ("value", "mark"), [(0.0, Mark.PASSED), (1.0, Mark.WARNING), (10.0, Mark.FAILED), (11.0, Mark.FAILED)]
)
async def test_a_rule_judges_as_the_alerts_do(tmp_path: Path, value: float, mark: Mark) -> None:
    system = System("database:orders", {"blocked": value})
    async with site_of(tmp_path, system, databases={"orders": "service=o"}, rules=BLOCKED) as site:
        (fact,) = await facts(site, rule="database.blocked")
    assert (fact.what, fact.mark, fact.threshold, fact.number) == (
        "orders blocked", mark, "warn 1, critical 10", value,
    )  # fmt: skip
    assert fact.at is not None


async def test_the_worst_stands_first_and_decides(tmp_path: Path) -> None:
    systems = System("database:orders", {"blocked": 0}), System("database:billing", {"blocked": 12})
    async with site_of(tmp_path, *systems, databases=DATABASES, rules=BLOCKED) as site:
        found = await facts(site, rule="database.blocked")
    assert [fact.what for fact in found] == ["billing blocked", "orders blocked"]
    assert verdict(found) is Mark.FAILED


async def test_a_system_that_does_not_answer_is_unknown_in_its_own_words_and_no_pass(tmp_path: Path) -> None:
    silent = System("database:billing", error=Unreachable("nobody listens"))
    async with site_of(
        tmp_path, System("database:orders", {"blocked": 0}), silent, databases=DATABASES, rules=BLOCKED
    ) as site:
        found = await facts(site, rule="database.blocked")
    assert (found[0].mark, found[0].detail) == (Mark.UNKNOWN, "nobody listens")
    assert verdict(found) is Mark.UNKNOWN


async def test_the_subject_is_what_is_asked(tmp_path: Path) -> None:
    systems = System("database:orders", {"blocked": 0}), System("database:billing", {"blocked": 12})
    async with site_of(tmp_path, *systems, databases=DATABASES, rules=BLOCKED) as site:
        (fact,) = await facts(site, Subject("database", "orders"), rule="database.blocked", on="{subject}")
    assert fact.what == "orders blocked"


async def test_a_number_that_is_not_reported_is_nothing_to_judge(tmp_path: Path) -> None:
    async with site_of(tmp_path, System("database:orders"), databases={"orders": "service=o"}, rules=BLOCKED) as site:
        found = await facts(site, rule="database.blocked")
    assert (found[0].mark, verdict(found)) == (Mark.SKIPPED, Mark.SKIPPED)


async def test_a_rule_with_a_time_waits_until_it_is_decided(tmp_path: Path) -> None:
    rules = {"database.blocked": {"warn": 1, "for": 3.0}}
    system = System("database:orders", {"blocked": 5})
    async with site_of(tmp_path, system, databases={"orders": "service=o"}, rules=rules) as site:
        (fact,) = await facts(site, rule="database.blocked")
    assert fact.mark is Mark.WARNING, "the judge's clock went on by three seconds with three readings"


@pytest.mark.parametrize(
    ("bounds", "mark"),
    [
        ({"warn": 50}, Mark.WARNING),
        ({"warn": 90}, Mark.PASSED),
        ({"warn": 70, "critical": 60}, Mark.FAILED),
        ({"warn": 60, "critical": 20}, Mark.WARNING),
        ({"at_least": 61}, Mark.FAILED),
        ({"at_least": 60}, Mark.PASSED),
        ({"is": 60}, Mark.PASSED),
        ({"is": 61}, Mark.FAILED),
    ],
)
async def test_a_number_is_held_against_the_steps_own_bounds(
    tmp_path: Path, bounds: dict[str, Any], mark: Mark
) -> None:
    async with site_of(tmp_path, System("host:", {"disk_percent": 60})) as site:
        (fact,) = await facts(site, number="host.disk_percent", **bounds)
    assert (fact.mark, fact.value) == (mark, "60 %")


async def test_no_alert_is_passed_only_where_every_system_answers(tmp_path: Path) -> None:
    up = System("database:orders", {"blocked": 0})
    async with site_of(tmp_path, up, databases={"orders": "service=o"}, rules=BLOCKED) as site:
        assert verdict(await facts(site, alerts="none")) is Mark.PASSED
        up.numbers = {"blocked": 12}
        assert verdict(await facts(site, alerts="none")) is Mark.FAILED
        up.error = Unreachable("gone")
        assert Mark.UNKNOWN in {fact.mark for fact in await facts(site, alerts="none")}


SCRIPT = [sys.executable, "-c"]


async def test_a_script_that_changes_something_is_never_run_for_its_exit_code(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    async with site_of(tmp_path, scripts={"flush": {"command": ["touch", str(ran)], "changes": True}}) as site:
        (fact,) = await facts(site, script="flush")
    assert (fact.mark, "only a person runs it" in fact.detail) == (Mark.UNKNOWN, True)
    assert not ran.exists()


@pytest.mark.parametrize(
    ("program", "mark", "words"),
    [
        ("print('all 3 backups are there')", Mark.PASSED, "all 3 backups are there"),
        ("print('one is old'); raise SystemExit(4)", Mark.WARNING, "one is old"),
        ("import sys; print('\\x1b[31mnone', file=sys.stderr); sys.exit(2)", Mark.FAILED, "none"),
        ("import time; time.sleep(60)", Mark.UNKNOWN, "not finished within"),
        ("print('x' * 10_000_000)", Mark.PASSED, "xxx"),
    ],
)
async def test_a_script_is_judged_by_its_exit_code(tmp_path: Path, program: str, mark: Mark, words: str) -> None:
    script = {"command": [*SCRIPT, program], "warn_codes": [4], "timeout": 2.0 if mark is Mark.UNKNOWN else 30.0}
    async with site_of(tmp_path, scripts={"backup": script}) as site:
        (fact,) = await facts(site, script="backup")
    assert fact.mark is mark
    assert words in fact.detail
    assert fact.detail.isprintable()


async def test_a_program_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    async with site_of(tmp_path, scripts={"backup": {"command": ["/nonexistent/backup"]}}) as site:
        (fact,) = await facts(site, script="backup")
    assert (fact.mark, fact.detail) == (Mark.UNKNOWN, "/nonexistent/backup: No such file or directory")


async def test_lines_of_a_log_are_counted_by_level_and_words(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("".join(f"ERROR login failed {n}\n" for n in range(3)) + "WARN slow\nINFO login failed\n")
    async with site_of(tmp_path, logs={"api": str(log)}) as site:
        (errors,) = await facts(site, logs={"level": "error"}, warn=3)
        (logins,) = await facts(site, logs={"of": "api", "matching": "LOGIN FAILED"}, warn=10)
    assert (errors.value, errors.mark, errors.detail) == ("3", Mark.WARNING, errors.detail)
    assert "login failed 2" in errors.detail
    assert (logins.value, logins.mark) == ("4", Mark.PASSED)


async def test_a_message_is_counted_once_whichever_of_its_lines_has_the_words(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("ERROR order\njava.net.SocketTimeoutException: x\n\tat a.Timeout(b:1)\nERROR fine\n")
    async with site_of(tmp_path, logs={"api": str(log)}) as site:
        (found,) = await facts(site, logs={"of": "api", "matching": "timeout"}, warn=10)
    assert found.value == "1"
    assert "ERROR order" in found.detail


async def test_thousands_of_lines_are_counted_and_what_lies_further_back_is_said_to(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    log = tmp_path / "api.log"
    log.write_text("".join(f"{now - timedelta(minutes=n):%Y-%m-%dT%H:%M:%SZ} ERROR {n}\n" for n in range(9000, 0, -1)))
    async with site_of(tmp_path, logs={"api": str(log)}) as site:
        (hour,) = await facts(site, logs={"level": "error", "within": "100h"}, warn=10_000)
        (month,) = await facts(site, logs={"level": "error", "within": "30d"}, warn=10_000)
    assert hour.number in (5999, 6000, 6001)
    assert (month.value, month.mark) == ("9000", Mark.PASSED)
    assert "what was read of it goes back 6d" in month.detail


async def test_a_log_that_new_lines_pour_into_is_counted_at_once_and_whole(tmp_path: Path) -> None:
    log = tmp_path / "busy.log"
    log.write_text("".join(f"ERROR {n}\n" for n in range(5000)))
    pouring = True

    async def pour() -> None:
        while pouring:
            with log.open("a") as file:
                file.write("INFO more\n")
            await asyncio.sleep(0.01)

    async with site_of(tmp_path, logs={"busy": str(log)}) as site:
        writer = asyncio.create_task(pour())
        (fact,) = await facts(site, logs={"level": "error"}, warn=10_000)
        pouring = False
        await writer
    assert (fact.value, fact.mark) == ("5000", Mark.PASSED)


async def test_a_log_that_is_not_read_to_its_end_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.walkthroughs.evidence_logs._PATIENCE_S", 0.0)
    old = "2026-01-01T00:00:00Z INFO"
    command = ["sh", "-c", f"while sleep 0.01; do echo '{old} one'; done"]
    async with site_of(tmp_path, logs={"slow": {"command": command}}) as site:
        (fact,) = await facts(site, logs={"level": "error"}, warn=10)
    assert (fact.mark, fact.value) == (Mark.UNKNOWN, "0")
    assert "not read to its end" in fact.detail


async def test_what_people_did_since_the_last_run_is_counted_and_listed(tmp_path: Path) -> None:
    async with site_of(tmp_path) as site:
        await site.journal.append("intent", {"verb": "restart", "where": "shop", "name": "api", "action": "1"})
        found = await facts(site, recorded="actions", last=site.now() - 60)
        later = await facts(site, recorded="actions", last=site.now() + 60)
    assert found[0].value.startswith("1 since the last run")
    assert "restart shop/api" in found[1].value
    assert later[0].number == 0
