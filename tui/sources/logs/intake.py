"""Where followers put lines and `read` takes them: bounded, counted, safe between threads."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from tui.sources.logs.line import GAP, LogLine, Severity, line_kind
from tui.sources.logs.parse import LineParser
from tui.sources.logs.watch import Watch

CAPACITY: Final = 20_000
"""Lines that wait for the next read."""
WINDOW_S: Final = 10
"""Seconds that rates are taken over."""
_SLICE: Final = 150
"""Lines parsed before other threads get their turn: about a millisecond."""

_TURN: Final = threading.Lock()
"""Held by the one thread that parses lines."""


class Intake:
    """Lines on their way from followers to the next read."""

    def __init__(
        self,
        wake: Callable[[], None] = lambda: None,
        *,
        capacity: int = CAPACITY,
        shown: Callable[[str], str] | None = None,
        watches: Sequence[Watch] = (),
    ) -> None:
        self._wake = wake
        self._watches = watches
        self._shown = shown
        self._capacity = capacity
        self._lock = threading.Lock()
        self._waiting: deque[LogLine] = deque()
        self._seconds: deque[tuple[int, int, int]] = deque(maxlen=WINDOW_S + 2)
        """(second of the monotonic clock, lines, errors), oldest first."""
        self._started = time.monotonic()
        self.received = 0
        self.dropped = 0
        self.gaps = 0
        self.bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether no more lines should come before the next read."""
        return len(self._waiting) >= self._capacity

    def parse(
        self, parser: LineParser, lines: Sequence[str], size: int, *, is_backlog: bool = False, pause_s: float = 0.0
    ) -> None:
        """Parse and put `lines` that took `size` bytes.

        Lines of a backlog (written before opstui looked) count in no rate. Between slices the thread sleeps for
        `pause_s`, so that a flood never keeps the screen from its turn; 0 when the caller has its own way.
        """
        for start in range(0, len(lines), _SLICE):
            part = lines[start : start + _SLICE]
            if not pause_s:
                self._parse(parser, part, is_backlog=is_backlog)
                continue
            # One thread at a time, and after each slice none: so what draws the screen never waits for all in turn.
            with _TURN:
                self._parse(parser, part, is_backlog=is_backlog)
                time.sleep(pause_s)
        with self._lock:
            self.bytes += size

    def drop(self, count: int, size: int) -> None:
        """Count lines that were let go unread."""
        with self._lock:
            self.dropped += count
            self.received += count
            self.bytes += size
        self._wake()

    def gap(self, source: str, origin: str, words: str, at: float | None = None) -> None:
        """Put a line that says what may be missing here: lines that the system no longer has, so nobody can count them.

        `at` is when it ended, `time.time()`; None: now.
        """
        text = f"{GAP}{origin}: {words}"
        line = LogLine(time.time() if at is None else at, line_kind(source, origin, Severity.WARN, False, 0), text)
        with self._lock:
            self.gaps += 1
            self._waiting.append(line)
        self._wake()

    def take(self) -> tuple[LogLine, ...]:
        """Return and forget everything that waits."""
        with self._lock:
            lines = tuple(self._waiting)
            self._waiting.clear()
        return lines

    def rates(self) -> tuple[float, float]:
        """Return lines and errors per second over the window, or since the start when that is shorter."""
        now = time.monotonic()
        span = min(WINDOW_S, max(1.0, now - self._started))
        with self._lock:
            recent = [(lines, errors) for second, lines, errors in self._seconds if second > now - WINDOW_S - 1]
        return sum(lines for lines, _ in recent) / span, sum(errors for _, errors in recent) / span

    def _parse(self, parser: LineParser, lines: Sequence[str], *, is_backlog: bool) -> None:
        errors = parser.errors
        parsed = parser.parse_all([self._shown(line) for line in lines] if self._shown else lines, time.time())
        self._add(parsed, parser.errors - errors, is_backlog)

    def _add(self, lines: list[LogLine], errors: int, is_backlog: bool) -> None:
        second = int(time.monotonic())
        if not is_backlog:
            for watch in self._watches:
                watch.take(lines)
        with self._lock:
            self.received += len(lines)
            self._waiting.extend(lines)
            while len(self._waiting) > 2 * self._capacity:  # a burst within one chunk; followers stop at one capacity
                self._waiting.popleft()
                self.dropped += 1
            if not is_backlog:
                if self._seconds and self._seconds[-1][0] == second:
                    _, before, bad = self._seconds.pop()
                    self._seconds.append((second, before + len(lines), bad + errors))
                else:
                    self._seconds.append((second, len(lines), errors))
        self._wake()
