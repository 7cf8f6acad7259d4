"""Telling others: a declared program or HTTP call of the profile, with the words that a person typed."""

import asyncio
import hashlib
import json
import shlex
from typing import Any, Final

from profiles import programs
from profiles.people import Hook
from profiles.schema import Profile
from profiles.secrets import SecretError, address, resolve
from tui.actions.action import (
    CANNOT_BE_UNDONE,
    NO_SYSTEM,
    About,
    Action,
    Look,
    NotSentError,
    Phase,
    Receipt,
    Request,
    Risk,
    Sent,
    Sight,
    Target,
)
from tui.sources.errors import Unreachable
from tui.sources.http_library import http_library
from tui.sources.masking import without_secrets
from tui.sources.text import clean

TELL: Final = "tell"
_DEADLINE_S: Final = 1.0
_MOST: Final = 2000
_REFUSED: Final = range(400, 500)


def tell_request(name: str, hook: Hook, words: str) -> Request:
    """Return the request to run a hook as the profile has it; what looks like a secret is taken out of the words."""
    target = Target(NO_SYSTEM, "hook", name, "", {"hook": name, "digest": _digest(hook)})
    return Request(TELL, target, wanted={"text": without_secrets(words)[:_MOST]})


def _digest(hook: Hook) -> str:
    return hashlib.sha256(hook.model_dump_json().encode()).hexdigest()[:16]


class TellOthers:
    """Runs a hook of the profile once, with the words on its standard input or in a JSON object.

    Identity: the hook as the profile declares it; a profile that was edited since is refused. Whether anybody has
    read it no hook can tell: converged means that the program ended with 0, or the server answered 2xx.
    """

    name = TELL
    title = "Tell"
    about = About(
        system="Hooks of the profile",
        targets="hook: a declared program or HTTP call; none in the sandbox",
        risk="medium",
        inverse=CANNOT_BE_UNDONE,
        identity="the hook as the profile declared it when the person saw it",
        window="none: nothing lies between",
        command="PROGRAM ARGUMENTS, or curl -X POST URL",
        verification="exit code 0, or an answer of 2xx; whether anybody has read it is not known",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, profile: Profile) -> None:
        """Make the verb for the hooks of a profile."""
        self._profile = profile

    def forbidden(self, request: Request) -> str:
        """Return why no hook runs here; empty where they do."""
        return "the sandbox tells nobody: hooks are off in it" if self._profile.environment == "sandbox" else ""

    async def plan(self, request: Request) -> Action:
        """Show what will be run, with which words. Raises NotSentError when the profile no longer has that hook."""
        hook = self._hook(request)
        text = str(request.wanted.get("text", ""))
        return Action(
            request=request,
            before="nobody was told",
            after=f"told: {hook.title or request.target.name}",
            risk=Risk.MEDIUM,
            command=_command(hook, text),
            preview=(f"the words: {clean(text)}",),
            deadline_s=_DEADLINE_S,
            permission=self.forbidden(request),
        )

    def _hook(self, request: Request) -> Hook:
        hook = self._profile.hooks.get(request.target.name)
        if hook is None or _digest(hook) != request.target.identity.get("digest"):
            raise NotSentError(f"the profile no longer has this hook {request.target.name}")
        return hook

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """A hook stays as it is: the profile is not read again while opstui runs."""
        return Sight.UNCHANGED, ""

    async def execute(self, action: Action) -> Receipt:
        """Run it.

        Raises:
            NotSentError: it could not be started, a secret is missing, or the server refused it (4xx).
            Unreachable: it may have told somebody, and no good answer came.
        """
        if why := self.forbidden(action.request):
            raise NotSentError(why)
        hook, text = self._hook(action.request), str(action.request.wanted.get("text", ""))
        answer = await (_run(hook, text) if hook.command is not None else _call(hook, text))
        return Receipt(answer, {"answered": True})

    async def look(self, sent: Sent) -> Look:
        """Nothing can be looked at: what the hook answered is all there is."""
        if sent.evidence.get("answered") is True:
            return Look(Phase.CONVERGED, "it said that it has told them")
        return Look(Phase.UNKNOWN, "nothing tells whether it reached anybody: ask them")


def _command(hook: Hook, text: str) -> str:
    if hook.command is not None:
        return f"printf %s {shlex.quote(clean(text))} | {shlex.join(map(clean, hook.command))}"
    body = json.dumps({hook.field: clean(text)}, ensure_ascii=False)
    url = hook.url or ""
    where = f'"${{URL}}"  # {url}' if url.startswith(("env:", "file:")) else shlex.quote(clean(url))
    headers = "".join(f" -H {shlex.quote(f'{name}: …')}" for name in hook.headers)
    return f"curl -X {hook.method}{headers} --json {shlex.quote(body)} {where}"


async def _run(hook: Hook, text: str) -> str:
    command = hook.command or []
    try:
        finished = await programs.run(command, timeout_s=hook.timeout, typed=text.encode(), most=0)
    except programs.ProgramError as error:
        raise NotSentError(f"{clean(command[0])}: {error}") from error
    except TimeoutError:
        raise Unreachable(f"not finished within {hook.timeout:g} s") from None
    if finished.status:
        raise Unreachable(f"it ended with exit code {finished.status}")
    return "exit code 0"


async def _call(hook: Hook, text: str) -> str:
    httpx = await asyncio.to_thread(http_library)
    try:
        url = await address(hook.url or "")
        headers = {name: await resolve(reference) for name, reference in hook.headers.items()}
    except SecretError as error:
        raise NotSentError(str(error)) from None
    try:
        async with httpx.AsyncClient(timeout=hook.timeout, follow_redirects=False) as client:
            response: Any = await client.request(hook.method, url, json={hook.field: text}, headers=headers)
    except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise NotSentError(f"nobody was reached: {type(error).__name__}") from None
    except httpx.HTTPError as error:
        # The text of httpx's errors may hold the URL, which may be a secret.
        raise Unreachable(f"no answer: {type(error).__name__}") from None
    if response.status_code in _REFUSED:
        raise NotSentError(f"refused: HTTP {response.status_code}")
    if not response.is_success:
        raise Unreachable(f"HTTP {response.status_code}")
    return f"HTTP {response.status_code}"
