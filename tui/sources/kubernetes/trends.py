"""What pods used in the last minutes: a short past of each, kept small enough for thousands of them."""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tui.sources.kubernetes.metrics import Usage

MOST: Final = 40
"""Readings kept: ten minutes, where the metrics server is asked every 15 s."""
_MISSED: Final = 8
"""Readings in a row without a pod after which its past is dropped; a metrics server leaves one out now and then."""


def _samples() -> "array[float]":
    # Four bytes each are as exact as anybody can see in a curve.
    return array("f")


@dataclass(slots=True)
class Trend:
    """The newest readings of one pod, the oldest first; NaN where a reading left it out."""

    cpu_cores: "array[float]" = field(default_factory=_samples)
    memory_bytes: "array[float]" = field(default_factory=_samples)
    readings: int = 0
    """How many there have been in all: the same number, the same curve."""
    missed: int = 0
    """How many in a row left it out."""

    def add(self, usage: Usage | None) -> None:
        """Take in a reading; None: it left this pod out."""
        self.missed = self.missed + 1 if usage is None else 0
        self.readings += 1
        self.cpu_cores.append(math.nan if usage is None else usage.cpu_cores)
        self.memory_bytes.append(math.nan if usage is None else usage.memory_bytes)
        if len(self.cpu_cores) > MOST:
            del self.cpu_cores[0], self.memory_bytes[0]


class Trends:
    """The past of every pod that the metrics server tells of."""

    def __init__(self) -> None:
        self._kept: dict[str, Trend] = {}

    def record(self, pods: Mapping[str, Usage]) -> None:
        """Take in an answer of the metrics server, by `namespace/name`."""
        kept = self._kept
        for name in pods.keys() - kept.keys():
            kept[name] = Trend()
        for name, trend in list(kept.items()):
            trend.add(pods.get(name))
            if trend.missed > _MISSED:
                del kept[name]

    def get(self, name: str) -> Trend | None:
        """Return a pod's past; None of one that was never told of, or not for long."""
        return self._kept.get(name)

    def __len__(self) -> int:
        return len(self._kept)
