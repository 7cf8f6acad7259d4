"""What a killed opstui left behind is found in the journal and found out by reading; nothing is ever sent."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tui.actions.scripted import REQUEST, Bench
from tui.actions.action import Look, Phase
from tui.actions.ledger import Ledger
from tui.actions.perform import Ending
from tui.actions.recovery import abandoned, recover
from tui.sources.errors import Unreachable


@pytest.fixture
async def intent(tmp_path: Path) -> dict[str, Any]:
    """The journal entry of a change whose opstui was killed right after."""
    bench = Bench(tmp_path / "killed")
    await bench.run()
    entry = next(entry for entry in bench.journal.entries() if entry["what"] == "intent")
    return {**entry, "born": entry["born"] - 3600}


def ledger(*entries: dict[str, Any]) -> Ledger:
    account = Ledger()
    for entry in entries:
        account.take(entry)
    return account


@pytest.mark.parametrize(
    ("look", "ending"),
    [
        (Look(Phase.CONVERGED, "backend 4711 is gone"), Ending.CONVERGED),
        (Look(Phase.ABSENT, "it has 3 replicas, not 5"), Ending.ABSENT),
        (Unreachable("refused"), Ending.UNKNOWN),
    ],
)
async def test_it_is_resolved_by_reading_and_on_record(
    tmp_path: Path, intent: dict[str, Any], look: Look | Exception, ending: Ending
) -> None:
    bench, said = Bench(tmp_path), list[str]()
    bench.verb.looks = [look]
    ((deed, outcome),) = await recover(
        bench.performer, abandoned(ledger(intent)), lambda request, what: said.append(what)
    )
    assert (deed.sent.id, outcome.ending) == (intent["action"], ending)
    assert bench.verb.sent == []
    assert said[0].startswith("UNKNOWN: sent at 20")
    (entry,) = bench.journal.entries()
    assert (entry["what"], entry["action"], entry["ending"]) == ("resolved", intent["action"], ending.value)


async def test_a_change_that_a_living_opstui_is_at_work_on_is_left_to_it(intent: dict[str, Any]) -> None:
    alive = {**intent, "born": intent["born"] + 3600}
    assert abandoned(ledger(alive)) == ()


async def test_a_change_of_another_machine_is_left_alone_until_its_deadline_has_passed(intent: dict[str, Any]) -> None:
    elsewhere = {**intent, "host": "another.example"}
    assert abandoned(ledger(elsewhere)) == ()
    assert len(abandoned(ledger({**elsewhere, "at": "2026-01-01T00:00:00.000Z"}))) == 1


async def test_one_that_ended_as_unknown_is_looked_at_again_whoever_lives(intent: dict[str, Any]) -> None:
    alive = {**intent, "born": intent["born"] + 3600}
    outcome = {"what": "outcome", "action": intent["action"], "ending": "unknown", "detail": "lost sight"}
    assert len(abandoned(ledger(alive, outcome))) == 1


async def test_a_system_that_the_profile_no_longer_names_is_passed_over(tmp_path: Path, intent: dict[str, Any]) -> None:
    bench = Bench(tmp_path)
    target = replace(REQUEST.target, source="database:gone")
    gone = {**intent, "request": replace(REQUEST, target=target).plain()}
    assert await recover(bench.performer, abandoned(ledger(gone)), bench.progress) == []
    assert list(bench.journal.entries()) == []


async def test_what_was_resolved_is_not_looked_at_again(tmp_path: Path, intent: dict[str, Any]) -> None:
    bench = Bench(tmp_path)
    await recover(bench.performer, abandoned(ledger(intent)), bench.progress)
    assert abandoned(ledger(intent, *bench.journal.entries())) == ()
