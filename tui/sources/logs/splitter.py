"""Bytes as they arrive → whole lines of text."""

from typing import Final

MAX_LINE_BYTES: Final = 64 * 1024
"""What a longer line has beyond this is not kept."""
_CUT: Final = " … (line cut)"


class LineSplitter:
    """Cuts one stream of bytes into lines; keeps an unfinished last line for the next time."""

    def __init__(self) -> None:
        self._partial = b""
        self._is_skipping = False
        """Whether the rest of a line that was cut is still to come."""

    @property
    def has_partial(self) -> bool:
        """Whether an unfinished line is waiting for its end."""
        return bool(self._partial)

    @property
    def partial(self) -> bytes:
        """The unfinished line; empty when there is none."""
        return self._partial

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that `data` completes, without their ends; invalid UTF-8 becomes U+FFFD."""
        if self._is_skipping:
            end = data.find(b"\n")
            if end < 0:
                return []
            data = data[end + 1 :]
            self._is_skipping = False
        if self._partial:
            data = self._partial + data
        head, newline, self._partial = data.rpartition(b"\n")
        lines = split(head) if newline else []
        if len(self._partial) > MAX_LINE_BYTES:
            lines.append(self._partial[:MAX_LINE_BYTES].decode("utf-8", "replace") + _CUT)
            self._partial = b""
            self._is_skipping = True
        return lines

    def flush(self) -> list[str]:
        """Return the unfinished line, if there is one, as if it had ended."""
        partial, self._partial = self._partial, b""
        self._is_skipping = False
        return split(partial) if partial else []

    def lose(self, data: bytes) -> int:
        """Let `data` go, with the line it ends in; return how many lines are lost by it."""
        if not data:
            return 0
        is_unfinished = not data.endswith(b"\n")
        # A line whose beginning was lost before is counted already.
        lost = data.count(b"\n") + is_unfinished - self._is_skipping
        self._partial = b""
        self._is_skipping = is_unfinished
        return lost


def split(data: bytes) -> list[str]:
    """Return the lines of `data`, without their ends; invalid UTF-8 becomes U+FFFD, and what is too long is cut."""
    text = data.decode("utf-8", "replace")
    lines = text.split("\n")
    if "\r" in text:
        lines = [line.rstrip("\r") for line in lines]
    if len(data) > MAX_LINE_BYTES:
        lines = [line if len(line) <= MAX_LINE_BYTES else line[:MAX_LINE_BYTES] + _CUT for line in lines]
    return lines
