"""Lines of logs that are JSON: what is well written is read by a fast machine, what only nearly is by a patient one."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import cache
from typing import Any, Final

from tui.sources.logs.levels import severity
from tui.sources.logs.line import Severity
from tui.sources.logs.times import any_time

_PATIENT: Final = json.JSONDecoder(strict=False).raw_decode
"""Takes NaN, tabs within text and halves of surrogate pairs too; three times the time."""


_LEVEL_KEYS: Final = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "severity_text", "s")
_MESSAGE_KEYS: Final = ("msg", "message", "event", "log", "body", "text", "short_message", "MESSAGE")
_TIME_KEYS: Final = ("ts", "time", "timestamp", "@timestamp", "asctime", "t", "datetime", "date", "eventTime")
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


class Shape:
    """Which of an object's members mean what; the same for all objects with members of the same names."""

    def __init__(self, level: str, time: str, message: str, others: tuple[str, ...]) -> None:
        self.level = level
        """Name of the member that tells the level; empty when none does, as with the others."""
        self.time = time
        self.message = message
        self.others = others
        """Names of the rest."""
        self._template = " ".join(f"{key.replace('%', '%%')}=%s" for key in others)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Shape":
        """Return the shape of an object."""
        level = next((key for key in _LEVEL_KEYS if key in entry and not isinstance(entry[key], dict | list)), "")
        moment = next((key for key in _TIME_KEYS if key in entry and any_time(entry[key], UTC) is not None), "")
        message = next((key for key in _MESSAGE_KEYS if isinstance(entry.get(key), str)), "")
        return cls(level, moment, message, tuple(key for key in entry if key not in (level, moment, message)))

    def severity(self, entry: Mapping[str, Any]) -> Severity:
        """Return the level of an object of this shape."""
        if self.level:
            return severity(entry[self.level])
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
