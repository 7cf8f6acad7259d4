"""Checks of the sandbox: real PostgreSQL and Valkey, the simulated cluster."""

from pathlib import Path

import pytest

from profiles.loader import load
from profiles.required import Required
from profiles.schema import Profile
from tui.check.checks import Report
from tui.check.looking import INTERVAL_S, Answers, look
from tui.check.selection import selected
from tui.cli.headless import watching
from tui.journal import Journal
from tui.sandbox.blocking import BlockingSandbox
from tui.systems import systems_of
from tui.walkthroughs.run import Mark

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


async def looked(sandbox: BlockingSandbox, folder: Path, *only: str, profile: Profile | None = None) -> Report:
    profile = profile or load("demo", sandbox=sandbox.endpoints).profile
    systems = systems_of(profile)
    selection = selected(profile, [source.name for source in systems.sources], only)
    answers = Answers(selection)
    async with watching(
        profile, Journal(folder, "demo", "sandbox"), systems=systems, names=sorted(selection.sources),
        interval_s=INTERVAL_S, heard=answers.take,
    ) as site:  # fmt: skip
        return await look(site, selection, answers, timeout_s=60.0)


async def test_on_a_calm_day_every_system_answers_and_every_number_is_there(
    sandbox: BlockingSandbox, tmp_path: Path
) -> None:
    report = await looked(sandbox, tmp_path)
    skipped = {check.name for check in report.checks if check.mark is Mark.SKIPPED}
    assert skipped == {
        "service.certificate_days",
        "service.probe_state",
        "service.token_s",
        "database.replication_lag_s",
        "database.replication_lag_bytes",
        "database.slot_retained_bytes",
        "redis.fragmentation",
        "redis.replica_lag_bytes",
        "redis.replica_lag_s",
        "redis.link_down_s",
        "redis.cluster_failing",
        "redis.masters_down",
    }, "plain HTTP has no certificate, nobody replicates, and the cache is small and in no cluster"
    assert not [check for check in report.checks if check.mark is Mark.UNKNOWN]
    assert {check.mark for check in report.checks if check.name == "database.blocked"} == {Mark.PASSED}


async def test_a_trouble_is_told_by_the_rule_it_is_about(sandbox: BlockingSandbox, tmp_path: Path) -> None:
    sandbox.scenario("failing-service")
    for _ in range(30):
        (check,) = (await looked(sandbox, tmp_path, "service.state")).checks[3:4]
        if check.mark is Mark.FAILED:
            break
    assert (check.system, check.mark, check.shown) == ("service:payments", Mark.FAILED, "DOWN")


async def test_only_what_is_asked_for_is_read_while_postgres_is_stopped(
    sandbox: BlockingSandbox, tmp_path: Path
) -> None:
    with sandbox.stopped("postgres"):
        of_redis = {check.mark for check in (await looked(sandbox, tmp_path, "redis")).checks}
        assert of_redis == {Mark.PASSED, Mark.SKIPPED}
        marks = {check.mark for check in (await looked(sandbox, tmp_path, "database")).checks}
    assert marks == {Mark.UNKNOWN}


async def test_what_is_required_is_judged_by_ready_pods_and_told_versions(
    sandbox: BlockingSandbox, tmp_path: Path
) -> None:
    required = Required(
        replicas={"shop/deployment/api": 1, "shop/deployment/search": 99, "shop/deployment/nowhere": 1},
        versions={"api": ">=0.1", "gateway": ">=4.2"},
    )
    profile = load("demo", sandbox=sandbox.endpoints).profile.model_copy(update={"required": required})
    report = await looked(sandbox, tmp_path, "required", profile=profile)
    assert {check.object or check.system: check.mark for check in report.checks} == {
        "service:api": Mark.UNKNOWN, "service:gateway": Mark.PASSED, "shop/deployment/api": Mark.PASSED,
        "shop/deployment/search": Mark.FAILED, "shop/deployment/nowhere": Mark.FAILED,
    }  # fmt: skip
    assert all(check.age_s is not None for check in report.checks)
