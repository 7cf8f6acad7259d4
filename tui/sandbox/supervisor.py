"""The process that owns the sandbox: servers, services, load and scenarios.

It speaks JSON lines: requests on stdin, events on stdout. End-of-file on stdin ends everything, so the
sandbox never outlives the program that started it, not even one killed by SIGKILL. Only `tui.sandbox.stack`
starts it; `python -m tui.sandbox` runs a sandbox by itself.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

from tui.sandbox.errors import SandboxError


class Channel:
    """The pipe pair to the program that started us."""

    def __init__(self) -> None:
        # Whatever a library prints must not get between the events.
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def send(self, event: str, **fields: object) -> None:
        """Send one event; a reader that is gone is not an error, its end-of-file says so."""
        with contextlib.suppress(BrokenPipeError):
            self._out.write(json.dumps({"event": event, **fields}) + "\n")
            self._out.flush()

    async def requests(self) -> asyncio.StreamReader:
        """Return stdin as a stream of lines."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        return reader


async def supervise(channel: Channel) -> int:
    """Run a sandbox until end-of-file or a signal; return the exit status."""
    # Watched from the first moment: a parent that dies while we start ends the start.
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    inbox: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
    reading = asyncio.create_task(_read(await channel.requests(), inbox, over))
    ending = asyncio.create_task(over.wait())
    serving = asyncio.create_task(_serve(channel, inbox))
    await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
    # Cancelled once and for all: whatever arrives from now on must not disturb the cleaning up.
    for task in (serving, ending, reading):
        task.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        return 0
    except SandboxError as error:
        channel.send("fatal", text=str(error))
        return 1
    return 0


async def _read(reader: asyncio.StreamReader, inbox: asyncio.Queue[Mapping[str, Any]], over: asyncio.Event) -> None:
    try:
        while line := await reader.readline():
            with contextlib.suppress(ValueError):
                inbox.put_nowait(json.loads(line))
    finally:
        over.set()


async def _serve(channel: Channel, inbox: asyncio.Queue[Mapping[str, Any]]) -> None:
    # Imported here so that signals and end-of-file are already watched.
    from tui.sandbox.running import RunningSandbox

    began = time.monotonic()
    sandbox = RunningSandbox(
        progress=lambda text: channel.send("progress", text=text),
        scenario_changed=lambda name, failure: channel.send("scenario", name=name, failure=failure),
    )
    try:
        await sandbox.start()
        channel.send(
            "ready", endpoints=sandbox.endpoints, pids=sandbox.pids, seconds=round(time.monotonic() - began, 2)
        )
        while True:
            request = await inbox.get()
            try:
                answer = await sandbox.do(request)
            except SandboxError as error:
                channel.send("refused", id=request.get("id"), text=str(error))
            else:
                channel.send("done", id=request.get("id"), pids=answer)
    finally:
        await sandbox.stop()


def main() -> None:
    """Run the supervisor; the program that starts it holds the other ends of stdin and stdout."""
    sys.exit(asyncio.run(supervise(Channel())))


if __name__ == "__main__":
    main()
