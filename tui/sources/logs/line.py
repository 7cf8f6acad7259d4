"""What a log source delivers: lines, and batches of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from tui.sources.reading import Number


class Severity(IntEnum):
    """How bad a line calls itself; ordered."""

    NONE = 0
    """The line does not say."""
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4


class LogLine(NamedTuple):
    """One line. A plain tuple: half a million of them may be made in ten seconds."""

    at: float
    """`time.time()` scale: the line's own time; without one, that of the line before it, or of its arrival."""
    source: str
    """Name of the log source in the profile."""
    origin: str
    """Where within the source: file name, `pod/container`, `stderr`."""
    level: Severity
    """A line of a stack trace has the level of the line it belongs to."""
    text: str
    """What to show beside the time, cleaned: a JSON line's message, then its other fields; else the line without an
    ISO time at its beginning."""
    raw: str
    """The whole line, cleaned; the same object as `text` when nothing was rearranged."""
    continues: bool = False
    """Whether it belongs to the line before it: the second and later lines of a stack trace."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """The lines since the last read, and how the source is doing."""

    name: str
    """Name of the log source in the profile."""
    lines: tuple[LogLine, ...]
    received: int
    """Lines since the start, the dropped ones included."""
    dropped: int
    """Lines since the start that came faster than they could be taken and were let go."""
    bytes: int
    """Bytes read since the start."""
    lines_per_s: float
    """Over the last 10 s, without what was in the log before the start."""
    errors_per_s: float
    """Lines of level error or worse; over the last 10 s."""
    following: tuple[str, ...]
    """Files, pods or the program being followed now."""
    problems: tuple[str, ...]
    """What is wrong with parts of it: `waiting for /var/log/x.log to appear`."""

    def numbers(self) -> Iterator[Number]:
        """Return rates and drops."""
        yield Number("errors_per_s", self.errors_per_s)
        yield Number("lines_per_s", self.lines_per_s)
        yield Number("dropped", self.dropped)
