"""From a planned action to the dialog that asks, and the watch on its target while it asks."""

import asyncio
from typing import Final

from profiles.schema import Profile
from tui.actions.action import Action, Sight, Target, Verb
from tui.actions.perform import Ask, Consent, sight
from widgets.cell import Cell
from widgets.confirm_dialog import Confirmation, ConfirmDialog

_WATCH_S: Final = 1.0


def action_dialog(verb: Verb, action: Action, ask: Ask, profile: Profile) -> ConfirmDialog:
    """Return the dialog that shows everything the person must know before agreeing to `action`."""
    target = action.request.target
    lines: list[tuple[str, str | Cell]] = [
        ("Where", f"{profile.environment.upper()} {profile.name}: {target.source.rstrip(':')}"),
        ("Target", str(target)),
        ("Before", action.before),
        ("After", action.after),
        *_labelled("Impact", action.impact),
        *_labelled("Preview", action.preview),
        ("Risk", Cell(_risk(action), "warn")),
        ("Undo", action.undo),
        ("By hand", action.command),
        ("Identity", ", ".join(f"{key} {value}" for key, value in target.identity.items() if value is not None)),
    ]
    return ConfirmDialog(
        f"{verb_and_target(verb.title, target)}?", lines, mode=ask.value, expected=target.name, verb=verb.title
    )


def verb_and_target(title: str, target: Target) -> str:
    """Return what is done to what: `Restart Deployment shop/api`, `Terminate backend shop/812`; no kind twice."""
    _, _, what = title.rpartition(" ")
    kind, _, rest = str(target).partition(" ")
    if rest and what.lower() == kind.lower():
        return f"{title} {rest}"
    return f"{title} of {target}" if " " in title else f"{title} {target}"


def _risk(action: Action) -> str:
    return f"{action.risk.name.lower()}: {action.risk_reason}" if action.risk_reason else action.risk.name.lower()


def _labelled(label: str, lines: tuple[str, ...]) -> list[tuple[str, str | Cell]]:
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
