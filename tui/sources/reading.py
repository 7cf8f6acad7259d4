"""What the poller publishes: the last good snapshot of a source and how the newest attempt went."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tui.sources.errors import SourceError


@dataclass(frozen=True, slots=True)
class Number:
    """One number a snapshot reports, for the profile's rules."""

    metric: str
    """Name within its kind of system, with its unit: `connections_percent`, `latency_ms`."""
    value: float
    """In the unit of its name; NaN: the system has it, but it cannot be read at present, which is no all-clear."""
    object: str = ""
    """What in the system the number belongs to (`shop/api-7c9`); empty for the system as a whole."""

    unit: str = ""
    """What it counts, where the metric's name does not tell."""

    @property
    def is_absent(self) -> bool:
        """Whether it should be there and is not."""
        return math.isnan(self.value)


class Snapshot(Protocol):
    """A system's facts at one moment: a frozen dataclass in the system's own words and units."""

    def numbers(self) -> Iterable[Number]:
        """Return every number that a rule may watch."""
        ...


SnapshotT_co = TypeVar("SnapshotT_co", bound=Snapshot, covariant=True)


class Source(Protocol[SnapshotT_co]):
    """One system that can be read again and again. It has never heard of a screen."""

    @property
    def name(self) -> str:
        """`kind:name` with the profile's own name, e.g. `database:orders`; `kubernetes:` and `host:` have one each."""
        ...

    @property
    def interval_s(self) -> float:
        """Seconds from the start of one read to the start of the next while its pane is visible."""
        ...

    @property
    def timeout_s(self) -> float:
        """Seconds after which a read is cancelled and counts as unreachable."""
        ...

    async def read(self) -> SnapshotT_co:
        """Return the present state.

        A stream (Kubernetes watches, logs) keeps a mirror: its `read` returns as soon as something has changed,
        and otherwise after at most 2 s, so that a reading's age always says when the source was last known good.

        Raises:
            SourceError: nothing, or nothing readable, came back.
        """
        ...

    async def close(self) -> None:
        """Give back connections and tasks; never waits for a dead peer."""
        ...


@dataclass(frozen=True, slots=True)
class Reading(Generic[SnapshotT_co]):
    """The last good snapshot and the newest attempt's fate."""

    source: str
    """The source's `name`."""
    interval_s: float
    """The interval in force when this was read; staleness is measured against it."""
    snapshot: SnapshotT_co | None = None
    """None until the first success."""
    taken_at: float | None = None
    """`time.time()` of the last success; None until then."""
    took_s: float | None = None
    """Duration of the newest attempt in seconds."""
    error: SourceError | None = None
    """Why the newest attempt failed; None when it succeeded."""
    failing_since: float | None = None
    """`time.time()` of the first failure of the present run of failures; None when the newest attempt succeeded."""

    is_optional: bool = False
    """Whether the profile says that the system need not be there."""

    @property
    def kind(self) -> str:
        """The part of `source` before the colon: which pane it belongs to."""
        return self.source.partition(":")[0]

    @property
    def is_absent(self) -> bool:
        """Whether this is a system that need not be there (`optional` in the profile) and never was."""
        return self.is_optional and self.taken_at is None and self.error is not None

    def age_s(self, now: float) -> float | None:
        """Return seconds since the last success, None if there was none."""
        return None if self.taken_at is None else max(0.0, now - self.taken_at)

    def is_stale(self, now: float) -> bool:
        """Tell whether the snapshot may no longer be taken for the present: failing, or three intervals old."""
        age = self.age_s(now)
        return self.error is not None or age is None or age > max(3 * self.interval_s, 5.0)
