"""The one place where text from outside is made safe to show.

Pod names, SQL, log lines and HTTP bodies may carry escape sequences, bidirectional overrides and zero-width
characters. `clean` turns each into something visible; after it, text is harmless on any terminal.
"""

import re
from typing import Final

_FORBIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def clean(text: str, *, limit: int = 100_000) -> str:
    """Return `text` on one line, every control, bidirectional and zero-width character made visible.

    Tabs become spaces and line ends `↵`; text longer than `limit` characters is cut with `…`.
    """
    if len(text) > limit:
        text = text[:limit] + "…"
    if text.isprintable() and text.isascii():
        return text
    text = text.replace("\t", "    ").replace("\r\n", "↵").replace("\n", "↵")
    return _FORBIDDEN.sub(_visible, text)


def clean_lines(text: str, *, limit: int = 1_000_000) -> str:
    """Return `text` with its line ends kept and every line cleaned: for SQL, YAML and other pages."""
    return "\n".join(clean(line) for line in text[:limit].replace("\r\n", "\n").split("\n"))
