"""Which cluster this is, whatever its address and the context's name say."""

import asyncio
import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tui.sources.errors import SourceError
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.fields import part, text
from tui.sources.kubernetes.kubeconfig import Login
from tui.sources.trait import Trait

_NAMESPACE: Final = "/api/v1/namespaces/kube-system"
_TIMEOUT_S: Final = 3.0
_REFUSED: Final = (403, 404)
"""Statuses that stay: our account may not read it, or what answers is not a whole cluster."""
_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----\s+(.+?)-----END CERTIFICATE-----", re.DOTALL)
_ASK_FOR: Final = "ask for: get on namespaces, resourceName kube-system"


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """What one opening of the connection has found out."""

    namespace_uid: str | None = None
    """UID of the namespace kube-system, which lives as long as its cluster; None where it cannot be read."""
    no_uid: str = "it is not read yet"
    """Why it cannot be read, with what helps; empty when it was."""
    is_refused: bool = False
    """Whether it stays unread: our account may not, or there is none."""
    server: str = ""
    """`https://host:port` of the API server; empty until the connection was opened."""
    ca_sha256: str | None = None
    """Fingerprint of the CA that the server's certificate is checked against; None where it proves nothing."""
    no_ca: str = "it is not read yet"
    """Why it proves nothing; empty when it does."""
    opening: int = 0
    """`Connection.openings` when it was read."""

    def traits(self) -> Iterator[Trait]:
        """Return what a profile may pin; address and CA count only for an account that may not read the UID."""
        yield Trait("namespace_uid", self.namespace_uid, self.no_uid)
        yield Trait("server", self.server or None, "" if self.server else self.no_ca, lasts=self.is_refused)
        yield Trait("ca_sha256", self.ca_sha256, self.no_ca, lasts=self.is_refused)


UNREAD: Final = ClusterIdentity()
"""Of a connection that has just been opened."""


async def identify(connection: Connection) -> ClusterIdentity:
    """Ask the cluster that answers now who it is.

    Raises:
        SourceError: it could not be asked. What our account may not read costs that fact only.
    """
    login = await connection.open()
    opening = connection.openings
    ca_sha256, no_ca = await asyncio.to_thread(fingerprint, login)
    answer = await connection.call("GET", _NAMESPACE, timeout_s=_TIMEOUT_S, opening=opening)
    uid, no_uid = None, f"{answer.message}; {_ASK_FOR}"
    if answer.status not in _REFUSED:
        uid = text(part(answer.object(), "metadata"), "uid") or None
        no_uid = "" if uid else "the namespace kube-system has no UID"
    return ClusterIdentity(uid, no_uid, uid is None, login.endpoint, ca_sha256, no_ca, opening)


async def identified(connection: Connection, known: ClusterIdentity) -> ClusterIdentity:
    """Return what is `known` of the cluster while it holds, else what is found now, or why nothing was."""
    try:
        await connection.open()
        if known.opening == connection.openings:
            return known
        return await identify(connection)
    except SourceError as error:
        return ClusterIdentity(no_uid=error.message, no_ca=error.message)


def fingerprint(login: Login) -> tuple[str | None, str]:
    """Return the SHA-256 of the CA a server must prove to belong to, as 64 hexadecimal digits, else why there is none.

    It is what `openssl x509 -noout -fingerprint -sha256` says of the CA's certificate, without colons; of several
    certificates, that of all of them, sorted, one behind the other. Reads the CA's file.
    """
    if login.insecure:
        return None, "the kubeconfig skips the check of certificates (insecure-skip-tls-verify), so nothing is proven"
    if not login.server.startswith("https:"):
        return None, "the connection is without TLS, so nothing is proven"
    if login.ca is None:
        return None, "the kubeconfig names no CA: any that this machine trusts would do"
    try:
        content = login.ca.content if login.ca.path is None else login.ca.path.read_bytes()
        found = [base64.b64decode(body) for body in _CERTIFICATE.findall(content or b"")]
    except OSError as error:
        return None, f"the CA's file cannot be read: {error.strerror}"
    except binascii.Error:
        found = []
    if not found:
        return None, "the kubeconfig's CA holds no certificate"
    return hashlib.sha256(b"".join(sorted(found))).hexdigest(), ""
