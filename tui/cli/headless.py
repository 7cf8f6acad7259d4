"""A profile's systems watched without a screen: what `opstui walk run --auto` and `opstui check` stand on."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from profiles.schema import Profile
from tui.journal import Journal
from tui.numbers import Numbers
from tui.poller import Pollers
from tui.rules import Rules
from tui.sources.reading import Reading
from tui.systems import Systems, systems_of
from tui.walkthroughs.site import Site


def _nobody(_reading: Reading[Any]) -> None:
    """Take a reading that nobody waits for."""


@contextlib.asynccontextmanager
async def watching(
    profile: Profile,
    journal: Journal,
    *,
    systems: Systems | None = None,
    names: Sequence[str] | None = None,
    interval_s: float | None = None,
    heard: Callable[[Reading[Any]], None] = _nobody,
) -> AsyncIterator[Site]:
    """Read systems of a profile again and again, judge them by its rules, and close everything at the end.

    Args:
        profile: what is watched.
        journal: where evidence of what was recorded is found.
        systems: the profile's, where they are already made.
        names: of the sources to read; None reads all.
        interval_s: seconds between two readings; None leaves each system its own.
        heard: called with every reading, after it was judged.
    """
    rules = Rules(profile.thresholds)

    numbers = Numbers()

    def judge(reading: Reading[Any]) -> None:
        rules.judge(reading, time.time())
        numbers.take(reading)
        heard(reading)

    pollers = Pollers(judge, interval_s=interval_s, is_hasty=True)
    systems = systems or systems_of(profile)
    meant = [source for source in systems.sources if names is None or source.name in names]
    pollers.start(meant, optional=systems.optional)
    try:
        yield Site(profile, pollers, rules, journal, numbers)
    finally:
        await pollers.close()
