"""Older lines of the Logs tab: read from the files backwards, as far as they pass the filters, while keys work on."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from tui.panes.log_spooled import SpooledLines
from tui.sources.logs.line import OWN, LogLine, Severity, line_kind
from tui.sources.logs.past import Past, Reading
from tui.sources.logs.sieve import sieve_of
from tui.sources.logs.stack import Stack
from widgets.log_view import LogView

_BATCH: Final = 2_000
_TURN_S: Final = 0.005
_WAIT_S: Final = 0.1


class Older:
    """Reads what the files held before the lines that the view has, until it is told to stop or there is no more."""

    def __init__(self, view: LogView, held: SpooledLines) -> None:
        self._view = view
        self._held = held
        self._reading: Reading | None = None
        self._edge = 0
        """The number of the first line that was not read by this."""

    @property
    def is_reading(self) -> bool:
        """Whether lines are being read."""
        return self._reading is not None

    @property
    def words(self) -> str:
        """How far it is, in words; empty when nothing is read."""
        return f"reading older, {_size(self._reading.left_bytes)} to go" if self._reading is not None else ""

    def stop(self) -> None:
        """Read no further."""
        if self._reading is not None:
            self._reading.stop()

    async def read(self, pasts: Iterable[Past], stack: Stack, tell: Callable[[str], None]) -> None:
        """Read until there is no more, the memory is full, or somebody stops it, and tell how it ended."""
        # What was read with other filters is read anew: it may lack lines that pass these.
        self._view.forget_before(self._edge)
        self._edge = self._view.first_number
        passes, before = stack.judge(), self._view.line_count
        reading = self._reading = Reading(list(pasts), passes, sieve_of(stack))
        if passes is not None:
            self._view.extend_front([_boundary(self._view)])
        ended = "that is all the files hold"
        try:
            while not reading.is_over:
                lines = reading.take(min(_BATCH, self._held.room))
                self._view.extend_front(lines)
                if not self._held.room:
                    ended = "the memory for lines is full; narrow the filters"
                    break
                await asyncio.sleep(_TURN_S if lines else _WAIT_S)
        finally:
            reading.stop()
            self._reading = None
        found = self._view.line_count - before
        tell("; ".join([f"{found:,} older lines: {ended}", *reading.problems[:1]]))


def _boundary(view: LogView) -> LogLine:
    _, first = view.held(view.first_number, 1)
    at = first[0].at if first else 0.0
    text = "opstui: older lines above were read through filters, the others are not here; < reads anew"
    source = first[0].source if first else ""
    return LogLine(at, line_kind(source, OWN, Severity.WARN, False, 0), text)


def _size(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
