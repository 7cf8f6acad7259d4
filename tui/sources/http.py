"""An HTTP service by its health document: state, latency, components.

That a service is down is a fact about it, not a failure to read: `read` returns it as a snapshot.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from profiles.systems import Service
from tui.sources import health
from tui.sources.errors import Unreadable
from tui.sources.health import State
from tui.sources.history import Series
from tui.sources.http_date import clock_offset
from tui.sources.http_request import Answer, NoAnswer, get, open_client
from tui.sources.http_secrets import SecretHeaders, secret_address
from tui.sources.http_shown import hide, shown_body, shown_headers, shown_url
from tui.sources.http_snapshot import ServiceSnapshot
from tui.sources.probes.certificates import Chain, Watched
from tui.sources.probes.facts import MAX_KEPT_BODY, Failure, Failures, Outcomes, ProbeResult
from tui.sources.probes.prober import Prober
from tui.sources.probes.sending import Outgoing, send
from tui.sources.probes.stats import Stats

if TYPE_CHECKING:
    import httpx

KEPT_SAMPLES: Final = 300
"""Latencies that p95 is taken over."""
TREND_STEPS: Final = 10
TREND_STEP_S: Final = 10.0
_LONG_BODY: Final = 16 * 1024
_CERTIFICATES_S: Final = 600.0
"""Between two looks at the certificates."""
_CERTIFICATES_REFUSED_S: Final = 30.0
"""The same while the connection is refused because of them."""
_IMPORT_S: Final = 3.0


class HttpSource:
    """Asks one service's health URL."""

    def __init__(self, name: str, entry: Service, *, masks: bool = False, now: Callable[[], float] = time.time) -> None:
        self.name = f"service:{name}"
        self.interval_s = 2.0
        self.timeout_s = entry.timeout + _IMPORT_S
        """Longer than the service's own time, so that its silence is told as a fact."""
        self._service = name
        self._entry = entry
        self._now = now
        self._client: httpx.AsyncClient | None = None
        self._client_url = ""
        self._connected_at = 0.0
        self._is_connected = False
        """Whether there was an answer: the first one's latency holds our own start and is not kept."""
        self._headers = SecretHeaders(entry.headers)
        self._latencies = Series(KEPT_SAMPLES)
        self._trend: tuple[int, tuple[float | None, ...]] = (0, ())
        """The step in which it was taken, and `latencies_ms`."""
        self._state: State | None = None
        self._since = 0.0
        self._outcomes = Outcomes(KEPT_SAMPLES)
        self._failures = Failures()
        self._certificates = Watched(entry.ca_file, entry.timeout)
        self.prober = Prober(entry, self._failures, masks=masks, now=now)
        """Its probes, to send one by hand."""
        self.stats = Stats(entry)
        """Its statistics, to look through."""

    async def read(self) -> ServiceSnapshot:
        """Return the service's present state; a service that does not answer is `DOWN` and says why.

        Raises:
            Denied: a secret the profile refers to is not there.
            Unreadable: URL, header or CA bundle cannot be used as they are.
        """
        url, headers = await self._request()
        client = await self._open(url)
        try:
            answer = await get(client, url, headers, self._entry.timeout)
        except NoAnswer as error:
            self._latencies.add(self._now(), None)
            self._begin(url, str(error))
            return self._silent(url, str(error))
        self._begin(url, "")
        if self._is_connected:
            self._latencies.add(self._now(), answer.latency_ms)
        self._is_connected = True
        if answer.status_code in (401, 403):
            self._headers.renew()  # a token may have been renewed
        secrets = (*headers.values(), *self.prober.secrets)
        if len(answer.body) > _LONG_BODY:  # tens of milliseconds, which nobody who types should feel
            return await asyncio.to_thread(self._answered, url, answer, secrets)
        return self._answered(url, answer, secrets)

    def _begin(self, url: str, failure: str) -> None:
        """Ask all else that is due, beside everything else; after the health, whose latency it must not change."""
        self.prober.begin(url)
        self.stats.begin(url)
        chain = self._certificates.chain
        if chain is not None and chain.at > self._connected_at and chain.problems and not failure:
            # A connection that stays open knows nothing of the certificate that others are served by now.
            self._client_url = ""
        if (place := tls_place(url)) is not None:
            self._certificates.begin(*place, _CERTIFICATES_REFUSED_S if "TLS" in failure else _CERTIFICATES_S)

    async def send_probe(self, name: str) -> ProbeResult:
        """Send one of its probes now, whether it writes or not, and return how it went.

        Raises:
            Denied: the URL is a reference, and it is not there.
        """
        url, _ = await self._request()
        return await self.prober.run(name, url)

    async def inspect(self) -> tuple[ProbeResult, Chain | None]:
        """Ask for the health once on a connection of its own, each phase timed, and look at the certificates.

        Raises:
            SourceError: the URL, a header or the CA bundle cannot be used as they are.
        """
        url, headers = await self._request()
        at = self._now()
        attempt = await send(Outgoing("GET", url, headers), self._entry.ca_file, self._entry.timeout)
        if (place := tls_place(url)) is not None:
            await self._certificates.now(*place)
        bare = ProbeResult("health", "GET", shown_url(self._entry.url, url), writes=False, at=at, phases=attempt.phases)
        if attempt.answer is None:
            return replace(bare, state=State.DOWN, reason=attempt.failure), self._certificates.chain
        state, reason = health.by_status_code(attempt.answer.status_code)
        code, days = attempt.answer.status_code, attempt.answer.certificate_days
        found = replace(bare, state=state, reason=reason, status_code=code, certificate_days=days)
        return found, self._certificates.chain

    async def close(self) -> None:
        """Close the connection and forget the secrets."""
        self._headers.forget()
        self._certificates.close()
        await asyncio.gather(self.prober.close(), self.stats.close())
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _request(self) -> tuple[str, Mapping[str, str]]:
        return await secret_address(self._entry.url), await self._headers.values()

    async def _open(self, url: str) -> "httpx.AsyncClient":
        if self._client is None or url != self._client_url:
            if self._client is not None:
                await self._client.aclose()
            try:
                self._client = await open_client(url, self._entry.ca_file, self._entry.timeout)
            except ValueError:
                raise Unreadable("the URL cannot be used", "correct url in the profile") from None
            self._client_url, self._connected_at = url, time.time()
        return self._client

    def _silent(self, url: str, reason: str) -> ServiceSnapshot:
        at = self._now()
        self._outcomes.add(at, is_down=True)
        self._failures.add(Failure("health", at, at, 1, None, reason, None))
        chain = self._certificates.chain
        bare = ServiceSnapshot(
            self._service,
            shown_url(self._entry.url, url),
            State.DOWN,
            reason,
            self._state_since(State.DOWN),
            None,
            "",
            None,
            *self._history(),
            certificate_days=chain.leaf.days(at) if chain and chain.leaf else None,
            workload=self._entry.workload,
        )
        return self._beside(bare, url)

    def _answered(self, url: str, answer: Answer, secrets: tuple[str, ...]) -> ServiceSnapshot:
        given = dict(answer.headers)
        text = hide(answer.body.decode("utf-8", "replace"), secrets)
        found = health.parse(answer.status_code, given.get("content-type", ""), text)
        bare = ServiceSnapshot(
            self._service,
            shown_url(self._entry.url, url),
            found.state,
            _with_location(found.reason, answer, given),
            self._state_since(found.state),
            answer.status_code,
            found.status,
            answer.latency_ms,
            *self._history(),
            components=found.components,
            version=found.version,
            certificate_days=answer.certificate_days,
            headers=shown_headers(answer.headers, secrets),
            body=shown_body(text, found.document, answer.is_cut),
            uptime_s=health.uptime_s(found.document, self._now()),
            clock_offset_s=clock_offset(given, self._now() - answer.latency_ms / 2000),
            workload=self._entry.workload,
        )
        self._judge(bare)
        return self._beside(bare, url)

    def _judge(self, found: ServiceSnapshot) -> None:
        at = self._now()
        self._outcomes.add(at, is_down=found.state is State.DOWN)
        if found.state is State.OK:
            self._failures.well("health")
            return
        body = found.body[:MAX_KEPT_BODY] + ("\n…" if len(found.body) > MAX_KEPT_BODY else "")
        told = found.status_code, found.reason, found.latency_ms, found.headers, body
        self._failures.add(Failure("health", at, at, 1, *told))

    def _beside(self, bare: ServiceSnapshot, url: str) -> ServiceSnapshot:
        """Return a snapshot with what is read beside the health document."""
        outcomes, certificates = self._outcomes, self._certificates
        is_unseen = tls_place(url) is not None and certificates.chain is None and not certificates.failure
        known = sorted(value for value in self._latencies.values() if value is not None)
        return replace(
            bare,
            p50_ms=known[(len(known) - 1) // 2] if known else None,
            error_percent=outcomes.error_percent,
            up_percent=outcomes.up_percent,
            watched_since=outcomes.since,
            probes=self.prober.results(url),
            tokens=self.prober.tokens,
            chain=certificates.chain,
            chain_failure=certificates.failure,
            failures=tuple(self._failures),
            pinned=self.stats.pinned,
            stats=self.stats.seen,
            stats_note=self.stats.note,
            is_partial=self.prober.is_waiting or is_unseen,
        )

    def _history(self) -> tuple[float | None, float, tuple[float | None, ...]]:
        unfinished = int(self._now() // TREND_STEP_S)
        if self._trend[0] != unfinished:
            self._trend = unfinished, trend(self._latencies, unfinished)
        return (
            p95([value for value in self._latencies.values() if value is not None]),
            self._entry.slow_ms,
            self._trend[1],
        )

    def _state_since(self, state: State) -> float:
        if state is not self._state:
            self._state, self._since = state, self._now()
        return self._since


def tls_place(url: str) -> tuple[str, int] | None:
    """Return host and port of an https URL; None for any other."""
    parts = urlsplit(url)
    return (parts.hostname, parts.port or 443) if parts.scheme == "https" and parts.hostname else None


def p95(values: list[float]) -> float | None:
    """Return the 95th percentile by nearest rank; None without values."""
    if not values:
        return None
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def trend(latencies: Series, unfinished: int) -> tuple[float | None, ...]:
    """Return the means of the ten steps before `unfinished` (Unix time / 10 s), from the first that has samples on.

    Full steps only, so that the curve moves every 10 s and not with each answer. Hidden, a service may be asked a
    little less often than that: a step without a sample repeats the one before it.
    """
    steps: dict[int, list[float | None]] = {}
    for at, value in latencies:
        steps.setdefault(int(at // TREND_STEP_S), []).append(value)
    found: list[float | None] = []
    for step in range(unfinished - TREND_STEPS, unfinished):
        if step in steps:
            known = [value for value in steps[step] if value is not None]
            found.append(sum(known) / len(known) if known else None)
        elif found:
            found.append(found[-1])
    return tuple(found)


def _with_location(reason: str, answer: Answer, given: Mapping[str, str]) -> str:
    if 300 <= answer.status_code < 400 and (location := given.get("location")):
        return f"HTTP {answer.status_code}: redirects to {shown_url('', location)}, which is not followed"
    return reason
