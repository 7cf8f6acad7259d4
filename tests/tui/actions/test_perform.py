"""The life of an action, told with a verb of a few lines."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from profiles.schema import Profile
from tests.tui.actions.scripted import REQUEST, Bench, Known, Scripted
from tui.actions.action import Action, Look, NotSentError, Phase, Receipt, Request, Risk, Sight, Target
from tui.actions.guard import GuardState
from tui.actions.perform import Ask, Consent, Ending, Performer, ask_for, sight
from tui.sources.errors import Unreachable


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_intent_is_on_disk_before_the_write_and_the_outcome_after(bench: Bench) -> None:
    on_disk: list[list[str]] = []
    execute = bench.verb.execute

    async def watched(action: Action) -> Receipt:
        on_disk.append(bench.told())
        return await execute(action)

    bench.verb.execute = watched  # type: ignore[method-assign]  # the double watches its own call
    outcome = await bench.run()
    assert outcome.ending is Ending.CONVERGED
    assert on_disk == [["intent"]]
    assert bench.told() == ["intent", "accepted", "outcome"]


async def test_nothing_is_sent_when_the_intent_cannot_be_written(bench: Bench) -> None:
    bench.journal.path = Path("/dev/full")
    outcome = await bench.run()
    assert (outcome.ending, bench.verb.sent) == (Ending.REFUSED, [])
    assert "nothing was sent" in outcome.detail


async def test_a_lost_answer_is_on_record_as_unknown_never_sent_again_and_resolved_by_reading(bench: Bench) -> None:
    bench.verb.execute_error = Unreachable("connection reset")
    progress: list[str] = []
    bench.progress = lambda request, what: progress.append(what)
    outcome = await bench.run()
    assert (outcome.ending, bench.verb.sent) == (Ending.CONVERGED, ["4711"])
    assert "connection reset" in outcome.detail
    assert "read again: gone" in outcome.detail
    assert bench.endings() == [None, "unknown", "converged"]
    assert bench.told() == ["intent", "outcome", "resolved"]
    assert any(what.startswith("UNKNOWN") for what in progress)


async def test_a_change_that_is_not_there_after_a_lost_answer_is_absent_not_undone_work(bench: Bench) -> None:
    bench.verb.execute_error = Unreachable("connection reset")
    bench.verb.looks = [Look(Phase.ABSENT, "3 replicas, not 5")]
    outcome = await bench.run()
    assert (outcome.ending, bench.verb.sent) == (Ending.ABSENT, ["4711"])
    assert "3 replicas, not 5" in outcome.detail


async def test_a_write_that_is_late_is_waited_for_before_it_counts_as_absent(bench: Bench) -> None:
    bench.verb.execute_error = Unreachable("connection reset")
    bench.verb.deadline_s = 30.0
    bench.verb.looks = [Look(Phase.ABSENT, "not yet"), Look(Phase.ABSENT, "not yet"), Look(Phase.CONVERGED, "there")]
    assert (await bench.run()).ending is Ending.CONVERGED


async def test_a_lost_answer_from_a_system_that_stays_silent_stays_unknown(bench: Bench) -> None:
    bench.verb.execute_error = Unreachable("connection reset")
    bench.verb.looks = [Unreachable("refused")]
    outcome = await bench.run()
    assert outcome.ending is Ending.UNKNOWN
    assert "look at the target before doing it again" in outcome.detail
    assert bench.endings() == [None, "unknown", "unknown"]


async def test_a_bug_while_sending_is_unknown_too(bench: Bench) -> None:
    bench.verb.execute_error = ZeroDivisionError("oops")
    outcome = await bench.run()
    assert "ZeroDivisionError" in outcome.detail
    assert bench.endings()[1] == "unknown"


async def test_a_change_that_the_system_took_back_at_once_has_regressed(bench: Bench) -> None:
    bench.verb.looks = [Look(Phase.ABSENT, "an autoscaler set 3")]
    assert (await bench.run()).ending is Ending.REGRESSED


async def test_what_the_answer_added_to_the_evidence_is_looked_with_and_on_record(bench: Bench) -> None:
    bench.verb.evidence = {"value": "64mb", "was": "0"}
    bench.verb.receipt = Receipt("OK", {"value": "67108864"})
    await bench.run()
    assert bench.verb.looked_at[0].evidence == {"value": "67108864", "was": "0"}
    entries = {entry["what"]: entry for entry in bench.journal.entries()}
    assert entries["intent"]["evidence"] == {"value": "64mb", "was": "0"}
    assert entries["accepted"]["evidence"] == {"value": "67108864", "was": "0"}


async def test_a_converged_change_is_watched_on_and_told_when_it_regresses(bench: Bench) -> None:
    bench.verb.hold_s = 30.0
    outcome = await bench.run()
    assert outcome.sent is not None
    bench.verb.looks = [Look(Phase.CONVERGED, ""), Unreachable("a blip"), Look(Phase.WAITING, "2 of 3 ready")]
    later = await bench.performer.hold(outcome.sent)
    assert later is not None
    assert later.ending is Ending.REGRESSED
    assert bench.told()[-1] == "regressed"


async def test_a_converged_change_that_stays_is_no_news_and_one_blip_is_none_either(bench: Bench) -> None:
    bench.verb.hold_s = 8.0
    outcome = await bench.run()
    assert outcome.sent is not None
    bench.verb.looks = [Look(Phase.WAITING, "2 of 3 ready"), Look(Phase.CONVERGED, "")]
    assert await bench.performer.hold(outcome.sent) is None
    assert bench.told()[-1] == "outcome"


async def test_being_cancelled_while_sending_is_on_record_as_unknown(bench: Bench) -> None:
    bench.verb.execute_error = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await bench.run()
    assert [entry.get("ending") for entry in bench.journal.entries()] == [None, "unknown"]


async def test_a_target_that_moved_on_is_not_sent(bench: Bench) -> None:
    bench.verb.execute_error = NotSentError("that statement has finished")
    outcome = await bench.run()
    assert (outcome.ending, outcome.detail) == (Ending.NOT_SENT, "that statement has finished")


async def test_without_consent_nothing_is_sent_and_that_is_on_record(bench: Bench) -> None:
    bench.consent = None
    outcome = await bench.run()
    assert (outcome.ending, bench.verb.sent, bench.told()) == (Ending.CANCELLED, [], ["cancelled"])


async def test_a_missing_permission_is_said_before_anybody_is_asked(bench: Bench) -> None:
    bench.verb.permission = "must be a member of pg_signal_backend"
    outcome = await bench.run()
    assert (outcome.ending, bench.confirmed) == (Ending.REFUSED, [])
    assert "pg_signal_backend" in outcome.detail


async def test_the_guard_is_asked_again_after_the_dialog(bench: Bench) -> None:
    real = bench.verb.plan

    async def plan_then_disarm(request: Request) -> Action:
        action = await real(request)
        bench.guard.locked = True
        return action

    bench.verb.plan = plan_then_disarm  # type: ignore[method-assign]  # time passes while the dialog is open
    outcome = await bench.run()
    assert (outcome.ending, bench.verb.sent, len(bench.confirmed)) == (Ending.REFUSED, [], 1)


async def test_another_system_that_answers_while_the_dialog_is_open_gets_nothing(tmp_path: Path) -> None:
    pinned = {"databases": {"orders": "service=o"}, "identity": {"postgres": {"orders": {"role": "primary"}}}}
    profile = Profile.model_validate({"name": "t", "environment": "dev", **pinned})
    bench = Bench(tmp_path, profile=profile)
    bench.reading = replace(bench.reading, snapshot=Known.by(role="primary"))
    real = bench.verb.plan

    async def plan_then_fail_over(request: Request) -> Action:
        action = await real(request)
        bench.reading = replace(bench.reading, snapshot=Known.by(role="standby"))
        return action

    bench.verb.plan = plan_then_fail_over  # type: ignore[method-assign]  # time passes while the dialog is open
    outcome = await bench.run()
    assert (outcome.ending, bench.verb.sent, len(bench.confirmed)) == (Ending.REFUSED, [], 1)
    assert "role primary expected, standby answers" in outcome.detail


async def test_the_guard_is_asked_once_more_when_the_journal_took_its_time(bench: Bench) -> None:
    write = bench.journal.append

    async def slowly(what: str, entry: Mapping[str, Any]) -> None:
        await write(what, entry)
        bench.guard.locked = True

    bench.journal.append = slowly  # type: ignore[method-assign]  # a shared disk that hangs while the window closes
    outcome = await bench.run()
    assert (outcome.ending, bench.verb.sent, bench.told()) == (Ending.REFUSED, [], ["intent", "refused"])


def test_the_armed_window_is_measured_by_a_clock_that_nobody_sets() -> None:
    assert GuardState(read_only=True).clock is time.monotonic


async def test_production_refuses_until_it_is_armed_and_again_when_the_window_closes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, profile=Profile.model_validate({"name": "t", "environment": "prod"}))
    assert "press W" in (await bench.run()).detail
    assert bench.guard.arm(10) is None
    assert (await bench.run()).ending is Ending.CONVERGED
    bench.guard.clock = lambda: 110.0
    assert (await bench.run()).ending is Ending.REFUSED
    assert bench.verb.sent == ["4711"]


async def test_a_locked_session_cannot_be_armed(bench: Bench) -> None:
    bench.guard.locked = True
    assert "--read-only" in (bench.guard.arm(10) or "")
    assert (await bench.run()).ending is Ending.REFUSED


async def test_what_the_profile_denies_is_refused(tmp_path: Path) -> None:
    profile = Profile.model_validate(
        {"name": "t", "environment": "dev", "guards": {"verbs": {"deny": ["cancel-query"]}}}
    )
    assert "denies" in (await Bench(tmp_path, profile=profile).run()).detail


async def test_other_namespaces_than_the_allowed_are_refused(tmp_path: Path) -> None:
    profile = Profile.model_validate({"name": "t", "environment": "dev", "guards": {"namespaces": ["shop"]}})
    bench = Bench(tmp_path, profile=profile, verb=Scripted(name="restart"))
    target = Target("kubernetes:", "deployment", "ledger", "payments", {"uid": "u"}, {"namespace": "payments"})
    performer = Performer(profile, {("restart", "kubernetes:"): bench.verb}, bench.guard, bench.journal)

    async def never(action: Action, ask: Ask) -> Consent | None:
        raise AssertionError("nobody may be asked")

    outcome = await performer.perform(Request("restart", target), never, lambda request, what: None)
    assert "only in the namespaces shop" in outcome.detail


async def test_what_was_seen_on_an_old_screen_is_refused(bench: Bench) -> None:
    bench.reading = replace(bench.reading, error=Unreachable("timed out"))
    outcome = await bench.run()
    assert outcome.ending is Ending.REFUSED
    assert "timed out" in outcome.detail


async def test_never_arriving_is_not_converged_and_says_what_was_missing(bench: Bench) -> None:
    bench.verb.looks = [Look(Phase.WAITING, "2 of 3 updated")]
    outcome = await bench.run()
    assert outcome.ending is Ending.NOT_CONVERGED
    assert "2 of 3 updated" in outcome.detail


async def test_losing_sight_is_unknown_not_green(bench: Bench) -> None:
    bench.verb.looks = [Unreachable("refused")]
    assert (await bench.run()).ending is Ending.UNKNOWN


async def test_being_closed_while_it_is_verified_is_on_record_as_unknown(bench: Bench) -> None:
    bench.verb.looks = [Look(Phase.WAITING, "2 of 3 updated")]
    bench.verb.deadline_s = 1e9
    running = asyncio.create_task(bench.run())
    async with asyncio.timeout(30):
        while "accepted" not in bench.told():
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [entry.get("ending") for entry in bench.journal.entries()] == [None, None, "unknown"]


async def test_a_screen_that_is_gone_after_the_write_leaves_no_change_without_an_outcome(bench: Bench) -> None:
    def fail_once_accepted(request: Request, what: str) -> None:
        if what.startswith("accepted"):
            raise LookupError("no screen")

    bench.progress = fail_once_accepted
    with pytest.raises(LookupError):
        await bench.run()
    assert bench.told() == ["intent", "accepted", "outcome"]


@pytest.mark.parametrize("error", [Unreachable("refused"), ZeroDivisionError("oops"), TimeoutError()])
async def test_a_target_that_cannot_be_seen_is_never_shown_as_unchanged(bench: Bench, error: Exception) -> None:
    async def blind(action: Action) -> tuple[Sight, str]:
        raise error

    action = await bench.verb.plan(REQUEST)
    bench.verb.sight = blind  # type: ignore[method-assign]  # the watch of an open dialog fails
    seen, what = await sight(bench.verb, action)
    assert seen is Sight.CHANGED
    assert "cannot be seen any more" in what


async def test_sight_that_comes_back_counts(bench: Bench) -> None:
    bench.verb.deadline_s = 5.0
    bench.verb.looks = [Unreachable("refused"), Look(Phase.CONVERGED, "gone")]
    assert (await bench.run()).ending is Ending.CONVERGED


@pytest.mark.parametrize("error", [Unreachable("refused"), ZeroDivisionError("oops")])
async def test_what_cannot_be_planned_is_refused(bench: Bench, error: Exception) -> None:
    bench.verb.plan_error = error
    outcome = await bench.run()
    assert (outcome.ending, bench.verb.sent) == (Ending.REFUSED, [])


@pytest.mark.parametrize(
    ("risk", "environment", "ask"),
    [
        (Risk.LOW, "prod", Ask.KEY),
        (Risk.MEDIUM, "prod", Ask.NAME),
        (Risk.HIGH, "prod", Ask.NAME_AND_REASON),
        (Risk.MEDIUM, "staging", Ask.NAME),
        (Risk.MEDIUM, "sandbox", Ask.NAME),
        (Risk.MEDIUM, "dev", Ask.KEY),
        (Risk.HIGH, "dev", Ask.NAME),
    ],
)
def test_confirming_gets_harder_with_risk_and_environment(risk: Risk, environment: str, ask: Ask) -> None:
    assert ask_for(risk, Profile.model_validate({"name": "t", "environment": environment})) is ask


def test_a_profile_makes_confirming_harder_and_never_easier() -> None:
    confirm = {"low": "type", "high": "key"}
    profile = Profile.model_validate({"name": "t", "environment": "prod", "guards": {"confirm": confirm}})
    assert ask_for(Risk.LOW, profile) is Ask.NAME
    assert ask_for(Risk.HIGH, profile) is Ask.NAME_AND_REASON


def test_a_cluster_makes_confirming_harder_in_itself_and_never_easier() -> None:
    clusters = {"eu": "eu", "us": {"context": "us", "guards": {"confirm": {"low": "type+reason", "high": "key"}}}}
    given = {"name": "t", "environment": "prod", "clusters": clusters, "guards": {"confirm": {"low": "type"}}}
    profile = Profile.model_validate(given)
    assert ask_for(Risk.LOW, profile, "kubernetes:us") is Ask.NAME_AND_REASON
    assert ask_for(Risk.HIGH, profile, "kubernetes:us") is Ask.NAME_AND_REASON
    assert ask_for(Risk.LOW, profile, "kubernetes:eu") is Ask.NAME
    assert ask_for(Risk.LOW, profile, "postgres:us") is Ask.NAME
