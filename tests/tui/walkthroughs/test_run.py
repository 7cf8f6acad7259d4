"""Lines of the journal in, runs out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.walkthroughs.format import Definition
from tui.walkthroughs.loading import Walkthrough
from tui.walkthroughs.run import (
    Fact,
    Mark,
    Result,
    Run,
    Runs,
    State,
    begun_entry,
    event_entry,
    next_step,
    overdue_s,
    result_entry,
    way,
    worst,
)

DEFINITION = Definition.model_validate(
    {
        "title": "T",
        "every": "1d",
        "sections": [
            {
                "title": "S",
                "steps": [
                    {"note": "a", "id": "a"},
                    {"branch": "which?", "id": "b", "answers": {"left": "c", "right": "d"}},
                    {"note": "c", "id": "c", "then": "e"},
                    {"note": "d", "id": "d"},
                    {"note": "e", "id": "e"},
                ],
            }
        ],
    }
)
WALK = Walkthrough("t", "checklist", DEFINITION, "1")
DAY = "2026-11-26"


def line(entry: dict[str, Any], minute: int, user: str = "ann") -> dict[str, Any]:
    return {"what": "walk", "at": f"{DAY}T10:{minute:02}:00Z", "user": user, **entry}


def begun(minute: int = 0, run: str = "r1", walk: Walkthrough = WALK) -> dict[str, Any]:
    return line(begun_entry(walk, run, "", is_automatic=False), minute)


def taken(run: Run, step: str, minute: int, user: str = "ann", **more: Any) -> dict[str, Any]:
    return line(result_entry(run, Result(step, more.pop("mark", Mark.DONE), 0.0, "", **more), step), minute, user)


def runs_of(*entries: dict[str, Any]) -> Runs:
    runs = Runs()
    runs.take([{"what": "note", "text": "of no concern"}, *entries])
    return runs


def run_of(runs: Runs, id_: str = "r1") -> Run:
    run = runs.get(id_)
    assert run is not None
    return run


RUN = run_of(runs_of(begun()))


def test_a_run_is_what_was_written_about_it_whoever_wrote() -> None:
    fact = Fact("shop blocked", "3", Mark.WARNING, "warn 1", 12.5, "3 wait", 3.0)
    runs = runs_of(
        begun(),
        taken(RUN, "a", 1, evidence=(fact,), note="seen", mark=Mark.WARNING, is_override=True),
        line(event_entry(RUN, "paused", step="b"), 2),
        line(event_entry(RUN, "resumed"), 30, "bob"),
        taken(RUN, "b", 31, "bob", answer="right"),
    )
    run = run_of(runs)
    assert run.people == ("ann", "bob")
    assert (run.state, run.by, run.at_step) == (State.UNDER_WAY, "ann", "b")
    result = run.results["a"]
    assert (result.evidence, result.note, result.mark, result.is_override) == ((fact,), "seen", Mark.WARNING, True)
    assert result.by == "ann"
    assert run.last_at - run.begun_at == 31 * 60


def test_a_step_taken_again_counts_as_it_went_last() -> None:
    runs = runs_of(begun(), taken(RUN, "a", 1, mark=Mark.FAILED), taken(RUN, "a", 2, mark=Mark.PASSED))
    assert run_of(runs).verdict is Mark.PASSED


@pytest.mark.parametrize(("answer", "steps"), [("left", "abce"), ("right", "abde")])
def test_a_branch_leads_past_what_the_other_answer_leads_to(answer: str, steps: str) -> None:
    runs = runs_of(begun(), taken(RUN, "a", 1), taken(RUN, "b", 2, answer=answer))
    run = run_of(runs)
    assert "".join(placed.id for placed in way(WALK, run)) == steps
    following = next_step(WALK, run, after="b")
    assert following is not None
    assert following.id == steps[2]


def test_a_branch_answered_anew_leads_the_other_way() -> None:
    runs = runs_of(begun(), taken(RUN, "b", 1, answer="left"), taken(RUN, "b", 2, answer="right"))
    assert [placed.id for placed in way(WALK, run_of(runs))] == ["a", "b", "d", "e"]


def test_what_was_passed_over_with_the_arrow_comes_at_the_end() -> None:
    run = run_of(runs_of(begun(), *(taken(RUN, step, 1, answer="left") for step in "bce")))
    following = next_step(WALK, run, after="e")
    assert following is not None
    assert following.id == "a"


def test_all_taken_is_over() -> None:
    assert next_step(WALK, run_of(runs_of(begun(), *(taken(RUN, s, 1, answer="left") for s in "abce")))) is None


@pytest.mark.parametrize(
    ("marks", "found"),
    [
        ([Mark.PASSED, Mark.UNKNOWN, Mark.WARNING], Mark.UNKNOWN),
        ([Mark.UNKNOWN, Mark.FAILED], Mark.FAILED),
        ([Mark.SKIPPED, Mark.PASSED, Mark.DONE], Mark.PASSED),
        ([Mark.SKIPPED], Mark.SKIPPED),
        ([], Mark.SKIPPED),
    ],
)
def test_unknown_is_no_pass_and_failed_is_the_worst(marks: list[Mark], found: Mark) -> None:
    assert worst(marks) is found


def test_what_a_runbook_found_wrong_is_no_failure_of_the_run() -> None:
    walk = Walkthrough("t", "runbook", DEFINITION, "1")
    found = {"mark": Mark.FAILED, "kind": "check"}
    runs = runs_of(begun(walk=walk), taken(RUN, "a", 1, **found), taken(RUN, "c", 2, mark=Mark.PASSED, kind="wait"))
    assert run_of(runs).verdict is Mark.PASSED


def test_due_is_what_was_never_walked_or_not_lately() -> None:
    ended = line(event_entry(RUN, "ended", whole=True), 30)
    end = run_of(runs_of(begun(), ended)).last_at
    assert overdue_s(WALK, runs_of(), end) == 0
    assert overdue_s(WALK, runs_of(begun(), ended), end + 86_000) is None
    assert overdue_s(WALK, runs_of(begun(), ended), end + 86_400 + 90) == 90


def test_a_run_that_was_ended_early_is_not_the_last_one() -> None:
    ended = line(event_entry(RUN, "ended", whole=False), 30)
    runs = runs_of(begun(), ended)
    assert runs.last_of("t") is None
    assert runs.open_of("t") is None


def test_the_run_before_one_is_the_newest_that_began_before_it() -> None:
    lines = [begun(0, "r1"), line({**event_entry(RUN, "ended", whole=True)}, 5), begun(10, "r2")]
    runs = runs_of(*lines)
    before = runs.last_of("t", before=run_of(runs, "r2"))
    assert before is not None
    assert before.id == "r1"
    open_run = runs.open_of("t")
    assert open_run is not None
    assert open_run.id == "r2"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "at",
        "event",
        "run",
        "walk",
        "step",
        "mark",
        "evidence",
        "note",
        "answer",
        "remembered",
        "user",
        "whole",
        "subject",
    ]
)


@given(st.lists(st.dictionaries(KEYS, PLAIN, max_size=8), max_size=4))
def test_whatever_stands_in_a_journal_ends_nothing(entries: list[dict[str, Any]]) -> None:
    runs = runs_of(begun(), *(line({"run": "r1", **entry}, 1) for entry in entries))
    assert all(run.title.isprintable() for run in runs.all)
    assert run_of(runs).verdict in Mark
