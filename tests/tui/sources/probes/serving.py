"""Small real servers on loopback for the tests of probes: HTTP by handlers, and certificates of every kind."""

import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(routes: Mapping[str, Handler], tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve `METHOD /path` by handlers; yields the origin."""
    app = web.Application()
    for route, handler in routes.items():
        method, _, path = route.partition(" ")
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Authority:
    """A certificate authority with an intermediate, made afresh."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root_key, self._key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _named("opstui test root")
        self._root = _signed(root, root, self._root_key, self._root_key, days=3650, is_authority=True)
        self._issuer = _named("opstui test intermediate")
        self._intermediate = _signed(self._issuer, root, self._key, self._root_key, days=1000, is_authority=True)
        self.file = folder / "root.pem"
        self.file.write_bytes(_pem(self._root))

    def context(
        self, *, days: float = 90, names: tuple[str, ...] = ("127.0.0.1",), is_self_signed: bool = False
    ) -> ssl.SSLContext:
        """Return a context that serves a certificate of these names, which ends in `days`."""
        key, subject = ec.generate_private_key(ec.SECP256R1()), _named(names[0] if names else "nobody")
        issuer, with_key = (subject, key) if is_self_signed else (self._issuer, self._key)
        certificate = _signed(subject, issuer, key, with_key, days=days, names=names)
        chain = [certificate] if is_self_signed else [certificate, self._intermediate]
        path = self._folder / "served.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(private + b"".join(map(_pem, chain)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    with_key: ec.EllipticCurvePrivateKey,
    *,
    days: float,
    names: tuple[str, ...] = (),
    is_authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
    return builder.sign(with_key, hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
