"""One line of a log → its level, its time and what to show, whatever wrote it. Pure, cheap, and it never raises.

Every line is judged by itself, so one file may mix JSON, logfmt, access log, klog, PostgreSQL, Redis and plain text.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, Final, NamedTuple

from tui.sources.logs.colours import COLOUR, coloured, shifted
from tui.sources.logs.line import REARRANGED, SEPARATOR, LineKind, LogLine, Severity, line_kind
from tui.sources.logs.times import (
    ISO,
    access_time,
    any_time,
    day_first_time,
    iso_time,
    klog_time,
    other_time,
    syslog_time,
)
from tui.sources.text import clean

_NONE, _DEBUG, _INFO, _WARN, _ERROR = Severity

_WORDS: Final[Mapping[str, Severity]] = {
    **dict.fromkeys(("trace", "debug", "verbose", "fine", "finer", "finest", "dbg", "trc", "debug1", "debug2", "debug3",
                     "debug4", "debug5"), _DEBUG),
    **dict.fromkeys(("info", "information", "informational", "notice", "log", "statement", "detail", "hint", "context",
                     "config", "inf", "informativo", "ok", "audit"), _INFO),
    **dict.fromkeys(("warn", "warning", "wrn"), _WARN),
    **dict.fromkeys(("error", "err", "severe", "fatal", "critical", "crit", "panic", "alert", "emerg", "emergency",
                     "eror", "ftl", "dpanic", "exception"), _ERROR),
}  # fmt: skip
_USUAL: Final = {"INFO ": _INFO, "DEBUG": _DEBUG, "WARN ": _WARN, "ERROR": _ERROR}
_LETTERS: Final = {"T": _DEBUG, "D": _DEBUG, "V": _DEBUG, "I": _INFO, "N": _INFO, "W": _WARN, "E": _ERROR, "F": _ERROR,
                   "C": _ERROR}  # fmt: skip
_REDIS: Final = {".": _DEBUG, "-": _INFO, "*": _INFO, "#": _WARN}

_LEVEL_KEYS: Final = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "severity_text", "s")
_MESSAGE_KEYS: Final = ("msg", "message", "event", "log", "body", "text", "short_message", "MESSAGE")
_TIME_KEYS: Final = ("ts", "time", "timestamp", "@timestamp", "asctime", "t", "datetime", "date", "eventTime")

_UPPER: Final = re.compile(
    r"\b(TRACE|DEBUG[1-5]?|VERBOSE|INFO|NOTICE|LOG|STATEMENT|DETAIL|HINT|WARN(?:ING)?|ERR(?:OR)?|SEVERE|FATAL|CRIT(?:ICAL)?"
    r"|PANIC|ALERT|EMERG)\b"
)
_LOWER: Final = re.compile(
    r"(?:^|[\[<(|\s]|\[\w+:)(trace|debug|info|notice|warn(?:ing)?|err(?:or)?|fatal|crit(?:ical)?|panic|alert|emerg)(?:[\]>)|:]|\s-)",
    re.IGNORECASE,
)
_LOGFMT_LEVEL: Final = re.compile(r"\b(?:level|lvl|severity|loglevel)=\"?([A-Za-z]+)")
_LOGFMT_TIME: Final = re.compile(r'\b(?:ts|time|timestamp|t)="?([^"\s]+)')
_ACCESS: Final = re.compile(r'(\S+) \S+ (\S+) \[([^\]]{20,30})\] "([^"]*)" (\d{3}) (\S+)')
_KLOG: Final = re.compile(r"([IWEF])(\d{4} \d\d:\d\d:\d\d\.\d{6}) ")
_REDIS_LINE: Final = re.compile(r"\d+:[A-Z] (\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(?:\.\d+)?) ([.\-*#]) ")
_SYSLOG: Final = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ")
_PRIORITY: Final = re.compile(r"<(\d{1,3})>")
_TRACE_HEAD: Final = re.compile(
    r"Traceback \(most recent call last\)|Caused by: |goroutine \d+ \[|panic: |During handling of the above|"
    r"The above exception was|Stack trace:|Suppressed: "
)
_EXCEPTION: Final = re.compile(
    r"(?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*(?:Error|Exception|Throwable|Interrupt|Exit|Warning)?\b(?::|$)"
)
_OF_STATEMENT: Final = re.compile(r" (?:DETAIL|HINT|CONTEXT|QUERY|STATEMENT|LOCATION):  ")
"""How PostgreSQL goes on about an error or a warning."""
_GO_FRAME: Final = re.compile(
    r"(?:created by )?[\w./-]+\.[\w.()*-]+(?:\(.*\)| in goroutine \d+)$|goroutine \d+ |exit status "
)
_HEAD: Final = 160
"""Level words are looked for in this many first characters only: later ones belong to the message."""

_DECODE: Final = json.JSONDecoder(strict=False).raw_decode
_FRACTION: Final = re.compile(r"[.,](\d+)")
_MAX_SHAPES: Final = 200
_new_line: Final = tuple.__new__
"""Half the time of LogLine(…), which asks a Python function first."""


def _held(text: str, raw: str, colours: str) -> str:
    return f"{text}{SEPARATOR}{raw}{SEPARATOR}{colours}" if colours else f"{text}{SEPARATOR}{raw}"


class _Stamp(NamedTuple):
    """How a line with an ISO time was written; `_within_second` recognises its like."""

    head: str
    """Up to the second and, if there is a fraction, its point: `2026-11-22 08:11:24,`."""
    fraction_end: int
    tail: str
    """Between fraction and level, with the zone, the bracket and one space."""
    begin: int
    """Where what to show begins."""
    unlike: str
    """With what may not go on there: it might belong to the time."""
    second_at: float
    scale: int
    """10 to the number of the fraction's digits."""


class LineParser:
    """Parses the lines of one origin in order; remembers what a stack trace belongs to."""

    def __init__(self, source: str, origin: str, zone: tzinfo | None = None) -> None:
        self.source = source
        self.origin = origin
        self._zone = zone
        """Of times without one; None: this machine's."""
        self._at: float | None = None
        self._level = _NONE
        self._in_trace = False
        self.errors = 0
        """Lines so far with a level of their own that is error or worse."""
        self.is_of_past = False
        """Whether lines were written long before they are read: one without a time has that of the line before."""
        self._second = ("", "")
        self._second_at = 0.0
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._stamp = _Stamp("\0", 0, "", 0, "", 0.0, 1)
        self._kinds: dict[int, LineKind] = {}

    def parse_all(self, lines: Sequence[str], now: float) -> list[LogLine]:
        """Return the lines, in order; see `parse`."""
        return [self._within_second(line) or self.parse(line, now) for line in lines]

    def parse(self, line: str, now: float) -> LogLine:
        """Return the line; `errors` grows when it has a level of its own that is error or worse."""
        colours = ""
        if "\x1b" in line:
            raw, colours = coloured(line)
            line = COLOUR.sub("", line)
        else:
            raw = line if line.isascii() and line.isprintable() else clean(line)
        first = line[:1]
        if first != "{" and not first.isdigit() and self._continues(first, line):
            at = self._at if self._at is not None else now
            if colours:
                return LogLine(at, self._kind(self._level, REARRANGED, continues=True), _held(raw, raw, colours))
            return LogLine(at, self._kind(self._level, 0, continues=True), raw)
        level, at_or_none, begin, text = self._judge(first, raw, now)
        if level is _INFO and self._level >= _WARN and _OF_STATEMENT.search(raw, 0, _HEAD):
            at = at_or_none if at_or_none is not None else self._at if self._at is not None else now
            return LogLine(at, self._kind(self._level, begin, continues=True), raw)
        if first in "TCDSgp" and level in (_NONE, _ERROR) and _TRACE_HEAD.match(line):
            self._in_trace = True
            level = _ERROR
        else:
            self._in_trace = False
        if level is _ERROR:
            self.errors += 1
        if at_or_none is None:
            at_or_none = self._at if self._at is not None and (level is _NONE or self.is_of_past) else now
        self._at = at_or_none
        self._level = level
        if begin == REARRANGED:
            text, colours = coloured(text) if "\x1b" in text else (clean(text), "")
            held = _held(text, raw, colours)
        elif colours := shifted(colours, begin):
            held, begin = _held(raw[begin:], raw, colours), REARRANGED
        else:
            held = raw
        return LogLine(at_or_none, self._kind(level, begin), held)

    def _kind(self, level: Severity, begin: int, *, continues: bool = False) -> LineKind:
        key = begin * 16 + level * 2 + continues
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = line_kind(self.source, self.origin, level, continues, begin)
        return kind

    def _within_second(self, line: str) -> LogLine | None:
        """Return what `parse` would, for a line written as the last one with an ISO time was, in the same second.

        That is most lines of a flood, and takes a fifth of the time. None: ask `parse`.
        """
        head, fraction_end, tail, begin, unlike, second_at, scale = self._stamp
        if (
            not line.startswith(head)
            or line[fraction_end:begin] != tail
            or line[begin : begin + 1] in unlike
            or not (line.isascii() and line.isprintable())
        ):
            return None
        at = second_at
        if scale > 1:
            fraction = line[len(head) : fraction_end]
            if not fraction.isdecimal():
                return None
            at += int(fraction) / scale
        level = _USUAL.get(line[begin : begin + 5])
        if level is None:
            level = _level_word(line[begin - 1 :])
        if level is _INFO and self._level >= _WARN and ":  " in line:
            return None  # it may belong to that line, as what PostgreSQL tells of a statement that failed
        if level is _ERROR:
            self.errors += 1
        self._in_trace = False
        self._at = at
        self._level = level
        kind = self._kinds.get(begin * 16 + level * 2)
        return _new_line(LogLine, (at, kind or self._kind(level, begin), line))

    def _remember(self, raw: str, found: re.Match[str], at: float) -> None:
        """Keep how a line with an ISO time was written, for `_within_second`."""
        seconds_end = found.start(1) + 19
        fraction = _FRACTION.match(raw, seconds_end)
        head_end, fraction_end = fraction.span(1) if fraction else (seconds_end, seconds_end)
        begin = found.end() + 1
        has_zone = fraction_end < found.end()  # or a bracket, which ends the time as well
        self._stamp = _Stamp(
            raw[:head_end],
            fraction_end,
            raw[fraction_end:begin],
            begin,
            " " if has_zone else " ZUG+-",
            float(at // 1),
            10 ** (fraction_end - head_end),
        )

    def _continues(self, first: str, line: str) -> bool:
        if self._level is _NONE:
            return False
        if first in (" ", "\t"):
            return True
        if not line:
            return self._in_trace
        if first in "TCDSgp" and _TRACE_HEAD.match(line):
            # A crash behind something harmless stands for itself: it is an error, and no part of what went well.
            if not self._in_trace and (self._level < _WARN or line.startswith("panic: ")):
                return False
            self._in_trace = True
            return True
        if self._in_trace and (_EXCEPTION.match(line) or _GO_FRAME.match(line)):
            return True
        if self._level is _ERROR and first.isalpha() and ":" in line and "." in line[:60] and _EXCEPTION.match(line):
            self._in_trace = True
            return True
        return False

    def _judge(self, first: str, raw: str, now: float) -> tuple[Severity, float | None, int, str]:
        """Return level, time, where what to show begins, and what to show when it is rearranged."""
        if first == "{" and (entry := json_object(raw)) is not None:
            level, at, text = self._json(entry)
            return level, at, REARRANGED, text
        if first.isdigit() or first == "[":
            if found := ISO.match(raw):
                rest = raw[found.end() :]
                at = self._moment(found[1])
                if at is None or len(rest) < 2:
                    return _level_word(rest), at, 0, ""
                if rest[0] == " " and raw.isascii():
                    self._remember(raw, found, at)
                return _level_word(rest), at, len(raw) - len(rest.lstrip()), ""
            if redis := _REDIS_LINE.match(raw):
                return _REDIS[redis[2]], day_first_time(redis[1], self._zone), 0, ""
        elif klog := _KLOG.match(raw):
            return _LETTERS[klog[1]], klog_time(klog[2], now), 0, ""
        if '] "' in raw and (access := _ACCESS.match(raw)):
            client, user, when, request, status, size = access.groups()
            level = _ERROR if status >= "500" else _WARN if status >= "400" else _INFO
            who = client if user == "-" else f"{client} {user}"
            text = f"{status} {request} {who} {size}{raw[access.end() :]}"
            return level, access_time(when), REARRANGED, text
        if "=" in raw and (given := _LOGFMT_LEVEL.search(raw)):
            moment = _LOGFMT_TIME.search(raw)
            return severity_word(given[1]), any_time(moment[1], self._zone) if moment else None, 0, ""
        if _SYSLOG.match(raw):
            return _level_word(raw[16:]), syslog_time(raw, now), 0, ""
        if first == "<" and (priority := _PRIORITY.match(raw)):
            number, rest = int(priority[1]) % 8, raw[priority.end() :]
            level = _ERROR if number <= 3 else _WARN if number == 4 else _INFO if number <= 6 else _DEBUG
            at = syslog_time(rest, now) if _SYSLOG.match(rest) else other_time(rest, now, self._zone)
            return level, at, 0, ""
        return _level_word(raw), other_time(raw, now, self._zone), 0, ""

    def _moment(self, text: str) -> float | None:
        """Return the moment of an ISO time; within the same second as the last one, only the fraction is read."""
        head, rest = text[:19], text[19:]
        zone = "Z" if rest[-1:] == "Z" else ""
        digits = rest[1:-1] if zone else rest[1:]
        is_simple = rest[:1] in (".", ",") and digits.isdecimal()
        if is_simple and (head, zone) == self._second:
            return self._second_at + float(f"0.{digits}")
        at = iso_time(text, self._zone)
        if is_simple and at is not None:
            self._second, self._second_at = (head, zone), float(at // 1)
        return at

    def _any_moment(self, value: Any) -> float | None:
        if type(value) is str and 19 <= len(value) <= 40:
            return self._moment(value)
        return any_time(value, self._zone)

    def _json(self, entry: dict[str, Any]) -> tuple[Severity, float | None, str]:
        keys = tuple(entry)
        shape = self._shapes.get(keys)
        if shape is None:
            shape = _shape(entry)
            if len(self._shapes) < _MAX_SHAPES:
                self._shapes[keys] = shape
        level = _severity(entry[shape.level]) if shape.level else _nested_severity(entry)
        at = self._any_moment(entry[shape.time]) if shape.time else None
        shown = [_message(entry[shape.message])] if shape.message else []
        for key in shape.others:
            value = entry[key]
            kind = type(value)
            if kind is int or kind is float or (kind is str and value and " " not in value):
                shown.append(f"{key}={value}")
            elif value is not None:
                shown.append(f"{key}={as_text(value)}")
        return level, at, " ".join(shown)


class _Shape(NamedTuple):
    """Which of an object's keys mean what; the same for all objects with the same keys."""

    level: str
    time: str
    message: str
    others: tuple[str, ...]


def _shape(entry: Mapping[str, Any]) -> _Shape:
    level = next((key for key in _LEVEL_KEYS if key in entry and not isinstance(entry[key], dict | list)), "")
    moment = next((key for key in _TIME_KEYS if key in entry and any_time(entry[key], UTC) is not None), "")
    message = next((key for key in _MESSAGE_KEYS if isinstance(entry.get(key), str)), "")
    return _Shape(level, moment, message, tuple(key for key in entry if key not in (level, moment, message)))


def _message(value: Any) -> str:
    return value if isinstance(value, str) else as_text(value)


def _nested_severity(entry: Mapping[str, Any]) -> Severity:
    nested = entry.get("log")
    return _severity(nested.get("level")) if isinstance(nested, dict) else _NONE


def json_object(raw: str) -> dict[str, Any] | None:
    """Return the object that a line is; None when it is none, or has something behind it."""
    try:
        entry, end = _DECODE(raw)
    except (ValueError, RecursionError):
        return None
    if end < len(raw) and raw[end:].strip():
        return None
    return entry if isinstance(entry, dict) and entry else None


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


def _severity(value: Any) -> Severity:
    if isinstance(value, str):
        return severity_word(value)
    if isinstance(value, int) and not isinstance(value, bool):  # pino and bunyan 10…60; Python's 10…50; syslog 0…7
        if value >= 10:
            return _ERROR if value >= 50 else _WARN if value >= 40 else _INFO if value >= 30 else _DEBUG
        return _ERROR if 0 <= value <= 3 else _WARN if value == 4 else _INFO if 0 <= value <= 6 else _NONE
    return _NONE


def severity_word(word: str) -> Severity:
    """Return the level that a word or a letter names; NONE when it names none."""
    if (known := _WORDS.get(word)) is not None:
        return known
    if len(word) == 1:
        return _LETTERS.get(word.upper(), _NONE)
    return _WORDS.get(word.strip().lower(), _NONE)


def _level_word(text: str) -> Severity:
    if (usual := _USUAL.get(text.lstrip()[:5])) is not None:
        return usual
    if found := _UPPER.search(text, 0, _HEAD):
        return _WORDS[found[1].lower()]
    if found := _LOWER.search(text, 0, _HEAD):
        return _WORDS[found[1].lower()]
    return _NONE
