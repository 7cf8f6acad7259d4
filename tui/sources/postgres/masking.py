"""SQL without people's data in it: for the journal, reports and shared screens. Pure."""

import re
from functools import lru_cache
from typing import Final

from tui.sources.postgres.row import one_line

_TOKEN: Final = re.compile(
    r"""
    (?P<kept>"(?:[^"]|"")*(?:"|$))                      # a name in quotes may hold an apostrophe
    |(?P<comment>--[^\n]*|/\*.*?(?:\*/|$))              # so may a comment; and comments name people
    |(?P<literal>\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\\?$)    # E'…' knows backslashes
      |'(?:[^']|'')*(?:'|$)
      |(?<![\w$])\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|$)
      |(?<![\w$])\d(?:[\w.]|(?<=[eE])[+-])*)             # 42, 4.2, 1e-5, 0xff, 1_000
    """,
    re.DOTALL | re.VERBOSE,
)


@lru_cache(maxsize=8192)
def masked(sql: str) -> str:
    """Return SQL on one line, its literals as `?`, without comments: for the journal, where no people's data belong."""
    # Before the lines are joined: a comment ends with its line.
    return one_line(_TOKEN.sub(lambda found: found["kept"] or (" " if found["comment"] else "?"), sql))
