"""Where messages begin in the bytes of a log, told without parsing: only what certainly begins one is told.

What the parser takes for the first line of a message may be no beginning here (`Error: x` is one, or goes on from a
trace), but what is one here is never a line that goes on. So bytes cut at these places are parsed as they would be
among all others.
"""

import re
from typing import Final

_HEAD: Final = re.compile(
    # Not how PostgreSQL goes on about an error, wherever colours or odd characters stand in it,
    rb"^(?![^\n]*:(?: [^!-~\n]|[^ -~\n]))"
    # nor the head of another part of a trace,
    rb"(?!(?:Traceback|Caused|goroutine|During|The|Stack|created|exit)\b|panic:|Suppressed:)"
    # but an object, a time, a bracket or quote,
    rb"(?:[!-,:-@\[-^`{-~0-9]"
    # a word that neither a colon nor a parenthesis follows, as those of exceptions and functions,
    rb"|[A-Za-z_$][\w./$\-\x80-\xff]*(?! in goroutine)[^\w./$\-\x80-\xff(*:\r\n\x1b]"
    # or one that is the whole line.
    rb"|[a-z][a-z0-9_\-]*\r?$)",
    re.MULTILINE,
)
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of a message; what is longer is cut, and each part is a message of its own."""


def next_head(data: bytes, start: int) -> int:
    """Return where the first message begins in whole lines from `start` on, which begins a line; -1: nowhere."""
    found = _HEAD.search(data, start)
    return found.start() if found else -1


def head_before(data: bytes, at: int, stop: int = 0) -> int:
    """Return where the message begins that the line at `at` belongs to; `stop` if that is not told behind it."""
    while at > stop and _HEAD.match(data, at) is None:
        at = max(stop, data.rfind(b"\n", stop, at - 1) + 1)
    return at
