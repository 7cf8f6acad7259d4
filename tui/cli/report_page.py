"""`opstui report`: the incident report from the files of a profile, without a screen."""

import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def since(typed: str, now: float) -> float:
    """Return the `time.time()` that a person means: a duration back from now (`90m`), or an ISO time (UTC by default).

    Raises:
        ValueError: it is neither, or not in the past; the message says what is.
    """
    if found := _DURATION.fullmatch(typed.strip()):
        return max(0.0, now - float(found[1]) * _SECONDS[found[2]])
    try:
        moment = datetime.fromisoformat(typed.strip())
    except ValueError:
        words = "a duration (90s, 90m, 12h, 2d) nor an ISO time (2026-08-22T14:05Z)"
        raise ValueError(f"{typed!r} is neither {words}") from None
    at = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if at > now:
        raise ValueError(f"{typed!r} is in the future (times without a zone are UTC)")
    return at


def write(name: str, typed: str, output: str | None) -> None:
    """Write the report of a profile to a file, or to standard output.

    Raises:
        click.UsageError: no such profile, or no such time.
        click.ClickException: the journal cannot be read, or the file not be written.
    """
    from profiles.loader import load
    from profiles.problems import ProfileError
    from tui.journal import JournalError
    from tui.journal.place import journal_of
    from tui.timeline.gathering import gathered
    from tui.timeline.report import markdown

    now = time.time()
    try:
        begin = since(typed, now)
        profile = load(name).profile
    except (ValueError, ProfileError) as error:
        raise click.UsageError(str(error)) from None
    journal = journal_of(profile)
    try:
        incident = gathered(journal, profile, begin, now)
    except JournalError as error:
        raise click.ClickException(f"the journal cannot be read: {error}") from None
    if incident.missing:
        click.echo(f"opstui: missing in the report: {incident.missing}", err=True)
    text = markdown(incident)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        _put(Path(output), text)
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from None
    click.echo(f"{output}: the incident report since {datetime.fromtimestamp(begin, UTC):%Y-%m-%d %H:%M:%SZ}", err=True)


def _put(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
