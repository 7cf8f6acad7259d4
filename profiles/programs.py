"""Programs that a profile names: run without a shell, cut off from the terminal, ended with their whole group."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_CHUNK: Final = 64 * 1024
_FAREWELL_S: Final = 1.0


class ProgramError(Exception):
    """It could not be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended."""

    status: int | None
    """Its exit code; negative: the signal that ended it. None: it said too much, and we ended it."""
    output: bytes
    """What it said: the beginning or the end of it, at most as much as was asked for."""


async def run(
    command: Sequence[str],
    *,
    timeout_s: float,
    typed: bytes = b"",
    most: int,
    keeps_end: bool = False,
    begun: Callable[[int], None] = lambda pid: None,
    heard: Callable[[bytes], None] = lambda data: None,
) -> Finished:
    """Run a program to its end and return what it said on standard output.

    Args:
        command: program and arguments.
        timeout_s: after which it is ended, with everything it has started.
        typed: what it gets on standard input.
        most: bytes of output; one that says more is ended. 0 reads none.
        keeps_end: whether the end of all it says is kept instead, with its standard error among it.
        begun: told its process id, which is that of its group too, once it runs.
        heard: told what it says, as it comes.

    Raises:
        ProgramError: it cannot be started.
        TimeoutError: it had not ended in time.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if typed else asyncio.subprocess.DEVNULL,
            # Nothing is asked of what nobody reads: a child left behind would hold it open.
            stdout=asyncio.subprocess.PIPE if most else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.STDOUT if keeps_end else asyncio.subprocess.DEVNULL,
            start_new_session=True,  # cut off from our terminal: a prompt there would garble the screen and eat keys
        )
    except (OSError, ValueError) as error:
        raise ProgramError(getattr(error, "strerror", None) or "it cannot be started") from None
    try:
        begun(process.pid)
        async with asyncio.timeout(timeout_s):
            reading = _read(process.stdout, most, keeps_end, heard)
            _, output = await asyncio.gather(_type(process.stdin, typed), reading)
            if len(output) > most:
                return Finished(None, output)
            return Finished(await process.wait(), output)
    finally:
        if process.returncode is None:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # asyncio knows of its end once its output was read to the end; who has left its group may hold that open for ever.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL_S):
            while process.stdout is not None and await process.stdout.read(_CHUNK):
                pass
            await process.wait()


async def _type(stream: asyncio.StreamWriter | None, typed: bytes) -> None:
    if stream is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it does not want to hear it
            stream.write(typed)
            await stream.drain()
        stream.close()


async def _read(
    stream: asyncio.StreamReader | None, most: int, keeps_end: bool, heard: Callable[[bytes], None]
) -> bytes:
    kept = b""
    while stream is not None and len(kept) <= most and (data := await stream.read(_CHUNK)):
        heard(data)
        kept = (kept + data)[-most:] if keeps_end else kept + data
    return kept
