"""How many lines of a log, as evidence."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from tui.sources.errors import SourceError
from tui.sources.kubernetes import KubernetesSource, PodLogs
from tui.sources.logs import LogsSource
from tui.sources.logs.line import LogLine, Severity
from tui.sources.masking import without_secrets
from tui.sources.text import clean
from tui.units import span
from tui.walkthroughs.format import LogCount
from tui.walkthroughs.judging import Asked, mark_of
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import KUBERNETES, Site

_QUIET_READS: Final = 2
"""Reads of a log that bring nothing old, after which everything it holds has come."""
_PATIENCE_S: Final = 10.0
_MOST_LINES: Final = 20_000
"""Lines of each file, or of all pods of a log, that are counted at most; the newest."""
_LEAST: Final = {None: Severity.NONE, "warn": Severity.WARN, "error": Severity.ERROR}


async def logs(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    """Yield for each log how many of the lines at its end are meant, and the newest of them."""
    wanted = asked.condition.logs
    assert wanted is not None  # noqa: S101 -- the condition reads logs
    names = [wanted.of] if wanted.of else list(site.profile.logs)
    for name, fact in zip(names, await asyncio.gather(*(_log(name, wanted, asked, site) for name in names)),
                          strict=True):  # fmt: skip
        yield fact if fact is not None else Fact(name, "", Mark.UNKNOWN, detail="the profile has no such log")


async def _log(name: str, wanted: LogCount, asked: Asked, site: Site) -> Fact | None:
    entry = site.profile.logs.get(name)
    if entry is None:
        return None
    cluster = site.pollers.source(KUBERNETES)
    pod_logs = PodLogs(cluster) if isinstance(cluster, KubernetesSource) else None
    source, since = LogsSource(name, entry, pod_logs, first_lines=_MOST_LINES), site.now() - wanted.within
    lines: list[LogLine] = []
    try:
        async with asyncio.timeout(_PATIENCE_S):
            quiet = 0
            while quiet < _QUIET_READS:
                batch = await source.read()
                lines += batch.lines
                quiet = 0 if batch.lines else quiet + 1
                if all(line.at >= site.now() - 1 for line in batch.lines):  # what was there before has come
                    quiet += 1
    except TimeoutError:
        pass
    except SourceError as error:
        return Fact(f"{name} lines", "", Mark.UNKNOWN, detail=str(error))
    finally:
        await source.close()
    oldest = min((line.at for line in lines), default=None)
    least = _LEAST[wanted.level]
    pattern = re.compile(wanted.matching, re.IGNORECASE) if wanted.matching else None
    found = [
        line
        for line in lines
        if line.at >= since
        and line.level >= least
        and not line.continues
        and (pattern is None or pattern.search(line.raw))
    ]
    mark, threshold = mark_of(float(len(found)), asked.condition)
    detail = f"newest: {without_secrets(clean(found[-1].text, limit=160))}" if found else ""
    if oldest is not None and oldest > since:
        back = f"counted from {span(site.now() - oldest)} ago on: opstui reads only a log's end"
        detail = f"{back}; {detail}" if detail else back
    return Fact(f"{name} lines", str(len(found)), mark, threshold, site.now(), detail, float(len(found)))
