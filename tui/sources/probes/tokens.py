"""What a JWT says about itself, without its text: header, claims, times. Nothing is verified: we have no keys. Pure."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.sources.text import clean

SHORT_KEY: Final = 32
"""Characters below which a key is called short."""
_MOST: Final = 64 * 1024
_MOST_CLAIMS: Final = 40
_SHOWN: Final = 160
_TIMES: Final = ("exp", "iat", "nbf", "auth_time")
_PRIVATE_WORDS: Final = ("token", "secret", "password", "key", "session", "sid", "jti", "nonce", "cookie", "hash")
_NOT_SECRET: Final = ("kid",)
_PEOPLE: Final = ("sub", "email", "name", "username", "upn", "phone", "birthdate", "address", "user")
"""Parts of claims' names that hold people's data."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token or key, by what may be seen of it."""

    origin: str
    """Where it came from: `login`, or the reference in the profile."""
    characters: int
    """How long it is."""
    problem: str = ""
    """Why it is no readable JWT; empty when it is one."""
    header: tuple[tuple[str, str], ...] = ()
    """`alg`, `typ`, `kid` and what else the header says; cleaned, private values masked."""
    claims: tuple[tuple[str, str], ...] = ()
    """Every claim but the times; cleaned, private values masked."""
    issued_at: float | None = None
    """`iat`, Unix time."""
    not_before: float | None = None
    """`nbf`, Unix time."""
    expires_at: float | None = None
    """`exp`, Unix time; of an opaque token what the login said; None: it does not say."""

    @property
    def is_jwt(self) -> bool:
        """Whether it could be read as a JWT."""
        return bool(self.header)

    def claim(self, name: str) -> str:
        """Return a claim or a part of the header; empty when there is none."""
        return dict((*self.header, *self.claims)).get(name, "")


def decode(text: str, origin: str, *, masks: bool = False) -> Token:
    """Return what a token says about itself; `masks` leaves people's data out. Never raises."""
    token = text.strip().removeprefix("Bearer ").strip()
    size = len(token)
    parts = token.split(".")
    if size > _MOST:
        return Token(origin, size, "longer than any token")
    if len(parts) == 1:
        short = f", shorter than {SHORT_KEY}" if size < SHORT_KEY else ""
        return Token(origin, size, f"a key of {size} characters{short}: nothing to read in it")
    if len(parts) == 5:
        return Token(origin, size, "an encrypted token (JWE): nothing to read in it")
    if len(parts) != 3:
        return Token(origin, size, f"{len(parts)} parts between dots; a JWT has 3")
    header, claims = _part(parts[0]), _part(parts[1])
    if header is None or claims is None:
        which = "header" if header is None else "claims"
        return Token(origin, size, f"its {which} cannot be read: no JSON object in base64url")
    others = {name: value for name, value in claims.items() if name not in _TIMES}
    return Token(
        origin,
        size,
        "" if header else "its header is empty",
        tuple(_shown(header, masks=False)),
        tuple(_shown(others, masks=masks)),
        _time(claims.get("iat")),
        _time(claims.get("nbf")),
        _time(claims.get("exp")),
    )


def _part(text: str) -> dict[str, Any] | None:
    try:
        # The padding is left out in a JWT, and `base64 -d` fails on it.
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw)
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _time(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Some libraries write milliseconds: nothing else lies that far ahead.
    return value / 1000 if value > 1e11 else float(value) if value > -1e11 else None


def _shown(values: Mapping[str, Any], *, masks: bool) -> Iterator[tuple[str, str]]:
    for name, value in list(values.items())[:_MOST_CLAIMS]:
        folded = name.lower()
        is_private = folded not in _NOT_SECRET and any(word in folded for word in _PRIVATE_WORDS)
        is_of_people = masks and any(word in folded for word in _PEOPLE)
        yield clean(name, limit=60), "•••" if is_private or is_of_people else _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, str):
        return clean(value, limit=_SHOWN)
    try:
        return clean(json.dumps(value, ensure_ascii=False), limit=_SHOWN)
    except (ValueError, RecursionError):
        return "…"
