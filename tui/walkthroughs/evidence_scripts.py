"""What a profile's program says by its exit code, as evidence."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from typing import Final

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
    elif site.profile.environment == "sandbox":
        yield Fact(name, "", Mark.SKIPPED, detail="the sandbox runs no program of yours")
    else:
        yield await _run(name, found, site)


async def _run(name: str, script: Script, site: Site) -> Fact:
    try:
        process = await asyncio.create_subprocess_exec(
            *script.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return Fact(name, "", Mark.UNKNOWN, detail=f"{script.command[0]}: {error.strerror}")
    try:
        async with asyncio.timeout(script.timeout):
            output = await _output(process)
            code = await process.wait()
    except TimeoutError:
        return Fact(name, "", Mark.UNKNOWN, detail=f"not finished within {script.timeout:g} s: ended")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    mark = Mark.PASSED if code == 0 else Mark.WARNING if code in script.warn_codes else Mark.FAILED
    said = next((line for line in reversed(output.splitlines()) if line.strip()), "")
    return Fact(name, f"exit code {code}", mark, "exit code 0", site.now(), clean(said.strip(), limit=200))


async def _output(process: asyncio.subprocess.Process) -> str:
    """Return the end of what a program says; what comes before is let go, so that none of it piles up."""
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    kept = b""
    while data := await process.stdout.read(8192):
        kept = (kept + data)[-_OUTPUT_BYTES:]
    return kept.decode("utf-8", "replace")
