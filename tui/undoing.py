"""Taking changes back: what there is to take back, temporary changes first, and the choice among it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from tui.actions.ledger import Deed, Ledger
from tui.status import brief_age
from widgets.dialogs import Choice, ChooseDialog

_MOST: Final = 50
BACK: Final = "back"
KEEP: Final = "keep"


def choices(ledger: Ledger, now: float) -> list[Choice]:
    """Return what may be taken back: temporary changes, the most overdue first, then the others, newest first."""
    temporary = sorted(ledger.temporary, key=lambda deed: (deed.due_at or float("inf"), deed.sent.at))
    others = [deed for deed in ledger.undoable if not deed.is_temporary][:_MOST]
    return [Choice(deed.sent.id, _label(deed), _note(deed, now)) for deed in (*temporary, *others)]


def deed_of(ledger: Ledger, action: str) -> Deed | None:
    """Return a change that may be taken back; None when somebody else has done so meanwhile."""
    return next((deed for deed in ledger.undoable if deed.sent.id == action), None)


def undo_dialog(found: Sequence[Choice]) -> ChooseDialog:
    """Return the dialog that asks which change to take back."""
    return ChooseDialog("Take back which change? Nothing is sent before you confirm", found)


def temporary_dialog(deed: Deed) -> ChooseDialog:
    """Return the dialog that asks what is to become of a temporary change."""
    return ChooseDialog(
        f"{deed.title} ({deed.before} → {deed.after})",
        [Choice(BACK, "take it back", deed.undo), Choice(KEEP, "keep it for good", "it is no longer counted")],
    )


def due_words(deed: Deed, now: float) -> str:
    """Return when a temporary change is to be taken back: `due in 12m`, `overdue 3m`, or that it has no time."""
    if deed.due_at is None:
        return "temporary"
    left = deed.due_at - now
    return f"due in {brief_age(left)}" if left > 0 else f"OVERDUE {brief_age(-left)}"


def _label(deed: Deed) -> str:
    request = deed.sent.request
    return f"{request.verb} {request.target.name}"


def _note(deed: Deed, now: float) -> str:
    at = f"{datetime.fromtimestamp(deed.sent.at, UTC):%H:%M:%S}Z"
    when = f"{due_words(deed, now)}, " if deed.is_temporary else ""
    return f"{when}{deed.before} → {deed.after} ({deed.undo}); {at} by {deed.by}"
