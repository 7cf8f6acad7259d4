"""A person led through a walk: verdicts, overrides, notes, pauses; and a colleague who goes on."""

from pathlib import Path
from typing import Any

import pytest

from tests.tui.walkthroughs.fakes import System, guide_of, site_of, walk_of
from tui.actions.action import Request, Target
from tui.actions.perform import Ending, Outcome
from tui.journal import JournalError
from tui.walkthroughs.automatic import walk_automatically
from tui.walkthroughs.format import Wait
from tui.walkthroughs.guide import Guide
from tui.walkthroughs.run import EXIT_CODES, Fact, Mark, Run, State
from tui.walkthroughs.site import NOBODY, Subject

RULES = {"host.cpu_percent": {"warn": 50, "critical": 90}}
CHECK = {"check": "CPU", "id": "cpu", "rule": "host.cpu_percent"}


def run_of(guide: Guide) -> Run:
    assert guide.run is not None
    return guide.run


async def waited(guide: Guide) -> Mark:
    placed = guide.step
    assert placed is not None
    assert isinstance(placed.step, Wait)
    return await guide.wait(placed.step)


async def test_evidence_comes_first_and_the_verdict_follows_from_it(tmp_path: Path) -> None:
    async with site_of(tmp_path, System("host:", {"cpu_percent": 95}), rules=RULES) as site:
        guide = guide_of(site, walk := walk_of(CHECK, {"note": "end", "id": "end"}))
        await guide.begin(walk, NOBODY)
        assert guide.live.verdict is None, "nothing is judged before it was read"
        await guide.read()
        assert guide.live.verdict is Mark.FAILED
        await guide.take(Mark.FAILED)
        assert guide.at == "end"
        assert run_of(guide).results["cpu"].evidence[0].value == "95 %"


async def test_an_override_stands_on_record_with_the_evidence_it_goes_against(tmp_path: Path) -> None:
    async with site_of(tmp_path, System("host:", {"cpu_percent": 95}), rules=RULES) as site:
        guide = guide_of(site, walk := walk_of(CHECK))
        await guide.begin(walk, NOBODY)
        await guide.read()
        guide.note("looked at it")
        await guide.take(Mark.PASSED, note="a batch that ends at 6", is_override=True)
        result = run_of(guide).results["cpu"]
        assert (result.mark, result.is_override, result.evidence[0].mark) == (Mark.PASSED, True, Mark.FAILED)
        assert result.note == "looked at it; a batch that ends at 6"
        assert "against the evidence" in guide.report(run_of(guide))


async def test_another_opstui_goes_on_where_the_first_was_paused(tmp_path: Path) -> None:
    walk = walk_of(*({"note": step, "id": step} for step in "abc"))
    async with site_of(tmp_path) as site:
        first = guide_of(site, walk)
        await first.begin(walk, NOBODY)
        await first.take(Mark.DONE, note="did a")
        await first.pause()
        assert first.run is None
        guide = guide_of(site, walk)
        await guide._recorder.news.fetch()
        found = guide.open_run(walk)
        assert found is not None
        assert found.state is State.PAUSED
        await guide.resume(walk, found)
        assert guide.at == "b"
        await guide.take(Mark.DONE)
        await guide.take(Mark.DONE)
        ended = await guide.end(is_whole=True)
        assert ended is not None
        assert ended.state is State.ENDED
        assert guide.open_run(walk) is None


async def test_a_step_is_not_taken_when_it_cannot_be_put_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site_of(tmp_path) as site:
        guide = guide_of(site, walk := walk_of({"note": "a", "id": "a"}, {"note": "b", "id": "b"}))
        await guide.begin(walk, NOBODY)

        async def full(*_: Any) -> None:
            raise JournalError("No space left on device")

        monkeypatch.setattr(type(site.journal), "append", full)
        with pytest.raises(JournalError):
            await guide.take(Mark.DONE)
        assert guide.at == "a"
        assert not run_of(guide).results


async def test_a_question_passes_by_the_answers_that_are_well(tmp_path: Path) -> None:
    steps = {"ask": "Done?", "id": "a", "answers": ["yes", "no", "partly"]}, {"note": "end", "id": "end"}
    async with site_of(tmp_path) as site:
        for answer, mark in (("yes", Mark.PASSED), ("no", Mark.FAILED), ("partly", Mark.FAILED)):
            guide = guide_of(site, walk := walk_of(*steps))
            await guide.begin(walk, NOBODY)
            await guide.answer(answer)
            assert run_of(guide).results["a"].mark is mark


async def test_a_wait_ends_when_it_is_well(tmp_path: Path) -> None:
    system = System("host:", {"cpu_percent": 95})
    wait = {"wait": "calm", "id": "w", "rule": "host.cpu_percent", "deadline": 60}
    async with site_of(tmp_path, system, rules=RULES) as site:
        guide = guide_of(site, walk := walk_of(wait))
        await guide.begin(walk, NOBODY)

        def calm_down() -> None:
            if guide.live.verdict is Mark.FAILED:
                system.numbers = {"cpu_percent": 3}

        guide.watcher = calm_down
        assert await waited(guide) is Mark.PASSED
        assert guide.live.waiting_since is None


async def test_a_wait_that_is_over_time_has_failed(tmp_path: Path) -> None:
    wait = {"wait": "calm", "id": "w", "rule": "host.cpu_percent", "deadline": 0}
    async with site_of(tmp_path, System("host:", {"cpu_percent": 95}), rules=RULES) as site:
        guide = guide_of(site, walk := walk_of(wait))
        await guide.begin(walk, NOBODY)
        assert await waited(guide) is Mark.FAILED


REQUEST = Request("restart", Target("kubernetes:", "Deployment", "api", "shop", {"uid": "u"}))


@pytest.mark.parametrize(
    ("ending", "mark"),
    [
        (Ending.CONVERGED, Mark.PASSED),
        (Ending.NOT_CONVERGED, Mark.FAILED),
        (Ending.REGRESSED, Mark.FAILED),
        (Ending.UNKNOWN, Mark.UNKNOWN),
        (Ending.ABSENT, Mark.FAILED),
        (Ending.CANCELLED, None),
        (Ending.REFUSED, None),
        (Ending.NOT_SENT, None),
    ],
)
async def test_an_action_step_goes_as_its_action_went_and_stays_open_where_nothing_was_sent(
    tmp_path: Path, ending: Ending, mark: Mark | None
) -> None:
    act = {"act": "Restart", "id": "act", "verb": "restart", "pick": "subject"}
    async with site_of(tmp_path) as site:
        guide = guide_of(site, walk := walk_of(act, {"note": "end", "id": "end"}))
        await guide.begin(walk, Subject("workload", "shop/deployment/api"))
        await guide.acted(run_of(guide).id, "act", [(REQUEST, Outcome(ending, "because"))])
        result = run_of(guide).results.get("act")
        assert (result.mark if result else None) is mark
        assert guide.at == ("end" if mark else "act")


async def test_what_an_action_led_to_is_on_record_whatever_is_looked_at_by_then(tmp_path: Path) -> None:
    act = {"act": "Restart", "id": "act", "verb": "restart", "pick": "subject"}
    async with site_of(tmp_path) as site:
        guide = guide_of(site, walk := walk_of(act, {"note": "end", "id": "end"}))
        await guide.begin(walk, NOBODY)
        run = run_of(guide).id
        guide.move(1)
        await guide.acted(run, "act", [(REQUEST, Outcome(Ending.CONVERGED, "", None))])
        assert guide.at == "end"
        assert run_of(guide).results["act"].mark is Mark.PASSED
        await guide.pause()
        await guide.acted(run, "act", [(REQUEST, Outcome(Ending.REGRESSED, "fell back", None))])
        (kept,) = guide.runs_of(walk)
        assert kept.results["act"].mark is Mark.FAILED


async def test_nothing_that_looks_like_a_secret_goes_on_record(tmp_path: Path) -> None:
    async with site_of(tmp_path) as site:
        guide = guide_of(site, walk := walk_of({"note": "a", "id": "a"}))
        await guide.begin(walk, NOBODY)
        fact = Fact("log", "1", Mark.PASSED, detail="newest: login with password=hunter2")
        await guide.take(Mark.DONE, note="token: abcdefgh12345678", more=[fact])
    written = site.journal.path.read_text()
    assert "hunter2" not in written
    assert "abcdefgh12345678" not in written
    assert "•••" in written


async def test_several_targets_are_as_good_as_the_worst_and_one_that_had_no_turn_failed(tmp_path: Path) -> None:
    act = {"act": "Restart", "id": "act", "verb": "restart", "pick": "failing", "all": True}
    async with site_of(tmp_path) as site:
        guide = guide_of(site, walk := walk_of(act))
        await guide.begin(walk, NOBODY)
        await guide.acted(run_of(guide).id, "act", [(REQUEST, Outcome(Ending.CONVERGED, "")), (REQUEST, None)])
        assert run_of(guide).results["act"].mark is Mark.FAILED


async def test_nobody_attends_and_what_only_a_person_can_say_is_left(tmp_path: Path) -> None:
    steps: list[dict[str, Any]] = [CHECK, {**CHECK, "id": "agreed", "confirm": True}, {"ask": "Sure?"}, {"note": "x"}]
    async with site_of(tmp_path, System("host:", {"cpu_percent": 60}), rules=RULES) as site:
        guide, told = guide_of(site, walk := walk_of(*steps)), []
        finished = await walk_automatically(
            walk, NOBODY, site, guide._recorder, lambda placed, result: told.append((placed.id, result.mark))
        )
    assert told == [("cpu", Mark.WARNING)]
    assert [placed.id for placed in finished.left] == ["agreed", "sure", "x"]
    assert (finished.run.is_automatic, finished.run.state) == (True, State.ENDED)
    assert EXIT_CODES[finished.run.verdict] == 1


@pytest.mark.parametrize(
    ("about", "source", "object_", "subject"),
    [
        (None, "database:orders", "", NOBODY),
        ("database", "database:orders", "", Subject("database", "orders")),
        ("service", "service:api", "", Subject("service", "api")),
        ("workload", "kubernetes:", "shop/deployment/api", Subject("workload", "shop/deployment/api")),
        ("service", "database:orders", "", None),
        ("workload", "kubernetes:", "", None),
    ],
)
async def test_an_alert_says_what_its_runbook_is_about(
    tmp_path: Path, about: Any, source: str, object_: str, subject: Subject | None
) -> None:
    async with site_of(tmp_path) as site:
        walk = walk_of({"note": "x"}, kind="runbook", about=about)
        assert guide_of(site, walk).subject_of(walk, source, object_) == subject


async def test_an_alert_offers_the_runbooks_that_name_its_rule(tmp_path: Path) -> None:
    async with site_of(tmp_path) as site:
        walk = walk_of({"note": "x"}, kind="runbook", alerts=["database.blocked"])
        guide = guide_of(site, walk)
        assert guide.offered("database:orders", "blocked") == (walk,)
        assert guide.offered("redis:cache", "blocked") == ()
