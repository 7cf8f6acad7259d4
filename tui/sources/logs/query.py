"""What a person types to choose log messages → tests of their lines: fields and levels, or a regular expression. Pure.

    processing_time_ms > 1000
    level = ERROR and endpoint ~ /login
    not (status < 500 or path ~ ^/health) and time >= 14:05

An operator stands between blanks; what is not written so is a regular expression, as is everything within `/…/`.
A comparison is true of a message when it is of any of its lines; `not`, `!=` and `!~` when it is of none.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import partial
from itertools import chain
from typing import Final

from tui.sources.logs.comparisons import OF_LINES, ORDER, Test, has_field, of_field, of_level, of_time
from tui.sources.logs.expression import Search, search, shape
from tui.sources.logs.fields import ACCESS_PARTS, DERIVED, number
from tui.sources.logs.levels import severity_word
from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.number_bytes import numbers_found
from tui.sources.logs.times import typed_moment

Holds = Callable[[int], bool]
"""Whether something is true of a message: of the bits of those comparisons that are true of any of its lines."""

_COMPARISON: Final = re.compile(
    r'([A-Za-z_@$][\w.@\-/$]*)\s+(==|!=|>=|<=|!~|=|>|<|~)\s+("(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/(?=[\s)]|$)|[^\s]+)'
)
_TIGHT: Final = re.compile(
    r"(?<!\S)(\(*)(?:([A-Za-z_@$](?:[\w.@\-/$]*\w)?)(>=|<=|!=|==|>|<)(-?\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h)?)"
    r"|(level)(>=|<=|!=|==|=|>|<)([A-Za-z]+))(?=[\s)]|$)"
)
"""A comparison with a number or of the level without blanks, which hardly any line holds as its text."""
_EXISTS: Final = re.compile(r"has\s+([A-Za-z_@$][\w.@\-/$]*)")
_WORD: Final = re.compile(r"(and|or|not)\b", re.IGNORECASE)
_DEEPEST: Final = 20
_RUN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
"""What stands in a line as it is written wherever it stands in what is shown of it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of every line that passes, without looking at it."""

    least: Severity = Severity.NONE
    """No line below this level passes."""
    words: frozenset[str] = frozenset()
    """Words, in small letters, that every such message holds as it was written, in letters of whatever case."""
    said: frozenset[str] = frozenset()
    """The same, but JSON may write these otherwise: `\\u006c`."""
    found: frozenset[bytes] = frozenset()
    """Expressions that are found in every such message as it was written."""


_NOTHING: Final = Known()


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, understood."""

    test: Test | None = None
    """Whether a line is meant that is a whole message; None: nothing was typed. Raises TooSlow."""
    parts: tuple[Test, ...] = ()
    """The comparisons of which it is made. Each raises TooSlow."""
    holds: Holds = bool
    """Whether a message is meant: of the bits of those `parts`, the first of them 1, that are true of any line."""
    words: Search = field(default_factory=Search)
    """What lines must hold, when it is an expression."""
    marked: Search = field(default_factory=Search)
    """What to mark in the lines: the same, or the first expression that a field must hold."""
    asks_fields: bool = False
    """Whether it was taken for fields and levels rather than for an expression."""
    error: str = ""
    """Why it cannot be read."""
    known: Known = _NOTHING
    """Of the lines that pass; what an expression tells is told by `words`."""
    names: tuple[str, ...] = ()
    """Fields that are asked for."""
    moments: tuple[float, ...] = ()
    """What the times in it meant when it was typed."""


def words_in(expression: str) -> frozenset[str]:
    """Return words, in small letters, that stand in every line in which an expression is found."""
    literals = filter(str.isascii, shape(expression).literals) if expression else ()
    return frozenset(chain.from_iterable(map(_runs, literals)))


def _runs(text: str) -> frozenset[str]:
    return frozenset(run.lower() for run in _RUN.findall(text)) if text.isascii() else frozenset()


def query(typed: str, now: float, zone: tzinfo = UTC, within: tuple[float, float] | None = None) -> Query:
    """Return what a person typed as a test; `now`, `zone` and `within` are for times: see `typed_moment`."""
    text = typed.strip()
    if not text:
        return Query()
    if text[0] != "/":
        text = _TIGHT.sub(lambda found: f"{found[1]}{' '.join(filter(None, found.groups()[1:]))}", text)
    if text[0] != "/" and (_COMPARISON.search(text) or _EXISTS.match(text)):
        try:
            reader = _Reader(text, partial(typed_moment, now=now, zone=zone, within=within))
            test, known = reader.read()
            marked = next(iter(reader.sought), Search())
            return Query(
                test,
                tuple(reader.parts),
                reader.holds(test),
                marked=marked,
                asks_fields=True,
                known=known,
                names=tuple(reader.names),
                moments=tuple(reader.moments),
            )
        except _NotFields:
            pass
        except ValueError as error:
            return Query(error=str(error))
    found = search(typed)
    if found.error:
        return Query(error=found.error)
    if (found_in := found.found_in) is None:
        return Query()

    def test_text(line: LogLine) -> bool:
        return found_in(line[2][begin:] if (begin := line[1].begin) >= 0 else line.text)

    return Query(test_text, (test_text,), words=found, marked=found)


def has_value(name: str, lines: Iterable[LogLine]) -> bool:
    """Tell whether one of some lines has a field of that name, or every line has it."""
    return name in OF_LINES or any(map(has_field(name), lines))


class _NotFields(Exception):
    """It is not written as comparisons of fields are."""


class _Reader:
    """Reads comparisons joined by and, or, not and parentheses."""

    def __init__(self, text: str, moment_of: Callable[[str], float]) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._moment_of = moment_of
        self.names: list[str] = []
        """Fields that were asked for."""
        self.moments: list[float] = []
        """What its times mean."""
        self._quick: set[Test] = set()
        self._known: dict[Test, Known] = {}
        self._holds: dict[Test, Holds] = {}
        self.parts: list[Test] = []
        """The comparisons in it."""
        self.sought: list[Search] = []
        """The expressions that fields must hold."""

    def holds(self, test: Test) -> Holds:
        """Return what tells of a message what a test that was read tells of a line."""
        return self._holds[test]

    def _part(self, test: Test, known: Known) -> Test:
        bit = 1 << len(self.parts)
        self.parts.append(test)
        self._holds[test] = lambda marks: marks & bit != 0
        return self._note(test, known)

    def _not(self, test: Test) -> Test:
        def is_not(line: LogLine) -> bool:
            return not test(line)

        holds = self._holds[test]
        self._holds[is_not] = lambda marks: not holds(marks)
        return self._quickly(is_not) if test in self._quick else is_not

    def _joined(self, test: Test, tests: Sequence[Test], of: Callable[[Iterable[bool]], bool], known: Known) -> Test:
        holds = [self._holds[each] for each in tests]
        self._holds[test] = lambda marks: of(each(marks) for each in holds)
        return self._note(test, known)

    def read(self) -> tuple[Test, Known]:
        """Return the test, and what is known of lines that pass it.

        Raises:
            _NotFields: it is something else.
            ValueError: it is written so, but cannot be meant; the message says why.
        """
        test = self._any()
        self._skip()
        if self._at < len(self._text):
            raise _NotFields
        return test, self._of(test)

    def _of(self, test: Test) -> Known:
        return self._known.get(test, _NOTHING)

    def _note(self, test: Test, known: Known) -> Test:
        self._known[test] = known
        return test

    def _skip(self) -> None:
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1

    def _word(self, wanted: str) -> bool:
        self._skip()
        found = _WORD.match(self._text, self._at)
        if found is None or found[1].lower() != wanted:
            return False
        self._at = found.end()
        return True

    def _any(self) -> Test:
        tests = [self._all()]
        while self._word("or"):
            tests.append(self._all())
        if len(tests) == 1:
            return tests[0]
        known = [self._of(test) for test in tests]
        words = frozenset.intersection(*(one.words for one in known))
        said = frozenset.intersection(*(one.words | one.said for one in known)) - words
        found = frozenset({b"|".join(min(one.found) for one in known)} if all(one.found for one in known) else ())
        either = Known(min(one.least for one in known), words, said, found)
        return self._joined(lambda line: any(test(line) for test in tests), tests, any, either)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._word("and"):
            tests.append(self._one())
        # What is told by the line's kind or time goes before what must be looked for in the line.
        tests.sort(key=lambda test: test not in self._quick)
        if len(tests) == 1:
            return tests[0]
        known = [self._of(test) for test in tests]
        both = Known(
            max(one.least for one in known),
            frozenset().union(*(one.words for one in known)),
            frozenset().union(*(one.said for one in known)),
            frozenset().union(*(one.found for one in known)),
        )
        if len(tests) == 2:
            first, second = tests
            return self._joined(lambda line: first(line) and second(line), tests, all, both)
        return self._joined(lambda line: all(test(line) for test in tests), tests, all, both)

    def _one(self) -> Test:
        if self._word("not"):
            before = len(self.sought)
            denied = self._deeper(self._one)
            del self.sought[before:]
            return self._not(denied)
        if self._text[self._at : self._at + 1] == "(":
            self._at += 1
            test = self._deeper(self._any)
            self._skip()
            if self._text[self._at : self._at + 1] != ")":
                raise _NotFields
            self._at += 1
            return test
        if found := _EXISTS.match(self._text, self._at):
            self._at = found.end()
            self.names.append(found[1])
            return self._part(has_field(found[1]), _named(found[1]))
        if (compared := _COMPARISON.match(self._text, self._at)) is None:
            raise _NotFields
        value = compared[3]
        self._at = compared.end()
        if value[0] not in '"/':
            # A parenthesis that closes one before it belongs to no value.
            surplus = value.count(")") - value.count("(") if self._depth else 0
            while surplus > 0 and value.endswith(")"):
                value, surplus, self._at = value[:-1], surplus - 1, self._at - 1
        if compared[2][0] == "!":
            return self._not(self._comparison(compared[1], compared[2][1:], value, is_denied=True))
        return self._comparison(compared[1], compared[2], value)

    def _deeper(self, read: Callable[[], Test]) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("too many parentheses")
        test = read()
        self._depth -= 1
        return test

    def _comparison(self, name: str, sign: str, value: str, *, is_denied: bool = False) -> Test:
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        plain = re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value
        if name == "time" and sign in ORDER and not quoted:
            moment = self._moment_of(self._date(value))
            self.moments.append(moment)
            return self._part(self._quickly(of_time(sign, moment)), _NOTHING)
        if name == "level" and sign in ORDER and (level := severity_word(plain)) is not Severity.NONE:
            least = level if sign in ("=", "==", ">=", ">") else Severity.NONE
            return self._part(self._quickly(of_level(sign, level)), Known(least))
        if name == "level" and sign[0] in "<>" and number(plain) is None:
            raise ValueError(f"no level: {plain}; there are debug, info, warn, error")
        self.names.append(name)
        expression = plain if quoted else value
        if sign == "~" and name not in ("source", "origin") and not is_denied:
            self.sought.append(search(expression))
        return self._part(of_field(name, sign, plain, expression), _known_of(name, sign, plain, expression))

    def _quickly(self, test: Test) -> Test:
        self._quick.add(test)
        return test

    def _date(self, value: str) -> str:
        """Return a value with the time of day behind it, if it is a date."""
        rest = re.match(r"\s+(\d\d:\d\d\S*)", self._text[self._at :])
        if rest and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            self._at += rest.end()
            return f"{value} {rest[1]}"
        return value


def _known_of(name: str, sign: str, plain: str, expression: str) -> Known:
    """Return what is known of messages with a field that passes a comparison."""
    named = _named(name)
    if name in ("source", "origin"):
        return named
    if sign == "~":
        return replace(named, said=words_in(search(expression).expression))
    if (limit := number(plain)) is None:
        return replace(named, said=_runs(plain))
    found = None if name in OF_LINES else numbers_found(name, sign, limit)
    return named if found is None else Known(found=frozenset({found}))


def _named(name: str) -> Known:
    """Return what is known of lines that have a field of a name."""
    if name in OF_LINES or name in DERIVED or name in ACCESS_PARTS or name[0] == "$" or not name.isascii():
        return _NOTHING
    return Known(words=_runs(name))
