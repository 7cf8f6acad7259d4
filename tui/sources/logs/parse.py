"""One line of a log → its level, its time and what to show, whatever wrote it. Pure, cheap, and it never raises.

Every line is judged by itself, so one file may mix JSON, logfmt, access log, klog, PostgreSQL, Redis and plain text.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from tui.sources.logs.colours import COLOUR, coloured, shifted
from tui.sources.logs.fields import access_line
from tui.sources.logs.json_line import Shape, json_object, object_in, of_status
from tui.sources.logs.levels import HEAD, LETTERS, USUAL, USUAL_LENGTH, level_word, severity_word
from tui.sources.logs.line import REARRANGED, SEPARATOR, LineKind, LogLine, Severity, line_kind
from tui.sources.logs.times import (
    ABBREVIATION,
    ISO,
    access_time,
    any_time,
    day_first_time,
    iso_time,
    klog_time,
    other_time,
    syslog_time,
)
from tui.sources.logs.traces import EXCEPTION, GO_FRAME, OF_STATEMENT, TRACE_HEAD, is_crash
from tui.sources.text import clean

_NONE, _DEBUG, _INFO, _WARN, _ERROR = Severity

_REDIS: Final = {".": _DEBUG, "-": _INFO, "*": _INFO, "#": _WARN}

_LOGFMT_LEVEL: Final = re.compile(r"\b(?:level|lvl|severity|loglevel)=\"?([A-Za-z]+)")
_LOGFMT_TIME: Final = re.compile(r'\b(?:ts|time|timestamp|t)="?([^"\s]+)')
_JSON_LEVEL: Final = re.compile(
    r'"@?(?:level|severity|lvl|levelname|log_level|error_severity)"\s*:\s*"([A-Za-z]+)"', re.I
)
_HEAD_OF_JSON: Final = 2_000
_KLOG: Final = re.compile(r"([IWEF])(\d{4} \d\d:\d\d:\d\d\.\d{6}) ")
_REDIS_LINE: Final = re.compile(r"\d+:[A-Z] (\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(?:\.\d+)?) ([.\-*#]) ")
_SYSLOG: Final = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ")
_PRIORITY: Final = re.compile(r"<(\d{1,3})>")
_MAX_SHAPES: Final = 200
_FRACTION: Final = re.compile(r"[.,](\d+)")
_THOUSANDTHS: Final = {"": 0.0} | {f"{number:03}": number / 1000 for number in range(1000)}
"""Seconds by how a fraction of them is written."""
_NOT_PLAIN: Final = bytes((*range(32), 127))
_new_line: Final = tuple.__new__
"""Half the time of LogLine(…), which asks a Python function first."""


def _held(text: str, raw: str, colours: str) -> str:
    return f"{text}{SEPARATOR}{raw}{SEPARATOR}{colours}" if colours else f"{text}{SEPARATOR}{raw}"


class _Stamp(NamedTuple):
    """How a line with an ISO time was written, so that its like is recognised: in the same second, written the same."""

    head: str
    """Up to the second and, if there is a fraction, its point: `2026-11-22 08:11:24,`."""
    head_end: int
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
    level_end: int
    usual: Mapping[str, LineKind]
    """The kinds of lines by what stands between fraction and `level_end`, where that is a usual word for a level."""


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
        self._access: tuple[str, float | None] = "", None
        """The last time of an access line, as it was written and what it means: it changes once a second."""
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._stamp = _Stamp("\0", 1, 0, "", 0, "", 0.0, 1, 0, {})
        self._kinds: dict[int, LineKind] = {}

    def parse_all(self, lines: Sequence[str], now: float) -> list[LogLine]:
        """Return the lines, in order; see `parse`.

        Most lines of a flood are written as the one before, in the same second: they take a tenth of the time.
        """
        are_plain = _are_plain(lines)
        found: list[LogLine] = []
        stamp = self._stamp
        head, head_end, fraction_end, _, _, _, second_at, _, level_end, usual = stamp
        last: LogLine | None = None
        for line in lines:
            if (
                line[:head_end] == head
                and (kind := usual.get(line[fraction_end:level_end])) is not None
                and (thousandths := _THOUSANDTHS.get(line[head_end:fraction_end])) is not None
                and (are_plain or (line.isascii() and line.isprintable()))
                and not (kind.level is _INFO and ":  " in line)
            ):
                last = _new_line(LogLine, (second_at + thousandths, kind, line))
                found.append(last)
                if kind.level is _ERROR:
                    self.errors += 1
                continue
            if last is not None:
                self._follow(last)
                last = None
            is_plain = are_plain or (line.isascii() and line.isprintable())
            alike = self._within_second(line) if is_plain and line[:1] != "{" else None
            found.append(alike or self._parse(line, now, is_plain=is_plain))
            if self._stamp is not stamp:
                stamp = self._stamp
                head, head_end, fraction_end, _, _, _, second_at, _, level_end, usual = stamp
        if last is not None:
            self._follow(last)
        return found

    def _follow(self, line: LogLine) -> None:
        self._at, self._level, self._in_trace = line[0], line[1].level, False

    def parse(self, line: str, now: float) -> LogLine:
        """Return the line; `errors` grows when it has a level of its own that is error or worse."""
        return self._parse(line, now, is_plain=line.isascii() and line.isprintable())

    def _parse(self, line: str, now: float, *, is_plain: bool) -> LogLine:
        raw, colours = line, ""
        if "\x1b" in line:
            raw, colours = coloured(line)
            line = COLOUR.sub("", line)
        elif not is_plain:
            raw = clean(line)
        first = line[:1]
        if first != "{" and not first.isdigit() and self._continues(first, line):
            at = self._at if self._at is not None else now
            if colours:
                return LogLine(at, self._kind(self._level, REARRANGED, continues=True), _held(raw, raw, colours))
            return LogLine(at, self._kind(self._level, 0, continues=True), raw)
        level, at_or_none, begin, text = self._judge(first, raw, now)
        if level is _INFO and self._level >= _WARN and OF_STATEMENT.search(raw, 0, HEAD):
            at = at_or_none if at_or_none is not None else self._at if self._at is not None else now
            return LogLine(at, self._kind(self._level, begin, continues=True), raw)
        if first in "TCDSgp" and level in (_NONE, _ERROR) and TRACE_HEAD.match(line):
            self._in_trace = True
            level = _ERROR
        else:
            self._in_trace = False
            if level is _NONE and first.isalpha() and is_crash(line):
                level = _ERROR
        if level is _ERROR:
            self.errors += 1
        if at_or_none is None:
            at_or_none = self._at if self._at is not None and (level is _NONE or self.is_of_past) else now
        self._at = at_or_none
        self._level = level
        if begin == REARRANGED:
            if "\\" in raw:  # only what is escaped can become something else than the line is, which is clean
                text, colours = coloured(text) if "\x1b" in text else (clean(text), "")
            else:
                colours = ""
            held = _held(text, raw, colours)
        elif colours := shifted(colours, begin):
            held, begin = _held(raw[begin:], raw, colours), REARRANGED
        else:
            held = raw
        return _new_line(LogLine, (at_or_none, self._kind(level, begin), held))

    def _kind(self, level: Severity, begin: int, *, continues: bool = False) -> LineKind:
        key = begin * 16 + level * 2 + continues
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = line_kind(self.source, self.origin, level, continues, begin)
        return kind

    def _within_second(self, line: str) -> LogLine | None:
        """Return what `parse` would, for a plain line written as the last one with an ISO time was, in the same second.

        None: ask `parse`.
        """
        head, _, fraction_end, tail, begin, unlike, second_at, scale, _, _ = self._stamp
        if not line.startswith(head) or line[fraction_end:begin] != tail or line[begin : begin + 1] in unlike:
            return None
        if unlike != " " and ABBREVIATION.match(line, begin):
            return None
        at = second_at
        if scale > 1:
            fraction = line[len(head) : fraction_end]
            if not fraction.isdecimal():
                return None
            at += int(fraction) / scale
        level = USUAL.get(line[begin : begin + 5])
        if level is None:
            if line[-1:] == "}":
                return None  # an object behind it may name the level
            level = level_word(line[begin - 1 :])
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
        tail = raw[fraction_end:begin]
        self._stamp = _Stamp(
            raw[:head_end],
            head_end,
            fraction_end,
            tail,
            begin,
            " " if has_zone else " ZUG+-",
            float(at // 1),
            10 ** (fraction_end - head_end),
            begin + USUAL_LENGTH,
            {tail + word: self._kind(level, begin) for word, level in USUAL.items()},
        )

    def _continues(self, first: str, line: str) -> bool:
        if self._level is _NONE:
            return False
        if first in (" ", "\t"):
            return True
        if not line:
            return self._in_trace
        if first in "TCDSgp" and TRACE_HEAD.match(line):
            # A crash behind something harmless stands for itself: it is an error, and no part of what went well.
            if not self._in_trace and (self._level < _WARN or line.startswith("panic: ")):
                return False
            self._in_trace = True
            return True
        if self._in_trace and (EXCEPTION.match(line) or GO_FRAME.match(line)):
            return True
        if self._level is _ERROR and first.isalpha() and ":" in line and "." in line[:60] and EXCEPTION.match(line):
            self._in_trace = True
            return True
        return False

    def _judge(self, first: str, raw: str, now: float) -> tuple[Severity, float | None, int, str]:
        """Return level, time, where what to show begins, and what to show when it is rearranged."""
        if first == "{" and (told := self._of_json(raw)) is not None:
            return told[0], told[1], REARRANGED, told[2]
        if first == "{":  # cut off, or not quite JSON
            return (
                severity_word(found[1]) if (found := _JSON_LEVEL.search(raw, 0, _HEAD_OF_JSON)) else _NONE,
                None,
                0,
                "",
            )
        if raw[-1:] == "}" and (end := object_in(raw)):
            return self._behind(raw[: -len(end)], end, raw, now)
        return self._judge_text(first, raw, now)

    def _behind(self, head: str, end: str, raw: str, now: float) -> tuple[Severity, float | None, int, str]:
        """Return the same for an object behind a time or a name, as journalctl, Compose and zap write it."""
        level, at, begin, _ = self._judge_text(head[:1], head, now)
        if level is not _NONE or (told := self._of_json(end)) is None:
            _, at, begin, text = self._judge_text(raw[:1], raw, now)
            return level, at, begin, text
        syslog = _SYSLOG.match(head)
        shown = head[syslog.end() if syslog else max(0, begin) :].strip()
        text = f"{shown} {told[2]}" if shown else told[2]
        return told[0], at if told[1] is None else told[1], REARRANGED, text

    def _judge_text(self, first: str, raw: str, now: float) -> tuple[Severity, float | None, int, str]:
        if first.isdigit() or first == "[":
            if found := ISO.match(raw):
                rest = raw[found.end() :]
                at = self._moment(found[1])
                if at is None or len(rest) < 2:
                    return level_word(rest), at, 0, ""
                if rest[0] == " " and raw.isascii():
                    self._remember(raw, found, at)
                return level_word(rest), at, len(raw) - len(rest.lstrip()), ""
            if redis := _REDIS_LINE.match(raw):
                return _REDIS[redis[2]], day_first_time(redis[1], self._zone), 0, ""
        elif klog := _KLOG.match(raw):
            return LETTERS[klog[1]], klog_time(klog[2], now), 0, ""
        if '] "' in raw and (access := access_line(raw)):
            client, user, when, request, status, size = access.groups()
            level = of_status(status)
            who = client if user == "-" else f"{client} {user}"
            text = f"{status} {request} {who} {size}{raw[access.end() :]}"
            if when != self._access[0]:
                self._access = when, access_time(when)
            return level, self._access[1], REARRANGED, text
        if "=" in raw and (given := _LOGFMT_LEVEL.search(raw)):
            moment = _LOGFMT_TIME.search(raw)
            return severity_word(given[1]), self._any_moment(moment[1]) if moment else None, 0, ""
        if _SYSLOG.match(raw):
            return level_word(raw[16:]), syslog_time(raw, now, self._zone), 0, ""
        if first == "<" and (priority := _PRIORITY.match(raw)):
            number, rest = int(priority[1]) % 8, raw[priority.end() :]
            level = _ERROR if number <= 3 else _WARN if number == 4 else _INFO if number <= 6 else _DEBUG
            at = syslog_time(rest, now, self._zone) if _SYSLOG.match(rest) else other_time(rest, now, self._zone)
            return level, at, 0, ""
        return level_word(raw), other_time(raw, now, self._zone), 0, ""

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
            # Most programs write UTC in thousandths, or no fraction at all.
            if value[:19] == self._second[0] and value[-1] == self._second[1]:
                thousandths = _THOUSANDTHS.get(value[20:-1])
                if thousandths is not None and value[19] in ".,":
                    return self._second_at + thousandths
            if (at := self._moment(value)) is not None:
                return at
        return any_time(value, self._zone)

    def _of_json(self, raw: str) -> tuple[Severity, float | None, str] | None:
        """Return level, time and what to show of a JSON object; None when it is none."""
        if (entry := json_object(raw)) is None:
            return None
        keys = tuple(entry)
        shape = self._shapes.get(keys)
        if shape is None:
            shape = Shape.of(entry)
            if len(self._shapes) < _MAX_SHAPES:
                self._shapes[keys] = shape
        text = shape.text(entry)
        at = self._any_moment(entry[shape.time]) if shape.time else None
        return shape.severity(entry), at, text


def _are_plain(lines: Sequence[str]) -> bool:
    """Tell whether lines hold nothing but printable ASCII: of many at once in a fifth of the time."""
    joined = "".join(lines)
    return joined.isascii() and len(joined.encode().translate(None, _NOT_PLAIN)) == len(joined)
