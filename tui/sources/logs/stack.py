"""Filters one upon the other, each on or off: what a message must pass to be shown, or to be counted. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

from tui.sources.logs.expression import TooSlow
from tui.sources.logs.judge import MOST_UNDECIDED, Judge, Patience, Predicate, Term
from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.query import Query, query


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter."""

    typed: str
    query: Query
    excludes: bool = False
    is_on: bool = True
    patience: Patience = field(default_factory=Patience, compare=False)

    @property
    def is_spent(self) -> bool:
        """Whether it was too slow for these lines and hides nothing."""
        return self.patience.is_spent

    def predicate(self) -> Predicate | None:
        """Return whether a line passes that is a whole message; None when every one does. Never raises."""
        test, patience, excludes = self.query.test, self.patience, self.excludes
        if test is None or not self.is_on:
            return None

        def passes(line: LogLine) -> bool:
            if patience.undecided >= MOST_UNDECIDED:
                return True
            try:
                return test(line) is not excludes
            except TooSlow:
                patience.undecided += 1
                return True

        return passes

    def term(self) -> Term:
        """Return what it asks of a message."""
        return Term(self.query.parts, self.query.holds, self.excludes, self.patience)


def new_filter(
    typed: str,
    now: float,
    *,
    excludes: bool = False,
    zone: tzinfo = UTC,
    within: tuple[float, float] | None = None,
) -> Filter:
    """Return a filter as a person typed it, with times as in `query`; `query.error` says why it cannot be read."""
    return Filter(typed, query(typed, now, zone, within), excludes)


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that hides lines: a message must pass every filter that is on."""

    filters: tuple[Filter, ...] = ()
    minimum: Severity = Severity.NONE
    hidden: frozenset[str] = frozenset()
    """Sources that are not shown."""

    def with_filter(self, added: Filter) -> "Stack":
        """Return it with one filter more, at the end; one with the same words is replaced."""
        return replace(self, filters=(*(f for f in self.filters if not _is_same(f, added)), added))

    def without(self, index: int) -> "Stack":
        """Return it without the filter at `index`."""
        return replace(self, filters=self.filters[:index] + self.filters[index + 1 :])

    def toggled(self, index: int) -> "Stack":
        """Return it with the filter at `index` turned on or off; one that was given up is tried again."""
        changed = [
            replace(one, is_on=not one.is_on or one.is_spent, patience=Patience()) if number == index else one
            for number, one in enumerate(self.filters)
        ]
        return replace(self, filters=tuple(changed))

    def turned(self, *, on: bool) -> "Stack":
        """Return it with every filter on or off, at every level and for every source when off."""
        filters = tuple(replace(one, is_on=on) for one in self.filters)
        return replace(self, filters=filters) if on else Stack(filters)

    def is_within(self, wider: "Stack") -> bool:
        """Tell whether whatever passes this surely passes another: it has the same filters on, or more."""
        on = {(one.typed, one.excludes) for one in self.filters if one.is_on}
        needed = {(one.typed, one.excludes) for one in wider.filters if one.is_on}
        return needed <= on and wider.minimum <= self.minimum and wider.hidden <= self.hidden

    @property
    def hides(self) -> bool:
        """Whether it may hide anything."""
        return bool(self.hidden or self.minimum or any(one.is_on for one in self.filters))

    def judge(self, draft: Iterable[Filter] = ()) -> Judge | None:
        """Return what a message must pass, also those filters that are still being typed; None when nothing is hidden.

        A line that does not say its level counts as information.
        """
        tests: list[Predicate] = []
        terms: list[Term] = []

        def add(test: Predicate) -> None:
            tests.append(test)
            terms.append(Term((test,), bool))

        if self.minimum is Severity.INFO:
            add(lambda line: line[1].level is not Severity.DEBUG)
        elif (minimum := self.minimum) is not Severity.NONE:
            add(lambda line: line[1].level >= minimum)
        if hidden := self.hidden:
            add(lambda line: line[1].source not in hidden)
        for one in (*self.filters, *draft):
            if (test := one.predicate()) is not None:
                tests.append(test)
                terms.append(one.term())
        if len(tests) < 2:
            return Judge(tests[0], terms) if tests else None
        if len(tests) == 2:
            first, second = tests
            return Judge(lambda line: first(line) and second(line), terms)
        return Judge(lambda line: all(test(line) for test in tests), terms)

    @property
    def spent(self) -> tuple[Filter, ...]:
        """The filters that were too slow and hide nothing."""
        return tuple(one for one in self.filters if one.is_on and one.is_spent)


def _is_same(one: Filter, other: Filter) -> bool:
    return (one.typed, one.excludes) == (other.typed, other.excludes)
