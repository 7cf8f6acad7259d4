"""`opstui` and its commands, as click sees them. What they do is imported when they run."""

import contextlib
import math
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

import tui

if TYPE_CHECKING:
    from profiles.loader import Loaded
    from tui.journal import Journal

_USAGE: Final = 2
"""Exit status for a wrong profile, wrong arguments or an unsuitable terminal."""


class ProfileName(click.ParamType[str]):
    """A profile's name, completed from the search path; or a path."""

    name = "profile"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the names that begin so, or files when it looks like a path."""
        from profiles.search import known_profiles

        if "/" in incomplete or incomplete.startswith((".", "~")):
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(found.name) for found in known_profiles() if found.name.startswith(incomplete)]


class ScenarioName(click.ParamType[str]):
    """A scenario of the sandbox."""

    name = "scenario"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the scenarios that begin so."""
        from tui.sandbox.scenarios import SCENARIOS

        return [
            CompletionItem(name, help=scenario.meaning)
            for name, scenario in SCENARIOS.items()
            if name.startswith(incomplete)
        ]


def _seconds(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and not (math.isfinite(value) and 0.2 <= value <= 3600):
        raise click.BadParameter("seconds between 0.2 and 3600")
    return value


def _since(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    from tui.cli.moments import since

    try:
        return None if value is None else since(value, time.time())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _reset_terminal(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        from tui.cli.reset import reset_terminal

        context.exit(reset_terminal())


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--profile", type=ProfileName(), envvar="OPSTUI_PROFILE", metavar="NAME|PATH",
    help="What to watch. Without it $OPSTUI_PROFILE counts; without that you are asked.",
)  # fmt: skip
@click.option("--read-only", is_flag=True, help="Nothing can be changed, whatever the profile says.")
@click.option(
    "--share", is_flag=True, help="Several look at this screen: starts unarmed, masks secrets and SQL, shows the keys."
)
@click.option("--refresh", type=float, callback=_seconds, metavar="S", help="Seconds between two readings.")
@click.option(
    "--log", "logs", multiple=True, metavar="FILE|-", type=click.Path(allow_dash=True),
    help="Show this log too, or it alone without a profile. What is piped into opstui is one (-) by itself.",
)  # fmt: skip
@click.option("--scenario", type=ScenarioName(), metavar="NAME", help="What the sandbox plays: --profile demo only.")
@click.option(
    "--reset-terminal", is_flag=True, is_eager=True, expose_value=False, callback=_reset_terminal,
    help="Repair this terminal after a program that died, and exit.",
)  # fmt: skip
@click.version_option(tui.__version__, message="opstui %(version)s")
@click.pass_context
def opstui(
    context: click.Context,
    profile: str | None,
    read_only: bool,
    share: bool,
    refresh: float | None,
    logs: tuple[str, ...],
    scenario: str | None,
) -> None:
    """One full-screen terminal for on-call: see, act safely, prove it worked, keep the record.

    Try it: opstui --profile demo
    """
    if context.invoked_subcommand is not None:
        return
    from tui.cli.launch import launch
    from tui.wishes import Wishes

    context.exit(launch(profile, Wishes(read_only, share, refresh, logs=logs), scenario))


@opstui.command(name="logs")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE|-]...")
@click.pass_context
def show_logs(context: click.Context, files: tuple[str, ...]) -> None:
    """Show log files, as they grow and rotate, or what is piped in; nothing else unless --profile names it."""
    from click.core import ParameterSource

    from tui.cli.launch import launch
    from tui.wishes import Wishes

    root = context.find_root()
    given = root.params
    # A variable in the environment is no reason to dial a whole environment for a file.
    is_meant = root.get_parameter_source("profile") is ParameterSource.COMMANDLINE
    logs = (*given["logs"], *files)
    if not logs and sys.stdin.isatty():
        raise click.UsageError("which logs? Name files, or pipe something into opstui")
    wishes = Wishes(given["read_only"], given["share"], given["refresh"], logs=logs)
    context.exit(launch(given["profile"] if is_meant else None, wishes, given["scenario"]))


@opstui.group()
def profile() -> None:
    """List, show, check and create profiles."""


@profile.command(name="list")
def list_profiles() -> None:
    """The profiles that --profile finds by name."""
    from tui.cli.profiles_page import table

    click.echo(table())


@profile.command()
@click.argument("name", type=ProfileName(), metavar="NAME|PATH")
def show(name: str) -> None:
    """A profile with everything it inherits; secrets stay references."""
    from tui.cli.profiles_page import effective

    click.echo(effective(_loaded(name)))


@profile.command()
@click.argument("names", type=ProfileName(), metavar="[NAME|PATH]...", nargs=-1)
def validate(names: tuple[str, ...]) -> None:
    """Every mistake of the profiles, with its line; of all profiles when none is given."""
    from profiles.loader import load
    from profiles.problems import ProfileError
    from profiles.search import known_profiles

    wrong = False
    for name in names or tuple(found.name for found in known_profiles()):
        try:
            load(name)
        except ProfileError as error:
            wrong = True
            _tell_problems(error)
        else:
            click.echo(f"{name}: ok")
    if wrong:
        sys.exit(_USAGE)


@profile.command()
def schema() -> None:
    """The format as JSON Schema, for editors."""
    import json

    from profiles.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@profile.command()
@click.argument("name")
def new(name: str) -> None:
    """Write a commented profile of your own to start from."""
    from tui.cli.profiles_page import create

    path = create(name)
    click.echo(f"{path}\nEdit it, then: opstui profile validate {name}")


@profile.command()
@click.argument("name", type=ProfileName(), required=False, metavar="[NAME|PATH]")
@click.option(
    "--profile", "option", type=ProfileName(), metavar="NAME|PATH", help="The same; else as for opstui itself."
)
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.pass_context
def pin(context: click.Context, name: str | None, option: str | None, yes: bool) -> None:
    """Write down which systems answer: where another one answers later, nothing is changed.

    Exit status 1 when a system did not answer or the profile was not written.
    """
    from tui.cli.pin_page import pin as write_pins

    if name and option and name != option:
        raise click.UsageError("which profile? Name one only")
    meant = _profile_meant(context, context.command.params[0], name or option)
    context.exit(write_pins(_loaded(meant), meant, yes=yes))


def _profile_meant(context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    name = value or context.find_root().params.get("profile")
    if name is None:
        raise click.UsageError("which profile? Use --profile NAME or $OPSTUI_PROFILE")
    return str(name)


_Since: Final = click.option("--since", metavar="90m|TIME", callback=_since, help="Only from then on.")
OfProfile: Final = click.option(
    "--profile", "name", type=ProfileName(), callback=_profile_meant, metavar="NAME|PATH",
    help="Whose; else as for opstui itself.",
)  # fmt: skip


@opstui.group()
def audit() -> None:
    """The journal: who asked for which change, what was sent, and what became of it."""


@audit.command(name="show")
@OfProfile
@_Since
def show_audit(name: str, since: float | None) -> None:
    """The journal for the eye, oldest first."""
    from tui.cli.audit_page import later, line

    with _journal_errors():
        for entry in later(_journal(name).entries(), since):
            click.echo(line(entry))


@audit.command()
@OfProfile
@_Since
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
def export(name: str, since: float | None, form: str) -> None:
    """The journal for other programs; JSON lines hold everything."""
    from tui.cli.audit_page import csv_text, json_lines, later

    with _journal_errors():
        entries = later(_journal(name).entries(), since)
        if form == "csv":
            click.echo(csv_text(entries), nl=False)
        else:
            for text in json_lines(entries):
                click.echo(text)


@audit.command()
@OfProfile
def verify(name: str) -> None:
    """Whether the journal still is as it was written. Exit status 1 when it is not."""
    from tui.cli.audit_page import verdict_words
    from tui.journal.chain import verified

    journal = _journal(name)
    with _journal_errors():
        verdict = verified(journal.lines())
    click.echo(verdict_words(verdict, str(journal.path)))
    if not verdict.is_intact:
        sys.exit(1)


@opstui.command()
@click.option("--markdown", is_flag=True, help="As a Markdown table.")
def actions(markdown: bool) -> None:
    """Everything that can be changed: risk, way back, identity in the write, command, verification."""
    from tui.actions.catalogue import pages, promises, table

    click.echo(table(promises()) if markdown else pages(promises()))


@opstui.command()
@OfProfile
@click.option("--since", default="90m", show_default=True, metavar="90m|TIME", callback=_since, help="From when on.")
@click.option("-o", "--output", type=click.Path(), metavar="FILE", help="Where to; standard output when left out.")
def report(name: str, since: float, output: str | None) -> None:
    """The incident report as Markdown: timeline, actions, notes, pins."""
    from tui.cli.report_page import write

    write(name, since, output)


@opstui.command()
def info() -> None:
    """Where opstui's files are, and what it runs on."""
    from tui.cli.info_page import page

    click.echo(page())


@opstui.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Shell code that completes commands, options and profiles.

    \b
    bash   eval "$(opstui completion bash)"             in ~/.bashrc
    zsh    eval "$(opstui completion zsh)"              in ~/.zshrc
    fish   opstui completion fish > ~/.config/fish/completions/opstui.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:  # click knows all three
        raise click.ClickException(f"no completion for {shell}")
    click.echo(kind(opstui, {}, "opstui", "_OPSTUI_COMPLETE").source())


@contextlib.contextmanager
def _journal_errors() -> Iterator[None]:
    from tui.journal import JournalError

    try:
        yield
    except JournalError as error:
        raise click.ClickException(str(error)) from None


def _journal(name: str) -> "Journal":
    from tui.journal.place import journal_of

    return journal_of(_loaded(name).profile)


def _loaded(name: str) -> "Loaded":
    from profiles.loader import load
    from profiles.problems import ProfileError

    try:
        return load(name)
    except ProfileError as error:
        _tell_problems(error)
        sys.exit(_USAGE)


def _tell_problems(error: Exception) -> None:
    click.echo(str(error), err=True)
