"""The timeline: entries in, rows in order out."""

from dataclasses import replace

import pytest

from tui.rules import Level
from tui.timeline.entry import Entry
from tui.timeline.fold import folded
from tui.timeline.model import PEOPLE, PINNED, Pin, Timeline, density


def entry(name: str, at: float, **more: object) -> Entry:
    return replace(Entry(name, at, "kubernetes:", "event", f"text of {name}"), **more)  # type: ignore[arg-type]


def names(timeline: Timeline, choice: str = "") -> list[str]:
    return [row.id for row in timeline.rows(choice)]


def test_rows_stand_in_order_of_time_however_they_came() -> None:
    timeline = Timeline()
    timeline.add([entry("b", 20), entry("a", 10)])
    timeline.add([entry("c", 15)])
    assert names(timeline) == ["a", "c", "b"]


def test_repetitions_within_a_minute_are_one_row_with_a_count_and_the_newest_words() -> None:
    timeline = Timeline()
    timeline.add([entry("a", 0, fold="f"), entry("b", 50, fold="f"), entry("c", 100, fold="f", count=3)])
    (row,) = timeline.rows()
    assert (row.id, row.at, row.count, row.last_at, row.text) == ("a", 0, 5, 100, "text of c")


@pytest.mark.parametrize(
    "other",
    [
        entry("b", 61, fold="f"),
        entry("b", 1, fold="g"),
        entry("b", 1, fold="f", source="kubernetes:other"),
        entry("b", 1, fold="f", level=Level.CRITICAL),
        entry("b", 1, fold="f", stage="over"),
        entry("b", 1),
    ],
)
def test_what_is_late_or_not_alike_is_a_row_of_its_own(other: Entry) -> None:
    timeline = Timeline()
    timeline.add([entry("a", 0, fold="f"), other])
    assert len(timeline) == 2


def test_what_goes_on_gets_a_new_row_every_five_minutes() -> None:
    timeline = Timeline()
    timeline.add(entry(str(at), at, fold="f") for at in range(0, 900, 10))
    assert [(row.at, row.count) for row in timeline.rows()] == [(0, 31), (310, 31), (620, 28)]


def test_the_same_entry_again_counts_once_also_when_it_was_folded() -> None:
    timeline = Timeline()
    for _ in range(2):
        timeline.add([entry("a", 0, fold="f"), entry("b", 1, fold="f")])
    (row,) = timeline.rows()
    assert row.count == 2


def test_a_newer_version_of_a_row_takes_its_place_and_keeps_its_count() -> None:
    timeline = Timeline()
    timeline.add([entry("a", 0, fold="f"), entry("b", 1, fold="f"), entry("a", 0, fold="f", text="11 wait")])
    (row,) = timeline.rows()
    assert (row.text, row.count) == ("11 wait", 2)


def test_folding_before_writing_is_the_same_as_folding_after_reading() -> None:
    entries = [entry("a", 0, fold="f"), entry("x", 5), entry("b", 30, fold="f"), entry("c", 95, fold="f")]
    at_once, in_parts = Timeline(), Timeline()
    at_once.add(entries)
    in_parts.add(folded(entries[:3]))
    in_parts.add(folded(entries[3:]))
    assert list(at_once.rows()) == list(in_parts.rows())


def test_the_oldest_go_first_and_pinned_ones_stay() -> None:
    timeline = Timeline(limit=3)
    timeline.add([entry("a", 1), entry("b", 2)])
    timeline.pin(Pin("a", "ann", 0.0, ""), None)
    timeline.add([entry("c", 3), entry("d", 4), entry("e", 5)])
    assert names(timeline) == ["a", "d", "e"]
    timeline.unpin("a")
    timeline.add([entry("f", 6)])
    assert names(timeline) == ["d", "e", "f"]
    assert timeline.count("kubernetes") == 3


def test_only_what_changed_is_told_and_everything_when_that_was_too_much() -> None:
    timeline = Timeline()
    timeline.add([entry("a", 1), entry("b", 2)])
    revision = timeline.revision
    assert timeline.changed_since(revision) == set()
    timeline.add([entry("c", 3)])
    timeline.pin(Pin("a", "ann", 0.0, ""), None)
    assert timeline.changed_since(revision) == {"a", "c"}
    assert timeline.changed_since(-1) is None
    timeline.add([entry("c", 3)])
    assert timeline.changed_since(revision + 2) == set()


def test_rows_are_chosen_by_kind_of_system_by_people_and_by_pins() -> None:
    timeline = Timeline()
    timeline.add(
        [entry("a", 1), entry("b", 2, source="database:shop"), entry("c", 3, source="database:shop", by="ann")]
    )
    timeline.pin(Pin("a", "ann", 0.0, ""), None)
    assert names(timeline, "database") == ["b", "c"]
    assert names(timeline, PEOPLE) == ["c"]
    assert names(timeline, PINNED) == ["a"]
    assert [timeline.count(choice) for choice in ("", "kubernetes", "database", PEOPLE, PINNED, "redis")] == [
        3, 1, 2, 1, 1, 0,
    ]  # fmt: skip


def test_a_pin_of_another_opstui_finds_the_row_that_tells_the_same() -> None:
    timeline = Timeline()
    timeline.add([entry("ours", 100.0, text="down"), entry("later", 120.0, text="down")])
    timeline.pin(Pin("theirs", "ann", 0.0, ""), entry("theirs", 95.0, text="down"))
    assert list(timeline.pins) == ["ours"]
    timeline.unpin("theirs")
    assert not timeline.pins


def test_a_pin_of_a_folded_entry_is_its_rows_pin() -> None:
    timeline = Timeline()
    timeline.add([entry("a", 0, fold="f"), entry("b", 1, fold="f")])
    timeline.pin(Pin("b", "ann", 0.0, ""), None)
    assert list(timeline.pins) == ["a"]


def test_what_only_another_opstui_saw_stands_in_until_it_is_seen_here() -> None:
    timeline = Timeline()
    timeline.pin(Pin("theirs", "ann", 0.0, ""), entry("theirs", 95.0, text="down"))
    assert names(timeline) == ["theirs"]
    timeline.add([entry("ours", 100.0, text="down")])
    assert names(timeline) == ["theirs"]


def test_times_count_from_a_row_and_there_again_from_nothing() -> None:
    timeline = Timeline()
    timeline.add([entry("a", 10), entry("b", 20)])
    assert timeline.count_from("a") == 10
    assert timeline.count_from("b") == 20
    assert timeline.count_from("b") is None
    assert timeline.count_from("nothing") is None


def test_a_trouble_is_said_until_it_is_taken_back() -> None:
    timeline = Timeline()
    timeline.tell_trouble("store", "disk full")
    revision = timeline.revision
    timeline.tell_trouble("store", "disk full")
    assert timeline.revision == revision
    timeline.tell_trouble("store", "")
    assert not timeline.troubles
    assert timeline.revision == revision + 1


def test_density_counts_by_steps_that_stand_still() -> None:
    times = [0.0, 59.0, 61.0, 179.0, 240.0]
    assert density(times, 185.0, 60.0, 3) == [1, 1, 0]
    assert density(times, 239.9, 60.0, 4) == [2, 1, 1, 0]
