"""Several targets, one after the other: each checked at its turn, all stopped by the first surprise."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tui.actions.action import Action, Request, Sight
from tui.actions.perform import Ask, Consent, Ending, Outcome, Performer, Progress, sight

_FINE: Final = (Ending.CONVERGED,)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One target of several, as it was planned."""

    request: Request
    action: Action | None
    """None when it cannot be done: then `reason` says why."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one target of several."""

    request: Request
    outcome: Outcome | None
    """None when its turn never came."""


ConfirmAll = Callable[[Sequence[Candidate], Ask], Awaitable[Consent | None]]
"""Shows every target and returns the person's consent, None when they did not give it."""


async def perform_all(
    performer: Performer, requests: Sequence[Request], confirm: ConfirmAll, progress: Progress
) -> tuple[Result, ...]:
    """Lead several requests through their life with one consent, one after the other.

    What cannot be done is shown among the others before anybody agrees. At its turn each target is looked at again;
    the first that has moved, or does not converge, stops all that come after it. A target that has gone by itself is
    no surprise where it was to go.
    """
    candidates = [await _candidate(performer, request, progress) for request in requests]
    possible = [candidate for candidate in candidates if candidate.action is not None]
    if not possible:
        return tuple(Result(candidate.request, Outcome(Ending.REFUSED, candidate.reason)) for candidate in candidates)
    if reason := _too_many(performer, len(possible)):
        return tuple([Result(one.request, await _refuse(performer, one, reason)) for one in candidates])
    # Several targets are a high risk, whatever one alone would be.
    ask = Ask.COUNT_AND_REASON if performer.profile.environment == "prod" else Ask.COUNT
    consent = await confirm(candidates, ask)
    results: list[Result] = []
    stopped = False
    for candidate in candidates:
        if candidate.action is None:
            results.append(Result(candidate.request, Outcome(Ending.REFUSED, candidate.reason)))
        elif consent is None:
            outcome = await performer.end(candidate.request, candidate.action, Ending.CANCELLED, "nothing was sent")
            results.append(Result(candidate.request, outcome))
        elif stopped:
            results.append(Result(candidate.request, None))
        else:
            outcome = await _at_its_turn(performer, candidate.action, consent, progress)
            results.append(Result(candidate.request, outcome))
            is_wanted = outcome.is_gone and performer.verb(candidate.request).ends_target
            stopped = outcome.ending not in _FINE and not is_wanted
    return tuple(results)


async def _candidate(performer: Performer, request: Request, progress: Progress) -> Candidate:
    planned = await performer.prepare(request, progress)
    return Candidate(request, None, planned.detail) if isinstance(planned, Outcome) else Candidate(request, planned)


def _too_many(performer: Performer, count: int) -> str:
    allowed = performer.profile.guards.max_per_minute - performer.guard.sent_lately
    if count <= allowed:
        return ""
    return f"{count} changes at once, and the profile allows {allowed} more within this minute (guards.max_per_minute)"


async def _refuse(performer: Performer, candidate: Candidate, reason: str) -> Outcome:
    if candidate.action is None:
        return Outcome(Ending.REFUSED, candidate.reason)
    return await performer.end(candidate.request, candidate.action, Ending.REFUSED, reason)


async def _at_its_turn(performer: Performer, action: Action, consent: Consent, progress: Progress) -> Outcome:
    request, verb = action.request, performer.verb(action.request)
    progress(request, "looking at it once more")
    seen, what = await sight(verb, action)
    if seen is not Sight.UNCHANGED:
        detail = f"nothing was sent: {what}"
        return await performer.end(request, action, Ending.NOT_SENT, detail, is_gone=seen is Sight.GONE)
    return await performer.send(action, consent, progress)
