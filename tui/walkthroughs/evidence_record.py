"""What opstui has on its own record, as evidence: alerts, changes, actions."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from tui.journal.journal import JournalError, moment_of
from tui.sources.text import clean
from tui.timeline.entry import OVER
from tui.timeline.store import Store
from tui.units import span
from tui.walkthroughs.judging import Asked, mark_of
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import Site

_DAY_S: Final = 86400.0
_MOST_TEXTS: Final = 30
"""Entries that are listed one by one; the newest."""


async def recorded(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    """Yield how many entries there are, then the newest of them one by one."""
    condition, now = asked.condition, site.now()
    if condition.within is not None:
        since, words = now - condition.within, f"in {span(condition.within)}"
    elif asked.last_run_at is not None:
        since, words = asked.last_run_at, f"since the last run {span(now - asked.last_run_at)} ago"
    else:
        since, words = now - _DAY_S, "in 24h (this was never run before)"
    try:
        texts = await asyncio.to_thread(_recorded_texts, str(condition.recorded), since, site)
    except (OSError, JournalError) as error:
        yield Fact(str(condition.recorded), "", Mark.UNKNOWN, detail=clean(str(error)))
        return
    bounded = any(bound is not None for bound in (condition.warn, condition.critical, condition.at_least))
    mark, threshold = mark_of(float(len(texts)), condition) if bounded else (Mark.PASSED, "")
    yield Fact(str(condition.recorded), f"{len(texts)} {words}", mark, threshold, now, number=float(len(texts)))
    for text in texts[-_MOST_TEXTS:]:
        yield Fact("", text, Mark.DONE)


def _recorded_texts(kind: str, since: float, site: Site) -> list[str]:
    if kind == "actions":
        entries = [entry for entry in site.journal.entries() if entry.get("what") == "intent"]
        return [
            clean(f"{entry.get('at')} {entry.get('verb')} {entry.get('where')}/{entry.get('name')}", limit=200)
            for entry in entries
            if moment_of(entry) >= since
        ]
    rows = [row for row in Store(site.journal).history() if row.newest_at >= since and row.stage != OVER]
    meant = [row for row in rows if (row.what == "alert") == (kind == "alerts")]
    return [f"{_moment_words(row.at)} {row.source.rstrip(':')} {row.text}" for row in meant]


def _moment_words(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%m-%d %H:%M:%SZ}"
