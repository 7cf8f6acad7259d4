"""How many messages of a log, as evidence."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Final

from tui.sources.docker.logs import container_logs
from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource, PodLogs
from tui.sources.logs import LogsSource
from tui.sources.logs.line import LogLine, Severity
from tui.sources.logs.messages import gathered
from tui.sources.masking import without_secrets
from tui.sources.text import clean
from tui.units import span
from tui.walkthroughs.format import LogCount
from tui.walkthroughs.judging import Asked, mark_of
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import Site

_PATIENCE_S: Final = 10.0
_MOST_LINES: Final = 20_000
"""Lines of each file, or of all pods of a log, that are counted at most; the newest."""
_LEAST: Final = {None: Severity.NONE, "warn": Severity.WARN, "error": Severity.ERROR}


async def logs(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    """Yield for each log how many of the lines at its end are meant, and the newest of them."""
    if (wanted := asked.condition.logs) is None:
        return
    names = [wanted.of] if wanted.of else list(site.profile.logs)
    for fact in await asyncio.gather(*(_log(name, wanted, asked, site) for name in names)):
        yield fact


async def _log(name: str, wanted: LogCount, asked: Asked, site: Site) -> Fact:
    what, entry = f"{name} lines", site.profile.logs.get(name)
    if entry is None:
        return Fact(what, "", Mark.UNKNOWN, detail="the profile has no such log")
    cluster = site.pollers.source(f"kubernetes:{site.profile.cluster_meant(entry.cluster) or ''}")
    pod_logs = PodLogs(cluster) if isinstance(cluster, KubernetesSource) else None
    of_containers, since = container_logs(site.profile, entry), site.now() - wanted.within
    source = LogsSource(name, entry, pod_logs, of_containers, first_lines=_MOST_LINES)
    try:
        lines, missing = await _end_of(source, site.now())
    except SourceError as error:
        return Fact(what, "", Mark.UNKNOWN, detail=str(error))
    finally:
        await source.close()
    found = _meant(lines, wanted, since)
    mark, threshold = mark_of(float(len(found)), asked.condition)
    told = [f"newest: {without_secrets(clean(found[-1].text, limit=160))}"] if found else []
    oldest = min((line.at for line in lines), default=since)
    if oldest > since:
        told.insert(0, f"what was read of it goes back {span(site.now() - oldest)}")
    if missing:
        # Fewer may have been counted than there are: that is no all-clear.
        mark = mark if mark is Mark.FAILED else Mark.UNKNOWN
        told.insert(0, missing)
    return Fact(what, str(len(found)), mark, threshold, site.now(), "; ".join(told), float(len(found)))


async def _end_of(source: LogsSource, began: float) -> tuple[list[LogLine], str]:
    """Return the lines that a log holds, and what is missing of them, in words; empty when nothing is."""
    lines: list[LogLine] = []
    until, dropped = time.monotonic() + _PATIENCE_S, 0
    while True:
        is_last = source.has_caught_up
        batch = await source.read()
        lines += batch.lines
        dropped = batch.dropped
        if is_last or not batch.lines:
            break
        if time.monotonic() >= until:
            # A stream cannot tell what is new; where only new lines come, the old ones have come.
            is_behind = any(line.at < began for line in batch.lines)
            return lines, f"not read to its end within {_PATIENCE_S:g} s" if is_behind else ""
    return lines, f"{dropped} lines came too fast to be read" if dropped else ""


def _meant(lines: list[LogLine], wanted: LogCount, since: float) -> list[LogLine]:
    """Return the first lines of the messages that are meant; what must match may stand in any of their lines."""
    least, pattern = _LEAST[wanted.level], re.compile(wanted.matching or "", re.IGNORECASE)
    found = [
        message[0]
        for message in gathered(lines)
        if message[0].at >= since
        and message[0].level >= least
        and not message[0].continues
        and any(pattern.search(line.raw) for line in message)
    ]
    return sorted(found, key=lambda line: line.at)
