"""A filter typed by a person: `text`, `/regex/`, and `!` before either to exclude."""

import re
import warnings
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


def compile_typed(expression: str, *, ignores_case: bool = True) -> re.Pattern[str]:
    """Compile a regular expression as a person is still typing it.

    Raises:
        ValueError: it cannot be read; the message says why.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # half-typed sets: `[[`
            return re.compile(expression, re.IGNORECASE if ignores_case else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error


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
            search = compile_typed(expression).search
        except ValueError as error:
            return TextFilter(None, str(error))
        if excluded:
            return TextFilter(lambda text: search(text) is None)
        return TextFilter(lambda text: search(text) is not None)
    needle = wanted.strip().lower()
    if excluded:
        return TextFilter(lambda text: needle not in text.lower())
    return TextFilter(lambda text: needle in text.lower())
