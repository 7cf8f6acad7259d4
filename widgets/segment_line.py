"""One line of short pieces of text; on a narrow screen the least important are left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment as Piece
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from widgets.cell import Tone
from widgets.tones import BOLD, REVERSE, tone_classes, tone_css, tone_styles


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of the line."""

    text: str
    """Plain text, never markup."""
    tone: Tone = ""
    short: str = ""
    """What stands in its place when the whole line does not fit; empty: nothing shorter."""
    priority: int = 0
    """The greatest are left out first; 0 never."""
    reverse: bool = False
    """Stands out without any colour."""
    right: bool = False
    """Belongs to the right end of the line."""


Drawn = tuple[str, Style | None]
"""What stands in one cell; no text in the second cell of a wide character."""

_BRIDGE: Final = 12
"""Unchanged cells drawn again between two changed stretches: moving the cursor and setting colours costs more."""


class SegmentLine(Widget):
    """A one-line widget that draws only when its segments changed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = tone_classes("segments")
    DEFAULT_CSS = "SegmentLine { height: 1; width: 1fr; }" + tone_css("SegmentLine", "segments")

    def __init__(self, *, separator: str = " ", id: str | None = None) -> None:  # noqa: A002 — Textual's own name
        super().__init__(id=id)
        self._separator = separator
        self._segments: tuple[Segment, ...] = ()
        self._looks: dict[str, Style] = {}
        self._drawn: Strip | None = None

    def show(self, segments: Sequence[Segment]) -> None:
        """Draw these segments, left to right, then those that belong to the right end."""
        if (new := tuple(segment for segment in segments if segment.text)) != self._segments:
            self._segments = new
            self._redraw()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What it was given to show."""
        return self._segments

    @property
    def text(self) -> str:
        """What the line shows now at its present width."""
        return self._strip().text

    @property
    def words(self) -> str:
        """What it would show on a screen that is wide enough."""
        return (self._separator or "  ").join(segment.text.strip() for segment in self._segments)

    def notify_style_update(self) -> None:
        """Look styles up again after a theme or CSS change."""
        super().notify_style_update()
        self._looks, self._drawn = {}, None

    def render_line(self, y: int) -> Strip:
        """Draw the line; `y` is always 0."""
        self._drawn = self._strip()
        return self._drawn

    def _redraw(self) -> None:
        """Refresh the stretches that look different from what was drawn: a clock must not cost its whole line."""
        width = self.size.width
        if self._drawn is None or self._drawn.cell_length != width:
            self.refresh(Region(0, 0, max(1, width), 1))
        elif spans := changed_spans(_cells(self._drawn), _cells(self._strip())):
            self.refresh(*(Region(x, 0, length, 1) for x, length in spans))

    def _strip(self) -> Strip:
        width = self.size.width
        left, right = self._fitting(width)
        pieces = self._pieces(left)
        tail = self._pieces(right)
        gap = width - sum(piece.cell_length for piece in pieces) - sum(piece.cell_length for piece in tail)
        strip = Strip([*pieces, Piece(" " * max(0, gap), Style()), *tail])
        return strip.crop(0, width).apply_style(self.rich_style)

    def _fitting(self, width: int) -> tuple[list[Segment], list[Segment]]:
        kept = list(self._segments)
        if self._length(kept) > width:
            kept = [replace(segment, text=segment.short or segment.text) for segment in kept]
        while kept and self._length(kept) > width:
            droppable = [segment for segment in kept if segment.priority]
            if not droppable:
                break
            worst = max(segment.priority for segment in droppable)
            # Of several equals the last goes first: what stands left is what people look for.
            del kept[max(index for index, segment in enumerate(kept) if segment.priority == worst)]
        return [s for s in kept if not s.right], [s for s in kept if s.right]

    def _length(self, segments: Sequence[Segment]) -> int:
        return sum(cell_len(s.text) for s in segments) + cell_len(self._separator) * max(0, len(segments) - 1)

    def _pieces(self, segments: Sequence[Segment]) -> list[Piece]:
        pieces: list[Piece] = []
        styles = self._looks = self._looks or tone_styles(self, "segments")
        for segment in segments:
            if pieces:
                pieces.append(Piece(self._separator, Style()))
            style = styles[segment.tone]
            pieces.append(Piece(segment.text, style + REVERSE + BOLD if segment.reverse else style))
        return pieces


def changed_spans(old: Sequence[Drawn], new: Sequence[Drawn]) -> list[tuple[int, int]]:
    """Return (first cell, width) of each stretch in which two lines of the same width look different."""
    spans: list[tuple[int, int]] = []
    for x, (before, now) in enumerate(zip(old, new, strict=False)):
        if before == now:
            continue
        if spans and x - sum(spans[-1]) <= _BRIDGE:
            spans[-1] = (spans[-1][0], x + 1 - spans[-1][0])
        else:
            spans.append((x, 1))
    # Never begin or end within a wide character: half of one cannot be drawn.
    return [_whole(start, width, old, new) for start, width in spans]


def _whole(start: int, width: int, old: Sequence[Drawn], new: Sequence[Drawn]) -> tuple[int, int]:
    end = start + width
    while start > 0 and not (old[start][0] and new[start][0]):
        start -= 1
    while end < len(new) and not (old[end][0] and new[end][0]):
        end += 1
    return start, end - start


def _cells(strip: Strip) -> list[Drawn]:
    cells: list[Drawn] = []
    for text, style, _ in strip:
        for character in text:
            width = cell_len(character)
            if width:
                cells.append((character, style))
                cells += [("", style)] * (width - 1)
            elif cells:  # a mark upon the character before it
                cells[-1] = (cells[-1][0] + character, style)
    return cells
