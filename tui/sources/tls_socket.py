"""TLS through a forward: a second socket in its private folder, behind which everything is encrypted to the server.

Client libraries take a Unix socket for the server's own machine and leave TLS away there. So they speak in the clear to
this socket, which no other process can reach, and this one speaks TLS through the forward: with the name in the
profile's address, which is the one that the server's certificate must be for, not that of a pod.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.sources.both_ways import until_one_ends
from tui.sources.errors import SourceError

_CHUNK: Final = 64 * 1024
_HANDSHAKE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server is spoken to."""

    context: ssl.SSLContext
    name: str
    """What the certificate must be for where the context checks it; told to the server in any case (SNI)."""
    words: Callable[[OSError], SourceError]
    """What went wrong, as people know it of this kind of server."""
    ask: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None = None
    """Asks the server to begin TLS; raises SourceError where it does not. None: TLS begins with the first byte."""


class TlsSocket:
    """Leads a Unix socket to another one, with TLS behind it."""

    def __init__(self, inner: Path, tls: Tls, failed: Callable[[SourceError], None]) -> None:
        self.tls = tls
        """May be changed; the next connection is the first that it counts for."""
        self._inner, self._failed = inner, failed
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def open(self, path: Path) -> None:
        """Listen there; raises OSError."""
        path.parent.mkdir(mode=0o700)
        self._server = await asyncio.start_unix_server(self._accept, path)

    async def close(self) -> None:
        """Cut every connection; the socket's file goes with the folder it is in."""
        if self._server is not None:
            self._server.close()
        for task in (carrying := list(self._carrying)):
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server: asyncio.StreamWriter | None = None
        try:
            answers, server = await asyncio.open_unix_connection(self._inner)
            await self._encrypted(answers, server)
            # OSError where TLS failed: a server may refuse a client only now.
            await until_one_ends(_pumped(reader, server), _pumped(answers, writer))
        except SourceError as error:
            self._failed(error)
        except asyncio.IncompleteReadError:
            pass  # the forward has ended, and says why
        except OSError as error:
            self._failed(self.tls.words(error))
        finally:
            for one in (writer, server):
                if one is not None:
                    one.transport.abort()

    async def _encrypted(self, answers: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        tls = self.tls
        async with asyncio.timeout(_HANDSHAKE_S):
            if tls.ask is not None:
                await tls.ask(answers, server)
            await server.start_tls(tls.context, server_hostname=tls.name)


async def _pumped(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while content := await source.read(_CHUNK):
            target.write(content)
            await target.drain()
