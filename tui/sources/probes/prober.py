"""A service's probes: what is due is sent beside everything else; what writes, only when a person asks."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from profiles.probes import Probe
from profiles.secrets import SecretError, resolve
from profiles.systems import Service
from tui.sources.errors import SourceError
from tui.sources.health import State
from tui.sources.http_request import Answer
from tui.sources.http_shown import hide, shown_body, shown_headers, shown_url
from tui.sources.masking import without_secrets
from tui.sources.probes.conditions import judge
from tui.sources.probes.facts import LOGIN, MAX_KEPT_BODY, Failures, Phases, ProbeResult, failure_of
from tui.sources.probes.sending import Attempt, Outgoing, send
from tui.sources.probes.session import NoLogin, Session
from tui.sources.probes.tokens import Token, decode
from tui.sources.text import clean

_LONG_BODY: Final = 16 * 1024
_TOKEN_EVERY_S: Final = 60.0


class Prober:
    """Sends one service's probes and keeps how each went.

    Args:
        entry: the service, as the profile has it.
        failures: where answers that are not well are kept.
        masks: whether people's data are left out of tokens.
    """

    def __init__(
        self, entry: Service, failures: Failures, *, masks: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        self._entry = entry
        self._failures = failures
        self._masks = masks
        self._now = now
        self._session = Session(entry.login, entry.ca_file, masks=masks, now=now) if entry.login else None
        self._tasks: dict[str, asyncio.Task[object]] = {}
        self._due: dict[str, float] = {}
        """`time.monotonic()` from which on each is to be sent again."""
        self._results: dict[str, ProbeResult] = {}
        self._given: Token | None = None

    def begin(self, url: str) -> None:
        """Send what is due, beside everything else; `url` is the service's, resolved."""
        for name, probe in self._entry.probes.items():
            if not probe.writes:
                self._start(name, probe.every, partial(self.run, name, url))
        if self._entry.token is not None:
            self._start(" token", _TOKEN_EVERY_S, self._look_at_token)

    def _start(self, name: str, every_s: float, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        under_way = self._tasks.get(name)
        if (under_way is None or under_way.done()) and time.monotonic() >= self._due.get(name, 0.0):
            self._due[name] = time.monotonic() + every_s
            self._tasks[name] = asyncio.create_task(work(), name=f"probe {name}")

    @property
    def is_waiting(self) -> bool:
        """Whether a probe that is sent by itself has not ended for the first time."""
        return any(not probe.writes and name not in self._results for name, probe in self._entry.probes.items())

    def results(self, url: str) -> tuple[ProbeResult, ...]:
        """Return every probe in the profile's order, the login first; `url` is the service's, resolved."""
        return (
            *self._login_result(url),
            *(self._results.get(name) or self._bare(name, url) for name in self._entry.probes),
        )

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Return what is known of the token the profile refers to, and of the login's."""
        login = self._session.token if self._session else None
        return tuple(token for token in (self._given, login) if token is not None)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be hidden in every answer of the service."""
        return self._session.secrets if self._session else ()

    async def run(self, name: str, url: str) -> ProbeResult:
        """Send a probe once and return how it went; it may write."""
        probe = self._entry.probes[name]
        bare = replace(self._bare(name, url), at=self._now())
        try:
            request, secrets = await self._request(probe, url)
            attempt = await send(request, self._entry.ca_file, probe.timeout)
        except SecretError as error:  # of ours: it says nothing about the service
            return self._keep(replace(bare, reason=clean(str(error))))
        except NoLogin as error:
            return self._keep(replace(bare, state=State.DOWN, reason=str(error)))
        except SourceError as error:
            return self._keep(replace(bare, reason=str(error)))
        if attempt.answer is None:
            failed = replace(bare, phases=attempt.phases, was_sent=attempt.was_sent)
            return self._keep(replace(failed, state=State.DOWN, reason=attempt.failure))
        if probe.login and self._session and attempt.answer.status_code == 401:
            self._session.refused()
        told = bare, probe, attempt, attempt.answer, secrets
        is_long = len(attempt.answer.body) > _LONG_BODY
        return self._keep(await asyncio.to_thread(_answered, *told) if is_long else _answered(*told))

    async def _request(self, probe: Probe, url: str) -> tuple[Outgoing, tuple[str, ...]]:
        """Return what to send, and the secrets in it."""
        origin = origin_of(url)
        headers = {name: await resolve(value) for name, value in probe.headers.items()}
        secrets = tuple(headers.values())
        content = None
        if probe.json_ is not None:
            content = json.dumps(probe.json_).encode()
            headers["Content-Type"] = "application/json"
        if probe.cors is not None:
            headers |= preflight(probe)
        if probe.login and self._session is not None:
            token = await self._session.bearer(origin)
            headers["Authorization"] = f"Bearer {token}"
            secrets = (*secrets, *self._session.secrets)
        return Outgoing(probe.method, origin + probe.path, headers, content), secrets

    def _bare(self, name: str, url: str) -> ProbeResult:
        probe = self._entry.probes[name]
        return ProbeResult(name, probe.method, shown_path(self._entry.url, url, probe.path), probe.writes)

    def _keep(self, result: ProbeResult) -> ProbeResult:
        self._results[result.name] = result
        if result.state is State.OK:
            self._failures.well(result.name)
        elif result.state is not None:
            self._failures.add(failure_of(result))
        return result

    def _login_result(self, url: str) -> Iterator[ProbeResult]:
        session, entry = self._session, self._entry.login
        if session is None or entry is None:
            return
        attempt = session.attempt
        path = entry.refresh if session.how == "refresh" and entry.refresh else entry.post
        is_known = attempt is not None or bool(session.failure)
        state = (State.DOWN if session.failure else State.OK) if is_known else None
        yield ProbeResult(
            LOGIN,
            "POST",
            shown_path(self._entry.url, url, path),
            writes=False,
            state=state,
            reason=session.failure,
            at=session.at,
            status_code=attempt.answer.status_code if attempt and attempt.answer else None,
            phases=attempt.phases if attempt else Phases(),
        )

    async def _look_at_token(self) -> None:
        reference = self._entry.token
        if reference is None:
            return
        origin = reference if isinstance(reference, str) else f"command {reference.command[0]}"
        try:
            self._given = decode(await resolve(reference), clean(origin), masks=self._masks)
        except SecretError as error:
            self._given = Token(clean(origin), 0, clean(str(error)))

    async def close(self) -> None:
        """Give up what is under way and forget every secret."""
        for task in self._tasks.values():
            task.cancel()
        if self._session is not None:
            self._session.forget()


def _answered(
    bare: ProbeResult, probe: Probe, attempt: Attempt, answer: Answer, secrets: tuple[str, ...]
) -> ProbeResult:
    judged = judge(probe, answer, attempt.phases)
    text = answer.body[:MAX_KEPT_BODY].decode("utf-8", "replace")
    is_cut = answer.is_cut or len(answer.body) > MAX_KEPT_BODY
    return replace(
        bare,
        state=judged.state,
        reason=hide(judged.reason, secrets),
        status_code=answer.status_code,
        phases=attempt.phases,
        verdicts=tuple(replace(one, found=hide(one.found, secrets)) for one in judged.verdicts),
        certificate_days=answer.certificate_days,
        headers=shown_headers(answer.headers, secrets),
        body=without_secrets(shown_body(hide(text, secrets), None, is_cut)),
        was_sent=attempt.was_sent,
    )


def preflight(probe: Probe) -> dict[str, str]:
    """Return the headers with which a browser asks whether a page of another origin may call."""
    if (cors := probe.cors) is None:
        return {}
    headers = {"Origin": cors.origin, "Access-Control-Request-Method": cors.method}
    if cors.ask:
        headers["Access-Control-Request-Headers"] = ", ".join(cors.ask)
    return headers


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, with the user that stands in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def shown_path(given: str, url: str, path: str) -> str:
    """Return another path's URL on the same host, fit for a screen; a reference stays one."""
    if given.startswith(("env:", "file:")):
        return f"{clean(given)} + {shown_url('', path)}"
    return shown_url("", origin_of(url) + path)
