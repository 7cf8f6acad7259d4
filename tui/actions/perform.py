"""The whole life of an action: plan, guard, confirm, journal, execute, verify, record.

The app and headless runs call the same methods; who asks supplies only how to confirm and how to show progress.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from profiles.schema import Profile
from tui.actions.action import (
    Action,
    GoneError,
    Lasting,
    Look,
    NotSentError,
    Phase,
    Request,
    Risk,
    Sent,
    Sight,
    Verb,
)
from tui.actions.cluster_guards import tighter
from tui.actions.guard import GuardState, refusal, was_disarmed
from tui.journal import Journal, JournalError
from tui.sources.errors import SourceError

_LOG: Final = logging.getLogger(__name__)
_PLAN_TIMEOUT_S: Final = 15.0
_EXECUTE_TIMEOUT_S: Final = 20.0
_LOOK_TIMEOUT_S: Final = 10.0
_SIGHT_TIMEOUT_S: Final = 5.0
_LOOK_PAUSES_S: Final = (0.1, 0.3, 1.0, 2.0)
"""Between looks; the last one repeats until the deadline."""
_SETTLE_S: Final = 15.0
"""After an answer that was lost: how long the write may still be on its way before its absence counts."""
_RELAPSES: Final = 2
"""Looks in a row that must miss a converged state before it counts as regressed: a single probe may fail."""


class Ask(StrEnum):
    """How hard confirming is."""

    KEY = "key"
    """Press `y`."""
    NAME = "type"
    """Type the target's name."""
    NAME_AND_REASON = "type+reason"
    """Type the target's name, and why."""
    COUNT = "count"
    """Type how many targets."""
    COUNT_AND_REASON = "count+reason"
    """Type how many targets, and why."""


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
    ABSENT = "absent"
    """No answer came back, and reading the target again shows that the change is not there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an action ended; only CONVERGED is green."""

    ending: Ending
    detail: str
    """In the system's own words where it spoke."""
    action: Action | None = None
    """None when it ended before it was planned."""
    sent: Sent | None = None
    """None when nothing was sent."""
    is_gone: bool = False
    """Whether it was not sent because the target has gone."""


Confirm = Callable[[Action, Ask], Awaitable[Consent | None]]
"""Shows the action and returns the person's consent, None when they did not give it."""
Progress = Callable[[Request, str], None]
"""Told what the action is doing or waiting for."""


_HARDER: Final = (Ask.KEY, Ask.NAME, Ask.NAME_AND_REASON)


def ask_for(risk: Risk, profile: Profile, source: str = "") -> Ask:
    """Return how hard confirming is, by risk and environment; the profile, or a cluster in it, can make it harder only.

    The sandbox asks as production does, without the reason: it is where people learn what production will ask.
    """
    environment = profile.environment
    match risk:
        case Risk.HIGH:
            usual = Ask.NAME_AND_REASON if environment == "prod" else Ask.NAME
        case Risk.MEDIUM:
            usual = Ask.KEY if environment == "dev" else Ask.NAME
        case _:
            usual = Ask.KEY
    cluster = tighter(profile, source)
    wanted = [profile.guards.confirm, *([cluster.guards.confirm] if cluster is not None else [])]
    own: list[Ask] = [Ask(name) for one in wanted if (name := getattr(one, risk.name.lower()))]
    hardest: Ask = max((usual, *own), key=_HARDER.index)
    return hardest


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
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits between looks."""

    async def perform(self, request: Request, confirm: Confirm, progress: Progress) -> Outcome:
        """Lead `request` through its whole life and return how it ended. Never raises for what the systems do."""
        planned = await self.prepare(request, progress)
        if isinstance(planned, Outcome):
            return planned
        progress(request, "waiting for your answer")
        consent = await confirm(planned, ask_for(planned.risk, self.profile, request.target.source))
        if consent is None:
            return await self.end(request, planned, Ending.CANCELLED, "nothing was sent")
        return await self.send(planned, consent, progress)

    async def prepare(self, request: Request, progress: Progress) -> Action | Outcome:
        """Ask the guard, read the target again and plan; what stands against it is on record and returned."""
        if reason := self.refusal(request):
            return await self.end(request, None, Ending.REFUSED, reason)
        progress(request, "reading the target again")
        try:
            async with asyncio.timeout(_PLAN_TIMEOUT_S):
                action = await self.verb(request).plan(request)
        except NotSentError as error:
            return await self.end(request, None, Ending.NOT_SENT, str(error), is_gone=isinstance(error, GoneError))
        except TimeoutError:
            return await self.end(request, None, Ending.REFUSED, f"no answer within {_PLAN_TIMEOUT_S:g} s")
        except SourceError as error:
            return await self.end(request, None, Ending.REFUSED, f"cannot be prepared: {error}")
        except Exception as error:
            _LOG.exception("planning %s", request.verb)
            return await self.end(request, None, Ending.REFUSED, f"{type(error).__name__} in opstui while planning")
        if action.permission:
            return await self.end(request, action, Ending.REFUSED, action.permission)
        return action

    def verb(self, request: Request) -> Verb:
        """Return the verb that does what is asked; raises KeyError when the profile's systems have none."""
        return self.verbs[request.verb, request.target.source]

    def refusal(self, request: Request) -> str | None:
        """Return why the request must not run now; None when nothing stands against it."""
        if (request.verb, request.target.source) not in self.verbs:
            return f"{request.target.source} has no verb {request.verb}"
        return refusal(request, self.profile, self.guard)

    async def send(self, action: Action, consent: Consent, progress: Progress) -> Outcome:
        """Put the intent on disk, send the write once, and look until it is clear what became of it."""
        request = action.request
        # Asked again: the armed window may have closed, the source may have gone stale while the dialog was open.
        if reason := self.refusal(request):
            return await self.end(request, action, Ending.REFUSED, reason)
        progress(request, "writing it into the journal")
        sent = action.sent(time.time())
        try:
            await self.journal.append("intent", {**_intent(action), "confirmed": consent.how, "reason": consent.reason})
        except JournalError as error:
            return Outcome(Ending.REFUSED, f"nothing was sent: the journal cannot be written ({error})", action)
        # And once more: a slow disk, or a colleague's lock on the journal, may have taken longer than the armed window.
        if reason := self.refusal(request):
            return await self.end(request, action, Ending.REFUSED, reason)
        self.guard.count(action.id)
        try:
            progress(request, "sent")
            async with asyncio.timeout(_EXECUTE_TIMEOUT_S):
                receipt = await self.verb(request).execute(action)
        except NotSentError as error:
            return await self.end(request, action, Ending.NOT_SENT, str(error), is_gone=isinstance(error, GoneError))
        except BaseException as error:
            # Whatever went wrong after sending, the write may have happened. Never sent again by itself.
            return await self._after_unknown(action, sent, error, progress)
        sent = sent.learned(receipt)
        try:
            accepted = {**_entry(request, action), "detail": receipt.answer, "evidence": sent.evidence}
            await self._note("accepted", accepted)
            progress(request, f"accepted: {receipt.answer}")
            await self._go_on(action, progress)
            ending, detail = await self._verify(sent, action.deadline_s, progress)
            return await self.end(request, action, ending, detail, sent)
        except BaseException as error:
            # opstui was closed while it looked: the record must not end with "accepted".
            detail = f"accepted, then nobody looked any more ({type(error).__name__}): {receipt.answer}"
            await self.end(request, action, Ending.UNKNOWN, detail, sent)
            raise

    async def _go_on(self, action: Action, progress: Progress) -> None:
        """Let a verb that lasts go on; what it changes stands on record, what becomes of it is looked at afterwards."""
        request, verb = action.request, self.verb(action.request)
        if not isinstance(verb, Lasting):
            return
        try:
            async with contextlib.aclosing(verb.steps(action)) as steps:
                async for step in steps:
                    progress(request, step.text)
                    if step.is_change:
                        await self._note("step", {**_entry(request, action), "detail": step.text})
                    if was_disarmed(request, self.profile, self.guard):
                        progress(request, "it goes no further: somebody has disarmed")
                        return
        except Exception:
            _LOG.exception("going on with %s", request.verb)
            progress(request, "it went no further: an error in opstui")

    async def _after_unknown(self, action: Action, sent: Sent, error: BaseException, progress: Progress) -> Outcome:
        request = action.request
        if not isinstance(error, (SourceError, TimeoutError, asyncio.CancelledError)):
            _LOG.error("executing %s", request.verb, exc_info=error)
        words = str(error) if isinstance(error, SourceError) else type(error).__name__
        detail = f"sent, but no answer came back ({words})"
        outcome = await self.end(request, action, Ending.UNKNOWN, detail, sent)
        if not isinstance(error, Exception):
            raise error
        return await self.resolve(sent, action.deadline_s, progress, because=outcome.detail)

    async def resolve(self, sent: Sent, deadline_s: float, progress: Progress, *, because: str) -> Outcome:
        """Find out by reading what became of a write whose answer was lost; it is never sent again.

        Args:
            sent: what was sent, or may have been.
            deadline_s: seconds after which what has not converged counts as not converged.
            progress: told what is being waited for.
            because: why it is not known, in words.
        """
        progress(sent.request, f"UNKNOWN: {because}; reading it again")
        ending, found = await self._verify(sent, deadline_s, progress, is_certain=False)
        if ending is Ending.UNKNOWN:
            detail = f"{because}; look at the target before doing it again: {found}"
        else:
            detail = f"{because}; read again: {found}"
        entry = {**_entry(sent.request, None), "action": sent.id, "ending": ending.value, "detail": detail}
        await self._note("resolved", entry)
        return Outcome(ending, detail, None, sent)

    async def hold(self, sent: Sent) -> Outcome | None:
        """Watch a converged change for as long as its verb wants; return how it regressed, None when it stayed."""
        verb, until, relapses = self.verb(sent.request), self.monotonic() + self.verb(sent.request).hold_s, 0
        while self.monotonic() < until:
            await self.pause(_LOOK_PAUSES_S[-1])
            look = await self._look(sent)
            relapses = relapses + 1 if look.phase not in (Phase.CONVERGED, Phase.UNKNOWN) else 0
            if look.phase is Phase.ABSENT or relapses >= _RELAPSES:
                detail = f"it was there, and is no longer: {look.detail}"
                entry = {"action": sent.id, "ending": Ending.REGRESSED.value, "detail": detail}
                await self._note("regressed", {**_entry(sent.request, None), **entry})
                return Outcome(Ending.REGRESSED, f"{verb.title}: {detail}", None, sent)
        return None

    async def _verify(
        self, sent: Sent, deadline_s: float, progress: Progress, *, is_certain: bool = True
    ) -> tuple[Ending, str]:
        """Look until it is clear; `is_certain` tells whether the system has accepted the change."""
        started, look = self.monotonic(), Look(Phase.WAITING, "not looked at yet")
        for seconds in _pauses():
            await self.pause(seconds)
            look = await self._look(sent)
            waited = self.monotonic() - started
            if look.phase in (Phase.CONVERGED, Phase.NOT_CONVERGED):
                return Ending(look.phase.value), look.detail
            if look.phase is Phase.ABSENT and (is_certain or waited >= min(_SETTLE_S, deadline_s)):
                return (Ending.REGRESSED if is_certain else Ending.ABSENT), look.detail
            progress(sent.request, look.detail)
            if waited >= deadline_s:
                break
        if look.phase is Phase.UNKNOWN:
            return Ending.UNKNOWN, f"lost sight of it: {look.detail}"
        return Ending.NOT_CONVERGED, f"not within {deadline_s:g} s: {look.detail}"

    async def _look(self, sent: Sent) -> Look:
        try:
            async with asyncio.timeout(_LOOK_TIMEOUT_S):
                return await self.verb(sent.request).look(sent)
        except TimeoutError:
            return Look(Phase.UNKNOWN, f"no answer within {_LOOK_TIMEOUT_S:g} s")
        except SourceError as error:
            return Look(Phase.UNKNOWN, str(error))
        except Exception as error:
            _LOG.exception("verifying %s", sent.request.verb)
            return Look(Phase.UNKNOWN, f"{type(error).__name__} in opstui while verifying")

    async def end(
        self,
        request: Request,
        action: Action | None,
        ending: Ending,
        detail: str,
        sent: Sent | None = None,
        *,
        is_gone: bool = False,
    ) -> Outcome:
        """Put on record how an action ended, and return it."""
        what = ending.value if ending in (Ending.REFUSED, Ending.CANCELLED) else "outcome"
        recorded = await self._note(what, {**_entry(request, action), "ending": ending.value, "detail": detail})
        told = detail if recorded else f"{detail} (and the journal could not be written)"
        return Outcome(ending, told, action, sent, is_gone)

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


def _intent(action: Action) -> dict[str, Any]:
    """Return all that a later start needs to find out what became of it, and to take it back."""
    return {
        **_entry(action.request, action),
        "request": action.request.plain(),
        "evidence": action.evidence,
        "inverse": action.inverse.plain() if action.inverse else None,
        "undo": action.undo,
        "deadline_s": action.deadline_s,
    }


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
    if request.undoes:
        entry["undoes"] = request.undoes
    if request.temporary_s is not None:
        entry["temporary_s"] = request.temporary_s
    if action is not None:
        entry |= {
            "action": action.id,
            "before": action.before,
            "after": action.after,
            "risk": action.risk.name.lower(),
            "command": action.command,
        }
    return entry
