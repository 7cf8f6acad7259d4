"""Fits text into a number of terminal cells, whatever characters it holds."""

import unicodedata

from rich.cells import cell_len, set_cell_size


def plain(text: str) -> str:
    """Return `text` with each character that could steer a terminal replaced by a visible one.

    Control characters become their picture (`␛`), tabs and odd spaces a space, bidirectional marks, zero-width
    characters and lone surrogates `�`. Printable text comes back as it is.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if char == "\t" or unicodedata.category(char) == "Zs":
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def width_of(text: str) -> int:
    """Return how many terminal cells `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, align: str = "left") -> str:
    """Return `text` in exactly `width` cells: padded, or cut with `…`; safe to show."""
    text = plain(text)
    size = width_of(text)
    if size == width:
        return text
    if size < width:
        padding = " " * (width - size)
        return padding + text if align == "right" else text + padding
    if width <= 0:
        return ""
    cut = set_cell_size(text, width - 1)
    return cut + "…" + " " * (width - 1 - width_of(cut))


def fit_both_ends(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells: padded, or with `…` in its middle; safe to show.

    For names: those of one family begin alike and differ where they end.
    """
    text = plain(text)
    size = width_of(text)
    room = width - 1
    if size <= width or room < 5:
        return fit(text, width)
    end = room * 2 // 5
    return set_cell_size(text, room - end) + "…" + window(text, size - end, end)


def window(text: str, start: int, width: int) -> str:
    """Return the `width` cells of `text` from cell `start` on; a character cut in half becomes a space."""
    if text.isascii():
        return text[start : start + width].ljust(width)
    out, position, end = [], 0, start + width
    for char in text:
        size = cell_len(char)
        if position >= end:
            break
        if position < start:
            out.append(" " * max(0, min(position + size, end) - start))
        else:
            out.append(char if position + size <= end else " " * (end - position))
        position += size
    return "".join(out) + " " * max(0, end - max(position, start))


def wrap(text: str, width: int) -> list[str]:
    """Return `text` cut into pieces of at most `width` cells, behind a space where one is near; one piece for no text.

    Nothing is left out: the pieces together are the text.
    """
    if width <= 1 or not text:
        return [text]
    if text.isascii():
        pieces, start = [], 0
        while start < len(text):
            end = start + width
            if end < len(text) and (space := text.rfind(" ", start + width * 2 // 3, end)) >= 0:
                end = space + 1
            pieces.append(text[start:end])
            start = end
        return pieces
    pieces = [""]
    for char in text:
        # The whole piece is measured, because a modifier changes the width of what stands before it.
        if cell_len(pieces[-1] + char) > width:
            last = pieces[-1]
            cut = last.rfind(" ", len(last) * 2 // 3) + 1 or len(last)
            pieces[-1:] = [last[:cut], last[cut:]]
        pieces[-1] += char
    return pieces
