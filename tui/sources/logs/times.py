"""Times as log lines write them → seconds since 1970."""

import re
import time
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Final

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_FRACTION: Final = re.compile(r"[.,](\d{6})\d+")
_ABBREVIATIONS: Final = {
    "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "AEST": 10,
    "AEDT": 11, "NZST": 12, "NZDT": 13, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8,
    "PDT": -7,
}  # fmt: skip
"""Hours east of UTC, as PostgreSQL reads them; without those that mean several zones to it."""
_NAMED_ZONE: Final = "|".join(sorted(_ABBREVIATIONS, key=len, reverse=True))
ABBREVIATION: Final = re.compile(rf"(?:{_NAMED_ZONE})(?![A-Za-z])")
_ZONE: Final = re.compile(rf"(?<=\d) ?(?:{_NAMED_ZONE})$|(?<=\d) (?=[+-]\d\d)")
ISO: Final = re.compile(
    r"\[?(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?"
    rf"(?: ?(?:Z|UTC|[+-]\d\d:?\d\d(?!\d)|(?=[CEGJMNPWA])(?:{_NAMED_ZONE})(?![A-Za-z])))?)\]?"
)
_ACCESS: Final = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})")
_KLOG: Final = re.compile(r"(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6})")
_DAY_FIRST: Final = re.compile(r"(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?")
_AGO: Final = re.compile(r"-\s?(\d{1,6}(?:\.\d{1,3})?)\s?(s|m|h|d)")
_AGO_S: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_TIME_OF_DAY: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?")
_EPOCH: Final = re.compile(r"(1\d{9})(?:[.,](\d{1,9})|(\d{3}))?(?=[\s\]:|])")
_CLOCK: Final = re.compile(r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?=[\s\]|])")
_DATE: Final = re.compile(
    r"(\d\d)([-./ ])(\d\d|[A-Z][a-z]{2})\2(\d{4}),?[ :](\d{1,2}):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ?([AaPp])[Mm])?"
    r"( ?[+-]\d{4})?"
)
_MONTH_FIRST: Final = re.compile(
    r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d)(?:[ \u202f]?([AaPp])[Mm])?(?=[\s\]])"
)
_WEEKDAY: Final = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (?:(UTC|GMT) )?(\d{4})"
)
_LATE: Final = 80
"""An ISO time that does not begin a line begins within so many characters."""
_BEFORE: Final = re.compile(r"(?:(?:[A-Z]+|\S*[^\sA-Za-z]\S*)\s+){1,3}(?=\[?\d{4}[-/])")
"""What an ISO time may stand behind: `INFO`, `[main]`, `api-1 |`; behind a sentence it would be what that is about."""
_SHORT: Final = re.compile(r"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(?!:)(.*)$")
_SYSLOG: Final = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)")


def iso_time(text: str, zone: tzinfo | None) -> float | None:
    """Return the moment an ISO-like time means; `zone` (None: this machine's) for one without its own."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = datetime.fromisoformat(
                _ZONE.sub(partial(_offset, zone), _FRACTION.sub(r".\1", text.replace("/", "-")))
            )
        except ValueError:
            return None
    if found.tzinfo is None and zone is not None:
        found = found.replace(tzinfo=zone)
    return _timestamp(found)


def _offset(zone: tzinfo | None, match: re.Match[str]) -> str:
    if not (name := match.group().strip()):
        return ""
    hours = _ABBREVIATIONS[name]
    # CST is one zone in Chicago and another in Shanghai: who is there means his own.
    return "" if hours and zone is None and name in time.tzname else f"{hours:+03}:00"


def any_time(value: Any, zone: tzinfo | None) -> float | None:
    """Return the moment a JSON field means: an ISO text, a web server's, or seconds, ms, µs or ns since 1970."""
    if isinstance(value, str):
        if len(value) > 40:
            return None
        return (
            iso_time(value, zone)
            or (any_time(float(value), zone) if value.replace(".", "", 1).isdecimal() else None)
            or access_time(value)
        )
    if isinstance(value, dict):  # as MongoDB and Log4j write it
        seconds, parts = value.get("epochSecond"), value.get("nanoOfSecond")
        if type(seconds) is not int:
            return any_time(value["$date"], zone) if isinstance(value.get("$date"), str) else None
        whole = any_time(seconds, zone)
        return whole + parts / 1e9 if whole is not None and type(parts) is int and 0 <= parts < 1e9 else whole
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    for divisor in (1, 1e3, 1e6, 1e9):
        if 1e8 * divisor <= value < 1e10 * divisor:  # compared, not divided: an integer of 400 digits is no float
            return float(value / divisor)
    return None


def access_time(text: str) -> float | None:
    """Return the moment of `22/Nov/2026:08:11:24 +0000`."""
    found = _ACCESS.match(text)
    if found is None:
        return None
    day, month, year, hour, minute, second, offset = found.groups()
    return iso_time(f"{year}-{_MONTHS.get(month, 0):02}-{day}T{hour}:{minute}:{second}{offset}", UTC)


def klog_time(text: str, now: float) -> float | None:
    """Return the moment of `1122 08:11:24.123456` (UTC in containers), in the year that is nearest to `now`."""
    found = _KLOG.match(text)
    if found is None:
        return None
    month, day, hour, minute, second, micro = map(int, found.groups())
    return _near(now, month, day, hour, minute, second, micro, UTC)


def day_first_time(text: str, zone: tzinfo | None) -> float | None:
    """Return the moment of Redis's `22 Nov 2026 08:11:24.123`."""
    found = _DAY_FIRST.match(text)
    if found is None:
        return None
    day, month, year, hour, minute, second, fraction = found.groups()
    return iso_time(
        f"{year}-{_MONTHS.get(month, 0):02}-{int(day):02}T{hour}:{minute}:{second}.{(fraction or '0').ljust(6, '0')}",
        zone,
    )


def other_time(text: str, now: float, zone: tzinfo | None) -> float | None:
    """Return the moment that a line's beginning means in a less common form; None when it names none.

    Seconds or milliseconds since 1970, `26.11.2026 08:11:24`, `26-Nov-2026 08:11:24.123`, `Thu Nov 26 08:11:24 2026`,
    `08:11:24.123` (of the day that is nearest to `now`), or an ISO time behind a level or a name.
    """
    at = 1 if text[:1] == "[" else 0
    if text[at : at + 1].isdigit():
        if epoch := _EPOCH.match(text, at):
            return int(epoch[1]) + float(f"0.{epoch[2] or epoch[3] or 0}")
        if date := _DATE.match(text, at):
            return _day_month_year(date, zone)
        if clock := _CLOCK.match(text, at):
            return _of_day(clock, now, zone)
    elif day := _WEEKDAY.match(text, at):
        month, number, hour, minute, second, part, named, year = day.groups()
        written = f"{year}-{_MONTHS.get(month, 0):02}-{int(number):02}T{hour}:{minute}:{second}.{(part or '0')[:6]}"
        return iso_time(written, UTC if named else zone)
    elif date := _MONTH_FIRST.match(text, at):
        return _month_first(date, zone)
    before = _BEFORE.match(text[:_LATE])
    found = ISO.match(text, before.end()) if before else None
    return iso_time(found[1], zone) if found else None


def _day_month_year(date: re.Match[str], zone: tzinfo | None) -> float | None:
    day, sign, month, year, hour, minute, second, part, half, offset = date.groups()
    if sign == "/" and month.isdigit() and int(month) <= 12:
        if int(day) <= 12:
            return None  # who wrote it may have meant the other order
    elif sign == "/" and month.isdigit():
        day, month = month, day
    number = int(month) if month.isdigit() else _MONTHS.get(month, 0)
    rest = f"{minute}:{second}.{(part or '0')[:6]}{(offset or '').strip()}"
    return iso_time(f"{year}-{number:02}-{day}T{_of_half(hour, half):02}:{rest}", zone)


def _month_first(date: re.Match[str], zone: tzinfo | None) -> float | None:
    month, day, year, hour, minute, second, half = date.groups()
    number = _MONTHS.get(month, 0)
    return iso_time(f"{year}-{number:02}-{int(day):02}T{_of_half(hour, half):02}:{minute}:{second}", zone)


def _of_half(hour: str, half: str | None) -> int:
    """Return an hour of the day, written with or without the half of the day that it is in."""
    return int(hour) if half is None else int(hour) % 12 + (12 if half in "Pp" else 0)


def _of_day(clock: re.Match[str], now: float, zone: tzinfo | None) -> float | None:
    hour, minute, second, part = clock.groups()
    moments = []
    for days in (-1, 0, 1):
        day = datetime.fromtimestamp(now + 86_400 * days, zone)
        written = f"{day:%Y-%m-%d}T{hour}:{minute}:{second}.{(part or '0')[:6]}"
        if (moment := iso_time(written, zone)) is not None:
            moments.append(moment)
    return min(moments, key=lambda moment: abs(moment - now), default=None)


def syslog_time(text: str, now: float, zone: tzinfo | None = None) -> float | None:
    """Return the moment of `Nov 22 08:11:24` in a zone (None: this machine's), in the year that is nearest to `now`."""
    found = _SYSLOG.match(text)
    if found is None or found[1] not in _MONTHS:
        return None
    return _near(now, _MONTHS[found[1]], int(found[2]), int(found[3]), int(found[4]), int(found[5]), 0, zone)


def _near(
    now: float, month: int, day: int, hour: int, minute: int, second: int, micro: int, zone: tzinfo | None
) -> float | None:
    year = datetime.fromtimestamp(now, UTC).year
    moments = []
    for candidate in (year, year - 1):
        try:
            moment = _timestamp(datetime(candidate, month, day, hour, minute, second, micro, tzinfo=zone))
        except ValueError:
            continue
        if moment is not None:
            moments.append(moment)
    return min(moments, key=lambda moment: abs(moment - now), default=None)


def _timestamp(moment: datetime) -> float | None:
    try:
        return moment.timestamp()
    except (OverflowError, OSError, ValueError):
        return None


def typed_moment(typed: str, now: float, zone: tzinfo, within: tuple[float, float] | None = None) -> float:
    """Return the moment a person means by `14:05`, `14:05:30`, `2026-11-22 14:05`, `-5m`, or a time with a zone.

    A time of day is the last one before `now`, in `zone` as everything without a zone of its own. Of lines that ended
    before, whose oldest and newest time is `within`, it is the last one among them, if there is one.

    Raises:
        ValueError: it is none of these.
    """
    text = typed.strip()
    if ago := _AGO.fullmatch(text):
        return now - float(ago[1]) * _AGO_S[ago[2]]
    if day := _TIME_OF_DAY.fullmatch(text):
        hour, minute, second = int(day[1]), int(day[2]), float(day[3] or 0)
        if hour > 23 or minute > 59 or second >= 60:
            raise ValueError(f"{text} is no time of day")

        def last_before(end: float) -> float:
            clock = datetime.fromtimestamp(end, zone)
            moment = clock.replace(hour=hour, minute=minute, second=int(second), microsecond=int(second % 1 * 1e6))
            return (moment if moment.timestamp() <= end else moment - timedelta(days=1)).timestamp()

        latest = last_before(now + 60)
        if within is not None and within[1] < latest and (found := last_before(within[1])) >= within[0]:
            return found
        return latest
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text) or ISO.fullmatch(_SHORT.sub(r"\1:00\2", text)):
        moment_or_none = iso_time(_SHORT.sub(r"\1:00\2", text), zone)
        if moment_or_none is not None:
            return moment_or_none
    raise ValueError("a time is 14:05, 14:05:30, 2026-11-22 14:05, or how long ago: -5m")
