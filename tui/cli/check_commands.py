"""`opstui check` as click sees it. What it does is imported when it runs."""

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from tui.cli.commands import OfProfile, ScenarioName

_UNKNOWN: Final = 3
"""Exit status of everything that keeps systems from being judged: 1 and 2 are verdicts."""

_THREADS_S: Final = 0.5


class _Checking(click.Command):
    """A command whose every failure ends with 3, wrong arguments too."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Read the arguments as click does."""
        try:
            return super().make_context(*args, **options)
        except click.ClickException as error:
            error.show()
            raise click.exceptions.Exit(_UNKNOWN) from None


class _Only(click.ParamType[str]):
    """A kind of system, a system or a rule, completed with the kinds."""

    name = "only"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the kinds that begin so."""
        from profiles.schema import KINDS

        return [CompletionItem(kind) for kind in KINDS if kind.startswith(incomplete)]


def _duration(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    from profiles.values import seconds

    try:
        return None if value is None else seconds(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@contextlib.contextmanager
def _else_unknown() -> Iterator[None]:
    """End with 3 also where opstui itself fails: Python's own status for that would read as a warning."""
    is_done = False
    try:
        yield
        is_done = True
    except KeyboardInterrupt:
        is_done = True
        sys.exit(128 + signal.SIGINT)
    finally:
        if not is_done:
            traceback.print_exc()
            sys.exit(_UNKNOWN)


def _leave(status: int) -> None:
    """End with that status, also where a thread waits for a disk that does not answer: Python would wait with it."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(_THREADS_S)
            if thread.is_alive():
                os._exit(status)  # everything is written by now
    sys.exit(status)


@click.command(cls=_Checking)
@OfProfile
@click.option(
    "--only", type=_Only(), multiple=True, metavar="KIND|SYSTEM|RULE",
    help="database, database:orders, database.blocked; several with commas.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit", "prometheus"]), default="text", show_default=True
)
@click.option(
    "--timeout", default="20s", show_default=True, metavar="20s", callback=_duration,
    help="How long the systems may take to answer.",
)  # fmt: skip
@click.option(
    "--watch", metavar="30s", callback=_duration,
    help="Watch so long first; a rule with `for` counts only when it held. Else all are judged at once.",
)  # fmt: skip
@click.option("--scenario", type=ScenarioName(), metavar="NAME", help="What the sandbox plays: --profile demo only.")
def check(
    name: str, only: tuple[str, ...], form: str, timeout: float, watch: float | None, scenario: str | None
) -> None:
    """Judge every rule once, for cron and monitoring; writes nothing.

    Exit status: 0 ok, 1 warning, 2 critical, 3 unknown, also when profile or arguments are wrong.
    """
    with _else_unknown():
        from tui.cli.check_page import check as judge
        from tui.cli.launch import with_profile

        status = with_profile(
            name, scenario, lambda profile: judge(profile, only, form, timeout, watch), is_logged=False
        )
    _leave(status)
