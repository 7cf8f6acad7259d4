"""Lines from outside without what is likely to be a secret: for what is kept and handed on. Pure.

It cannot know every secret; it takes out what calls itself one, and what has the shape of one.
"""

import re
from typing import Final

HIDDEN: Final = "•••"

_PRIVATE: Final = r"authorization|cookie|token|secret|passwo?r?d|passwd|pwd|api[_-]?key|access[_-]?key|private[_-]?key"
# Each part begins at a word's beginning or is bounded: a body of one long word must not take seconds.
_SECRET: Final = re.compile(
    rf"""
    (?P<name>(?<![\w.-])["']?(?=[\w.-]*(?:{_PRIVATE}))[\w.-]++["']?\s*[=:]\s*)   # token=…, "password": "…"
      (?:(?:bearer|basic)\s+)?(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s,;&"'}}\])]+)
    |(?P<scheme>\b(?:bearer|basic)\s+)[\w.~+/=-]{{8,}}                   # Bearer eyJ…
    |(?P<url>\b[a-z][a-z0-9+.-]{{0,30}}://[^/\s:@]*:)[^@\s/]+(?=@)              # scheme://user:password@
    |\beyJ[\w-]{{8,}}\.[\w-]+\.[\w-]*                                    # a JSON web token by itself
    |\b[\w.+-]{{1,64}}@[\w-]+\.[\w.-]*\w                                       # somebody's e-mail address
    """,
    re.IGNORECASE | re.VERBOSE,
)


def without_secrets(text: str) -> str:
    """Return a text with the values of what calls itself a secret, or looks like one, as `•••`."""
    return _SECRET.sub(lambda found: (found["name"] or found["scheme"] or found["url"] or "") + HIDDEN, text)
