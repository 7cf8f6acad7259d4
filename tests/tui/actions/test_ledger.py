"""What the journal says of changes so far: entries in, account out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.tui.actions.scripted import REQUEST, Bench, Scripted
from tui.actions.action import Look, NotSentError, Phase, Receipt
from tui.actions.ledger import Ledger, undo_request
from tui.actions.perform import Ending
from tui.sources.errors import Unreachable

BACK = replace(REQUEST, seen={"value": "64mb"}, wanted={"value": "0"})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, verb=Scripted(inverse=BACK, evidence={"value": "64mb"}))


def ledger(bench: Bench, entries: list[dict[str, Any]] | None = None) -> Ledger:
    account = Ledger()
    for entry in entries if entries is not None else bench.journal.entries():
        account.take(entry)
    return account


async def test_a_converged_change_with_an_inverse_can_be_taken_back_once(bench: Bench) -> None:
    await bench.run()
    (deed,) = ledger(bench).undoable
    assert (deed.ending, deed.sent.request) == (Ending.CONVERGED, REQUEST)
    undo = undo_request(deed)
    assert (undo.undoes, dict(undo.wanted)) == (deed.sent.id, {"value": "0"})
    bench.verb.inverse = None
    await bench.run(undo)
    assert ledger(bench).undoable == ()


async def test_taking_back_what_failed_leaves_it_to_be_taken_back(bench: Bench) -> None:
    await bench.run()
    (deed,) = ledger(bench).undoable
    bench.verb.execute_error = NotSentError("moved on")
    await bench.run(undo_request(deed))
    assert [one.sent.id for one in ledger(bench).undoable] == [deed.sent.id]


async def test_the_way_the_system_writes_a_value_is_what_must_still_be_there(bench: Bench) -> None:
    bench.verb.receipt = Receipt("OK", {"value": "67108864"})
    await bench.run()
    (deed,) = ledger(bench).undoable
    assert undo_request(deed).seen == {"value": "67108864"}


@pytest.mark.parametrize("ending", ["refused", "cancelled", "not sent"])
async def test_what_never_happened_cannot_be_taken_back(bench: Bench, ending: str) -> None:
    if ending == "refused":
        bench.verb.permission = "not yours"
    elif ending == "cancelled":
        bench.consent = None
    else:
        bench.verb.execute_error = NotSentError("gone")
    await bench.run()
    account = ledger(bench)
    assert account.undoable == ()
    assert account.unresolved == ()


async def test_a_temporary_change_stays_on_the_list_until_it_is_taken_back_or_kept(bench: Bench) -> None:
    await bench.run(replace(REQUEST, temporary_s=1800.0))
    (deed,) = ledger(bench).temporary
    assert deed.due_at == deed.sent.at + 1800
    await bench.journal.append("kept", {"action": deed.sent.id})
    assert ledger(bench).temporary == ()


async def test_a_change_for_good_is_not_temporary_and_one_without_a_time_has_none(bench: Bench) -> None:
    await bench.run()
    await bench.run(replace(REQUEST, temporary_s=0.0))
    (deed,) = ledger(bench).temporary
    assert deed.due_at is None


async def test_an_intent_without_an_outcome_is_unresolved_until_somebody_found_out(bench: Bench) -> None:
    await bench.run()
    entries = list(bench.journal.entries())
    intent = next(entry for entry in entries if entry["what"] == "intent")
    account = ledger(bench, [intent])
    (deed,) = account.unresolved
    assert deed.ending is None
    assert deed.written_by["pid"] == intent["pid"]
    account.take({"what": "resolved", "action": deed.sent.id, "ending": "absent", "detail": "not there"})
    assert account.unresolved == ()
    assert account.undoable == ()


async def test_what_looking_needs_survives_the_journal_to_the_letter(bench: Bench) -> None:
    bench.verb.execute_error = Unreachable("reset")
    bench.verb.looks = [Unreachable("still away")]
    await bench.run(replace(REQUEST, seen={"a": 1, "b": None, "c": 1.5, "d": True}))
    (deed,) = ledger(bench).unresolved
    asked = bench.verb.looked_at[0]
    assert (deed.sent.request, dict(deed.sent.evidence), deed.sent.id) == (
        asked.request,
        dict(asked.evidence),
        asked.id,
    )
    assert dict(deed.sent.request.seen) == {"a": 1, "b": None, "c": 1.5, "d": True}
    assert dict(deed.sent.request.target.scope) == {"database": "shop", "role": "app"}


async def test_a_regression_after_convergence_is_its_ending(bench: Bench) -> None:
    bench.verb.hold_s = 30.0
    outcome = await bench.run()
    assert outcome.sent is not None
    bench.verb.looks = [Look(Phase.WAITING, "2 of 3")]
    await bench.performer.hold(outcome.sent)
    (deed,) = ledger(bench).undoable
    assert deed.ending is Ending.REGRESSED


def test_entries_of_another_shape_change_nothing() -> None:
    account = Ledger()
    for entry in (
        {},
        {"what": "intent", "action": "a"},
        {"what": "intent", "action": "a", "request": {"verb": 1}, "at": "x"},
        {"what": "outcome", "action": "unknown", "ending": "converged"},
        {"what": "intent", "action": 7},
    ):
        account.take(entry)
    assert account.undoable == account.unresolved == account.temporary == ()
