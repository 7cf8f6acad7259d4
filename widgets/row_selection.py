"""Where the cursor is among the rows of a table, and which rows are marked. Knows no screen."""

from collections.abc import Hashable

from widgets.row_order import RowOrder


class RowSelection:
    """Belongs to keys, not to row numbers."""

    def __init__(self, *, rests_at_end: bool = False) -> None:
        """Begin with no row; `rests_at_end`: until somebody chooses, the cursor is on the last row, not the first."""
        self._rests_at_end = rests_at_end
        self.key: Hashable | None = None
        """The key under the cursor; None when no row is shown."""
        self.index = 0
        """Its place among the keys shown."""
        self.is_chosen = False
        """Whether a person has put the cursor somewhere. Until then it stays where it rests, whichever row is there."""
        self.marked: set[Hashable] = set()

    def put(self, order: RowOrder, index: int) -> None:
        """Put the cursor on the row shown at `index`, or the nearest there is."""
        visible = order.visible
        self.index = max(0, min(index, len(visible) - 1))
        self.key = visible[self.index] if visible else None

    def follow(self, order: RowOrder) -> Hashable | None:
        """Find the cursor's row again after the rows changed; return its key when it has gone.

        A row that a filter hides, or that has gone, leaves the cursor in its place, on the row that is there now.
        """
        self.marked = {key for key in self.marked if key in order.rows}
        visible, key = order.visible, self.key
        if key is None or not self.is_chosen:
            self.put(order, len(order.visible) - 1 if self._rests_at_end else 0)
            return None
        if self.index < len(visible) and visible[self.index] == key:
            return None
        if key in order.rows and key in visible:
            self.index = visible.index(key)
            return None
        self.put(order, self.index)
        return None if key in order.rows else key
