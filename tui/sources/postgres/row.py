"""What a query gives back, and names and statements brought onto one line. Pure."""

from functools import lru_cache
from typing import Any, Protocol

from tui.sources.text import clean


class Row(Protocol):
    """One row of a result: values by column."""

    def __getitem__(self, column: str, /) -> Any: ...


@lru_cache(maxsize=8192)
def one_line(text: str) -> str:
    """Return SQL on one line, cleaned, its white space folded; most texts come again with the next tick."""
    return clean(" ".join(text.split()))
