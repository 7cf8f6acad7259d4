"""Ages in kubectl's own words: `41s`, `2m41s`, `3h5m`, `8d`."""

from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_YEAR: Final = 365 * _DAY

INVALID: Final = "<invalid>"
"""What kubectl prints for a moment in the future."""
UNKNOWN: Final = "<unknown>"
"""What kubectl prints where there is no moment at all."""


def age(seconds: float) -> str:
    """Return a duration as kubectl's AGE column writes it."""
    return _words(seconds)[0]


def age_since(moment: float | None, now: float) -> str:
    """Return the age of `moment` (`time.time()`), or kubectl's word when there is none."""
    return UNKNOWN if moment is None else age(int(now) - moment)


def next_change(seconds: float) -> float:
    """Return at what age, greater than `seconds`, the words may next be different."""
    step = _words(seconds)[1]
    return (max(seconds, 0) // step + 1) * step


def _words(seconds: float) -> tuple[str, int]:
    """Return the words and the granularity they have at this age, in seconds."""
    whole = int(seconds)
    if seconds < -1:
        return INVALID, 1
    if whole < 2 * _MINUTE:
        return f"{max(whole, 0)}s", 1
    minutes, hours, days, years = whole // _MINUTE, whole // _HOUR, whole // _DAY, whole // _YEAR
    if minutes < 10:
        return _pair(minutes, "m", whole % _MINUTE, "s"), 1
    if minutes < 3 * 60:
        return f"{minutes}m", _MINUTE
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m"), _MINUTE
    if hours < 48:
        return f"{hours}h", _HOUR
    if hours < 8 * 24:
        return _pair(days, "d", hours % 24, "h"), _HOUR
    if days < 2 * 365:
        return f"{days}d", _DAY
    if days < 8 * 365:
        return _pair(years, "y", days % 365, "d"), _DAY
    return f"{years}y", _DAY


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
