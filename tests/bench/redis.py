"""Sampling of Redis keys."""

from collections.abc import Iterator

from tests.bench.figures import Figure
from tests.bench.stage import Stage


def measure(stage: Stage) -> Iterator[Figure]:
    """Say that there is nothing to measure yet."""
    yield Figure("Redis key sampling", "does not exist yet", "2,000 keys/s")
