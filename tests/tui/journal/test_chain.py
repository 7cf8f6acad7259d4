"""What a journal shows of being tampered with, and what it does not call tampering."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.journal import Journal
from tui.journal.chain import verified


@pytest.fixture
async def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path, "shop", "dev")
    for number in range(5):
        await journal.append("note", {"text": f"entry {number}", "pad": "x" * 9000 * number})
    return journal


def rewritten(journal: Journal, change: Callable[[list[str]], list[str]]) -> Journal:
    lines = journal.path.read_text().splitlines()
    journal.path.write_text("".join(f"{line}\n" for line in change(lines)))
    return journal


def test_a_journal_as_it_was_written_is_intact(journal: Journal) -> None:
    verdict = verified(journal.lines())
    assert verdict.is_intact
    assert (verdict.entries, verdict.unchained, verdict.cut_off) == (5, 0, [])
    assert len(verdict.head) == 64
    assert verdict.first_at <= verdict.last_at


def test_an_empty_journal_is_intact(tmp_path: Path) -> None:
    assert verified(Journal(tmp_path, "shop", "dev").lines()).entries == 0


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [lines[0], lines[1].replace("entry 1", "entry 9"), *lines[2:]], 3),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2),
        (lambda lines: [*lines[:2], json.dumps({"what": "note"}), *lines[2:]], 3),
        (lambda lines: lines[1:], 1),
    ],
    ids=["changed", "taken out", "in another order", "put in", "without its beginning"],
)
def test_what_was_done_to_it_by_hand_is_found_and_placed(
    journal: Journal, change: Callable[[list[str]], list[str]], line: int
) -> None:
    verdict = verified(rewritten(journal, change).lines())
    assert not verdict.is_intact
    assert f"line {line} " in verdict.broken[0]


def test_entries_taken_off_the_end_show_only_by_the_head(journal: Journal) -> None:
    head = verified(journal.lines()).head
    shortened = verified(rewritten(journal, lambda lines: lines[:-1]).lines())
    assert shortened.is_intact
    assert shortened.head != head


async def test_a_line_cut_off_by_a_crash_is_told_and_does_not_break_the_chain(journal: Journal) -> None:
    with journal.path.open("a") as file:
        file.write('{"what": "inte')
    await journal.append("note", {"text": "after the crash"})
    verdict = verified(journal.lines())
    assert verdict.is_intact
    assert verdict.cut_off == [6]
    assert verdict.entries == 6


async def test_entries_from_before_there_was_a_chain_are_counted(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    journal.path.parent.mkdir()
    journal.path.write_text('{"what": "intent"}\n{"what": "outcome"}\n')
    await journal.append("note", {})
    verdict = verified(journal.lines())
    assert verdict.is_intact
    assert verdict.unchained == 2
