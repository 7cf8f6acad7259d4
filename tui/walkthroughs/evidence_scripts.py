"""What a profile's program says by its exit code, as evidence."""

from collections.abc import AsyncIterator
from typing import Final

from profiles import programs
from profiles.people import Script
from tui.sources.text import clean
from tui.walkthroughs.judging import Asked
from tui.walkthroughs.run import Fact, Mark
from tui.walkthroughs.site import Site

_OUTPUT_BYTES: Final = 64 * 1024


async def script(asked: Asked, site: Site) -> AsyncIterator[Fact]:
    """Run the program and yield what its exit code says, with the last line of its output."""
    name = str(asked.condition.script)
    found = site.profile.scripts.get(name)
    if found is None:
        yield Fact(name, "", Mark.UNKNOWN, detail="the profile has no such script")
    elif found.changes:
        yield Fact(name, "", Mark.UNKNOWN, detail="it changes something: only a person runs it, as an action (X)")
    elif site.profile.environment == "sandbox":
        yield Fact(name, "", Mark.SKIPPED, detail="the sandbox runs no program of yours")
    else:
        yield await _run(name, found, site)


async def _run(name: str, script: Script, site: Site) -> Fact:
    try:
        finished = await programs.run(script.command, timeout_s=script.timeout, most=_OUTPUT_BYTES, keeps_end=True)
    except programs.ProgramError as error:
        return Fact(name, "", Mark.UNKNOWN, detail=f"{script.command[0]}: {error}")
    except TimeoutError:
        return Fact(name, "", Mark.UNKNOWN, detail=f"not finished within {script.timeout:g} s: ended")
    code, output = finished.status, finished.output.decode("utf-8", "replace")
    mark = Mark.PASSED if code == 0 else Mark.WARNING if code in script.warn_codes else Mark.FAILED
    said = next((line for line in reversed(output.splitlines()) if line.strip()), "")
    return Fact(name, f"exit code {code}", mark, "exit code 0", site.now(), clean(said.strip(), limit=200))
