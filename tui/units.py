"""Numbers and names as people read them on a narrow screen."""

from typing import Final

_SHORT_KINDS: Final = {
    "service": "svc",
    "container": "docker",
    "unit": "unit",
    "kubernetes": "k8s",
    "database": "pg",
    "pgbouncer": "pool",
    "redis": "redis",
    "logs": "logs",
    "host": "host",
}
_MANY: Final = 10_000
"""From here on a number's digits behind the point are noise."""
_STATES: Final = ("ok", "degraded", "DOWN")
"""What a service's `state` stands for."""
_STEPS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def short_kind(kind: str) -> str:
    """Return what a kind of system is called where there is little room: `pg` for `database`."""
    return _SHORT_KINDS.get(kind, kind)


def size(value: float | None) -> str:
    """Return bytes in the largest unit that leaves at least 1: `41.2 MiB`; `–` when unknown."""
    if value is None:
        return "–"
    amount, unit = _scaled(value)
    return f"{amount} {unit}"


def size_of(used: float | None, total: float | None) -> str:
    """Return a part and its whole in the unit of the whole: `41.2 of 64.0 MiB`."""
    if used is None or not total:
        return size(used)
    amount, unit = _scaled(total)
    step = 1024 ** _STEPS.index(unit)
    return f"{used / step:.1f} of {amount} {unit}"


def _scaled(value: float) -> tuple[str, str]:
    amount, unit = float(value), _STEPS[0]
    for unit in _STEPS:
        if abs(amount) < 1000 or unit == _STEPS[-1]:
            break
        amount /= 1024
    return (f"{amount:.0f}" if unit == "B" else f"{amount:.1f}"), unit


def rate(value: float | None) -> str:
    """Return a number per second: `0`, `0.3`, `2`, `1,240`; `–` when unknown."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 0.95 or value == 0 else f"{value:.1f}"


def percent(value: float | None) -> str:
    """Return a percentage: `0 %`, `<1 %`, `3 %`, `64 %`; `–` when unknown.

    Whole numbers, because what flickers behind the point is noise and each redraw costs the line to the terminal.
    """
    if value is None:
        return "–"
    return f"{value:.0f} %" if value >= 1 or value <= 0 else "<1 %"


def micros(value: float | None) -> str:
    """Return microseconds in the unit that fits: `850 µs`, `15.2 ms`, `2.1 s`; `–` when unknown."""
    if value is None:
        return "–"
    if value < 1000:
        return f"{value:.0f} µs" if value >= 10 else f"{value:.1f} µs"
    return f"{value / 1000:.1f} ms" if value < 1_000_000 else f"{value / 1_000_000:.1f} s"


def span(seconds: float | None) -> str:
    """Return a duration in its two largest units: `41s`, `3m12s`, `5h4m`, `12d3h`; `–` when unknown."""
    if seconds is None:
        return "–"
    left = max(0, int(seconds))
    if left < 60:
        return f"{left}s"
    parts = [(left // 86400, "d"), (left % 86400 // 3600, "h"), (left % 3600 // 60, "m"), (left % 60, "s")]
    first = next(index for index, (amount, _) in enumerate(parts) if amount)
    return "".join(f"{amount}{unit}" for amount, unit in parts[first : first + 2] if amount)


def age(seconds: float | None, interval_s: float) -> str:
    """Return how old data are: `age <3s` as long as they are as fresh as the interval allows, else `age 41s`.

    The first is one text that stays, so that a calm screen needs no drawing.
    """
    if seconds is None:
        return "no data yet"
    fresh = int(interval_s) + 1
    return f"age <{fresh}s" if seconds < fresh else f"age {span(seconds)}"


def coarse(seconds: float | None) -> str:
    """Return a long duration without what changes all the time: `<1m`, `12m`, `5h4m`, `12d3h`; `–` when unknown."""
    if seconds is None:
        return "–"
    return "<1m" if seconds < 60 else span(seconds - seconds % 60)


def amount(metric: str, value: float, unit: str = "") -> str:
    """Return a number in its unit; where none is given, in the one that its metric's name ends with."""
    if unit:
        return in_unit(value, unit)
    if metric in ("state", "probe_state") and value in range(len(_STATES)):
        return _STATES[int(value)]
    if metric.endswith("_per_s"):
        return f"{value:,.3g}/s"
    for ending, words in (("_percent", percent), ("_bytes", size), ("_s", span)):
        if metric.endswith(ending):
            return words(value)
    return f"{value:,.0f} ms" if metric.endswith("_ms") else f"{value:.4g}"


SCALED: Final = ("%", "B", "B/s", "s")
"""Units that numbers are written in; every other one is a word behind them."""


def in_unit(value: float, unit: str) -> str:
    """Return a number in a profile's unit: `%`, `ms`, `s`, `B` and `B/s`, or a word that stands behind it."""
    if unit == "%":
        return percent(value)
    if unit in ("B", "B/s"):
        return size(value) + unit[1:]
    if unit == "s":
        return span(value) if value >= 1 else f"{value:.3g} s"
    words = f"{value:,.4g}" if abs(value) < _MANY else f"{value:,.0f}"
    return words + ("" if unit.startswith("/") or not unit else " ") + unit
