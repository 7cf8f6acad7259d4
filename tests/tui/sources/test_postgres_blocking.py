"""pid → blockers in, tree out."""

from hypothesis import given
from hypothesis import strategies as st

from tui.sources.postgres.blocking import blocking_tree


def drawn(blockers: dict[int, tuple[int, ...]], leaders: dict[int, int] | None = None) -> list[str]:
    return ["  " * place.depth + str(place.pid) for place in blocking_tree(blockers, leaders)]


def test_nobody_waits() -> None:
    assert blocking_tree({}) == ()


def test_a_chain_stands_under_its_root() -> None:
    assert drawn({2: (1,), 3: (2,), 4: (1,)}) == ["1", "  2", "    3", "  4"]


def test_the_root_that_holds_up_most_comes_first() -> None:
    assert drawn({12: (11,), 2: (1,), 3: (1,)})[0] == "1"


def test_a_session_with_several_blockers_stands_once_under_the_nearest_to_a_root() -> None:
    places = {place.pid: place for place in blocking_tree({2: (1,), 3: (1, 2), 4: (2, 3, 9)})}
    assert (places[3].under, places[3].also) == (1, (2,))
    assert (places[4].under, places[4].also) == (9, (2, 3))
    assert places[1].waiting == 2


def test_a_queue_behind_one_lock_stays_flat() -> None:
    queue = {pid: tuple(range(1, pid)) for pid in range(2, 100)}
    assert {place.depth for place in blocking_tree(queue)} == {0, 1}


def test_a_prepared_transaction_is_a_root_of_its_own() -> None:
    assert drawn({5: (0,)}) == ["0", "  5"]


def test_parallel_workers_count_as_their_leader() -> None:
    assert drawn({21: (1,), 22: (1,), 30: (22,)}, {21: 20, 22: 20}) == ["1", "  20", "    30"]


def test_a_worker_that_waits_for_its_own_leader_is_no_blockage() -> None:
    assert blocking_tree({21: (20,)}, {21: 20}) == ()


def test_a_circle_is_shown_and_named_one() -> None:
    places = blocking_tree({1: (2,), 2: (1,), 3: (2,)})
    assert [(place.pid, place.is_cycle) for place in places] == [(1, True), (2, False), (3, False)]


@given(st.dictionaries(st.integers(1, 12), st.lists(st.integers(0, 12), max_size=4).map(tuple), max_size=12))
def test_everybody_involved_is_shown_exactly_once(blockers: dict[int, tuple[int, ...]]) -> None:
    edges = {(waiter, blocker) for waiter, theirs in blockers.items() for blocker in theirs if blocker != waiter}
    involved = {pid for edge in edges for pid in edge}
    places = blocking_tree(blockers)
    assert sorted(place.pid for place in places) == sorted(involved)
    assert sum(place.waiting for place in places if place.under is None) == len(involved) - sum(
        place.under is None for place in places
    )
