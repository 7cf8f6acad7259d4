"""`opstui report`: the incident report from the files of a profile, without a screen."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import click


def write(name: str, begin: float, output: str | None) -> None:
    """Write the report of a profile since a `time.time()` to a file, or to standard output.

    Raises:
        click.UsageError: no such profile.
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
        profile = load(name).profile
    except ProfileError as error:
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
