"""Events folded: what happens to one object for one reason is one row, with the newest message and the sum."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tui.panes.pods_rows import Light
from tui.sources.kubernetes.ages import age_since
from tui.sources.kubernetes.events import Event
from widgets.cell import Cell, Column, Row

Group = tuple[str, str, str, str]
"""Namespace, object, type, reason."""
_WIDE: Final = 120


@dataclass(frozen=True, slots=True)
class Fold:
    """Events of one group."""

    newest: Event
    count: int
    """How often it happened, all events of the group together."""
    events: int
    """How many events are folded here."""


def group_of(event: Event) -> Group:
    """Return the group an event belongs to."""
    return (event.namespace, event.object, event.type, event.reason)


class EventFolds:
    """Groups of events that follow change sets."""

    def __init__(self) -> None:
        self._groups: dict[Group, dict[str, Event]] = {}
        self._group_by_uid: dict[str, Group] = {}

    def update(self, events: Mapping[str, Event], uids: Iterable[str]) -> set[Group]:
        """Take in what became of these uids and return the groups that look different now."""
        touched = set()
        for uid in uids:
            if (old := self._group_by_uid.pop(uid, None)) is not None:
                touched.add(old)
                members = self._groups[old]
                del members[uid]
                if not members:
                    del self._groups[old]
            if (event := events.get(uid)) is not None:
                group = group_of(event)
                self._groups.setdefault(group, {})[uid] = event
                self._group_by_uid[uid] = group
                touched.add(group)
        return touched

    @property
    def uids(self) -> set[str]:
        """The uids of all events folded."""
        return set(self._group_by_uid)

    def get(self, group: Hashable) -> Fold | None:
        """Return a group as it is now; None when it is gone."""
        members = self._groups.get(group) if isinstance(group, tuple) else None
        if not members:
            return None
        newest = max(members.values(), key=lambda event: event.last_at or 0.0)
        return Fold(newest, sum(event.count for event in members.values()), len(members))


def event_columns(width: int) -> tuple[Column, ...]:
    """Return the columns of events for a screen of this width."""
    is_wide = width >= _WIDE
    return (
        Column("seen", "LAST SEEN", 9, "right"),
        Column("type", "TYPE", 7),
        Column("reason", "REASON", 24 if is_wide else 14),
        Column("namespace", "NAMESPACE", 16 if is_wide else 10, priority=1, keeps_end=True),
        Column("object", "OBJECT", 44 if is_wide else 18, keeps_end=True),
        Column("message", "MESSAGE", min_width=18),
        Column("count", "COUNT", 5, "right", priority=2),
    )


def event_row(fold: Fold, light: Light) -> Row:
    """Return the row of a fold; sorting by TYPE puts warnings first, the newest of them on top."""
    event = fold.newest
    is_warning = event.type != "Normal"
    cells = (
        age_since(event.last_at, light.now),
        Cell(event.type, "warn" if is_warning else "dim"),
        Cell(event.reason, "warn" if is_warning else ""),
        event.namespace,
        event.object,
        event.message,
        str(fold.count),
    )
    newest_first = -(event.last_at or 0.0)
    sort = (
        newest_first,
        newest_first - (1e12 if is_warning else 0),
        event.reason,
        event.namespace,
        event.object,
        event.message,
        fold.count,
    )
    return Row(cells, sort)


def fold_moments(fold: Fold) -> Iterable[float | None]:
    """Return the moments whose age a fold's row shows."""
    return (fold.newest.last_at,)
