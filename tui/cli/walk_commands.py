"""`opstui walk` and its commands, as click sees them. What they do is imported when they run."""

import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from tui.cli.commands import OfProfile, ScenarioName

_USAGE = 3


class WalkName(click.ParamType[str]):
    """A checklist's or runbook's name, completed from what ships; or a path."""

    name = "walk"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the names that begin so."""
        from tui.walkthroughs.loading import shipped

        names = (*shipped("checklist"), *shipped("runbook"))
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _duration(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    from profiles.values import seconds

    try:
        return seconds(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.group()
def walk() -> None:
    """Checklists and runbooks: what there is, a run that nobody attends, its report."""


@walk.command(name="list")
@OfProfile
def list_walks(name: str) -> None:
    """The checklists and runbooks of a profile, when they were walked last, and what is due."""
    from tui.cli.walk_pages import profile_of, table

    text, wrong = table(profile_of(name))
    click.echo(text)
    if wrong:
        click.echo("\n".join(map(str, wrong)), err=True)
        sys.exit(_USAGE)


@walk.command()
@OfProfile
@click.argument("names", type=WalkName(), metavar="[NAME|FILE]...", nargs=-1)
def validate(name: str, names: tuple[str, ...]) -> None:
    """Every mistake of checklists and runbooks, with its line; of all of the profile's when none is given."""
    from tui.cli.walk_pages import problems

    good, wrong = problems(name, names)
    if wrong:
        click.echo("\n".join(map(str, wrong)), err=True)
        sys.exit(_USAGE)
    click.echo(f"{good} ok")


@walk.command()
@OfProfile
@click.argument("walk_name", type=WalkName(), metavar="NAME")
@click.option("--about", metavar="NAME", help="The service, workload or database it is about.")
@click.option(
    "--auto", is_flag=True, help="Take what needs nobody; for cron. Exit status: 0, 1 warning, 2 failed, 3 unknown."
)
@click.option(
    "--watch", default="5s", show_default=True, callback=_duration, help="How long to watch before the first step."
)
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(), metavar="FILE", help="Where the report goes; else it is kept with the others."
)
@click.option("--scenario", type=ScenarioName(), metavar="NAME", help="What the sandbox plays: --profile demo only.")
def run(name: str, walk_name: str, about: str | None, auto: bool, **options: Any) -> None:
    """Walk a checklist or runbook: on the screen, or with --auto what needs nobody."""
    from tui.cli.launch import launch, with_profile
    from tui.wishes import Wishes

    if not auto:
        if not sys.stdout.isatty():
            raise click.UsageError("walking needs a terminal; what needs nobody is taken with --auto")
        sys.exit(launch(name, Wishes(walk=walk_name, about=about or ""), options["scenario"]))
    from tui.cli.walk_pages import run_automatically

    sys.exit(
        with_profile(
            name,
            options["scenario"],
            lambda profile: run_automatically(
                profile, walk_name, about, options["watch"], options["output"], options["form"]
            ),
        )
    )


@walk.command()
@OfProfile
@click.argument("asked", metavar="NAME|RUN")
@click.option("-o", "--output", type=click.Path(), metavar="FILE", help="Where to; standard output when left out.")
def report(name: str, asked: str, output: str | None) -> None:
    """The report of a run as Markdown: by its id, or the newest of a checklist's or runbook's."""
    from tui.cli.walk_pages import report as write

    write(name, asked, output)


@walk.command()
def schema() -> None:
    """The format of checklists and runbooks as JSON Schema, for editors."""
    import json

    from tui.walkthroughs.format import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
