"""How many messages of late a filter of the profile means: the number that its rule judges."""

import math
import threading
import time
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Final

from profiles.logs import LogFilter
from tui.sources.logs.judge import Judge
from tui.sources.logs.line import LogLine
from tui.sources.logs.messages import Message, Stream, has_several, messages, stream_of
from tui.sources.logs.stack import Stack, new_filter
from tui.sources.logs.tally import Window

_MOST_STREAMS: Final = 500


def stack_of(entry: LogFilter, now: float) -> Stack:
    """Return a filter of the profile as filters one upon the other."""
    shown = [new_filter(typed, now) for typed in entry.show]
    hidden = [new_filter(typed, now, excludes=True) for typed in entry.hide]
    return Stack((*shown, *hidden))


class _Newest:
    """The newest message of a stream, whose later lines may change what was counted."""

    __slots__ = ("counted_at", "line", "marks")

    def __init__(self, line: LogLine, counted_at: float | None) -> None:
        self.line = line
        self.counted_at = counted_at
        """None: it is not meant, as far as its lines have come."""
        self.marks: int | None = None
        """What its lines show; None: not asked, as most have no second line."""


class Watch:
    """Counts the messages that one filter means."""

    def __init__(self, name: str, entry: LogFilter) -> None:
        self.name = name
        self._stack = stack_of(entry, time.time())
        self._judge = self._stack.judge() or Judge(lambda line: True, ())
        self._window = Window(entry.within)
        self._newest: dict[Stream, _Newest] = {}
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

    def take(self, lines: Sequence[LogLine]) -> None:
        """Count lines of one stream that have come now."""
        if self._unread or not lines:
            return
        now, stream = time.monotonic(), stream_of(lines[0][1])
        if not has_several(lines):
            passing = sum(map(self._judge.alone, lines[:-1]))
            counted = self._judge.alone(lines[-1])
            self._count(passing + counted, now)
            self._newest[stream] = _Newest(lines[-1], now if counted else None)
            if len(self._newest) > _MOST_STREAMS:
                del self._newest[next(iter(self._newest))]
            return
        for message in messages(lines):
            if message[0][1].continues:
                # What goes on with a line from before the start was no news either.
                if (newest := self._newest.get(stream)) is not None:
                    self._go_on(newest, message, now)
                continue
            counted = self._judge.of_message(message)
            self._count(int(counted), now)
            begun = self._newest[stream] = _Newest(message[0], now if counted else None)
            begun.marks = self._marks(message, 0)

    def _go_on(self, newest: _Newest, more: Message, now: float) -> None:
        before = self._marks([newest.line], 0) if newest.marks is None else newest.marks
        newest.marks = self._marks(more, before)
        if (is_meant := self._judge.passes(newest.marks)) is (newest.counted_at is not None):
            return
        if newest.counted_at is not None:
            with self._lock:
                self._window.take_back(newest.counted_at)
        self._count(int(is_meant), now)
        newest.counted_at = now if is_meant else None

    def _marks(self, message: Message, before: int) -> int:
        return reduce(lambda marks, line: self._judge.marks(line, marks), message, before)

    def _count(self, count: int, now: float) -> None:
        with self._lock:
            self._window.add(count, now)

    def count(self) -> float:
        """Return how many messages there were within its time; NaN where that cannot be told."""
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
