"""What a reading of an HTTP service holds."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.sources.health import Component, State
from tui.sources.probes.facts import LOGIN, Failure, ProbeResult
from tui.sources.reading import Number

if TYPE_CHECKING:  # the first frame knows their names only
    from tui.sources.probes.certificates import Chain
    from tui.sources.probes.stats import Stat
    from tui.sources.probes.tokens import Token


@dataclass(frozen=True, slots=True)
class ServiceSnapshot:
    """One service at one moment."""

    name: str
    """Its name in the profile."""
    url: str
    """The health URL without user, password and private query values; the reference when it is one."""
    state: State
    reason: str
    """Why the state is not ok; empty when it is."""
    since: float
    """`time.time()` since when opstui has seen this state."""
    status_code: int | None
    """None when there was no HTTP answer."""
    status: str
    """The document's own overall word; empty when it has none."""
    latency_ms: float | None
    """Request to last byte; None without an answer."""
    p95_ms: float | None
    """95th percentile (nearest rank) of the last 300 answers; None before the second."""
    slow_ms: float
    """From which latency the profile calls it slow."""
    latencies_ms: tuple[float | None, ...]
    """Means of the last ten full steps of 10 s, oldest first; None where there was no answer."""
    components: tuple[Component, ...] = ()
    version: str | None = None
    """The document's `version`."""
    certificate_days: float | None = None
    """Days until the served certificate's notAfter; None without TLS."""
    headers: tuple[tuple[str, str], ...] = ()
    """Of the answer, values of private ones masked."""
    body: str = ""
    """The answer's body, JSON indented, cleaned, at most 64 KiB."""
    workload: str | None = None
    """`namespace/kind/name` of what runs it, from the profile."""
    p50_ms: float | None = None
    """Median of the last 300 answers; None before the second."""
    error_percent: float | None = None
    """Part of the last 300 health requests without an answer, or with one that says down."""
    up_percent: float | None = None
    """Part of all health requests since `watched_since` that were not down."""
    watched_since: float | None = None
    """`time.time()` of the first health request."""
    uptime_s: float | None = None
    """Since the service's start, by its own document; None when it does not say."""
    probes: tuple[ProbeResult, ...] = ()
    """The login, then the profile's probes in its order."""
    tokens: "tuple[Token, ...]" = ()
    """What is known of the tokens in use; never their text."""
    chain: "Chain | None" = None
    """The certificates that were served the last time somebody looked; None without TLS."""
    chain_failure: str = ""
    """Why the newest look at the certificates saw nothing; empty when it did."""
    failures: tuple[Failure, ...] = ()
    """Answers that were not well, the newest first."""
    pinned: "tuple[Stat, ...]" = ()
    """Series of its statistics that somebody has pinned, as they were last read."""
    stats: "tuple[Stat, ...]" = ()
    """Every number of its statistics; empty unless somebody looks."""
    stats_note: str = ""
    """What of the statistics could not be read, or is not shown; empty when nothing."""
    is_partial: bool = False
    """Whether a probe or a look at the certificates has not ended for the first time."""
    clock_offset_s: float | None = None
    """The `Date` of the answer, which tells whole seconds, minus our clock; None without it, or from a cache."""

    @property
    def is_slow(self) -> bool:
        """Whether the newest answer took `slow_ms` or longer."""
        return self.latency_ms is not None and self.latency_ms >= self.slow_ms

    def numbers(self) -> Iterator[Number]:
        """Return state (0 ok, 1 degraded, 2 down), latencies, latency/slow_ms, errors, the certificate's days, probes.

        Of a service that does not answer, all but the state are absent (NaN): it is no quicker for that.
        """
        yield Number("state", self.state)
        if self.status_code is None:
            yield from (Number(metric, math.nan) for metric in ("latency_ms", "latency_ratio"))
        if self.latency_ms is not None:
            yield Number("latency_ms", self.latency_ms)
            yield Number("latency_ratio", self.latency_ms / self.slow_ms)
        told = (("p50_ms", self.p50_ms), ("p95_ms", self.p95_ms), ("error_percent", self.error_percent))
        yield from (Number(metric, value) for metric, value in told if value is not None)
        if self.url.startswith("https:") or self.certificate_days is not None:
            yield Number("certificate_days", math.nan if self.certificate_days is None else self.certificate_days)
        for probe in self.probes:
            if not probe.writes and (probe.name != LOGIN or probe.state is not None):
                yield Number("probe_state", math.nan if probe.state is None else probe.state, probe.name)
                if probe.status_code is not None:
                    yield Number("probe_latency_ms", probe.phases.total_ms, probe.name)
        for token in self.tokens:
            # A login's is renewed in time, and its probes say so when it was not.
            if token.origin != LOGIN and token.expires_at is not None:
                yield Number("token_s", token.expires_at - time.time(), token.origin)
        for stat in self.pinned:
            yield Number("stat", math.nan if stat.value is None else stat.value, stat.key)
