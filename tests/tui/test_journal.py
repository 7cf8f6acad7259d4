"""The record on disk."""

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from tui.journal import Journal, JournalError, who


def test_the_sandbox_and_production_never_share_a_file(tmp_path: Path) -> None:
    assert Journal(tmp_path, "shop", "sandbox").path != Journal(tmp_path, "shop", "prod").path


async def test_an_entry_says_when_who_and_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "oncall")
    journal = Journal(tmp_path / "state", "shop", "prod")
    await journal.append("intent", {"verb": "restart"})
    (entry,) = journal.entries()
    assert entry["at"].endswith("Z")
    assert (entry["what"], entry["verb"], entry["profile"], entry["environment"]) == (
        "intent",
        "restart",
        "shop",
        "prod",
    )
    assert entry["sudo_user"] == "oncall"
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_who_sits_here_is_told_without_what_a_terminal_would_obey(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "mal\x1b]0;x\x07\u202e[/red]")
    assert who().endswith(r"(sudo by mal␛]0;x␇\u202e[/red])")


async def test_many_writers_never_interleave(tmp_path: Path) -> None:
    journals = [Journal(tmp_path, "shop", "dev") for _ in range(4)]
    await asyncio.gather(
        *(journal.append("note", {"n": n, "text": "x" * 5000}) for journal in journals for n in range(20))
    )
    lines = journals[0].path.read_text().splitlines()
    assert sorted(json.loads(line)["n"] for line in lines) == sorted([*range(20)] * 4)


async def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    await journal.append("intent", {"n": 1})
    with journal.path.open("a") as file:
        file.write('{"what": "inte')
    assert [entry["n"] for entry in journal.entries()] == [1]


async def test_after_a_cut_off_line_the_next_entry_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    journal.path.parent.mkdir()
    journal.path.write_text('{"what": "inte')
    await journal.append("intent", {"n": 2})
    assert [entry["n"] for entry in journal.entries()] == [2]


async def test_a_journal_that_cannot_be_written_says_so_and_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "folder", "shop", "dev")
    with pytest.raises(JournalError, match=r"shop\.jsonl"):
        await journal.append("intent", {})


async def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    journal = Journal(tmp_path, "shop", "dev")
    journal.path = Path("/dev/full")
    with pytest.raises(JournalError, match="No space left"):
        await journal.append("intent", {})


async def test_a_journal_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "shop.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError):
        await Journal(tmp_path, "shop", "dev").append("intent", {})


async def test_an_entry_survives_whatever_a_person_or_the_environment_put_into_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    odd = "half \udc80 a pair, a \u2028 line, a \x85 line, \x1b]0;x\x07 and \u202e"
    await journal.append("intent", {"reason": odd})
    assert [entry["reason"] for entry in journal.entries()] == [odd]
