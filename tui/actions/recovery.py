"""Changes of which nobody knows what became of them: found in the journal, and found out by reading."""

import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from tui.actions.ledger import Deed, Ledger
from tui.actions.perform import Outcome, Performer, Progress
from tui.journal.account import is_running

_LOG: Final = logging.getLogger(__name__)
_SLACK_S: Final = 60.0
"""For the clocks of two machines, and the time between intent and write."""


def abandoned(ledger: Ledger) -> tuple[Deed, ...]:
    """Return the unresolved changes that no living opstui is still at work on, oldest first.

    Of another machine's opstui nobody here knows whether it lives; its change counts as abandoned once it is
    older than its deadline.
    """
    return tuple(deed for deed in ledger.unresolved if deed.ending is not None or not _may_be_at_work(deed))


def _may_be_at_work(deed: Deed) -> bool:
    lives = is_running(deed.written_by)
    return time.time() < deed.sent.at + deed.deadline_s + _SLACK_S if lives is None else lives


async def recover(performer: Performer, deeds: Iterable[Deed], progress: Progress) -> list[tuple[Deed, Outcome]]:
    """Find out by reading what became of abandoned changes; nothing is ever sent.

    A change of a system that the profile no longer names stays as it is.
    """
    found = []
    for deed in deeds:
        request = deed.sent.request
        if (request.verb, request.target.source) not in performer.verbs:
            _LOG.info("%s %s: no such system in this profile", deed.title, deed.sent.id)
            continue
        outcome = await performer.resolve(deed.sent, deed.deadline_s, progress, because=sent_words(deed))
        found.append((deed, outcome))
    return found


def sent_words(deed: Deed) -> str:
    """Return what is known of a change without an outcome: when it was sent, by whom."""
    at = datetime.fromtimestamp(deed.sent.at, UTC)
    return f"sent at {at:%Y-%m-%d %H:%M:%S}Z by {deed.by}, and no outcome is on record"
