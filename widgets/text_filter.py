"""A filter typed by a person: `text`, `/regex/`, and `!` before either to exclude."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

TIMEOUT_S: Final = 0.01
"""How long a person's expression may look at one text: some would take years, and no key would work."""

Matches = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class TextFilter:
    """A compiled filter."""

    matches: Matches | None
    """Says whether a text passes; None: everything does. Give it text as it is: case is ignored inside."""
    error: str = ""
    """Why the expression could not be read; then everything passes."""
    needle: str = ""
    """The plain text looked for, in small letters; empty of an expression and of a filter that everything passes."""
    is_excluding: bool = False
    """Whether what has the text does not pass."""

    def settles(self, before: "TextFilter") -> bool | None:
        """Return which verdict of the filter before is this one's too, as a text grows or shrinks letter by letter.

        True: what passed passes. False: what did not pass does not. None: neither need be so.
        """
        if not before.needle or not self.needle or before.is_excluding != self.is_excluding:
            return None
        if before.needle in self.needle:
            return self.is_excluding
        return not self.is_excluding if self.needle in before.needle else None


class Typed:
    """A regular expression that a person typed; what it cannot find in time it has not found."""

    def __init__(self, expression: str, *, ignores_case: bool = True) -> None:
        """Compile it.

        Raises:
            ValueError: it cannot be read; the message says why.
        """
        import regex  # needs 10 ms, which no start should pay

        try:
            self._compiled = regex.compile(expression, regex.IGNORECASE if ignores_case else 0)
        except (regex.error, OverflowError, RecursionError, MemoryError) as error:
            raise ValueError(f"not a regular expression: {error}") from error

    def search(self, text: str) -> Any:
        """Return the first match; None when there is none, or none was found in time."""
        try:
            return self._compiled.search(text, timeout=TIMEOUT_S, concurrent=False)
        except (TimeoutError, MemoryError):
            return None

    def finditer(self, text: str) -> Iterator[Any]:
        """Yield the matches, as many as are found in time."""
        try:
            yield from self._compiled.finditer(text, timeout=TIMEOUT_S, concurrent=False)
        except (TimeoutError, MemoryError):
            return


def compile_typed(expression: str, *, ignores_case: bool = True) -> Typed:
    """Compile a regular expression as a person is still typing it.

    Raises:
        ValueError: it cannot be read; the message says why.
    """
    return Typed(expression, ignores_case=ignores_case)


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
        return TextFilter(lambda text: needle not in text.lower(), needle=needle, is_excluding=True)
    return TextFilter(lambda text: needle in text.lower(), needle=needle)
