"""What a metric is at one moment."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tui.sources.history import Past
from tui.sources.reading import Number


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One series of a metric."""

    series: str
    """Its labels, `code=500 pod=api-1`; empty where the metric is one number without any."""
    value: float | None
    """Scaled; None where it cannot be told: not a number, or a counter's first reading."""


@dataclass(frozen=True, slots=True)
class MetricSnapshot:
    """A metric's newest values."""

    name: str
    """Its name in the profile."""
    title: str
    """What people read."""
    unit: str
    """What it counts, as the profile says."""
    origin: str
    """Where it is read: `prometheus main`, `database orders`, or the URL without secrets."""
    query: str
    """What is asked there: the PromQL query, the path, the statement, the command."""
    values: tuple[MetricValue, ...]
    """At most `MOST_SERIES`, in the order in which they came; empty when there are none."""
    left_out: int = 0
    """Series that are not shown."""
    warn: float | None = None
    critical: float | None = None
    history: Mapping[str, Past] = field(default_factory=dict, compare=False)
    """By series: the source's own, which go on."""

    def numbers(self) -> Iterable[Number]:
        """Return the metric under its own name, one number a series; absent when there is no series at all."""
        values = self.values or (MetricValue("", None),)
        return [
            Number(self.name, math.nan if one.value is None else one.value, one.series, self.unit) for one in values
        ]
