"""What a person types to choose log lines → a test of a line: fields and levels, or a regular expression. Pure.

    processing_time_ms > 1000
    level = ERROR and endpoint ~ /login
    not (status < 500 or path ~ ^/health) and time >= 14:05

An operator stands between blanks; what is not written so is a regular expression, as is everything within `/…/`.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Final, TypeVar

from tui.sources.logs.expression import Search, search, shape
from tui.sources.logs.fields import ACCESS_PARTS, DERIVED, getter, number, value_getter
from tui.sources.logs.json_line import as_text
from tui.sources.logs.levels import severity_word
from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.times import typed_moment

Test = Callable[[LogLine], bool]
T = TypeVar("T")

_ORDER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne,
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_OPERATORS: Final = (*_ORDER, "~", "!~")
_COMPARISON: Final = re.compile(
    r'([A-Za-z_@$][\w.@\-/$]*)\s+(==|!=|>=|<=|!~|=|>|<|~)\s+("(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)*/(?=[\s)]|$)|[^\s]+)'
)
_EXISTS: Final = re.compile(r"has\s+([A-Za-z_@$][\w.@\-/$]*)")
_WORD: Final = re.compile(r"(and|or|not)\b", re.IGNORECASE)
_UNIT: Final = re.compile(r"[-+]?\d+(?:\.\d+)?\s?(ns|us|µs|ms|s|m|h)")
_DEEPEST: Final = 20
_RUN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
"""What stands in a line as it is written wherever it stands in what is shown of it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of every line that passes, without looking at it."""

    least: Severity = Severity.NONE
    """No line below this level passes."""
    words: frozenset[str] = frozenset()
    """Words, in small letters, that every such line holds as it was written, in letters of whatever case."""


_NOTHING: Final = Known()


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, understood."""

    test: Test | None = None
    """Whether a line is meant; None: nothing was typed. Raises TooSlow."""
    words: Search = field(default_factory=Search)
    """What to mark in the lines, when it is an expression."""
    asks_fields: bool = False
    """Whether it was taken for fields and levels rather than for an expression."""
    error: str = ""
    """Why it cannot be read."""
    known: Known = _NOTHING
    """Of the lines that pass; what an expression tells is told by `words`."""


def words_in(expression: str) -> frozenset[str]:
    """Return words, in small letters, that stand in every line in which an expression is found."""
    literals = filter(str.isascii, shape(expression).literals) if expression else ()
    return frozenset(run.lower() for literal in literals for run in _RUN.findall(literal))


def query(typed: str, now: float, zone: tzinfo = UTC) -> Query:
    """Return what a person typed as a test; `now` and `zone` are for times like `14:05` and `-5m`."""
    text = typed.strip()
    if not text:
        return Query()
    if text[0] != "/" and (_COMPARISON.search(text) or _EXISTS.match(text)):
        try:
            test, known = _Reader(text, now, zone).read()
            return Query(test, asks_fields=True, known=known)
        except _NotFields:
            pass
        except ValueError as error:
            return Query(error=str(error))
    found = search(typed)
    if found.error:
        return Query(error=found.error)
    if (found_in := found.found_in) is None:
        return Query()
    return Query(lambda line: found_in(line[2][begin:] if (begin := line[1].begin) >= 0 else line.text), found)


class _NotFields(Exception):
    """It is not written as comparisons of fields are."""


class _Reader:
    """Reads comparisons joined by and, or, not and parentheses."""

    def __init__(self, text: str, now: float, zone: tzinfo) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._now = now
        self._zone = zone
        self._quick: set[Test] = set()
        self._known: dict[Test, Known] = {}

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
        common = frozenset.intersection(*(one.words for one in known))
        return self._note(
            lambda line: any(test(line) for test in tests), Known(min(one.least for one in known), common)
        )

    def _all(self) -> Test:
        tests = [self._one()]
        while self._word("and"):
            tests.append(self._one())
        # What is told by the line's kind or time goes before what must be looked for in the line.
        tests.sort(key=lambda test: test not in self._quick)
        if len(tests) == 1:
            return tests[0]
        known = [self._of(test) for test in tests]
        both = Known(max(one.least for one in known), frozenset().union(*(one.words for one in known)))
        if len(tests) == 2:
            first, second = tests
            return self._note(lambda line: first(line) and second(line), both)
        return self._note(lambda line: all(test(line) for test in tests), both)

    def _one(self) -> Test:
        if self._word("not"):
            test = self._deeper(self._one)
            return lambda line: not test(line)
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
            find = getter(found[1])
            return self._note(lambda line: find(line.raw) is not None, _named(found[1]))
        if (compared := _COMPARISON.match(self._text, self._at)) is None:
            raise _NotFields
        value = compared[3]
        self._at = compared.end()
        if value[0] not in '"/':
            # A parenthesis that closes one before it belongs to no value.
            surplus = value.count(")") - value.count("(") if self._depth else 0
            while surplus > 0 and value.endswith(")"):
                value, surplus, self._at = value[:-1], surplus - 1, self._at - 1
        return self._comparison(compared[1], compared[2], value)

    def _deeper(self, read: Callable[[], Test]) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("too many parentheses")
        test = read()
        self._depth -= 1
        return test

    def _comparison(self, name: str, sign: str, value: str) -> Test:
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        plain = re.sub(r"\\(.)", r"\1", value[1:-1]) if quoted else value
        if name == "time" and sign in _ORDER and not quoted:
            compare, moment = _ORDER[sign], typed_moment(self._date(value), self._now, self._zone)
            return self._quickly(lambda line: compare(line[0], moment))
        if name == "level" and sign in _ORDER and (level := severity_word(plain)) is not Severity.NONE:
            least = level if sign in ("=", "==", ">=", ">") else Severity.NONE
            return self._note(self._quickly(_level(sign, level)), Known(least))
        known = _named(name) if sign[0] != "!" else _NOTHING
        if sign not in ("~", "!~", "=", "==", "!=") or (sign[-1] == "=" and number(plain) is not None):
            return self._note(_numbers(_TEXTS.get(name) or _of_raw(value_getter(name)), sign, plain), known)
        text = _TEXTS.get(name) or _of_raw(getter(name))
        test = _expression(text, sign, plain if quoted else value) if "~" in sign else _equal(text, sign, plain)
        return self._note(test, known)

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


def _named(name: str) -> Known:
    """Return what is known of lines that have a field of a name."""
    if name in _TEXTS or name in DERIVED or name in ACCESS_PARTS or name[0] == "$" or not name.isascii():
        return _NOTHING
    return Known(words=frozenset(run.lower() for run in _RUN.findall(name)))


def _of_raw(find: Callable[[str], T]) -> Callable[[LogLine], T]:
    return lambda line: find(line[2] if line[1].begin >= 0 else line.raw)


_TEXTS: Final[Mapping[str, Callable[[LogLine], str | None]]] = {
    "source": lambda line: line[1].source,
    "origin": lambda line: line[1].origin,
    "line": lambda line: line.raw,
    "text": lambda line: line.text,
}
"""What every line has, whatever it names itself."""


def _level(sign: str, level: Severity) -> Test:
    compare = _ORDER[sign]
    # A line that does not say its level counts as information.
    return lambda line: compare(line[1].level or Severity.INFO, level)


def _expression(text: Callable[[LogLine], str | None], sign: str, typed: str) -> Test:
    found = search(typed)
    if found.error or (found_in := found.found_in) is None:
        raise ValueError(found.error or "an expression must follow ~")
    if sign == "~":
        return lambda line: (value := text(line)) is not None and found_in(value)
    return lambda line: (value := text(line)) is None or not found_in(value)


def _numbers(value_of: Callable[[LogLine], Any], sign: str, typed: str) -> Test:
    compare, unit = _ORDER[sign], (found[1] if (found := _UNIT.fullmatch(typed)) else "")
    if (limit := number(typed)) is None:
        raise ValueError(f"{typed} is no number, and {sign} compares numbers; = and ~ compare text")
    is_unlike = sign == "!="

    def test(line: LogLine) -> bool:
        value = value_of(line)
        if value is None:
            return is_unlike
        if type(value) is str:
            try:
                value = float(value)
            except ValueError:
                value = number(value, unit)
        elif type(value) is not int and type(value) is not float:
            value = number(as_text(value), unit)
        if value is None:
            return is_unlike
        return compare(value, limit)

    return test


def _equal(text: Callable[[LogLine], str | None], sign: str, typed: str) -> Test:
    if typed == typed.lower():
        if sign == "!=":
            return lambda line: (value := text(line)) is None or value.lower() != typed
        return lambda line: (value := text(line)) is not None and value.lower() == typed
    return lambda line: (text(line) == typed) is (sign != "!=")
