"""Which columns fit a width, and how wide each becomes."""

from collections.abc import Sequence
from typing import NamedTuple

from widgets.cell import Column

WIDE = 120
"""From this width on, columns stand two cells apart instead of one."""


class Place(NamedTuple):
    """Where a column is drawn."""

    column: int
    """Of the column among all columns."""
    x: int
    """First cell."""
    width: int
    """In cells, without the gap."""


def arrange(columns: Sequence[Column], width: int, *, start: int = 0) -> tuple[Place, ...]:
    """Return the places of the columns that fit into `width` cells, the first at cell `start`.

    The columns with the greatest priority go first (the rightmost among equals). Columns of priority 0 stay even
    where they do not fit: the line is then wider than the screen.
    """
    gap = 2 if width >= WIDE else 1
    kept = [index for index, column in enumerate(columns) if not column.hidden]

    def needed() -> int:
        widths = [columns[i].width if columns[i].width is not None else columns[i].min_width for i in kept]
        return start + sum(w for w in widths if w is not None) + gap * max(0, len(kept) - 1)

    while needed() > width:
        droppable = [i for i in kept if columns[i].priority > 0]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda i: (columns[i].priority, i)))

    widths = _widths([columns[i] for i in kept], max(0, width - needed()))
    places, x = [], start
    for i, size in zip(kept, widths, strict=True):
        places.append(Place(i, x, size))
        x += size + gap
    return tuple(places)


def _widths(columns: Sequence[Column], spare: int) -> list[int]:
    """Return each column's width when `spare` cells are shared by those without a width, up to what they may take."""
    widths = [column.width if column.width is not None else column.min_width for column in columns]
    growing = [i for i, column in enumerate(columns) if column.width is None]
    while spare and growing:
        share, rest = divmod(spare, len(growing))
        spare = 0
        for number, i in enumerate(list(growing)):
            # What does not divide goes to the first, usually the name.
            wanted = widths[i] + share + (rest if number == 0 else 0)
            most = columns[i].max_width
            if most is not None and wanted >= most:
                spare += wanted - max(most, widths[i])
                wanted = max(most, widths[i])
                growing.remove(i)
            widths[i] = wanted
    return widths
