"""Following a journal that several write to."""

from pathlib import Path

from tui.journal import Journal, Tail


async def test_each_entry_comes_once_whoever_wrote_it(tmp_path: Path) -> None:
    ours, theirs = (Journal(tmp_path, "shop", "dev") for _ in range(2))
    tail = Tail(ours)
    assert await tail.news() == []
    await ours.append("note", {"n": 1})
    await theirs.append("note", {"n": 2})
    assert [entry["n"] for entry in await tail.news()] == [1, 2]
    assert await tail.news() == []
    await theirs.append("note", {"n": 3})
    assert [entry["n"] for entry in await tail.news()] == [3]


async def test_a_line_that_is_still_being_written_comes_when_it_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    journal.path.parent.mkdir()
    journal.path.write_text('{"n": 1}\n{"n"')
    tail = Tail(journal)
    assert await tail.news() == [{"n": 1}]
    with journal.path.open("a") as file:
        file.write(": 2}\n")
    assert await tail.news() == [{"n": 2}]


async def test_a_journal_put_elsewhere_is_read_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    tail = Tail(journal)
    await journal.append("note", {"n": 1})
    await tail.news()
    journal.path.rename(tmp_path / "archived.jsonl")
    await journal.append("note", {"n": 2})
    assert [entry["n"] for entry in await tail.news()] == [2]
