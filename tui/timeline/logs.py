"""Bursts of errors in a log: how many in ten seconds, with the first of them as an example; never each line."""

from collections.abc import Iterator
from typing import Final

from tui.rules import Level
from tui.sources.logs.line import GAP, LogBatch, LogLine, Severity
from tui.sources.masking import without_secrets
from tui.timeline.entry import Entry, around, identity, sentence
from tui.timeline.standing import Condition

BURST: Final = "burst"
WINDOW_S: Final = 10.0
_FEWEST: Final = 5
"""Errors in a window below which nothing is a burst."""
_TIMES_USUAL: Final = 4.0
_LEARNING: Final = 0.1
"""How much of what is usual one window changes."""
_SETTLE_S: Final = 30.0
_EXAMPLE: Final = 140


class Bursts:
    """Counts one log's errors by windows, and knows how many are usual."""

    def __init__(self) -> None:
        self._window = 0.0
        self._count = 0
        self._total = 0
        self._usual = 0.0
        self._example: LogLine | None = None
        self._is_burst = False

    def take(self, batch: LogBatch, now: float) -> Condition | None:
        """Count a batch and return the burst under way; None when there is none."""
        if now - self._window >= WINDOW_S:
            self._turn(now)
        # Rates leave out what was in the log before opstui looked: so is its end not taken for a burst.
        if batch.errors_per_s > 0:
            for line in batch.lines:
                if line[1].level is Severity.ERROR and not line[1].continues:
                    self._count += 1
                    self._total += 1
                    self._example = self._example or line
        if self._count >= max(_FEWEST, _TIMES_USUAL * self._usual):
            self._is_burst = True
        return self._burst(batch.name) if self._is_burst else None

    def _turn(self, now: float) -> None:
        self._is_burst = self._count >= max(_FEWEST, _TIMES_USUAL * self._usual)
        if not self._is_burst:
            # What a burst brings must not become usual while it lasts.
            self._usual += _LEARNING * (self._count - self._usual)
            self._example, self._total = None, 0
        self._window, self._count = now, 0

    def _burst(self, log: str) -> Condition | None:
        if self._example is None:
            return None
        line = self._example
        where = f" of {line.origin}" if line.origin else ""
        example = without_secrets(line.text)[:_EXAMPLE]
        text = f"{self._count} errors in {WINDOW_S:g} s; the first{where}: {example}"
        return Condition(
            BURST, "errors", sentence(text), f"the errors are over, {self._total:,} in all", Level.WARN, log,
            since=line.at, weight=self._count, settle_s=_SETTLE_S,
        )  # fmt: skip


def entries(source: str, before: LogBatch | None, after: LogBatch, now: float) -> Iterator[Entry]:
    """Yield that lines came faster than they could be taken, and that some may be missing."""
    lost = after.dropped - (before.dropped if before is not None else 0)
    if lost > 0:
        text = f"{lost:,} lines came too fast and were let go"
        occurrence = identity(source, "dropped", around(now))
        yield Entry(occurrence, now, source, "dropped", text, Level.WARN, after.name, fold="dropped", count=lost)
    if after.gaps > (before.gaps if before is not None else 0):
        for line in after.lines:
            if line.text.startswith(GAP):
                occurrence = identity(source, "gap", around(line.at))
                text = line.text.removeprefix("opstui: ")
                yield Entry(occurrence, line.at, source, "gap", text, Level.WARN, after.name, fold="gap")
