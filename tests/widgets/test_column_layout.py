from hypothesis import given
from hypothesis import strategies as st

from widgets.cell import Column
from widgets.column_layout import arrange

COLUMNS = (
    Column("name", "NAME"),
    Column("namespace", "NAMESPACE", 12, priority=2),
    Column("cpu", "CPU", 6, "right"),
    Column("ip", "IP", 15, priority=3),
)


def shown(width: int) -> list[str]:
    return [COLUMNS[place.column].key for place in arrange(COLUMNS, width)]


def test_the_greatest_priority_goes_first() -> None:
    assert shown(80) == ["name", "namespace", "cpu", "ip"]
    assert shown(40) == ["name", "namespace", "cpu"]
    assert shown(20) == ["name", "cpu"]


def test_columns_that_are_never_dropped_may_not_fit() -> None:
    assert shown(3) == ["name", "cpu"]


def test_a_column_without_a_width_takes_what_is_left() -> None:
    assert arrange(COLUMNS, 80)[0].width == 80 - 12 - 6 - 15 - 3


@given(st.integers(0, 300))
def test_columns_never_overlap(width: int) -> None:
    end = 0
    for place in arrange(COLUMNS, width):
        assert place.x >= end
        end = place.x + place.width + 1


def test_what_a_column_may_not_take_goes_to_the_others_or_to_nobody() -> None:
    name, text = Column("name", "NAME", min_width=5, max_width=10), Column("text", "TEXT", min_width=5)
    assert [place.width for place in arrange((name, text), 41)] == [10, 30]
    assert [place.width for place in arrange((name, Column("n", "N", 4)), 41)] == [10, 4]
    assert [place.width for place in arrange((name, text), 12)] == [6, 5]


def test_a_hidden_column_takes_no_room() -> None:
    columns = (Column("a", "A", 4), Column("b", "B", 4, hidden=True), Column("c", "C", 4))
    assert [place.column for place in arrange(columns, 80)] == [0, 2]
