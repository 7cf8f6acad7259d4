"""What the views of the Services tab beside the HTTP services have in common: containers, and units. Pure."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from profiles.schema import Profile
from profiles.systems import Service
from tui.panes.offering import Offer
from tui.rules import Level
from tui.sources.reading import Reading, Source
from widgets.cell import Column, Row
from widgets.segment_line import Segment

RESTART: Final = "services.restart"
STOP: Final = "services.stop"
START: Final = "services.start"
SEND: Final = "services.send"

Readings = Mapping[str, Reading[Any]]
"""By the source's name."""
LevelOf = Callable[[str, str, str], Level]
"""(source, metric, object) → how the profile's rules judge that number now."""


@dataclass(frozen=True, slots=True)
class Board:
    """One view: from the readings of one kind of source to all that the tab shows and asks for."""

    kind: str
    """The kind of its sources."""
    columns: tuple[Column, ...]
    empty: str
    """What stands where no row is."""
    look: Callable[[Source[Any] | None], None]
    """Tells a source that somebody looks, where that makes it read more."""
    rows: Callable[[Readings, LevelOf, float], Mapping[Hashable, Row]]
    """Rows by identity."""
    title: Callable[[Readings], Sequence[Segment]]
    """What stands in the first line."""
    troubled: Callable[[Readings], int]
    """How many of its rows are in trouble, for the strip of views."""
    notes: Callable[[Readings], str]
    """What could not be seen though the source answers; empty when nothing."""
    page: Callable[[Readings, Hashable, float], str]
    """A row in full; empty when it is gone."""
    by_hand: Callable[[Profile, Readings, Hashable | None], str]
    """The commands that show the row under the cursor, or the view."""
    offers: Callable[[Readings, Sequence[Hashable]], tuple[Offer, ...]]
    """What can be changed of these rows, by key."""
    key_of: Callable[[Readings, str, str], Hashable | None]
    """(source, name) → the row's key; None when there is none."""
    sort: tuple[str, bool] = ("state", True)
    """The column that its rows are sorted by at the start, and whether the greatest comes first."""


NO_ROW: Final = "no row under the cursor"


def offers_for(keys: Sequence[Hashable], made: Callable[[Hashable, str], Any]) -> tuple[Offer, ...]:
    """Return an offer for each of the three keys.

    Args:
        keys: of the rows that are meant.
        made: (row's key, binding) → the request, or why not.
    """
    return tuple(_offer(binding, keys, made) for binding in (RESTART, STOP, START))


def _offer(binding: str, keys: Sequence[Hashable], made: Callable[[Hashable, str], Any]) -> Offer:
    if not keys:
        return Offer(binding, reason=NO_ROW)
    found = [made(key, binding) for key in keys]
    if why := next((one for one in found if isinstance(one, str)), ""):
        return Offer(binding, reason=why)
    return Offer(binding, tuple(found))


def boards_of(profile: Profile) -> dict[str, Board]:
    """Return the views beside the HTTP services that a profile has something for, by name.

    Nothing of the others is imported: this is the tab of the first frame.
    """
    found: dict[str, Board] = {}
    if entries := list(profile.services.values()):
        found |= _asked_of(entries)
    if profile.docker:
        from tui.panes import containers_rows

        found["containers"] = containers_rows.BOARD
    if profile.systemd:
        from tui.panes import units_rows

        found["units"] = units_rows.BOARD
    return found


def _asked_of(entries: Sequence[Service]) -> dict[str, Board]:
    from tui.panes import services_asked

    found = {"failures": services_asked.FAILURES}
    if any(entry.probes or entry.login for entry in entries):
        found["probes"] = services_asked.PROBES
    if any(entry.login or entry.token or not entry.url.startswith("http:") for entry in entries):
        found["credentials"] = services_asked.CREDENTIALS
    if any(entry.stats for entry in entries):
        found["stats"] = services_asked.STATS
    return found
