"""From the files of a profile to what a report is made of. Blocks: call it in a thread where there is a screen."""

import platform
import socket
from collections.abc import Sequence
from typing import Final

import tui
from profiles.schema import Profile
from tui.journal import Journal, who
from tui.journal.chain import verified
from tui.journal.journal import decoded
from tui.timeline.journal_rows import JournalRows
from tui.timeline.model import Timeline
from tui.timeline.report import Incident
from tui.timeline.store import Store

_MOST: Final = 100_000
"""Entries of a report: more than the files hold."""


def gathered(
    journal: Journal,
    profile: Profile,
    since: float,
    until: float,
    *,
    t0: float | None = None,
    panes: Sequence[tuple[str, str]] = (),
) -> Incident:
    """Return everything about a profile's last hours.

    Args:
        journal: of the profile.
        profile: what was watched.
        since: `time.time()` from which on.
        until: `time.time()` now.
        t0: what times are counted from; None: from nothing.
        panes: title and present text of each tab.

    Raises:
        JournalError: the journal cannot be read.
    """
    timeline, missing = Timeline(_MOST), ""
    try:
        timeline.add(Store(journal).history(_MOST))
    except OSError as error:
        missing = f"what opstui saw by itself: {error.filename}: {error.strerror}"
    lines = list(journal.lines())
    JournalRows(timeline).take(entry for line in lines if (entry := decoded(line)) is not None)
    return Incident(
        profile=profile.name,
        environment=profile.environment,
        since=since,
        until=until,
        who=f"{who()} on {socket.gethostname()}",
        versions=f"opstui {tui.__version__}, Python {platform.python_version()}",
        timeline=timeline,
        verdict=verified(lines),
        t0=t0,
        panes=panes,
        missing=missing,
    )
