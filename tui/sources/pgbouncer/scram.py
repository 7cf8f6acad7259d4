"""SCRAM-SHA-256 (RFC 5802, 7677) as PostgreSQL speaks it: the client's side. Pure but for its nonce."""

import base64
import binascii
import hashlib
import hmac
import secrets
import unicodedata
from typing import Final

MECHANISM: Final = "SCRAM-SHA-256"
_HEADER: Final = "n,,"
"""No channel binding, no other identity."""
_MOST_ITERATIONS: Final = 1_000_000
"""A server that asks for more wants our CPU, not our password."""


class ScramError(ValueError):
    """The server does not keep to the exchange, or does not know the password either."""


class Scram:
    """One exchange: `first`, `final` with the server's challenge, `check` with its signature."""

    def __init__(self, password: str, *, nonce: str = "") -> None:
        """Begin; `nonce` is random but in tests."""
        self._password = unicodedata.normalize("NFKC", password).encode()
        self._nonce = nonce or secrets.token_urlsafe(18)
        self._bare = f"n=,r={self._nonce}"  # the name is that of the startup packet
        self._signature = b""

    def first(self) -> bytes:
        """Return the first message."""
        return f"{_HEADER}{self._bare}".encode()

    def final(self, challenge: bytes) -> bytes:
        """Return the proof that we know the password. Raises ScramError when the challenge is none."""
        text = _text(challenge)
        fields = _fields(text)
        try:
            nonce, salt = fields["r"], base64.b64decode(fields["s"], validate=True)
            iterations = int(fields["i"])
        except (KeyError, ValueError, binascii.Error) as error:
            raise ScramError("the server's challenge cannot be read") from error
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise ScramError("the server's challenge is not an answer to ours")
        if not 1 <= iterations <= _MOST_ITERATIONS:
            raise ScramError(f"the server asks for {iterations} rounds of hashing")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, iterations)
        without_proof = f"c={base64.b64encode(_HEADER.encode()).decode()},r={nonce}"
        exchange = f"{self._bare},{text},{without_proof}".encode()
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        mine = hmac.digest(hashlib.sha256(client_key).digest(), exchange, "sha256")
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), exchange, "sha256")
        proof = bytes(one ^ other for one, other in zip(client_key, mine, strict=True))
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def check(self, outcome: bytes) -> None:
        """Raise ScramError unless the server has proved that it knows the password, too."""
        try:
            told = base64.b64decode(_fields(_text(outcome)).get("v", ""), validate=True)
        except (ValueError, binascii.Error) as error:
            raise ScramError("the server's signature cannot be read") from error
        if not self._signature or not hmac.compare_digest(told, self._signature):
            raise ScramError("the server does not know our password: it is not the one it says it is")


def _text(message: bytes) -> str:
    try:
        return message.decode("ascii")
    except UnicodeDecodeError as error:
        raise ScramError("the server's message cannot be read") from error


def _fields(text: str) -> dict[str, str]:
    return {part[0]: part[2:] for part in text.split(",") if part[1:2] == "="}
