"""The facts of probes: how long each phase took, which conditions hold, what failed and is kept to read."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from tui.sources.health import State

LOGIN: Final = "login"
"""What a login is called among the probes."""
KEPT_FAILURES: Final = 20
MAX_KEPT_BODY: Final = 8 * 1024


@dataclass(frozen=True, slots=True)
class Phases:
    """Where the time of one request on a new connection went, in milliseconds; None: it did not come to that."""

    dns_ms: float | None = None
    """The look-up of the host's name; None for an address, and behind a proxy, which looks it up itself."""
    connect_ms: float | None = None
    """Until TCP was connected."""
    tls_ms: float | None = None
    """The TLS handshake; None without TLS."""
    first_byte_ms: float | None = None
    """From the request's first byte to the end of the answer's headers."""
    total_ms: float = 0.0
    """From the look-up to the last byte, or until it failed."""

    def named(self) -> Iterator[tuple[str, float | None]]:
        """Yield each phase by its name, in order; the last is the rest, the transfer of the body."""
        known = (self.dns_ms, self.connect_ms, self.tls_ms, self.first_byte_ms)
        yield from zip(("DNS", "connect", "TLS", "first byte"), known, strict=True)
        is_whole = self.first_byte_ms is not None
        yield "rest", max(0.0, self.total_ms - sum(value or 0.0 for value in known)) if is_whole else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition and whether it holds."""

    wanted: str
    """In words: `status 200`."""
    is_met: bool
    found: str = ""
    """What was found instead; cleaned."""
    is_soft: bool = False
    """Whether it degrades only: latency, certificate."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe and how it went the last time."""

    name: str
    """Its name in the profile; `login` for the login."""
    method: str
    url: str
    """Fit for a screen."""
    writes: bool
    """Whether it could change something, so that only a person sends it."""
    state: State | None = None
    """None when it was not sent yet."""
    reason: str = ""
    """Why it is not well; empty when it is."""
    at: float | None = None
    """`time.time()` when it was sent last."""
    status_code: int | None = None
    """None without an answer."""
    phases: Phases = Phases()
    verdicts: tuple[Verdict, ...] = ()
    certificate_days: float | None = None
    """Days until the served certificate's notAfter; None without TLS."""
    headers: tuple[tuple[str, str], ...] = ()
    """Of the answer, values of private ones masked."""
    body: str = ""
    """Of the answer; cleaned, at most 8 KiB. Never of a login's."""
    was_sent: bool = False
    """Whether the service may have got the request."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that was not well, kept to read."""

    what: str
    """`health`, or the probe's name."""
    at: float
    """`time.time()` of the first in a row of the same."""
    last_at: float
    """`time.time()` of the newest of them."""
    count: int
    """How many came in a row, all with the same code and reason."""
    status_code: int | None
    """None without an answer."""
    reason: str
    latency_ms: float | None
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    """Of the first of them."""


class Failures:
    """The last failures of a service, newest first; the same one after the other is kept once and counted."""

    def __init__(self) -> None:
        self._kept: deque[Failure] = deque(maxlen=KEPT_FAILURES)
        self._open: dict[str, Failure] = {}
        """The row under way, by what failed."""

    def add(self, failure: Failure) -> None:
        """Keep a failure."""
        last = self._open.get(failure.what)
        if last is not None and last in self._kept and _is_same(last, failure):
            place = self._kept.index(last)
            failure = replace(last, last_at=failure.last_at, count=last.count + 1)
            self._kept[place] = failure
        else:
            self._kept.appendleft(failure)
        self._open[failure.what] = failure

    def well(self, what: str) -> None:
        """Note that something answers well again: the next failure begins a new row."""
        self._open.pop(what, None)

    def __iter__(self) -> Iterator[Failure]:
        return iter(self._kept)


def _is_same(one: Failure, other: Failure) -> bool:
    return (one.status_code, one.reason) == (other.status_code, other.reason)


def failure_of(result: ProbeResult) -> Failure:
    """Return what to keep of a probe that did not go well."""
    at = result.at if result.at is not None else time.time()
    total = result.phases.total_ms
    return Failure(result.name, at, at, 1, result.status_code, result.reason, total, result.headers, result.body)


class Outcomes:
    """How often a service was not down: lately, and since the first request."""

    def __init__(self, kept: int) -> None:
        self._lately: deque[bool] = deque(maxlen=kept)
        self._down = self._all = 0
        self.since: float | None = None
        """`time.time()` of the first request; None before it."""

    def add(self, at: float, *, is_down: bool) -> None:
        """Count a request."""
        self.since = at if self.since is None else self.since
        self._lately.append(is_down)
        self._down += is_down
        self._all += 1

    @property
    def error_percent(self) -> float | None:
        """Part of the last requests that were down; None before the first."""
        return 100 * sum(self._lately) / len(self._lately) if self._lately else None

    @property
    def up_percent(self) -> float | None:
        """Part of all requests that were not down; None before the first."""
        return 100 * (1 - self._down / self._all) if self._all else None
