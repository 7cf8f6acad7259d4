"""Numbers that a profile names, read where they are: Prometheus, JSON and text documents, SQL, Redis commands."""

from tui.sources.metrics.facts import MetricSnapshot, MetricValue
from tui.sources.metrics.source import MetricSource

__all__ = ["MetricSnapshot", "MetricSource", "MetricValue"]
