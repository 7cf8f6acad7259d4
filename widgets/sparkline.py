"""A curve in one line of text, in one colour."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.cell import Tone
from widgets.fitting import plain, width_of
from widgets.table_lines import Piece, to_strip
from widgets.tones import tone_classes, tone_css, tone_styles

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_ASCII: Final = "_.-=+*%#"


def sparkline(
    values: Sequence[float | None],
    width: int,
    *,
    low: float | None = None,
    high: float | None = None,
    ascii: bool = False,  # noqa: A002 - says what it does
) -> str:
    """Return the newest values as `width` characters, the newest at the right.

    More values than room: each character shows the greatest of its share, so that no peak is lost. A gap stands for
    None and for what is not a finite number.

    Args:
        values: oldest first.
        width: in terminal cells.
        low: the value of the lowest block; None: the smallest value.
        high: the value of the highest block; None: the greatest value.
        ascii: for fonts without block characters.
    """
    if width <= 0:
        return ""
    cells = _shares(values, width)
    known = [value for value in cells if value is not None]
    if not known:
        return " " * width
    bottom = min(known) if low is None else low
    top = max(known) if high is None else high
    blocks = _ASCII if ascii else _BLOCKS
    # Halved, because the difference of two huge floats is infinite.
    span = top / 2 - bottom / 2
    drawn = []
    for value in cells:
        if value is None:
            drawn.append(" ")
            continue
        part = (value / 2 - bottom / 2) / span if span > 0 else 0.0
        drawn.append(blocks[max(0, min(len(blocks) - 1, int(part * len(blocks))))])
    return "".join(drawn).rjust(width)


def _shares(values: Sequence[float | None], width: int) -> list[float | None]:
    finite = [value if value is not None and math.isfinite(value) else None for value in values]
    if len(finite) <= width:
        return finite
    bounds = [len(finite) * i // width for i in range(width + 1)]
    shares = [finite[start:end] for start, end in pairwise(bounds)]
    return [max((v for v in share if v is not None), default=None) for share in shares]


class Sparkline(Widget):
    """One line: a label, the curve, the newest value in words."""

    COMPONENT_CLASSES = tone_classes("sparkline")
    DEFAULT_CSS = "Sparkline { height: 1; }\n" + tone_css("Sparkline", "sparkline")

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name for it
        low: float | None = None,
        high: float | None = None,
        ascii: bool = False,  # noqa: A002 - as in `sparkline`
    ) -> None:
        super().__init__(id=id)
        self._low = low
        self._high = high
        self._is_ascii = ascii
        self._shown: tuple[tuple[float | None, ...], str, str, Tone] = ((), "", "", "")

    def show(
        self,
        values: Sequence[float | None],
        *,
        label: str = "",
        text: str = "",
        tone: Tone = "",
        high: float | None = None,
    ) -> None:
        """Show a curve between a label and words, from now on up to `high` if one is given; the same costs nothing."""
        self._high = self._high if high is None else high
        if (shown := (tuple(values), label, text, tone)) != self._shown:
            self._shown = shown
            self.refresh()

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the width there is: the curve fills it."""
        return container.width

    def render_line(self, y: int) -> Strip:
        """Return the line."""
        values, label, text, tone = self._shown
        before = f"{plain(label)} " if label else ""
        after = f" {plain(text)}" if text else ""
        width = self.size.width
        room = max(0, width - width_of(before) - width_of(after))
        curve = sparkline(values, room, low=self._low, high=self._high, ascii=self._is_ascii)
        styles = tone_styles(self, "sparkline")
        line = [
            Piece(0, before, width_of(before), styles[""]),
            Piece(width_of(before), curve, room, styles["accent"]),
            Piece(width_of(before) + room, after, width_of(after), styles[tone]),
        ]
        return to_strip(line, 0, width)
