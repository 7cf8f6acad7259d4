"""The record on disk."""

import asyncio
import fcntl
import json
import os
import stat
from pathlib import Path

import pytest

from tui.journal import Journal, JournalError, who
from tui.journal.account import is_running
from tui.journal.journal import decoded


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


def test_a_line_that_nests_without_end_is_no_entry() -> None:
    assert decoded(b'{"a":' * 100_000) is None


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


async def test_a_colleague_who_was_stopped_while_writing_costs_seconds_and_is_named_as_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.journal.journal._LOCK_S", 0.1)
    journal = Journal(tmp_path, "shop", "dev")
    await journal.append("note", {})
    with journal.path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(JournalError, match="another opstui has held its lock"):
            await journal.append("note", {})
    await journal.append("note", {})


async def test_an_entry_names_the_process_that_wrote_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    await journal.append("intent", {})
    (entry,) = journal.entries()
    assert is_running(entry) is True
    assert is_running({**entry, "born": entry["born"] - 3600}) is False
    assert is_running({**entry, "host": "another.example"}) is None
    assert is_running({"host": entry["host"]}) is False


@pytest.mark.parametrize(
    ("mode", "complaint"), [(0o2777, "everyone can write"), (0o770, "chmod 2770"), (0o2750, "chmod 2770")]
)
async def test_a_shared_folder_that_is_open_to_all_or_not_shared_is_refused(
    tmp_path: Path, mode: int, complaint: str
) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(JournalError, match=complaint):
        await Journal(folder, "shop", "prod", is_shared=True).append("intent", {})


async def test_a_shared_folder_that_is_not_there_is_not_made_and_the_remedy_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="install -d -m 2770"):
        await Journal(tmp_path / "team", "shop", "prod", is_shared=True).append("intent", {})
    assert not (tmp_path / "team").exists()


async def test_a_shared_journal_belongs_to_the_group_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    folder.chmod(0o2770)
    journal = Journal(folder, "shop", "prod", is_shared=True)
    before = os.umask(0o077)
    try:
        await journal.append("intent", {})
    finally:
        os.umask(before)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o660
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o2770
