"""Markdown that says what the text says, whatever the text is. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from tui.sources.text import clean, clean_lines

_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
"""What ends a table's cell or begins HTML wherever it stands; a backslash does not help in every reader."""
_SIGNS: Final = re.compile(r"[&<>|]|[\\`*\[\]~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_TICKS: Final = re.compile(r"`+")
_SHORTEST_FENCE: Final = 3


def escaped(text: str) -> str:
    """Return a text on one line, with nothing in it that is markup; not for the beginning of a line."""
    return _SIGNS.sub(lambda found: _ENTITIES.get(found[0]) or f"\\{found[0]}", clean(text.strip()))


def fenced(text: str) -> str:
    """Return a text as a block of code, its lines as they are; no line of it ends the block."""
    shown = clean_lines(text)
    longest = max((len(found) for found in _TICKS.findall(shown)), default=0)
    fence = "`" * max(_SHORTEST_FENCE, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; titles are Markdown, cells are plain text."""
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    lines += [f"| {' | '.join(map(escaped, row))} |" for row in rows]
    return "\n".join(lines)
