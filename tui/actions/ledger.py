"""What the journal says of the changes so far: which are unresolved, which can be taken back, which are temporary.

Pure: entries in, oldest first, from this opstui and every other on the same journal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from tui.actions.action import Request, Sent
from tui.actions.perform import Ending

_CLOSED: Final = ("outcome", "refused", "cancelled", "resolved")
_MOST: Final = 500
"""Changes kept in memory beyond those that are still temporary or unresolved."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One change that was sent, or was about to be."""

    sent: Sent
    by: str
    """Who: the login, and the one behind `sudo`."""
    written_by: Mapping[str, Any]
    """`host`, `pid` and `born` of the process that wrote the intent."""
    title: str
    """What was done to what, in words: the verb and the target."""
    before: str
    after: str
    undo: str
    """How it is taken back, in words."""
    inverse: Request | None
    """What takes it back; None where nothing does."""
    deadline_s: float
    ending: Ending | None = None
    """How it ended; None as long as nothing is on record."""
    detail: str = ""
    is_settled: bool = False
    """Whether it was taken back, or somebody decided to keep it."""

    @property
    def is_unresolved(self) -> bool:
        """Whether nobody knows what became of it."""
        return self.ending in (None, Ending.UNKNOWN)

    @property
    def can_be_undone(self) -> bool:
        """Whether it is there, has a true inverse, and was not taken back yet."""
        return self.inverse is not None and not self.is_settled and self.ending in _THERE

    @property
    def is_temporary(self) -> bool:
        """Whether somebody meant to take it back, and nobody has."""
        return self.sent.request.temporary_s is not None and self.can_be_undone

    @property
    def due_at(self) -> float | None:
        """`time.time()` when it is to be taken back; None without a time, or when it is for good."""
        return self.sent.at + self.sent.request.temporary_s if self.sent.request.temporary_s else None


_THERE: Final = (Ending.CONVERGED, Ending.NOT_CONVERGED, Ending.REGRESSED, Ending.UNKNOWN, None)
"""Endings after which the change may stand; whether its state is still ours is asked when it is taken back."""


class Ledger:
    """Keeps account of every change, by the journal's entries."""

    def __init__(self) -> None:
        self._deeds: dict[str, Deed] = {}

    def take(self, entry: Mapping[str, Any]) -> None:
        """Take in an entry; what is of no concern, or cannot be read, changes nothing."""
        id_, what = entry.get("action"), entry.get("what")
        if not isinstance(id_, str):
            return
        if what == "intent":
            if (deed := _deed(id_, entry)) is not None:
                self._deeds[id_] = deed
                self._forget_oldest()
            return
        if (deed := self._deeds.get(id_)) is None:
            return
        if what == "accepted":
            self._deeds[id_] = _accepted(deed, entry)
        elif what == "kept":
            self._deeds[id_] = replace(deed, is_settled=True)
        elif what in (*_CLOSED, "regressed"):
            self._close(deed, entry)

    def _close(self, deed: Deed, entry: Mapping[str, Any]) -> None:
        try:
            ending = Ending(str(entry.get("ending")))
        except ValueError:
            return
        self._deeds[deed.sent.id] = replace(deed, ending=ending, detail=str(entry.get("detail", "")))
        undone = self._deeds.get(deed.sent.request.undoes)
        if undone is not None and ending in (Ending.CONVERGED, Ending.NOT_CONVERGED, Ending.REGRESSED):
            self._deeds[undone.sent.id] = replace(undone, is_settled=True)

    def _forget_oldest(self) -> None:
        if len(self._deeds) > _MOST:
            for id_, deed in list(self._deeds.items()):
                if not deed.is_temporary and not deed.is_unresolved:
                    del self._deeds[id_]
                    return

    @property
    def unresolved(self) -> tuple[Deed, ...]:
        """Return the changes of which nobody knows what became of them, oldest first."""
        return tuple(deed for deed in self._deeds.values() if deed.is_unresolved)

    @property
    def undoable(self) -> tuple[Deed, ...]:
        """Return the changes that may be taken back, newest first."""
        return tuple(deed for deed in reversed(self._deeds.values()) if deed.can_be_undone)

    @property
    def temporary(self) -> tuple[Deed, ...]:
        """Return the changes that are to be taken back, oldest first."""
        return tuple(deed for deed in self._deeds.values() if deed.is_temporary)


def undo_request(deed: Deed) -> Request:
    """Return the request that takes a change back. Raises ValueError when nothing does."""
    if deed.inverse is None:
        raise ValueError(f"{deed.title} cannot be undone")
    return replace(deed.inverse, undoes=deed.sent.id)


def _deed(id_: str, entry: Mapping[str, Any]) -> Deed | None:
    try:
        request = Request.from_plain(entry["request"])
        inverse = Request.from_plain(entry["inverse"]) if entry.get("inverse") else None
        at = datetime.fromisoformat(entry["at"]).timestamp()
        deadline_s = float(entry["deadline_s"])
    except (KeyError, TypeError, ValueError):
        return None  # of another version, or edited: nothing that could be acted upon
    sudo = entry.get("sudo_user")
    return Deed(
        sent=Sent(request, dict(entry.get("evidence") or {}), at, id_),
        by=f"{entry.get('user', '?')} (sudo by {sudo})" if sudo else str(entry.get("user", "?")),
        written_by={key: entry.get(key) for key in ("host", "pid", "born")},
        title=f"{request.verb} {request.target}",
        before=str(entry.get("before", "")),
        after=str(entry.get("after", "")),
        undo=str(entry.get("undo", "")),
        inverse=inverse,
        deadline_s=deadline_s,
    )


def _accepted(deed: Deed, entry: Mapping[str, Any]) -> Deed:
    evidence = entry.get("evidence")
    if not isinstance(evidence, dict):
        return deed
    inverse = deed.inverse
    if inverse is not None:
        # The system may write a value in its own way; that way is what must still be there when it is taken back.
        inverse = replace(inverse, seen={key: evidence.get(key, value) for key, value in inverse.seen.items()})
    return replace(deed, sent=replace(deed.sent, evidence=evidence), inverse=inverse)
