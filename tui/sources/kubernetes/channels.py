"""A WebSocket of the API server with numbered channels on it: every message begins with its channel's number."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tui.sources.errors import Unreachable
from tui.sources.kubernetes.connection import Connection, Query
from tui.sources.text import clean


class Channels:
    """One open WebSocket."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    @property
    def protocol(self) -> str:
        """What was agreed on: `v5.channel.k8s.io`."""
        return str(self._socket.protocol)

    async def send(self, channel: int, content: bytes) -> None:
        """Send bytes on a channel. Raises Unreachable when the connection is gone."""
        try:
            await self._socket.send_bytes(bytes([channel]) + content)
        except OSError as error:
            raise Unreachable("the connection to the pod was cut") from error

    async def receive(self) -> tuple[int, bytes] | None:
        """Return the next channel and its bytes; None when the server has closed in order. Raises Unreachable."""
        import aiohttp

        while True:
            message = await self._socket.receive()
            match message.type:
                case aiohttp.WSMsgType.BINARY | aiohttp.WSMsgType.TEXT:
                    raw = message.data if isinstance(message.data, bytes) else message.data.encode()
                    if raw:
                        return raw[0], raw[1:]
                case aiohttp.WSMsgType.CLOSE if message.data in (None, 0, 1000, 1001, 1005):
                    return None
                case aiohttp.WSMsgType.CLOSE:
                    words = clean(str(message.extra or ""), limit=200)
                    raise Unreachable(f"the server closed the connection to the pod: {words or message.data}")
                case aiohttp.WSMsgType.ERROR | aiohttp.WSMsgType.CLOSED | aiohttp.WSMsgType.CLOSING:
                    raise Unreachable("the connection to the pod was cut")


@asynccontextmanager
async def channels(
    connection: Connection, path: str, query: Query, protocols: Sequence[str], *, opening: int | None = None
) -> AsyncGenerator[Channels, None]:
    """Open a WebSocket and close it afterwards; raises as `Connection.websocket` does."""
    async with connection.websocket(path, query, protocols, opening=opening) as socket:
        yield Channels(socket)
