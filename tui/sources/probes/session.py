"""A login and its token, in memory only: renewed in time, and never tried so often that it locks an account."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from profiles.probes import Login
from profiles.secrets import SecretError, resolve
from tui.sources.probes.sending import Attempt, Outgoing, send
from tui.sources.probes.tokens import Token, decode
from tui.sources.text import clean

RENEW_AT: Final = 0.8
"""Part of a token's life after which it is renewed."""
_RETRY_S: Final = 60.0
_RETRY_REFUSED_S: Final = 300.0
"""After a refusal: a wrong password again and again locks the account."""
_REFUSED: Final = (400, 401, 403, 422, 423, 429)


class NoLogin(Exception):
    """There is no token; the text says why, cleaned and without secrets."""


class Session:
    """One service's login."""

    def __init__(
        self, entry: Login, ca_file: str | None, *, masks: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        self._entry = entry
        self._ca_file = ca_file
        self._masks = masks
        self._now = now
        self._lock = asyncio.Lock()
        self._token = ""
        self._refresh_token = ""
        self._renew_at = 0.0
        self._retry_at = 0.0
        self._failure = ""
        self.token: Token | None = None
        """What the token says about itself; None before the first login."""
        self.attempt: Attempt | None = None
        """The newest login or refresh, without the body of its answer; None before the first."""
        self.at: float | None = None
        """When it was."""
        self.how = ""
        """`login` or `refresh`: which of them the newest was."""

    @property
    def failure(self) -> str:
        """Why there is no token; empty when there is one, or nobody has asked yet."""
        return self._failure

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be hidden in every answer."""
        return tuple(secret for secret in (self._token, self._refresh_token) if secret)

    async def bearer(self, origin: str) -> str:
        """Return a token that is good; logs in, or renews it, when it must. `origin` is scheme, host and port.

        Raises:
            NoLogin: there is none.
        """
        async with self._lock:
            if self._token and self._now() < self._renew_at:
                return self._token
            if self._now() < self._retry_at:
                raise NoLogin(f"{self._failure}; tried again in {self._retry_at - self._now():.0f} s")
            if self._refresh_token and self._entry.refresh and await self._renew(origin):
                return self._token
            await self._log_in(origin)
            return self._token

    def refused(self) -> None:
        """Take that the service refused the token: the next time there will be another."""
        self._renew_at = 0.0
        # One at a time: a service that refuses every token would otherwise see a login with each probe.
        self._retry_at = max(self._retry_at, (self.at or 0.0) + _RETRY_S)
        self._failure = "the service refuses the token it gave"
        self._token = ""

    def forget(self) -> None:
        """Forget every secret."""
        self._token = self._refresh_token = ""
        self._renew_at = 0.0

    async def _log_in(self, origin: str) -> None:
        entry = self._entry
        try:
            given = {name: await resolve(value) for name, value in (entry.form or entry.json_).items()}
        except SecretError as error:
            raise self._failed(clean(str(error)), _RETRY_S) from None
        given |= entry.fields
        body = urlencode(given).encode() if entry.form else json.dumps(given).encode()
        kind = "application/x-www-form-urlencoded" if entry.form else "application/json"
        answer = await self._post("login", origin + entry.post, body, kind)
        if answer is None:
            raise self._failed(self._words("login"), self._wait_s())

    async def _renew(self, origin: str) -> bool:
        """Ask for a new token with the refresh token; False when that did not work, and a login may."""
        body = json.dumps({"refresh_token": self._refresh_token}).encode()
        self._refresh_token = ""
        return await self._post("refresh", origin + (self._entry.refresh or ""), body, "application/json") is not None

    async def _post(self, how: str, url: str, body: bytes, kind: str) -> Token | None:
        request = Outgoing("POST", url, {"Content-Type": kind}, body)
        attempt = await send(request, self._ca_file, self._entry.timeout)
        self.at, self.how = self._now(), how
        found = _object(attempt)
        # The answer holds tokens: nothing of it is kept but its code.
        bare = None if attempt.answer is None else replace(attempt.answer, body=b"", headers=())
        self.attempt = replace(attempt, answer=bare)
        token = _at(found, self._entry.token)
        if attempt.answer is None or not 200 <= attempt.answer.status_code < 300 or not isinstance(token, str):
            return None
        self._take(token, _at(found, self._entry.refresh_token), found.get("expires_in"))
        return self.token

    def _take(self, token: str, refresh_token: object, expires_in: object) -> None:
        now = self._now()
        seen = decode(token, "login", masks=self._masks)
        if seen.expires_at is None and isinstance(expires_in, int | float) and not isinstance(expires_in, bool):
            seen = replace(seen, expires_at=now + expires_in)
        life = float("inf") if seen.expires_at is None else seen.expires_at - now
        self._token, self.token = token, seen
        self._refresh_token = refresh_token if isinstance(refresh_token, str) else self._refresh_token
        self._renew_at = now + life * RENEW_AT
        self._failure, self._retry_at = "", 0.0

    def _words(self, how: str) -> str:
        attempt = self.attempt
        if attempt is None or attempt.answer is None:
            return f"{how}: {attempt.failure if attempt else 'no answer'}"
        code = attempt.answer.status_code
        if 200 <= code < 300:
            return f"{how}: HTTP {code}, and no token at {self._entry.token}"
        return f"{how} refused: HTTP {code}" if code in _REFUSED else f"{how}: HTTP {code}"

    def _wait_s(self) -> float:
        answer = self.attempt.answer if self.attempt else None
        return _RETRY_REFUSED_S if answer is not None and answer.status_code in _REFUSED else _RETRY_S

    def _failed(self, words: str, wait_s: float) -> NoLogin:
        self._token, self._failure, self._retry_at = "", words, self._now() + wait_s
        return NoLogin(words)


def _object(attempt: Attempt) -> Mapping[str, Any]:
    try:
        found = json.loads(attempt.answer.body) if attempt.answer is not None else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _at(found: Mapping[str, Any], path: str) -> object:
    import jmespath  # only profiles with a login pay for it

    try:
        return jmespath.search(path, found)
    except (jmespath.exceptions.JMESPathError, RecursionError):
        return None
