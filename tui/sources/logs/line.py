"""What a log source delivers: lines, and batches of them."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from tui.sources.reading import Number


class Severity(IntEnum):
    """How bad a line calls itself; ordered."""

    NONE = 0
    """The line does not say."""
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4


REARRANGED: Final = -1
"""As `LineKind.begin`: what to show is no end of the line as it was written, and is held in front of it."""
GAP: Final = "opstui: gap in "
"""How a line begins that stands where lines may be missing which the system no longer had."""
OWN: Final = "opstui"
"""Origin of a line of opstui's own that stands where lines are left out: no message goes on across it."""
SEPARATOR: Final = "\x1f"
"""Between the two: cleaned text never holds it."""


@dataclass(frozen=True, slots=True, eq=False)
class LineKind:
    """What many lines have in common. Made by `line_kind` only, so that equal kinds are one object."""

    source: str
    """Name of the log source in the profile."""
    origin: str
    """Where within the source: file name, `pod/container`, `stderr`."""
    level: Severity
    """A line of a stack trace has the level of the line it belongs to."""
    continues: bool
    """Whether it belongs to the line before it: the second and later lines of a stack trace."""
    begin: int
    """Where in the line what to show begins: behind an ISO time; or REARRANGED."""


@functools.cache
def line_kind(source: str, origin: str, level: Severity, continues: bool, begin: int) -> LineKind:
    """Return the one object for this kind of lines."""
    return LineKind(source, origin, level, continues, begin)


class LogLine(NamedTuple):
    """One line. A small tuple with one string: half a million of them may be made in ten seconds, a million held."""

    at: float
    """`time.time()` scale: the line's own time; without one, that of the line before it, or of its arrival."""
    kind: LineKind
    held: str
    """The line, cleaned; when rearranged, what to show before it, and colours behind it, with SEPARATOR between."""

    @property
    def source(self) -> str:
        """Name of the log source in the profile."""
        return self.kind.source

    @property
    def origin(self) -> str:
        """Where within the source: file name, `pod/container`, `stderr`."""
        return self.kind.origin

    @property
    def level(self) -> Severity:
        """A line of a stack trace has the level of the line it belongs to."""
        return self.kind.level

    @property
    def continues(self) -> bool:
        """Whether it belongs to the line before it: the second and later lines of a stack trace."""
        return self.kind.continues

    @property
    def text(self) -> str:
        """What to show beside the time: a JSON line's message, then its other fields; else the line without an ISO
        time at its beginning."""
        begin = self[1].begin
        return self[2][begin:] if begin >= 0 else self[2].partition(SEPARATOR)[0]

    @property
    def raw(self) -> str:
        """The whole line, cleaned."""
        return self[2] if self[1].begin >= 0 else self[2].split(SEPARATOR, 2)[1]

    @property
    def colours(self) -> str:
        """The program's own colours of `text`, as `colours.coloured` writes them; empty for most lines."""
        if self[1].begin >= 0:
            return ""
        parts = self[2].split(SEPARATOR, 2)
        return parts[2] if len(parts) > 2 else ""


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
    gaps: int = 0
    """Places since the start where lines may be missing that the system no longer had; each is a line of its own."""
    counts: tuple[tuple[str, float], ...] = ()
    """Filters of the profile with a threshold, and how many lines each meant within its time; NaN: cannot be told."""
    ended: str = ""
    """When it came to its end, in words: what is piped into opstui does; empty for what goes on."""
    away_since: float | None = None
    """Since when nobody answers who could tell of more lines, `time.time()`; None while somebody does."""
    older_bytes: int = 0
    """What the files that are followed hold before the lines that were shown of them; 0 for what is no file."""

    def numbers(self) -> Iterator[Number]:
        """Return rates, drops, gaps, and what the profile's filters count."""
        yield Number("errors_per_s", self.errors_per_s)
        yield Number("lines_per_s", self.lines_per_s)
        yield Number("dropped", self.dropped)
        yield Number("gaps", self.gaps)
        for name, count in self.counts:
            yield Number(name, count)
