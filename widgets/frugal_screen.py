"""A screen that draws the widgets that changed, and sends the terminal the cells that did."""

from collections.abc import Iterable

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip


class FrugalScreen(Screen[None]):
    """The app's base screen.

    Textual draws a widget's line from its beginning up to the last cell that changed: a clock or one number costs most
    of a line every second. This one begins with the first cell that changed.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 — the name every Textual widget gives it
        super().__init__(id=id)
        self._compositor = _FrugalCompositor()


class _FrugalCompositor(Compositor):
    _changed: frozenset[Region] = frozenset()
    """What the update under way is about; empty: the whole screen."""

    def render_partial_update(self) -> ChopsUpdate | None:
        self._changed = frozenset(self._dirty_regions)
        try:
            update = super().render_partial_update()
        finally:
            self._changed = frozenset()
        return update and _FrugalUpdate(update.chops, update.spans, update.chop_ends)

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        # Textual asks every widget on the screen for its lines, whichever cell has changed.
        if not self._changed:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            if seen and any(seen.overlaps(changed) for changed in self._changed):
                yield region, clip, widget.render_lines(seen.translate(-region.offset))


class _FrugalUpdate(ChopsUpdate):
    def render_segments(self, console: Console) -> str:
        sequences: list[str] = []
        for y, first, last in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                start, stop = max(x, first), min(end, last)
                if strip is not None and start < stop:
                    sequences.append(Control.move_to(start, y).segment.text)
                    sequences.append(strip.crop(start - x, stop - x).render(console))
        return "".join(sequences)
