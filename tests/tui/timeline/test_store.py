"""What was seen, on disk: one writer, many readers, and a hand-over."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.journal import Journal
from tui.rules import Level
from tui.timeline.entry import Entry
from tui.timeline.store import Store
from tui.timeline.written import read, written

NOW = 1_800_000_000.0


def entry(name: str, at: float = 0.0, **more: object) -> Entry:
    plain = Entry(name, NOW + at, "redis:cache", "link", f"text of {name}", Level.WARN, "server")
    return replace(plain, **more)  # type: ignore[arg-type]


def store(folder: Path, **options: int) -> Store:
    return Store(Journal(folder, "shop", "dev"), **options)


def ids(folder: Path) -> list[str]:
    return [found.id for found in store(folder).history()]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    first = entry("a", fold="f", stage="begun", by="ann", object="pod/shop/api")
    writer = store(tmp_path)
    writer.write([first])
    writer.write([entry("b", 5)])
    assert store(tmp_path).history() == [first, entry("b", 5)]


def test_the_files_lie_beside_the_journal_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    writer = store(tmp_path)
    writer.write([entry("a")])
    assert writer.path == tmp_path / "dev" / "shop.timeline.jsonl"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "dev").iterdir()}
    assert modes == {0o600}


def test_in_a_folder_that_a_group_shares_the_group_may_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    before = os.umask(0o077)
    try:
        Store(Journal(tmp_path, "shop", "dev", is_shared=True)).write([entry("a")])
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "dev").iterdir()}
    assert modes == {0o660}


def test_only_one_writes_and_when_it_ends_another_takes_over_without_a_gap(tmp_path: Path) -> None:
    first, second = store(tmp_path), store(tmp_path)
    both = [entry("a"), entry("b", 1)]
    first.write(both)
    second.write(both)
    assert (first.is_writer, second.is_writer) == (True, False)
    # The first ends without having written what it saw last.
    second.write([entry("c", 2)])
    first.close()
    second.write([])
    assert second.is_writer
    second.write([entry("d", 3)])
    assert ids(tmp_path) == ["a", "b", "c", "d"]


def test_what_the_one_before_saw_under_another_name_is_not_written_twice(tmp_path: Path) -> None:
    first, second = store(tmp_path), store(tmp_path)
    first.write([entry("theirs", 0, fold="link")])
    second.write([entry("ours", 4, fold="link")])
    first.close()
    second.write([])
    assert ids(tmp_path) == ["theirs"]


def test_what_is_older_than_a_minute_need_not_be_remembered_for_a_hand_over(tmp_path: Path) -> None:
    first, second = store(tmp_path), store(tmp_path)
    first.write([])
    second.write([entry("old", 0)])
    second.write([entry("new", 61)])
    first.close()
    second.write([])
    assert ids(tmp_path) == ["new"]


def test_a_long_file_is_put_aside_and_one_old_one_is_kept(tmp_path: Path) -> None:
    writer = store(tmp_path, max_bytes=500)
    for number in range(20):
        writer.write([entry(f"{number:02}", number * 100)])
    found = ids(tmp_path)
    assert found == sorted(found)
    assert found[-1] == "19"
    assert 3 <= len(found) < 20
    assert sum(path.stat().st_size for path in (tmp_path / "dev").iterdir()) < 1500


def test_repetitions_of_one_batch_are_one_line(tmp_path: Path) -> None:
    writer = store(tmp_path)
    writer.write([entry(str(at), at, fold="f") for at in range(30)])
    (line,) = writer.path.read_text().splitlines()
    assert json.loads(line)["count"] == 30


def test_lines_that_are_no_entries_are_passed_over(tmp_path: Path) -> None:
    writer = store(tmp_path)
    writer.write([entry("a")])
    with writer.path.open("ab") as file:
        file.write(b'{"id": "cut o\n[]\n\xff\xfe\n{"id": 7, "at": "x"}\n')
    writer.write([entry("b", 1)])
    assert ids(tmp_path) == ["a", "b"]


def test_a_folder_that_cannot_be_made_costs_an_error_and_nothing_is_lost(tmp_path: Path) -> None:
    writer, in_the_way = store(tmp_path), tmp_path / "dev"
    in_the_way.touch()
    with pytest.raises(OSError, match="exists"):
        writer.write([entry("a")])
    in_the_way.unlink()
    writer.write([entry("b", 1)])
    assert ids(tmp_path) == ["a", "b"]


def test_a_full_disk_costs_an_error_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = store(tmp_path)
    writer.write([entry("a")])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: len(data) - 1)
        with pytest.raises(OSError, match="only part"):
            writer.write([entry("b", 1)])
    writer.write([entry("c", 2)])
    assert ids(tmp_path) == ["a", "b", "c"]


def test_a_link_in_the_files_place_is_not_followed(tmp_path: Path) -> None:
    writer = store(tmp_path)
    writer.path.parent.mkdir()
    writer.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        writer.write([entry("a")])
    assert not (tmp_path / "elsewhere").exists()


def test_without_a_file_there_is_no_history(tmp_path: Path) -> None:
    assert store(tmp_path).history() == []
    assert not list(tmp_path.iterdir())


@given(
    st.builds(
        Entry,
        id=st.text("abc123", min_size=1),
        at=st.floats(0, 4e9),
        source=st.sampled_from(["redis:cache", "opstui:"]),
        what=st.sampled_from(["link", ""]),
        text=st.text(st.characters(min_codepoint=32, max_codepoint=126)),
        level=st.sampled_from(Level),
        fold=st.sampled_from(["", "f"]),
        count=st.integers(2, 99),
        last_at=st.floats(0, 4e9),
    )
)
def test_an_entry_comes_back_as_it_was(entry: Entry) -> None:
    assert read(json.loads(json.dumps(written(entry)))) == entry


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.recursive(_LEAVES, lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts)))
def test_whatever_stands_there_is_an_entry_or_none(found: object) -> None:
    assert read(found) is None
