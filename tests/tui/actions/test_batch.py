"""Several targets at once: all shown, each checked at its turn, stopped by the first surprise."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from profiles.schema import Profile
from tests.tui.actions.scripted import REQUEST, TARGET, Bench
from tui.actions.action import Action, GoneError, Look, NotSentError, Phase, Receipt, Request, Sight
from tui.actions.batch import Candidate, Result, perform_all
from tui.actions.perform import Ask, Consent, Ending


def requests(count: int) -> list[Request]:
    return [
        replace(REQUEST, target=replace(TARGET, name=str(number), identity={"pid": number})) for number in range(count)
    ]


class Batch(Bench):
    async def run_all(self, count: int = 4) -> list[Ending | None]:
        self.shown: list[Candidate] = []

        async def confirm(candidates: Sequence[Candidate], ask: Ask) -> Consent | None:
            self.shown, self.asked = list(candidates), [ask]
            return self.consent

        self.results: tuple[Result, ...] = await perform_all(self.performer, requests(count), confirm, self.progress)
        return [result.outcome.ending if result.outcome else None for result in self.results]


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return Batch(tmp_path)


async def test_every_target_is_shown_and_done_in_order_with_one_consent(batch: Batch) -> None:
    assert await batch.run_all() == [Ending.CONVERGED] * 4
    assert [candidate.request.target.name for candidate in batch.shown] == ["0", "1", "2", "3"]
    assert batch.verb.sent == ["0", "1", "2", "3"]
    assert batch.asked == [Ask.COUNT]
    assert batch.told().count("intent") == 4


async def test_production_asks_why_as_well(tmp_path: Path) -> None:
    batch = Batch(tmp_path, profile=Profile.model_validate({"name": "t", "environment": "prod"}))
    batch.guard.read_only = False
    await batch.run_all()
    assert batch.asked == [Ask.COUNT_AND_REASON]


async def test_without_consent_nothing_is_sent_to_any(batch: Batch) -> None:
    batch.consent = None
    assert await batch.run_all() == [Ending.CANCELLED] * 4
    assert batch.verb.sent == []


async def test_what_cannot_be_done_is_shown_with_the_reason_and_left_out(batch: Batch) -> None:
    plan = batch.verb.plan

    async def partly(request: Request) -> Action:
        if request.target.name == "1":
            raise NotSentError("it is paused")
        return await plan(request)

    batch.verb.plan = partly  # type: ignore[method-assign]  # one target of several cannot be planned
    assert await batch.run_all() == [Ending.CONVERGED, Ending.REFUSED, Ending.CONVERGED, Ending.CONVERGED]
    assert [candidate.reason for candidate in batch.shown] == ["", "it is paused", "", ""]
    assert batch.verb.sent == ["0", "2", "3"]


async def test_when_none_can_be_done_nobody_is_asked(batch: Batch) -> None:
    batch.verb.permission = "not yours"
    assert await batch.run_all() == [Ending.REFUSED] * 4
    assert batch.shown == []


async def test_the_first_that_moved_stops_all_that_come_after_it(batch: Batch) -> None:
    batch.verb.sights = {"1": (Sight.CHANGED, "replicas 3 → 5")}
    assert await batch.run_all() == [Ending.CONVERGED, Ending.NOT_SENT, None, None]
    assert batch.verb.sent == ["0"]
    second = batch.results[1].outcome
    assert second is not None
    assert "replicas 3 → 5" in second.detail


@pytest.mark.parametrize(
    ("look", "ending"),
    [(Look(Phase.NOT_CONVERGED, "gave up"), Ending.NOT_CONVERGED), (Look(Phase.ABSENT, "set anew"), Ending.REGRESSED)],
)
async def test_the_first_that_does_not_converge_stops_all_that_come_after_it(
    batch: Batch, look: Look, ending: Ending
) -> None:
    batch.verb.looks = [Look(Phase.CONVERGED, ""), look]
    assert await batch.run_all() == [Ending.CONVERGED, ending, None, None]


async def test_one_that_has_gone_by_itself_is_no_surprise_where_it_was_to_go(batch: Batch) -> None:
    batch.verb.sights = {"1": (Sight.GONE, "backend 1 is gone")}
    assert await batch.run_all() == [Ending.CONVERGED, Ending.NOT_SENT, None, None]
    batch.verb.ends_target = True
    assert await batch.run_all() == [Ending.CONVERGED, Ending.NOT_SENT, Ending.CONVERGED, Ending.CONVERGED]


async def test_one_that_goes_in_the_very_moment_is_no_surprise_either(batch: Batch) -> None:
    batch.verb.ends_target = True
    execute = batch.verb.execute

    async def gone(action: Action) -> Receipt:
        if action.request.target.name == "2":
            raise GoneError("ended just before the signal")
        return await execute(action)

    batch.verb.execute = gone  # type: ignore[method-assign]  # one target of several ends by itself
    assert await batch.run_all() == [Ending.CONVERGED, Ending.CONVERGED, Ending.NOT_SENT, Ending.CONVERGED]


async def test_more_than_the_profile_allows_within_a_minute_are_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    guards = {"max_per_minute": 3}
    batch = Batch(tmp_path, profile=Profile.model_validate({"name": "t", "environment": "dev", "guards": guards}))
    assert await batch.run_all() == [Ending.REFUSED] * 4
    assert batch.verb.sent == []
    assert await batch.run_all(3) == [Ending.CONVERGED] * 3


async def test_disarming_in_the_middle_stops_the_rest(batch: Batch) -> None:
    execute = batch.verb.execute

    async def then_lock(action: Action) -> Receipt:
        batch.guard.locked = action.request.target.name == "1"
        return await execute(action)

    batch.verb.execute = then_lock  # type: ignore[method-assign]  # somebody takes the right away meanwhile
    assert await batch.run_all() == [Ending.CONVERGED, Ending.CONVERGED, Ending.REFUSED, None]
