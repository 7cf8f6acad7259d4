"""The colours that a program put into its lines, taken out of the text and kept beside it. Pure, and it never raises.

Only what decorates is kept: colour of the letters, bold, dim, italic, underlined. What hides text (concealed, a
background), blinks or moves the cursor is not, and every other control sequence stays in the text, made visible.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from tui.sources.text import clean

COLOUR: Final = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\[[0-9;]*K")
"""Select graphic rendition; and erase in line, which grep and compilers write beside it."""
_LONGEST: Final = 60
_MOST: Final = 200
"""Changes of colour in one line; what follows has the last one's."""
_ON: Final = {1: "b", 2: "d", 3: "i", 4: "u", 21: "u"}
_OFF: Final = {22: "bd", 23: "i", 24: "u"}


def coloured(line: str) -> tuple[str, str]:
    """Return a line cleaned and without its colours, and the colours.

    Colours are `START:LOOK` joined by blanks, each in force from that character of the cleaned line on; LOOK is some
    of `bdiu`, then a number of the 256 colours or `#rrggbb`. Empty where nothing is decorated.
    """
    text, changes, length, looks = [], list[str](), 0, ""
    for piece, look in _pieces(line):
        if look != looks and piece and len(changes) < _MOST:
            changes.append(f"{length}:{look}")
            looks = look
        text.append(cleaned := clean(piece))
        length += len(cleaned)
    return "".join(text), " ".join(changes)


def shifted(colours: str, by: int) -> str:
    """Return the colours of what is left of a line without its first `by` characters."""
    if not colours or not by:
        return colours
    before, rest = "", []
    for change in colours.split(" "):
        start, _, look = change.partition(":")
        if int(start) <= by:
            before = look
        else:
            rest.append(f"{int(start) - by}:{look}")
    return " ".join([f"0:{before}", *rest] if before else rest)


def stretches(colours: str, length: int) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, LOOK) of every stretch of a text that is decorated."""
    changes = [change.partition(":") for change in colours.split(" ")] if colours else []
    starts = [int(start) for start, _, _ in changes] + [length]
    for (_, _, look), (start, end) in zip(changes, pairwise(starts), strict=True):
        if look and start < min(end, length):
            yield start, min(end, length), look


def _pieces(line: str) -> Iterator[tuple[str, str]]:
    """Yield each piece of text between two sequences, and how it looks."""
    at, flags, colour = 0, "", ""
    for found in COLOUR.finditer(line):
        yield line[at : found.start()], f"{flags}{colour}"
        at = found.end()
        if (codes := found[1]) is not None and len(codes) <= _LONGEST:
            flags, colour = _look(codes, flags, colour)
    yield line[at:], f"{flags}{colour}"


def _look(codes: str, flags: str, colour: str) -> tuple[str, str]:
    """Return flags and colour after a sequence."""
    numbers = iter([int(code) if code else 0 for code in codes.replace(":", ";").split(";")])
    for code in numbers:
        if code == 0:
            flags, colour = "", ""
        elif code in _ON:
            flags = "".join(flag for flag in "bdiu" if flag in flags or flag == _ON[code])
        elif code in _OFF:
            flags = "".join(flag for flag in flags if flag not in _OFF[code])
        elif 30 <= code <= 37:
            colour = str(code - 30)
        elif 90 <= code <= 97:
            colour = str(code - 82)
        elif code == 39:
            colour = ""
        elif code in (38, 48, 58):
            wide = _wide(numbers)
            colour = wide if code == 38 else colour
    return flags, colour


def _wide(numbers: Iterator[int]) -> str:
    """Return the colour that `5;N` or `2;R;G;B` is; empty when it is none."""
    match next(numbers, -1):
        case 5:
            number = next(numbers, -1)
            return str(number) if 0 <= number < 256 else ""
        case 2:
            parts = [next(numbers, -1) for _ in range(3)]
            return "#" + "".join(f"{part:02x}" for part in parts) if all(0 <= part < 256 for part in parts) else ""
    return ""
