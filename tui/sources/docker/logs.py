"""Logs of containers: which there are, and their lines as they come, taken apart by stream."""

import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from profiles.logs import LogSource
from profiles.schema import Profile
from tui.sources.docker import parse
from tui.sources.docker.connection import DockerConnection
from tui.sources.errors import Unreadable

_HEAD: Final = struct.Struct(">BxxxL")
_STREAMS: Final = (0, 1, 2)
_MOST: Final = 64 * 1024 * 1024
"""No frame is longer: what claims to be is not this protocol."""


@dataclass(frozen=True, slots=True)
class ContainerRef:
    """A container whose log can be followed."""

    id: str
    name: str
    is_running: bool


class Frames:
    """Takes a multiplexed log apart: eight bytes of head (stream, length), then so many bytes of that stream."""

    def __init__(self) -> None:
        self._rest = b""
        self._stream = 1
        self._left = 0
        """Bytes of the present frame that are still to come."""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return what arrived of each stream, in order. Raises Unreadable where no head can be.

        An engine makes a frame of each line: those of one stream that follow each other come as one piece.
        """
        found: list[tuple[int, list[bytes]]] = []
        self._rest += data
        place = 0
        while place < len(self._rest):
            if self._left:
                piece = self._rest[place : place + self._left]
                if found and found[-1][0] == self._stream:
                    found[-1][1].append(piece)
                else:
                    found.append((self._stream, [piece]))
                self._left -= len(piece)
                place += len(piece)
            elif len(self._rest) - place < _HEAD.size:
                break
            else:
                self._stream, self._left = _HEAD.unpack_from(self._rest, place)
                place += _HEAD.size
                if self._stream not in _STREAMS or self._left > _MOST:
                    raise Unreadable("the log is not in the engine's frames")
        self._rest = self._rest[place:]
        return [(stream, b"".join(pieces)) for stream, pieces in found]


class ContainerLogs:
    """Finds containers and follows their logs on one engine."""

    def __init__(self, connection: DockerConnection) -> None:
        self._connection = connection

    async def containers(self, pattern: str) -> list[ContainerRef]:
        """Return the containers whose names match, by name, those too that do not run. Raises SourceError."""
        listed = await self._connection.get("/containers/json", {"all": "true"})
        found = [
            ContainerRef(parse.container_id(one), parse.container_name(one), parse.is_running(one))
            for one in (listed if isinstance(listed, list) else [])
        ]
        return sorted((one for one in found if one.id and fnmatchcase(one.name, pattern)), key=lambda one: one.name)

    async def follow(self, container_id: str, since: str, tail: int | None) -> AsyncIterator[tuple[int, bytes]]:
        """Yield a container's log as it grows: the stream (1 output, 2 errors) and bytes of it.

        Each line begins with its RFC 3339 timestamp. Ends when the container does.

        Args:
            container_id: which one.
            since: seconds since 1970 with a fraction, as the API takes it; empty for from the beginning.
            tail: how many of the last lines to begin with; None for all since then.

        Raises:
            SourceError: the stream was cut, the container is gone, or its log driver cannot be read.
        """
        found = parse.container(await self._connection.get(f"/containers/{container_id}/json"))
        query = {"follow": "true", "stdout": "true", "stderr": "true", "timestamps": "true"}
        query["tail"] = "all" if tail is None else str(tail)
        if since:
            query["since"] = since
        frames = Frames()
        async for data in self._connection.stream(f"/containers/{container_id}/logs", query):
            if found.has_terminal:
                yield 1, data
            else:
                for piece in frames.feed(data):
                    yield piece

    async def close(self) -> None:
        """Give the connection back."""
        await self._connection.close()


def container_logs(profile: Profile, entry: LogSource) -> ContainerLogs | None:
    """Return what reads the logs of an engine's containers, on a connection of its own; None where none is meant."""
    if entry.docker is None:
        return None
    engine = profile.docker[entry.engine or next(iter(profile.docker))]
    return ContainerLogs(DockerConnection(engine.socket))
