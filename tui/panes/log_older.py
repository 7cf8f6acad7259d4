"""Older lines of the Logs tab: read from the files backwards, as far as they pass the filters, while keys work on."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Final

from tui.panes.log_merging import in_order, places
from tui.panes.log_spooled import SpooledLines
from tui.sources.logs.line import OWN, LogLine, Severity, line_kind
from tui.sources.logs.past import Past, Reading
from tui.sources.logs.sieve import sieve_of
from tui.sources.logs.stack import Stack
from widgets.log_view import LogView

_BATCH: Final = 2_000
_MOST_AMONG: Final = 5_000
"""Lines that are held which may be put between those read."""
_TURN_S: Final = 0.005
_WAIT_S: Final = 0.1


class Older:
    """Reads what the files held before the lines that the view has, until it is told to stop or there is no more."""

    def __init__(self, view: LogView, held: SpooledLines) -> None:
        self._view = view
        self._held = held
        self._reading: Reading | None = None
        self._edge = 0
        """The number of the first line that has only lines before it which were read by this, or are kept in `_own`."""
        self._own: list[LogLine] = []
        """The lines before the edge that were not read by this, the oldest first."""
        self._through: Stack | None = None
        """The filters through which everything was read; None: not everything was."""
        self._is_deep = False
        """Whether rotated and packed generations were read too."""
        self._left_bytes: int | None = None
        """What was left when reading ended; None: it never began."""

    @property
    def has_read(self) -> bool:
        """Whether anything was read, or is being read."""
        return self._reading is not None or self._left_bytes is not None

    @property
    def is_reading(self) -> bool:
        """Whether lines are being read."""
        return self._reading is not None

    def words(self, stack: Stack, older_bytes: int) -> str:
        """Return how far it is, or what of the files is not among the lines, in words; empty when nothing is missing.

        Args:
            stack: the filters now.
            older_bytes: what the files held before the lines that were shown at first.
        """
        if self._reading is not None:
            return f"reading older, {_size(self._reading.left_bytes)} to go"
        if self._through is not None:
            return "" if stack.is_within(self._through) else "older lines only in part: <"
        left = older_bytes if self._left_bytes is None else self._left_bytes
        return f"{_size(left)} older: <" if left else ""

    def hint(self, words: str) -> str:
        """Return what to say beside "no line passes", given `words`: where others may be found."""
        if words.endswith(" older: <"):
            return f"< searches {words.removesuffix(': <')} in the files"
        return words or ("" if self._is_deep else "< searches rotated and packed files")

    def stop(self) -> None:
        """Read no further."""
        if self._reading is not None:
            self._reading.stop()

    async def read(self, pasts: Sequence[Past], stack: Stack, tell: Callable[[str], None]) -> None:
        """Read until there is no more, the memory is full, or somebody stops it, and tell how it ended."""
        self._is_deep = all(past.is_deep for past in pasts)
        # What was read with other filters is read anew: it may lack lines that pass these.
        self._view.forget_before(self._edge)
        self._view.extend_front(self._own)
        self._edge, self._own, self._through = self._view.first_number, [], None
        passes, found = stack.judge(), 0
        reading = self._reading = Reading(pasts, passes, sieve_of(stack))
        if passes is not None:
            self._view.extend_front([_boundary(self._view)])
        ended = "that is all the files hold"
        is_whole = True
        try:
            while not reading.is_over:
                lines = reading.take(min(_BATCH, self._held.room))
                self._put(lines)
                found += len(lines)
                if not self._held.room:
                    ended, is_whole = "the memory for lines is full; narrow the filters", False
                    break
                await asyncio.sleep(_TURN_S if lines else _WAIT_S)
            if reading.is_stopped:
                ended, is_whole = "stopped", False
        finally:
            self._left_bytes = reading.left_bytes
            reading.stop()
            self._reading = None
        self._through = stack if is_whole else None
        tell("; ".join([f"{found:,} older lines: {ended}", *reading.problems[:1]]))

    def _put(self, lines: Sequence[LogLine]) -> None:
        """Put lines where their times belong: what another log showed at first may be older."""
        if not lines:
            return
        front: list[LogLine] = []
        first = self._view.first_number
        _, oldest = self._view.held(first, 1)
        if oldest and oldest[0].at < lines[-1].at:
            _, oldest = self._view.held(first, _MOST_AMONG)
            front = list(takewhile(lambda line: line.at < lines[-1].at, oldest))
        if not front:
            self._view.extend_front(lines)
            return
        merged = in_order(lines, front)
        self._view.replace_front(merged, places(front, merged))
        self._own += front[max(0, self._edge - first) :]
        self._edge = max(self._edge, first + len(front))


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
