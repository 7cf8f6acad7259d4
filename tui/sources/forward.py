"""What leads to a server that is behind something: a Unix socket of ours, opened when it is first needed."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from tui.sources.tls_socket import Tls


class Forward(Protocol):
    """A way to one server."""

    @property
    def where(self) -> str:
        """Where it leads, for messages: `service shop/db:5432`."""
        ...

    async def open(self, tls: Tls | None = None) -> Path:
        """Return the folder of the socket: the one that speaks TLS for its clients where that is asked for.

        Raises:
            SourceError: the way is barred; says why.
        """
        ...

    async def close(self) -> None:
        """Cut every connection and remove the socket."""
        ...

    def reasons(self) -> AbstractContextManager[None]:
        """Turn the SourceError of a connection that came to nothing into the reason on the way, where there is one."""
        ...

    def by_hand(self, port: int) -> str:
        """Return the command that forwards that port of 127.0.0.1 to the same server."""
        ...
