"""The certificates a host serves, looked at in a handshake of their own that accepts anything and sends nothing.

So they can be read also where the connection is refused because of them: that is when people need them. pyOpenSSL
does it, because Python shows the chain of an unverified connection only from 3.13 on.
"""

import asyncio
import ipaddress
import math
import os
import select
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui.sources.errors import SourceError, Unreachable, Unreadable
from tui.sources.text import clean

if TYPE_CHECKING:
    from cryptography import x509
    from OpenSSL import SSL

DAY_S: Final = 86_400.0
_MOST: Final = 12
_MOST_NAMES: Final = 100
_SHOWN: Final = 200
_WORDS: Final = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself, and not trusted",
    19: "the chain ends in an authority that is not trusted here",
    20: "its issuer is not known here",
    21: "its issuer was not sent, and is not known here",
    23: "it is revoked",
    24: "its issuer is no authority",
    26: "it is not meant for a server",
    66: "its key is too short",
    67: "its issuer's key is too short",
    68: "it is signed with an outdated digest",
}
"""OpenSSL's verification errors, by number."""
_OUTCOMES_OF_ONE: Final = {20: 21}
"""One missing issuer is told twice."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a chain."""

    subject: str
    """Its common name, or the whole subject when it has none; cleaned."""
    issuer: str
    names: tuple[str, ...]
    """subjectAltName: DNS names and addresses."""
    not_before: float
    """Unix time."""
    not_after: float
    """Unix time."""
    key: str
    """`RSA 2048`, `EC secp256r1`, `Ed25519`."""
    signed_with: str
    """The digest of its signature: `sha256`; empty when it has none of its own."""
    serial: str
    """In hexadecimal."""
    fingerprint: str
    """SHA-256, in hexadecimal."""
    is_self_issued: bool
    """Whether subject and issuer are the same."""

    def days(self, now: float) -> float:
        """Return the days until `not_after`; negative when it has passed."""
        return (self.not_after - now) / DAY_S


@dataclass(frozen=True, slots=True)
class Chain:
    """What a host serves, the host's own certificate first."""

    host: str
    port: int
    protocol: str
    """`TLSv1.3`."""
    cipher: str
    certificates: tuple[Certificate, ...]
    problems: tuple[str, ...]
    """Why it is not trusted, each with the certificate it is about; empty when it is."""
    at: float
    """`time.time()` when it was looked at."""

    @property
    def leaf(self) -> Certificate | None:
        """The host's own certificate."""
        return self.certificates[0] if self.certificates else None


async def look(host: str, port: int, ca_file: str | None, timeout_s: float) -> Chain:
    """Return what a host serves, verified by what we trust, and read whether it is trusted or not.

    Raises:
        Unreachable: nobody answered, or not in time.
        Unreadable: what answers does not speak TLS, or the CA bundle cannot be read.
    """
    return await asyncio.to_thread(_look, host, port, ca_file, timeout_s)


def _look(host: str, port: int, ca_file: str | None, timeout_s: float) -> Chain:
    from OpenSSL import SSL  # half a second: only who looks at certificates pays for it

    until = time.monotonic() + timeout_s
    errors: list[tuple[int, int]] = []

    def seen(connection: object, certificate: object, error: int, depth: int, is_well: int) -> bool:
        if not is_well and (depth, error) not in errors:
            errors.append((depth, error))
        return True

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    _trust(context, ca_file)
    context.set_verify(SSL.VERIFY_PEER, seen)
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as plain:
            plain.setblocking(False)
            connection = SSL.Connection(context, plain)
            if not _is_address(host):
                connection.set_tlsext_host_name(host.encode("idna"))
            connection.set_connect_state()
            _shake_hands(connection, plain, until)
            chain = connection.get_peer_cert_chain(as_cryptography=True) or []
            protocol, cipher = connection.get_protocol_version_name(), connection.get_cipher_name() or ""
    except TimeoutError:
        raise Unreachable(f"no TLS handshake within {timeout_s:g} s") from None
    except SSL.Error as error:
        raise Unreadable(f"TLS: {_reason(error)}") from None
    except (OSError, UnicodeError) as error:
        words = getattr(error, "strerror", None) or "the name cannot be looked up"
        raise Unreachable(f"{clean(host)}: {clean(str(words)).lower()}") from None
    found = tuple(_read(certificate) for certificate in chain[:_MOST])
    problems = tuple(_problems(host, found, errors))
    return Chain(clean(host), port, protocol, clean(cipher), found, problems, time.time())


def _trust(context: "SSL.Context", ca_file: str | None) -> None:
    from OpenSSL import SSL

    paths = ssl.get_default_verify_paths()
    try:
        if ca_file is not None:
            context.load_verify_locations(os.path.expanduser(ca_file))
        elif paths.cafile is None and paths.capath is None:
            import certifi

            context.load_verify_locations(certifi.where())
        else:
            context.load_verify_locations(paths.cafile, paths.capath)
    except (SSL.Error, OSError):
        raise Unreadable(f"ca_file {clean(str(ca_file))} cannot be read", "correct ca_file in the profile") from None


def _shake_hands(connection: "SSL.Connection", plain: socket.socket, until: float) -> None:
    """Go through the handshake; raises TimeoutError when `until` (`time.monotonic()`) has passed."""
    from OpenSSL import SSL

    while True:
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            waiting: tuple[list[Any], list[Any]] = [plain], []
        except SSL.WantWriteError:
            waiting = [], [plain]
        except SSL.SysCallError as error:
            raise ConnectionResetError(0, "hung up during the TLS handshake") from error
        else:
            return
        left = until - time.monotonic()
        if left <= 0 or not any(select.select(*waiting, [], left)):
            raise TimeoutError


def _reason(error: Exception) -> str:
    found = error.args[0] if error.args else []
    words = found[-1][-1] if found and isinstance(found, list) else ""
    return clean(str(words)) or "what answers does not speak TLS"


def _read(certificate: "x509.Certificate") -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        told = [str(name) for kind in (x509.DNSName, x509.IPAddress) for name in names.get_values_for_type(kind)]
    except (x509.ExtensionNotFound, ValueError):
        told = []
    digest = certificate.signature_hash_algorithm
    return Certificate(
        _name(certificate.subject),
        _name(certificate.issuer),
        tuple(clean(name, limit=_SHOWN) for name in told[:_MOST_NAMES]),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        _key(certificate),
        digest.name if digest is not None else "",
        f"{certificate.serial_number:x}",
        certificate.fingerprint(hashes.SHA256()).hex(),
        certificate.subject == certificate.issuer,
    )


def _name(name: "x509.Name") -> str:
    from cryptography.x509.oid import NameOID

    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = str(common[0].value) if common else name.rfc4514_string()
    return clean(text, limit=_SHOWN) or "(without a name)"


def _key(certificate: "x509.Certificate") -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = certificate.public_key()
    except ValueError:
        return "unknown"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.lstrip("_").removesuffix("PublicKey")


def _problems(host: str, chain: tuple[Certificate, ...], errors: list[tuple[int, int]]) -> list[str]:
    told: list[str] = []
    for depth, error in sorted(errors):
        if any((depth, other) in errors for other, second in _OUTCOMES_OF_ONE.items() if second == error):
            continue
        whose = f"{chain[depth].subject}: " if 0 < depth < len(chain) else ""
        told.append(whose + _WORDS.get(error, f"OpenSSL's verification error {error}"))
    if chain and not covers(chain[0].names, host):
        for_whom = ", ".join(chain[0].names[:3]) or "nobody: it has no subjectAltName"
        told.append(f"it is not for {clean(host)} but for {for_whom}{', …' if len(chain[0].names) > 3 else ''}")
    return list(dict.fromkeys(told))


def covers(names: tuple[str, ...], host: str) -> bool:
    """Tell whether a certificate with these names is good for a host: `*` stands for one whole first label."""
    if _is_address(host):
        return any(_is_address(name) and ipaddress.ip_address(name) == ipaddress.ip_address(host) for name in names)
    wanted = host.rstrip(".").lower()
    for name in names:
        offered = name.rstrip(".").lower()
        if offered == wanted:
            return True
        rest = wanted.partition(".")[2]
        if offered.startswith("*.") and "." in rest and offered[2:] == rest:
            return True
    return False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class Watched:
    """The certificates of one host, looked at now and then."""

    def __init__(self, ca_file: str | None, timeout_s: float) -> None:
        self._ca_file = ca_file
        self._timeout_s = timeout_s
        self._looked_at = -math.inf
        self._task: asyncio.Task[None] | None = None
        self.chain: Chain | None = None
        """What was served the last time it could be seen; None before."""
        self.failure = ""
        """Why the newest look saw nothing; empty when it did."""

    def begin(self, host: str, port: int, every_s: float) -> None:
        """Look, beside everything else, unless that was done within `every_s`."""
        if (self._task is None or self._task.done()) and time.monotonic() - self._looked_at >= every_s:
            self._task = asyncio.create_task(self.now(host, port), name=f"certificates of {host}")

    async def now(self, host: str, port: int) -> None:
        """Look at once."""
        self._looked_at = time.monotonic()
        try:
            self.chain, self.failure = await look(host, port, self._ca_file, self._timeout_s), ""
        except SourceError as error:
            self.failure = error.message

    def close(self) -> None:
        """Give up a look under way."""
        if self._task is not None:
            self._task.cancel()
