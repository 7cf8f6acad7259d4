from collections.abc import Callable
from itertools import groupby

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


_BATCHES = st.lists(st.lists(st.integers(0, 39), max_size=30), max_size=12)


def _groups(lines: list[int], wanted: Callable[[int], bool]) -> list[tuple[int, int]]:
    passing = [line for line in lines if wanted(line)]
    return [(found[0], len(found)) for _, each in groupby(passing, lambda line: line // 10) if (found := list(each))]


@given(_BATCHES, st.integers(0, 12), st.booleans())
def test_lines_that_join_are_shown_as_one_however_they_came(batches: list[list[int]], at: int, filters: bool) -> None:
    store = LogStore(10_000)
    wanted = (lambda line: line % 3 != 0) if filters else (lambda line: True)
    for number, batch in enumerate(batches):
        if number == at:
            store.predicate = wanted if filters else None
            store.joins = lambda head, line: head // 10 == line // 10
        store.extend(batch)
    if at >= len(batches):
        store.predicate = wanted if filters else None
        store.joins = lambda head, line: head // 10 == line // 10
    while store.is_filtering:
        store.filter_older(0)
    held = [line for batch in batches for line in batch]
    numbers = [store.number(index) for index in range(store.count)]
    assert [(store[number], store.size(number)) for number in numbers] == _groups(held, wanted)
    assert store.passing == sum(map(wanted, held)) == len(list(store.shown()))
    for line in range(len(held)):
        if wanted(held[line]):
            assert store.number(store.index(line)) <= line


def test_a_fold_whose_first_line_is_dropped_goes_on_with_what_is_left() -> None:
    store = LogStore(100)
    store.joins = lambda head, line: bool(head == line)
    for _ in range(50):
        store.extend(["same"] * 10)
    store.trim()
    assert store.count == 1
    assert (store.size(store.number(0)), store.passing) == (100, 100)
    assert store.number(0) == store.dropped == 400


def test_lines_held_are_told_whether_they_are_shown_or_not() -> None:
    store = LogStore(3)
    store.extend(["a", "b", "c", "d"])
    store.trim()
    store.predicate = lambda line: False
    assert store.held(0, 2) == (1, ["b", "c"])
    assert store.held(3, 10) == (3, ["d"])


def test_a_slow_predicate_is_asked_no_longer_than_it_may() -> None:
    store, asked = LogStore(10_000), 0

    def slow(line: object) -> bool:
        nonlocal asked
        asked += 1
        return True

    store.extend(list(range(5_000)))
    store.predicate = slow
    store.filter_older(0)
    assert asked == 100
    assert store.untested == 4_900


@given(_BATCHES, st.integers(0, 3), st.booleans(), st.booleans())
def test_older_lines_come_before_all_others_and_are_shown_like_them(
    batches: list[list[int]], kind: int, before: bool, tested: bool
) -> None:
    store = LogStore(10_000)
    wanted = (lambda line: line % 3 != 0) if kind & 1 else (lambda line: True)

    def choose() -> None:
        store.predicate = wanted if kind & 1 else None
        store.joins = (lambda head, line: head // 10 == line // 10) if kind & 2 else None
        while tested and store.is_filtering:
            store.filter_older(0)

    if before:
        choose()
    held: list[int] = []
    for number, batch in enumerate(batches):
        held = [*held, *batch] if number % 2 else [*batch, *held]
        (store.extend if number % 2 else store.extend_front)(batch)
    if not before:
        choose()
    while store.is_filtering:
        store.filter_older(0)
    assert list(store.shown()) == list(filter(wanted, held))
    numbers = [store.number(index) for index in range(store.count)]
    groups = _groups(held, wanted) if kind & 2 else [(line, 1) for line in held if wanted(line)]
    assert [(store[number], store.size(number)) for number in numbers] == groups
    edge = store.first + len(held) // 2
    store.forget_before(edge)
    assert (store.first, list(store.shown()), store.dropped) == (edge, list(filter(wanted, held[len(held) // 2 :])), 0)
