"""Ages and durations in the words of kubectl's columns."""

from __future__ import annotations

from datetime import datetime, timedelta

from tui.sandbox.cluster.clock import parse_time


def short(duration: timedelta) -> str:
    """Return a duration as the AGE column writes it: 119s, 2m41s, 15m, 3h5m, 26h, 4d3h, 80d, 2y40d."""
    seconds = int(duration.total_seconds())
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return _pair(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _pair(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    if days < 365 * 8:
        return _pair(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def since(timestamp: str | None, now: datetime) -> str:
    """Return how long ago an API timestamp was, `<unknown>` when there is none."""
    moment = parse_time(timestamp)
    return short(now - moment) if moment else "<unknown>"


def _pair(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"
