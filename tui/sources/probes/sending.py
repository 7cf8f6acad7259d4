"""One request on a connection of its own, each phase of it timed."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tui.sources.http_library import http_library
from tui.sources.http_request import MAX_BODY_BYTES, Answer, NoAnswer, ask, open_client
from tui.sources.probes.facts import Phases
from tui.sources.text import clean

if TYPE_CHECKING:
    import httpx

_MOST_ADDRESSES: Final = 4


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request with everything it sends; it may hold secrets, and is never shown."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a request."""

    answer: Answer | None
    failure: str
    """Why there was no answer; empty when there was."""
    phases: Phases
    was_sent: bool
    """Whether its first byte went out: from then on, the service may have got it."""


@dataclass(slots=True)
class _Trail:
    """When each step began and ended, as the HTTP library tells it (`time.perf_counter()`)."""

    at: dict[str, float] = field(default_factory=dict)
    is_looked_up: bool = False
    dns_ms: float | None = None

    async def __call__(self, event: str, info: object) -> None:
        self.at.setdefault(event.partition(".")[2], time.perf_counter())

    @property
    def was_sent(self) -> bool:
        return "send_request_headers.started" in self.at

    def phases(self, total_ms: float) -> Phases:
        return Phases(
            self.dns_ms,
            self._between("connect_tcp.started", "connect_tcp.complete"),
            self._between("start_tls.started", "start_tls.complete"),
            self._between("send_request_headers.started", "receive_response_headers.complete"),
            total_ms,
        )

    def _between(self, first: str, last: str) -> float | None:
        if first not in self.at or last not in self.at:
            return None
        return (self.at[last] - self.at[first]) * 1000


async def send(request: Outgoing, ca_file: str | None, timeout_s: float, *, most: int = MAX_BODY_BYTES) -> Attempt:
    """Send a request once; what fails is told, with how far it came.

    Raises:
        Unreadable: the URL, a header or the CA bundle cannot be used at all.
    """
    client = await open_client(request.url, ca_file, timeout_s)
    began = time.perf_counter()
    trail = _Trail()
    answer, failure = None, ""
    try:
        async with asyncio.timeout(timeout_s):
            addresses = await _addresses(request.url)
            trail.dns_ms = (time.perf_counter() - began) * 1000 if addresses else None
            trail.is_looked_up = True
            answer, failure = await _to_one_of(client, request, addresses, timeout_s, most, trail)
    except TimeoutError:
        missing = "answer" if trail.was_sent else "connection" if trail.is_looked_up else "address of its name"
        failure = f"no {missing} within {timeout_s:g} s"
    except OSError as error:
        failure = f"{_host(request.url)}: {clean((error.strerror or 'name not known').lower())}"
    finally:
        await client.aclose()
    return Attempt(answer, failure, trail.phases((time.perf_counter() - began) * 1000), trail.was_sent)


async def _to_one_of(
    client: "httpx.AsyncClient", request: Outgoing, addresses: list[str], timeout_s: float, most: int, trail: _Trail
) -> tuple[Answer | None, str]:
    """Try one address after the other until one lets us connect: what was sent once is not sent again."""
    failure = ""
    limits = dict.fromkeys(("read", "write", "pool"), timeout_s)
    for address in addresses or [""]:
        trail.at.clear()
        url, headers, extensions = _aimed(request, address)
        extensions |= {"trace": trail, "timeout": {"connect": timeout_s / max(1, len(addresses)), **limits}}
        try:
            answer = await ask(
                client,
                request.method,
                url,
                headers,
                timeout_s,
                content=request.content,
                most=most,
                extensions=extensions,
            )
        except NoAnswer as error:
            failure = str(error)
            if "connect_tcp.complete" in trail.at:
                break
        else:
            return answer, ""
    return None, failure


def _aimed(request: Outgoing, address: str) -> tuple["str | httpx.URL", dict[str, str], dict[str, Any]]:
    """Return URL, headers and extensions that lead to one address of the host, under the host's own name."""
    if not address:
        return request.url, dict(request.headers), {}
    library = http_library()
    url = library.URL(request.url)
    name = url.netloc.decode("ascii")
    return (
        url.copy_with(host=address),
        {"Host": name, **request.headers},
        {"sni_hostname": url.raw_host.decode("ascii")},
    )


def _host(url: str) -> str:
    try:
        return clean(urlsplit(url).hostname or "")
    except ValueError:
        return ""


async def _addresses(url: str) -> list[str]:
    """Return the addresses of the URL's host, in the system's order; none for an address or behind a proxy.

    Raises:
        OSError: the name is not known.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return []
    if not host or _is_address(host) or _has_proxy(parts.scheme, host):
        return []
    found = await asyncio.get_running_loop().getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))[:_MOST_ADDRESSES]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _has_proxy(scheme: str, host: str) -> bool:
    from urllib.request import getproxies, proxy_bypass  # a tenth of a second, which the first frame cannot wait for

    proxies = getproxies()
    return host != "localhost" and (scheme in proxies or "all" in proxies) and not proxy_bypass(host)
