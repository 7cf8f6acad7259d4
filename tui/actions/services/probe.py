"""Sending a probe that may write: the request that the profile declares, once, when a person has confirmed it."""

import hashlib
import json
from typing import Final

from profiles.probes import Probe
from profiles.systems import Service
from tui.actions.action import (
    CANNOT_BE_UNDONE,
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
from tui.sources.health import State
from tui.sources.http import HttpSource
from tui.sources.masking import without_secrets
from tui.sources.probes.by_hand import curl
from tui.sources.text import clean

PROBE: Final = "probe"
_DEADLINE_S: Final = 1.0


def probe_request(service: str, entry: Service, name: str) -> Request:
    """Return the request to send a probe of a service as the profile has it."""
    target = Target(f"service:{service}", "probe", name, service, {"probe": name, "digest": _digest(entry, name)})
    return Request(PROBE, target)


def _digest(entry: Service, name: str) -> str:
    whole = entry.probes[name].model_dump_json() + entry.url + (entry.login.model_dump_json() if entry.login else "")
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


class SendProbe:
    """Sends a declared request once.

    Identity: the probe as the profile declares it; a profile that was edited since is refused. What it does on the
    other side no probe can tell: converged means that all it expects holds of the answer.
    """

    name = PROBE
    title = "Send a probe"
    about = About(
        system="HTTP services",
        targets="probe: a declared POST, PUT, PATCH or DELETE",
        risk="medium; DELETE high",
        inverse=CANNOT_BE_UNDONE,
        identity="the probe as the profile declared it when the person saw it",
        window="none: nothing lies between",
        command="curl -X METHOD URL",
        verification="what the probe expects holds of the answer; what it did there is not known",
    )
    hold_s = 0.0
    ends_target = False

    def __init__(self, source: HttpSource, entry: Service) -> None:
        """Make the verb for the probes of a service."""
        self._source = source
        self._entry = entry

    def forbidden(self, request: Request) -> str:
        """Return nothing: the service itself says whether we may."""
        return ""

    async def plan(self, request: Request) -> Action:
        """Show what will be sent, with its secrets as references. Raises NotSentError when the profile lacks it."""
        probe = self._probe(request)
        expected = "any 2xx" if probe.expect.status is None else " or ".join(map(str, probe.expect.status))
        lines = [f"{probe.method} {probe.path}"]
        lines += [f"{name}: from {_reference(value)}" for name, value in probe.headers.items()]
        lines += ["Authorization: the token of the login"] if probe.login else []
        lines += (
            []
            if probe.json_ is None
            else [without_secrets(clean(json.dumps(probe.json_, ensure_ascii=False), limit=2000))]
        )
        return Action(
            request=request,
            before="not sent",
            after=f"answered with {expected}, and all else it expects",
            risk=Risk.HIGH if probe.method == "DELETE" else Risk.MEDIUM,
            risk_reason="it deletes" if probe.method == "DELETE" else "",
            command=curl(self._entry, request.target.name),
            preview=tuple(lines),
            impact=("what the service does with it is not known here",),
            deadline_s=_DEADLINE_S,
        )

    def _probe(self, request: Request) -> Probe:
        name = request.target.name
        if name not in self._entry.probes or _digest(self._entry, name) != request.target.identity.get("digest"):
            raise NotSentError(f"the profile no longer has this probe {name}")
        return self._entry.probes[name]

    async def sight(self, action: Action) -> tuple[Sight, str]:
        """A probe stays as it is: the profile is not read again while opstui runs."""
        return Sight.UNCHANGED, ""

    async def execute(self, action: Action) -> Receipt:
        """Send it.

        Raises:
            NotSentError: it never left: no connection, no token, a secret that is missing.
            Unreachable: it left, and no answer came.
        """
        self._probe(action.request)
        result = await self._source.send_probe(action.request.target.name)
        if not result.was_sent:
            raise NotSentError(result.reason or "it did not leave")
        if result.status_code is None or result.state is None:
            raise Unreachable(result.reason)
        told = f"HTTP {result.status_code}{f': {result.reason}' if result.reason else ''}"
        return Receipt(told, {"state": int(result.state), "answer": told})

    async def look(self, sent: Sent) -> Look:
        """Nothing can be looked at again: the answer is all there is."""
        state, answer = sent.evidence.get("state"), str(sent.evidence.get("answer", ""))
        if not isinstance(state, int):
            return Look(Phase.UNKNOWN, "no answer came: look into the service whether it arrived")
        if state == State.OK:
            return Look(Phase.CONVERGED, answer)
        return Look(Phase.NOT_CONVERGED, f"not as expected: {answer}")


def _reference(value: object) -> str:
    return clean(value) if isinstance(value, str) else "a command"
