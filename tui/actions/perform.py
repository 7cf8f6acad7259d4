"""The whole life of an action: plan, guard, confirm, journal, execute, verify, record.

The app and headless runs call the same function; who asks supplies only how to confirm and how to show progress.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from profiles.schema import Profile
from tui.actions.action import Action, Look, NotSentError, Phase, Receipt, Request, Risk, Sight, Verb
from tui.actions.guard import GuardState, refusal
from tui.journal import Journal, JournalError
from tui.sources.errors import SourceError

_LOG: Final = logging.getLogger(__name__)
_PLAN_TIMEOUT_S: Final = 15.0
_EXECUTE_TIMEOUT_S: Final = 20.0
_LOOK_TIMEOUT_S: Final = 10.0
_SIGHT_TIMEOUT_S: Final = 5.0
_LOOK_PAUSES_S: Final = (0.1, 0.3, 1.0, 2.0)
"""Between looks; the last one repeats until the verb's deadline."""


class Ask(StrEnum):
    """How hard confirming is."""

    KEY = "key"
    """Press `y`."""
    NAME = "type"
    """Type the target's name."""
    NAME_AND_REASON = "type+reason"
    """Type the target's name, and why."""


@dataclass(frozen=True, slots=True)
class Consent:
    """How the person agreed."""

    how: Ask
    reason: str = ""
    """What the person gave as the reason; empty unless asked for."""


class Ending(StrEnum):
    """How an action's life ended."""

    REFUSED = "refused"
    """The guard or the system refused before anything was sent."""
    CANCELLED = "cancelled"
    NOT_SENT = "not sent"
    """The target moved on, or the system refused the write as a whole: certainly nothing changed."""
    CONVERGED = "converged"
    NOT_CONVERGED = "not converged"
    REGRESSED = "regressed"
    UNKNOWN = "unknown"
    """The write may or may not have happened, or we lost sight of the target."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action ended; only CONVERGED is green."""

    ending: Ending
    detail: str
    """In the system's own words where it spoke."""
    action: Action | None = None
    """None when it ended before it was planned."""


Confirm = Callable[[Action, Ask], Awaitable[Consent | None]]
"""Shows the action and returns the person's consent, None when they did not give it."""
Progress = Callable[[Request, str], None]
"""Told what the action is doing or waiting for."""


def ask_for(risk: Risk, environment: str) -> Ask:
    """Return how hard confirming is, by risk and environment.

    The sandbox asks as production does, without the reason: it is where people learn what production will ask.
    """
    if risk is Risk.HIGH:
        return Ask.NAME_AND_REASON if environment == "prod" else Ask.NAME
    if risk is Risk.MEDIUM and environment != "dev":
        return Ask.NAME
    return Ask.KEY


async def sight(verb: Verb, action: Action) -> tuple[Sight, str]:
    """Look at a target while a dialog asks; whatever keeps it from being seen counts as a change, and says what."""
    try:
        async with asyncio.timeout(_SIGHT_TIMEOUT_S):
            return await verb.sight(action)
    except TimeoutError:
        return Sight.CHANGED, f"it cannot be seen any more: no answer within {_SIGHT_TIMEOUT_S:g} s"
    except SourceError as error:
        return Sight.CHANGED, f"it cannot be seen any more: {error}"
    except Exception as error:
        _LOG.exception("watching the target of %s", action.request.verb)
        return Sight.CHANGED, f"it cannot be seen any more: {type(error).__name__} in opstui"


@dataclass(frozen=True, slots=True)
class Performer:
    """Everything an action needs besides the person."""

    profile: Profile
    verbs: Mapping[tuple[str, str], Verb]
    """By the verb's `name` and the name of the source whose targets it changes."""
    guard: GuardState
    journal: Journal
    monotonic: Callable[[], float] = time.monotonic

    async def perform(self, request: Request, confirm: Confirm, progress: Progress) -> Outcome:
        """Lead `request` through its whole life and return how it ended. Never raises for what the systems do."""
        if reason := self._refusal(request):
            return await self._end(request, None, Ending.REFUSED, reason)
        verb = self.verbs[request.verb, request.target.source]
        progress(request, "reading the target again")
        try:
            async with asyncio.timeout(_PLAN_TIMEOUT_S):
                action = await verb.plan(request)
        except NotSentError as error:
            return await self._end(request, None, Ending.NOT_SENT, str(error))
        except TimeoutError:
            return await self._end(request, None, Ending.REFUSED, f"no answer within {_PLAN_TIMEOUT_S:g} s")
        except SourceError as error:
            return await self._end(request, None, Ending.REFUSED, f"cannot be prepared: {error}")
        except Exception as error:
            _LOG.exception("planning %s", request.verb)
            return await self._end(request, None, Ending.REFUSED, f"{type(error).__name__} in opstui while planning")
        if action.permission:
            return await self._end(request, action, Ending.REFUSED, action.permission)
        progress(request, "waiting for your answer")
        consent = await confirm(action, ask_for(action.risk, self.profile.environment))
        if consent is None:
            return await self._end(request, action, Ending.CANCELLED, "nothing was sent")
        return await self._send(verb, action, consent, progress)

    async def _send(self, verb: Verb, action: Action, consent: Consent, progress: Progress) -> Outcome:
        request = action.request
        # Asked again: the armed window may have closed, the source may have gone stale while the dialog was open.
        if reason := self._refusal(request):
            return await self._end(request, action, Ending.REFUSED, reason)
        progress(request, "writing it into the journal")
        try:
            await self.journal.append(
                "intent", {**_entry(request, action), "confirmed": consent.how, "reason": consent.reason}
            )
        except JournalError as error:
            return Outcome(Ending.REFUSED, f"nothing was sent: the journal cannot be written ({error})", action)
        # And once more: a slow disk, or a colleague's lock on the journal, may have taken longer than the armed window.
        if reason := self._refusal(request):
            return await self._end(request, action, Ending.REFUSED, reason)
        try:
            progress(request, "sent")
            async with asyncio.timeout(_EXECUTE_TIMEOUT_S):
                receipt = await verb.execute(action)
        except NotSentError as error:
            return await self._end(request, action, Ending.NOT_SENT, str(error))
        except BaseException as error:
            # Whatever went wrong after sending, the write may have happened. Never sent again by itself.
            return await self._after_unknown(request, action, error)
        try:
            await self._note("accepted", {**_entry(request, action), "detail": receipt.answer})
            progress(request, f"accepted: {receipt.answer}")
            return await self._verify(verb, action, receipt, progress)
        except BaseException as error:
            # opstui was closed while it looked: the record must not end with "accepted".
            detail = f"accepted, then nobody looked any more ({type(error).__name__}): {receipt.answer}"
            await self._end(request, action, Ending.UNKNOWN, detail)
            raise

    async def _after_unknown(self, request: Request, action: Action, error: BaseException) -> Outcome:
        if not isinstance(error, (SourceError, TimeoutError, asyncio.CancelledError)):
            _LOG.error("executing %s", request.verb, exc_info=error)
        words = str(error) if isinstance(error, SourceError) else type(error).__name__
        detail = f"sent, but no answer came back ({words}); look at the target before doing it again"
        outcome = await self._end(request, action, Ending.UNKNOWN, detail)
        if not isinstance(error, Exception):
            raise error
        return outcome

    async def _verify(self, verb: Verb, action: Action, receipt: Receipt, progress: Progress) -> Outcome:
        request, started = action.request, self.monotonic()
        look = Look(Phase.WAITING, receipt.answer)
        for pause in _pauses():
            await asyncio.sleep(pause)
            look = await self._look(verb, action, receipt)
            if look.phase in (Phase.CONVERGED, Phase.NOT_CONVERGED, Phase.REGRESSED):
                return await self._end(request, action, Ending(look.phase.value), look.detail)
            progress(request, look.detail)
            if self.monotonic() - started >= verb.deadline_s:
                break
        if look.phase is Phase.UNKNOWN:
            return await self._end(request, action, Ending.UNKNOWN, f"accepted, then lost sight: {look.detail}")
        late = f"not within {verb.deadline_s:g} s: {look.detail}"
        return await self._end(request, action, Ending.NOT_CONVERGED, late)

    async def _look(self, verb: Verb, action: Action, receipt: Receipt) -> Look:
        try:
            async with asyncio.timeout(_LOOK_TIMEOUT_S):
                return await verb.look(action, receipt)
        except TimeoutError:
            return Look(Phase.UNKNOWN, f"no answer within {_LOOK_TIMEOUT_S:g} s")
        except SourceError as error:
            return Look(Phase.UNKNOWN, str(error))
        except Exception as error:
            _LOG.exception("verifying %s", action.request.verb)
            return Look(Phase.UNKNOWN, f"{type(error).__name__} in opstui while verifying")

    def _refusal(self, request: Request) -> str | None:
        if (request.verb, request.target.source) not in self.verbs:
            return f"{request.target.source} has no verb {request.verb}"
        return refusal(request, self.profile, self.guard)

    async def _end(self, request: Request, action: Action | None, ending: Ending, detail: str) -> Outcome:
        what = ending.value if ending in (Ending.REFUSED, Ending.CANCELLED) else "outcome"
        recorded = await self._note(what, {**_entry(request, action), "ending": ending.value, "detail": detail})
        return Outcome(ending, detail if recorded else f"{detail} (and the journal could not be written)", action)

    async def _note(self, what: str, entry: Mapping[str, Any]) -> bool:
        try:
            await self.journal.append(what, entry)
        except JournalError:
            _LOG.exception("journal")
            return False
        return True


def _pauses() -> Iterator[float]:
    yield from _LOOK_PAUSES_S
    while True:
        yield _LOOK_PAUSES_S[-1]


def _entry(request: Request, action: Action | None) -> dict[str, Any]:
    target = request.target
    entry: dict[str, Any] = {
        "verb": request.verb,
        "source": target.source,
        "kind": target.kind,
        "name": target.name,
        "where": target.where,
        "identity": dict(target.identity),
        "wanted": dict(request.wanted),
    }
    if action is not None:
        entry |= {
            "action": action.id,
            "before": action.before,
            "after": action.after,
            "risk": action.risk.name.lower(),
            "command": action.command,
        }
    return entry
