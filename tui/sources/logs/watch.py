"""How many lines of late a filter of the profile means: the number that its rule judges."""

import math
import threading
import time
from collections.abc import Iterable, Mapping

from profiles.schema import LogFilter
from tui.sources.logs.line import LogLine
from tui.sources.logs.stack import Stack, new_filter
from tui.sources.logs.tally import Window


def stack_of(entry: LogFilter, now: float) -> Stack:
    """Return a filter of the profile as filters one upon the other."""
    shown = [new_filter(typed, now) for typed in entry.show]
    hidden = [new_filter(typed, now, excludes=True) for typed in entry.hide]
    return Stack((*shown, *hidden))


class Watch:
    """Counts the lines that one filter means."""

    def __init__(self, name: str, entry: LogFilter) -> None:
        self.name = name
        self._stack = stack_of(entry, time.time())
        self._predicate = self._stack.predicate() or (lambda line: True)
        self._window = Window(entry.within)
        self._lock = threading.Lock()
        unread = next((one for one in self._stack.filters if one.query.error), None)
        self._unread = f"filter {name}: {unread.query.error}" if unread else ""

    @property
    def problem(self) -> str:
        """Why it counts nothing, in words; empty while it does."""
        if self._unread:
            return self._unread
        spent = self._stack.spent
        return f"filter {self.name}: {spent[0].typed} takes too long and is not counted" if spent else ""

    def take(self, lines: Iterable[LogLine]) -> None:
        """Count lines that have come now; the later lines of a stack trace belong to the first."""
        if not self._unread:
            passes = self._predicate
            count = sum(1 for line in lines if not line[1].continues and passes(line))
            with self._lock:
                self._window.add(count, time.monotonic())

    def count(self) -> float:
        """Return how many lines there were within its time; NaN where that cannot be told."""
        if self.problem:
            return math.nan
        with self._lock:
            return float(self._window.count(time.monotonic()))


def watches_of(log: str, filters: Mapping[str, LogFilter]) -> tuple[Watch, ...]:
    """Return what counts lines of a log: one for each filter of the profile with a threshold."""
    return tuple(
        Watch(name, entry)
        for name, entry in filters.items()
        if entry.rule is not None and (not entry.logs or log in entry.logs)
    )
