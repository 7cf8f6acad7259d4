"""The fields of a log line, whatever wrote it: JSON keys, logfmt pairs, parts of an access line, columns. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tui.sources.logs.json_line import as_text, json_member, json_object, object_in
from tui.sources.text import clean

_LOGFMT: Final = re.compile(r'([A-Za-z_][\w.\-/]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s|$)')
_REST_OF_ACCESS: Final = r'(\S+) \S+ (\S+) \[([^\]]{20,30})\] "([^"\\]*(?:\\.[^"\\]*)*)" (\d{3}) (\S+)'
_ACCESS: Final = re.compile(_REST_OF_ACCESS)
_ACCESS_OF_HOST: Final = re.compile(rf"\S+ {_REST_OF_ACCESS}")
"""As Apache writes it for several hosts, whose name comes first."""
_REQUEST: Final = re.compile(r"([A-Z]{3,10}) ([^ ?#]+)")
_VALUE: Final = re.compile(r'("(?:[^"\\]|\\.)*"|[^\s"]*)')
_EXCEPTION: Final = re.compile(
    r"\b(?:[A-Za-z_]\w*\.)*([A-Z]\w{0,80}(?:Error|Exception|Interrupt|Failure|Timeout|Panic))\b"
)
_CLIENT: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_LONGEST_SHAPE: Final = 300
_VARYING: Final = re.compile(r"(?<![A-Za-z])[0-9a-fA-F-]*\d[0-9a-fA-F-]*(?:\.\d+)?")
_NUMBER: Final = re.compile(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s?(ns|us|µs|ms|s|m|h|%)?")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BEFORE_PAIR: Final = frozenset(("", " ", ",", "(", "[", "{"))
_MOST: Final = 200
_MOST_TEXT: Final = 20_000

Getter = Callable[[str], str | None]
"""From a whole line, cleaned, to a field's text; None when the line has no such field."""


def access_line(raw: str) -> re.Match[str] | None:
    """Return client, user, time, request, status and size of a line of a web server; None when it is none."""
    return _ACCESS.match(raw) or _ACCESS_OF_HOST.match(raw)


def fields(raw: str) -> tuple[tuple[str, str], ...]:
    """Return what a line names: JSON keys (nested ones joined by dots), logfmt pairs, the parts of an access line."""
    if (text := object_in(raw)) and (entry := json_object(text)) is not None:
        found: list[tuple[str, str]] = []
        _flatten("", entry, found, 0)
        return (*_logfmt(raw[: -len(text)]), *found)
    if access := access_line(raw):
        names = ("client", "user", "time", "request", "status", "bytes")
        rest = _logfmt(raw[access.end() :])
        return (*zip(names, access.groups(), strict=True), *_request(access[4]), *rest)
    return _logfmt(raw)


def _request(request: str) -> tuple[tuple[str, str], ...]:
    found = _REQUEST.match(request)
    return (("method", found[1]), ("path", found[2])) if found else ()


def _logfmt(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, clean(_unquoted(value))) for key, value in _LOGFMT.findall(text[:_MOST_TEXT])[:_MOST])


def _unquoted(value: str) -> str:
    if value[:1] != '"':
        return value
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), value[1:-1]) if "\\" in value else value[1:-1]


def _flatten(prefix: str, value: Any, found: list[tuple[str, str]], depth: int) -> None:
    if isinstance(value, dict) and depth < 5:
        for key, each in value.items():
            _flatten(f"{prefix}.{key}" if prefix else str(key), each, found, depth + 1)
    elif len(found) < _MOST:
        found.append((clean(prefix, limit=200), clean(value if isinstance(value, str) else as_text(value))))


def pretty(raw: str) -> str:
    """Return a JSON line indented over several lines, cleaned; empty when the line is not JSON."""
    if not (text := object_in(raw)) or (entry := json_object(text)) is None:
        return ""
    try:
        indented = json.dumps(entry, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""
    return "\n".join(clean(line) for line in indented.split("\n")[:2000])


def exception(raw: str) -> str | None:
    """Return the type of the first error or exception that a line names, without its package."""
    found = _EXCEPTION.search(raw, 0, _MOST_TEXT)
    return found[1] if found else None


def address(raw: str) -> str | None:
    """Return the first IPv4 address that a line names."""
    found = _CLIENT.search(raw, 0, _MOST_TEXT)
    return found[0] if found else None


DERIVED: Final[Mapping[str, Getter]] = {"exception": exception, "address": address}
"""What can be asked of any line, where it has no field of that name."""


ACCESS_PARTS: Final[Mapping[str, int]] = {
    "client": 1,
    "user": 2,
    "time": 3,
    "request": 4,
    "status": 5,
    "bytes": 6,
    "method": 0,
    "path": 0,
}
"""Names of the parts of an access line, which it does not name itself; 0: part of the request."""


def getter(name: str) -> Getter:
    """Return what finds one field of a line without looking for the others.

    `$4` is the fourth word of the line, as awk counts; a line's own field comes before one that is derived.
    """
    find = value_getter(name)

    def text_of(raw: str) -> str | None:
        value = find(raw)
        return value if value is None or isinstance(value, str) else as_text(value)

    return text_of


def value_getter(name: str) -> Callable[[str], Any]:
    """Return the same, but of a JSON line the value as it stands there: a number stays one."""
    if name[:1] == "$" and name[1:].isdecimal():
        return _column(int(name[1:4]))
    derived, key = DERIVED.get(name), f'"{name.partition(".")[0]}"'
    start, of_json, pair = f"{name}=", json_member(name), _pair(f"{name}=")
    part, is_of_request = ACCESS_PARTS.get(name), name in ("method", "path")

    def find(raw: str) -> Any:
        if raw[:1] == "{":
            if key in raw and (value := of_json(raw)) is not None:
                return value
        elif (at := raw.find(start, 0, _MOST_TEXT)) >= 0 and (value := pair(raw, at)) is not None:
            return value
        elif raw[-1:] == "}" and key in raw:
            if (value := of_json(object_in(raw))) is not None:
                return value
        elif (part or is_of_request) and '] "' in raw and (access := access_line(raw)):
            if part:
                return access[part]
            return dict(_request(access[4])).get(name)
        return derived(raw) if derived else None

    return find


def _pair(start: str) -> Callable[[str, int], str | None]:
    def find(raw: str, at: int) -> str | None:
        while at >= 0:
            before = raw[at - 1 : at]
            if before in _BEFORE_PAIR or before.isspace():
                end = raw.find(" ", at)
                value = raw[at + length : end] if end >= 0 else raw[at + length :]
                if value.isalnum():  # most are, and the rest need an expression
                    return value
                found = _VALUE.match(raw, at + length, _MOST_TEXT)
                return clean(_unquoted(found[1])) if found else None
            at = raw.find(start, at + 1, _MOST_TEXT)
        return None

    length = len(start)
    return find


def _column(number: int) -> Getter:
    def find(raw: str) -> str | None:
        words = raw.split(None, number)
        return words[number - 1] if 0 < number <= len(words) else raw if number == 0 else None

    return find


def shape_of(text: str) -> str:
    """Return a text with numbers, ids and quoted values taken out: equal for lines that say the same thing."""
    return _VARYING.sub("#", text[:_LONGEST_SHAPE])


def number(text: str, unit: str = "") -> float | None:
    """Return the number that a value begins with, as `1500` or `1.5s`; None when it does not.

    With a `unit` of time, a value that has one too is converted to it, and one that has none is taken to be in it.
    """
    try:
        return float(text)
    except ValueError:
        found = _NUMBER.fullmatch(text.strip()[:40])
    if found is None:
        return None
    value = float(found[1])
    if unit in _SECONDS and (own := found[2]) in _SECONDS:
        return value * _SECONDS[own] / _SECONDS[unit]
    return value
