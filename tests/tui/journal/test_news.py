"""One follower of the journal for all who need it."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tui.journal import Journal
from tui.journal.news import News


async def test_everyone_gets_each_entry_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    news = News(journal)
    taken: dict[str, list[Any]] = {"one": [], "other": []}
    for name in taken:

        def take(entries: Sequence[Mapping[str, Any]], name: str = name) -> None:
            taken[name] += [entry["n"] for entry in entries]

        news.subscribe(take)
    for number in range(3):
        await journal.append("note", {"n": number})
    await news.fetch()
    await journal.append("note", {"n": 3})
    await news.fetch()
    await news.fetch()
    assert taken == {"one": [0, 1, 2, 3], "other": [0, 1, 2, 3]}


async def test_a_journal_that_cannot_be_read_is_said_and_read_when_it_can_be(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    journal.path.mkdir(parents=True)
    news = News(journal)
    await news.fetch()
    assert "Is a directory" in news.failure
    journal.path.rmdir()
    await journal.append("note", {"n": 1})
    await news.fetch()
    assert news.failure == ""


async def test_what_is_written_while_it_hands_out_comes_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    journal.path.parent.mkdir()
    journal.path.write_text("".join(f'{{"n": {n}}}\n' for n in range(1000)))
    news = News(journal)
    seen: list[int] = []
    news.subscribe(lambda entries: seen.extend(entry["n"] for entry in entries))
    await asyncio.gather(news.fetch(), news.fetch())
    assert seen == list(range(1000))


@pytest.mark.parametrize("count", [0, 1])
async def test_following_goes_on_until_it_is_cancelled(tmp_path: Path, count: int) -> None:
    journal = Journal(tmp_path, "shop", "dev")
    news, seen = News(journal), asyncio.Event()
    news.subscribe(lambda entries: seen.set())
    task = asyncio.create_task(news.follow())
    await journal.append("note", {"n": count})
    async with asyncio.timeout(30):
        await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
