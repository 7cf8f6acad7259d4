"""The `/portforward` subresource of pods: bytes to a port of a pod and back.

Both ways that servers offer: SPDY/3.1 carried in a WebSocket, as kubectl asks for, with many connections in one; and
plain channels, one connection a WebSocket.
"""

from __future__ import annotations

import asyncio
import socket as sockets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from tui.sandbox.cluster.channels import container_end, running_pod, strike_open, upgraded
from tui.sandbox.cluster.faults import Fault
from tui.sandbox.cluster.problems import bad_request
from tui.sandbox.cluster.request import Call
from tui.sandbox.cluster.resources import Object
from tui.sandbox.cluster.spdy import Data, Opened, Reset, Session, SpdyError
from tui.sandbox.cluster.store import Store

TUNNEL = "SPDY/3.1+portforward.k8s.io"
CHANNELS = "v4.channel.k8s.io"
_CHUNK = 32 * 1024
_DATA, _ERROR = 0, 1
_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


class Forwards:
    """Leads to what listens in pods: real servers where some were lent, else a page that says ok."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.backends: dict[tuple[str, str], Mapping[int, Connect]] = {}
        """By namespace and app label: what listens on which port; those a pod's containers declare, otherwise."""
        self.open = 0
        """WebSockets that are open now."""

    async def answer(self, call: Call, fault: Fault | None) -> web.StreamResponse:
        """Forward until the client leaves or the pod ends.

        Raises:
            ApiError: as `running_pod` and `upgraded` say; 400, no port is named.
        """
        pod, name = running_pod(call, self._store)
        socket = await upgraded(call, (TUNNEL, CHANNELS))
        self.open += 1
        try:
            with container_end(self._store, pod, name) as ended:
                work = self._tunnel if socket.ws_protocol == TUNNEL else self._channels
                forwarding = asyncio.create_task(work(call, socket, pod))
                tasks = (forwarding, asyncio.create_task(ended.wait()), asyncio.create_task(strike_open(call, fault)))
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(ConnectionError):
                await socket.close()
        finally:
            self.open -= 1
        return socket

    async def _connect(self, pod: Object, port: int) -> Streams:
        """Return the streams of a port; raises OSError where nothing listens."""
        meta = pod["metadata"]
        lent = self.backends.get((meta["namespace"], (meta.get("labels") or {}).get("app", "")))
        if lent is not None:
            if port not in lent:
                raise ConnectionRefusedError
            return await lent[port]()
        declared = {p.get("containerPort") for c in pod["spec"]["containers"] for p in c.get("ports") or ()}
        if port not in declared:
            raise ConnectionRefusedError
        return await _page()

    def _refusal(self, pod: Object, port: int) -> str:
        meta = pod["metadata"]
        return (
            f"error forwarding port {port} to pod {meta['uid']}, uid : failed to execute portforward in network "
            f'namespace "/var/run/netns/sandbox": failed to connect to localhost:{port} inside namespace '
            f'"{meta["name"]}", IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused'
        )

    async def _channels(self, call: Call, socket: web.WebSocketResponse, pod: Object) -> None:
        ports = call.http.query.getall("ports", [])
        if len(ports) != 1 or not ports[0].isdecimal():
            raise bad_request("one port must be named by ports=")
        port = int(ports[0])
        for channel in (_DATA, _ERROR):
            await socket.send_bytes(bytes([channel]) + port.to_bytes(2, "little"))
        try:
            reader, writer = await self._connect(pod, port)
        except OSError:
            await socket.send_bytes(bytes([_ERROR]) + self._refusal(pod, port).encode())
            return

        async def back() -> None:
            while content := await reader.read(_CHUNK):
                await socket.send_bytes(bytes([_DATA]) + content)
            await socket.close()

        returning = asyncio.create_task(back())
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY and message.data[:1] == bytes([_DATA]):
                    writer.write(message.data[1:])
                    await writer.drain()
        finally:
            returning.cancel()
            writer.close()

    async def _tunnel(self, call: Call, socket: web.WebSocketResponse, pod: Object) -> None:
        tunnel = _Tunnel(socket, lambda port: self._connect(pod, port), lambda port: self._refusal(pod, port))
        with suppress(SpdyError, ConnectionError):
            await tunnel.serve()


@dataclass
class _Pair:
    """What belongs to one forwarded connection."""

    error_stream: int
    data_stream: int = 0
    writer: asyncio.StreamWriter | None = None


class _Tunnel:
    """One SPDY session in a WebSocket."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        connect: Callable[[int], Awaitable[Streams]],
        refusal: Callable[[int], str],
    ) -> None:
        self._socket = socket
        self._connect = connect
        self._refusal = refusal
        self._session = Session()
        self._pairs: dict[str, _Pair] = {}
        """By the number kubectl gives each connection."""
        self._by_stream: dict[int, _Pair] = {}
        self._returning: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Carry connections until the client leaves."""
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    for event in self._session.feed(message.data):
                        await self._take(event)
                    await self._flush()
        finally:
            for task in self._returning:
                task.cancel()
            for pair in self._pairs.values():
                if pair.writer is not None:
                    pair.writer.close()

    async def _flush(self) -> None:
        if self._session.outgoing:
            content = bytes(self._session.outgoing)
            self._session.outgoing.clear()
            await self._socket.send_bytes(content)

    async def _take(self, event: Opened | Data | Reset) -> None:
        match event:
            case Opened(stream, headers):
                self._session.accept(stream)
                await self._opened(stream, headers)
            case Data(stream, content, is_last) if (pair := self._by_stream.get(stream)) and pair.writer:
                pair.writer.write(content)
                if is_last and pair.writer.can_write_eof():
                    pair.writer.write_eof()
                await pair.writer.drain()
            case Reset(stream) if (pair := self._by_stream.pop(stream, None)) and pair.writer:
                pair.writer.close()

    async def _opened(self, stream: int, headers: Mapping[str, str]) -> None:
        number = headers.get("requestid", "")
        if headers.get("streamtype") == "error":
            self._pairs[number] = _Pair(stream)
            return
        pair = self._pairs.get(number)
        if headers.get("streamtype") != "data" or pair is None:
            self._session.reset(stream)
            return
        pair.data_stream, port = stream, int(headers.get("port", "0") or "0")
        self._by_stream[stream] = pair
        try:
            reader, pair.writer = await self._connect(port)
        except OSError:
            self._session.send(pair.error_stream, self._refusal(port).encode(), is_last=True)
            self._session.send(stream, b"", is_last=True)
            return
        task = asyncio.create_task(self._back(pair, reader))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _back(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while content := await reader.read(_CHUNK):
                self._session.send(pair.data_stream, content)
                await self._flush()
            self._session.send(pair.data_stream, b"", is_last=True)
            self._session.send(pair.error_stream, b"", is_last=True)
            await self._flush()


async def _page() -> Streams:
    """Return the streams of a server that says ok to whatever asks."""
    ours, theirs = sockets.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs)

    async def serve() -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_PAGE)
            await writer.drain()
        writer.close()

    task = asyncio.create_task(serve())
    streams = await asyncio.open_connection(sock=ours)
    _SERVING.add(task)
    task.add_done_callback(_SERVING.discard)
    return streams


_SERVING: set[asyncio.Task[None]] = set()
