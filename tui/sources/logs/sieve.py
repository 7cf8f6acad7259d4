"""Which messages of a block need no parsing, because they cannot pass the filters: told from their bytes.

Reading a big file back for errors is mostly passing over INFO. What is left out for its level is only what the parser
would give a lower one; every other line, and the one before it that it may belong to, is parsed as ever.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Final

from tui.sources.logs.heads import head_before, next_head
from tui.sources.logs.line import Severity
from tui.sources.logs.query import words_in
from tui.sources.logs.stack import Filter, Stack

Sieve = Callable[[bytes], bytes]
"""From whole lines to those that may pass."""

_WORDS: Final[Mapping[Severity, str]] = {
    Severity.INFO: "TRACE|DEBUG|INFO|NOTICE",
    Severity.WARN: "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING",
}
"""By the highest level that is left out: how it and those below are called."""
_ISO: Final = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_KEYS: Final = r"(?:level|severity|lvl|levelname|log\.level|loglevel|severity_text|s|log)"
_OF_STATEMENT: Final = re.compile(rb" (?:DETAIL|HINT|CONTEXT|QUERY|STATEMENT|LOCATION):  ")
_LONGEST: Final = 60_000
"""Longer lines are cut before they are parsed, and may be something else then."""


def _pattern(words: str, letters: str, numbers: str, statuses: str) -> str:
    stamped = rf"{_ISO}(?:Z|[+-]\d\d:?\d\d)? +(?:\[[a-z\d-]*\] +)?\[?(?:{words})\b"
    logfmt = rf'(?:ts|time|t|timestamp)="?{_ISO}(?:Z|[+-]\d\d:?\d\d)?"? level="?(?i:{words})\b'
    klog = rf"[{letters}]\d{{4}} \d\d:\d\d:\d\d\.\d{{6}} "
    access = rf'\d[\d.]+ \S+ \S+ \[[^\]\n]{{20,30}}\] "[^"\n]*" [{statuses}]\d\d \S'
    value = r'(?:"[^"\\\n]*"|-?\d[\d.]*|true|false|null)'
    level = rf'"{_KEYS}": ?(?:"(?i:{words})"|(?:{numbers})(?=[,}}]))'
    json = rf'\{{(?:"(?!{_KEYS}")[^"\\\n]*": ?{value}, ?)*{level}(?![^\n]*"{_KEYS}")[^\n]{{0,{_LONGEST}}}\}}\r?$'
    return rf"(?:{stamped}|{logfmt}|{klog}|{access}|{json})[^\n]*"


@cache
def above(least: Severity) -> Sieve | None:
    """Return what leaves out of whole lines those below a level; None where nothing can be left out.

    Of lines that stand together the last is kept: what comes behind it may belong to it.
    """
    if least < Severity.WARN:
        return None
    is_warn = least is Severity.WARN
    words = _WORDS[Severity.INFO if is_warn else Severity.WARN]
    line = _pattern(words, "I" if is_warn else "IW", "[123]0" if is_warn else "[1234]0", "123" if is_warn else "1234")
    # The last line of a run stays, whatever it is: only what another one follows goes.
    find = re.compile(rf"^(?:{line}\n)+(?=(?:{line})$)".encode(), re.MULTILINE).sub

    def without(lines: bytes) -> bytes:
        if b":  " in lines and _OF_STATEMENT.search(lines):
            return lines  # they may go on from a warning, whatever they call themselves
        return find(b"", lines)

    return without


def sieve_of(stack: Stack) -> Sieve | None:
    """Return what leaves out lines that cannot pass; None where every line must be parsed."""
    on = [one for one in stack.filters if one.is_on and not one.excludes]
    if (by_level := above(max([stack.minimum, *(one.query.known.least for one in on)]))) is not None:
        return by_level
    words = words_of(stack.filters)
    return partial(with_words, words=words) if words else None


def words_of(filters: Iterable[Filter]) -> list[bytes]:
    """Return words, in small letters, that every message that passes holds as it was written."""
    on = [one.query for one in filters if one.is_on and not one.excludes]
    return [word.encode() for one in on for word in sorted(one.known.words | words_in(one.words.expression))]


def with_words(lines: bytes, words: Sequence[bytes]) -> bytes:
    """Return the messages that hold every word, whatever the case; all lines where few lack one.

    The first line begins a message.
    """
    lowered = lines.lower()
    counts = {word: lowered.count(word) for word in words}
    rarest = min(words, key=counts.__getitem__)
    if 2 * counts[rarest] > lowered.count(b"\n"):
        return lines
    return b"".join(_with_words(lines, lowered, words, rarest))


def _with_words(lines: bytes, lowered: bytes, words: Sequence[bytes], rarest: bytes) -> Iterator[bytes]:
    at, end = lowered.find(rarest), 0
    while at >= 0:
        start = head_before(lines, max(end, lowered.rfind(b"\n", end, at) + 1), end)
        end = lowered.find(b"\n", at) + 1
        end = next_head(lines, end) if end else -1
        end = end if end >= 0 else len(lines)
        if all(word in lowered[start:end] for word in words):
            yield lines[start:end]
        at = lowered.find(rarest, end)
