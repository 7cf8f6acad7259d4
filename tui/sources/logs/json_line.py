"""Lines of logs that are JSON: what is well written is read by a fast machine, what only nearly is by a patient one."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import cache
from typing import Any, Final

from tui.sources.logs.levels import severity
from tui.sources.logs.line import Severity
from tui.sources.logs.times import any_time

_PATIENT: Final = json.JSONDecoder(strict=False).raw_decode
"""Takes NaN, tabs within text and halves of surrogate pairs too; three times the time."""


_EXACT_LEVEL_KEYS: Final = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "severity_text", "s")
"""What tells the level before all others, as it is written: `sieve` counts on it."""
_LEVEL_KEYS: Final = ("level", "severity", "lvl", "levelname", "loglevel", "severitytext", "errorseverity", "@l", "s",
                      "PRIORITY", "severitynumber")  # fmt: skip
_MESSAGE_KEYS: Final = ("msg", "message", "renderedmessage", "@m", "event", "log", "body", "text", "shortmessage",
                        "short", "textpayload", "messagetemplate", "@mt")  # fmt: skip
_TIME_KEYS: Final = ("ts", "time", "timestamp", "asctime", "t", "datetime", "date", "eventtime", "instant",
                     "timemillis", "tsms", "timestampms", "timeunixnano", "timeiso8601", "timelocal", "starttime",
                     "startutc", "requestreceivedtimestamp", "sourcerealtimetimestamp",
                     "realtimetimestamp")  # fmt: skip
"""What members are called, as `_plain` writes it: small letters without signs between them."""
_AS_WRITTEN: Final = frozenset(("@l", "@m", "@mt", "s", "PRIORITY"))
"""Names that would mean too much in other letters, or without their sign."""
_STATUS_KEYS: Final = ("status", "statuscode", "httpstatus", "responsestatus", "responsecode", "downstreamstatus")
_REQUEST_KEYS: Final = frozenset(
    ("request", "requesturi", "requestmethod", "requestpath", "uri", "path", "method", "url")
)
_OF_OPENTELEMETRY: Final = tuple(map(Severity, (0, 1, 1, 2, 3, 4, 4)))
"""By how many fours a severity number is above 0: none, trace, debug, info, warn, error, fatal."""
_OTHER_SIGNS: Final = re.compile(r"[^a-z0-9]")
_FARTHEST: Final = 400
"""An object that does not begin a line begins within so many characters."""
_WRITTEN_OTHERWISE: Final = frozenset((bool, type(None), list, dict))


@cache
def _fast() -> Callable[[str], Any]:
    import msgspec  # which no start should pay

    return msgspec.json.Decoder().decode


def json_object(raw: str) -> dict[str, Any] | None:
    """Return the object that a line is; None when it is none, or has something behind it."""
    try:
        entry = _fast()(raw)
    except (ValueError, RecursionError):
        return _patiently(raw)
    return entry if isinstance(entry, dict) and entry else None


def _patiently(raw: str) -> dict[str, Any] | None:
    try:
        entry, end = _PATIENT(raw)
    except (ValueError, RecursionError):
        return None
    if end < len(raw) and raw[end:].strip():
        return None
    return entry if isinstance(entry, dict) and entry else None


def object_in(raw: str) -> str:
    """Return the JSON text that a line ends with: all of it, or what stands behind a name or a time; empty for none."""
    if raw[:1] == "{":
        return raw
    if raw[-1:] != "}" or (at := raw.find('{"', 0, _FARTHEST)) <= 0 or json_object(raw[at:]) is None:
        return ""
    return raw[at:]


def json_member(name: str) -> Callable[[str], Any]:
    """Return what finds one member of the object that a line is: by its name, or by a path joined by dots.

    It finds None where there is none, where it is null, and where the line is no object.
    """

    def of_all(raw: str) -> Any:
        return _reach(entry, name) if (entry := json_object(raw)) is not None else None

    if "." in name:
        return of_all
    import msgspec

    try:
        line = msgspec.defstruct("Line", [("member", Any, None)], rename={"member": name})
    except ValueError:  # a name that would have to be escaped
        return of_all
    decode: Callable[[str], Any] = msgspec.json.Decoder(line).decode

    def of_one(raw: str) -> Any:
        # Everything else is only skipped, which takes a third of the time.
        try:
            return decode(raw).member
        except (ValueError, RecursionError):
            return of_all(raw)

    return of_one


def _reach(entry: Mapping[str, Any], name: str) -> Any:
    value: Any = entry.get(name)
    if value is None and "." in name:
        value = entry
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    return value


def as_text(value: Any) -> str:
    """Return a JSON value as one writes it in a log: text with blanks quoted, what is nested as JSON."""
    if isinstance(value, str):
        return f'"{value}"' if " " in value or not value else value
    if isinstance(value, dict | list):
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError):
            return "…"
    if value is True or value is False:
        return "true" if value else "false"
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python is willing to print
        return "…"


def _plain(name: str) -> str:
    return name if name in _AS_WRITTEN else _OTHER_SIGNS.sub("", name.lower())


def _named(names: Mapping[str, str], wanted: tuple[str, ...], fits: Callable[[str], bool]) -> str:
    return next((name for key in wanted if (name := names.get(key)) is not None and fits(name)), "")


def of_status(status: str) -> Severity:
    """Return the level of a request that ended with an HTTP status; NONE where it is none."""
    if len(status) != 3 or not status.isdecimal():
        return Severity.NONE
    return Severity.ERROR if status >= "500" else Severity.WARN if status >= "400" else Severity.INFO


def _judge(name: str) -> Callable[[Any], Severity]:
    """Return what makes a level of the value of a member of that name."""
    if _plain(name) != "severitynumber":
        return _severity
    return lambda value: _OF_OPENTELEMETRY[max(0, min(6, (value + 3) // 4))] if type(value) is int else Severity.NONE


def _severity(value: Any) -> Severity:
    if type(value) is str:
        return severity(int(value)) if len(value) < 7 and value.isascii() and value.isdecimal() else severity(value)
    return severity(value.get("name") if isinstance(value, dict) else value)


class Shape:
    """Which of an object's members mean what; the same for all objects with members of the same names."""

    def __init__(self, level: str, time: str, message: str, others: tuple[str, ...], status: str = "") -> None:
        self.level = level
        """Name of the member that tells the level; empty when none does, as with the others."""
        self.time = time
        self.message = message
        self.others = others
        """Names of the rest."""
        self._severity = _judge(level)
        self._status = status
        """Name of the member that tells how a request ended, where nothing tells the level."""
        self._template = " ".join(f"{key.replace('%', '%%')}=%s" for key in others)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Shape":
        """Return the shape of an object."""
        names: dict[str, str] = {}
        for key in entry:
            names.setdefault(_plain(key), key)
        # Of two the first whose value means one: `level` may be how deep something is.
        exact = {key: key for key in _EXACT_LEVEL_KEYS if key in entry}
        level = _named(exact, _EXACT_LEVEL_KEYS, lambda key: _judge(key)(entry[key]) is not Severity.NONE)
        level = level or _named(names, _LEVEL_KEYS, lambda key: _judge(key)(entry[key]) is not Severity.NONE)
        level = level or _named(names, _LEVEL_KEYS, lambda key: not isinstance(entry[key], dict | list))
        moment = _named(names, _TIME_KEYS, lambda key: any_time(entry[key], UTC) is not None)
        message = _named(names, _MESSAGE_KEYS, lambda key: isinstance(entry[key], str))
        status = _named(names, _STATUS_KEYS, lambda _: not level and not _REQUEST_KEYS.isdisjoint(names))
        return cls(level, moment, message, tuple(key for key in entry if key not in (level, moment, message)), status)

    def severity(self, entry: Mapping[str, Any]) -> Severity:
        """Return the level of an object of this shape."""
        if self.level:
            return self._severity(entry[self.level])
        if self._status:
            return of_status(str(entry[self._status])[:4])
        nested = entry.get("log")
        return severity(nested.get("level")) if isinstance(nested, dict) else Severity.NONE

    def text(self, entry: Mapping[str, Any]) -> str:
        """Return what to show of an object of this shape: its message, then its other members."""
        message = entry[self.message] if self.message else ""
        if not isinstance(message, str):
            message = as_text(message)
        values = [entry[key] for key in self.others]
        if _WRITTEN_OTHERWISE.isdisjoint(map(type, values)):
            rest = self._template % (*values,)
            # As many blanks as between members, and nothing is empty: no value needs quotes.
            if rest.count(" ") == len(values) - 1 and "= " not in rest and rest[-1:] != "=":
                return f"{message} {rest}" if self.message else rest
        shown = [f"{key}={as_text(value)}" for key, value in zip(self.others, values, strict=True) if value is not None]
        return " ".join([message, *shown] if self.message else shown)
