from widgets.cell import Row
from widgets.row_order import RowOrder
from widgets.row_selection import RowSelection


def order(*keys: str) -> RowOrder:
    rows = RowOrder()
    rows.replace({key: Row((key,)) for key in keys})
    rows.settle()
    return rows


def chosen(rows: RowOrder, index: int) -> RowSelection:
    selection = RowSelection()
    selection.put(rows, index)
    selection.is_chosen = True
    return selection


def test_the_cursor_goes_where_its_key_goes() -> None:
    selection = chosen(order("a", "b", "c"), 1)
    assert selection.follow(order("x", "y", "b")) is None
    assert (selection.key, selection.index) == ("b", 2)


def test_a_key_that_has_gone_is_told_and_its_neighbour_takes_its_place() -> None:
    selection = chosen(order("a", "b", "c"), 1)
    assert selection.follow(order("a", "c")) == "b"
    assert (selection.key, selection.index) == ("c", 1)
    assert selection.follow(order("a")) == "c"
    assert (selection.key, selection.index) == ("a", 0)


def test_a_row_that_a_filter_hides_has_not_gone() -> None:
    rows = order("a", "b", "c")
    selection = chosen(rows, 1)
    rows.select("!b")
    rows.settle()
    assert selection.follow(rows) is None
    assert selection.key == "c"


def test_a_cursor_nobody_moved_stays_on_the_first_row() -> None:
    rows = order("a", "b")
    selection = RowSelection()
    selection.follow(rows)
    selection.follow(order("b", "a"))
    assert selection.key == "b"


def test_marks_of_rows_that_have_gone_are_forgotten() -> None:
    selection = chosen(order("a", "b"), 0)
    selection.marked = {"a", "b"}
    selection.follow(order("b"))
    assert selection.marked == {"b"}
