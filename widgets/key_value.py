"""Labels and values in columns, for the head of a page."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from widgets.cell import Cell, cell_text
from widgets.fitting import fit, plain, width_of
from widgets.table_lines import Line, Piece, to_strip
from widgets.tones import tone_classes, tone_css, tone_styles

_GAP = 1
_MIN_VALUE = 12

Pairs = Sequence[tuple[str, str | Cell]]


class Facts(Widget):
    """Pairs of label and value, filling columns over the width, top to bottom."""

    COMPONENT_CLASSES: ClassVar[set[str]] = tone_classes("facts")
    DEFAULT_CSS = "Facts { height: auto; }\n" + tone_css("Facts", "facts")

    def __init__(
        self,
        pairs: Pairs = (),
        *,
        value_width: int | None = None,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        """Show `pairs`.

        Args:
            pairs: labels and values.
            value_width: cells kept for a value, so that the columns stay where they are when values grow; a longer
                value is cut. None: as many as the longest value takes.
            id: the widget's.
        """
        super().__init__(id=id)
        self._pairs = tuple(pairs)
        self._value_width = value_width
        self._looks: dict[str, Style] = {}

    @property
    def pairs(self) -> Pairs:
        """What is shown."""
        return self._pairs

    def show(self, pairs: Pairs, *, value_width: int | None = None) -> None:
        """Show other pairs, and keep another width for their values if one is given; the same again cost nothing."""
        if value_width is not None and value_width != self._value_width:
            self._value_width = value_width
            self.refresh(layout=True)
        if (new := tuple(pairs)) != self._pairs:
            needs_room = self._columns(new) != self._columns(self._pairs)
            needs_room |= len(new) != len(self._pairs) or [p[0] for p in new] != [p[0] for p in self._pairs]
            changed = [index for index, (a, b) in enumerate(zip(new, self._pairs, strict=False)) if a != b]
            self._pairs = new
            if needs_room:
                self.refresh(layout=True)
            else:
                self.refresh(*(self._region(index) for index in changed))

    def _columns(self, pairs: Pairs, width: int | None = None) -> int:
        return columns_for(pairs, self.size.width if width is None else width, self._value_width)

    def _region(self, index: int) -> Region:
        columns = self._columns(self._pairs)
        column, y = divmod(index, -(-len(self._pairs) // columns))
        x, end = self.size.width * column // columns, self.size.width * (column + 1) // columns
        return Region(x, y, end - x, 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the lines needed at `width`."""
        return -(-len(self._pairs) // self._columns(self._pairs, width)) if self._pairs else 0

    def notify_style_update(self) -> None:
        """Look styles up again after a theme or CSS change."""
        super().notify_style_update()
        self._looks = {}

    def on_resize(self, event: events.Resize) -> None:
        """Spread over the new width."""
        self.refresh(layout=True)

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        self._looks = self._looks or tone_styles(self, "facts")
        width = self.size.width
        columns = self._columns(self._pairs)
        height = max(1, -(-len(self._pairs) // columns))
        label_width = max((width_of(label) for label, _ in self._pairs), default=0)
        line: Line = []
        for column in range(columns):
            x, end = width * column // columns, width * (column + 1) // columns
            index = column * height + y
            label, value = self._pairs[index] if index < len(self._pairs) and y < height else ("", "")
            label_room = min(label_width + 1, end - x)
            line.append(Piece(x, fit(label, label_room), label_room, self._looks["dim"]))
            room = end - x - label_room
            shown = fit(plain(cell_text(value)), max(0, room - _GAP)) + " " * min(_GAP, room)
            tone = value.tone if isinstance(value, Cell) else ""
            line.append(Piece(x + label_room, shown, room, self._looks[tone]))
        return to_strip(line, 0, width)


def columns_for(pairs: Pairs, width: int, value_width: int | None = None) -> int:
    """Return how many columns of `pairs` fit into `width` cells; at least 1.

    No value is cut, unless `value_width` says how much room each has.
    """
    if not pairs or width <= 0:
        return 1
    label = max(width_of(label) for label, _ in pairs) + 1
    longest = max(width_of(plain(cell_text(value))) for _, value in pairs)
    value = max(_MIN_VALUE, longest) if value_width is None else value_width
    return max(1, min(len(pairs), width // (label + value + _GAP)))
