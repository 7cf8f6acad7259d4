"""A port of a pod on a Unix socket of ours: no other user of this host can reach it, and no port of it is taken.

Every connection is a WebSocket of its own to the pod that serves at that moment: when a pod is replaced, the next
connection leads to its successor.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.sources.both_ways import until_one_ends
from tui.sources.errors import SourceError, Unreachable
from tui.sources.kubernetes.channels import Channels, channels
from tui.sources.kubernetes.connection import Connection
from tui.sources.kubernetes.exec import Place
from tui.sources.kubernetes.kinds import KINDS
from tui.sources.kubernetes.serving import Serving
from tui.sources.text import clean
from tui.sources.tls_socket import Tls, TlsSocket

_PROTOCOL: Final = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_CHUNK: Final = 32 * 1024
_GREETING_S: Final = 10.0

Resolve = Callable[[], Awaitable[Serving]]


@dataclass(frozen=True, slots=True)
class Led:
    """Where a forward led last."""

    place: Place
    connections: int
    """How many connections it has carried so far."""


class Forward:
    """Leads a Unix socket to a port of whichever pod `resolve` names at each connection.

    Args:
        connection: to the cluster.
        resolve: names the pod and its port, read afresh; raises SourceError.
        name: of the socket's file, as the client library wants it.
        where: where it leads, for messages.
        by_hand: from a port of 127.0.0.1 to the command that forwards it there.
    """

    def __init__(
        self,
        connection: Connection,
        resolve: Resolve,
        name: str,
        *,
        where: str = "a pod",
        by_hand: Callable[[int], str] = lambda port: "",
    ) -> None:
        self.where = where
        self.by_hand = by_hand
        self._connection = connection
        self._resolve = resolve
        self._name = name
        self._folder: Path | None = None
        self._server: asyncio.Server | None = None
        self._tls: TlsSocket | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()
        self.led: Led | None = None
        """None as long as no connection came about."""
        self.failure: SourceError | None = None
        """Why the newest connection came to nothing, or was cut; None while all is well."""

    async def open(self, tls: Tls | None = None) -> Path:
        """Return the folder of the socket, of mode 0700, and listen there; with `tls`, of the one that speaks it.

        Raises:
            SourceError: no pod serves, or the port cannot be forwarded.
        """
        async with self._opening:
            self.failure = None
            # Asked here too, where the reason can be told: whoever connects to the socket only sees it close.
            await self._resolve()
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="opstui-", dir=_runtime_folder()))
                self._server = await asyncio.start_unix_server(self._accept, self._folder / self._name)
            return self._folder if tls is None else await self._encrypting(self._folder, tls)

    async def _encrypting(self, folder: Path, tls: Tls) -> Path:
        place = folder / "tls"
        if self._tls is None:
            self._tls = TlsSocket(folder / self._name, tls, self._failed)
            await self._tls.open(place / self._name)
        self._tls.tls = tls
        return place

    def _failed(self, error: SourceError) -> None:
        self.failure = error

    async def close(self) -> None:
        """Cut every connection and remove the socket."""
        if self._tls is not None:
            await self._tls.close()
            self._tls = None
        server, self._server = self._server, None
        folder, self._folder = self._folder, None
        if server is not None:
            server.close()
        for task in (carrying := list(self._carrying)):
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    @contextmanager
    def reasons(self) -> Iterator[None]:
        """Turn the SourceError of a connection that came to nothing into the reason on the way, where there is one."""
        try:
            yield
        except SourceError as error:
            if self.failure is not None:
                raise self.failure from error
            raise

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Read afresh: the URL names a pod by its name only, so what is chosen must be what is there now.
            found = await self._resolve()
            place = found.place
            path = KINDS["Pod"].path(place.namespace, place.pod, "portforward")
            async with channels(self._connection, path, [("ports", str(found.port))], [_PROTOCOL]) as opened:
                async with asyncio.timeout(_GREETING_S):
                    await _greeted(opened)
                self.led = Led(place, self.led.connections + 1 if self.led else 1)
                await _carried(opened, reader, writer)
        except TimeoutError:
            self.failure = Unreachable(f"the pod's port: no answer within {_GREETING_S:g} s")
        except SourceError as error:
            self.failure = error
        finally:
            # What is left unread is nobody's: the client must see the end at once.
            writer.transport.abort()


async def _greeted(opened: Channels) -> None:
    """Take the port's number, with which the server begins both channels."""
    awaited = {_DATA, _ERROR}
    while awaited:
        received = await opened.receive()
        if received is None:
            raise Unreachable("the forward was closed before it began")
        awaited.discard(received[0])


async def _carried(opened: Channels, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes both ways until one side ends. Raises SourceError where the pod's side failed."""

    async def there() -> None:
        with suppress(ConnectionError):
            while content := await reader.read(_CHUNK):
                await opened.send(_DATA, content)

    async def back() -> None:
        while (received := await opened.receive()) is not None:
            channel, content = received
            if channel == _ERROR:
                raise Unreachable(clean(content.decode(errors="replace"), limit=300))
            writer.write(content)
            with suppress(ConnectionError):
                await writer.drain()
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    await until_one_ends(there(), back())


def _runtime_folder() -> str | None:
    """Return the folder for sockets of one's own; None for the system's temporary one. Paths must stay short."""
    found = os.environ.get("XDG_RUNTIME_DIR", "")
    return found if found and len(found) < 60 and os.access(found, os.W_OK) else None
