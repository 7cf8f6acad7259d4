"""Profiles on plain standard output: the list, one with all it inherits, a choice, a new one."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import click

from profiles.loader import Loaded, load
from profiles.places import SHIPPED, config_folder, make_private
from profiles.problems import ProfileError, visible
from profiles.search import EXAMPLE, NAME, Found, known_profiles

_SCHEMA = "profile.schema.json"


def table() -> str:
    """Return the profiles that a name finds: name, environment, where, and whether something is wrong."""
    return "\n".join(_lines(known_profiles()))


def _lines(found: tuple[Found, ...]) -> list[str]:
    rows = [(profile.name, _environment(profile), visible(str(profile.path))) for profile in found]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return [f"{name:{widths[0]}}  {environment:{widths[1]}}  {path}" for name, environment, path in rows]


def _environment(found: Found) -> str:
    try:
        return load(found.name).profile.environment
    except ProfileError as error:
        count = len(error.problems)
        return f"{count} problem{'s' if count > 1 else ''}"


def effective(loaded: Loaded) -> str:
    """Return a profile with all it inherits as YAML, the files it came from above it."""
    import yaml

    shown: dict[str, Any] = loaded.profile.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"extends"}, exclude_defaults=True
    )
    shown = {"name": loaded.profile.name, "environment": loaded.profile.environment, **shown}
    heading = "\n".join(f"# {visible(str(path))}" for path in loaded.files)
    return f"{heading}\n{yaml.safe_dump(shown, sort_keys=False, allow_unicode=True).rstrip()}"


def choose() -> str | None:
    """Ask which profile, on the plain terminal; None, with the list said, where nobody can answer."""
    found = known_profiles()
    lines = _lines(found)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo("opstui: which profile? Use --profile NAME or $OPSTUI_PROFILE; there are", err=True)
        click.echo("\n".join(f"  {line}" for line in lines), err=True)
        return None
    click.echo("\n".join(f"{number:3}  {line}" for number, line in enumerate(lines, 1)))
    names = [profile.name for profile in found]
    while True:
        answer = click.prompt("Profile (number or name)", prompt_suffix=": ").strip()
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        if answer in names:
            return str(answer)
        click.echo(f"a number from 1 to {len(names)}, or a name from the list; Ctrl+C leaves")


def create(name: str) -> Path:
    """Write the commented example as a profile of this user's own; return its path.

    Raises:
        click.ClickException: not a name, one of that name is there already, or it cannot be written.
    """
    if not NAME.fullmatch(name):
        raise click.UsageError("a profile's name has letters, digits, `.`, `_` and `-`")
    folder = config_folder() / "profiles"
    path = folder / f"{name}.yaml"
    example = (SHIPPED / f"{EXAMPLE}.yaml").read_text(encoding="utf-8")
    text = f"# yaml-language-server: $schema={_SCHEMA}\n" + re.sub(r"(?m)^# name: .*$", f"name: {name}", example)
    try:
        make_private(folder)
        _write_new(path, text)
        (folder / _SCHEMA).write_text((SHIPPED / _SCHEMA).read_text(encoding="utf-8"), encoding="utf-8")
    except FileExistsError:
        raise click.UsageError(f"{path} is there already") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or path}: {error.strerror}") from None
    return path


def _write_new(path: Path, text: str) -> None:
    # Exclusive: never over a profile that somebody wrote.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
