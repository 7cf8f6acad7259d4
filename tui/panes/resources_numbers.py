"""Metrics of the profile, and the numbers of every system → rows with a curve. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from profiles.schema import Profile
from profiles.thresholds import Rule
from tui.numbers import Kept, Key
from tui.panes.charts import Charted
from tui.panes.failing import failure_words
from tui.panes.resources_rows import STEP_S, ToneOf, curve
from tui.sources.history import Past
from tui.sources.metrics.facts import MetricSnapshot, MetricValue
from tui.sources.reading import Reading
from tui.units import SCALED, amount, in_unit
from widgets.cell import Cell, Column, Row, Tone

_NOTHING: Final = Past()


def metric_columns(trend: int) -> tuple[Column, ...]:
    """Return the columns of the metrics; `trend` is the width of the curve."""
    return (
        Column("what", "METRIC", min_width=18, max_width=60),
        Column("now", "NOW", 14, "right"),
        Column("trend", f"LAST {STEP_S * trend / 60:.0f} MIN", trend, priority=1),
        Column("bounds", "WARN, CRITICAL", 16, priority=2),
        Column("note", "", min_width=16, priority=3),
    )


def number_columns(trend: int) -> tuple[Column, ...]:
    """Return the columns of the systems' numbers; `trend` is the width of the curve."""
    return (
        Column("system", "SYSTEM", min_width=12, max_width=28),
        Column("number", "NUMBER", min_width=16, max_width=28),
        Column("of", "OF", min_width=4, max_width=40, priority=2),
        Column("now", "NOW", 12, "right"),
        Column("trend", f"LAST {STEP_S * trend / 60:.0f} MIN", trend, priority=1),
        Column("bounds", "WARN, CRITICAL", 16, priority=3),
    )


def key_of(source: str, metric: str, object: str) -> str:  # noqa: A002 — the word of Number
    """Return the key of a number's row."""
    return f"{source}\n{metric}\n{object}"


def metric_rows(
    profile: Profile, readings: Mapping[str, Reading[Any]], now: float, trend: int, tone_of: Mapping[str, ToneOf]
) -> dict[str, Row]:
    """Return a row for every series of every metric that the profile names, also of those that were never read.

    Args:
        profile: whose metrics.
        readings: by source's name.
        now: `time.time()`.
        trend: width of the curve.
        tone_of: by source's name.
    """
    rows: dict[str, Row] = {}
    for place, (name, metric) in enumerate(profile.metrics.items()):
        source = f"metric:{name}"
        reading = readings.get(source)
        snapshot: MetricSnapshot | None = reading.snapshot if reading is not None else None
        problem = failure_words(reading, now) if reading is not None else ""
        for order, value in enumerate(snapshot.values if snapshot and snapshot.values else (MetricValue("", None),)):
            what = " ".join(filter(None, (metric.title or name, value.series)))
            past = snapshot.history.get(value.series, _NOTHING) if snapshot is not None else _NOTHING
            tone: Tone = "dim" if problem else tone_of[source](name, value.series) if source in tone_of else ""
            shown = "…" if reading is None or (snapshot is None and not problem) else "no data"
            if value.value is not None:
                # By more than its colour: an old value must not pass for the present one.
                shown = "✗ " * bool(problem) + in_unit(value.value, metric.unit)
            rows[key_of(source, name, value.series)] = Row(
                (
                    Cell(what, tone),
                    Cell(shown, tone or ("warn" if value.value is None else "")),
                    curve(past, now, trend, None),
                    bounds(metric.rule, name, metric.unit),
                    Cell(problem or _note(snapshot), "critical" if problem else "dim"),
                ),
                (place * 1000 + order, value.value, value.value, None, None),
            )
    return rows


def _note(snapshot: MetricSnapshot | None) -> str:
    if snapshot is None:
        return ""
    more = f"; {snapshot.left_out} more series" if snapshot.left_out else ""
    return f"{snapshot.origin}: {snapshot.query}{more}"


class NumberRows:
    """Rows of the numbers that the systems report; those of the host and of metrics have views of their own.

    There may be thousands, and a curve takes a tenth of a millisecond: a row is made again when its number reads
    differently, and else once in a step of the curve, each at a moment of its own.
    """

    def __init__(self) -> None:
        self._made: dict[Key, tuple[tuple[object, ...], Row]] = {}

    def rows(
        self,
        numbers: Iterable[Kept],
        rules: Mapping[str, Rule],
        now: float,
        trend: int,
        tone_of: Callable[[str, str, str], Tone],
    ) -> dict[str, Row]:
        """Return a row for every number, by `key_of`."""
        made: dict[Key, tuple[tuple[object, ...], Row]] = {}
        for place, kept in enumerate(numbers):
            if kept.source.startswith(("host:", "metric:")):
                continue
            tone, value = tone_of(*kept.key), kept.past.last
            signature = value, tone, trend, int((now + place % STEP_S) // STEP_S)
            known = self._made.get(kept.key)
            is_known = known is not None and known[0] == signature
            made[kept.key] = known if known and is_known else (signature, _number_row(kept, rules, now, trend, tone))
        self._made = made
        return {key_of(*key): row for key, (_, row) in made.items()}


def _number_row(kept: Kept, rules: Mapping[str, Rule], now: float, trend: int, tone: Tone) -> Row:
    value = kept.past.last
    shown = "–" if value is None else amount(kept.metric, value, kept.unit)
    return Row(
        (
            kept.source.rstrip(":"),
            Cell(kept.metric, tone),
            kept.object,
            Cell(shown, tone),
            curve(kept.past.coarse(), now, trend, None),
            bounds(rules.get(f"{kept.source.partition(':')[0]}.{kept.metric}"), kept.metric, kept.unit),
        ),
        ("\n".join(kept.key), kept.metric, kept.object, value, value, None),
    )


def bounds(rule: Rule | None, metric: str, unit: str) -> str:
    """Return what a number is held against."""
    if rule is None:
        return ""
    plain = unit if unit in SCALED else ""
    return ", ".join(amount(metric, value, plain) if value is not None else "–" for value in (rule.warn, rule.critical))


def charted_metric(snapshot: MetricSnapshot, series: str) -> Charted | None:
    """Return what one series of a metric charts; None when it has no past."""
    past = snapshot.history.get(series)
    name = " ".join(filter(None, (snapshot.title, series)))
    return None if past is None else Charted(name, snapshot.unit, past, 1.0, snapshot.warn, snapshot.critical)


def charted_number(kept: Kept, rule: Rule | None) -> Charted:
    """Return what a system's number charts."""
    unit, scale = (kept.unit, 1.0) if kept.unit else _unit(kept.metric)
    name = " ".join(filter(None, (kept.source.rstrip(":"), kept.metric, kept.object)))
    bounds_of = (rule.warn, rule.critical) if rule is not None else (None, None)
    return Charted(name, unit, kept.past, scale, *bounds_of)


_UNITS: Final = (
    ("_per_s", "/s", 1.0),
    ("_percent", "%", 1.0),
    ("_bytes", "MiB", 2.0**20),
    ("_ms", "ms", 1.0),
    ("_s", "s", 1.0),
)


def _unit(metric: str) -> tuple[str, float]:
    """Return the unit that a metric's name ends with, and what its values are divided by for the axis."""
    return next(((unit, scale) for ending, unit, scale in _UNITS if metric.endswith(ending)), ("", 1.0))
