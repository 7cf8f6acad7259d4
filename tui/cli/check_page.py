"""`opstui check`: a profile's rules judged once, without a screen and without a trace."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import click

from profiles.schema import Profile
from tui.check.checks import Report
from tui.check.forms import json_text, text
from tui.check.junit import junit_text
from tui.check.looking import INTERVAL_S, Answers, look
from tui.check.prometheus import prometheus_text
from tui.check.selection import Selection, SelectionError, kinds_to_watch, selected
from tui.cli.headless import watching
from tui.journal.place import journal_of
from tui.sources.kubernetes import KubernetesSource
from tui.systems import Systems, systems_of

UNKNOWN: Final = 3
"""Exit status of everything that keeps systems from being judged."""
FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": text,
    "json": json_text,
    "junit": junit_text,
    "prometheus": prometheus_text,
}


def check(profile: Profile, only: tuple[str, ...], form: str, timeout_s: float, watch_s: float | None) -> int:
    """Judge a profile's systems, print how they are, and return the exit status.

    Args:
        profile: what is watched.
        only: kinds, systems and rules; all when empty.
        form: one of `FORMS`.
        timeout_s: seconds that systems may take to answer.
        watch_s: as in `look`.
    """
    systems = systems_of(profile)
    try:
        selection = selected(profile, [source.name for source in systems.sources], only)
    except SelectionError as error:
        click.echo(str(error), err=True)
        return UNKNOWN
    for source in systems.sources:
        if isinstance(source, KubernetesSource):
            source.need("what is judged", kinds_to_watch(selection, source.name))
    report = _run(_looked(profile, systems, selection, timeout_s, watch_s))
    _put(FORMS[form](report))
    return report.exit_code


def _run(looked: Coroutine[Any, Any, Report]) -> Report:
    # asyncio.run would wait for its threads: for minutes, where one reads a disk that does not answer.
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(looked)
    finally:
        loop.close()


async def _looked(
    profile: Profile, systems: Systems, selection: Selection, timeout_s: float, watch_s: float | None
) -> Report:
    answers, names = Answers(selection), sorted(selection.sources)
    async with watching(
        profile, journal_of(profile), systems=systems, names=names, interval_s=INTERVAL_S, heard=answers.take
    ) as site:
        return await look(site, selection, answers, timeout_s=timeout_s, watch_s=watch_s)


def _put(written: str) -> None:
    """Print in UTF-8 whatever the locale; a reader that went early (`| head`) does not change the verdict."""
    try:
        click.echo(written.encode("utf-8", "backslashreplace"), nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end, which would spoil the exit status.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
