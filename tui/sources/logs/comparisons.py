"""Single comparisons of a filter: what a field, the level or the time of a log line is held against. Pure.

What is compared by `!=` and `!~` is what is not so by `=` and `~`, and has no test of its own here.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from tui.sources.logs.expression import search
from tui.sources.logs.fields import getter, number, value_getter
from tui.sources.logs.json_line import as_text
from tui.sources.logs.line import LogLine, Severity

Test = Callable[[LogLine], bool]
T = TypeVar("T")

ORDER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "=": operator.eq, "==": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_UNIT: Final = re.compile(r"[-+]?\d+(?:\.\d+)?\s?(ns|us|µs|ms|s|m|h)")


def has_field(name: str) -> Test:
    """Return a test of whether a line has a field."""
    find = getter(name)
    return lambda line: find(line.raw) is not None


def of_level(sign: str, level: Severity) -> Test:
    """Return a test of a line's level; one that does not say its level counts as information."""
    compare = ORDER[sign]
    return lambda line: compare(line[1].level or Severity.INFO, level)


def of_time(sign: str, moment: float) -> Test:
    """Return a test of a line's time."""
    compare = ORDER[sign]
    return lambda line: compare(line[0], moment)


def of_field(name: str, sign: str, plain: str, value: str) -> Test:
    """Return a test of a field: of its number, its text, or whether an expression is in it.

    `plain` is what was typed without its quotes, `value` what was typed if it is an expression. Raises ValueError.
    """
    if sign not in ("~", "=", "==") or (sign != "~" and number(plain) is not None):
        return _numbers(OF_LINES.get(name) or _of_raw(value_getter(name)), sign, plain)
    text = OF_LINES.get(name) or _of_raw(getter(name))
    return _expression(text, value) if sign == "~" else _equal(text, plain)


def _of_raw(find: Callable[[str], T]) -> Callable[[LogLine], T]:
    return lambda line: find(line[2] if line[1].begin >= 0 else line.raw)


OF_LINES: Final[Mapping[str, Callable[[LogLine], str | None]]] = {
    "source": lambda line: line[1].source,
    "origin": lambda line: line[1].origin,
    "line": lambda line: line.raw,
    "text": lambda line: line.text,
}
"""What every line has, whatever it names itself."""


def _expression(text: Callable[[LogLine], str | None], typed: str) -> Test:
    found = search(typed)
    if found.error or (found_in := found.found_in) is None:
        raise ValueError(found.error or "an expression must follow ~")
    return lambda line: (value := text(line)) is not None and found_in(value)


def _numbers(value_of: Callable[[LogLine], Any], sign: str, typed: str) -> Test:
    compare, unit = ORDER[sign], (found[1] if (found := _UNIT.fullmatch(typed)) else "")
    if (limit := number(typed)) is None:
        raise ValueError(f"{typed} is no number, and {sign} compares numbers; = and ~ compare text")

    def test(line: LogLine) -> bool:
        value = value_of(line)
        if value is None:
            return False
        if type(value) is str:
            try:
                value = float(value)
            except ValueError:
                value = number(value, unit)
        elif type(value) is not int and type(value) is not float:
            value = number(as_text(value), unit)
        return value is not None and compare(value, limit)

    return test


def _equal(text: Callable[[LogLine], str | None], typed: str) -> Test:
    if typed == typed.lower():
        return lambda line: (value := text(line)) is not None and value.lower() == typed
    return lambda line: text(line) == typed
