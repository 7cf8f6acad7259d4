"""A proxy in front of a server's unix socket that loses a request, or the answer to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path


class Lossy:
    """Cuts the line at the request with a certain word in it.

    Args:
        target: the server's socket.
        word: what must stand in the request.
        answer_only: let the request through, and cut when its answer comes.
        later: the request that counts is so many after the one with the word (a statement is parsed before it runs).
    """

    def __init__(self, target: str, word: bytes, *, answer_only: bool = False, later: int = 0) -> None:
        self._target = target
        self._word = word
        self._answer_only = answer_only
        self._later = later
        self._countdown: int | None = None
        self._is_losing = False
        self.seen = 0
        """How many requests with the word came."""
        self._connections: set[asyncio.Task[None] | None] = set()

    @contextlib.asynccontextmanager
    async def at(self, path: Path) -> AsyncIterator["Lossy"]:
        """Listen at a socket until the block ends."""
        server = await asyncio.start_unix_server(self._serve, path)
        async with server:
            yield self
        await asyncio.wait([task for task in self._connections if task] or [asyncio.create_task(asyncio.sleep(0))])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(asyncio.current_task())
        self._is_losing, self._countdown = False, None
        there_reader, there_writer = await asyncio.open_unix_connection(self._target)
        pumps = [asyncio.create_task(self._there(reader, there_writer)),
                 asyncio.create_task(self._back(there_reader, writer))]  # fmt: skip
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for end in (writer, there_writer):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self._word in data:
                self.seen += 1
                self._countdown = self._later
            elif self._countdown:
                self._countdown -= 1
            if self._countdown == 0:
                if not self._answer_only:
                    return
                self._is_losing = True
            writer.write(data)
            await writer.drain()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self._is_losing:
                return
            writer.write(data)
            await writer.drain()
