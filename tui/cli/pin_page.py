"""`opstui profile pin`: who answers now, beside what the profile pins, and the profile's file written anew."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from profiles.identity import Identity
from profiles.loader import Loaded, load
from profiles.problems import ProfileError, visible
from profiles.rewriting import CannotWriteError, ProfileFile
from profiles.schema import Profile
from profiles.yaml_edit import CannotEditError, has_comment, section_text, with_section
from tui import pins
from tui.pins import Finding, Pin
from tui.sources.errors import SourceError, Unreachable
from tui.sources.kubernetes import KubernetesSource
from tui.sources.reading import Source
from tui.sources.trait import Identified, Trait
from tui.systems import systems_of

WRITTEN: Final = 0
INCOMPLETE: Final = 1
"""A system did not answer, a pin could not be verified, or the file was not written."""
_SECTIONS: Final = {"kubernetes": "clusters", "database": "postgres", "redis": "redis"}
"""Where a system with a name of its own is pinned, by its kind."""
_ANSWER_S: Final = 20.0
_KEY: Final = "identity"
_COMMENT: Final = (
    "By what the systems are known: `opstui profile pin` writes it; where another one answers, nothing is changed."
)

Traits = Mapping[str, Trait]
Answers = Mapping[str, Traits | SourceError]
"""By the source's name: by what the system is known, or why it did not answer."""


def pin(loaded: Loaded, name: str, *, yes: bool) -> int:
    """Show who answers, ask, and write the pins into the profile's own file. Returns the exit status.

    Args:
        loaded: the profile, checked.
        name: what it was asked for by; it is loaded again when it is written.
        yes: write without asking.

    Raises:
        click.UsageError: the profile is the sandbox's.
    """
    profile = loaded.profile
    if profile.environment == "sandbox":
        raise click.UsageError("the sandbox makes its systems anew at each start: there is nothing to pin")
    try:
        file: ProfileFile | CannotWriteError = ProfileFile.at(loaded.files[0])
    except CannotWriteError as error:
        file = error
    answers = asyncio.run(asked(profile))
    if not answers:
        click.echo(f"{profile.name} has no cluster, no database and no Redis: there is nothing to pin")
        return WRITTEN
    click.echo("\n".join(table(profile.identity, answers)))
    unsure = list(_unsure(profile.identity, answers))
    click.echo("".join(f"\n{sentence}" for sentence in unsure), nl=bool(unsure))
    status = INCOMPLETE if unsure else WRITTEN
    section = renewed(profile.identity, answers)
    if Identity.model_validate(section) == profile.identity:
        click.echo(f"\n{'' if unsure else f'{profile.name} pins what answers: '}there is nothing to write")
        return status
    return max(status, _write(file, section, loaded, name, yes=yes))


async def asked(profile: Profile) -> Answers:
    """Ask every system of a profile that can be pinned, all at the same time."""
    sources = [source for source in systems_of(profile).sources if source.name.partition(":")[0] in _SECTIONS]
    answers = await asyncio.gather(*map(_asked, sources))
    return {source.name: answer for source, answer in zip(sources, answers, strict=True)}


async def _asked(source: Source[Any]) -> Traits | SourceError:
    try:
        async with asyncio.timeout(_ANSWER_S):
            # A cluster is asked for its name only: its first reading would list every pod.
            found: Any = await (source.identify() if isinstance(source, KubernetesSource) else source.read())
    except SourceError as error:
        return error
    except TimeoutError:
        return Unreachable(f"no answer within {_ANSWER_S:g} s")
    finally:
        await source.close()
    return {trait.key: trait for trait in found.traits()} if isinstance(found, Identified) else {}


def renewed(identity: Identity, answers: Answers) -> dict[str, Any]:
    """Return the section that pins what answers now, as plain values.

    A system that is pinned already stays pinned by the same facts, at their new values, for somebody may have chosen
    them; any other is pinned by all that last. What did not answer, or cannot be verified, stays as it was.
    """
    section: dict[str, Any] = {}
    before: dict[str, dict[str, str | int]] = {}
    for pin in pins.pins(identity):
        before.setdefault(pin.source, {})[pin.key] = pin.value
    for source, answer in answers.items():
        old = before.get(source, {})
        chosen = old if isinstance(answer, SourceError) else _chosen(old, answer)
        if chosen:
            kind, _, name = source.partition(":")
            if kind == "kubernetes" and not name:
                section["kubernetes"] = chosen
            else:
                section.setdefault(_SECTIONS[kind], {})[name] = chosen
    return section


def _chosen(old: Mapping[str, str | int], traits: Traits) -> dict[str, str | int]:
    lasting = {key: trait.value for key, trait in traits.items() if trait.lasts and trait.value is not None}
    kept: dict[str, str | int] = {}
    for key, value in old.items():
        trait = traits.get(key)
        if trait is None or trait.value in (None, value):
            kept[key] = value
        elif trait.lasts and trait.value is not None:
            kept[key] = trait.value
        else:  # what it was known by is no longer there: a server that has moved to a socket
            return lasting
    return kept or lasting


def table(identity: Identity, answers: Answers) -> Iterator[str]:
    """Yield the lines that show what is pinned and what answers, system by system."""
    pinned = {(pin.source, pin.key): pin for pin in pins.pins(identity)}
    rows = [("system", "what", "pinned", "now")]
    for source, answer in answers.items():
        system = visible(pins.system_words(source))
        if isinstance(answer, SourceError):
            old = [(pins.key_words(pin.key), pins.shown(pin.value)) for pin in pinned.values() if pin.source == source]
            rows += [(system, *(old or [("", "-")])[0], f"NO ANSWER: {answer}")]
            rows += [("", what, value, "") for what, value in old[1:]]
            continue
        of_system = [row for trait in answer.values() if (row := _row(pinned.get((source, trait.key)), trait))]
        rows += [(system if number == 0 else "", *row) for number, row in enumerate(of_system)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for *cells, last in rows:
        yield "  ".join([*(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)), last]).rstrip()


def _row(pin: Pin | None, trait: Trait) -> tuple[str, str, str] | None:
    if pin is None and not trait.lasts:
        return None
    what = pins.key_words(trait.key)
    now = f"not readable: {trait.missing}" if trait.value is None else pins.shown(trait.value)
    if pin is None:
        return what, "-", now
    # Said once where it is the same: two UIDs beside each other do not fit into 80 columns.
    compared = "same" if trait.value == pin.value else now if trait.value is None else f"DIFFERS: {now}"
    return what, pins.shown(pin.value), compared


def _unsure(identity: Identity, answers: Answers) -> Iterator[str]:
    """Yield what could not be found out, and what that means for the pins."""
    for source, answer in answers.items():
        if isinstance(answer, SourceError):
            yield f"{pins.system_words(source)} did not answer: its pins stay as they were"
    for pin in pins.pins(identity):
        answer = answers[pin.source]
        if isinstance(answer, SourceError):
            continue
        finding = pins.compared(pin, answer.get(pin.key))
        if finding is not None and not finding.is_mismatch:
            yield f"{pins.system_words(pin.source)}: {pins.key_words(pin.key)} stays as it was, {finding.why}"


def _mismatches(identity: Identity, answers: Answers) -> list[Finding]:
    found = (
        pins.compared(pin, answer.get(pin.key))
        for pin in pins.pins(identity)
        if not isinstance(answer := answers[pin.source], SourceError)
    )
    return [finding for finding in found if finding is not None and finding.is_mismatch]


def _write(
    file: ProfileFile | CannotWriteError, section: Mapping[str, Any], loaded: Loaded, name: str, *, yes: bool
) -> int:
    if isinstance(file, CannotWriteError):
        return _paste(section, f"it cannot be written: {file}", INCOMPLETE)
    try:
        text = with_section(file.text, _KEY, section, _COMMENT)
    except CannotEditError as error:
        return _paste(section, f"{file.path} cannot be edited by a program: {error}", INCOMPLETE)
    if not yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return _paste(section, f"nothing was written: nobody can be asked here; --yes writes it into {file.path}")
        if has_comment(file.text, _KEY):
            click.echo(f"\nComments inside the section {_KEY} are not kept.")
        if not click.confirm(f"\nIs this really {loaded.profile.name}? Write it into {visible(str(file.path))}?"):
            click.echo("nothing was written")
            return INCOMPLETE
    try:
        written = file.write(text)
    except CannotWriteError as error:
        return _paste(section, f"nothing was written: {error}", INCOMPLETE)
    if reason := _wrong(name, section):
        written.write(file.text)
        return _paste(section, f"the old content is back, since the new could not be used: {reason}", INCOMPLETE)
    click.echo(f"written: {visible(str(file.path))}")
    return WRITTEN


def _wrong(name: str, section: Mapping[str, Any]) -> str:
    """Return why the profile as it is on disk does not pin what it should; empty when it does."""
    try:
        found = load(name).profile.identity
    except ProfileError as error:
        return str(error)
    same = found == Identity.model_validate(section)
    return "" if same else "it inherits pins from another profile that do not fit; edit them there"


def _paste(section: Mapping[str, Any], reason: str, status: int = WRITTEN) -> int:
    click.echo(f"\n{section_text(_KEY, section)}")
    click.echo(visible(reason), err=True)
    return status
