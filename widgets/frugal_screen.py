"""A screen that sends the terminal the stretches that changed, and nothing to the left of them."""

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.screen import Screen


class FrugalScreen(Screen[None]):
    """The app's base screen.

    Textual draws a widget's line from its beginning up to the last cell that changed: a clock or one number costs most
    of a line every second. This one begins with the first cell that changed.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 — the name every Textual widget gives it
        super().__init__(id=id)
        self._compositor = _FrugalCompositor()


class _FrugalCompositor(Compositor):
    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return update and _FrugalUpdate(update.chops, update.spans, update.chop_ends)


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
