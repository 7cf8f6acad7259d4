"""One GET of a health URL: bounded, timed, without following redirects, its failures in words."""

import asyncio
import contextlib
import importlib
import os
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tui.sources.errors import Unreadable
from tui.sources.text import clean

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.connector import Connection

MAX_BODY_BYTES: Final = 256 * 1024
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_DAY_S: Final = 86_400.0
_MAX_HEADER_BYTES: Final = 64 * 1024


class NoAnswer(Exception):
    """The service gave no HTTP answer; the text says why, cleaned and free of secrets."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, not yet cleaned."""

    status_code: int
    reason_phrase: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """At most `MAX_BODY_BYTES`."""
    is_cut: bool
    """Whether the body was longer."""
    latency_ms: float
    """From sending the request to the last byte of the body (or to `MAX_BODY_BYTES`)."""
    certificate_days: float | None
    """Days until `notAfter` of the certificate that was served; None without TLS or when it is not known."""


async def open_client(url: str, ca_file: str | None) -> "aiohttp.ClientSession":
    """Return a client for one URL; the library is imported and the CA bundle read in a thread.

    Raises:
        Unreadable: the CA bundle cannot be read.
    """
    try:
        trust = await asyncio.to_thread(_prepare, ca_file)
    except OSError as error:
        raise Unreadable(
            f"ca_file {clean(str(ca_file))}: {clean(error.strerror or str(error))}", "correct ca_file in the profile"
        ) from error
    import aiohttp

    is_loopback = urlsplit(url).hostname in _LOOPBACK
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trust, limit=2, keepalive_timeout=30),
        response_class=_response_class(),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # `get` keeps the time, the body's included
        trust_env=not is_loopback,  # a proxy can do nothing for this machine itself
        auto_decompress=False,
        max_line_size=_MAX_HEADER_BYTES,
        max_field_size=_MAX_HEADER_BYTES,
        headers={
            "User-Agent": "opstui",
            "Accept": "application/health+json, application/json, */*",
            "Accept-Encoding": "identity",
        },  # a compressed answer could grow without bound
    )


def _prepare(ca_file: str | None) -> ssl.SSLContext:
    importlib.import_module("aiohttp")
    return _trust(ca_file)


@lru_cache(maxsize=1)
def _response_class() -> "type[aiohttp.ClientResponse]":
    import aiohttp

    class Response(aiohttp.ClientResponse):
        """Remembers the certificate: a short answer's connection has been given back before anybody can ask it."""

        not_after: str | None = None

        async def start(self, connection: "Connection") -> aiohttp.ClientResponse:
            transport = connection.transport
            tls = transport.get_extra_info("ssl_object") if transport is not None else None
            self.not_after = (tls.getpeercert() or {}).get("notAfter") if tls is not None else None
            return await super().start(connection)

    return Response


@lru_cache(maxsize=8)
def _trust(ca_file: str | None) -> ssl.SSLContext:
    if ca_file is not None:
        return ssl.create_default_context(cafile=os.path.expanduser(ca_file))
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:  # a Python without the system's bundle: python.org on macOS
        return ssl.create_default_context(cafile=importlib.import_module("certifi").where())
    return ssl.create_default_context()


async def get(client: "aiohttp.ClientSession", url: str, headers: Mapping[str, str], timeout_s: float) -> Answer:
    """Ask once.

    Raises:
        NoAnswer: refused, cut off, not in time, or TLS failed.
        Unreadable: the URL or a header cannot be sent at all.
    """
    if any(not value.isascii() or not value.isprintable() for value in headers.values()):
        raise Unreadable("a header's secret holds characters that HTTP cannot send", "look for a line end in it")
    import aiohttp

    started = time.perf_counter()
    try:
        async with asyncio.timeout(timeout_s), client.get(url, headers=headers, allow_redirects=False) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    break
            return Answer(
                response.status,
                response.reason or "",
                tuple((name.lower(), value) for name, value in response.headers.items()),
                bytes(body[:MAX_BODY_BYTES]),
                len(body) > MAX_BODY_BYTES,
                (time.perf_counter() - started) * 1000,
                _days_until(getattr(response, "not_after", None)),
            )
    except TimeoutError as error:
        raise NoAnswer(f"no answer within {timeout_s:g} s") from error
    # The library's own words may quote a header, and with it a secret: only known parts of them are kept.
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        raise Unreadable("the URL cannot be used", "correct url in the profile") from None
    except aiohttp.ClientError as error:
        raise NoAnswer(_words(error, urlsplit(url).hostname or "")) from None
    except ValueError:
        raise Unreadable("the request cannot be sent as it is", "look for odd characters in its headers") from None


def _days_until(not_after: str | None) -> float | None:
    return (ssl.cert_time_to_seconds(not_after) - time.time()) / _DAY_S if not_after else None


def _words(error: BaseException, host: str) -> str:
    for cause in _causes(error):
        if type(cause).__module__.startswith("aiohttp."):  # half of them claim to be what caused them, and are not
            continue
        if isinstance(cause, ssl.SSLCertVerificationError):
            is_unknown = re.search("issuer|self.signed", cause.verify_message)
            hint = "; set ca_file when it is your own CA" if is_unknown else ""
            return f"TLS certificate: {clean(cause.verify_message)}{hint}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {clean((cause.reason or 'handshake failed').replace('_', ' ').lower())}"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return "connection reset by peer"
        if type(cause).__name__ == "gaierror":
            return f"{clean(host)}: {clean(getattr(cause, 'strerror', None) or 'name not known').lower()}"
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return os.strerror(cause.errno).lower()
    name = type(error).__name__
    return {
        "ClientConnectorSSLError": "TLS: handshake failed",
        "ServerDisconnectedError": "what answers does not speak HTTP, or hung up in the middle",
        "ClientResponseError": "what answers does not speak HTTP, or hung up in the middle",
        "ClientPayloadError": "the connection was lost while reading",
        "ClientHttpProxyError": "the proxy refused",
    }.get(name, f"no connection ({name})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < 30:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting.extend(cause for cause in (current.__cause__, current.__context__) if cause is not None)
        with contextlib.suppress(AttributeError):
            waiting.extend(getattr(current, "exceptions"))  # noqa: B009 -- only exception groups have it
