import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from widgets.cell import Cell, LateRow, Row, SortValue
from widgets.row_order import RowOrder
from widgets.text_filter import Matches


def row(name: str, value: float | None = 0) -> Row:
    return Row((name, str(value)), sort=(name, value))


def settled(rows: dict[str, Row], *, column: int | None = None, reverse: bool = False) -> RowOrder:
    order = RowOrder()
    order.sort(column, reverse=reverse)
    order.replace(rows)
    order.settle()
    return order


def test_without_sorting_the_given_order_stays() -> None:
    assert settled({"b": row("b"), "a": row("a")}).visible == ["b", "a"]


def test_a_new_order_of_the_same_rows_is_taken_over() -> None:
    order = settled({"b": row("b"), "a": row("a")})
    order.replace({"a": row("a"), "b": row("b")})
    order.settle()
    assert order.visible == ["a", "b"]


def test_none_and_nan_sort_last_in_either_direction() -> None:
    rows = {"none": row("n", None), "two": row("t", 2), "nan": row("x", math.nan), "one": row("o", 1)}
    assert settled(rows, column=1).visible == ["one", "two", "none", "nan"]
    assert settled(rows, column=1, reverse=True).visible == ["two", "one", "none", "nan"]


def test_equals_keep_the_order_in_which_they_came_in_either_direction() -> None:
    rows = {name: row(name, 1) for name in "cab"}
    assert settled(rows, column=1).visible == ["c", "a", "b"]
    assert settled(rows, column=1, reverse=True).visible == ["c", "a", "b"]


def test_text_and_numbers_in_one_column_do_not_break_sorting() -> None:
    order = settled({"text": Row(("x",), sort=("x",)), "number": Row(("1",), sort=(1,))}, column=0)
    assert order.visible == ["number", "text"]


def test_without_sort_values_the_text_counts_ignoring_case() -> None:
    assert settled({1: Row(("b",)), 2: Row((Cell("A"),)), 3: Row(())}, column=0).visible == [2, 1, 3]  # type: ignore[dict-item]  # keys of any kind


def test_a_change_set_adds_changes_and_removes() -> None:
    order = settled({"a": row("a", 1), "b": row("b", 2)}, column=1)
    order.merge({"a": row("a", 3), "c": row("c", 0)}, ["b", "unknown"])
    assert len(order) == 2
    assert order.visible == ["a", "b"]
    assert order.settle()
    assert order.visible == ["c", "a"]


def test_an_unchanged_sort_value_moves_nothing() -> None:
    order = settled({"a": row("a", 1), "b": row("b", 2)}, column=1)
    order.merge({"a": Row(("other text", "1"), sort=("a", 1))})
    assert not order.settle()
    assert order.rows["a"].cells[0] == "other text"


def test_a_whole_picture_overrides_changes_still_waiting() -> None:
    order = settled({"a": row("a")})
    order.merge({"ghost": row("ghost")})
    order.replace({"a": row("a")})
    order.settle()
    assert order.visible == ["a"]


def test_the_filter_looks_at_cells_and_haystack() -> None:
    order = settled({"a": Row(("alpha",), haystack="team=red"), "b": Row(("beta",))})
    for typed, expected in (("RED", ["a"]), ("!red", ["b"]), ("/^b/", ["b"]), ("", ["a", "b"]), ("zzz", [])):
        order.select(typed)
        order.settle()
        assert order.visible == expected


def test_a_changed_row_is_filtered_again() -> None:
    order = settled({"a": row("good")})
    order.select("good")
    order.settle()
    order.merge({"a": row("bad")})
    order.settle()
    assert order.visible == []
    order.merge({"a": row("good again")})
    order.settle()
    assert order.visible == ["a"]


changes = st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(0, 3), st.booleans()), max_size=30)


@given(changes, st.booleans(), st.sampled_from(["", "1", "!1"]))
def test_change_sets_end_where_the_whole_picture_would(
    told: list[tuple[str, int | None, bool]], reverse: bool, typed: str
) -> None:
    order = settled({}, column=1, reverse=reverse)
    rows: dict[str, Row] = {}
    order.select(typed)
    for key, value, removed in told:
        if removed:
            rows.pop(key, None)
            order.merge({}, [key])
        else:
            rows[key] = row(key, value)
            order.merge({key: rows[key]})
        order.settle()
    expected = settled(rows, column=1, reverse=reverse)
    expected.select(typed)
    expected.settle()
    assert set(order.visible) == set(expected.visible)
    values = [order.rows[key].sort for key in order.visible]
    assert values == [expected.rows[key].sort for key in expected.visible] or len(values) != len(set(values))
    assert len(order) == len(rows)


@given(
    st.lists(st.text("ab!/", max_size=4), min_size=1, max_size=8),
    st.lists(st.text("abc", max_size=5), min_size=1, max_size=6),
)
def test_a_filter_typed_letter_by_letter_shows_what_it_shows_at_once(typed: list[str], names: list[str]) -> None:
    rows = {str(number): Row((name,)) for number, name in enumerate(names)}
    order = settled(rows)
    for text in typed:
        order.select(text)
        order.settle()
        at_once = settled(rows)
        at_once.select(text)
        at_once.settle()
        assert order.visible == at_once.visible


def test_a_letter_more_looks_only_at_rows_that_it_may_change() -> None:
    put_together: list[str] = []

    class Counted(LateRow):
        __slots__ = ("name",)
        name: str

        def __init__(self, name: str) -> None:
            object.__setattr__(self, "name", name)

        def made(self) -> Row:
            return Row((self.name,))

        def sort_value(self, column: int) -> SortValue:
            return self.name

        def words(self) -> str:
            put_together.append(self.name)
            return self.name

    names = ("alpha", "beta", "gamma")
    order = settled({name: Counted(name) for name in names})
    looked_at: list[str] = []

    def counted(matches: Matches) -> Matches:
        def look(text: str) -> bool:
            looked_at.append(text)
            return matches(text)

        return look

    for typed, expected in (("b", ["beta"]), ("be", ["beta"]), ("!b", ["alpha", "gamma"]), ("!bx", [*names])):
        order.select(typed)
        assert order.filter.matches is not None
        order.filter = replace(order.filter, matches=counted(order.filter.matches))
        order.settle()
        assert order.visible == expected
    assert put_together == [*names], "what a row says is put together once"
    assert looked_at == [*names, "beta", *names, "beta"]
