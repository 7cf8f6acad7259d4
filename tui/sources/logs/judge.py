"""Whether a message is shown, by all of its lines: those of a stack trace stand or go together. Pure.

An expression or a field is looked for line by line; what was found is kept as bits, so that lines may come in any
order and at any time, and a message is never read again.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final, NamedTuple

from tui.sources.logs.expression import TooSlow
from tui.sources.logs.line import LogLine

MOST_UNDECIDED: Final = 3
"""Lines that a filter may fail to decide in time before it is given up."""

Predicate = Callable[[LogLine], bool]


class Patience:
    """How often a filter could not decide in time; what it could not decide is shown."""

    def __init__(self) -> None:
        self.undecided = 0

    @property
    def is_spent(self) -> bool:
        """Whether the filter is given up and hides nothing any more."""
        return self.undecided >= MOST_UNDECIDED


class Term(NamedTuple):
    """What a message must pass, besides other terms."""

    parts: Sequence[Predicate]
    """What is asked of each line; each may raise TooSlow."""
    holds: Callable[[int], bool]
    """Whether a message is meant: of the bits of those parts, the first of them 1, that are true of any line."""
    excludes: bool = False
    """Whether a message that is meant does not pass."""
    patience: Patience | None = None


class Judge:
    """Tells of messages whether they pass every term. Never raises."""

    def __init__(self, alone: Predicate, terms: Sequence[Term]) -> None:
        """Prepare; `alone` tells the same, and faster, of a line that is a whole message."""
        self.alone = alone
        self._parts: list[tuple[int, Predicate, int, Patience | None]] = []
        """Bit, test, the bit of a term that could not be decided, and its patience."""
        self._terms: list[tuple[int, int, int, Term]] = []
        """Where the bits of a term begin, all of them, the bit of those not decided, and the term."""
        bits = 0
        for term in terms:
            undecided = 1 << bits + len(term.parts)
            self._terms.append((bits, (1 << len(term.parts)) - 1, undecided, term))
            for part in term.parts:
                self._parts.append((1 << bits, part, undecided, term.patience))
                bits += 1
            bits += 1

    def __call__(self, line: LogLine) -> bool:
        """Tell of a line that is a whole message."""
        return self.alone(line)

    def marks(self, line: LogLine, before: int) -> int:
        """Return what lines of a message showed before, as bits, and what one more of them shows as well."""
        for bit, test, undecided, patience in self._parts:
            if before & (bit | undecided):
                continue
            try:
                if patience is not None and patience.is_spent:
                    before |= undecided
                elif test(line):
                    before |= bit
            except TooSlow:
                before |= undecided
                if patience is not None:
                    patience.undecided += 1
        return before

    def passes(self, marks: int) -> bool:
        """Tell of a message by what all its lines show; one that could not be decided passes."""
        return all(
            marks & undecided or term.holds(marks >> first & every) is not term.excludes
            for first, every, undecided, term in self._terms
        )

    def of_message(self, lines: Sequence[LogLine]) -> bool:
        """Tell of the lines of a message."""
        if len(lines) == 1:
            return self.alone(lines[0])
        return self.passes(reduce(lambda marks, line: self.marks(line, marks), lines, 0))
