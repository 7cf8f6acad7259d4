"""A filter typed by a person: `text`, `/regex/`, and `!` before either to exclude."""

import re
from collections.abc import Callable
from dataclasses import dataclass

Matches = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class TextFilter:
    """A compiled filter."""

    matches: Matches | None
    """Says whether a text passes; None: everything does. Give it text as it is: case is ignored inside."""
    error: str = ""
    """Why the expression could not be read; then everything passes."""


def compile_filter(typed: str) -> TextFilter:
    """Return the filter a person typed.

    Plain text is looked for as it stands, ignoring case; `/…/` is a regular expression, ignoring case too (the last
    slash may be missing while typing); a leading `!` turns either round.
    """
    excluded = typed.startswith("!")
    wanted = typed[1:] if excluded else typed
    if not wanted.strip() or wanted == "/":
        return TextFilter(None)
    if wanted.startswith("/"):
        expression = wanted[1:-1] if wanted.endswith("/") and len(wanted) > 1 else wanted[1:]
        try:
            pattern = re.compile(expression, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            return TextFilter(None, f"not a regular expression: {error}")
        search = pattern.search
        if excluded:
            return TextFilter(lambda text: search(text) is None)
        return TextFilter(lambda text: search(text) is not None)
    needle = wanted.strip().lower()
    if excluded:
        return TextFilter(lambda text: needle not in text.lower())
    return TextFilter(lambda text: needle in text.lower())
