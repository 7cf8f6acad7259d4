"""Tokens in, facts out; never the token."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sources.probes.tokens import Token, decode


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def jwt(claims: Any, header: Any = None) -> str:
    return f"{part(header or {'alg': 'RS256', 'typ': 'JWT', 'kid': 'k1'})}.{part(claims)}.c2lnbmF0dXJl"


def test_header_claims_and_times_are_read_and_the_token_is_not_kept() -> None:
    text = jwt({"iss": "https://id.example", "sub": "probe", "exp": 2000, "iat": 1000, "n": {"a": [1]}})
    token = decode(f"Bearer {text}\n", "login")
    assert (token.claim("alg"), token.claim("kid"), token.claim("iss")) == ("RS256", "k1", "https://id.example")
    assert (token.issued_at, token.not_before, token.expires_at) == (1000, None, 2000)
    assert token.claim("n") == '{"a": [1]}'
    assert token.characters == len(text)
    assert not any(piece in repr(token) for piece in text.split("."))


def test_secrets_in_claims_are_masked_always_and_people_on_a_shared_screen() -> None:
    text = jwt({"sub": "jane", "email": "jane@example.com", "session_id": "s3kr1t", "jti": "1234", "aud": "api"})
    assert decode(text, "x").claims == (
        ("sub", "jane"), ("email", "jane@example.com"), ("session_id", "•••"), ("jti", "•••"), ("aud", "api"),
    )  # fmt: skip
    assert dict(decode(text, "x", masks=True).claims) == {
        "sub": "•••", "email": "•••", "session_id": "•••", "jti": "•••", "aud": "api",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a.b", "2 parts between dots; a JWT has 3"),
        ("a.b.c.d.e", "an encrypted token (JWE): nothing to read in it"),
        ("x" * 40, "a key of 40 characters: nothing to read in it"),
        ("x" * 12, "a key of 12 characters, shorter than 32: nothing to read in it"),
        (f"!!.{part({})}.x", "its header cannot be read: no JSON object in base64url"),
        (f"{part({'alg': 'none'})}.{part([1])}.x", "its claims cannot be read: no JSON object in base64url"),
    ],
)
def test_what_is_no_jwt_says_why(text: str, problem: str) -> None:
    assert decode(text, "env:T").problem == problem


def test_times_in_milliseconds_are_taken_as_such_and_odd_ones_left_out() -> None:
    token = decode(jwt({"exp": 1_795_000_000_000, "iat": True, "nbf": "soon"}), "x")
    assert (token.expires_at, token.issued_at, token.not_before) == (1_795_000_000, None, None)


@given(st.text(max_size=200) | st.lists(st.text("AZaz09-_.=", max_size=30), max_size=5).map(".".join))
def test_nothing_that_may_come_is_too_odd(text: str) -> None:
    assert isinstance(decode(text, "x"), Token)
    assert isinstance(decode(f"{part({'alg': text})}.{part({'iss': text, 'exp': 1})}.s", "x").claim("iss"), str)
