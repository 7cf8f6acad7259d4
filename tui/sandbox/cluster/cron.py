"""Cron schedules: when next, and when last."""

from __future__ import annotations

from datetime import datetime, timedelta

_NAMES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
          "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *"}  # fmt: skip
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


class Schedule:
    """A schedule of five fields, in UTC.

    Raises:
        ValueError: it is none.
    """

    def __init__(self, text: str) -> None:
        fields = _NAMES.get(text, text).split()
        try:
            self._sets = [_values(f, low, high) for f, (low, high) in zip(fields, _RANGES, strict=True)]
        except ValueError as error:
            raise ValueError(f"no schedule: {text!r}") from error
        self._is_any_day = (fields[2] == "*", fields[4] == "*")

    def after(self, moment: datetime) -> datetime:
        """Return the first time after `moment`."""
        return self._seek(moment.replace(second=0, microsecond=0) + timedelta(minutes=1), 1)

    def before(self, moment: datetime) -> datetime:
        """Return the last time at or before `moment`."""
        return self._seek(moment.replace(second=0, microsecond=0), -1)

    def _seek(self, moment: datetime, way: int) -> datetime:
        for _ in range(366 * 24 * 60):
            if not self._has_day(moment):
                start = moment.replace(hour=0, minute=0)
                moment = start + timedelta(days=1) if way > 0 else start - timedelta(minutes=1)
            elif moment.hour not in self._sets[1]:
                start = moment.replace(minute=0)
                moment = start + timedelta(hours=1) if way > 0 else start - timedelta(minutes=1)
            elif moment.minute not in self._sets[0]:
                moment += timedelta(minutes=way)
            else:
                return moment
        raise ValueError("no such day")

    def _has_day(self, moment: datetime) -> bool:
        if moment.month not in self._sets[3]:
            return False
        by_month, by_week = moment.day in self._sets[2], moment.isoweekday() % 7 in self._sets[4]
        return (by_month and by_week) if any(self._is_any_day) else (by_month or by_week)


def _values(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        body, _, step = part.partition("/")
        first, dash, last = body.partition("-")
        if body == "*":
            start, end = low, high
        else:
            start = int(first)
            end = int(last) if dash else (high if step else start)
        found.update(range(start, end + 1, int(step or 1)))
    if not found or min(found) < low or max(found) > high + (high == 6):
        raise ValueError(field)
    return {value % 7 for value in found} if high == 6 else found
