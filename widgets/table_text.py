"""A table as plain lines, for a file or a record. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from widgets.cell import Column, Row, cell_text
from widgets.fitting import fit, width_of

_WIDEST: Final = 80
"""Cells of the widest column; what is longer is cut."""


def table_text(
    columns: Sequence[Column],
    rows: Iterable[Row],
    shown: Callable[[str, str], str] = lambda column, text: text,
) -> list[str]:
    """Return a header and a line for each row, in columns as wide as they need to be.

    Args:
        columns: all of the table's, also those a screen has no room for.
        rows: in order.
        shown: given a column's key and a cell's text, returns what is shown of it.
    """
    seen = [(index, column) for index, column in enumerate(columns) if not column.hidden]
    texts = [[column.title for _, column in seen]]
    texts += [[shown(column.key, cell_text(row.cells[index])) for index, column in seen] for row in rows]
    widths = [min(_WIDEST, max(map(width_of, cells))) for cells in zip(*texts, strict=True)]
    fits = [(width, column.align) for width, (_, column) in zip(widths, seen, strict=True)]
    lines = [" ".join(fit(text, *room) for text, room in zip(line, fits, strict=True)) for line in texts]
    return [line.rstrip() for line in lines]
