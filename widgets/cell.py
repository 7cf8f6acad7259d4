"""What a table shows: cells, rows and columns as plain values."""

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
    hidden: bool = False
    """Whether it is left out at any width; rows have a cell for it all the same."""


def cell_text(cell: str | Cell) -> str:
    """Return the text of a cell."""
    return cell if isinstance(cell, str) else cell.text
