"""What a table shows: cells, rows and columns as plain values."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

Tone = Literal["", "dim", "ok", "warn", "critical", "accent"]
"""How a text is coloured. A tone never carries a meaning alone: the words beside it do."""

SortValue: TypeAlias = str | int | float | None
"""What a column is sorted by; None sorts last in either direction."""

KeyT = TypeVar("KeyT", bound=Hashable)
"""The identity of a row: whatever the caller uses, as long as two different things never share it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell with a tone."""

    text: str
    """Plain text, never markup."""
    tone: Tone = ""


class LateCell(Cell):
    """A cell whose text is worked out when it is drawn: of thousands of rows only those on the screen cost anything.

    The filter does not look at it.
    """

    __slots__ = ("_of", "_work")

    _of: Hashable
    _work: Callable[[], str]

    def __init__(self, of: Hashable, work: Callable[[], str], tone: Tone = "") -> None:
        """Make a cell.

        Args:
            of: what the text is made from: two cells that were made from the same look the same.
            work: returns the text.
            tone: as any cell's.
        """
        object.__setattr__(self, "tone", tone)
        object.__setattr__(self, "_of", of)
        object.__setattr__(self, "_work", work)

    @property
    def text(self) -> str:
        """The text, worked out now."""
        return self._work()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LateCell) and (self._of, self.tone) == (other._of, other.tone)

    def __hash__(self) -> int:
        return hash((self._of, self.tone))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, a cell for each column."""

    cells: tuple[str | Cell, ...]
    sort: tuple[SortValue, ...] | None = None
    """What each column is sorted by; None: the cell's text, ignoring case."""
    tone: Tone = ""
    """Of the whole row; a cell's own tone wins."""
    haystack: str = ""
    """Text the filter looks at beside the cells."""

    def made(self) -> "Row":
        """Return the row as it is drawn: itself."""
        return self

    def sort_value(self, column: int) -> SortValue:
        """Return what it is sorted by in a column; None where it has no such cell."""
        if self.sort is None:
            return cell_text(self.cells[column]).casefold() if column < len(self.cells) else None
        return self.sort[column] if column < len(self.sort) else None

    def words(self) -> str:
        """Return the text a filter looks at: every cell, dropped columns too, and its own haystack."""
        return " ".join([*(cell_text(cell) for cell in self.cells if not isinstance(cell, LateCell)), self.haystack])


class LateRow(Row, ABC):
    """A row that is worked out when it is looked at: of thousands only those on the screen cost anything.

    What the others are sorted by and filtered by is asked for by itself.
    """

    __slots__ = ()

    def __init__(self) -> None:
        """Make a row without anything of its own; who derives from this keeps what it is made from."""

    @abstractmethod
    def made(self) -> Row:
        """Return the row, worked out now."""

    @abstractmethod
    def sort_value(self, column: int) -> SortValue:
        """Return what the row is sorted by in a column now."""

    @abstractmethod
    def words(self) -> str:
        """Return the text a filter looks at."""

    @property
    def cells(self) -> tuple[str | Cell, ...]:
        """The cells, worked out now."""
        return self.made().cells

    @property
    def sort(self) -> tuple[SortValue, ...] | None:
        """What each column is sorted by now."""
        return self.made().sort

    @property
    def tone(self) -> Tone:
        """Of the whole row now."""
        return self.made().tone

    @property
    def haystack(self) -> str:
        """What the filter looks at beside the cells."""
        return self.made().haystack


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    title: str
    width: int | None = None
    """In terminal cells; None: takes what the others leave."""
    align: Literal["left", "right"] = "left"
    priority: int = 0
    """The greatest are dropped first when the screen is narrow; 0 never."""
    min_width: int = 8
    """In terminal cells, of a column without a width."""
    max_width: int | None = None
    """In terminal cells, of a column without a width; None: as wide as there is room."""
    keeps_end: bool = False
    """Whether what is too long loses its middle, not its end: for names, which differ there."""
    hidden: bool = False
    """Whether it is left out at any width; rows have a cell for it all the same."""


def cell_text(cell: str | Cell) -> str:
    """Return the text of a cell."""
    return cell if isinstance(cell, str) else cell.text
