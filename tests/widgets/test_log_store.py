from hypothesis import given
from hypothesis import strategies as st

from widgets.log_store import LogLine, LogStore


def lines(*texts: str) -> list[LogLine]:
    return [LogLine(text) for text in texts]


def shown(store: LogStore) -> list[str]:
    return [store[store.number(i)].text for i in range(store.count)]


def test_the_oldest_lines_are_dropped_and_counted() -> None:
    store = LogStore(3)
    store.extend(lines("a", "b", "c", "d", "e"))
    store.trim()
    assert shown(store) == ["c", "d", "e"]
    assert store.dropped == 2
    assert store[4].text == "e"


def test_new_lines_are_tested_as_they_come() -> None:
    store = LogStore(10)
    store.predicate = lambda line: "x" in line.text
    store.extend(lines("ax", "b", "cx"))
    assert shown(store) == ["ax", "cx"]
    assert store.index(1) == 1


def test_older_lines_are_tested_newest_first_until_all_are() -> None:
    store = LogStore(100_000)
    store.extend(lines(*(str(i) for i in range(10_000))))
    store.predicate = lambda line: line.text.endswith("0")
    store.filter_older(0)
    assert store.is_filtering
    assert shown(store)[-1] == "9990"
    store.extend(lines("10000"))
    while store.is_filtering:
        store.filter_older(0)
    assert shown(store) == [str(i) for i in range(0, 10_001, 10)]


def test_no_predicate_shows_everything_again() -> None:
    store = LogStore(10)
    store.extend(lines("a", "b"))
    store.predicate = lambda line: False
    store.filter_older(1)
    assert store.count == 0
    store.predicate = None
    assert shown(store) == ["a", "b"]


def test_a_cleared_store_goes_on_counting() -> None:
    store = LogStore(10)
    store.extend(lines("a", "b"))
    store.clear()
    store.extend(lines("c"))
    assert shown(store) == ["c"]
    assert store.end == 3


@given(st.lists(st.lists(st.sampled_from(["a", "b", "x"]), max_size=6), max_size=8), st.integers(1, 10), st.booleans())
def test_what_is_shown_is_what_is_held_and_passes(batches: list[list[str]], bound: int, late: bool) -> None:
    store, told = LogStore(bound), [text for batch in batches for text in batch]
    if not late:
        store.predicate = lambda line: line.text != "x"
    for batch in batches:
        store.extend(lines(*batch))
    if late:
        store.predicate = lambda line: line.text != "x"
    store.trim()
    store.filter_older(10)
    assert shown(store) == [text for text in told[-bound:] if text != "x"]
    assert store.dropped + len(store) == len(told)
