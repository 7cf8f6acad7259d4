"""Systems of a few lines, a journal in a folder, and a guide on both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from profiles.schema import Profile
from tui.journal import Journal
from tui.journal.news import News
from tui.numbers import Numbers
from tui.poller import Pollers
from tui.rules import Rules
from tui.sources.errors import SourceError
from tui.sources.reading import Number, Reading
from tui.walkthroughs.format import Definition
from tui.walkthroughs.guide import Guide
from tui.walkthroughs.loading import Walks, Walkthrough
from tui.walkthroughs.recorder import Recorder
from tui.walkthroughs.site import Site


@dataclass
class Facts:
    """What a system says."""

    found: tuple[Number, ...]
    reason: str = ""

    def numbers(self) -> tuple[Number, ...]:
        return self.found


@dataclass
class System:
    """Says what it is told to say."""

    name: str
    numbers: dict[str, float] = field(default_factory=dict)
    error: SourceError | None = None
    interval_s: float = 0.01
    timeout_s: float = 1.0

    async def read(self) -> Facts:
        if self.error is not None:
            raise self.error
        return Facts(tuple(Number(metric, value) for metric, value in self.numbers.items()))

    async def close(self) -> None:
        pass


def walk_of(*steps: dict[str, Any], kind: Any = "checklist", **head: Any) -> Walkthrough:
    """Return a walk of these steps."""
    definition = {"title": "T", **head, "sections": [{"title": "S", "steps": list(steps)}]}
    return Walkthrough("t", kind, Definition.model_validate(definition), "1")


@asynccontextmanager
async def site_of(folder: Path, *systems: System, **profile: Any) -> AsyncIterator[Site]:
    """Watch systems under a profile."""
    read = Profile.model_validate({"name": "t", "environment": "dev", **profile})
    rules, numbers = Rules(read.thresholds), Numbers()
    times = iter(range(10**9))

    def judge(reading: Reading[Any]) -> None:
        rules.judge(reading, float(next(times)))
        numbers.take(reading)

    pollers = Pollers(judge, interval_s=None)
    pollers.start(systems, optional=())
    try:
        yield Site(read, pollers, rules, Journal(folder, "t", "dev"), numbers)
    finally:
        await pollers.close()


def guide_of(site: Site, *walks: Walkthrough) -> Guide:
    """Return a guide that knows these walks."""
    guide = Guide(site, Recorder.of(site.journal, News(site.journal)))
    guide.walks, guide.is_loaded = Walks(walks, ()), True
    return guide
