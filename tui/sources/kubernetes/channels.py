"""A WebSocket of the API server with numbered channels on it: every message begins with its channel's number."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from tui.sources.errors import Unreachable, Unreadable
from tui.sources.kubernetes.connection import Connection, Query
from tui.sources.kubernetes.refusal import REFUSED, Refusal
from tui.sources.text import clean

_UPGRADE_S: Final = 10.0
_PING_S: Final = 15.0
"""A WebSocket is asked so often whether the other end lives; half as long without an answer, and it counts as cut."""
_FAREWELL_S: Final = 0.5


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
    """Lend a WebSocket that speaks one of `protocols`; closed afterwards, without waiting for the server.

    `opening` as in `Connection.call`.

    Raises:
        ConnectFailed: certainly nothing began.
        SourceError: the server refused it, or something between us cannot do WebSockets.
    """
    await connection.open()
    with connection.translated():
        import aiohttp

        session, url, headers, found = await connection.upgrading(path, query, opening=opening)
        refusal = Refusal()
        REFUSED.set(refusal)
        try:
            async with asyncio.timeout(_UPGRADE_S):
                socket = await session.ws_connect(
                    url,
                    headers=headers,
                    protocols=protocols,
                    heartbeat=_PING_S,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_FAREWELL_S),
                    proxy=found.proxy,
                    server_hostname=found.tls_server_name,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise connection.not_upgraded(error.status, refusal.body) from error
        # aiohttp knows no public way to it; it would leave TLS's farewell to a peer that may be gone.
        transport = socket._response.connection.transport
        try:
            if socket.protocol not in protocols:
                raise Unreadable(f"the server agreed to none of {', '.join(protocols)}")
            yield Channels(socket)
        finally:
            try:
                await socket.close()
            finally:
                transport.abort()
