"""The rows of a table by key, in the order and selection a person asked for. Knows no screen."""

import math
from collections.abc import Collection, Hashable, Mapping

from widgets.cell import KeyT, Row
from widgets.text_filter import TextFilter, compile_filter

_SortKey = tuple[int, str | int | float, int]


class RowOrder:
    """Rows by key, sorted and filtered.

    Changes are collected by `merge` and take effect in `settle`, so that what is drawn never disagrees with itself
    between the two. A row is sorted again only when the value it is sorted by has changed.
    """

    def __init__(self) -> None:
        self.rows: dict[Hashable, Row] = {}
        self.visible: list[Hashable] = []
        """The keys shown, top to bottom, as of the last `settle`."""
        self.column: int | None = None
        self.reverse = False
        self.filter: TextFilter = compile_filter("")
        self._pending: dict[Hashable, Row | None] = {}
        self._order: list[Hashable] = []
        self._born: dict[Hashable, int] = {}
        self._sort_keys: dict[Hashable, _SortKey] = {}
        self._births = 0
        self._passes: dict[Hashable, bool] = {}
        self._haystacks: dict[Hashable, str] = {}
        """What the filter looks at, of the rows it has looked at: joining cells costs more than looking. It is kept for
        the next filter, which a person often types right behind the one before."""
        self._unsorted = self._unfiltered = False

    def __len__(self) -> int:
        rows = self.rows
        change = sum(
            (row is not None and key not in rows) - (row is None and key in rows) for key, row in self._pending.items()
        )
        return len(rows) + change

    def newest(self, key: Hashable) -> Row | None:
        """Return the row of `key` as last told, settled or not; None when there is none."""
        return self._pending[key] if key in self._pending else self.rows.get(key)

    @property
    def is_settled(self) -> bool:
        """Whether everything told so far has taken effect."""
        return not (self._pending or self._unsorted or self._unfiltered)

    def merge(self, changed: Mapping[KeyT, Row], removed: Collection[Hashable] = ()) -> None:
        """Take note of rows that came, changed or went."""
        self._pending.update(changed.items())
        self._pending.update((key, None) for key in removed)

    def replace(self, rows: Mapping[KeyT, Row]) -> None:
        """Take note of the whole picture: what is not in it is gone, and its order is the order without sorting."""
        self._pending.clear()
        known, seen = self.rows, 0
        for key, row in rows.items():
            old = known.get(key)
            seen += old is not None
            if old is not row and old != row:
                self._pending[key] = row
        if seen != len(known):
            self._pending.update((key, None) for key in known if key not in rows)
        if self.column is None:
            order: list[Hashable] = list(rows)
            if order != self._order:
                self._born = {key: number for number, key in enumerate(order)}
                self._births = len(order)
                self._unsorted = True

    def sort(self, column: int | None, *, reverse: bool) -> None:
        """Sort by a column; None: the order in which the rows came."""
        if (column, reverse) != (self.column, self.reverse):
            self.column, self.reverse = column, reverse
            self._sort_keys = {} if column is None else {k: self._sort_key(k, row) for k, row in self.rows.items()}
            self._unsorted = True

    def select(self, typed: str) -> None:
        """Show only what passes the filter a person typed."""
        before, self.filter = self.filter, compile_filter(typed)
        # Of thousands of rows a letter more or less needs only those looked at whose verdict it may change.
        settled = self.filter.settles(before)
        self._passes = {key: passed for key, passed in self._passes.items() if passed is settled}
        self._unfiltered = True

    def settle(self) -> bool:
        """Let everything told so far take effect; return whether the keys shown, or their order, may have changed."""
        if self.is_settled:
            return False
        moved = self._take_pending() or self._unsorted or self._unfiltered
        if self._unsorted:
            if self.column is None:
                self._order.sort(key=self._born.__getitem__)
            else:
                self._order.sort(key=self._sort_keys.__getitem__, reverse=self.reverse)
        if moved:
            self.visible = self._passing() if self.filter.matches else self._order
        self._unsorted = self._unfiltered = False
        return moved

    def _take_pending(self) -> bool:
        rows, moved, gone = self.rows, False, False
        for key, row in self._pending.items():
            if row is None:
                if rows.pop(key, None) is not None:
                    gone = True
                    for kept in (self._born, self._sort_keys, self._passes, self._haystacks):
                        kept.pop(key, None)
                continue
            if key not in rows:
                moved = True
                self._order.append(key)
                if self._born.setdefault(key, self._births) == self._births:
                    self._births += 1
            rows[key] = row
            moved |= self._filter_again(key)
            if self.column is not None and self._sort_keys.get(key) != (sort_key := self._sort_key(key, row)):
                self._sort_keys[key] = sort_key
                self._unsorted = True
        self._pending.clear()
        if gone:
            self._order = [key for key in self._order if key in rows]
        return moved or gone

    def _filter_again(self, key: Hashable) -> bool:
        before = self._passes.pop(key, None)
        self._haystacks.pop(key, None)
        return bool(self.filter.matches) and before != self._is_shown(key)

    def _passing(self) -> list[Hashable]:
        passes = self._passes  # for thousands of rows a call each would be most of the work
        return [k for k in self._order if (passes[k] if k in passes else self._is_shown(k))]

    def _is_shown(self, key: Hashable) -> bool:
        shown = self._passes.get(key)
        if shown is None:
            matches = self.filter.matches
            shown = self._passes[key] = matches is None or matches(self._haystack(key))
        return shown

    def _haystack(self, key: Hashable) -> str:
        text = self._haystacks.get(key)
        if text is None:
            text = self._haystacks[key] = self.rows[key].words()
        return text

    def _sort_key(self, key: Hashable, row: Row) -> _SortKey:
        value = row.sort_value(self.column or 0)
        # Among equals the first to arrive stays first, in either direction.
        born = self._born[key] * (-1 if self.reverse else 1)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return (-1 if self.reverse else 2, 0, born)
        return (1 if isinstance(value, str) else 0, value, born)
