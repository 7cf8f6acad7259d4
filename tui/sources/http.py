"""An HTTP service by its health document: state, latency, components.

That a service is down is a fact about it, not a failure to read: `read` returns it as a snapshot.
"""

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from profiles.schema import Service
from profiles.secrets import SecretError, address, resolve
from tui.sources import health
from tui.sources.errors import Denied, Unreadable
from tui.sources.health import Component, State
from tui.sources.history import Series
from tui.sources.http_date import clock_offset
from tui.sources.http_request import Answer, NoAnswer, get, open_client
from tui.sources.reading import Number
from tui.sources.text import clean, clean_lines

if TYPE_CHECKING:
    import httpx

KEPT_SAMPLES: Final = 300
"""Latencies that p95 is taken over."""
TREND_STEPS: Final = 10
TREND_STEP_S: Final = 10.0
MAX_SHOWN_BODY: Final = 64 * 1024
_LONG_BODY: Final = 16 * 1024
_SECRETS_KEPT_S: Final = 60.0
_PRIVATE_WORDS: Final = ("authorization", "cookie", "token", "secret", "key", "password", "session")
_IMPORT_S: Final = 3.0


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
    clock_offset_s: float | None = None
    """The `Date` of the answer, which tells whole seconds, minus our clock; None without it, or from a cache."""

    @property
    def is_slow(self) -> bool:
        """Whether the newest answer took `slow_ms` or longer."""
        return self.latency_ms is not None and self.latency_ms >= self.slow_ms

    def numbers(self) -> Iterator[Number]:
        """Return state (0 ok, 1 degraded, 2 down), latencies, latency/slow_ms, and the certificate's days.

        Of a service that does not answer, all but the state are absent (NaN): it is no quicker for that.
        """
        yield Number("state", self.state)
        if self.status_code is None:
            yield from (Number(metric, math.nan) for metric in ("latency_ms", "latency_ratio"))
            if self.url.startswith("https:"):
                yield Number("certificate_days", math.nan)
        if self.latency_ms is not None:
            yield Number("latency_ms", self.latency_ms)
            yield Number("latency_ratio", self.latency_ms / self.slow_ms)
        if self.p95_ms is not None:
            yield Number("p95_ms", self.p95_ms)
        if self.certificate_days is not None:
            yield Number("certificate_days", self.certificate_days)


class HttpSource:
    """Asks one service's health URL."""

    def __init__(self, name: str, entry: Service, *, now: Callable[[], float] = time.time) -> None:
        self.name = f"service:{name}"
        self.interval_s = 2.0
        self.timeout_s = entry.timeout + _IMPORT_S
        """Longer than the service's own time, so that its silence is told as a fact."""
        self._service = name
        self._entry = entry
        self._now = now
        self._client: httpx.AsyncClient | None = None
        self._client_url = ""
        self._is_connected = False
        """Whether there was an answer: the first one's latency holds our own start and is not kept."""
        self._headers: dict[str, str] = {}
        self._headers_until = 0.0
        self._latencies = Series(KEPT_SAMPLES)
        self._trend: tuple[int, tuple[float | None, ...]] = (0, ())
        """The step in which it was taken, and `latencies_ms`."""
        self._state: State | None = None
        self._since = 0.0

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
            return self._silent(shown_url(self._entry.url, url), str(error))
        if self._is_connected:
            self._latencies.add(self._now(), answer.latency_ms)
        self._is_connected = True
        if answer.status_code in (401, 403):
            self._headers_until = 0.0  # a token may have been renewed
        shown, secrets = shown_url(self._entry.url, url), tuple(headers.values())
        if len(answer.body) > _LONG_BODY:  # tens of milliseconds, which nobody who types should feel
            return await asyncio.to_thread(self._answered, shown, answer, secrets)
        return self._answered(shown, answer, secrets)

    async def close(self) -> None:
        """Close the connection and forget the secrets."""
        self._headers = {}
        self._headers_until = 0.0
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _request(self) -> tuple[str, Mapping[str, str]]:
        try:
            url = await address(self._entry.url)
            if self._now() >= self._headers_until:
                self._headers = {name: await resolve(value) for name, value in self._entry.headers.items()}
                self._headers_until = self._now() + _SECRETS_KEPT_S
        except SecretError as error:
            raise Denied(clean(str(error)), "set it before starting opstui, or correct the profile") from None
        return url, self._headers

    async def _open(self, url: str) -> "httpx.AsyncClient":
        if self._client is None or url != self._client_url:
            if self._client is not None:
                await self._client.aclose()
            try:
                self._client = await open_client(url, self._entry.ca_file, self._entry.timeout)
            except ValueError:
                raise Unreadable("the URL cannot be used", "correct url in the profile") from None
            self._client_url = url
        return self._client

    def _silent(self, url: str, reason: str) -> ServiceSnapshot:
        return ServiceSnapshot(
            self._service,
            url,
            State.DOWN,
            reason,
            self._state_since(State.DOWN),
            None,
            "",
            None,
            *self._history(),
            workload=self._entry.workload,
        )

    def _answered(self, url: str, answer: Answer, secrets: tuple[str, ...]) -> ServiceSnapshot:
        given = dict(answer.headers)
        text = _hide(answer.body.decode("utf-8", "replace"), secrets)
        found = health.parse(answer.status_code, given.get("content-type", ""), text)
        return ServiceSnapshot(
            self._service,
            url,
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
            headers=_shown_headers(answer.headers, secrets),
            body=_shown_body(text, found.document, answer.is_cut),
            clock_offset_s=clock_offset(given, self._now() - answer.latency_ms / 2000),
            workload=self._entry.workload,
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


def shown_url(given: str, url: str) -> str:
    """Return a URL fit for a screen: the reference when it is one, else without user, password and private values."""
    if given.startswith(("env:", "file:")):
        return clean(given)
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return clean(given)
    query = "&".join(
        f"{name}=•••" if is_private(name) and equals else f"{name}{equals}{value}"
        for name, equals, value in (each.partition("=") for each in parts.query.split("&"))
    )
    return clean(urlunsplit((parts.scheme, host, parts.path, query, "")))


def is_private(name: str) -> bool:
    """Tell whether a header or parameter of this name is likely to hold a secret."""
    folded = name.lower()
    return any(word in folded for word in _PRIVATE_WORDS)


def _hide(text: str, secrets: tuple[str, ...]) -> str:
    # A service that echoes requests would put our own token on the screen.
    for secret in secrets:
        for part in {secret, secret.rpartition(" ")[2]}:
            if len(part) >= 4:
                text = text.replace(part, "•••")
    return text


def _with_location(reason: str, answer: Answer, given: Mapping[str, str]) -> str:
    if 300 <= answer.status_code < 400 and (location := given.get("location")):
        return f"HTTP {answer.status_code}: redirects to {shown_url('', location)}, which is not followed"
    return reason


def _shown_headers(headers: tuple[tuple[str, str], ...], secrets: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((clean(name, limit=100), _shown_header(name.lower(), value, secrets)) for name, value in headers[:60])


def _shown_header(name: str, value: str, secrets: tuple[str, ...]) -> str:
    if is_private(name):
        return "•••"
    return clean(_hide(shown_url("", value) if name == "location" else value, secrets), limit=500)


def _shown_body(text: str, document: object, is_cut: bool) -> str:
    if document is not None:
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps(document, indent=2, ensure_ascii=False)
    shown = clean_lines(text, limit=MAX_SHOWN_BODY)
    return f"{shown}\n…" if is_cut or len(text) > MAX_SHOWN_BODY else shown
