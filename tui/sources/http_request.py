"""One HTTP request: bounded, timed, without following redirects, its failures in words."""

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
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tui.sources.errors import Unreadable
from tui.sources.http_library import http_library
from tui.sources.text import clean

if TYPE_CHECKING:
    import httpx

MAX_BODY_BYTES: Final = 256 * 1024
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_DAY_S: Final = 86_400.0
_TRUST: Final = Lock()


class NoAnswer(Exception):
    """The service gave no HTTP answer; the text says why, cleaned and free of secrets."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, not yet cleaned."""

    status_code: int
    reason_phrase: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """As much of it as was asked for."""
    is_cut: bool
    """Whether the body was longer."""
    latency_ms: float
    """From sending the request to the last byte of the body, or of what was asked for of it."""
    certificate_days: float | None
    """Days until `notAfter` of the certificate that was served; None without TLS or when it is not known."""


async def open_client(url: str, ca_file: str | None, timeout_s: float) -> "httpx.AsyncClient":
    """Return a client for one URL; the library is imported and the CA bundle read in a thread.

    Raises:
        Unreadable: the CA bundle cannot be read.
    """
    try:
        return await asyncio.to_thread(_open_client, url, ca_file, timeout_s)
    except OSError as error:
        raise Unreadable(
            f"ca_file {clean(str(ca_file))}: {clean(error.strerror or str(error))}", "correct ca_file in the profile"
        ) from error


def _open_client(url: str, ca_file: str | None, timeout_s: float) -> "httpx.AsyncClient":
    library = http_library()
    importlib.import_module("anyio.streams.tls")  # else the first latency would hold the time of this import
    is_loopback = urlsplit(url).hostname in _LOOPBACK
    client: httpx.AsyncClient = library.AsyncClient(
        verify=_shared_trust(ca_file),
        timeout=timeout_s,
        follow_redirects=False,
        trust_env=not is_loopback,  # a proxy can do nothing for this machine itself
        limits=library.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=30),
        headers={
            "User-Agent": "opstui",
            "Accept": "application/health+json, application/json, */*",
            "Accept-Encoding": "identity",
        },  # a compressed answer could grow without bound
    )
    return client


def _shared_trust(ca_file: str | None) -> ssl.SSLContext:
    # The services of a profile are opened at the same time, and the system's bundle takes 30 ms of CPU time to read:
    # without waiting for the first, each would read it.
    with _TRUST:
        return _trust(ca_file)


@lru_cache(maxsize=8)
def _trust(ca_file: str | None) -> ssl.SSLContext:
    if ca_file is not None:
        return ssl.create_default_context(cafile=os.path.expanduser(ca_file))
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:  # a Python without the system's bundle: python.org on macOS
        return ssl.create_default_context(cafile=importlib.import_module("certifi").where())
    return ssl.create_default_context()


async def get(
    client: "httpx.AsyncClient",
    url: str,
    headers: Mapping[str, str],
    timeout_s: float,
    *,
    most: int = MAX_BODY_BYTES,
) -> Answer:
    """GET once; of the body at most `most` bytes. Raises as `ask` does."""
    return await ask(client, "GET", url, headers, timeout_s, most=most)


async def ask(
    client: "httpx.AsyncClient",
    method: str,
    url: "str | httpx.URL",
    headers: Mapping[str, str],
    timeout_s: float,
    *,
    content: bytes | None = None,
    most: int = MAX_BODY_BYTES,
    extensions: Mapping[str, Any] | None = None,
) -> Answer:
    """Ask once; of the body at most `most` bytes.

    Raises:
        NoAnswer: refused, cut off, not in time, or TLS failed.
        Unreadable: the URL or a header cannot be sent at all.
    """
    if any(not value.isascii() or not value.isprintable() for value in headers.values()):
        raise Unreadable("a header's secret holds characters that HTTP cannot send", "look for a line end in it")
    library = http_library()
    started = time.perf_counter()
    sent = client.stream(method, url, headers=dict(headers), content=content, extensions=dict(extensions or {}))
    try:
        async with asyncio.timeout(timeout_s), sent as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > most:
                    break
            return Answer(
                response.status_code,
                response.reason_phrase,
                tuple(response.headers.multi_items()),
                bytes(body[:most]),
                len(body) > most,
                (time.perf_counter() - started) * 1000,
                _certificate_days(response),
            )
    except TimeoutError as error:
        raise NoAnswer(f"no answer within {timeout_s:g} s") from error
    # The library's own words may quote a header, and with it a secret: only known parts of them are kept.
    except (library.InvalidURL, library.UnsupportedProtocol):
        raise Unreadable("the URL cannot be used", "correct url in the profile") from None
    except library.LocalProtocolError:
        raise Unreadable("the request cannot be sent as it is", "look for odd characters in its headers") from None
    except library.ConnectTimeout:
        raise NoAnswer(f"no connection within {timeout_s:g} s") from None
    except library.TimeoutException:
        raise NoAnswer(f"no answer within {timeout_s:g} s") from None
    except library.HTTPError as error:
        raise NoAnswer(_words(error, urlsplit(str(url)).hostname or "")) from None


def _certificate_days(response: "httpx.Response") -> float | None:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    not_after = (tls.getpeercert() or {}).get("notAfter") if tls is not None else None
    if not isinstance(not_after, str):
        return None
    return (ssl.cert_time_to_seconds(not_after) - time.time()) / _DAY_S


def _words(error: BaseException, host: str) -> str:
    for cause in _causes(error):
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
        if isinstance(cause, OSError) and cause.strerror:
            return clean(cause.strerror).lower()
    name = type(error).__name__
    return {
        "RemoteProtocolError": "what answers does not speak HTTP, or hung up in the middle",
        "ReadError": "the connection was lost while reading",
        "WriteError": "the connection was lost while sending",
        "ProxyError": "the proxy refused",
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
