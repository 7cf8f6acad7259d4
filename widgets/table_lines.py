"""Draws the lines of a table as pieces, so that two pictures of a line can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from widgets.cell import Cell, Column, Row
from widgets.column_layout import Place, arrange
from widgets.fitting import fit, fit_both_ends
from widgets.tones import BOLD, DIM, REVERSE

_BRIDGE: Final = 12
"""Unchanged cells drawn again between two changed stretches: moving the cursor and setting colours costs more."""

GUTTER: Final = 2
"""Cells left of the first column: the cursor's sign and the mark's."""


class Piece(NamedTuple):
    """What one stretch of a line shows."""

    x: int
    text: str
    width: int
    """In terminal cells."""
    style: Style


Line = list[Piece]


@dataclass(slots=True)
class TableLines:
    """Everything that decides how a line looks except the row itself."""

    columns: tuple[Column, ...]
    places: tuple[Place, ...] = ()
    width: int = 0
    """In cells; more than the screen's where columns that are never dropped do not fit."""
    styles: dict[str, Style] = field(default_factory=dict)
    """By tone; `header` beside."""
    is_stale: bool = False
    has_focus: bool = False

    def arrange(self, width: int) -> None:
        """Place the columns in `width` cells."""
        self.places = arrange(self.columns, width, start=GUTTER)
        last = self.places[-1] if self.places else Place(0, GUTTER, 0)
        self.width = max(width, last.x + last.width)

    def header(self, sort_column: int | None, *, reverse: bool) -> Line:
        """Return the header; an arrow stands at the column sorted by."""
        style = self.styles["header"]
        line = [Piece(0, " " * GUTTER, GUTTER, style)]
        for place, room in self._rooms():
            column = self.columns[place.column]
            title = column.title
            if place.column == sort_column:
                arrow = "▼" if reverse else "▲"
                title = fit(title, min(len(title), place.width - 1)) + arrow
            line.append(self._piece(place, room, title, style))
        return line

    def row(self, row: Row, *, is_cursor: bool, is_marked: bool) -> Line:
        """Return a row's line."""
        row = row.made()
        base = self._style(row.tone, is_cursor)
        sign = (">" if is_cursor else " ") + ("*" if is_marked else " ")
        line = [Piece(0, sign, GUTTER, base)]
        cells, base_tone = row.cells, row.tone
        for place, room in self._rooms():
            cell = cells[place.column] if place.column < len(cells) else ""
            if isinstance(cell, Cell):
                style = base if not cell.tone or cell.tone == base_tone else self._style(cell.tone, is_cursor)
                line.append(self._piece(place, room, cell.text, style))
            else:
                line.append(self._piece(place, room, cell, base))
        return line

    def words(self, text: str) -> Line:
        """Return a dim line across the columns; an empty line for no text."""
        return [Piece(0, fit(" " * GUTTER + text if text else "", self.width), self.width, self.styles["dim"])]

    def _rooms(self) -> list[tuple[Place, int]]:
        """Return each place with the cells to the next column."""
        ends = [place.x for place in self.places[1:]] + [self.width]
        return [(place, end - place.x) for place, end in zip(self.places, ends, strict=False)]

    def _piece(self, place: Place, room: int, text: str, style: Style) -> Piece:
        column = self.columns[place.column]
        fitted = fit_both_ends(text, place.width) if column.keeps_end else fit(text, place.width, column.align)
        return Piece(place.x, fitted + " " * (room - place.width), room, style)

    def _style(self, tone: str, is_cursor: bool) -> Style:
        style = self.styles["dim"] + DIM if self.is_stale else self.styles[tone]
        if is_cursor:
            style += REVERSE if self.has_focus else BOLD
        return style


def to_strip(line: Line, start: int, width: int) -> Strip:
    """Return the `width` cells of a line from cell `start` on."""
    segments: list[Segment] = []
    text, style = "", None
    for piece in line:
        # One segment per run of a style: every segment costs an escape sequence.
        if piece.style is style or piece.style == style:
            text += piece.text
            continue
        if text:
            segments.append(Segment(text, style))
        text, style = piece.text, piece.style
    segments.append(Segment(text, style))
    return Strip(segments, sum(piece.width for piece in line)).crop_extend(start, start + width, style)


def differences(old: Line | None, new: Line) -> Sequence[tuple[int, int]] | None:
    """Return (first cell, width) of each stretch that looks different; None when the whole line must be drawn."""
    if old is None or len(old) != len(new):
        return None
    spans: list[tuple[int, int]] = []
    for before, now in zip(old, new, strict=True):
        if before == now:
            continue
        if before.x != now.x or before.width != now.width:
            return None
        if spans and now.x - sum(spans[-1]) <= _BRIDGE:
            spans[-1] = (spans[-1][0], now.x + now.width - spans[-1][0])
        else:
            spans.append((now.x, now.width))
    return spans
