"""A certificate for the loopback, signed by itself and made afresh at each start.

The standard library can serve TLS but not make a certificate; ECDSA over P-256 is short enough to write out.
It protects a simulation, and nothing else may use it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int] | None

_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_PRIME256V1 = "1.2.840.10045.3.1.7"
_NAME = b"opstui sandbox"


class Certificate:
    """A key pair and its certificate for 127.0.0.1 and localhost, good for a week, or for `days`."""

    def __init__(self, days: float = 7.0) -> None:
        self._key = secrets.randbelow(_N - 1) + 1
        x, y = _times(self._key, _G) or _G
        self._public = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
        self.pem = _pem("CERTIFICATE", self._certificate(_NAME, days))
        """The certificate, which is its own authority."""
        self.key_pem = _pem("EC PRIVATE KEY", self._private())

    def issued(self, subject: str, days: float) -> str:
        """Return a certificate of another name for the same key, signed by this one, which ends in `days`."""
        return _pem("CERTIFICATE", self._certificate(subject.encode(), days))

    def context(self) -> ssl.SSLContext:
        """Return the TLS context to serve with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.serve(context)
        return context

    def serve(self, context: ssl.SSLContext, issued: str = "") -> None:
        """Have a context serve it, or one it has issued, from the next connection on."""
        with tempfile.TemporaryDirectory() as folder:  # load_cert_chain reads files only; mode 0700
            path = Path(folder) / "key.pem"
            path.write_text(issued + self.pem + self.key_pem, encoding="ascii")
            context.load_cert_chain(path)

    def _private(self) -> bytes:
        curve = _tag(0xA0, _oid(_PRIME256V1))
        public = _tag(0xA1, _bits(self._public))
        return _sequence(_integer(1), _tag(0x04, self._key.to_bytes(32, "big")), curve, public)

    def _certificate(self, subject: bytes, days: float) -> bytes:
        now = datetime.now(UTC)
        algorithm = _sequence(_oid(_ECDSA_SHA256))
        key = _sequence(_sequence(_oid(_EC_PUBLIC_KEY), _oid(_PRIME256V1)), _bits(self._public))
        body = _sequence(
            _tag(0xA0, _integer(2)),
            _integer(secrets.randbits(63)),
            algorithm,
            _named(_NAME),
            _sequence(_time(now - timedelta(days=30)), _time(now + timedelta(days=days))),
            _named(subject),
            key,
            _tag(0xA3, _sequence(*self._extensions())),
        )
        return _sequence(body, algorithm, _bits(self._sign(body)))

    def _extensions(self) -> list[bytes]:
        true = _tag(0x01, b"\xff")
        names = _sequence(_tag(0x87, bytes([127, 0, 0, 1])), _tag(0x82, b"localhost"))
        identifier = _tag(0x04, hashlib.sha256(self._public).digest()[:20])
        return [
            _sequence(_oid("2.5.29.19"), true, _tag(0x04, _sequence(true))),  # an authority
            _sequence(_oid("2.5.29.15"), true, _tag(0x04, _tag(0x03, b"\x02\x84"))),  # signs, and signs certificates
            # serves TLS, and shows a server who one is
            _sequence(_oid("2.5.29.37"), _tag(0x04, _sequence(*map(_oid, ("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"))))),
            _sequence(_oid("2.5.29.17"), _tag(0x04, names)),
            _sequence(_oid("2.5.29.14"), _tag(0x04, identifier)),
        ]

    def _sign(self, message: bytes) -> bytes:
        digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
        while True:
            nonce = secrets.randbelow(_N - 1) + 1
            point = _times(nonce, _G)
            r = point[0] % _N if point else 0
            s = pow(nonce, -1, _N) * (digest + r * self._key) % _N
            if r and s:
                return _sequence(_integer(r), _integer(s))


def _named(name: bytes) -> bytes:
    return _sequence(_tag(0x31, _sequence(_oid("2.5.4.3"), _tag(0x0C, name))))


def _add(p: _Point, q: _Point) -> _Point:
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % _P == 0:
            return None
        slope = (3 * p[0] * p[0] - 3) * pow(2 * p[1], -1, _P) % _P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, _P) % _P
    x = (slope * slope - p[0] - q[0]) % _P
    return x, (slope * (p[0] - x) - p[1]) % _P


def _times(number: int, point: _Point) -> _Point:
    total: _Point = None
    while number:
        if number & 1:
            total = _add(total, point)
        point = _add(point, point)
        number >>= 1
    return total


def _tag(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _sequence(*parts: bytes) -> bytes:
    return _tag(0x30, b"".join(parts))


def _integer(value: int) -> bytes:
    return _tag(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _tag(0x03, b"\x00" + content)


def _time(moment: datetime) -> bytes:
    return _tag(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def _oid(text: str) -> bytes:
    first, second, *rest = (int(n) for n in text.split("."))
    content = bytearray([first * 40 + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        content += bytes(reversed(groups))
    return _tag(0x06, bytes(content))


def _pem(label: str, content: bytes) -> str:
    text = base64.encodebytes(content).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"
