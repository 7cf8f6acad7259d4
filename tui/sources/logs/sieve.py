"""Which messages of a block need no parsing, because they cannot pass the filters: told from their bytes.

Reading a big file back for errors is mostly passing over INFO. What is left out for its level is only what the parser
would give a lower one; every other line, and the one before it that it may belong to, is parsed as ever.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Final, NamedTuple

from tui.sources.logs.colours import COLOUR
from tui.sources.logs.heads import head_before, next_head
from tui.sources.logs.line import Severity
from tui.sources.logs.query import Query, words_in
from tui.sources.logs.stack import Stack

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
_LIKE_ASCII: Final = tuple(letter.encode() for letter in "\u212a\u017f\u0130")
"""What is like k, s and i when case is ignored."""
_ESCAPED: Final = re.compile(rb"\\u(?:00[0-7]|212a|017f|0130)", re.IGNORECASE)
_COLOUR: Final = re.compile(COLOUR.pattern.encode())
_RARE: Final = 20
"""Lines among which a word stands once that is looked for instead of a number."""
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
    """Return what leaves out lines of messages that cannot pass; None where every line must be parsed."""
    on = [one.query for one in stack.filters if one.is_on and not one.excludes]
    by_level = above(max([stack.minimum, *(one.known.least for one in on)]))
    held = held_of(on)
    by_words = partial(holding, held=held) if held.words or held.said or held.found else None
    if by_level is None or by_words is None:
        return by_level or by_words
    # What is left out for its words are whole messages.
    return lambda lines: by_level(by_words(lines))


class Held(NamedTuple):
    """What every message that passes holds in its bytes."""

    words: Sequence[bytes]
    """In small letters, whatever the case."""
    said: Sequence[bytes]
    """The same, unless JSON writes them otherwise."""
    found: Sequence[re.Pattern[bytes]]


def held_of(queries: Iterable[Query]) -> Held:
    """Return what every message holds that is meant by all of these."""
    words, said, found = set[str](), set[str](), set[bytes]()
    for one in queries:
        words |= one.known.words
        said |= one.known.said | words_in(one.words.expression)
        found |= one.known.found
    certain, likely = ([word.encode() for word in sorted(each)] for each in (words, said - words))
    return Held(certain, likely, [re.compile(each) for each in sorted(found)])


def holding(lines: bytes, held: Held) -> bytes:
    """Return the messages that hold everything; all lines where few lack any of it.

    The first line begins a message.
    """
    is_escaped = b"\\" in lines and _ESCAPED.search(lines) is not None
    words = held.words if is_escaped else [*held.words, *held.said]
    is_odd = not lines.isascii() and any(letter in lines for letter in _LIKE_ASCII)
    if is_odd or not (words or held.found):
        return lines
    if b"\x1b" in lines:
        # Colours may stand within a word.
        plain = _COLOUR.sub(b"", lines)
        lowered = plain.lower()
        return lines if all(w in lowered for w in words) and all(each.search(plain) for each in held.found) else b""
    lowered = lines.lower() if words else b""
    places = _rarest(lines, lowered, words, held.found)
    if 2 * len(places) > lines.count(b"\n"):
        return lines
    return b"".join(
        lines[start:end]
        for start, end in _around(lines, places)
        if all(word in lowered[start:end] for word in words)
        and all(each.search(lines, start, end) for each in held.found)
    )


def _rarest(lines: bytes, lowered: bytes, words: Sequence[bytes], found: Sequence[re.Pattern[bytes]]) -> list[int]:
    """Return where that stands of all this which stands in the fewest places."""
    places: list[int] | None = None
    if words:
        counts = {word: lowered.count(word) for word in words}
        rarest = min(words, key=counts.__getitem__)
        if not counts[rarest]:
            return []
        if not found or _RARE * counts[rarest] <= lines.count(b"\n"):
            places = [each.start() for each in re.finditer(re.escape(rarest), lowered)]
    for each in found if places is None else ():
        here = [match.start() for match in each.finditer(lines)]
        places = here if places is None or len(here) < len(places) else places
    return places or []


def _around(lines: bytes, places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield where the messages begin and end that stand at some places."""
    end = 0
    for at in places:
        if at < end:
            continue
        start = head_before(lines, max(end, lines.rfind(b"\n", end, at) + 1), end)
        end = lines.find(b"\n", at) + 1
        end = next_head(lines, end) if end else -1
        end = end if end >= 0 else len(lines)
        yield start, end
