from widgets.cell import Cell, Column, Row
from widgets.table_text import table_text

COLUMNS = (Column("name", "NAME"), Column("cpu", "CPU", 6, "right"), Column("by", "BY", hidden=True))


def test_columns_are_as_wide_as_they_need_to_be_and_hidden_ones_are_left_out() -> None:
    rows = [Row(("api", Cell("12", "warn"), "x")), Row(("a-long-name", "7", "y"))]
    assert table_text(COLUMNS, rows) == ["NAME        CPU", "api          12", "a-long-name   7"]


def test_cells_are_shown_as_the_caller_says() -> None:
    rows = [Row(("secret", "12", "x"))]
    assert table_text(COLUMNS, rows, lambda column, text: "?" if column == "name" else text)[1] == "?     12"


def test_a_table_without_rows_is_its_header() -> None:
    assert table_text(COLUMNS, []) == ["NAME CPU"]


def test_what_could_steer_a_terminal_is_visible_and_what_is_long_is_cut() -> None:
    (_, line) = table_text(COLUMNS[:1], [Row(("\x1b]0;x\x07" + "y" * 200,))])
    assert line.startswith("␛]0;x␇")
    assert line.endswith("…")
    assert len(line) == 80
