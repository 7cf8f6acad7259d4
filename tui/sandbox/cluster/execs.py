"""The `/exec` subresource of pods: a program in a container, its streams as the channels of a WebSocket."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from functools import partial

from aiohttp import WSMsgType, web

from tui.sandbox.cluster.channels import container_end, running_pod, strike_open, upgraded
from tui.sandbox.cluster.containers import inside
from tui.sandbox.cluster.faults import Fault
from tui.sandbox.cluster.problems import bad_request
from tui.sandbox.cluster.programs import Container, Run, Terminal, find, status_object
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.store import Store
from tui.sandbox.cluster.usage import Usage

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_KILLED = 137


class Execs:
    """Runs the simulated programs of containers for whoever may."""

    def __init__(self, store: Store, usage: Usage) -> None:
        self._store = store
        self._usage = usage
        self._terminals: list[Terminal] = []
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        """What ran so far: NAMESPACE/POD/CONTAINER, and the arguments."""

    @property
    def open(self) -> int:
        """How many programs run now."""
        return len(self._terminals)

    @property
    def sizes(self) -> set[tuple[int, int]]:
        """Columns and rows of the terminals whose programs run now."""
        return {terminal.size for terminal in self._terminals if terminal.is_tty}

    async def answer(self, call: Call, fault: Fault | None) -> web.StreamResponse:
        """Run one program until it ends, its container ends, or the client leaves.

        Raises:
            ApiError: as `running_pod` and `upgraded` say; 400, no program is named.
        """
        pod, name = running_pod(call, self._store)
        arguments = call.http.query.getall("command", [])
        if not arguments:
            raise bad_request("you must specify at least 1 command for the container")
        socket = await upgraded(call, PROTOCOLS)
        channels = _Channels(socket, is_tty=_is_set(call, "tty"), is_fed=_is_set(call, "stdin"))
        self._terminals.append(channels.terminal)
        self.seen.append((f"{call.namespace}/{call.name}/{name}", tuple(arguments)))
        try:
            with container_end(self._store, pod, name) as ended:
                container = inside(self._store, self._usage, pod, name)
                now = partial(self._store.clock.now().strftime, "%a %b %e %H:%M:%S UTC %Y")
                work = asyncio.create_task(_run(Run(arguments, container, channels.terminal, now), container))
                reading = asyncio.create_task(channels.read())
                ending = asyncio.create_task(ended.wait())
                striking = asyncio.create_task(strike_open(call, fault))
                tasks = (work, reading, ending, striking)
                try:
                    await channels.serve(*tasks)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._terminals.remove(channels.terminal)
        return socket


class _Channels:
    """One WebSocket with a program's streams on it."""

    def __init__(self, socket: web.WebSocketResponse, *, is_tty: bool, is_fed: bool) -> None:
        self._socket = socket
        self._typed: asyncio.Queue[bytes] = asyncio.Queue()
        if not is_fed:
            self._typed.put_nowait(b"")
        errors = _STDOUT if is_tty else _STDERR
        self.terminal = Terminal(self._next, partial(self._send, _STDOUT), partial(self._send, errors), is_tty)

    async def _next(self) -> bytes:
        content = await self._typed.get()
        if not content:
            self._typed.put_nowait(b"")  # the end stays the end
        return content

    async def _send(self, channel: int, content: bytes) -> None:
        with suppress(ConnectionError):  # the client left; whoever reads sees it
            await self._socket.send_bytes(bytes([channel]) + content)

    async def read(self) -> None:
        """Take in what the client sends until it leaves."""
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY or not message.data:
                continue
            channel, content = message.data[0], message.data[1:]
            if channel == _STDIN and content:
                self._typed.put_nowait(content)
            elif channel == _RESIZE:
                with suppress(ValueError, KeyError, TypeError):
                    size = json.loads(content)
                    self.terminal.size = (int(size["Width"]), int(size["Height"]))
            elif channel == _CLOSE and content == bytes([_STDIN]):
                self._typed.put_nowait(b"")

    async def serve(
        self,
        work: asyncio.Task[int | str],
        reading: asyncio.Task[None],
        ending: asyncio.Task[bool],
        striking: asyncio.Task[None],
    ) -> None:
        """Wait for the first end, and tell the client how the program ended."""
        done, _ = await asyncio.wait((work, reading, ending, striking), return_when=asyncio.FIRST_COMPLETED)
        if reading in done or striking in done:
            return
        result = await work if work in done else _KILLED
        if isinstance(result, str):
            told = {"metadata": {}, "status": "Failure", "message": result, "reason": "InternalError", "code": 500}
        else:
            told = status_object(result)
        await self._send(_ERROR, json.dumps(told).encode())
        await self._socket.close()


async def _run(run: Run, container: Container) -> int | str:
    """Return a program's exit status, or why it could not be started."""
    program = find(run.arguments, container)
    if program is None:
        name = run.arguments[0]
        return (
            "Internal error occurred: error executing command in container: failed to exec in container: failed to "
            'start exec "sandbox": OCI runtime exec failed: exec failed: unable to start container process: exec: '
            f'"{name}": executable file not found in $PATH: unknown'
        )
    return await program(run)


def _is_set(call: Call, name: str) -> bool:
    return call.query.get(name, "") in ("true", "1")
