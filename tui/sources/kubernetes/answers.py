"""What an API server answers, or what keeps it from that, as our own words. Pure, but for naming aiohttp's errors."""

import json
import os
import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json

from tui.sources.errors import Denied, SourceError, Unreachable, Unreadable
from tui.sources.kubernetes.fields import Object, text, whole
from tui.sources.text import clean

CONNECT_S: Final = 5.0
"""How long a connection may take to come about."""
_MOST_PATIENT_S: Final = 120
"""What a server may ask for at most with `Retry-After`."""


class ConnectFailed(Unreachable):
    """No connection came about, so nothing was sent."""


class Silent(Unreachable):
    """Connected, but nothing came for too long."""


class CredentialsRefused(Denied):
    """401: the server does not know us."""


class Busy(Unreachable):
    """429: the server asks to be left alone for a while."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        """`Retry-After`, in seconds; 0 where it names none."""


class Expired(SourceError):
    """410: the resourceVersion asked for is too old."""


class Missing(Unreadable):
    """404: there is no such thing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answered, whatever its status."""

    status: int
    """HTTP status."""
    body: Object
    """The JSON object; empty when the body was none."""
    retry_after: str = ""
    """The `Retry-After` header; empty without one."""

    @property
    def is_ok(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    @property
    def message(self) -> str:
        """The server's own words about a failure, cleaned."""
        return text(self.body, "message") or f"HTTP {self.status}"

    def object(self) -> Object:
        """Return the body of a request that was carried out; raises the matching SourceError otherwise."""
        if not self.is_ok:
            raise refused(self.status, self.body, self.retry_after)
        return self.body


def refused(status: int, body: Object, retry_after: str = "") -> SourceError:
    """Return the error for an answer (or an ERROR event of a watch) with this status."""
    message = text(body, "message") or f"HTTP {status} without a Status object: a proxy, not an API server?"
    match status:
        case 401:
            return CredentialsRefused(f"credentials refused: {message}", "run your login command again")
        case 403:
            return Denied(message, "ask whoever runs the cluster for this permission")
        case 404:
            return Missing(message)
        case 410:
            return Expired(message)
        case 429:
            # API servers name seconds; the form with a date is for web servers.
            wait_s = min(int(retry_after), _MOST_PATIENT_S) if retry_after.isdecimal() else 0
            return Busy(f"the API server asks us to slow down: {message}", wait_s)
        case _ if status >= 500:
            return Unreachable(f"the API server failed ({status}): {message}")
    return Unreadable(message)


def status_code(body: Object) -> int:
    """Return the code of a Status object; 500 when it has none."""
    return whole(body, "code") or 500


def decoded(content: bytes) -> Object:
    """Return the JSON object of a body; an empty one where it is none."""
    try:
        found = loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def loads(content: bytes) -> Any:
    """Return what JSON says; raises ValueError where it is none, or nested without end.

    Pydantic's own parser takes a third of the time; what it refuses and Python takes (half of a surrogate pair, as
    an annotation may hold) is read by Python's.
    """
    try:
        return from_json(content)
    except ValueError:
        try:
            return json.loads(content)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def translation(error: Exception, server: str) -> SourceError:
    """Return what an error of aiohttp, ssl or the system means; `server` is how people know it."""
    import aiohttp

    match error:
        case aiohttp.ClientConnectorCertificateError():
            return ConnectFailed(*_certificate(server, error.certificate_error))
        case aiohttp.ClientHttpProxyError():
            return ConnectFailed(
                f"{server}: the proxy refused the way there: {error.status} {clean(error.message)}".rstrip(),
                "check proxy-url in the kubeconfig, or HTTPS_PROXY",
            )
        case aiohttp.ClientProxyConnectionError():
            where = f"{error.host}:{error.port}"
            return ConnectFailed(
                f"{server}: the proxy {clean(where)}: {clean(os.strerror(error.errno or 0)).lower()}",
                "check proxy-url in the kubeconfig, or HTTPS_PROXY",
            )
        case aiohttp.ClientError() | OSError() if (found := _ALERT.search(str(error))) is not None:
            alert = found[1].replace("_", " ").lower()
            return CredentialsRefused(f"{server}: it refuses our client certificate: {alert}", "log in again")
        case aiohttp.ClientConnectorSSLError():
            return ConnectFailed(f"{server}: TLS failed: {clean(str(error.os_error))}")
        case aiohttp.ClientConnectorDNSError():
            return ConnectFailed(f"{server}: host name unknown", "is the VPN up?")
        case aiohttp.ClientConnectorError():
            return ConnectFailed(f"{server}: {clean(os.strerror(error.errno or 0)).lower()}", "is the cluster up?")
        case aiohttp.ConnectionTimeoutError():
            return ConnectFailed(f"{server}: no connection within {CONNECT_S:g} s", "is the VPN up?")
        case aiohttp.InvalidURL():
            return Unreadable(f"{server} is not a URL")
        case TimeoutError():
            return Silent(f"{server}: connected, but no answer in time")
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return Unreachable(f"{server}: the connection was cut")
        case OSError():
            return Unreachable(f"{server}: the connection was cut: {clean(error.strerror or str(error))}")
    return Unreadable(f"{server}: not a valid answer ({type(error).__name__})")


_ALERT: Final = re.compile(r"ALERT_((?:CERTIFICATE_(?:EXPIRED|REVOKED|UNKNOWN|REQUIRED))|BAD_CERTIFICATE|UNKNOWN_CA)")
"""What a server says of a client's certificate, as OpenSSL names it."""


def _certificate(server: str, error: Exception) -> tuple[str, str]:
    """Return what is wrong with a server's certificate, and what helps."""
    reason = clean(str(getattr(error, "verify_message", "") or error))
    if "expired" in reason or "not yet valid" in reason:
        return f"{server}: its certificate: {reason}", "renew the server's certificate; is this machine's clock right?"
    if "mismatch" in reason or "not valid for" in reason:
        return f"{server}: its certificate is another's: {reason}", "check server and tls-server-name in the kubeconfig"
    return f"{server}: certificate not trusted: {reason}", "check certificate-authority in the kubeconfig"
