"""Label and field selectors as kubectl takes them, for what is already here: nothing is asked of the server."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Test = Callable[[Mapping[str, str]], bool]

_SET: Final = re.compile(r"^(?P<key>\S+)\s+(?P<sign>in|notin)\s*\((?P<values>[^()]*)\)$")
_PAIR: Final = re.compile(r"^(?P<key>[^\s=!]+)\s*(?P<sign>==|!=|=)\s*(?P<value>[^\s=!]*)$")
_KEY: Final = re.compile(r"^(?P<no>!?)\s*(?P<key>[^\s=!(),]+)$")


@dataclass(frozen=True, slots=True)
class Selector:
    """What somebody typed, understood."""

    words: str
    """As it was typed."""
    keys: frozenset[str]
    """The labels or fields it names."""
    _tests: tuple[Test, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels, or the values of fields, are what was asked for."""
        return all(test(labels) for test in self._tests)


def label_selector(typed: str) -> Selector:
    """Return a selector of labels: `app=api,tier!=db,env in (a, b),!canary`.

    Raises:
        ValueError: it cannot be understood; the message says why.
    """
    return _selector(typed, _label_test)


def field_selector(typed: str) -> Selector:
    """Return a selector of fields: `status.phase!=Running,spec.nodeName=node-1`.

    Raises:
        ValueError: it cannot be understood; the message says why.
    """
    return _selector(typed, _field_test)


def _selector(typed: str, understood: Callable[[str], tuple[str, Test]]) -> Selector:
    pairs = [understood(term) for term in _terms(typed)]
    return Selector(typed, frozenset(key for key, _ in pairs), tuple(test for _, test in pairs))


def _terms(typed: str) -> list[str]:
    # A comma inside brackets separates values, not terms.
    terms = [term.strip() for term in re.split(r",(?![^(]*\))", typed)]
    if not all(terms):
        raise ValueError("a selector is missing between commas")
    return terms


def _label_test(term: str) -> tuple[str, Test]:
    if found := _SET.match(term):
        is_in = found["sign"] == "in"
        values = frozenset(value.strip() for value in found["values"].split(","))
        return (key := found["key"]), lambda labels: (labels.get(key) in values) == is_in
    if found := _KEY.match(term):
        is_absent = bool(found["no"])
        return (key := found["key"]), lambda labels: (key not in labels) == is_absent
    if (found := _PAIR.match(term)) is None:
        raise ValueError(f"not a label selector: {term}")
    value, is_equal = found["value"], found["sign"] != "!="
    return (key := found["key"]), lambda labels: (labels.get(key) == value) == is_equal


def _field_test(term: str) -> tuple[str, Test]:
    if (found := _PAIR.match(term)) is None:
        raise ValueError(f"not a field selector: {term}")
    value, is_equal = found["value"], found["sign"] != "!="
    # What has no such field (a node has no phase) is not what was asked for, either way.
    return (key := found["key"]), lambda fields: key in fields and (fields[key] == value) == is_equal
