"""From planned actions to the dialog that asks, and the watch on its target while it asks."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from profiles.schema import Profile
from tui.actions.action import Action, Plain, Request, Sight, Target, Verb
from tui.actions.batch import Candidate, Result
from tui.actions.cluster_guards import tighter
from tui.actions.perform import Ask, Consent, sight
from tui.units import span
from widgets.cell import Cell
from widgets.confirm_dialog import Confirmation, ConfirmDialog

_WATCH_S: Final = 1.0

Lines = list[tuple[str, str | Cell]]


def action_dialog(
    verb: Verb, action: Action, ask: Ask, profile: Profile, *, old_s: float | None = None
) -> ConfirmDialog:
    """Return the dialog that shows everything the person must know before agreeing to `action`.

    `old_s` is how old what the person saw was, in seconds, where that was no longer the present; else None.
    """
    target = action.request.target
    lines: Lines = [
        *_where(profile, target),
        ("Target", str(target)),
        ("Before", action.before),
        ("After", action.after),
        *_labelled("Impact", action.impact),
        *_labelled("Preview", action.preview),
        ("Risk", Cell(_risk(action), "warn")),
        ("Undo", action.undo),
        *_temporary(action.request),
        ("By hand", action.command),
        ("Identity", _identity(target.identity)),
    ]
    if old_s is not None:
        lines.append(("Seen", Cell(f"what you saw was {span(old_s)} old; all of this was read again just now", "warn")))
    title = verb_and_target(f"Undo: {verb.title}" if action.request.undoes else verb.title, target)
    return ConfirmDialog(f"{title}?", lines, mode=ask.value, expected=target.name, verb=verb.title)


def batch_dialog(verb: Verb, candidates: Sequence[Candidate], ask: Ask, profile: Profile) -> ConfirmDialog:
    """Return the dialog that shows every target of several, those too that are left out, before anybody agrees."""
    possible = [candidate.action for candidate in candidates if candidate.action is not None]
    worst = max(possible, key=lambda action: action.risk)
    lines: Lines = [
        *_where(profile, worst.request.target),
        ("Order", "one after the other, each looked at again at its turn; the first surprise stops the rest"),
        ("Risk", Cell(f"high: {len(possible)} targets at once{_worst_words(worst)}", "warn")),
        ("Undo", worst.undo if len({action.undo for action in possible}) == 1 else "see each in the undo list (U)"),
    ]
    common = _common([candidate.request.target for candidate in candidates])
    if common:
        lines.append(("Of all", _identity(common)))
    for number, candidate in enumerate(candidates, 1):
        lines += _listed(number, candidate, common)
    title = f"{verb.title}: {len(possible)} of {len(candidates)} targets?"
    return ConfirmDialog(
        title, lines, mode=ask.value, expected=str(len(possible)), verb=f"{verb.title} × {len(possible)}"
    )


def _common(targets: Sequence[Target]) -> dict[str, Plain]:
    """Return what the identities of all targets have in common: the server that all of them are on."""
    first = targets[0].identity
    return {key: value for key, value in first.items() if all(one.identity.get(key) == value for one in targets)}


def _listed(number: int, candidate: Candidate, common: Mapping[str, Plain]) -> Lines:
    target, action = candidate.request.target, candidate.action
    if action is None:
        return [(f"{number}", Cell(f"{target}: LEFT OUT, {candidate.reason}", "warn"))]
    own = {key: value for key, value in target.identity.items() if key not in common}
    details = [f"{action.before} → {action.after}", _identity(own), *action.impact[:2]]
    if action.risk_reason:
        details.insert(1, f"{action.risk.name.lower()} risk: {action.risk_reason}")
    return [(f"{number}", Cell(str(target), "warn")), *(("", detail) for detail in details)]


def _worst_words(action: Action) -> str:
    return f"; {action.request.target.name}: {action.risk_reason}" if action.risk_reason else ""


def results_page(results: Sequence[Result], named: Callable[[Request], str]) -> str:
    """Return what became of each of several targets, one after the other."""
    lines = []
    for number, result in enumerate(results, 1):
        outcome = result.outcome
        ending = "NOT BEGUN: an earlier one was a surprise" if outcome is None else outcome.ending.upper()
        lines.append(f"{number:>3}  {ending:<14} {named(result.request)}")
        if outcome is not None:
            lines.append(f"     {outcome.detail}")
    return "\n".join(lines)


def verb_and_target(title: str, target: Target) -> str:
    """Return what is done to what: `Restart Deployment shop/api`, `Terminate backend shop/812`; no kind twice."""
    _, _, what = title.rpartition(" ")
    kind, _, rest = str(target).partition(" ")
    if rest and what.lower() == kind.lower():
        return f"{title} {rest}"
    return f"{title} of {target}" if " " in title.removeprefix("Undo: ") else f"{title} {target}"


def _where(profile: Profile, target: Target) -> Lines:
    where: Lines = [("Where", f"{profile.environment.upper()} {profile.name}: {target.source.rstrip(':')}")]
    own = tighter(profile, target.source)
    return where if own is None or not own.words else [*where, ("Tighter", f"{own.name}: {own.words}")]


def _identity(identity: Mapping[str, Plain]) -> str:
    return ", ".join(f"{key} {value}" for key, value in identity.items() if value is not None)


def _risk(action: Action) -> str:
    return f"{action.risk.name.lower()}: {action.risk_reason}" if action.risk_reason else action.risk.name.lower()


def _temporary(request: Request) -> Lines:
    if request.temporary_s is None:
        return []
    after = f"; due in {span(request.temporary_s)}" if request.temporary_s else ""
    return [("Temporary", f"counted on the status line until it is taken back (U){after}")]


def _labelled(label: str, lines: tuple[str, ...]) -> Lines:
    return [(label if index == 0 else "", line) for index, line in enumerate(lines)]


def consent(ask: Ask, answer: Confirmation | None) -> Consent | None:
    """Return what the dialog's answer means for the action."""
    return None if answer is None else Consent(ask, answer.reason)


async def watch_target(dialog: ConfirmDialog, verb: Verb, action: Action) -> None:
    """Tell the open dialog once a second what became of its target; runs until it is cancelled."""
    while True:
        await asyncio.sleep(_WATCH_S)
        seen, what = await sight(verb, action)
        dialog.set_state(seen.value, what)
        if seen is Sight.GONE:
            return
