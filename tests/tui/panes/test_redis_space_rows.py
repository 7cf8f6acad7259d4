"""The walk over the keys as rows, in the Redis tab and without it."""

import dataclasses

from tests.tui.panes.test_redis import PaneApp, reading, shown, snapshot  # the tab in an app of its own
from tui.panes.redis_queue_rows import queue_page, queue_rows
from tui.panes.redis_space_rows import big_page, big_rows, progress_line, space_page, space_rows, ttl_rows
from tui.sources.history import Series
from tui.sources.redis_queues import Group, Queue
from tui.sources.redis_sampler import Sampling
from tui.sources.redis_space import Sample
from widgets.cell import cell_text
from widgets.segment_line import SegmentLine


def sampling(seen: int = 300, total: int = 3000, *, sized: bool = True, **more: object) -> Sampling:
    sample = Sample()
    for number in range(seen):
        kind = ("hash", "string")[number % 3 > 0]
        name = b"user:%d" % number if number % 3 else b"\x1b[31mcart:%d" % number
        sample.add(name, 100 + number if sized else None, kind, 90.0 if number % 2 else None)
    space = sample.space(total, is_complete=seen == total, held_bytes=1_000_000.0 if sized else None)
    values = {"is_running": True, "keys_per_s": 2000.0, "stopped_by": "", "missing": {}, "has_error": True}
    return Sampling(**{"db": 0, "space": space, "spent_s": 2.0, **values, **more})  # type: ignore[arg-type]


def cells(rows: object, key: object) -> list[str]:
    return [cell_text(cell) for cell in rows[key].cells]  # type: ignore[index]


def words(found: Sampling) -> str:
    return " · ".join(segment.text for segment in progress_line(found))


def test_an_estimate_says_that_it_is_one_and_between_what_it_lies() -> None:
    found = cells(space_rows(sampling()), "user:")
    assert found[1] == "~2,000"
    low, high = (int(part.replace(",", "")) for part in found[2].split("–"))
    assert 1000 < low < 2000 < high < 2900
    assert found[6] == "50 %"
    assert found[7] == "string"


def test_what_was_counted_to_the_end_is_exact() -> None:
    found = cells(space_rows(sampling(3000)), "user:")
    assert found[1:3] == ["2,000", "exact"]
    assert found[3] == found[4] == found[5]
    assert words(sampling(3000, is_running=False)) == " all 3,000 keys of db0 seen in 2s (r: anew)"


def test_sizes_that_may_not_be_asked_for_are_dashes_and_the_reason_stands_above() -> None:
    found = sampling(sized=False, missing={"MEMORY USAGE": "not permitted for user web: +memory|usage"})
    assert cells(space_rows(found), "user:")[3:6] == ["–", "–", "–"]
    assert "MEMORY USAGE: not permitted for user web: +memory|usage" in words(found)
    assert "unbounded: what the keys hold is not told" in words(found)


def test_hash_tags_in_a_part_of_a_cluster_leave_the_error_unstated() -> None:
    found = sampling(has_error=False)
    assert cells(space_rows(found), "user:")[2] == "not stated"
    assert cells(space_rows(found), "user:")[4:6] == ["?", "?"]
    assert "no error can be stated" in words(found)


def test_a_stopped_walk_says_why_and_how_to_go_on() -> None:
    assert words(sampling(is_running=False, stopped_by="LOADING")).startswith(
        " db0: stopped, 10 % of 3,000 keys seen (r goes on) · LOADING"
    )
    assert "2,000 keys/s" in words(sampling())
    assert "976.6 KiB not accounted for" not in words(sampling()), "what was seen explains a part"
    assert "not accounted for" in words(sampling())


def test_names_of_keys_are_harmless_wherever_they_stand() -> None:
    found = sampling()
    pages = [space_page(found, one.name, ()) for one in found.space.prefixes]
    pages += [big_page(found, one.key) for one in found.space.big]
    rows = [cell for table in (space_rows(found), big_rows(found)) for row in table.values() for cell in row.cells]
    assert pages[0]
    assert not any("\x1b" in text for text in (*pages, *map(cell_text, rows)))


def test_on_a_shared_screen_names_of_single_keys_are_left_out() -> None:
    found = sampling(masks=True)
    assert {cell_text(row.cells[0]) for row in big_rows(found).values()} == {"user:*…", "\u241b[31mcart:*…"}
    assert not any("for example" in space_page(found, one.name, ()) for one in found.space.prefixes)
    assert big_page(found, found.space.big[0].key).startswith(("user:*…", "\u241b[31mcart:*…"))


def test_times_to_live_are_classes_with_a_share() -> None:
    rows = ttl_rows(sampling())
    assert cells(rows, "1 m to 10 m")[3] == "50 %"
    assert cells(rows, "none: stays")[3] == "50 %"
    assert cells(rows, "30 d and more")[1] == "~0"


def test_a_queue_shows_what_waits_what_is_pending_and_since_when() -> None:
    group = Group("mail", 2, 4, 6, 1)
    queue = Queue("events", "stream", 10, -2.5, (group,), 4, 95.0)
    history = {"queue events": Series()}
    facts = dataclasses.replace(snapshot(), queues=(queue, Queue("jobs", "none", 0)), history=history)
    rows = queue_rows(facts, lambda metric, about: "warn" if (metric, about) == ("queue_age_s", "events") else "", 0.0)
    assert cells(rows, "events")[:7] == ["events", "stream", "10", "-2.5", "4", "1m35s", "1"]
    assert rows["events"].cells[5].tone == "warn"  # type: ignore[union-attr]
    assert cells(rows, "jobs")[1:4] == ["no key", "0", "–"]
    assert "mail" in queue_page(queue)
    assert "keeps no times" in queue_page(Queue("jobs", "list", 3))


async def test_r_opens_the_key_space_and_without_a_source_says_so() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        app = await shown(pilot, reading())
        await pilot.press("r")
        assert app.pane.view == "space"
        assert "r walks over the keys" in app.table("space").empty
        assert app.told[-1] == "nothing can be read here"


async def test_the_walk_stands_above_its_rows_and_nowhere_else() -> None:
    async with PaneApp().run_test(size=(80, 24)) as pilot:
        facts = dataclasses.replace(snapshot(), sampling=sampling())
        app = await shown(pilot, reading(snapshot=facts))
        line = app.query_one("#redis-walk", SegmentLine)
        assert not line.display
        app.pane.open_at("space", "", "")
        await pilot.pause()
        assert line.display
        assert "10 % of 3,000 keys seen (r stops)" in line.words
        assert app.table("space").row_count == 2
