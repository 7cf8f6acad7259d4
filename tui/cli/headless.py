"""A profile's systems watched without a screen: what `opstui walk run --auto` stands on."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from profiles.schema import Profile
from tui.journal import Journal
from tui.poller import Pollers
from tui.rules import Rules
from tui.sources.reading import Reading
from tui.systems import systems_of
from tui.walkthroughs.site import Site


@contextlib.asynccontextmanager
async def watching(profile: Profile, journal: Journal) -> AsyncIterator[Site]:
    """Read every system of a profile again and again, judge it by its rules, and close everything at the end."""
    rules = Rules(profile.rules)

    def judge(reading: Reading[Any]) -> None:
        rules.judge(reading, time.time())

    pollers = Pollers(judge, interval_s=None)
    systems = systems_of(profile)
    pollers.start(systems.sources, optional=systems.optional)
    try:
        yield Site(profile, pollers, rules, journal)
    finally:
        await pollers.close()
