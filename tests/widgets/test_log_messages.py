"""Lines of one message are shown or hidden together, in whatever order they come or are looked at."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from widgets import log_index
from widgets.log_messages import Belonging
from widgets.log_store import LogStore

WANTED, HIDDEN = 1, 2


@pytest.fixture(autouse=True, scope="module")
def _few_are_near() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_index, "_NEAR", 2)
        yield


class Line(NamedTuple):
    stream: str
    goes_on: bool
    shows: int
    id: int


class Marks:
    """Passes messages with a wanted line and no hidden one; `needs` and `refuses` say whether it cares."""

    def __init__(self, needs: bool, refuses: bool) -> None:
        self.needs, self.refuses = needs, refuses

    def __call__(self, line: Line) -> bool:
        return self.passes(line.shows)

    @property
    def alone(self) -> "Marks":
        return self

    def marks(self, line: Line, before: int) -> int:
        return before | line.shows

    def passes(self, marks: int) -> bool:
        return not (self.needs and not marks & WANTED) and not (self.refuses and marks & HIDDEN)


BELONGING = Belonging(lambda line: line[:2], lambda kind: (kind[0] if kind[0] != "own" else None, kind[1]))


def model(lines: Sequence[Line], judge: Marks) -> list[Line]:
    """Go through all lines, again and again for each message."""
    message_of: list[int] = []
    last: dict[str, int] = {}
    for number, line in enumerate(lines):
        if line.stream == "own":
            last.clear()
            message_of.append(number)
            continue
        if not line.goes_on or line.stream not in last:
            last[line.stream] = number
        message_of.append(last[line.stream])
    marks: dict[int, int] = {}
    for line, message in zip(lines, message_of, strict=True):
        marks[message] = marks.get(message, 0) | line.shows
    return [line for line, message in zip(lines, message_of, strict=True) if judge.passes(marks[message])]


def joins(head: Line, line: Line) -> bool:
    return head.stream == line.stream and line.goes_on


def folds(lines: Sequence[Line]) -> list[tuple[Line, int]]:
    found: list[tuple[Line, int]] = []
    for line in lines:
        if found and joins(found[-1][0], line):
            found[-1] = found[-1][0], found[-1][1] + 1
        else:
            found.append((line, 1))
    return found


_DRAWN = st.tuples(
    st.sampled_from(["a", "a", "b", "c", "own"]), st.sampled_from([True, True, False]), st.integers(0, 3)
)
_LINES = st.lists(_DRAWN, max_size=12)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("back"), _LINES),
        st.tuples(st.just("back"), _LINES),
        st.tuples(st.just("front"), _LINES),
        st.tuples(st.just("filter"), st.tuples(st.booleans(), st.booleans())),
        st.tuples(st.just("everything"), st.none()),
        st.tuples(st.just("fold"), st.booleans()),
        st.tuples(st.just("test"), st.none()),
        st.tuples(st.just("forget"), st.integers(0, 6)),
    ),
    max_size=14,
)


def shown(store: LogStore) -> list[tuple[Line, int]]:
    numbers = [store.number(index) for index in range(store.count)]
    return [(store[number], store.size(number)) for number in numbers]


@settings(max_examples=300, deadline=None)
@given(_STEPS)
def test_what_is_shown_is_what_a_plain_look_at_all_lines_shows(steps: list[tuple[str, object]]) -> None:
    store = LogStore(10_000, belonging=BELONGING)
    held: list[Line] = []
    count, judge, is_folding = 0, None, False
    for step, value in steps:
        if isinstance(value, list):
            lines = [
                Line(stream, goes_on and stream != "own", shows, count + n)
                for n, (stream, goes_on, shows) in enumerate(value)
            ]
            count += len(lines)
            held = [*held, *lines] if step == "back" else [*lines, *held]
            (store.extend if step == "back" else store.extend_front)(lines)
        elif step == "filter":
            assert isinstance(value, tuple)
            judge = Marks(*value)
            store.predicate = judge
        elif step == "everything":
            judge = store.predicate = None
        elif step == "fold":
            is_folding = bool(value)
            store.joins = joins if is_folding else None
        elif step == "test":
            store.filter_older(0)
        elif isinstance(value, int) and judge is None:
            # What was judged while it was whole stays so when its first lines go: see the test below.
            store.forget_before(store.first + value)
            held = held[value:]
            store.predicate = None
        tested = held[store.untested :]
        passing = tested if judge is None else model(tested, judge)
        if judge is not None or is_folding:
            assert shown(store) == (folds(passing) if is_folding else [(line, 1) for line in passing])
            assert store.passing == len(passing)
            assert list(store.shown()) == (passing if judge is not None else held)
        for index in range(store.count):
            number = store.number(index)
            assert store.index(number) == index
            assert store[store.folded(number)[0]] == store[number]
            assert len(store.folded(number)) == store.size(number)
    while store.is_filtering:
        store.filter_older(0)
    assert list(store.shown()) == (held if judge is None else model(held, judge))


_FEW_STREAMS = st.tuples(st.sampled_from("aaaaabb") | st.just("own"), st.booleans(), st.sampled_from([0, 0, 1, 2, 3]))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(_FEW_STREAMS, max_size=14),
    st.lists(st.tuples(st.booleans(), st.integers(1, 3)), min_size=14, max_size=14),
    st.integers(0, 14),
    st.sampled_from([(True, True), (True, False), (False, True)]),
    st.booleans(),
)
@example([("a", False, 1), *[("a", True, 0)] * 3], [(True, 1), (True, 2)] + [(False, 1)] * 12, 1, (True, False), False)
def test_lines_may_come_from_the_middle_to_both_ends(
    drawn: list[tuple[str, bool, int]],
    pieces: list[tuple[bool, int]],
    begin: int,
    wanted: tuple[bool, bool],
    is_folding: bool,
) -> None:
    every = [Line(s, on and s != "own", shows, n) for n, (s, on, shows) in enumerate(drawn)]
    store, judge = LogStore(10_000, belonging=BELONGING), Marks(*wanted)
    store.predicate = judge
    store.joins = joins if is_folding else None
    first = end = min(begin, len(every))
    for is_back, size in [*pieces, (True, 14), (False, 14)]:
        if is_back:
            store.extend(every[end : end + size])
            end = min(len(every), end + size)
        else:
            store.extend_front(every[max(0, first - size) : first])
            first = max(0, first - size)
        passing = model(every[first:end], judge)
        assert shown(store) == (folds(passing) if is_folding else [(line, 1) for line in passing])


@settings(max_examples=100, deadline=None)
@given(st.lists(_LINES, max_size=12), st.integers(1, 20), st.booleans(), st.booleans())
def test_of_a_message_whose_first_lines_were_let_go_the_rest_stays_as_it_was(
    batches: list[list[tuple[str, bool, int]]], bound: int, needs: bool, refuses: bool
) -> None:
    store, judge, every = LogStore(bound, belonging=BELONGING), Marks(needs, refuses), list[Line]()
    store.predicate = judge
    for batch in batches:
        lines = [Line(s, on and s != "own", shows, len(every) + n) for n, (s, on, shows) in enumerate(batch)]
        every += lines
        store.extend(lines)
        held = every[store.first :]
        # A line alone whose message goes on when it is held no more is forgotten with what it showed.
        told, whole = list(store.shown()), model(every, judge)
        begun = {line.stream for line in every[: store.first]}
        sure = [line for line in held if line.stream not in begun]
        assert [line for line in told if line in sure] == [line for line in whole if line in sure]
        assert all(line in held for line in told)


def test_a_line_that_comes_later_brings_its_message_in_or_takes_it_out() -> None:
    store = LogStore(100, belonging=BELONGING)
    store.predicate = Marks(True, True)
    store.extend([Line("a", False, 0, 0), Line("b", False, WANTED, 1)])
    assert [line.id for line in store.shown()] == [1]
    store.extend([Line("a", True, WANTED, 2)])
    assert [line.id for line in store.shown()] == [0, 1, 2]
    store.extend([Line("b", True, HIDDEN, 3), Line("a", True, 0, 4)])
    assert [line.id for line in store.shown()] == [0, 2, 4]


def test_a_message_that_never_ends_takes_no_more_memory_than_what_is_held_of_it() -> None:
    store = LogStore(2_000, belonging=BELONGING)
    store.predicate = Marks(True, False)
    store.extend([Line("a", False, WANTED, 0)])
    for _ in range(200):
        store.extend([Line("a", True, 0, 1)] * 100)
    (message,) = store._ends.last.values()
    assert not isinstance(message, int)
    assert len(message.numbers) < 3 * 2_100
    assert store.passing == len(store)


def test_a_line_that_comes_very_late_moves_nothing_that_stands_between() -> None:
    asked = 0

    def counted(head: Line, line: Line) -> bool:
        nonlocal asked
        asked += 1
        return joins(head, line)

    store = LogStore(1_000_000, belonging=BELONGING)
    store.joins = counted
    store.predicate = Marks(True, False)
    store.extend([Line("a", False, 0, 0)])
    store.extend([Line("b", False, WANTED, n) for n in range(20_000)])
    asked = 0
    store.extend([Line("a", True, WANTED, 20_001)])
    assert (store.count, store.number(0), store.number(20_001)) == (20_002, 0, 20_001)
    assert asked < 10
