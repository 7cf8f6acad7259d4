"""Lines of logs → messages: a line and those that go on from it in the same file or container. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tui.sources.logs.line import LineKind, LogLine

Message = Sequence[LogLine]
"""A line, and those that go on from it; or only such, where the line itself is not there."""
Stream = tuple[str, str]
MOST_LINES: Final = 10_000
"""Of a message that is gathered to be counted; what it has beyond is not looked at."""


def stream_of(kind: LineKind) -> Stream:
    """Return the file, container or program that wrote lines of a kind: source and origin."""
    return kind.source, kind.origin


def has_several(lines: Iterable[LogLine]) -> bool:
    """Tell whether any line goes on from another."""
    return any(kind.continues for kind in {line[1] for line in lines})


def messages(lines: Iterable[LogLine]) -> Iterator[list[LogLine]]:
    """Yield the messages among lines of one stream."""
    message: list[LogLine] = []
    for line in lines:
        if message and not line[1].continues:
            yield message
            message = []
        message.append(line)
    if message:
        yield message


class Gathering:
    """Gathers messages from lines of several streams as they come."""

    def __init__(self) -> None:
        self._open: dict[Stream, list[LogLine]] = {}

    @property
    def open(self) -> list[Message]:
        """The newest message of each stream, which may go on."""
        return list(self._open.values())

    def take(self, lines: Iterable[LogLine]) -> list[Message]:
        """Return the messages that are over."""
        found: list[Message] = []
        for line in lines:
            kind = line[1]
            stream = kind.source, kind.origin
            message = self._open.get(stream)
            if message is not None and kind.continues:
                if len(message) < MOST_LINES:
                    message.append(line)
                continue
            if message is not None:
                found.append(message)
            self._open[stream] = [line]
        return found


def gathered(lines: Iterable[LogLine]) -> list[Message]:
    """Return the messages among lines of several streams, those that may go on last."""
    gathering = Gathering()
    return [*gathering.take(lines), *gathering.open]
